"""`creditbus risk`: why a firm has its class, what the model says, and the firms that a random inspection draws 信用风险分类."""

import csv
import json
import sys
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.ask import Json, SubjectArgument, find_subject, iso
from deploy.cli.tables import open_console, print_table, show_table
from exchange.catalogue import Catalogue, load_catalogue
from exchange.domain.calendar import day_of, to_day
from exchange.domain.policy import Policy
from exchange.domain.record import split_key
from exchange.domain.risk.assess import Share
from exchange.domain.risk.model import CLASSES, RiskModel, Rules
from exchange.domain.risk.sample import Draw, Member, draw
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from exchange.risk_files import load_risk
from exchange.risk_look_up import Explained, explain_class, frame_of
from exchange.settings import Settings, read_settings
from exchange.store import Store

app = typer.Typer(help="Credit-risk classes of enterprises 企业信用风险分类.", no_args_is_help=True)
AsOf = Annotated[str, typer.Option("--as-of", help="The day asked about, such as 2026-04-01; today by default 日期.")]
_HEADER = ("subject", "class")


@app.callback()
def _risk() -> None:
    """Credit-risk classes of enterprises 企业信用风险分类."""


@app.command()
def explain(subject: SubjectArgument, as_of: AsOf = "", as_json: Json = False) -> None:
    """Why a firm has its class: each indicator's share, from which documents, on what basis 分类依据."""
    settings = read_settings()
    found = find_subject(subject, settings)
    _, policy, model = _policies()
    explained = explain_class(_store(settings), settings.partitions, found, policy, model, _day(as_of))
    if explained is None:
        raise RequestError(
            f"no model of risk classes is in force on {as_of}", code="no_risk_model", remedy="ask about a later day"
        )
    if as_json:
        sys.stdout.write(json.dumps({"subject": found.subject, **explained_row(explained)}, ensure_ascii=False) + "\n")
    else:
        _print(found.subject, explained)


@app.command()
def model(as_of: AsOf = "", as_json: Json = False) -> None:
    """The model on a day: indicators, thresholds and suggested inspection rates 指标、分类界限和抽查比例."""
    rules = _rules(_policies()[2], _day(as_of))
    indicators = [
        {
            "group": one.group, "indicator": one.code, "name_zh": one.name_zh, "name_en": one.name_en, "record": one.record,
            "states": sorted(one.states), "points": one.points / 100, "cap": one.cap / 100, "term_months": one.term_months,
            "basis": one.basis,
        }
        for one in rules.indicators
    ]  # fmt: skip
    classes = [
        {
            "class": letter, "from_points": next((least / 100 for least, of in rules.thresholds if of == letter), 0.0),
            "inspection_percent": rules.rates[letter].share / 100, "basis": rules.rates[letter].basis,
        }
        for letter in CLASSES
    ]  # fmt: skip
    if as_json:
        shown = {"version": rules.version, "method": rules.method.code, "indicators": indicators, "classes": classes}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
        return
    console = open_console()
    console.print(f"{rules.method.code} {rules.version}  {rules.method.department}  {rules.method.basis}")
    for title, rows in (("指标 indicators", indicators), ("类别 classes", classes)):
        print_table(console, title, [{name: _text(value) for name, value in row.items()} for row in rows])


@app.command()
def sample(
    department: Annotated[str, typer.Option("--department", "-d", help="Who inspects, such as gd.amr 检查部门.")],
    seed: Annotated[str, typer.Option(help="Text that decides the draw; best one nobody could choose 随机种子.")],
    division: Annotated[str, typer.Option(help="First digits of the division, such as 4403 行政区划.")] = "",
    frame: Annotated[
        Path | None, typer.Option(help="Also write all who could be drawn, as CSV: with it the draw can be verified.")
    ] = None,
    as_of: AsOf = "",
    as_json: Json = False,
) -> None:
    """Draw firms for a random inspection, by class and region; the same seed and frame give the same firms 双随机抽取."""
    settings = read_settings()
    catalogue, _, risk_model = _policies()
    _demand_reader(catalogue, department)
    day = _day(as_of)
    rules = _rules(risk_model, day)
    members = [
        one.member
        for one in frame_of(_store(settings), settings.partitions, day)
        if one.firm.kind in rules.method.kinds and one.firm.division.startswith(division)
    ]
    if frame is not None:
        write_frame(frame, members)
    drawn = draw(members, {letter: rate.share for letter, rate in rules.rates.items()}, seed)
    answer = {
        "department": department, "division": division, "as_of": iso(day), "seed": seed, "model": rules.version,
        "percent": {letter: rate.share / 100 for letter, rate in sorted(rules.rates.items())}, **drawn_row(drawn),
    }  # fmt: skip
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    console = open_console()
    console.print(f"{department} {division} {iso(day)}  种子 seed {seed}  底册 frame {drawn.frame[:16]}…")
    print_table(console, "抽取 drawn", [{name: str(value) for name, value in row.items()} for row in answer["strata"]])
    for one in drawn.drawn:
        console.print(f"{one.letter}  {one.subject}")


