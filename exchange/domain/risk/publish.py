"""Whether a class is to be published: what should be said is compared with what the bus knows, and only a difference is told.

One document a firm and year (`风险分类-2026`), each change a revision of it. The class that the bus knows decides, not a memory of what
was sent: so a repetition after a crash ends in the same record, and a class never answers itself.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from exchange.domain.bodies import RATING_SCHEMES, Rating
from exchange.domain.calendar import to_date, to_day
from exchange.domain.fold import is_void
from exchange.domain.record import Entry, entry_key
from exchange.domain.risk.assess import Assessment
from exchange.domain.risk.model import SCHEME, Rules

_SCHEME = RATING_SCHEMES.index(SCHEME)
_LAPSES = (3, 31)
"""A year's class holds until the end of March of the next, by when the monthly round has long made the next year's."""


class Observed(NamedTuple):
    """This year's class of a firm as the bus knows it; revision 0 where there is none."""

    revision: int
    letter: str
    points: int
    valid_until: int | None


NOTHING = Observed(0, "", 0, None)


class Wanted(NamedTuple):
    """A rating to publish. Days since 1970-01-01, points in hundredths."""

    document: str
    revision: int
    letter: str
    points: int
    period: str
    valid_until: int


def document_of(day: int) -> tuple[str, str]:
    """Number and period of the class of a day's year.

    >>> document_of(to_day(date(2026, 11, 1)))
    ('风险分类-2026', '2026')
    """
    year = to_date(day).year
    return f"风险分类-{year}", str(year)


def observe(entries: Mapping[str, Entry], rules: Rules) -> Observed:
    """This year's class as it stands in a firm's entries."""
    document, _ = document_of(rules.day)
    entry = entries.get(entry_key("rating", rules.method.department, document))
    version = entry.document if entry is not None else None
    if entry is None or version is None or is_void(entry):
        return NOTHING
    rating = Rating(*version.body)  # type: ignore[arg-type] # a body is flat; its type says which
    if rating.scheme != _SCHEME:
        return NOTHING
    return Observed(version.revision, rating.grade, rating.points or 0, rating.valid_until)


def wanted(assessment: Assessment | None, observed: Observed, rules: Rules) -> Wanted | None:
    """What has to be said now; None while the bus knows enough.

    A firm that is no longer classed keeps the letter and is valid until the end of the day, unless it is classed again.
    """
    document, period = document_of(rules.day)
    revision = observed.revision + 1
    if assessment is None:
        if not observed.letter or (observed.valid_until is not None and observed.valid_until <= rules.day):
            return None
        return Wanted(document, revision, observed.letter, observed.points, period, rules.day)
    lapses = to_day(date(to_date(rules.day).year + 1, *_LAPSES))
    same = (
        observed.letter == assessment.letter
        and observed.valid_until == lapses
        and abs(observed.points - assessment.points) < rules.method.material
    )
    return None if same else Wanted(document, revision, assessment.letter, assessment.points, period, lapses)
