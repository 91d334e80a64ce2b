import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.policy import catalogue_app, policy_app
from exchange.errors import RequestError
from exchange.paths import SCHEMAS

runner = CliRunner()


def broken(tmp_path: Path, file: str, old: str, new: str) -> Path:
    for name in ("catalogue", "policy"):
        shutil.copytree(SCHEMAS / name, tmp_path / name)
    path = tmp_path / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    return tmp_path


def test_check_says_what_it_checked() -> None:
    found = runner.invoke(policy_app, ["check"])
    assert found.exit_code == 0
    assert found.output.startswith("ok: policy ")
    assert json.loads(runner.invoke(policy_app, ["check", "--json"]).output)["ok"] is True


def test_check_prints_one_line_a_problem_and_exits_1(tmp_path: Path) -> None:
    schemas = broken(tmp_path, "policy/measures.toml", 'departments = ["gd.psd"]', 'departments = ["gd.nobody"]')
    found = runner.invoke(policy_app, ["check", "--schemas", str(schemas)])
    assert found.exit_code == 1
    assert len(found.output.splitlines()) == 2, found.output
    problem, count = found.output.splitlines()
    assert problem.startswith("measures.toml:")
    assert "[unknown_department] measure.rule exit_ban: departments='gd.nobody'" in problem
    assert count.startswith("1 problem")
    shown = json.loads(runner.invoke(policy_app, ["check", "--schemas", str(schemas), "--json"]).output)
    assert shown["ok"] is False
    assert shown["problems"][0]["code"] == "unknown_department"


def test_check_looks_at_the_catalogue_first(tmp_path: Path) -> None:
    schemas = broken(tmp_path, "catalogue/departments.toml", 'successor = "gd.tour"', 'successor = "gd.culture"')
    found = runner.invoke(policy_app, ["check", "--schemas", str(schemas)])
    assert found.exit_code == 1
    assert "departments.toml" in found.output


def test_check_takes_a_copy_of_the_policy_alone(tmp_path: Path) -> None:
    copy = tmp_path / "new-policy"
    shutil.copytree(SCHEMAS / "policy", copy)
    found = runner.invoke(policy_app, ["check", "--schemas", str(copy)])
    assert found.exit_code == 0, found.output
    assert str(copy) in found.output
    lists = copy / "lists.toml"
    lists.write_text(lists.read_text(encoding="utf-8").replace("gd.customs", "gd.nobody", 1), encoding="utf-8")
    found = runner.invoke(policy_app, ["check", "--schemas", str(copy)])
    assert found.exit_code == 1
    assert "[unknown_department] list CUST" in found.output
    assert found.output.splitlines()[-1] == f"1 problems 个问题, in {copy}"


def test_check_takes_no_folder_without_policy_files(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        found = runner.invoke(policy_app, ["check", "--schemas", str(folder)])
        assert isinstance(found.exception, RequestError)
        assert found.exception.code == "no_policy"


def test_list_for_people_and_for_programs() -> None:
    assert "失信被执行" in runner.invoke(policy_app, ["list"]).output
    shown = json.loads(runner.invoke(policy_app, ["list", "--list", "TAX", "--on", "2017-06-01", "--json"]).output)
    measures = {rule["measure"]: rule for rule in shown["rules"]}
    assert measures["production_licence_limit"]["department"] == "gd.qts"
    assert measures["production_licence_limit"]["effective_to"] == "2018-10-25"
    assert "share_issue_limit" not in measures
    assert measures["loan_reference"]["effective_to"] is None
    every = json.loads(runner.invoke(policy_app, ["list", "--list", "TAX", "--all", "--json"]).output)
    assert len(every["rules"]) > len(shown["rules"])


@pytest.mark.parametrize(
    ("arguments", "code"), [(["list", "--list", "NOPE"], "unknown_list"), (["list", "--on", "2026-13-01"], "bad_date")]
)
def test_what_is_not_there(arguments: list[str], code: str) -> None:
    found = runner.invoke(policy_app, arguments)
    assert isinstance(found.exception, RequestError)
    assert found.exception.code == code


def test_catalogue() -> None:
    assert "gd.fda" in runner.invoke(catalogue_app, ["list"]).output
    shown = json.loads(runner.invoke(catalogue_app, ["list", "--department", "gd.fda", "--json"]).output)
    assert shown["departments"][0]["successor"] == "gd.amr"
    assert "listing" in shown["departments"][0]["grants"]
    found = runner.invoke(catalogue_app, ["list", "--department", "gd.nobody"])
    assert isinstance(found.exception, RequestError)
