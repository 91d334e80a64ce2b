"""Intake: messages of departments become what the deadlines are worked out from, by the rules of the standing processor."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from consumers.standing.acceptance import unowned
from consumers.standing.consumed import Consumed
from consumers.standing.decode import Arrival, Decoder, Rejected
from exchange.codec import Codec
from exchange.domain.bodies import ObjectionState, Severity
from exchange.domain.calendar import day_of
from exchange.domain.completeness import filled
from exchange.domain.identity import is_person
from exchange.domain.record import split_key
from exchange.domain.timeliness import Timeliness
from exchange.errors import UndecodableError
from exchange.fed_folder import Offsets


class Decision(NamedTuple):
    """A licence or penalty that was accepted: one revision of it. Days since 1970-01-01; severity -1 where it has none."""

    department: str
    record_type: str
    document: str
    subject: str
    decided_on: int
    revision: int
    digest: int
    severity: int
    published_on: int


class Claim(NamedTuple):
    """A decision of which the bus knows by something else than an accepted record of it.

    decided_on: its day; where `exact` is 0 the day before which it was made at the latest. why: `rejected`, or the type of the record that
    speaks of it. seen_on: when that came.
    """

    department: str
    record_type: str
    document: str
    decided_on: int
    exact: int
    why: str
    seen_on: int


class Day(NamedTuple):
    """A department's records of one type on one day; "" is the type of what cannot be read."""

    department: str
    record_type: str
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a batch brings; `counts` are by day: accepted, rejected, corrections, withdrawn, filled, asked."""

    decisions: list[Decision] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    counts: dict[Day, Counter[str]] = field(default_factory=dict)
    offsets: Offsets = field(default_factory=dict)

    def count(self, department: str, record_type: str, day: int, **amounts: int) -> None:
        """Add to the counts of a day."""
        self.counts.setdefault(Day(department, record_type, day), Counter()).update(amounts)


class IntakeReader:
    """Reads batches.

    Args:
        decoder: decodes and validates, never holding a topic.
        codec: reads what was rejected, as far as it can be read.
        departments: by topic.
        recommended: fields by record type.
        timeliness: which decisions have a term.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(
        self, decoder: Decoder, codec: Codec, departments: Mapping[str, str], recommended: Mapping[str, tuple[str, ...]],
        timeliness: Timeliness, now: Callable[[], int],
    ) -> None:  # fmt: skip
        self._decoder = decoder
        self._decode = codec.decode_plain
        self._departments = departments
        self._recommended = recommended
        self._timeliness = timeliness
        self._now = now

    def read(self, messages: Iterable[Consumed]) -> Taken:
        """What a batch brings; each message is judged by the day that it came on (see the directory's reader)."""
        offsets: dict[tuple[str, int], int] = {}
        by_day: dict[int, list[Consumed]] = {}
        now = self._now()
        for message in messages:
            offsets[self._departments[message.topic()], message.partition()] = message.offset() + 1
            by_day.setdefault(day_of(min(now, message.timestamp()[1])), []).append(message)
        taken = Taken(offsets=offsets)
        for today, of_day in by_day.items():
            for decoded in self._decoder.decode(of_day, unowned, today).values():
                for arrival in decoded.arrivals:
                    if arrival.fact.version.body:  # else part of a record that is there itself
                        self._accept(taken, arrival, today)
                for rejected in decoded.rejected:
                    self._reject(taken, rejected, today)
        return taken

    def _accept(self, taken: Taken, arrival: Arrival, today: int) -> None:
        subject, (key, slot, version), record_type, value, *_ = arrival
        department: str = value["department"]
        full, asked = filled(value, self._recommended.get(record_type, ()), person=is_person(subject))
        is_decision = record_type in self._timeliness.record_types
        voids = record_type == "withdrawal" or (record_type == "objection" and version.body[0] == ObjectionState.UPHELD)
        taken.count(
            department, record_type, today, accepted=1, filled=full, asked=asked, withdrawn=int(voids),
            corrections=int(is_decision and version.revision > 1),
        )  # fmt: skip
        if is_decision:
            taken.decisions.append(
                Decision(
                    department,
                    record_type,
                    value["document"],
                    subject,
                    version.decided_on,
                    version.revision,
                    version.digest,
                    value.get("severity", -1),
                    day_of(value["published_at"]),
                )
            )
        elif slot:
            about, owner, document = split_key(key)
            if about in self._timeliness.record_types:
                taken.claims.append(Claim(owner, about, document, version.decided_on, 0, record_type, today))

    def _reject(self, taken: Taken, rejected: Rejected, today: int) -> None:
        try:
            record_type, value = self._decode(rejected.message.value() or b"")
        except UndecodableError:
            record_type, value = "", {}
        taken.count(rejected.department, record_type, today, rejected=1)
        decided_on, document = value.get("decided_on", 0), value.get("document", "")
        if record_type in self._timeliness.record_types and document and 0 < decided_on <= today and _has_term(value):
            claim = Claim(rejected.department, record_type, document, decided_on, 1, "rejected", today)
            if self._timeliness.due(record_type, decided_on, value.get("severity")) is not None:
                taken.claims.append(claim)


def _has_term(value: Mapping[str, Any]) -> bool:
    """Whether what was rejected is a decision that may have a term at all: unclassified, of a severity that there is."""
    return not value.get("classification") and value.get("severity", 0) in list(Severity)
