"""Each way of getting a data file wrong has its own problem, with file, line, row, field and value."""

import shutil
from pathlib import Path

import pytest

from exchange.catalogue import check_catalogue, load_catalogue
from exchange.domain.policy import Policy
from exchange.paths import SCHEMAS
from exchange.policy_files import check_policy, load_policy, read_policy
from exchange.rows import DataError, Problem

CATALOGUE = load_catalogue(SCHEMAS)

EXIT_BAN = """basis = "税收征收管理法第四十四条"
effective_from = 2016-12-30"""
OFFICE_BAN = """basis = "公司法第一百四十六条"
effect = "review"
effective_from = 2016-12-30
effective_to = 2024-07-01"""

POLICY_FAULTS = [
    # measures
    ("measures.toml", EXIT_BAN, "effective_from = 2016-12-30", "no_basis", "basis"),
    ("measures.toml", EXIT_BAN, 'basis = " "\neffective_from = 2016-12-30', "no_basis", "basis"),
    ("measures.toml", 'departments = ["gd.psd"]', 'departments = ["gd.nobody"]', "unknown_department", "departments"),
    ("measures.toml", 'departments = ["@approvers"]', 'departments = ["@nobody"]', "unknown_group", "departments"),
    ("measures.toml", 'departments = ["gd.psd"]', "departments = []", "missing", "departments"),
    ("measures.toml", 'lists = ["AEO"]', 'lists = ["NOPE"]', "unknown_list", "lists"),
    ("measures.toml", 'matters = ["exit"]', 'matters = ["exits"]', "unknown_matter", "matters"),
    ("measures.toml", 'targets = ["CONSORTIUM"]', 'targets = ["GROUP"]', "bad_value", "targets"),
    ("measures.toml", 'memorandum = "FOOD-GZ-2019"', 'memorandum = "FOOD"', "unknown_memorandum", "memorandum"),
    ("measures.toml", 'memorandum = "FOOD-GZ-2019"', 'memorandum = "ENV-2016"', "memorandum_of_other_list", "memorandum"),
    ("measures.toml", EXIT_BAN, EXIT_BAN.replace("12-30", "12-29"), "overlapping", "effective_from"),
    ("measures.toml", EXIT_BAN, EXIT_BAN.replace("12-30", "12-29"), "memorandum_dates", "memorandum"),
    ("measures.toml", OFFICE_BAN, OFFICE_BAN.replace("2024-07-01", "2024-07-02"), "overlapping", "effective_from"),
    ("measures.toml", OFFICE_BAN, OFFICE_BAN.replace("2024-07-01", "2016-12-30"), "bad_dates", "effective_to"),
    ("measures.toml", OFFICE_BAN, OFFICE_BAN.replace("2024-07-01", '"2024-07-01"'), "bad_value", "effective_to"),
    ("measures.toml", "effective_to = 2021-12-31", "", "memorandum_only", "basis"),
    ("measures.toml", 'code = "land_supply_limit"', 'code = "procurement_ban"', "duplicate", "code"),
    ("measures.toml", 'code = "bidding"', 'code = "exit"', "duplicate", "code"),
    ("measures.toml", 'effect = "fast_track"', 'effect = "clear"', "unexpected", "matters"),
    ("measures.toml", 'effect = "fast_track"', 'effect = "grant"', "bad_value", "effect"),
    ("warnings.toml", 'list = "WARN-TAX"', 'list = "TAX"', "unknown_list", "list"),
    ("warnings.toml", 'departments = ["gd.tax", "gd.statetax", "gd.localtax"]', 'departments = ["gd.tax", "gd.moon"]', "bad_value", "departments"),
    ("warnings.toml", 'departments = ["gd.hrss"]\nlists', 'departments = ["gd.tax"]\nlists', "duplicate", "departments"),
    ("warnings.toml", "blue = 20", "blue = 70", "bad_value", "blue"),
    ("warnings.toml", 'signal = "INSOLVENCY"', 'signal = "WEATHER"', "bad_value", "signal"),
    ("warnings.toml", 'domain = "GENERAL"\nlist', 'domain = "MARKET"\nlist', "missing", "domain"),
    ("measures.toml", 'category = "c"', 'category = "d"', "bad_value", "category"),
    ("measures.toml", "urgent = true", 'urgent = "yes"', "bad_value", "urgent"),
    ("measures.toml", "respond_within_working_days = 20", "respond_within_working_days = 0", "bad_value",
     "respond_within_working_days"),
    ("measures.toml", 'region = "320000"', 'region = "Jiangsu"', "bad_value", "region"),
    ("measures.toml", 'category = "c"', 'category = "c"\ncolour = "red"', "unknown_field", "colour"),
    ("measures.toml", "[[matter]]", "[[matters]]", "unknown_table", ""),
    ("measures.toml", "[[matter]]", "[[matter", "not_toml", ""),
    # disclosure
    ("disclosure.toml", 'record_types = ["licence", "penalty"]', 'record_types = ["licences"]', "unknown_record_type", "record_types"),
    ("disclosure.toml", "effective_to = 2015-06-24", "effective_to = 2015-06-25", "overlapping", "effective_from"),
    ("disclosure.toml", "within_working_days = 7", "within_working_days = 0", "bad_value", "within_working_days"),
    # lists
    ("lists.toml", 'authorities = ["gd.customs"]', 'authorities = ["gd.prtc"]', "not_granted", "authorities"),
    ("lists.toml", 'authorities = ["gd.customs"]', 'authorities = ["gd.nobody"]', "unknown_department", "authorities"),
    ("lists.toml", 'code = "ELDER"', 'code = "COMM"', "duplicate", "code"),
    ("lists.toml", 'colour = "abnormal"', 'colour = "grey"', "bad_value", "colour"),
    ("lists.toml", 'grounds = ["1"]', 'grounds = ["7"]', "unknown_ground", "grounds"),
    ("lists.toml", 'grounds = ["1"]', 'grounds = ["1", "2"]', "overlapping", "effective_from"),
    ("lists.toml", "effective_to = 2017-05-01", "effective_to = 2017-04-01", "gap", "effective_to"),
    ("lists.toml", "effective_to = 2019-01-01", "effective_to = 2019-02-01", "overlapping", "effective_from"),
    ("lists.toml", "effective_from = 2023-10-01", "effective_from = 2023-11-01", "gap", "effective_to"),
    ("lists.toml", "min_months = 0", "min_months = -1", "bad_value", "min_months"),
    ("lists.toml", 'list = "AEO"', 'list = "AE"', "unknown_list", "list"),
    ("lists.toml", 'grade = "高级认证"', 'grade = "认证"', "duplicate", "grade"),
    ("lists.toml", 'scheme = "TAX_CREDIT"', 'scheme = "TAX"', "bad_value", "scheme"),
    ("lists.toml", 'confidence = "L"', 'confidence = "?"', "bad_value", "confidence"),
    # memoranda
    ("memoranda.toml", 'code = "TAX-2014"', 'code = "TAX-2016"', "duplicate", "code"),
    ("memoranda.toml", "〔2014〕3062号", "〔2015〕3062号", "duplicate", "code"),
    ("memoranda.toml", 'lists = ["AEO"]', 'lists = ["AE"]', "unknown_list", "lists"),
    ("memoranda.toml", "signatories = 44", "", "missing", "signatories"),
    # publicity and repair
    ("repair.toml", 'severity = "MINOR"', 'severity = "TINY"', "bad_value", "severity"),
    ("repair.toml", 'severity = "MINOR"', 'severity = "GENERAL"', "overlapping", "effective_from"),
    ("repair.toml", "effective_to = 2023-05-01", "effective_to = 2023-04-01", "gap", "effective_to"),
    ("repair.toml", "min_months = 12\nmax_months = 36", "min_months = 48\nmax_months = 36", "bad_value", "min_months"),
    ("repair.toml", "accept_working_days = 3", "accept_working_days = 0", "bad_value", "accept_working_days"),
]  # fmt: skip

