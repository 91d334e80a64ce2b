"""Figures: tables of counts for everybody, from the archive and the deadlines. Natural persons are not counted, small counts not shown."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import duckdb

from consumers.deadlines.book import DeadlineBook
from exchange.archive_questions import ask
from exchange.domain.calendar import to_day
from exchange.domain.league import Conduct, rank
from exchange.domain.suppression import LEAST, TOTAL, suppress
from exchange.errors import RequestError

LEAGUE = "league"
YEAR = 365


class Asked(NamedTuple):
    """A table of counts: the archive's question that it is made from, how many days it looks back, and its two titles."""

    question: str
    days: int
    row_zh: str
    row_en: str
    column_zh: str
    column_en: str


FIGURES: Mapping[str, Asked] = {
    "regions": Asked("public_regions", YEAR, "地区", "city", "信息", "records"),
    "trends": Asked("public_trends", 2 * YEAR, "月份", "month", "信息", "records"),
    "lists": Asked("public_lists", YEAR, "名单", "list", "登记类型", "kind of entity"),
}


def count_figure(name: str, archive: duckdb.DuckDBPyConnection, day: date) -> dict[str, Any]:
    """One table of counts as of a day, in JSON's terms; `null` is a count that is not shown.

    Args:
        name: of `FIGURES`.
        archive: open to read.
        day: the last one that is counted.

    Raises:
        RequestError: `unknown_figure`.
    """
    asked = FIGURES.get(name)
    if asked is None:
        raise RequestError(
            f"no figure {name!r}", code="unknown_figure", remedy=f"one of {', '.join((*FIGURES, LEAGUE))}"
        )
    since = day - timedelta(days=asked.days)
    counts = {(row, column): count for row, column, count in ask(archive, asked.question, since=since, until=day).rows}
    rows, columns = (tuple(sorted({cell[place] for cell in counts})) for place in (0, 1))
    table = suppress(rows, columns, counts)
    return {
        "figure": name, "day": day.isoformat(), "since": since.isoformat(), "least": LEAST, "not_shown": table.left_out(),
        "columns": [*columns, "total"],
        "rows": [
            {"row": _named(row)} | {_named(column): table.cells[row, column] for column in table.columns}
            for row in table.rows
        ],
    }  # fmt: skip


def league_figure(book: DeadlineBook, day: date) -> dict[str, Any]:
    """The league table of departments over the year up to a day; it says nothing of any subject."""
    today = to_day(day)
    table = rank(book.conducts(today, today - YEAR))
    return {
        "figure": LEAGUE, "day": day.isoformat(), "since": (day - timedelta(days=YEAR)).isoformat(),
        "columns": ["rank", *_SHARES, *_COUNTS],
        "rows": [{"row": one.conduct.department, "rank": one.rank} | _conduct(one.conduct) for one in table],
    }  # fmt: skip


_SHARES = ("timeliness", "completeness", "correction_rate", "rejection_rate", "cycle_rate")
_COUNTS = ("on_time", "late", "overdue", "accepted", "rejected")


def _named(text: str) -> str:
    return "total" if text == TOTAL else text


def _conduct(one: Conduct) -> dict[str, Any]:
    shares = {name: getattr(one, name) for name in _SHARES}
    return {name: share if share is None else round(share, 4) for name, share in shares.items()} | {
        name: getattr(one, name) for name in _COUNTS
    }
