"""Intake: messages of departments become what the directory keeps of them, by the rules of the standing processor."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from consumers.standing.acceptance import unowned
from consumers.standing.consumed import Consumed
from consumers.standing.decode import Arrival, Decoder, count_reasons
from exchange.directory import Filed, Intake, Place
from exchange.domain.bodies import (
    RATING_SCHEMES,
    WARNING_DOMAINS,
    EarlyWarning,
    Listing,
    ObjectionState,
    Rating,
    Registration,
)
from exchange.domain.calendar import day_of
from exchange.domain.enrolment import Amended, Registered
from exchange.domain.facts import alias_facts
from exchange.domain.policy import Policy
from exchange.domain.record import Fact, split_key

BY_DAY = frozenset({"penalty", "licence", "listing", "abnormal_entry", "rating", "early_warning"})
"""Record types that are filed by day, for public disclosure and for the page of warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Intake):
    """What a batch brings, and how much of what was in it: by record type, and (department, reason)."""

    kept: Counter[str] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)


class IntakeReader:
    """Reads batches.

    Args:
        decoder: decodes and validates, never holding a topic.
        departments: by topic.
        now: milliseconds since 1970-01-01 UTC.
        policy: says which list a grade puts on.
    """

    def __init__(
        self, decoder: Decoder, departments: Mapping[str, str], now: Callable[[], int], policy: Policy
    ) -> None:
        self._decoder = decoder
        self._policy = policy
        self._departments = departments
        self._now = now

    def read(self, messages: Iterable[Consumed]) -> Taken:
        """What a batch brings.

        Each message is judged by the day that it came on, so that a directory made anew rejects what was rejected then; a broker's
        clock that is ahead does not count.
        """
        raw: dict[Place, bytes] = {}
        offsets: dict[tuple[str, int], int] = {}
        by_day: dict[int, list[Consumed]] = {}
        now = self._now()
        for message in messages:
            where = (self._departments[message.topic()], message.partition())
            raw[*where, message.offset()] = message.value() or b""
            offsets[where] = message.offset() + 1
            by_day.setdefault(day_of(min(now, message.timestamp()[1])), []).append(message)
        records: list[tuple[Place, bytes]] = []
        registered: list[Registered] = []
        amended: list[Amended] = []
        filed: list[Filed] = []
        taken = Taken(records=records, registered=registered, amended=amended, filed=filed, offsets=offsets)
        for today, of_day in by_day.items():
            for number, decoded in self._decoder.decode(of_day, unowned, today).items():
                taken.rejected.update(count_reasons(decoded.rejected))
                for arrival in decoded.arrivals:
                    key = arrival.fact.key
                    if not arrival.fact.version.body:
                        continue  # part of a record that is there itself
                    taken.kept[arrival.record_type] += 1
                    place = (self._departments[arrival.topic], number, arrival.offset)
                    records.append((place, raw[place]))
                    if arrival.record_type in BY_DAY:
                        filed.append(filed_of(arrival.subject, arrival.fact, arrival.value["division"], self._policy))
                    if arrival.record_type == "registration":
                        registered.append(_registered(arrival))
                    elif key.startswith("registration/") and arrival.record_type in ("withdrawal", "objection"):
                        amended.append(_amended(arrival))
        return taken


def _registered(arrival: Arrival) -> Registered:
    key, _, version = arrival.fact
    body = Registration._make(version.body)
    aliases = tuple(split_key(alias.key)[2] for alias in alias_facts(arrival.value, arrival.fact))
    return Registered(
        arrival.subject, key, version.revision, version.digest, version.decided_on, body.name, body.division, body.kind,
        body.status, aliases,
    )  # fmt: skip


def _amended(arrival: Arrival) -> Amended:
    key, slot, version = arrival.fact
    voids = arrival.record_type == "withdrawal" or version.body[0] == ObjectionState.UPHELD
    return Amended(arrival.subject, key, slot, version.revision, version.digest, voids)


def filed_of(subject: str, fact: Fact, division: str, policy: Policy) -> Filed:
    """How a document is filed.

    Args:
        subject: whose.
        fact: the document's.
        division: six digits, or "".
        policy: says which list a grade puts on.
    """
    key, _, version = fact
    kind, department, _ = split_key(key)
    topic = ""
    match kind:
        case "listing":
            topic = Listing._make(version.body).list_code
        case "abnormal_entry":
            topic = "ABN"
        case "early_warning":
            domain = EarlyWarning._make(version.body).domain
            topic = policy.warning_lists.get(WARNING_DOMAINS[domain], "")
        case "rating":
            rating = Rating(*version.body)  # type: ignore[arg-type] # a body is flat; its type says which
            topic = policy.rating_lists.get((RATING_SCHEMES[rating.scheme], rating.grade), "")
    return Filed(
        kind, version.decided_on, key, subject, topic, department, division, version.revision, version.digest
    )  # fmt: skip
