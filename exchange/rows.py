"""Rows: the TOML files of catalogue and policy, read field by field; every problem is collected, none stops the reading.

A row is one `[[table]]` of a file. Each reader notes what is wrong with its field and gives a harmless value back, so that one
look finds all problems, each with file, line, row, field, value and the rule it breaks.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from exchange.domain.calendar import to_day
from exchange.domain.policy import OPEN
from exchange.errors import FatalError

CONFIDENCES = ("H", "M", "L")
_HEADER = re.compile(r"^\s*\[\[\s*([A-Za-z_.]+)\s*\]\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a data file: stable code, where it is, and the rule it breaks."""

    code: str
    file: str
    line: int
    row: str
    field: str
    value: str
    rule: str

    def text(self) -> str:
        """The problem in one line, as `policy check` prints it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.field}={self.value!r}" if self.field else self.value
        return f"{place} [{self.code}] {self.row}: {what} - {self.rule}"


class DataError(FatalError):
    """Files of the catalogue or the policy are wrong; `problems` are all that were found."""

    code = "bad_data_files"
    remedy = "`creditbus policy check --schemas FOLDER` names every problem of that folder's files"

    def __init__(self, problems: Collection[Problem]) -> None:
        first = next(iter(problems))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.text() + more)
        self.problems = tuple(problems)


@dataclass(slots=True)
class Row:
    """One row; reading a field marks it as known, `close` reports the rest.

    Attributes:
        file: name of the file.
        table: name of its table, such as `list.term`.
        line: where it begins.
        values: as TOML gave them.
        problems: where to report; shared by all rows of a reading.
        name: how reports call it; set from the row's own code as soon as that is read.
    """

    file: str
    table: str
    line: int
    values: dict[str, Any]
    problems: list[Problem]
    name: str = ""
    children: dict[str, list["Row"]] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)

    def report(self, code: str, name: str, value: object, rule: str) -> None:
        """Note a problem of one field."""
        row = f"{self.table} {self.name}".strip()
        self.problems.append(
            Problem(code=code, file=self.file, line=self.line, row=row, field=name, value=str(value)[:200], rule=rule)
        )

    def text(self, name: str, *, default: str | None = None, pattern: str = "") -> str:
        """A text; required when there is no default."""
        value = self._take(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            if value is not None:
                self.report("bad_value", name, value, "is a text that is not empty")
            return default or ""
        if value and pattern and not re.fullmatch(pattern, value):
            self.report("bad_value", name, value, f"matches {pattern}")
        return value

    def choice(self, name: str, allowed: Collection[str], *, default: str | None = None) -> str:
        """One of several words."""
        value = self.text(name, default=default)
        if value and value not in allowed:
            self.report("bad_value", name, value, f"is one of {', '.join(sorted(allowed))}")
        return value

    def texts(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts without repetitions, in their order."""
        value = self._take(name, None if required else [])
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.report("bad_value", name, value, "is a list of texts")
            return ()
        if required and not value:
            self.report("missing", name, "", "names at least one")
        if len(set(value)) < len(value):
            self.report("duplicate", name, value, "names each once")
        return tuple(dict.fromkeys(value))

    def number(self, name: str, *, default: int | None = None, least: int = 0) -> int:
        """A whole number, not below `least`."""
        value = self._take(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            if value is not None:
                self.report("bad_value", name, value, f"is a whole number from {least}")
            return least
        return value

    def flag(self, name: str) -> bool:
        """True or false; false when absent."""
        value = self._take(name, default=False)
        if not isinstance(value, bool):
            self.report("bad_value", name, value, "is true or false")
        return value is True

    def day(self, name: str, *, default: int | None = None) -> int:
        """A date, as days since 1970-01-01."""
        value = self._take(name, default)
        if type(value) is date:  # a moment is a date too, but not a day
            return to_day(value)
        if value is not None and value is not default:
            self.report("bad_value", name, value, "is a date such as 2016-06-24, without quotes")
        return default or 0

    def validity(self) -> tuple[int, int]:
        """`effective_from` and `effective_to` (exclusive, open when absent); the second must come after the first."""
        start, end = self.day("effective_from"), self.day("effective_to", default=OPEN)
        if end <= start:
            self.report("bad_dates", "effective_to", self.values["effective_to"], "comes after effective_from")
        return start, end

    def confidence(self) -> str:
        """How sure the row is: H (the default), M or L."""
        return self.choice("confidence", CONFIDENCES, default="H")

    def rows(self, table: str) -> list["Row"]:
        """The rows of a table within this row."""
        self._read.add(table)
        return self.children.get(table, [])

    def close(self) -> None:
        """Report fields that nobody read."""
        for name in self.values.keys() - self._read:
            self.report("unknown_field", name, self.values[name], "is no field of this table")

    def _take(self, name: str, default: object) -> Any:  # what TOML gave; the readers narrow it
        self._read.add(name)
        if name not in self.values and default is None:
            self.report("missing", name, "", "is required")
        return self.values.get(name, default)


def read_rows(path: Path, tables: Iterable[str], problems: list[Problem]) -> dict[str, list[Row]]:
    """The rows of a file by table; a file that cannot be read, or a table that is not known, is a problem.

    Args:
        path: a TOML file of `[[table]]` rows.
        tables: the tables it may have.
        problems: where to report.
    """
    found: dict[str, list[Row]] = {table: [] for table in tables}

    def report(code: str, value: str, rule: str, line: int = 0) -> None:
        problems.append(Problem(code=code, file=path.name, line=line, row="file", field="", value=value, rule=rule))

    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        report("unreadable", str(error.strerror), "is there and can be read")
        return found
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        report("not_toml", str(error), "is TOML 1.0 in UTF-8")
        return found
    lines = _header_lines(text)
    for table, values in document.items():
        if table not in found or not isinstance(values, list):
            report("unknown_table", table, f"the tables of this file are {', '.join(found)}")
            continue
        found[table] = [_row(path.name, table, one, lines, problems) for one in values]
    return found


def _header_lines(text: str) -> dict[str, Iterator[int]]:
    """The line of each table header, in order, by name."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            found.setdefault(header[1], []).append(number)
    return {name: iter(numbers) for name, numbers in found.items()}


def _row(
    file: str,
    table: str,
    values: dict[str, Any],
    lines: dict[str, Iterator[int]],
    problems: list[Problem],
    above: int = 0,
) -> Row:
    row = Row(file, table, next(lines.get(table, iter(())), above), values, problems)
    for name, value in values.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            row.children[name] = [_row(file, f"{table}.{name}", one, lines, problems, row.line) for one in value]
    return row
