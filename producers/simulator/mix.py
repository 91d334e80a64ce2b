"""How much of what: shares of record types, lists, grades and severities, after domain.md sections 6 and 7.

Where no figure is published (shares between record types), the numbers are assumptions, chosen so that about one record in
forty is a listing, as on the national platform in July 2019 (694,000 of 25 million a month).
"""

RECORD_TYPES = {
    "licence": 300, "registration": 180, "inspection_result": 115, "annual_report": 100, "rating": 95, "penalty": 65,
    "commitment": 60, "abnormal_entry": 25, "listing": 25, "arrears": 12, "court_judgment": 9, "social_report": 5,
    "award": 3, "repair": 3, "withdrawal": 1, "objection": 1, "listing_extension": 1,
}  # fmt: skip
"""Records of each type in a thousand."""

LISTS = {
    "COURT": ("gd.court", 44), "TAX": ("gd.tax", 10), "WAGE": ("gd.hrss", 10), "SER-AMR": ("gd.amr", 8),
    "SAFE": ("gd.em", 4), "CUST": ("gd.customs", 2), "PROC": ("gd.fin", 2), "FOOD": ("gd.amr", 3), "ENV": ("gd.eco", 3),
    "TAX-A": ("gd.tax", 12), "AEO": ("gd.customs", 2),
}  # fmt: skip
"""List code to its authority and its share of listings, in a hundred."""

RED_LISTS = frozenset({"TAX-A", "AEO"})

GROUNDS = {
    "COURT": "123456", "TAX": "123456", "WAGE": "12", "SER-AMR": "23456", "SAFE": "12", "CUST": "123", "PROC": "123",
    "FOOD": "12", "ENV": "1234",
}  # fmt: skip
"""Codes of the grounds that are in force in 2026, by list (schemas/policy/lists.toml); red lists have none."""

TAX_CREDIT = {"A": 4.9, "B": 55.0, "M": 25.1, "C": 8.0, "D": 7.0}
"""纳税信用 of 2018: A 4.89 %, D 7.01 % published; the split of the rest is assumed."""

RISK_CLASS = {"A": 65.4, "B": 25.3, "C": 7.7, "D": 1.5}
"""企业信用风险分类 as one city published it in 2023."""

CUSTOMS_TIER = {"常规": 97.0, "认证": 1.5, "高级认证": 0.8, "失信": 0.5, "严重失信": 0.2}
ENVIRONMENT = {"绿": 10.0, "蓝": 70.0, "黄": 15.0, "红": 4.0, "黑": 1.0}
COMPREHENSIVE = {"优": 20.0, "良": 45.0, "中": 30.0, "差": 5.0}

RATINGS = {
    "TAX_CREDIT": ("gd.tax", 50, TAX_CREDIT),
    "RISK_CLASS": ("gd.amr", 38, RISK_CLASS),
    "CUSTOMS_TIER": ("gd.customs", 4, CUSTOMS_TIER),
    "ENVIRONMENT": ("gd.eco", 4, ENVIRONMENT),
    "COMPREHENSIVE": ("gd.drc", 4, COMPREHENSIVE),
}
"""Scheme to its department, its share of ratings, and the shares of its grades."""

SEVERITIES = {
    "MINOR": (45, ["警告"], 0, 0),
    "GENERAL": (50, ["罚款"], 1_000, 50_000),
    "SERIOUS": (5, ["罚款", "吊销许可证件"], 50_000, 2_000_000),
}
"""Severity to its share of penalties, its kinds of penalty, and the range of the fine in yuan."""

ENFORCERS = {
    "gd.amr": ("市监", 50), "gd.eco": ("环", 10), "gd.em": ("应急", 8), "gd.hud": ("建", 8), "gd.trans": ("交", 10),
    "gd.tax": ("税", 8), "gd.customs": ("关", 6),
}  # fmt: skip
"""Departments that license, inspect and penalise, with the mark in their document numbers and their share."""

REGISTRARS = {
    "INSTITUTION": "gd.staff", "SOCIAL_ORGANISATION": "gd.mca", "RURAL_COLLECTIVE": "gd.agr", "OTHER": "gd.justice",
}  # fmt: skip
"""Who registers each kind of organisation; market regulation, where none is named."""

ABNORMAL_GROUNDS = {"1": 70.0, "4": 27.0, "3": 2.0, "2": 1.0}
OUTCOMES = {"PASSED": 85.0, "FAILED": 9.0, "UNREACHABLE": 5.0, "REFUSED": 1.0}
COMMITMENTS = {"KEPT": 60.0, "MADE": 38.0, "BROKEN": 2.0}
