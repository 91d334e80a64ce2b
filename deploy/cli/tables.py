"""Tables of the command line: into a file or a pipe as wide as they are, on a terminal never with an id cut or folded."""

import re
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_FRAME = 3
"""Cells that a column takes beside its text: a blank on each side and a line; the table one line more."""
_NO_TERMINAL = 10_000
"""Cells of a line that nobody looks at on a terminal."""
_FOLDED_FROM = 16
"""Chinese is written without blanks; from so many cells on it may be folded anywhere."""
_CHINESE = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
_ID = re.compile("[!-~]{12,}")
"""In a Chinese word: it stays whole for this part's sake."""
_DOCUMENT, _DOCUMENT_CELLS = re.compile("〔[0-9]{4}〕"), 30
"""The number of a document is whole up to so many cells."""


def open_console() -> Console:
    """Where a command prints to: into a file or a pipe no line is folded."""
    console = Console()
    if not console.is_terminal:
        console.width = _NO_TERMINAL
    return console


def print_table(console: Console, title: str, rows: Sequence[dict[str, str]]) -> None:
    """Print rows as a table; nothing where there are none."""
    if rows:
        table = Table(
            title=title, title_justify="left", show_lines=any("\n" in v for row in rows for v in row.values())
        )
        for name in rows[0]:
            table.add_column(name)
        for row in rows:
            table.add_row(*map(Text, row.values()))  # data is no markup
        show_table(console, table)


def show_table(console: Console, table: Table) -> None:
    """Print a table whole: headers and ids are neither cut nor folded.

    Args:
        console: where to, of `open_console`.
        table: what to print. Where its words do not fit it loses its frame, unless that divides its rows; where they do not fit
            even so, each row becomes lines of header and value.
    """
    columns = [[_plain(console, text) for text in (column.header, *column.cells)] for column in table.columns]
    wanted = [max(cell_len(line) for text in texts for line in text.splitlines() or [""]) for texts in columns]
    least = [max(map(_longest_word, texts)) for texts in columns]
    room = console.width - _FRAME * len(columns) - 1
    if sum(least) > room and not table.show_lines:
        room = console.width - len(columns)
        table.box, table.padding = None, (0, 1, 0, 0)
    if sum(least) > room:
        _print_as_lines(console, table, columns)
        return
    for column, width in zip(table.columns, _widths(least, wanted, room), strict=True):
        column.width, column.overflow = width, "fold"
    console.print(table)


def _plain(console: Console, cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else console.render_str(str(cell)).plain


def _longest_word(text: str) -> int:
    """Cells of the longest word, as far as it must stay whole."""
    return max(map(_least_cells, text.split()), default=0)


def _least_cells(word: str) -> int:
    if not _CHINESE.search(word) or _ID.search(word):
        return cell_len(word)
    return min(cell_len(word), _DOCUMENT_CELLS if _DOCUMENT.search(word) else _FOLDED_FROM)


def _widths(least: list[int], wanted: list[int], room: int) -> list[int]:
    """A width for each column: what it wants, or of the room that is left a share by what it lacks."""
    lacking, left = sum(wanted) - sum(least), room - sum(least)
    if lacking <= left:
        return wanted
    return [at_least + (want - at_least) * left // lacking for at_least, want in zip(least, wanted, strict=True)]


def _print_as_lines(console: Console, table: Table, columns: list[list[str]]) -> None:
    """Each row as lines of header and value, with a rule between rows."""
    lines = Table(title=table.title, title_justify="left", box=box.HORIZONTALS, show_header=False, pad_edge=False)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for row in zip(*(texts[1:] for texts in columns), strict=True):
        for number, (texts, value) in enumerate(zip(columns, row, strict=True), 1):
            lines.add_row(Text(" ".join(texts[0].split())), Text(value), end_section=number == len(columns))
    console.print(lines)