CATALOGUE_FAULTS = [
    ("departments.toml", 'successor = "gd.tour"', 'successor = "gd.nobody"', "unknown_department", "successor"),
    ("departments.toml", 'successor = "gd.tour"', 'successor = "gd.culture"', "bad_succession", "successor"),
    ("departments.toml", 'successor = "gd.tour"', "", "bad_succession", "successor"),
    ("departments.toml", "existed_to = 2018-12-17", "", "bad_succession", "successor"),
    ("departments.toml", 'supervisor = "gd.data"', 'supervisor = "gd.nobody"', "unknown_department", "supervisor"),
    ("departments.toml", "existed_from = 2018-06-15", "existed_from = 2018-06-15\nexisted_to = 2018-06-15", "bad_dates",
     "existed_to"),
    ("departments.toml", 'slug = "gd.hud"', 'slug = "gd.trans"', "duplicate", "slug"),
    ("departments.toml", 'slug = "gd.hud"', 'slug = "gd/hud"', "bad_value", "slug"),
    ("departments.toml", 'name_zh = "广东省统计局"', "", "missing", "name_zh"),
    ("resources.toml", 'record_type = "award"', 'record_type = "prize"', "bad_value", "record_type"),
    ("resources.toml", 'providers = ["gd.court"]', 'providers = ["gd.nobody"]', "unknown_department", "providers"),
    ("resources.toml", 'providers = ["gd.court"]', 'providers = ["@nobody"]', "unknown_group", "providers"),
    ("resources.toml", "sharing_condition =", "# sharing_condition =", "missing", "sharing_condition"),
    ("resources.toml", "sharing_basis =", "# sharing_basis =", "missing", "sharing_basis"),
    ("resources.toml", "opening_condition =", "# opening_condition =", "missing", "opening_condition"),
    ("resources.toml", "update_cycle = 99", "update_cycle = 8", "bad_value", "update_cycle"),
    ("resources.toml", "update_cycle = 99", 'update_cycle = 99\nclassification = "SECRET"', "bad_value", "classification"),
    ("resources.toml", 'code = "201002/00002"', 'code = "201002/00001"', "duplicate", "code"),
    ("resources.toml", 'code = "201002/00002"', 'code = "penalty"', "bad_value", "code"),
    ("resources.toml", "readers = ", "# readers = ", "missing", "readers"),
    ("resources.toml", 'sharing = "unconditional"', 'sharing = "unconditional"\nreaders = ["gd.tax"]', "unexpected", "readers"),
    ("recommended.toml", '"violation", ', '"violations", ', "unknown_field_name", "names"),
    ("recommended.toml", 'record_type = "licence"', 'record_type = "penalty"', "duplicate", "record_type"),
    ("fields.toml", '"outcome", ', "", "field_without_class", "outcome"),
    ("fields.toml", '"outcome", ', '"outcomes", "outcome", ', "unknown_field_name", "names"),
    ("fields.toml", '["officer", "former"]', '["officer", "former", "grade"]', "duplicate", "names"),
    ("fields.toml", 'class = "provider"', 'class = "secret"', "bad_value", "class"),
    ("fields.toml", '["measure_feedback"]', '["feedback"]', "unknown_record_type", "record_types"),
    ("regions.toml", '"06 天河区 1985-"', '"天河区"', "bad_value", "counties"),
    ("regions.toml", '"06 天河区 1985-"', '"06 天河区 1985-1984"', "bad_dates", "counties"),
    ("regions.toml", '"06 天河区 1985-"', '"05 天河区 1985-"', "overlapping", "counties"),
    ("regions.toml", 'code = "440300"', 'code = "450300"', "bad_value", "code"),
]  # fmt: skip


