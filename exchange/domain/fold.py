"""Fold: one changed entry brings a standing up to date, at a cost that does not depend on the length of the history.

A standing is a sum over its entries: counts are a commutative group, `active` is keyed by entry. So an entry's old part is
taken out and its new part put in, and any order of records ends in the same standing.
"""

from collections.abc import Callable, Iterable, Mapping

from exchange.domain import bodies
from exchange.domain.bodies import AbnormalState, ObjectionState, Severity
from exchange.domain.record import DOCUMENT, Body, Entry, Fact, make, merge, split_key
from exchange.domain.standing import EMPTY, TO_BE_FOUND, Answer, Standing

JUDGED = frozenset({"registration", "listing", "abnormal_entry", "rating", "alias", "related", "link"})
"""Record types whose entries can oblige somebody; the rest is only counted."""

UNCOUNTED = frozenset({"alias", "related", "link"})
"""Entries that are no documents of their own."""

_SEVERITIES = tuple(f"penalty_{severity.name.lower()}" for severity in Severity)
_COMMITMENTS = ("commitment_made", "commitment_kept", "commitment_broken")
_INSPECTIONS = ("inspection_passed", "inspection_failed", "inspection_refused", "inspection_unreachable")


def is_void(entry: Entry) -> bool:
    """Whether the document is as if it had never been: withdrawn, or an objection to it was upheld."""
    versions = entry.versions
    if len(versions) == 1:
        return DOCUMENT not in versions
    return (
        DOCUMENT not in versions
        or bool(entry.amendments("withdrawal"))
        or any(version.body[0] == ObjectionState.UPHELD for version in entry.amendments("objection"))
    )


Tally = tuple[tuple[str, int], ...]


def _penalty(body: Body) -> Tally:
    penalty = bodies.Penalty._make(body)
    return (("penalty", 1), (_SEVERITIES[penalty.severity], 1), ("fine", penalty.fine))


def _commitment(body: Body) -> Tally:
    return ((_COMMITMENTS[bodies.Amount._make(body).state], 1),)


def _inspection(body: Body) -> Tally:
    return ((_INSPECTIONS[bodies.Amount._make(body).state], 1),)


def _arrears(body: Body) -> Tally:
    arrears = bodies.Amount._make(body)
    return (("arrears_settled", 1),) if arrears.until else (("arrears", 1), ("arrears_fen", arrears.amount))


def _uncounted(_: Body) -> Tally:
    return ()


_TALLIES: dict[str, Callable[[Body], Tally]] = {
    "penalty": _penalty, "commitment": _commitment, "inspection_result": _inspection, "arrears": _arrears,
} | dict.fromkeys(UNCOUNTED, _uncounted)  # fmt: skip


def tally(record_type: str, entry: Entry) -> Tally:
    """What an entry adds to the counts of its subject; most documents add one."""
    if is_void(entry):
        return ()
    counted = _TALLIES.get(record_type)
    return counted(entry.versions[DOCUMENT].body) if counted else ((record_type, 1),)


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
    counts = standing.counts
    changes = tally(record_type, after)
    if before is not None:
        changes += tuple((name, -amount) for name, amount in tally(record_type, before))
    if changes:
        counts = _add(counts, changes)
    active = standing.active
    if record_type in JUDGED:
        active = active.copy()
        active.pop(key, None)  # and in again at the end, as ever
        if is_active(record_type, after):
            active[key] = after
    updated_at = standing.updated_at
    for version in after.versions.values():
        if version.arrived_at > updated_at:
            updated_at = version.arrived_at
    _, _, told, sent, delivered, answers, merged_into, as_of, due, _, policy, respond_due = standing
    if len(after.versions) > 1:
        respond_due = TO_BE_FOUND  # an application for repair may be among them
    if record_type == "delivery_receipt":
        delivered = _delivered(delivered, key, after)
    elif record_type == "measure_feedback":
        answers, respond_due = _answered(answers, key, after), TO_BE_FOUND
    return make(
        Standing,
        (counts, active, told, sent, delivered, answers, merged_into, as_of, due, updated_at, policy, respond_due),
    )


def _add(counts: dict[str, int], changes: Tally) -> dict[str, int]:
    counts = counts.copy()
    for name, amount in changes:
        total = counts.get(name, 0) + amount
        if total:
            counts[name] = total
        else:  # left out, so that equal standings are equal however they came about
            counts.pop(name, None)
    return counts


def _delivered(delivered: dict[str, tuple[int, int]], key: str, entry: Entry) -> dict[str, tuple[int, int]]:
    """The newest sequences delivered, with a receipt taken in."""
    receipt = bodies.Receipt._make(entry.versions[DOCUMENT].body)
    department = receipt.receiver or split_key(key)[1]
    sequence = (receipt.epoch, receipt.n)
    return delivered if sequence <= delivered.get(department, (0, 0)) else {**delivered, department: sequence}


def _answered(answers: dict[str, Answer], key: str, entry: Entry) -> dict[str, Answer]:
    """The newest answers, with a feedback taken in."""
    version = entry.versions[DOCUMENT]
    _, department, document = split_key(key)
    feedback = bodies.Feedback._make(version.body)
    name = f"{department} {feedback.measure}"
    answer = Answer(
        version.revision, version.digest, feedback.epoch, feedback.n, feedback.state, version.decided_on,
        feedback.executed_on, feedback.amount, feedback.snoozed_until, feedback.officer, document,
    )  # fmt: skip
    known = answers.get(name)
    return answers if known is not None and known >= answer else {**answers, name: answer}


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
