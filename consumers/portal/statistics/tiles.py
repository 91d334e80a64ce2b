"""A map without borders: Guangdong's cities as tiles, each about where it lies, shaded by a count in five steps."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

PLACES: Mapping[str, tuple[int, int]] = {
    "440200": (3, 0),
    "441800": (2, 1), "441600": (4, 1), "441400": (5, 1),
    "441200": (1, 2), "440100": (2, 2), "441900": (3, 2), "441300": (4, 2), "445200": (5, 2), "445100": (6, 2),
    "445300": (1, 3), "440600": (2, 3), "442000": (3, 3), "440300": (4, 3), "441500": (5, 3), "440500": (6, 3),
    "440900": (0, 4), "441700": (1, 4), "440700": (2, 4), "440400": (3, 4),
    "440800": (0, 5),
}  # fmt: skip
"""Column and row of each city (GB/T 2260)."""
STEPS = 5


class Tile(NamedTuple):
    """A city's tile with its count (`number`). step: 1 (few) to `STEPS`; 0 where there is nothing, None where the count is not shown."""

    code: str
    name: str
    x: int
    y: int
    number: int | None
    step: int | None


def tiles(counts: Mapping[str, int | None], names: Mapping[str, str]) -> list[Tile]:
    """Every city's tile; shades divide the cities with a count into equal groups.

    Args:
        counts: by city; None where it is not shown, missing where there is none.
        names: of the cities.
    """
    known = sorted(count for code in PLACES if (count := counts.get(code, 0)))
    return [
        Tile(code, names.get(code, code), x, y, count := counts.get(code, 0), _step(count, known))
        for code, (x, y) in PLACES.items()
    ]


def _step(count: int | None, known: Sequence[int]) -> int | None:
    if not count:
        return count
    fewer_or_equal = sum(one <= count for one in known)
    return -(-STEPS * fewer_or_equal // len(known))
