"""Facts: what a decoded record brings to the fold.

A *plain* record has dates as days since 1970-01-01, enums as their position in the schema, money as big-endian two's-complement
cents. What is kept of each record type is in `exchange.domain.bodies`, whose fields the readers here fill in order.
"""

from collections.abc import Callable, Mapping
from typing import Any

from exchange.domain.bodies import RepairState
from exchange.domain.record import DOCUMENT, Body, Fact, Version, entry_key, make

Plain = Mapping[str, Any]
"""A record decoded with logical types stripped."""


def fen(value: bytes | None) -> int:
    """Cents from the bytes of an Avro decimal of scale 2."""
    return int.from_bytes(value, "big", signed=True) if value else 0


LAST_REVISION = 2**31
"""Less the day of the decision it is the revision of a claim to an older code, so that the earliest day is the greatest."""
_ALIAS_PREFIXES = ("reg:", "orgcode:", "tax:", "inst:", "soc:")
_OFFICER_ROLES = ("DIRECTOR", "SUPERVISOR", "SENIOR_MANAGER", "DIRECTLY_RESPONSIBLE", "BENEFICIAL_OWNER")


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
    points = value["points"]
    return (
        value["scheme"], value["grade"], value["period"], value["valid_until"], None if points is None else fen(points),
    )  # fmt: skip


def _early_warning(value: Plain) -> Body:
    return (value["domain"], value["level"], value["state"], value["valid_until"])


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
    "annual_report": _counted(state="state"),
    "commitment": _counted(state="state"),
    "arrears": _counted(amount="amount_yuan", until="settled_on"),
    "court_judgment": _counted(state="role"),
    "award": _counted(),
    "social_report": lambda value: (int(value["verified"]), 0, None),
    "early_warning": _early_warning,
    "pseudonym_change": _counted(),
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


APPLICATION = "application"
"""The slots that keep the day on which repair was applied for; later steps of the same document replace the step, not this."""


def answering(value: Plain) -> int:
    """The revision by which responses are ordered: first the notice they answer (epoch, n), then their own revision.

    So a response to a newer notice counts, in whatever document and order it comes. 63 bits: 12, 20 and 31.
    """
    epoch, n = min(value["epoch"], 0xFFF), min(value["n"], 0xFFFFF)
    return int(epoch << 51 | n << 31 | value["revision"])


def own_revision(answered: int) -> int:
    """The revision of a response as its department gave it, of what `answering` made of it."""
    return answered & 0x7FFFFFFF


def alias_facts(value: Plain, registration: Fact) -> list[Fact]:
    """What a registration says of older codes, each a fact of its own, named `alias/<department>/<subject>`.

    An older code, once said to be a subject's, stays claimed whatever later revisions leave out; only another's earlier claim takes
    it away. Of several days the earliest counts, so its version is the greatest.
    """
    if not value["aliases"]:
        return []
    version = registration.version
    version = version._replace(revision=LAST_REVISION - version.decided_on, digest=0, body=())
    subjects = [_ALIAS_PREFIXES[alias["kind"]] + alias["code"] for alias in value["aliases"]]
    return [Fact(entry_key("alias", value["department"], subject), DOCUMENT, version) for subject in subjects]


def application_facts(value: Plain, repair: Fact) -> list[Fact]:
    """That repair was applied for, and when, as a fact of its own: `application/<document>` of the same entry.

    The terms of acceptance and answer count from that day, which the next step's revision would take with it.
    """
    if value["state"] != RepairState.APPLIED:
        return []
    return [Fact(repair.key, f"{APPLICATION}/{value['document']}", repair.version._replace(body=()))]


def former_facts(value: Plain, change: Fact) -> list[Fact]:
    """That a person had another pseudonym: an older code like an organisation's, to be joined in the same way, and for ever."""
    if value["former"] == value["subject"]:
        return []
    version = change.version._replace(revision=LAST_REVISION - change.version.decided_on, digest=0, body=())
    return [Fact(entry_key("alias", value["department"], value["former"]), DOCUMENT, version)]


FURTHER: dict[str, Callable[[Plain, Fact], list[Fact]]] = {
    "registration": alias_facts,
    "repair": application_facts,
    "pseudonym_change": former_facts,
}
"""Record types that bring further facts beside their own; those have an empty body, and count as part of the record."""


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
        # Of receipts the newest of each receiver is kept, however many notices he is sent.
        document = (value["receiver"] or department) if record_type == "delivery_receipt" else value["document"]
        key = entry_key(record_type, department, document)
    else:
        reader = AMENDMENTS[record_type]
        slot = f"{record_type}/{value['document']}"
        target_type = "listing" if record_type == "listing_extension" else value["target_type"]
        key = entry_key(target_type, value["target_department"] or department, value["target_document"])
    revision = answering(value) if record_type in RESPONSES else value["revision"]
    version = make(Version, (revision, digest, value["decided_on"], arrived_at, partition, offset, reader(value)))
    return make(Fact, (key, slot, version))
