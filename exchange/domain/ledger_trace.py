"""Trace: the proof of one notice, from the record that caused it to what the department did about it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from exchange.domain.check import DECIDED_AT_COUNTER
from exchange.domain.ledger import Entry, Kind, entry_hash, notice_text, place_text


class Step(NamedTuple):
    """One entry of the proof, and the checkpoint that covers it; None while none does."""

    entry: Entry
    hash: bytes
    covered_by: Entry | None


class Trace(NamedTuple):
    """The proof, in the order of the chain.

    Attributes:
        cause: the record, or None: a day that came, a policy that changed, or another subject's record.
        notice: itself; None when the chain has no such notice.
        answers: receipts and feedbacks that name it, also by epoch and number alone, as a decision at a counter does.
        rejections: of the record or of an answer: what they name was not accepted.
    """

    cause: Step | None
    notice: Step | None
    answers: tuple[Step, ...]
    rejections: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of it, record, notice, answers; a rejection stands behind what it rejects."""
        kept = [step for step in (self.cause, self.notice, *self.answers) if step]
        rejected: dict[str, list[Step]] = {}
        for step in self.rejections:
            rejected.setdefault(step.entry.cause, []).append(step)
        return tuple(one for step in kept for one in (step, *rejected.get(place_of(step.entry), ())))


def place_of(entry: Entry) -> str:
    """How other entries name this one's message."""
    return place_text(entry.topic, entry.partition, entry.offset)


Same = Callable[[Entry, Entry], bool]
"""Whether a feedback is about a notice, by the epoch and number that both messages carry."""


def trace(chain: Iterable[Entry], notice_id: str, subject: str, same: Same = lambda *_: False) -> Trace:
    """Find the proof of a notice in the chain of its subject's partition.

    Args:
        chain: in order.
        notice_id: of the notice.
        subject: whom it is about.
        same: asked about feedback of decisions at a counter, which names a check and not the notice's id.
    """
    at_counters: list[Entry] = []
    records: dict[str, Entry] = {}
    rejections: dict[str, list[Entry]] = {}
    checkpoints: list[Entry] = []
    answers: list[Entry] = []
    notice: Entry | None = None
    for entry in chain:
        match entry.kind:
            case Kind.CHECKPOINT:
                checkpoints.append(entry)
            case Kind.RECORD if entry.subject == subject:
                records[place_of(entry)] = entry
            case Kind.REJECTION:
                rejections.setdefault(entry.cause, []).append(entry)
            case Kind.NOTICE if entry.document == notice_id:
                notice = entry
            case Kind.RECEIPT | Kind.FEEDBACK if entry.cause == notice_text(notice_id):
                answers.append(entry)
            case Kind.FEEDBACK if entry.subject == subject and entry.cause.startswith(notice_text(DECIDED_AT_COUNTER)):
                at_counters.append(entry)
    if notice is not None:
        decided = [one for one in at_counters if one.department == notice.department and same(notice, one)]
        answers = sorted(answers + decided)

    def step(entry: Entry) -> Step:
        covering = (one for one in checkpoints if one.sequence > entry.sequence)
        return Step(entry, entry_hash(entry), next(covering, None))

    cause = records.get(notice.cause) if notice else None
    told = [entry for entry in (cause, *answers) if entry]
    return Trace(
        cause=step(cause) if cause else None,
        notice=step(notice) if notice else None,
        answers=tuple(map(step, answers)),
        rejections=tuple(step(one) for entry in told for one in rejections.get(place_of(entry), ())),
    )
