"""The words of the credit picture, Chinese and English."""

from collections.abc import Mapping

from consumers.portal.query.picture import Overall
from exchange.labels import Label

OVERALL: Mapping[Overall, tuple[str, Label]] = {
    Overall.LISTED: ("bad", Label("列入失信名单", "On a blacklist")),
    Overall.WATCHED: ("warn", Label("列入异常或重点关注名单", "On an abnormal or watch list")),
    Overall.TRUSTED: ("good", Label("守信激励对象", "On a red list: to be favoured")),
    Overall.PLAIN: ("plain", Label("未列入任何名单", "On no list")),
    Overall.UNKNOWN: ("plain", Label("暂无信用信息", "Nothing is known")),
}
"""Tone and title of the answer at a glance."""

COLOURS: Mapping[str, tuple[str, Label]] = {
    "black": ("bad", Label("失信惩戒", "blacklist")),
    "abnormal": ("warn", Label("异常", "abnormal")),
    "watch": ("warn", Label("重点关注", "watch list")),
    "red": ("good", Label("守信激励", "red list")),
}

ROLES: Mapping[str, Label] = {
    "LEGAL_REPRESENTATIVE": Label("法定代表人", "Legal representative"),
    "DIRECTOR": Label("董事", "Director"),
    "SUPERVISOR": Label("监事", "Supervisor"),
    "SENIOR_MANAGER": Label("高级管理人员", "Senior manager"),
    "DIRECTLY_RESPONSIBLE": Label("直接责任人", "Directly responsible"),
    "BENEFICIAL_OWNER": Label("实际控制人", "Beneficial owner"),
}

AMENDMENTS: Mapping[tuple[str, str], Label] = {
    ("listing_extension", ""): Label("期限延长", "Term extended"),
    ("withdrawal", ""): Label("撤销、撤回", "Withdrawn"),
    ("repair", "applied"): Label("申请修复", "Repair applied for"),
    ("repair", "accepted"): Label("修复申请已受理", "Repair application accepted"),
    ("repair", "granted"): Label("准予修复", "Repair granted"),
    ("repair", "refused"): Label("不予修复", "Repair refused"),
    ("objection", "raised"): Label("提出异议", "Objection raised"),
    ("objection", "upheld"): Label("异议成立", "Objection upheld"),
    ("objection", "dismissed"): Label("异议不成立", "Objection dismissed"),
}
"""What was said about a document, by type and state."""

KINDS = (
    "early_warning", "listing", "abnormal_entry", "penalty", "licence", "inspection_result", "rating", "commitment", "arrears", "court_judgment",
    "award", "annual_report", "social_report",
)  # fmt: skip
"""Record types in the order in which the picture shows them."""
