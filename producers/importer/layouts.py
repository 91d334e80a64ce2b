"""Layouts of departments' files, as data: which columns there are, what they are called, what becomes of them.

One TOML file a layout in `layouts/`. A header cell finds its column by the field code (`CF_WSH`), the code without its
prefix (`WSH`), or a Chinese name, whatever the spacing, width of characters or remark in brackets: of
`行政相对人代码_3（组织机构代码）` the bracket decides, since sources disagree about the numbers.
"""

import dataclasses
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from exchange.errors import RequestError
from exchange.tables import Cell
from producers.importer.cells import UNITS

HEADER_DEPTH = 10
"""A header may stand below titles and notes, within this many rows."""

CODE_ROLES = (
    "uscc",
    "registration_number",
    "organisation_code",
    "tax_registration",
    "institution_certificate",
    "social_organisation_certificate",
)
"""The six codes 行政相对人代码_1 to _6 of the 2018 layouts, in order of preference."""

SUBJECT_ROLES = frozenset({*CODE_ROLES, "any_code", "person_id", "subject_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a layout.

    Attributes:
        code: the field code, such as `CF_WSH`; also its name in reports.
        names: other names that headers use; the first is the official Chinese one.
        field: the record's field it fills, or "".
        role: its part in saying who the subject is (`uscc`, `person_id`, ...) or `state`, `revision`, `ignored`; or "".
        kind: how a cell is read: `yuan`, `choice`, `person`, `officers`, or one of `kinds.READERS`.
        unit: of money columns; a unit in the header's brackets wins.
        required: the file must have the column and each row a value.
        values: for `choice`: what each cell text stands for.
        lenient: a wrong cell is only a warning; the record goes without it.
        stated_in: for money: code of the column whose text may state the same amount.
        states: what that text states: fine or confiscated.
    """

    code: str
    names: tuple[str, ...] = ()
    field: str = ""
    role: str = ""
    kind: str = "text"
    unit: str = "元"
    required: bool = False
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    lenient: bool = False
    stated_in: str = ""
    states: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one kind of file is laid out.

    Attributes:
        prefix: of the field codes, which headers may leave out.
        constants: fields that every row has alike.
        asks: code of the column that a row must fill to say anything; rows that leave it empty are skipped and counted.
        note: rows whose first cell begins so are notes to people.
        steps: a row is a step of its document: without a revision of its own it takes the second of the import.
    """

    name: str
    name_zh: str
    name_en: str
    record_type: str
    prefix: str = ""
    columns: tuple[Column, ...]
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    asks: str = ""
    note: str = ""
    steps: bool = False

    @property
    def has_citizen_ids(self) -> bool:
        """Whether a column may hold one, so that the bus's keys for persons are needed."""
        return any(one.role in ("person_id", "any_code") or one.kind in ("person", "officers") for one in self.columns)


class Place(NamedTuple):
    """Where a file has a column: its position from 0, its title there, and the unit its amounts are in."""

    position: int
    column: Column
    title: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header row matched with a layout.

    Attributes:
        line: of the header in the file.
        width: cells from the first to the last title.
        columns: the columns that the layout knows.
        unknown: titles of the columns that the layout does not know; they are not imported.
        missing: the required columns that the file lacks.
    """

    layout: Layout
    line: int
    width: int
    columns: tuple[Place, ...]
    unknown: tuple[str, ...]
    missing: tuple[Column, ...]

    def find(self, name: str) -> str:
        """The code of the column that people call `name`.

        Raises:
            RequestError: `no_such_column`.
        """
        column = _index(self.layout).get(normalise(name))
        if column is None or column.code not in {place.column.code for place in self.columns}:
            titles = ", ".join(place.title for place in self.columns)
            raise RequestError(f"no column {name!r}", code="no_such_column", remedy=f"the file has {titles}")
        return column.code


def load_layouts() -> dict[str, Layout]:
    """All layouts that are shipped, by name."""
    folder = files("producers.importer").joinpath("layouts")
    found = (parse_layout(entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {layout.name: layout for layout in sorted(found, key=lambda layout: layout.name)}


def parse_layout(text: str) -> Layout:
    """A layout from its TOML text.

    Raises:
        TypeError: the text has a key that layouts do not know.
    """
    data = tomllib.loads(text)
    columns = tuple(
        Column(
            **{
                **column,
                "names": tuple(column.get("names", ())),
                "values": {unicodedata.normalize("NFKC", key): to for key, to in column.get("values", {}).items()},
            }
        )
        for column in data.pop("columns")
    )
    return Layout(**data, columns=columns)


def normalise(title: str) -> str:
    """A header title without what varies: width, case, blanks, a leading `*`, a trailing colon.

    >>> normalise(" *处罚决定日期："), normalise("ｃｆ＿ｗｓｈ")
    ('处罚决定日期', 'CF_WSH')
    """
    return re.sub(r"[\s*]", "", unicodedata.normalize("NFKC", title)).strip(":'").upper()


def _index(layout: Layout) -> dict[str, Column]:
    """Every name of every column, normalised; full names win over codes without prefix."""
    index: dict[str, Column] = {}
    for column in layout.columns:
        for name in (column.code, *column.names):
            index.setdefault(normalise(name), column)
    for column in layout.columns:
        index.setdefault(normalise(column.code.removeprefix(layout.prefix)), column)
    return index


def match_header(layout: Layout, line: int, cells: Sequence[Cell]) -> Header:
    """Find a layout's columns in a header row."""
    index = _index(layout)
    places: list[Place] = []
    width = 0
    unknown: list[str] = []
    for position, cell in enumerate(cells):
        title = normalise(str(cell or ""))
        if not title:
            continue
        width = position + 1
        bracket = re.search(r"\((.+)\)$", title)
        inside = bracket[1] if bracket else ""
        outside = title[: bracket.start()] if bracket else title
        column = index.get(title) or index.get(inside) or index.get(outside)
        unit = inside.removeprefix("单位:")
        if column is None or any(column is place.column for place in places):
            unknown.append(str(cell))
        else:
            places.append(Place(position, column, str(cell).strip(), unit if unit in UNITS else column.unit))
    present = {place.column.code for place in places}
    missing = [column for column in layout.columns if column.required and column.code not in present]
    subjects = [column for column in layout.columns if column.role in SUBJECT_ROLES]
    if subjects and not any(column.code in present for column in subjects):
        missing.append(subjects[0])
    return Header(
        layout=layout, line=line, width=width, columns=tuple(places), unknown=tuple(unknown), missing=tuple(missing)
    )


def find_header(layouts: Mapping[str, Layout], rows: Sequence[tuple[int, Sequence[Cell]]], name: str = "") -> Header:
    """The header among a file's first rows, and its layout.

    Args:
        layouts: to choose from.
        rows: line number and cells of the first rows.
        name: of the layout, when the caller knows it; else the one that knows most of the columns and misses none.

    Raises:
        RequestError: no layout fits (says which columns the nearest one misses), or several fit equally well.
    """
    if name and name not in layouts:
        raise RequestError(f"no format {name!r}", code="unknown_format", remedy=f"formats: {', '.join(layouts)}")
    chosen = [layouts[name]] if name else list(layouts.values())
    headers = [match_header(layout, line, cells) for line, cells in rows[:HEADER_DEPTH] for layout in chosen]
    headers.sort(key=lambda header: (len(header.missing) > 0, len(header.missing) - len(header.columns)))
    if not headers or not headers[0].columns:
        raise RequestError(
            "no known column in the first rows", code="unknown_layout", remedy="see docs/publishing.md for the layouts"
        )
    best = headers[0]
    if best.missing:
        lacking = ", ".join(
            f"{column.code} {column.names[0] if column.names else ''}".strip() for column in best.missing
        )
        raise RequestError(
            f"columns missing for {best.layout.name} ({best.layout.name_zh}): {lacking}",
            code="missing_columns",
            remedy="add the columns, or name another layout with --format",
        )
    rivals = {
        header.layout.name for header in headers if not header.missing and len(header.columns) == len(best.columns)
    }
    if len(rivals) > 1:
        raise RequestError(
            f"the header fits {' and '.join(sorted(rivals))} alike",
            code="ambiguous_layout",
            remedy="choose with --format",
        )
    return best
