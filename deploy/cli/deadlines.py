"""`creditbus deadlines` and `creditbus league`: decisions by their term of disclosure, and departments ranked by how they publish."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consumers.deadlines.book import Cycle, Disclosures, Open
from deploy.cli.ask import Json, iso
from deploy.cli.tables import open_console, show_table
from exchange.catalogue import Catalogue
from exchange.catalogue_resources import UPDATE_CYCLES
from exchange.domain.league import LEAST_DECISIONS, Conduct, Ranked
from exchange.domain.timeliness import Timing
from exchange.settings import read_settings

YEAR_DAYS = 365
_WORDS = {
    Timing.ON_TIME: "on time\n按期", Timing.LATE: "late\n逾期", Timing.PENDING: "pending\n未到期",
    Timing.DUE_SOON: "due soon\n临期", Timing.OVERDUE: "overdue\n超期未公示",
}  # fmt: skip

Since = Annotated[str, typer.Option("--since", help="From this day on; a year ago by default 起始日期.")]
Department = Annotated[str, typer.Option("--department", "-d", help="Only this department 部门.")]


def deadlines(department: Department = "", since: Since = "", as_json: Json = False) -> None:
    """Licences and penalties by their term of disclosure (7 working days), and what is known and not public yet 公示时限.

    Fed by `creditbus run deadlines`. A term that reaches into a year whose working days the State Council has not set yet is provisional.
    """
    from consumers.deadlines.run import open_book

    catalogue, today, begin = _when(since, department)
    book = open_book(read_settings())
    found, waiting = book.disclosures(today, begin, department), book.open_decisions(today, department)
    paces = [one for one in book.cycles(today, begin) if department in ("", one.department) and _says_something(one)]
    if as_json:
        _print_json(
            as_of=iso(today), since=iso(begin),
            resources=[_resource(one) for one in found], open=[_open(one) for one in waiting], cycles=[_cycle(one) for one in paces],
        )  # fmt: skip
        return
    console = open_console()
    _print_resources(console, found, f"Disclosure 公示时限 since {iso(begin)}")
    if waiting:
        _print_open(console, waiting, catalogue, today)
    _print_cycles(console, paces)


def league(since: Since = "", as_json: Json = False) -> None:
    """Departments ranked by how timely, complete and correct what they publish is 数据质量排名."""
    from consumers.deadlines.run import open_book
    from exchange.domain.league import rank

    _, today, begin = _when(since, "")
    table = rank(open_book(read_settings()).conducts(today, begin))
    if as_json:
        _print_json(as_of=iso(today), since=iso(begin), departments=[_place(one) for one in table])
        return
    shown = Table(title=f"League table 数据质量排名 {iso(begin)} – {iso(today)}", title_justify="left")
    for name in ("rank\n名次", "department\n部门", "timely\n按期率", "complete\n完整率", "fixed\n更正率", "refused\n退回率",
                 "cycles\n周期", "late\n逾期", "overdue\n未公示", "records\n条数"):  # fmt: skip
        shown.add_column(name, justify="left" if name.startswith("dep") else "right")
    for place in table:
        one = place.conduct
        shown.add_row(
            str(place.rank or "—"), one.department, _percent(one.timeliness), _percent(one.completeness), _percent(one.correction_rate),
            _percent(one.rejection_rate), f"{one.cycles_kept}/{one.cycles}", f"{one.late:,}", f"{one.overdue:,}", f"{one.accepted:,}",
        )  # fmt: skip
    show_table(open_console(), shown)
    typer.echo(
        f"no rank with fewer than {LEAST_DECISIONS} decisions that have a term 决定不足 {LEAST_DECISIONS} 件不排名"
    )


def _when(since: str, department: str) -> tuple[Catalogue, int, int]:
    from deploy.cli.policy import read_day
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS

    catalogue, today = load_catalogue(SCHEMAS), read_day("")
    if department:
        catalogue.demand(department)
    return catalogue, today, read_day(since) if since else today - YEAR_DAYS


def _says_something(one: Cycle) -> bool:
    return one.pace.since is not None or one.pace.promised is not None


def _resource(one: Disclosures) -> dict[str, Any]:
    return {"department": one.department, "record_type": one.record_type} | {
        timing.value: one.counts.get(timing, 0) for timing in Timing
    }


def _open(one: Open) -> dict[str, Any]:
    claim = one.claim
    return {
        "department": claim.department, "record_type": claim.record_type, "document": claim.document, "timing": one.timing.value,
        "decided_on": iso(claim.decided_on), "decided_on_is_exact": bool(claim.exact), "due_by": iso(one.due.by),
        "provisional": one.due.provisional, "known_by": claim.why, "seen_on": iso(claim.seen_on), "basis": one.due.basis,
    }  # fmt: skip


def _cycle(one: Cycle) -> dict[str, Any]:
    return {
        "department": one.department, "record_type": one.record_type, "update_cycle": one.update_cycle,
        "promised_days": one.pace.promised, "typical_days": one.pace.typical, "longest_days": one.pace.longest,
        "days_since_newest": one.pace.since, "late": one.pace.is_late,
    }  # fmt: skip


def _place(one: Ranked) -> dict[str, Any]:
    conduct: Conduct = one.conduct
    shares = {
        name: getattr(conduct, name)
        for name in ("timeliness", "completeness", "correction_rate", "rejection_rate", "cycle_rate")
    }
    return {"rank": one.rank} | conduct._asdict() | {name: share and round(share, 4) for name, share in shares.items()}


def _print_resources(console: Console, found: list[Disclosures], title: str) -> None:
    table = Table("department 部门", "resource\n资源", title=title, title_justify="left")
    for timing in Timing:
        table.add_column(_WORDS[timing], justify="right")
    table.add_column("timely\n按期率", justify="right")
    for one in found:
        late = one.counts.get(Timing.LATE, 0) + one.counts.get(Timing.OVERDUE, 0)
        kept = one.counts.get(Timing.ON_TIME, 0)
        table.add_row(
            one.department, one.record_type,
            *(f"{one.counts.get(timing, 0):,}" for timing in Timing), _percent(kept / (kept + late) if kept + late else None),
        )  # fmt: skip
    show_table(console, table)


def _print_open(console: Console, waiting: list[Open], catalogue: Catalogue, today: int) -> None:
    table = Table("by 截止", "department 部门", "document 文书", "decided 决定", "how", "known by 由何得知",
                  title="Known and not public 已知未公示", title_justify="left")  # fmt: skip
    for one in waiting:
        claim = one.claim
        table.add_row(
            iso(one.due.by) + ("\nprovisional 暂定" if one.due.provisional else ""),
            f"{claim.department}\n{catalogue.name_of(claim.department, today)}", f"{claim.record_type}\n{claim.document}",
            iso(claim.decided_on) if claim.exact else f"by {iso(claim.decided_on)}", _WORDS[one.timing], claim.why,
        )  # fmt: skip
    show_table(console, table)


def _print_cycles(console: Console, paces: list[Cycle]) -> None:
    table = Table("department 部门", "resource\n资源", "promised\n承诺周期", "typical gap\n通常间隔", "longest gap\n最长间隔",
                  "newest\n最近", "", title="Update cycles 更新周期 (days 天)", title_justify="left")  # fmt: skip
    for one in paces:
        pace = one.pace
        if pace.since is None:
            continue
        table.add_row(
            one.department, one.record_type, " ".join(UPDATE_CYCLES[one.update_cycle]),
            _days(pace.typical), _days(pace.longest), _days(pace.since), "late 超过周期" if pace.is_late else "",
        )  # fmt: skip
    show_table(console, table)


def _days(days: int | None) -> str:
    return "—" if days is None else f"{days:,}"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f}%"


def _print_json(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
