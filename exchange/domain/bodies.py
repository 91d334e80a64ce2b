"""What the fold keeps of each record type: few values, all the join needs; the full text stays in Kafka.

`read_fact` turns a decoded *plain* record (dates as days since 1970-01-01, enums as their position in the schema, money as
big-endian two's-complement cents) into a fact. The enums here have the positions of the schemas; a contract test compares.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from exchange.domain.record import DOCUMENT, Body, Fact, Version, entry_key, make

Plain = Mapping[str, Any]
"""A record decoded with logical types stripped."""


class Severity(IntEnum):
    """How grave a penalty is (NDRC Order 36, 2026)."""

    MINOR = 0
    GENERAL = 1
    SERIOUS = 2


class AbnormalState(IntEnum):
    """Whether a firm is on the list of abnormal operations."""

    ENTERED = 0
    REMOVED = 1


class RepairState(IntEnum):
    """How far an application for credit repair has come."""

    APPLIED = 0
    ACCEPTED = 1
    GRANTED = 2
    REFUSED = 3


class FeedbackState(IntEnum):
    """What became of a measure in the department that had to take it."""

    ACKNOWLEDGED = 0
    EXECUTED = 1
    DECLINED = 2
    NOT_APPLICABLE = 3
    ENDED = 4


class ObjectionState(IntEnum):
    """How far an objection to a record has come."""

    RAISED = 0
    UPHELD = 1
    DISMISSED = 2


class Registration(NamedTuple):
    """Who the subject is; officers are space-separated, each as `ROLE=person`. Its aliases are facts of their own."""

    name: str
    kind: int
    status: int
    division: str
    representative: str
    officers: str


class Penalty(NamedTuple):
    """An administrative penalty; `fine` and `confiscated` in fen (0.01 yuan)."""

    severity: int
    fine: int
    confiscated: int
    publicity_until: int | None


class Listing(NamedTuple):
    """An entry on a list; `term_months` 0 leaves the term to the policy, `until` is the first day no longer listed."""

    list_code: str
    grounds: str
    term_months: int
    until: int | None
    serious: int
    performed_on: int | None
    sector: str


class AbnormalEntry(NamedTuple):
    """An entry on the list of abnormal operations (经营异常名录)."""

    grounds: str
    state: int
    removed_on: int | None


class Rating(NamedTuple):
    """A grade in one scheme; a later decision in the same scheme replaces it."""

    scheme: int
    grade: str
    period: str
    valid_until: int | None


class Amount(NamedTuple):
    """A state and an amount in fen: arrears, commitments and whatever else the fold only counts."""

    state: int
    amount: int
    until: int | None


class Feedback(NamedTuple):
    """What a department did about a measure; `state` is a position in the schema's FeedbackState, `amount` in fen."""

    state: int
    amount: int
    executed_on: int | None
    measure: str
    epoch: int
    n: int
    snoozed_until: int | None
    officer: str


class Receipt(NamedTuple):
    """Proof that a notice reached a department; `receiver` is empty where that is the publishing one."""

    epoch: int
    n: int
    receiver: str


class Repair(NamedTuple):
    """A step of credit repair (信用修复)."""

    state: int
    corrected_on: int | None
    commitment: int


class Related(NamedTuple):
    """A listing of another subject that reaches this one by its role there; `ended` once it no longer does."""

    role: str
    list_code: str
    grounds: str
    serious: int
    until: int | None
    ended: int


def fen(value: bytes | None) -> int:
    """Cents from the bytes of an Avro decimal of scale 2."""
    return int.from_bytes(value, "big", signed=True) if value else 0


_LAST_REVISION = 2**31
_ALIAS_PREFIXES = ("reg:", "orgcode:", "tax:", "inst:", "soc:")
_OFFICER_ROLES = ("DIRECTOR", "SUPERVISOR", "SENIOR_MANAGER", "DIRECTLY_RESPONSIBLE", "BENEFICIAL_OWNER")
RATING_SCHEMES = ("TAX_CREDIT", "CUSTOMS_TIER", "RISK_CLASS", "ENVIRONMENT", "COMPREHENSIVE")


def _registration(value: Plain) -> Body:
    return (
        value["subject_name"],
        value["kind"],
        value["status"],
        value["division"],
        value["legal_representative"],
        " ".join(f"{_OFFICER_ROLES[officer['role']]}={officer['person']}" for officer in value["officers"]),
    )


def _penalty(value: Plain) -> Body:
    return (value["severity"], fen(value["fine_yuan"]), fen(value["confiscated_yuan"]), value["publicity_until"])


