"""No small count of a published table can be worked out: checked by solving its equations exactly, which is another way than the code's."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.suppression import LEAST, TOTAL, Table, suppress

ROWS, COLUMNS = ("a", "b", "c", "d"), ("x", "y", "z")
counts = st.dictionaries(
    st.tuples(st.sampled_from(ROWS), st.sampled_from(COLUMNS)), st.one_of(st.integers(0, 8), st.integers(0, 200)), max_size=12
)  # fmt: skip


def worked_out(table: Table) -> set[tuple[str, str]]:
    """The cells left out that the table's sums determine: by Gauss-Jordan elimination over fractions."""
    unknown = [cell for cell, value in table.cells.items() if value is None]
    lines = [[(row, column) for column in table.columns] for row in table.rows]
    lines += [[(row, column) for row in table.rows] for column in table.columns]
    matrix = [
        [Fraction((cell in line) * (-1 if TOTAL in _ends(cell, line) else 1)) for cell in unknown] for line in lines
    ]  # fmt: skip
    pivots: list[int] = []
    for place in range(len(unknown)):
        rest = [line for line in matrix[len(pivots) :] if line[place]]
        if not rest:
            continue
        line = rest[0]
        matrix.remove(line)
        line = [value / line[place] for value in line]
        matrix = [[v - one[place] * w for v, w in zip(one, line, strict=True)] for one in matrix]
        matrix.insert(len(pivots), line)
        pivots.append(place)
    return {unknown[pivot] for pivot, line in zip(pivots, matrix, strict=False) if sum(map(bool, line)) == 1}


def _ends(cell: tuple[str, str], line: list[tuple[str, str]]) -> tuple[str, ...]:
    """What tells a cell from the others of its line: its column in a row, its row in a column."""
    return (cell[1],) if line[0][0] == line[-1][0] else (cell[0],)


@given(counts)
@settings(max_examples=300, deadline=None)
def test_no_cell_left_out_can_be_worked_out(given: dict[tuple[str, str], int]) -> None:
    table = suppress(ROWS, COLUMNS, given)
    assert not any(value is not None and 0 < value < LEAST for value in table.cells.values())
    assert not worked_out(table)
    for (row, column), value in table.cells.items():
        if value is not None and TOTAL not in (row, column):
            assert value == given.get((row, column), 0), "what is shown is true"


@given(counts.map(lambda found: {cell: count + LEAST for cell, count in found.items()}))
def test_a_table_without_small_counts_is_shown_whole(given: dict[tuple[str, str], int]) -> None:
    assert suppress(ROWS, COLUMNS, given).left_out() == 0


def test_one_small_count_takes_the_least_rectangle_with_it() -> None:
    table = suppress(("a", "b"), ("x", "y"), {("a", "x"): 2, ("a", "y"): 50, ("b", "x"): 60, ("b", "y"): 70})
    assert {cell for cell, value in table.cells.items() if value is None} == {
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
        ("b", "y"),
    }
    assert table.cells[TOTAL, TOTAL] == 182


def test_a_small_total_is_left_out_too() -> None:
    table = suppress(("a",), ("x",), {("a", "x"): 3})
    assert set(table.cells.values()) == {None}
