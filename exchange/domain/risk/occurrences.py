"""Occurrences: what of a subject's entries an indicator may count, read in one pass; what was withdrawn or repaired is not there.

| record | states |
|---|---|
| `registration` | `NEW` (the first), `CHANGED` (each later), `SUSPENDED`, `REVOKED` (as the newest says) |
| `penalty` | `MINOR`, `GENERAL`, `SERIOUS` |
| `listing` | colour of the list in force: `BLACK`, `WATCH`, `RED` |
| `abnormal_entry` | `ENTERED` (in force), `REMOVED` |
| `inspection_result`, `annual_report`, `commitment`, `court_judgment` | as in their schemas |
| `arrears` | `OWED`, `SETTLED` |
| `rating` | scheme and grade, such as `TAX_CREDIT:D`; the newest valid in each scheme, never a risk class |
| `award` | `GIVEN` |
| `social_report` | `VERIFIED`, `UNVERIFIED` |
| `representative` | `LISTED` (on a black list himself), `RELATED` (another firm of his is) |
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from exchange.domain import bodies
from exchange.domain.bodies import RATING_SCHEMES, AbnormalState, Registration, RepairState, Severity
from exchange.domain.fold import is_active, is_void
from exchange.domain.policy import Policy
from exchange.domain.record import DOCUMENT, Entry, Version, make
from exchange.domain.risk.model import SCHEME
from exchange.domain.terms import holdings

STATES: Mapping[str, tuple[str, ...]] = {
    "inspection_result": ("PASSED", "FAILED", "REFUSED", "UNREACHABLE"),
    "annual_report": ("FILED", "LATE", "AMENDED", "NOT_FILED"),
    "commitment": ("MADE", "KEPT", "BROKEN"),
    "court_judgment": ("CLAIMANT", "RESPONDENT", "THIRD_PARTY", "JUDGMENT_DEBTOR", "OTHER"),
    "social_report": ("UNVERIFIED", "VERIFIED"),
}
"""States of the record types whose body begins with the position of one; a contract test compares with the schemas."""

KINDS = (
    "ENTERPRISE", "SELF_EMPLOYED", "COOPERATIVE", "INSTITUTION", "SOCIAL_ORGANISATION", "GOVERNMENT_BODY",
    "RURAL_COLLECTIVE", "PERSON", "OTHER",
)  # fmt: skip
"""Kinds of subject, in the order of the schema."""
_STATUSES = ("ACTIVE", "SUSPENDED", "REVOKED", "CANCELLED", "MOVED_OUT")
IN_BUSINESS = frozenset({"ACTIVE", "SUSPENDED", "REVOKED"})
"""Statuses of firms that are still there to be classed; one that was revoked is, until it is cancelled."""

COUNTED: Mapping[str, frozenset[str]] = {
    "registration": frozenset({"NEW", "CHANGED", "SUSPENDED", "REVOKED"}),
    "penalty": frozenset(one.name for one in Severity),
    "listing": frozenset({"BLACK", "WATCH", "RED"}),
    "abnormal_entry": frozenset(one.name for one in AbnormalState),
    "arrears": frozenset({"OWED", "SETTLED"}),
    "award": frozenset({"GIVEN"}),
    "representative": frozenset({"LISTED", "RELATED"}),
    **{record: frozenset(states) for record, states in STATES.items()},
}
"""Record to the states that an indicator may name; those of a `rating` are any scheme and grade."""

_HELD = frozenset({"listing", "abnormal_entry", "rating", "related"})


class Occurrence(NamedTuple):
    """One thing that counts: what, since which day, and the entry that says so."""

    record: str
    state: str
    day: int
    key: str


class Firm(NamedTuple):
    """Who is classed: name, kind and status by name, six digits of the division, the representative's subject id or empty."""

    name: str
    kind: str
    status: str
    division: str
    representative: str


def firm_of(entries: Mapping[str, Entry]) -> Firm | None:
    """The firm as its newest registration says; None where there is none that stands."""
    newest: Version | None = None
    for key, entry in entries.items():
        if key.startswith("registration/") and not is_void(entry):
            version = entry.versions[DOCUMENT]
            if newest is None or (version.decided_on, version.revision) > (newest.decided_on, newest.revision):
                newest = version
    if newest is None:
        return None
    body = Registration._make(newest.body)
    return Firm(body.name, KINDS[body.kind], _STATUSES[body.status], body.division, body.representative)


