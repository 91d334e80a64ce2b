"""`creditbus policy` and `creditbus catalogue`: what the data files say, and whether they may be used."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.explain import explain
from deploy.cli.policy_simulate import simulate
from deploy.cli.tables import open_console, show_table
from exchange.catalogue import Catalogue, Department, Resource, check_catalogue, load_catalogue
from exchange.domain.calendar import day_of, to_date, to_day
from exchange.domain.policy import NO_REPAIR, OPEN, ListRule, MeasureRule, Policy
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy, read_policy
from exchange.risk_files import read_risk

policy_app = typer.Typer(help="Lists, measures and memoranda 政策: lists, measures, memoranda.", no_args_is_help=True)
catalogue_app = typer.Typer(help="Departments and resources 目录.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object 输出 JSON.")]
Schemas = Annotated[
    Path,
    typer.Option(
        "--schemas", help="A copy of schemas/, or of schemas/policy alone; what is shipped by default 数据目录."
    ),
]
On = Annotated[str, typer.Option("--on", help="The day asked about, such as 2026-04-01; today by default 日期.")]


policy_app.command()(explain)
policy_app.command()(simulate)


@policy_app.callback()
def _policy() -> None:
    """Lists, measures and memoranda 政策."""


@catalogue_app.callback()
def _catalogue() -> None:
    """Departments and resources 目录."""


@policy_app.command()
def check(schemas: Schemas = SCHEMAS, as_json: Json = False) -> None:
    """Refuse a measure without a basis, an unknown department, overlapping dates and the like 检查政策数据."""
    catalogue, problems = check_catalogue(_with_catalogue(schemas))
    policy = None
    if not problems:  # successions must be right before a rule can be given to successors
        policy, problems = read_policy(schemas, catalogue)
        problems += read_risk(schemas, catalogue)[1]
    if as_json:
        version = policy.version if policy and not problems else ""
        shown = {"ok": not problems, "version": version, "problems": [asdict(one) for one in problems]}
        typer.echo(json.dumps(shown, ensure_ascii=False))
    elif policy is None or problems:
        for problem in problems:
            typer.echo(problem.text())
        typer.echo(f"{len(problems)} problems 个问题{_where(schemas)}")
    else:
        rules = sum(map(len, policy.rules_by_list.values()))
        typer.echo(
            f"ok: policy {policy.version}, {len(policy.lists)} lists, {rules} rules, {len(policy.memoranda)} memoranda, "
            f"{len(catalogue.departments)} departments, {len(catalogue.resources)} resources{_where(schemas)}"
        )
    if problems:
        raise typer.Exit(1)


@policy_app.command("list")
def show_policy(
    list_code: Annotated[str, typer.Option("--list", help="Show the measures of one list, such as TAX 名单.")] = "",
    on: On = "",
    every: Annotated[bool, typer.Option("--all", help="Also rules that are not in force on the day 含失效.")] = False,
    schemas: Schemas = SCHEMAS,
    as_json: Json = False,
) -> None:
    """Show the lists, or what follows from one of them 查看名单和措施."""
    catalogue = load_catalogue(_with_catalogue(schemas))
    policy = load_policy(schemas, catalogue)
    day = read_day(on)
    if not list_code:
        if as_json:
            _print_json(version=policy.version, lists=[asdict(one) for one in policy.lists.values()])
            return
        watched = set(policy.warning_lists.values())
        rows = {code: _list_row(one, policy, day) for code, one in policy.lists.items()}
        title = f"Lists 名单 {to_date(day)} (policy {policy.version})"
        _show(title, [row for code, row in rows.items() if code not in watched])
        _show("Watch lists of early warnings 预警名单", [row for code, row in rows.items() if code in watched])
        return
    if list_code not in policy.lists:
        raise RequestError(
            f"no list {list_code}", code="unknown_list", remedy=f"one of {', '.join(policy.lists)}"
        )  # fmt: skip
    rules = [r for r in policy.rules_by_list.get(list_code, ()) if every or r.effective_from <= day < r.effective_to]
    one = policy.lists[list_code]
    if as_json:
        _print_json(version=policy.version, list=asdict(one), rules=[asdict(rule) for rule in rules])
        return
    title = f"{one.name_zh} {one.name_en} ({list_code}) {to_date(day)}"
    _show(title, _rule_rows(rules))


@catalogue_app.command("list")
def show_catalogue(
    department: Annotated[str, typer.Option("--department", help="Only what this department may publish 部门.")] = "",
    schemas: Schemas = SCHEMAS,
    as_json: Json = False,
) -> None:
    """Show the departments, or what one of them may publish 查看部门和资源."""
    catalogue = load_catalogue(_with_catalogue(schemas))
    today = read_day("")
    if department:
        catalogue.demand(department)
    departments = [one for one in catalogue.departments.values() if department in ("", one.slug)]
    resources = [one for one in catalogue.resources if department in one.providers]
    if as_json:
        shown = [asdict(one) | {"grants": catalogue.grants(one.slug)} for one in departments]
        _print_json(departments=shown, resources=[asdict(one) for one in resources])
    elif department:
        title = f"{catalogue.name_of(department, today)} {department}"
        _show(title, [_resource_row(one) for one in resources])
    else:
        _show("Departments 部门", [_department_row(one, catalogue, today) for one in departments])


def _with_catalogue(schemas: Path) -> Path:
    """The folder whose catalogue goes with these files: the one shipped, where they are a copy of the policy alone.

    Raises:
        RequestError: `no_policy`.
    """
    if (schemas / "catalogue").is_dir():
        return schemas
    if (schemas / "policy").is_dir() or (schemas / "lists.toml").is_file():
        return SCHEMAS
    raise RequestError(
        f"no policy files in {schemas}", code="no_policy", remedy="give a copy of schemas/ or of schemas/policy"
    )


def _where(schemas: Path) -> str:
    return "" if schemas == SCHEMAS else f", in {schemas}"


def read_day(text: str) -> int:
    """The day of an ISO date; today in China when there is none.

    Raises:
        RequestError: `bad_date`.
    """
    try:
        return to_day(date.fromisoformat(text)) if text else day_of(time.time_ns() // 1_000_000)
    except ValueError as error:
        raise RequestError(f"no day {text!r}", code="bad_date", remedy="write it 2026-04-01") from error


def term_text(one: ListRule, day: int) -> str:
    """The terms of a day in words: `24 months (2 3 4), until cured (1)`."""
    terms = [term for term in one.terms if term.effective_from <= day < term.effective_to]
    return ", ".join(
        (f"{term.months} months" if term.months else "until cured")
        + (f" ({' '.join(sorted(term.grounds))})" if term.grounds else "")
        for term in terms
    )


def repair_text(one: ListRule, day: int) -> str:
    """The least months before repair, in words."""
    found = [repair.min_months for repair in one.repairs if repair.effective_from <= day < repair.effective_to]
    if not found:
        return ""
    return "none" if found[0] == NO_REPAIR else f"after {found[0]} months" if found[0] else "when cured"


def _list_row(one: ListRule, policy: Policy, day: int) -> dict[str, str]:
    rules = [r for r in policy.rules_by_list.get(one.list_code, ()) if r.effective_from <= day < r.effective_to]
    measures, departments = {rule.measure for rule in rules}, {rule.department for rule in rules}
    return {
        "list 名单": one.list_code,
        "name 名称": f"{one.name_zh}\n{one.name_en}",
        "authority 认定": "\n".join(sorted(one.authorities)),
        "term 期限": term_text(one, day),
        "repair 修复": repair_text(one, day),
        "follows 措施": f"{one.colour}\n{len(measures)} measures\nby {len(departments)}",
    }


def _rule_rows(rules: Iterable[MeasureRule]) -> list[dict[str, str]]:
    """One row for all departments and targets of a measure that rest on the same basis."""
    same: defaultdict[tuple[str, ...], list[MeasureRule]] = defaultdict(list)
    for rule in rules:
        same[rule.measure, rule.effect, rule.basis, rule.memorandum, str(rule.effective_to)].append(rule)
    return [
        {
            "measure 措施": f"{found[0].measure}\n{found[0].name_zh}\n{found[0].name_en}",
            "department 响应": "\n".join(sorted({rule.department for rule in found})),
            "target 对象": "\n".join([found[0].effect, *sorted({rule.role or rule.target for rule in found})]).lower(),
            "basis 依据": "\n".join(filter(None, (found[0].basis, found[0].memorandum, validity(found)))),
        }
        for found in same.values()
    ]


def validity(rules: Iterable[MeasureRule]) -> str:
    """The first day of any of the rules and the last day of all, in words."""
    spans = [(rule.effective_from, rule.effective_to) for rule in rules]
    end = max(until for _, until in spans)
    until = "" if end == OPEN else f" to {to_date(end - 1)}"
    return f"from {to_date(min(since for since, _ in spans))}{until}"


def _department_row(one: Department, catalogue: Catalogue, day: int) -> dict[str, str]:
    before = f" (2016: {one.name_2016_zh})" if one.name_2016_zh != one.name_zh else ""
    return {
        "department 部门": one.slug,
        "name 名称": f"{catalogue.name_of(one.slug, day)}{before}\n{one.name_en}",
        "succeeded 承接": "" if one.existed_to == OPEN else f"{to_date(one.existed_to)} {one.successor}",
        "types 资源": str(len(catalogue.grants(one.slug))),
    }


def _resource_row(one: Resource) -> dict[str, str]:
    return {
        "resource 代码": one.code,
        "type 类型": one.record_type,
        "name 名称": f"{one.name_zh}\n{one.name_en}",
        "sharing 共享": one.sharing,
        "opening 开放": one.opening,
    }


def _show(title: str, rows: list[dict[str, str]]) -> None:
    table = Table(title=title, show_lines=any("\n" in value for row in rows for value in row.values()))
    for name in rows[0] if rows else ():
        table.add_column(name.replace(" ", "\n"))
    for row in rows:
        table.add_row(*row.values())
    show_table(open_console(), table)


_DAYS = frozenset(
    {"effective_from", "effective_to", "existed_from", "existed_to", "renamed_on", "joint_requires_serious_from"}
)


def _plain(value: Any, name: str = "") -> Any:
    """Dataclasses as JSON has them: days as ISO dates, open ones as null, sets as sorted lists."""
    if isinstance(value, dict):
        return {key: _plain(one, key) for key, one in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if name in _DAYS:
        return str(to_date(value)) if value and value != OPEN else None
    return value


def _print_json(**facts: Any) -> None:
    typer.echo(json.dumps(_plain(facts), ensure_ascii=False))
