"""What early warning keeps of a subject's records: the few values that signs look at, each document's newest revision."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from consumers.early_warning.addresses import address_key
from exchange.domain.bodies import ObjectionState, RepairState
from exchange.domain.facts import fen
from exchange.domain.policy import Policy
from exchange.domain.record import entry_key, split_key
from exchange.domain.terms import add_months

Plain = Mapping[str, Any]
Values = tuple[int | str, ...]

NONE = -1
"""Stands for no day and no amount: values of two revisions can then be compared."""
ACTIVE, SUSPENDED, REVOKED = 0, 1, 2
"""Positions of SubjectStatus."""


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """One revision of a document: of two the greater stays."""

    revision: int
    decided_on: int
    values: Values


class Facts(msgspec.Struct, array_like=True):
    """A subject's documents and what voids them: by key, and by `key|slot` of the amendment."""

    documents: dict[str, Kept] = {}  # msgspec copies it
    amendments: dict[str, Kept] = {}

    def of(self, record_type: str) -> Iterator[tuple[str, Kept]]:
        """The documents of a type that stand: not withdrawn, not repaired, no objection upheld."""
        void = {key.rpartition("|")[0] for key, one in self.amendments.items() if one.values[0]}
        for key, kept in self.documents.items():
            if key.startswith(record_type + "/") and key not in void:
                yield key, kept

    @property
    def registration(self) -> Kept | None:
        """The registration that counts: the one decided last."""
        return max(
            (one for _, one in self.of("registration")), key=lambda one: (one.decided_on, one.revision), default=None
        )

    @property
    def name(self) -> str:
        """Of the registration, or ""."""
        return str(self.registration.values[4]) if self.registration else ""

    @property
    def division(self) -> str:
        """Of the registration, or ""."""
        return str(self.registration.values[5]) if self.registration else ""


class Firm(msgspec.Struct, array_like=True, frozen=True):
    """What a firm says of itself to those with whom it shares something."""

    name: str
    division: str
    failing: bool


def _day(value: int | None) -> int:
    return NONE if value is None else value


_READERS: dict[str, Callable[[Plain], Values]] = {
    "registration": lambda v: (
        v["status"], v["legal_representative"], address_key(v["address"]), fen(v["registered_capital_yuan"]), v["subject_name"],
        v["division"],
    ),
    "licence": lambda v: (v["state"], _day(v["valid_until"]), v["certificate_name"] or v["document_title"]),
    "penalty": lambda _: (),
    "arrears": lambda v: (v["kind"], fen(v["amount_yuan"]), _day(v["settled_on"])),
    "court_judgment": lambda v: (v["case_kind"], v["role"], fen(v["amount_yuan"]), _day(v["performed_on"])),
    "listing": lambda v: (v["list_code"], v["grounds"], v["term_months"], _day(v["until"]), _day(v["performed_on"])),
    "abnormal_entry": lambda v: (v["state"],),
}  # fmt: skip
"""Record types that signs look at, and the values kept of each."""
_VOIDING: dict[str, Callable[[Plain], bool]] = {
    "withdrawal": lambda _: True,
    "objection": lambda v: v["state"] == ObjectionState.UPHELD,
    "repair": lambda v: v["state"] == RepairState.GRANTED,
}


def facts_after(facts: Facts, record_type: str, value: Plain) -> Facts | None:
    """The facts with a record in them; None when it changes nothing."""
    reader = _READERS.get(record_type)
    if reader is not None:
        key = entry_key(record_type, value["department"], value["document"])
        kept = Kept(value["revision"], value["decided_on"], reader(value))
        return (
            Facts({**facts.documents, key: kept}, facts.amendments)
            if _is_newer(facts.documents.get(key), kept)
            else None
        )
    if record_type not in _VOIDING:
        return None
    target = entry_key(
        value["target_type"], value["target_department"] or value["department"], value["target_document"]
    )
    key = f"{target}|{record_type}/{value['document']}"
    kept = Kept(value["revision"], value["decided_on"], (int(_VOIDING[record_type](value)),))
    return (
        Facts(facts.documents, {**facts.amendments, key: kept}) if _is_newer(facts.amendments.get(key), kept) else None
    )


def _is_newer(known: Kept | None, kept: Kept) -> bool:
    return known is None or (known.revision, known.decided_on, known.values) < (
        kept.revision,
        kept.decided_on,
        kept.values,
    )


def listed_until(kept: Kept, policy: Policy) -> int | None:
    """The first day on which a listing holds no more, by its own words or the policy of its day; None where it has no end."""
    list_code, grounds, own_months, until, performed_on = kept.values
    if until != NONE:
        return int(until)
    months = own_months or policy.term_months(str(list_code), str(grounds), kept.decided_on)
    if months:
        return add_months(kept.decided_on, int(months))
    return None if performed_on == NONE else int(performed_on)


def on_lists(facts: Facts, policy: Policy, today: int) -> Iterator[tuple[str, str]]:
    """Key and list code of each listing in force."""
    for key, kept in facts.of("listing"):
        until = listed_until(kept, policy)
        if kept.decided_on <= today and (until is None or until > today):
            yield key, str(kept.values[0])


def is_failing(facts: Facts, policy: Policy, today: int) -> bool:
    """Whether a firm is revoked, on the list of abnormal operations, or on a black list."""
    registration = facts.registration
    return (
        (registration is not None and registration.values[0] == REVOKED)
        or any(kept.values[0] == 0 for _, kept in facts.of("abnormal_entry"))
        or any(
            code in policy.lists and policy.lists[code].colour == "black" for _, code in on_lists(facts, policy, today)
        )
    )


def shared_by(facts: Facts, policy: Policy, today: int) -> dict[str, Firm]:
    """What the firm shares with others, by key: its address while it exists, its representative."""
    registration = facts.registration
    if registration is None:
        return {}
    status, representative, address, *_ = registration.values
    found = {}
    if address and status in (ACTIVE, SUSPENDED):
        found[str(address)] = Firm(facts.name, facts.division, failing=False)
    if representative:
        found[f"rep:{representative}"] = Firm(facts.name, facts.division, is_failing(facts, policy, today))
    return found


def next_change(facts: Facts, policy: Policy, today: int, windows: Iterable[int]) -> int | None:
    """The next day on which something that signs look at changes by itself: a licence or a listing ends, a penalty is long ago."""
    days = [int(kept.values[1]) + 1 for _, kept in facts.of("licence") if kept.values[1] != NONE]
    days += [kept.decided_on + window for _, kept in facts.of("penalty") for window in windows]
    days += [until for _, kept in facts.of("listing") if (until := listed_until(kept, policy)) is not None]
    return min((day for day in days if day > today), default=None)


def department_of(key: str) -> str:
    """The department of a document's key."""
    return split_key(key)[1]
