"""`creditbus policy explain`: why a subject has its measures, and what would remain without a document."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.ask import Json, SubjectArgument, find_subject, iso, today_book
from deploy.cli.tables import open_console, show_table
from exchange.domain.explain import Explanation, PassedOver, compare, without_document
from exchange.domain.explain import explain as explain_standing
from exchange.domain.judge import Support, judge
from exchange.domain.policy import OPEN, MeasureRule
from exchange.errors import RequestError
from exchange.settings import read_settings


def explain(
    subject: SubjectArgument,
    without: Annotated[
        str, typer.Option(help="What would remain without this document (its number or entry key) 假如没有该文书.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Also rules of other targets and roles that do not apply.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Why each measure of a subject holds: listing, rule, memorandum, article, basis, validity; and what does not apply 依据."""
    name, standing, _ = find_subject(subject, read_settings())
    book = today_book()
    person = name.startswith("person:")
    lost: tuple[tuple[str, str], ...] | None = None
    if without:
        remaining = without_document(standing, without)
        if remaining.active == standing.active:
            raise RequestError(
                f"no document {without!r} obliges anybody about {name}", code="unknown_document",
                remedy=f"see `creditbus show {name}` for its documents",
            )  # fmt: skip
        lost = compare(judge(standing, book, person=person), judge(remaining, book, person=person)).lost
        standing = remaining
    found = explain_standing(standing, book, person=person)
    measures = [_support(one.department, s) for one in found.measures for s in one.supports]
    passed = [
        _passed(one) for one in found.passed_over if every or one.why.value in ("no_basis_in_force", "not_serious")
    ]
    if as_json:
        answer: dict[str, Any] = {
            "subject": name, "as_of": iso(found.as_of), "policy_version": found.policy_version, "measures": measures,
            "not_applied": passed,
        }  # fmt: skip
        if lost is not None:
            answer |= {"without": without, "lost": [f"{department}/{measure}" for department, measure in lost]}
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    _print(name, found, measures, passed, without, lost)


def _support(department: str, support: Support) -> dict[str, str]:
    """One reason for one measure, in words."""
    holding, rule = support
    return {
        "department": department, "measure": rule.measure, "name_zh": rule.name_zh, "list": holding.list_code,
        "decided_by": holding.department, "document": holding.document, "of": holding.subject, "role": holding.role,
        "decided_on": iso(holding.decided_on), "until": iso(holding.until), "memorandum": rule.memorandum,
        "article": rule.article, "basis": rule.basis, "valid_from": iso(rule.effective_from), "valid_to": _end(rule),
    }  # fmt: skip


def _passed(one: PassedOver) -> dict[str, str]:
    """One rule that does not apply, in words."""
    holding, rule = one.holding, one.rule
    return {
        "department": rule.department, "measure": rule.measure, "name_zh": rule.name_zh, "list": holding.list_code,
        "document": holding.document, "why": one.why.value, "target": rule.role or rule.target, "basis": rule.basis,
        "valid_from": iso(rule.effective_from), "valid_to": _end(rule),
    }  # fmt: skip


def _end(rule: MeasureRule) -> str:
    return "" if rule.effective_to == OPEN else iso(rule.effective_to)


def _print(
    name: str, found: Explanation, measures: list[dict[str, str]], passed: list[dict[str, str]], without: str,
    lost: tuple[tuple[str, str], ...] | None,
) -> None:  # fmt: skip
    console = open_console()
    console.print(f"[bold]{name}[/]  as of {iso(found.as_of)}, policy {found.policy_version}")
    if lost is not None:
        console.print(f"without {without}: {len(lost)} measures would end 将解除", markup=False)
        for department, measure in lost:
            console.print(f"  {department} {measure}")
    if not measures:
        console.print("no measure in force 无措施")
    else:
        table = Table(
            "measure\n措施",
            "because of\n名单",
            "by\n依据",
            title="in force 现行",
            show_lines=True,
            title_justify="left",
        )
        for column in table.columns:
            column.overflow = "fold"
        for one in measures:
            reach = f"\nof {one['of']} as {one['role']}" if one["role"] else ""
            memorandum = f"\n{one['memorandum']} {one['article']}".rstrip()
            table.add_row(
                f"{one['department']}\n{one['measure']}\n{one['name_zh']}",
                f"{one['list']} {one['document']}\n{one['decided_by']} {one['decided_on']}\nuntil {one['until'] or '—'}{reach}",
                f"{one['basis']}{memorandum}\nfrom {one['valid_from']} to {one['valid_to'] or '—'}",
            )
        show_table(console, table)
    if passed:
        table = Table(
            "measure 措施", "list 名单", "why not 不适用", title="rules that do not apply", title_justify="left"
        )
        for one in passed:
            ended = f" {one['valid_from']} to {one['valid_to'] or '—'}" if one["why"] == "no_basis_in_force" else ""
            table.add_row(f"{one['department']} {one['measure']} {one['name_zh']}", one["list"], one["why"] + ended)
        show_table(console, table)