def occurrences(
    entries: Mapping[str, Entry], representative: Mapping[str, Entry], subject: str, policy: Policy, day: int
) -> Iterator[Occurrence]:
    """All occurrences that hold on a day.

    Args:
        entries: of the firm, as known on the day.
        representative: of its legal representative, likewise; empty where there is none.
        subject: the firm's id.
        policy: which lists there are, and how long they hold.
        day: days since 1970-01-01.
    """
    held: dict[str, Entry] = {}
    registered: list[tuple[int, int, str, str]] = []
    for key, entry in entries.items():
        record = key[: key.index("/")]
        if record in _HELD and is_active(record, entry):
            held[key] = entry
        elif record in _STATE_OF and not _is_gone(entry):
            version = entry.versions[DOCUMENT]
            yield make(Occurrence, (record, *_STATE_OF[record](version), key))
        elif record == "registration" and not is_void(entry):
            version = entry.versions[DOCUMENT]
            status = _STATUSES[Registration._make(version.body).status]
            registered.append((version.decided_on, version.revision, key, status))
    if registered:
        yield from _registered(sorted(registered))
    if held:
        yield from _held(held, policy, day)
    if representative:
        yield from _of_representative(representative, subject, policy, day)


def _is_gone(entry: Entry) -> bool:
    """Whether a document no longer counts: withdrawn, or repaired."""
    return is_void(entry) or (len(entry.versions) > 1 and _is_repaired(entry))


def _first(states: tuple[str, ...]) -> Callable[[Version], tuple[str, int]]:
    return lambda version: (states[int(version.body[0] or 0)], version.decided_on)


def _removed(version: Version) -> tuple[str, int]:
    removed_on = bodies.AbnormalEntry._make(version.body).removed_on
    return "REMOVED", version.decided_on if removed_on is None else removed_on


_STATE_OF: dict[str, Callable[[Version], tuple[str, int]]] = {
    **{record: _first(states) for record, states in STATES.items()},
    "penalty": _first(tuple(one.name for one in Severity)),
    "arrears": lambda version: ("SETTLED" if version.body[2] else "OWED", version.decided_on),
    "award": lambda version: ("GIVEN", version.decided_on),
    "abnormal_entry": _removed,  # one in force is held, and does not come here
}
"""Record types of which each document is an occurrence: its state and day."""


def _is_repaired(entry: Entry) -> bool:
    return any(step.body[0] == RepairState.GRANTED for step in entry.amendments("repair"))


def _registered(found: list[tuple[int, int, str, str]]) -> Iterator[Occurrence]:
    first, newest = found[0], found[-1]
    yield Occurrence("registration", "NEW", first[0], first[2])
    for decided_on, _, key, _ in found[1:]:
        yield Occurrence("registration", "CHANGED", decided_on, key)
    if newest[3] in ("SUSPENDED", "REVOKED"):
        yield Occurrence("registration", newest[3], newest[0], newest[2])


def _held(held: Mapping[str, Entry], policy: Policy, day: int) -> Iterator[Occurrence]:
    newest: dict[int | str | None, tuple[int, str, str]] = {}
    for one in holdings(held, policy):
        record = one.key[: one.key.index("/")]
        if not (one.decided_on <= day and (one.until is None or day < one.until)):
            continue
        if record == "abnormal_entry":
            yield Occurrence(record, "ENTERED", one.decided_on, one.key)
        elif record == "listing":
            yield Occurrence(record, _colour(policy, one.list_code), one.decided_on, one.key)
        elif record == "rating":
            scheme = held[one.key].versions[DOCUMENT].body[0]
            newest[scheme] = max(newest.get(scheme, (0, "", "")), (one.decided_on, one.key, one.grounds))
    for scheme, (decided_on, key, grade) in newest.items():
        name = RATING_SCHEMES[int(scheme or 0)]
        if name != SCHEME:  # a class must not feed on itself
            yield Occurrence("rating", f"{name}:{grade}", decided_on, key)


def _of_representative(entries: Mapping[str, Entry], subject: str, policy: Policy, day: int) -> Iterator[Occurrence]:
    held = {
        key: entry
        for key, entry in entries.items()
        if key.startswith(("listing/", "related/")) and is_active(key[: key.index("/")], entry)
    }
    for one in holdings(held, policy) if held else ():
        if one.subject == subject or _colour(policy, one.list_code) != "BLACK":
            continue  # the firm's own listing, back by way of its representative
        if one.decided_on <= day and (one.until is None or day < one.until):
            yield Occurrence("representative", "RELATED" if one.subject else "LISTED", one.decided_on, one.key)


def _colour(policy: Policy, list_code: str) -> str:
    rule = policy.lists.get(list_code)
    return rule.colour.upper() if rule is not None else ""