def spoiled(tmp_path: Path, folder: str, file: str, old: str, new: str) -> Path:
    """A copy of the data files in which the first `old` of a file is `new`."""
    for name in ("catalogue", "policy", "records"):
        shutil.copytree(SCHEMAS / name, tmp_path / name)
    path = tmp_path / folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path


def assert_found(problems: list[Problem], file: str, code: str, field: str) -> None:
    found = [problem for problem in problems if (problem.code, problem.field) == (code, field)]
    assert found, [problem.text() for problem in problems]
    assert code == "unknown_field" or not [p for p in problems if p.code == "unknown_field"], "follows from the fault"
    for problem in found:
        assert problem.file == file
        assert problem.line or code in ("unknown_table", "not_toml", "field_without_class")
        assert problem.rule
        assert f"[{code}]" in problem.text()


@pytest.mark.parametrize(("file", "old", "new", "code", "field"), POLICY_FAULTS)
def test_a_fault_in_the_policy_has_its_problem(
    tmp_path: Path, file: str, old: str, new: str, code: str, field: str
) -> None:
    schemas = spoiled(tmp_path, "policy", file, old, new)
    assert_found(check_policy(schemas, CATALOGUE), file, code, field)
    with pytest.raises(DataError) as caught:
        load_policy(schemas, CATALOGUE)
    assert caught.value.code == "bad_data_files"
    assert "creditbus policy check" in caught.value.line()