@app.command()
def verify(
    drawn: Annotated[Path, typer.Argument(help="What `risk sample --json` printed.")],
    frame: Annotated[Path, typer.Option(help="The frame that it wrote.")],
    as_json: Json = False,
) -> None:
    """Draw again from the frame and compare; exit code 1 when it is not what was drawn 核验抽取结果."""
    try:
        said = json.loads(drawn.read_text(encoding="utf-8"))
        shares = {letter: round(percent * 100) for letter, percent in said["percent"].items()}
        again = drawn_row(draw(read_frame(frame), shares, said["seed"]))
        differs = sorted(name for name, value in again.items() if said.get(name) != value)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise RequestError(
            f"cannot be read: {error!r}", code="unreadable_sample", remedy="give the files that `risk sample` wrote"
        ) from error
    if as_json:
        sys.stdout.write(json.dumps({"ok": not differs, "differs": differs}, ensure_ascii=False) + "\n")
    else:
        typer.echo(
            "ok 一致: the draw follows from seed and frame" if not differs else f"differs 不一致: {', '.join(differs)}"
        )
    if differs:
        raise typer.Exit(1)


def explained_row(found: Explained) -> dict[str, Any]:
    """A class and its shares, for programs."""
    assessment, published = found.assessment, found.published
    row: dict[str, Any] = {
        "as_of": iso(found.day), "model": found.version, "classed": assessment is not None,
        "published": {"class": published.letter, "points": published.points / 100, "revision": published.revision}
        if published.revision else None,
        "revised_since": list(found.revised),
    }  # fmt: skip
    if assessment is None:
        return row
    return row | {
        "class": assessment.letter,
        "points": assessment.points / 100,
        "inspection_percent": found.rate.share / 100 if found.rate else None,
        "shares": [_share_row(share) for share in assessment.shares],
    }


def _share_row(share: Share) -> dict[str, Any]:
    one = share.indicator
    return {
        "indicator": one.code, "group": one.group, "name_zh": one.name_zh, "name_en": one.name_en, "points": share.points / 100,
        "documents": [f"{split_key(found.key)[1]} {split_key(found.key)[2]}" for found in share.occurrences], "basis": one.basis,
    }  # fmt: skip


def drawn_row(found: Draw) -> dict[str, Any]:
    """A draw, for programs."""
    return {
        "frame": found.frame,
        "strata": [one._asdict() for one in found.strata],
        "drawn": [{"subject": one.subject, "class": one.letter} for one in found.drawn],
    }


def write_frame(path: Path, members: Iterable[Member]) -> None:
    """All who could be drawn, in order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows(sorted(set(members)))


def read_frame(path: Path) -> list[Member]:
    """What `write_frame` wrote.

    Raises:
        ValueError: it is another file.
    """
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    if tuple(header) != _HEADER:
        raise ValueError(f"{path} is no frame")
    return [Member(subject, letter) for subject, letter in rows]


def _print(subject: str, found: Explained) -> None:
    console = open_console()
    assessment = found.assessment
    if assessment is None:
        console.print(f"{subject}: 不属于分类对象 not a firm that is classed, {iso(found.day)}")
        return
    rate = f"，建议抽查比例 inspection rate {found.rate.share / 100:g} %" if found.rate else ""
    console.print(f"[bold]{subject}[/]  {assessment.letter} 类，{assessment.points / 100:.2f} 分 points{rate}")
    table = Table(title=f"分值构成 shares, {iso(found.day)} ({found.version})")
    for name in ("指标 indicator", "分值 points", "文书 documents", "依据 basis"):
        table.add_column(name)
    for share in assessment.shares:
        row = _share_row(share)
        table.add_row(
            f"{row['name_zh']} {row['name_en']}", f"{row['points']:+.2f}", "\n".join(row["documents"]), row["basis"]
        )
    show_table(console, table)
    if found.published.revision:
        console.print(
            f"已发布 published: {found.published.letter}，{found.published.points / 100:.2f} 分，修订 revision {found.published.revision}"
        )
    for key in found.revised:
        console.print(f"此后修订，当日内容不详 revised since, unknown for that day: {key}")


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _policies() -> tuple[Catalogue, Policy, RiskModel]:
    catalogue = load_catalogue(SCHEMAS)
    return catalogue, load_policy(SCHEMAS, catalogue), load_risk(SCHEMAS, catalogue)


def _rules(risk_model: RiskModel, day: int) -> Rules:
    rules = risk_model.on(day)
    if rules is None:
        raise RequestError(
            f"no model of risk classes is in force on {iso(day)}", code="no_risk_model", remedy="ask about a later day"
        )
    return rules


def _store(settings: Settings) -> Store:
    from deploy.local.connect import find_servers

    return Store(connect(find_servers(settings).redis))


def _day(text: str) -> int:
    if not text:
        return day_of(time.time_ns() // 1_000_000)
    try:
        return to_day(date.fromisoformat(text))
    except ValueError as error:
        raise RequestError(f"{text!r} is no day", code="bad_day", remedy="write it as 2026-04-01") from error


def _demand_reader(catalogue: Catalogue, department: str) -> None:
    """Only departments that may see risk classes draw by them."""
    catalogue.demand(department)
    readers = catalogue.read_grant("rating").readers
    if readers is not None and department not in readers:
        raise RequestError(
            f"{department} may not see risk classes",
            code="not_granted",
            remedy="see the catalogue's resource of ratings",
        )
