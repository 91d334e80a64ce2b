"""`creditbus policy simulate`: how many subjects, measures and departments another policy would change, before it is enacted."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cli.ask import Json, iso
from deploy.cli.tables import open_console, show_table
from exchange.catalogue import Catalogue
from exchange.domain.effect import Change, Effect, Kind
from exchange.domain.policy import Policy
from exchange.domain.simulate import PERSONS
from exchange.errors import RequestError
from exchange.settings import read_settings

ROWS = 40
"""Rows of the longest table that people are shown; --json has all."""
_NUMBERS = ("affected 主体", "gained 新增", "lost 减少", "restated 变更", "subjects 主体")
"""Columns of numbers."""


def simulate(
    new_policy: Annotated[
        Path, typer.Argument(help="Folder of the other policy's files: a copy of schemas/policy, changed 另一政策目录.")
    ],
    as_of: Annotated[
        str, typer.Option("--as-of", help="The day it would be enacted, such as 2027-01-01; today by default 生效日期.")
    ] = "",
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that share the work 进程数.", show_default="the cores")
    ] = os.cpu_count() or 1,
    as_json: Json = False,
) -> None:
    """What would change for all subjects if another policy were in force: by list, region, department and measure 政策模拟.

    Reads the standings as they are, beside the running bus, and changes nothing.
    """
    from consumers.simulation.run import Question, judged_by
    from consumers.simulation.run import simulate as run
    from deploy.cli.policy import read_day
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS
    from exchange.policy_files import load_policy

    catalogue = load_catalogue(SCHEMAS)
    now, then = load_policy(SCHEMAS, catalogue), read_new_policy(new_policy, catalogue)
    settings = read_settings()
    redis = find_servers(settings).redis
    other = judged_by(redis, settings.partitions) - {now.version}
    if other:
        line = f"note: the bus judges by policy {' '.join(sorted(other))}, compared is {now.version}, which is installed here"
        typer.echo(line, err=True)
    day = read_day(as_of)
    question = Question(redis=redis, partitions=settings.partitions, now=now, then=then, as_of=day)
    columns = (SpinnerColumn(), TextColumn("standings 信用状况 {task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        effect = run(question, workers, lambda count: bar.update(task, completed=count))
    if as_json:
        facts = {"policy": now.version, "other": then.version, "as_of": iso(day), **flat(effect)}
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    else:
        _print(effect, Names(catalogue, now, then, day), f"policy {now.version} → {then.version} on {iso(day)}")


def read_new_policy(folder: Path, catalogue: Catalogue) -> Policy:
    """The other policy, by the present catalogue.

    Raises:
        RequestError: `no_policy`.
        DataError: what `policy check` would refuse.
    """
    from exchange.policy_files import load_policy

    if not folder.is_dir():
        raise RequestError(f"no folder {folder}", code="no_policy", remedy="give a copy of schemas/policy, changed")
    return load_policy(folder, catalogue)


def flat(effect: Effect) -> dict[str, Any]:
    """The effect for programs: totals, and one row for each list, region, department and measure."""
    kinds = Counter[Kind]()
    for change, count in effect.changes.items():
        kinds[change.kind] += count
    return {
        "subjects": effect.subjects, "affected": effect.affected, "notices": effect.notices,
        "measures_before": effect.before, "measures_after": effect.after,
        "consortia_gained": effect.consortia_gained, "consortia_lost": effect.consortia_lost,
        "lists": _affected("list", effect.by_list), "regions": _affected("region", effect.by_region),
        "departments": _affected("department", effect.by_department),
        "lists_by_region": [
            {"list": code, "region": region, "affected": count}
            for (code, region), count in sorted(effect.by_place.items())
        ],
        "changes": [
            {
                "kind": change.kind.value, "list": change.list_code, "region": change.region, "department": change.department,
                "measure": change.measure, "subjects": count,
            }
            for change, count in sorted(effect.changes.items())
        ],
        "examples": [
            {"list": code, "subject": one.subject, "region": one.region, "changes": list(one.changes)}
            for code, examples in sorted(effect.examples.items())
            for one in examples
        ],
    }  # fmt: skip


def _affected(name: str, counts: Counter[str]) -> list[dict[str, Any]]:
    return [{name: key, "affected": count} for key, count in counts.most_common()]


class Names:
    """What lists, regions, departments and measures are called."""

    def __init__(self, catalogue: Catalogue, now: Policy, then: Policy, day: int) -> None:
        self._catalogue = catalogue
        self._day = day
        self._lists = {code: one.name_zh for p in (now, then) for code, one in p.lists.items()}
        self._measures = {
            one.measure: one.name_zh for p in (now, then) for rules in p.rules_by_list.values() for one in rules
        }

    def listed(self, code: str) -> str:
        """A list."""
        return f"{code} {self._lists.get(code, '')}".strip()

    def region(self, code: str) -> str:
        """A city, or what stands for none."""
        if code == PERSONS:
            return "个人 persons"
        found = self._catalogue.region(code, self._day) if code else None
        return f"{code} {found.name_zh if found else ''}".strip() or "不明 not known"

    def department(self, slug: str) -> str:
        """A department."""
        return f"{slug} {self._catalogue.name_of(slug, self._day)}"

    def measure(self, code: str) -> str:
        """A measure."""
        return f"{code} {self._measures.get(code, '')}".strip()


def _print(effect: Effect, names: Names, title: str) -> None:
    console = open_console()
    console.print(
        f"{title}: {effect.affected:,} of {effect.subjects:,} subjects affected 受影响主体, {effect.before:,} measures → "
        f"{effect.after:,}, {effect.notices:,} notices 通知 to {len(effect.by_department)} departments"
    )
    if effect.consortia_gained or effect.consortia_lost:
        console.print(
            f"consortia 联合体: with {effect.consortia_gained:,} subjects their consortia would newly be limited, with "
            f"{effect.consortia_lost:,} no longer"
        )
    if not effect.affected:
        return
    counted = list(effect.changes.items())
    lists = _grid("list 名单", effect.by_list, counted, lambda one: one.list_code, names.listed)
    _show(console, "By list 按名单", lists)
    _show(
        console,
        "By region 按地区",
        _grid("region 地区", effect.by_region, counted, lambda one: one.region, names.region),
    )
    departments = _grid("department 部门", effect.by_department, counted, lambda one: one.department, names.department)
    _show(console, "By department 按部门", departments)
    places = [
        {"list 名单": names.listed(code), "region 地区": names.region(region), "affected 主体": f"{count:,}"}
        for (code, region), count in effect.by_place.most_common()
    ]
    _show(console, "By list and region 按名单和地区", places)
    measures: Counter[tuple[Kind, str, str, str]] = Counter()
    for one, count in counted:
        measures[one.kind, one.list_code, one.department, one.measure] += count
    _show(console, "By measure 按措施", [
        {"": kind, "list 名单": code, "department 部门": department, "measure 措施": names.measure(measure), "subjects 主体": f"{count:,}"}
        for (kind, code, department, measure), count in measures.most_common()
    ])  # fmt: skip
    _show(console, "For example 举例", [
        {"list 名单": code, "subject 主体": one.subject, "region 地区": names.region(one.region), "what 变化": _first(one.changes)}
        for code, examples in sorted(effect.examples.items()) for one in examples
    ])  # fmt: skip


def _first(texts: tuple[str, ...]) -> str:
    return "\n".join(texts[:3]) + (f"\n… {len(texts) - 3} more" if len(texts) > 3 else "")  # three lines


def _grid(
    title: str, affected: Counter[str], changes: Iterable[tuple[Change, int]], key: Any, name: Any
) -> list[dict[str, str]]:
    """A row for each key: subjects affected, and measures gained, lost and restated."""
    kinds: Counter[tuple[str, Kind]] = Counter()
    for change, count in changes:
        kinds[key(change), change.kind] += count
    return [
        {
            title: name(code), "affected 主体": f"{count:,}", "gained 新增": f"{kinds[code, Kind.GAINED]:,}",
            "lost 减少": f"{kinds[code, Kind.LOST]:,}", "restated 变更": f"{kinds[code, Kind.RESTATED]:,}",
        }
        for code, count in affected.most_common()
    ]  # fmt: skip


def _show(console: Console, title: str, rows: list[dict[str, str]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for row in rows[:ROWS]:
        table.add_row(*row.values())
    show_table(console, table)
    if len(rows) > ROWS:
        console.print(f"… {len(rows) - ROWS} more rows: --json has all")
