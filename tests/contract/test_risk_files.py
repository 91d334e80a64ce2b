"""The risk model's file: every fault has its problem, the shipped one is whole, and no policy may make a class restrict anybody."""

import shutil
from pathlib import Path

import pytest

from exchange.catalogue import load_catalogue
from exchange.domain.risk.model import CLASSES, GROUPS
from exchange.paths import SCHEMAS
from exchange.policy_files import check_policy
from exchange.risk_files import load_risk, read_risk
from exchange.rows import DataError
from tests.risk import rules

CATALOGUE = load_catalogue(SCHEMAS)
FAULTS = [
    ('department = "gd.amr"', 'department = "gd.nobody"', "unknown_department", "department"),
    ('department = "gd.amr"', 'department = "gd.prtc"', "not_granted", "department"),
    ('kinds = ["ENTERPRISE"]', 'kinds = ["FIRM"]', "bad_value", "kinds"),
    ("month_day = 1", "month_day = 31", "bad_value", "month_day"),
    ("material = 5", "material = -1", "bad_value", "material"),
    ('group = "basic"', 'group = "fancy"', "bad_value", "group"),
    ('states = ["NEW"]', 'states = ["OLD"]', "bad_value", "states"),
    ('"TAX_CREDIT:D"', '"RISK_CLASS:D"', "bad_value", "states"),
    ('"TAX_CREDIT:D"', '"D"', "bad_value", "states"),
    ("points = 8\ncap = 8", "points = 9\ncap = 8", "bad_value", "cap"),
    ("points = 8\ncap = 8", "points = 0\ncap = 8", "bad_value", "cap"),
    ('basis = "国市监信发〔2022〕6号"', 'basis = ""', "no_basis", "basis"),
    ('class = "C"\npoints = 16', 'class = "C"\npoints = 3', "bad_value", "points"),
    ('class = "C"\npoints = 16', 'class = "B"\npoints = 16', "overlapping", "effective_from"),
    ('class = "D"\npercent = 30', 'class = "D"\npercent = 130', "bad_value", "percent"),
    ('class = "D"\npercent = 30', 'class = "D"\npercent = 30\neffective_to = 2030-01-01', "gap", "effective_to"),
    ('class = "D"\npercent = 30', 'class = "E"\npercent = 30', "bad_value", "class"),
    ("term_months = 12", "term_months = 12\nhalf_life = 3", "unknown_field", "half_life"),
]  # fmt: skip


def spoiled(tmp_path: Path, file: str, old: str, new: str) -> Path:
    shutil.copytree(SCHEMAS / "policy", tmp_path / "policy")
    path = tmp_path / "policy" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("old", "new", "code", "field"), FAULTS)
def test_a_fault_has_its_problem(tmp_path: Path, old: str, new: str, code: str, field: str) -> None:
    schemas = spoiled(tmp_path, "risk.toml", old, new)
    found = [(one.file, one.code, one.field) for one in read_risk(schemas, CATALOGUE)[1]]
    assert ("risk.toml", code, field) in found
    with pytest.raises(DataError):
        load_risk(schemas, CATALOGUE)


def test_the_shipped_model_has_every_group_class_and_rate_and_a_rise_from_class_to_class() -> None:
    assert not read_risk(SCHEMAS, CATALOGUE)[1]
    today = rules()
    assert {one.group for one in today.indicators} == set(GROUPS)
    assert [letter for _, letter in today.thresholds] == ["D", "C", "B"]
    rates = [today.rates[letter].share for letter in CLASSES]
    assert rates == sorted(rates)
    assert len(set(rates)) == len(CLASSES)


def test_the_version_follows_the_facts_only(tmp_path: Path) -> None:
    original = load_risk(SCHEMAS, CATALOGUE).version
    commented = spoiled(tmp_path / "a", "risk.toml", "[[method]]", "# words\n[[method]]")
    changed = spoiled(tmp_path / "b", "risk.toml", "month_day = 1", "month_day = 2")
    assert load_risk(commented, CATALOGUE).version == original != load_risk(changed, CATALOGUE).version


def test_before_the_method_there_are_no_classes() -> None:
    assert load_risk(SCHEMAS, CATALOGUE).on(rules().method.effective_from - 1) is None


def test_a_class_that_would_be_a_place_on_a_list_is_refused(tmp_path: Path) -> None:
    schemas = spoiled(
        tmp_path, "lists.toml", 'scheme = "TAX_CREDIT"\ngrade = "A"', 'scheme = "RISK_CLASS"\ngrade = "D"'
    )
    assert [one.code for one in check_policy(schemas, CATALOGUE)] == ["restricts"]
