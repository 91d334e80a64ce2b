"""Naming: how names are compared and cut, so that part of one finds it.

A name is cut into pieces of two and of three characters, in order; a text is found where its pieces follow one another. Pieces of
two serve texts of two characters, pieces of three longer ones. Marks at the beginning and the end make whole and first parts
findable alike. The marks are of Unicode's private use, which no normalised text contains.
"""

import unicodedata
from collections.abc import Collection
from typing import NamedTuple

SHORTEST = 2
"""Characters that a text to be found must have."""
SHORTEST_CODE = 6
"""Characters of a code's beginning that find by code: fewer are no code's, but part of a name."""
LONGEST = 64
"""Characters of a text that are looked at; no name is longer."""
_SIZES = (2, 3)
_BEGIN, _END, _FACET = "\ue000", "\ue001", "\ue002"


class Wanted(NamedTuple):
    """The pieces, in order, of names that are the text, that begin with it, and that contain it."""

    whole: tuple[str, ...]
    beginning: tuple[str, ...]
    part: tuple[str, ...]


def normalise_name(text: str) -> str:
    """A name without what people write differently: width, case, blanks and punctuation.

    >>> normalise_name("ＡＢＣ科技（深圳） 有限公司")
    'abc科技深圳有限公司'
    """
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def cut(name: str) -> tuple[str, ...]:
    """The pieces that a normalised name is indexed by."""
    pieces: list[str] = []
    for size in _SIZES:
        if len(name) >= size:
            pieces += (_BEGIN + name[:size], *_windows(name, size), name[1 - size :] + _END)
    return tuple(pieces)


def wanted(text: str) -> Wanted:
    """The pieces to look for a normalised text of `SHORTEST` characters or more by."""
    size = min(len(text), _SIZES[-1])
    part = _windows(text, size)
    begin = _BEGIN + text[:size]
    return Wanted(
        whole=(begin, *part, text[1 - size :] + _END),
        beginning=(begin,) if len(part) == 1 else (begin, *part),
        part=part,
    )


def rank(text: str, names: Collection[str]) -> int:
    """How well normalised names that contain a text answer it: 0 one is the text, 1 one begins with it, 2 neither."""
    return 0 if text in names else 1 if any(name.startswith(text) for name in names) else 2


def facets(division: str, kind: int) -> tuple[str, ...]:
    """The pieces that a subject is indexed by to be found among those of its division, of what that lies in, and of its kind."""
    areas = {division[:size] for size in (2, 4, 6)} if division else set()
    return (*(f"{_FACET}d{area}" for area in sorted(areas)), f"{_FACET}k{kind}")


def area_of(division: str) -> str:
    """What the divisions in a division begin with.

    >>> area_of("440000"), area_of("440300"), area_of("440305")
    ('44', '4403', '440305')
    """
    return division.removesuffix("00").removesuffix("00")


def chosen(division: str | None, kind: int | None) -> tuple[str, ...]:
    """The facets that subjects of a division and of a kind have, as far as these are given."""
    of_division = (f"{_FACET}d{area_of(division)}",) if division else ()
    return of_division if kind is None else (*of_division, f"{_FACET}k{kind}")


def _windows(name: str, size: int) -> tuple[str, ...]:
    return tuple(name[at : at + size] for at in range(len(name) - size + 1))
