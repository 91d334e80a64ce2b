"""Fold: one changed entry brings a standing up to date, at a cost that does not depend on the length of the history.

A standing is a sum over its entries: counts are a commutative group, `active` is keyed by entry. So an entry's old part is
taken out and its new part put in, and any order of records ends in the same standing.
"""

from collections.abc import Iterable, Mapping

from exchange.domain import bodies
from exchange.domain.bodies import AbnormalState, ObjectionState, Severity
from exchange.domain.record import Entry, Fact, merge
from exchange.domain.standing import EMPTY, Standing

JUDGED = frozenset({"registration", "listing", "abnormal_entry", "rating", "alias", "related", "link"})
"""Record types whose entries can oblige somebody; the rest is only counted."""

UNCOUNTED = frozenset({"alias", "related", "link"})
"""Entries that are no documents of their own."""

_SEVERITIES = tuple(f"penalty_{severity.name.lower()}" for severity in Severity)
_COMMITMENTS = ("commitment_made", "commitment_kept", "commitment_broken")
_INSPECTIONS = ("inspection_passed", "inspection_failed", "inspection_refused", "inspection_unreachable")


def is_void(entry: Entry) -> bool:
    """Whether the document is as if it had never been: withdrawn, or an objection to it was upheld."""
    if len(entry.versions) == 1:
        return not entry.document
    return (
        entry.document is None
        or bool(entry.amendments("withdrawal"))
        or any(version.body[0] == ObjectionState.UPHELD for version in entry.amendments("objection"))
    )


def tally(record_type: str, entry: Entry) -> tuple[tuple[str, int], ...]:
    """What an entry adds to the counts of its subject."""
    if is_void(entry):
        return ()
    body = entry.versions[""].body
    if record_type == "penalty":
        severity, fine = body[0], body[1]
        return (("penalty", 1), (_SEVERITIES[severity], 1), ("fine", fine))  # type: ignore[index,return-value] # likewise
    if record_type == "commitment":
        return ((_COMMITMENTS[body[0]], 1),)  # type: ignore[index] # numbers: validated at the border
    if record_type == "inspection_result":
        return ((_INSPECTIONS[body[0]], 1),)  # type: ignore[index] # numbers: validated at the border
    if record_type == "arrears":
        arrears = bodies.Amount._make(body)
        return (("arrears_settled", 1),) if arrears.until else (("arrears", 1), ("arrears_fen", arrears.amount))
    return () if record_type in UNCOUNTED else ((record_type, 1),)


def is_active(record_type: str, entry: Entry) -> bool:
    """Whether an entry can oblige somebody, its term aside (terms are the judge's, which knows the policy)."""
    if record_type not in JUDGED or is_void(entry):
        return False
    body = entry.versions[""].body
    if record_type == "abnormal_entry":
        return body[1] != AbnormalState.REMOVED
    return not (record_type == "related" and body[5])


def fold(standing: Standing, key: str, before: Entry | None, after: Entry) -> Standing:
    """The standing after one of its entries changed from `before` to `after`."""
    record_type = key[: key.index("/")]
    counts = standing.counts.copy()
    if before is not None:
        for name, amount in tally(record_type, before):
            _add(counts, name, -amount)
    for name, amount in tally(record_type, after):
        _add(counts, name, amount)
    active = standing.active
    if record_type in JUDGED:
        active = {other: entry for other, entry in active.items() if other != key}
        if is_active(record_type, after):
            active[key] = after
    updated_at = standing.updated_at
    for version in after.versions.values():
        if version.arrived_at > updated_at:
            updated_at = version.arrived_at
    # Spelled out: the hot path's cost is this copy, and `_replace` doubles it.
    return Standing(
        counts, active, standing.told, standing.sent, standing.merged_into, standing.as_of, standing.due, updated_at,
        standing.policy,
    )  # fmt: skip


def _add(counts: dict[str, int], name: str, amount: int) -> None:
    """Zero is left out, so that equal standings are equal however they came about."""
    total = counts.get(name, 0) + amount
    if total:
        counts[name] = total
    else:
        counts.pop(name, None)


def fold_all(facts: Iterable[Fact]) -> tuple[dict[str, Entry], Standing]:
    """Entries and standing from all facts of one subject at once: the plain meaning of the incremental fold."""
    entries: dict[str, Entry] = {}
    for fact in facts:
        entries[fact.key] = merge(entries.get(fact.key), fact)
    return entries, stand(entries)


def stand(entries: Mapping[str, Entry]) -> Standing:
    """The standing of a subject with these entries, before it is judged."""
    standing = EMPTY
    for key, entry in entries.items():
        standing = fold(standing, key, None, entry)
    return standing
