"""Looks a firm's risk class up: worked out from what was known on a day, and what is published. For people, not for the hot path."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from exchange.domain.bodies import RATING_SCHEMES, Rating
from exchange.domain.handover import visible_entries
from exchange.domain.judge import newest_registration
from exchange.domain.policy import Policy
from exchange.domain.record import DOCUMENT, Entry
from exchange.domain.risk.assess import Assessment, assess
from exchange.domain.risk.known import known_on
from exchange.domain.risk.model import SCHEME, Rate, RiskModel
from exchange.domain.risk.occurrences import IN_BUSINESS, Firm, firm_of
from exchange.domain.risk.publish import Observed, observe
from exchange.domain.risk.sample import Member
from exchange.domain.standing import Standing
from exchange.look_up import Found
from exchange.partitioner import partition_of
from exchange.standing_store import StandingStore, Wanted

_SCHEME = RATING_SCHEMES.index(SCHEME)
_CHUNK = 500


class Explained(NamedTuple):
    """A firm's class on a day and why.

    assessment: None for a subject that is not classed. rate: how often firms of the class should be drawn, where a rule says so.
    published: this year's class as the bus knows it. revised: documents that were revised since, of which the store no longer knows
    what they said. version: of the model.
    """

    day: int
    assessment: Assessment | None
    rate: Rate | None
    published: Observed
    revised: tuple[str, ...]
    version: str


def explain_class(
    store: StandingStore, partitions: int, found: Found, policy: Policy, model: RiskModel, day: int
) -> Explained | None:
    """The class of a subject that was looked up; None where no model is in force on the day.

    Raises:
        RetryLaterError: Redis is away.
    """
    rules = model.on(day)
    if rules is None:
        return None
    entries, revised = known_on(found.entries, day)
    firm = firm_of(entries)
    representative: Mapping[str, Entry] = {}
    if firm is not None and firm.representative:
        number = partition_of(firm.representative, partitions)
        representative, also = known_on(visible_entries(store.entries(number, firm.representative)), day)
        revised += also
    assessment = assess(found.subject, entries, representative, policy, rules)
    rate = rules.rates.get(assessment.letter) if assessment is not None else None
    return Explained(day, assessment, rate, observe(entries, rules), revised, rules.version)


class Framed(NamedTuple):
    """A firm that can be drawn, and where it is."""

    member: Member
    firm: Firm


def frame_of(store: StandingStore, partitions: int, day: int) -> Iterator[Framed]:
    """All firms in business that have a published class in force on a day.

    Raises:
        RetryLaterError: Redis is away.
    """
    for number in range(partitions):
        subjects = (subject for subject in store.subjects(number) if subject.startswith("org:"))
        while chunk := list(islice(subjects, _CHUNK)):
            (loaded,) = store.load([Wanted(number, chunk, ())])
            for subject, standing in zip(chunk, loaded.standings, strict=True):
                if standing is not None and not standing.merged_into:
                    yield from _framed(subject, standing, day)


def _framed(subject: str, standing: Standing, day: int) -> Iterator[Framed]:
    newest = newest_registration(standing.active)
    firm = firm_of({"registration/": newest}) if newest is not None else None
    letter = published_class(standing.active, day)
    if firm is not None and firm.status in IN_BUSINESS and letter:
        yield Framed(Member(subject, letter), firm)


def published_class(active: Mapping[str, Entry], day: int) -> str:
    """The class that is published and in force on a day: the newest, as of every scheme; empty where there is none."""
    newest: tuple[int, int, str] = (-1, 0, "")
    for key, entry in active.items():
        if not key.startswith("rating/"):
            continue
        version = entry.versions[DOCUMENT]
        rating = Rating(*version.body)  # type: ignore[arg-type] # a body is flat; its type says which
        if rating.scheme == _SCHEME and (rating.valid_until is None or day <= rating.valid_until):
            newest = max(newest, (version.decided_on, version.revision, rating.grade))
    return newest[2]