@pytest.mark.parametrize(("file", "old", "new", "code", "field"), CATALOGUE_FAULTS)
def test_a_fault_in_the_catalogue_has_its_problem(
    tmp_path: Path, file: str, old: str, new: str, code: str, field: str
) -> None:
    schemas = spoiled(tmp_path, "catalogue", file, old, new)
    assert_found(check_catalogue(schemas)[1], file, code, field)
    with pytest.raises(DataError):
        load_catalogue(schemas)


def test_every_problem_is_found_at_once(tmp_path: Path) -> None:
    schemas = spoiled(tmp_path, "policy", "measures.toml", EXIT_BAN, "effective_from = 2016-12-30")
    path = schemas / "policy" / "lists.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('colour = "black"', 'colour = "grey"'), encoding="utf-8")
    problems = check_policy(schemas, CATALOGUE)
    assert [problem.code for problem in problems] == ["bad_value"] * 11 + ["no_basis"]
    lines = [problem.line for problem in problems if problem.file == "lists.toml"]
    assert lines == sorted(lines)


def test_a_problem_names_the_line_of_its_row(tmp_path: Path) -> None:
    schemas = spoiled(tmp_path, "policy", "measures.toml", EXIT_BAN, "effective_from = 2016-12-30")
    text = (schemas / "policy" / "measures.toml").read_text(encoding="utf-8").splitlines()
    (problem,) = check_policy(schemas, CATALOGUE)
    assert problem.row == "measure.rule exit_ban"
    assert text[problem.line - 1] == "[[measure.rule]]"
    assert 'departments = ["gd.psd"]' in text[problem.line : problem.line + 3]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    schemas = spoiled(tmp_path, "policy", "repair.toml", "MINOR", "MINOR")
    (schemas / "policy" / "repair.toml").unlink()
    assert [(p.code, p.file) for p in check_policy(schemas, CATALOGUE)] == [("unreadable", "repair.toml")]


def test_the_version_follows_the_facts_only(tmp_path: Path) -> None:
    def version(schemas: Path) -> str:
        return load_policy(schemas, CATALOGUE).version

    original = version(SCHEMAS)
    assert len(original) == 12
    commented = spoiled(tmp_path / "a", "policy", "lists.toml", "[[list]]", "# more words\n\n[[list]]")
    assert version(commented) == original
    changed = spoiled(tmp_path / "b", "policy", "lists.toml", "months = 60", "months = 61")
    assert version(changed) != original


def test_the_shipped_files_are_right() -> None:
    policy, problems = read_policy(SCHEMAS, CATALOGUE)
    assert not problems
    assert isinstance(policy, Policy)
    assert policy.rules_elsewhere
