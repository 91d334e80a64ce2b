"""Suppression: a table of counts in which no small count can be read or worked out, for everybody to see.

A cell from 1 to `LEAST` - 1 is left out (primary suppression). Since rows and columns come with their totals, others are left out too
until none can be worked out by subtracting (secondary suppression). In a table with totals a cell that was left out can be worked out
exactly when it is a bridge of the graph that has rows and columns as nodes and the cells that were left out as edges (Gusfield,
"A graph theoretic approach to statistical data security", SIAM J. Comput. 17, 1988); so edges are added until there is no bridge.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEAST = 5
"""The least count that is shown, 0 aside."""
TOTAL = ""
"""Names the row and the column of totals."""

Cell = tuple[str, str]
"""Row and column."""
Node = tuple[int, str]
"""0 and a row, or 1 and a column."""


class Table(NamedTuple):
    """Counts by row and column, totals included; None where one is left out."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[Cell, int | None]

    def left_out(self) -> int:
        """How many cells are."""
        return sum(value is None for value in self.cells.values())


def suppress(rows: Sequence[str], columns: Sequence[str], counts: Mapping[Cell, int]) -> Table:
    """A table that may be shown.

    Args:
        rows: their names, without the total.
        columns: likewise.
        counts: the inner cells; one that is missing is 0.
    """
    whole = _with_totals(rows, columns, counts)
    hidden = {cell for cell, count in whole.items() if 0 < count < LEAST}
    while (bridge := _bridge(hidden)) is not None:
        hidden.add(_partner(bridge, hidden, whole))
    cells = {cell: None if cell in hidden else count for cell, count in whole.items()}
    return Table((*rows, TOTAL), (*columns, TOTAL), cells)


def _with_totals(rows: Sequence[str], columns: Sequence[str], counts: Mapping[Cell, int]) -> dict[Cell, int]:
    whole = {(row, column): counts.get((row, column), 0) for row in rows for column in columns}
    for row in rows:
        whole[row, TOTAL] = sum(whole[row, column] for column in columns)
    for column in (*columns, TOTAL):
        whole[TOTAL, column] = sum(whole[row, column] for row in rows)
    return whole


def _neighbours(hidden: set[Cell]) -> dict[Node, set[Node]]:
    found: dict[Node, set[Node]] = {}
    for row, column in hidden:
        found.setdefault((0, row), set()).add((1, column))
        found.setdefault((1, column), set()).add((0, row))
    return found


def _bridge(hidden: set[Cell]) -> Cell | None:
    """The first hidden cell that can be worked out: an edge whose ends are joined by no other way."""
    neighbours = _neighbours(hidden)
    return next(
        (cell for cell in sorted(hidden) if (1, cell[1]) not in _reached((0, cell[0]), neighbours, without=cell)), None
    )


def _reached(start: Node, neighbours: Mapping[Node, set[Node]], *, without: Cell) -> set[Node]:
    """The nodes joined to one, not by way of an edge."""
    ends = {(0, without[0]), (1, without[1])}
    seen, waiting = {start}, [start]
    while waiting:
        one = waiting.pop()
        for other in neighbours.get(one, ()):
            if other not in seen and {one, other} != ends:
                seen.add(other)
                waiting.append(other)
    return seen


def _partner(bridge: Cell, hidden: set[Cell], whole: Mapping[Cell, int]) -> Cell:
    """The cell to hide beside: it leads from one side of the bridge to the other or on from it; the least count, inner cells first."""
    neighbours = _neighbours(hidden)
    side = _reached((0, bridge[0]), neighbours, without=bridge)
    other = _reached((1, bridge[1]), neighbours, without=bridge)

    def cost(cell: Cell) -> tuple[bool, bool, bool, int, Cell]:
        closes = ((0, cell[0]) in side) != ((1, cell[1]) in side) and ((0, cell[0]) in other) != ((1, cell[1]) in other)
        return not closes, TOTAL in cell, whole[cell] == 0, whole[cell], cell

    touching = [
        cell for cell in whole if cell not in hidden and ((0, cell[0]) in side | other or (1, cell[1]) in side | other)
    ]
    return min(touching, key=cost)