def _listing(value: Plain) -> Body:
    return (
        value["list_code"],
        value["grounds"],
        value["term_months"],
        value["until"],
        int(value["serious"]),
        value["performed_on"],
        value["sector"],
    )


def _abnormal_entry(value: Plain) -> Body:
    return (value["grounds"], value["state"], value["removed_on"])


def _rating(value: Plain) -> Body:
    return (value["scheme"], value["grade"], value["period"], value["valid_until"])


def _feedback(value: Plain) -> Body:
    return (
        value["state"],
        fen(value["amount_yuan"]),
        value["executed_on"],
        value["measure"],
        value["epoch"],
        value["n"],
        value["snoozed_until"],
        value["officer"],
    )


def _receipt(value: Plain) -> Body:
    return (value["epoch"], value["n"], value["receiver"])


def _counted(state: str = "", amount: str = "", until: str = "") -> Callable[[Plain], Body]:
    """A reader for a type that the fold only counts, from the names of the fields that matter."""

    def read(value: Plain) -> Body:
        return (value[state] if state else 0, fen(value[amount]) if amount else 0, value[until] if until else None)

    return read


DOCUMENTS: dict[str, Callable[[Plain], Body]] = {
    "registration": _registration,
    "licence": _counted(),
    "penalty": _penalty,
    "inspection_result": _counted(state="outcome"),
    "abnormal_entry": _abnormal_entry,
    "listing": _listing,
    "rating": _rating,
    "annual_report": _counted(),
    "commitment": _counted(state="state"),
    "arrears": _counted(amount="amount_yuan", until="settled_on"),
    "court_judgment": _counted(),
    "award": _counted(),
    "social_report": _counted(),
    "delivery_receipt": _receipt,
    "measure_feedback": _feedback,
}
"""Record types that are documents of their own."""

AMENDMENTS: dict[str, Callable[[Plain], Body]] = {
    "listing_extension": lambda value: (value["extend_months"],),
    "withdrawal": lambda value: (value["reason"],),
    "repair": lambda value: (value["state"], value["corrected_on"], int(value["commitment"])),
    "objection": lambda value: (value["state"],),
}
"""Record types that say something about another document, which they name."""


RESPONSES = frozenset({"delivery_receipt", "measure_feedback"})
"""Record types in which a department responds to notices."""


def answering(value: Plain) -> int:
    """The revision by which responses are ordered: first the notice they answer (epoch, n), then their own revision.

    So a response to a newer notice counts, in whatever document and order it comes. 63 bits: 12, 20 and 31.
    """
    epoch, n = min(value["epoch"], 0xFFF), min(value["n"], 0xFFFFF)
    return int(epoch << 51 | n << 31 | value["revision"])


def alias_facts(value: Plain, registration: Version) -> list[Fact]:
    """What a registration says of older codes, each a fact of its own, named `alias/<department>/<subject>`.

    An older code, once said to be a subject's, stays so whatever later revisions leave out: histories that have come together
    cannot be told apart again. Of several days the earliest counts, so its version is the greatest.
    """
    version = registration._replace(revision=_LAST_REVISION - registration.decided_on, digest=0, body=())
    subjects = [_ALIAS_PREFIXES[alias["kind"]] + alias["code"] for alias in value["aliases"]]
    return [Fact(entry_key("alias", value["department"], subject), DOCUMENT, version) for subject in subjects]


def read_fact(
    record_type: str, value: Plain, *, digest: int, arrived_at: int, partition: int = 0, offset: int = -1
) -> Fact:
    """The fact that a valid plain record brings.

    Args:
        record_type: slug of the record type, such as `penalty`.
        value: the plain record, already validated.
        digest: a checksum of the record's bytes; decides between equal revisions.
        arrived_at: when the bus received it, seconds since 1970-01-01 UTC.
        partition: where in its topic the raw record lies.
        offset: likewise.
    """
    department = value["department"]
    reader = DOCUMENTS.get(record_type)
    if reader is not None:
        slot = DOCUMENT
        key = entry_key(record_type, department, value["document"])
    else:
        reader = AMENDMENTS[record_type]
        slot = f"{record_type}/{value['document']}"
        target_type = "listing" if record_type == "listing_extension" else value["target_type"]
        key = entry_key(target_type, value["target_department"] or department, value["target_document"])
    revision = answering(value) if record_type in RESPONSES else value["revision"]
    version = make(Version, (revision, digest, value["decided_on"], arrived_at, partition, offset, reader(value)))
    return make(Fact, (key, slot, version))
