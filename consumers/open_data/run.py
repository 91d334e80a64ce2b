"""Composition of a release: settings in, a folder for a day out; and where readers find the releases."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from consumers.deadlines.run import open_book
from consumers.directory.run import open_directory
from consumers.disclosure.shelf import Shelf
from consumers.open_data.datasets import DATASETS, columns_of, rows_of
from consumers.open_data.figures import FIGURES, LEAGUE, count_figure, league_figure
from consumers.open_data.files import read_checksums
from consumers.open_data.release import FIGURE, Figure, Released, Rows, days_of, release
from exchange.archive_questions import questions
from exchange.archive_tables import open_archive
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.domain.calendar import to_day
from exchange.domain.judge import RuleBook
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store

LEAGUE_TITLES = (
    "公开统计：各部门公示时效与数据质量",
    "Open figures: departments by timeliness and quality of what they publish",
)


def releases_folder(settings: Settings) -> Path:
    """Where the releases of a bus lie."""
    given = settings.open_data_folder
    return Path(given) if given else settings.home / "data" / "open-data" / settings.topic_prefix


@contextmanager
def open_rows(settings: Settings, redis: str, day: date) -> Iterator[list[Rows]]:
    """The tables of rows: what the public may see on a day, by the directory and the standings.

    Raises:
        RequestError: `directory_absent`.
    """
    catalogue, codec = load_catalogue(SCHEMAS), open_codec(settings, SCHEMAS)
    book = RuleBook(load_policy(SCHEMAS, catalogue), to_day(day))
    with closing(open_directory(settings)) as directory:
        shelf = Shelf(directory, Store(connect(redis)), settings.partitions, codec, catalogue)
        resources = {one.record_type: one for one in catalogue.resources if one.opening != "closed"}
        yield [
            Rows(
                one.name, resources[one.record_type].name_zh, resources[one.record_type].name_en,
                columns_of(one, codec.contracts, catalogue), partial(rows_of, one, shelf, book),
            )
            for one in DATASETS
            if one.record_type in resources
        ]  # fmt: skip


def read_figure(settings: Settings, name: str, day: date) -> Figure:
    """One figure as of a day.

    Raises:
        RequestError: `unknown_figure`, `archive_absent`, `deadlines_absent`.
    """
    if name == LEAGUE:
        return Figure(name, *LEAGUE_TITLES, league_figure(open_book(settings), day))
    if name not in FIGURES:
        raise RequestError(
            f"no figure {name!r}", code="unknown_figure", remedy=f"one of {', '.join((*FIGURES, LEAGUE))}"
        )
    question = questions()[FIGURES[name].question]
    with closing(open_archive(settings)) as archive:
        return Figure(name, question.zh, question.en, count_figure(name, archive, day))


def read_figures(settings: Settings, day: date) -> tuple[list[Figure], list[str]]:
    """Every figure that can be made, and the codes of what is missing for the others."""
    found: list[Figure] = []
    missing: list[str] = []
    for name in (*FIGURES, LEAGUE):
        try:
            found.append(read_figure(settings, name, day))
        except RequestError as error:
            if error.code not in ("archive_absent", "deadlines_absent"):
                raise
            missing.append(error.code)
    return found, sorted(set(missing))


def make_release(
    settings: Settings, redis: str, day: date, today: date, on_step: Callable[[str], None] = lambda _: None
) -> tuple[Released, list[str]]:
    """Make a day's release; and the codes of what is missing for some figures.

    Of a day that has passed only the figures are made: what was public then may not be today.

    Raises:
        RequestError: `future_day`, `directory_absent`.
        FatalError: `release_failed`.
    """
    if day > today:
        raise RequestError(f"{day} is yet to come", code="future_day", remedy="give today or an earlier day")
    figures, missing = read_figures(settings, day)
    folder = releases_folder(settings)
    if day < today:
        return release(folder, day, [], figures, on_step), missing
    with open_rows(settings, redis, day) as tables:
        return release(folder, day, tables, figures, on_step), missing


def newest_figures(folder: Path) -> tuple[str, dict[str, Any]]:
    """The day of the newest release and its figures by name; "" and none where there is no release."""
    for day in days_of(folder):
        with suppress(OSError, ValueError):
            paths = sorted((folder / day).glob(f"{FIGURE}*.json"))
            return day, {path.stem.removeprefix(FIGURE): json.loads(path.read_text("utf-8")) for path in paths}
    return "", {}


def newest_files(folder: Path) -> dict[str, list[str]]:
    """Record type to its files in the newest release, as addresses below the portal's own."""
    for day in days_of(folder)[:1]:
        names = sorted(read_checksums(folder / day))
        return {
            one.record_type: [
                f"disclosure/open-data/{day}/{name}" for name in names if name.partition(".")[0] == one.name
            ]
            for one in DATASETS
        }
    return {}
