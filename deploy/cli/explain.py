"""`creditbus policy explain` and `policy simulate`: why a subject has its measures, and what another policy would change."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cli.ask import Json, SubjectArgument, find_subject, iso, today_book
from exchange.domain.explain import Explanation, PassedOver, compare, without_document
from exchange.domain.explain import explain as explain_standing
from exchange.domain.judge import RuleBook, Support, judge
from exchange.domain.policy import OPEN, MeasureRule
from exchange.domain.simulate import Change, Effect, Simulation
from exchange.errors import RequestError
from exchange.settings import read_settings

CHUNK = 500


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
    console = Console()
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
        console.print(table)
    if passed:
        table = Table(
            "measure 措施", "list 名单", "why not 不适用", title="rules that do not apply", title_justify="left"
        )
        for one in passed:
            ended = f" {one['valid_from']} to {one['valid_to'] or '—'}" if one["why"] == "no_basis_in_force" else ""
            table.add_row(f"{one['department']} {one['measure']} {one['name_zh']}", one["list"], one["why"] + ended)
        console.print(table)


def simulate(
    policy: Annotated[Path, typer.Option("--policy", help="Folder with the other policy's files 另一政策目录.")],
    as_json: Json = False,
) -> None:
    """What would change for all subjects if another policy were in force: measures gained and lost 政策模拟."""
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS
    from exchange.policy_files import load_policy
    from exchange.store import Store, connect

    if not policy.is_dir():
        raise RequestError(f"no folder {policy}", code="no_policy", remedy="give a copy of schemas/policy, changed")
    settings = read_settings()
    now = today_book()
    then = RuleBook(load_policy(policy, load_catalogue(SCHEMAS)), now.as_of)
    store = Store(connect(find_servers(settings).redis))
    simulation = Simulation(now, then)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("subjects 主体", total=0)
        for number in range(settings.partitions):
            subjects = list(store.subjects(number))
            bar.update(task, total=(bar.tasks[0].total or 0) + len(subjects))
            for begin in range(0, len(subjects), CHUNK):
                chunk = subjects[begin : begin + CHUNK]
                for subject, entries in zip(chunk, store.entries_of(number, chunk), strict=True):
                    simulation.add(subject, entries)
                bar.advance(task, len(chunk))
        effect = simulation.finish()
    if as_json:
        sys.stdout.write(json.dumps(_flat(effect, now, then), ensure_ascii=False) + "\n")
    else:
        _print_effect(effect, now, then)


def _flat(effect: Effect, now: RuleBook, then: RuleBook) -> dict[str, Any]:
    return {
        "policy": now.policy.version, "other": then.policy.version, "as_of": iso(now.as_of), "subjects": effect.subjects,
        "affected": effect.affected, "measures_before": effect.before, "measures_after": effect.after,
        "gained": [_row(change, count) for change, count in effect.gained.most_common()],
        "lost": [_row(change, count) for change, count in effect.lost.most_common()],
    }  # fmt: skip


def _row(change: Change, count: int) -> dict[str, Any]:
    return {"list": change[0], "department": change[1], "measure": change[2], "subjects": count}


def _print_effect(effect: Effect, now: RuleBook, then: RuleBook) -> None:
    console = Console()
    console.print(
        f"policy {now.policy.version} → {then.policy.version}: {effect.affected:,} of {effect.subjects:,} subjects affected, "
        f"{effect.before:,} measures → {effect.after:,}"
    )
    for title, changes in (("gained 新增", effect.gained), ("lost 减少", effect.lost)):
        if changes:
            table = Table(
                "list 名单", "department 部门", "measure 措施", "subjects 主体", title=title, title_justify="left"
            )
            for change, count in changes.most_common():
                table.add_row(*change, f"{count:,}")
            console.print(table)
