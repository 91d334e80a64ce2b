"""What the routes of checks share: the counter, decisions, files, and how a visitor names and knows subjects."""

from collections.abc import Mapping
from typing import NamedTuple

from consumers.portal.checks.answers import Answered, Show, gravest
from consumers.portal.checks.counter import Counter
from consumers.portal.checks.decisions import Decisions
from consumers.portal.checks.files import Files
from consumers.portal.checks.noting import Note, noting
from consumers.portal.checks.question import HIDDEN, Read
from consumers.portal.checks.reading import StandingReader
from consumers.portal.checks.words import Names
from consumers.portal.parts import Parts
from exchange.domain.access import Visitor
from exchange.domain.identity import IdentityError
from exchange.domain.policy import Policy
from exchange.domain.standing import Imposed
from exchange.errors import Reason, RejectedError
from exchange.partitioner import partition_of
from exchange.pseudonym import person_subjects


class Desk(NamedTuple):
    """What the routes share; make one with `open_desk`."""

    parts: Parts
    reader: StandingReader
    counter: Counter
    decisions: Decisions
    files: Files
    names: Names
    note: Note

    @property
    def policy(self) -> Policy:
        """In force."""
        return self.parts.books.policy

    def reading_for(self, visitor: Visitor) -> Read:
        """How a visitor's text becomes a subject."""
        return lambda text: self.parts.keys.subject_of(text, visitor)

    def showing_for(self, visitor: Visitor) -> Show:
        """How a visitor knows a subject."""
        return self.parts.keys.for_visitor(visitor)

    async def person(self, citizen_id: str, matter: str) -> str:
        """The subject of a citizen ID: of the pseudonyms that he has under the bus's keys the one with the gravest answer.

        Raises:
            RejectedError: it is no citizen ID; it is not repeated.
            RetryLaterError: Redis is away.
        """
        try:
            subjects = person_subjects(citizen_id, self.parts.person_keys)
        except IdentityError as error:
            reason = Reason(code=error.code, field="citizen_id", value=HIDDEN, rule=error.rule)
            raise RejectedError((reason,)) from None
        if len(subjects) == 1:
            return subjects[0]
        answers = (await self.counter.judge(matter, subjects, str)).results
        return str(gravest([one for one in answers if isinstance(one, Answered)]).subject)


def open_desk(parts: Parts) -> Desk:
    """The desk of one process.

    Args:
        parts: of the portal.
    """
    settings = parts.settings
    reader = StandingReader(parts.redis, settings.partitions)
    names = Names(parts.books.policy, parts.catalogue)
    counter = Counter(reader, parts.books, names, settings.check_days)
    note = noting(parts.codec)

    def told(subject: str, department: str) -> Mapping[str, Imposed]:
        standing = parts.store.standing(partition_of(subject, settings.partitions), subject)
        found = standing.told.get(department) if standing is not None else None
        return found.measures if found is not None else {}

    decisions = Decisions(
        find=counter.find, told=told, outbound=parts.outbound, reader=reader, note=note, days=settings.check_days
    )
    return Desk(parts, reader, counter, decisions, Files(counter, reader, settings.check_days), names, note)
