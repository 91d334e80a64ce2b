"""Fold: one changed entry brings a standing up to date, at a cost that does not depend on the length of the history.

A standing is a sum over its entries: counts are a commutative group, `active` is keyed by entry. So an entry's old part is
taken out and its new part put in, and any order of records ends in the same standing.
"""

from collections.abc import Callable, Iterable, Mapping

from exchange.domain import bodies
from exchange.domain.bodies import AbnormalState, ObjectionState, Severity, WarningState
from exchange.domain.handover import visible
from exchange.domain.record import DOCUMENT, Body, Entry, Fact, Version, make, merge, split_key
from exchange.domain.repair import open_application
from exchange.domain.standing import EMPTY, TO_BE_FOUND, Answer, Application, Standing

JUDGED = frozenset({"registration", "listing", "abnormal_entry", "rating", "early_warning", "alias", "related", "link"})
"""Record types whose entries can oblige somebody; the rest is only counted."""

NO_LONGER = -1
"""In place of the day of a link: the subject no longer claims the older code."""

UNCOUNTED = frozenset({"alias", "related", "link", "pseudonym_change"})
"""Entries that are no documents of their own."""

_MAY_END = ("listing", "abnormal_entry", "rating")
"""Record types whose entries leave a standing when their term is over."""

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
    if record_type == "early_warning":
        return body[2] != WarningState.ENDED
    return not (record_type == "related" and body[5]) and not (record_type == "link" and body[0] == NO_LONGER)


def oblige(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Of all entries of a subject those that can oblige somebody: what is `active` before any term is over."""
    seen = {key: visible(entry) for key, entry in entries.items()}
    return {
        key: entries[key] if key.startswith("alias/") else entry
        for key, entry in seen.items()
        if is_active(key[: key.index("/")], entry)
    }


def is_whole(standing: Standing) -> bool:
    """Whether a standing still has every entry that could oblige somebody: none has left because its term was over."""
    for record_type in _MAY_END:
        counted = standing.counts.get(record_type, 0)
        if counted and counted > sum(key.startswith(f"{record_type}/") for key in standing.active):
            return False
    return True


def fold(standing: Standing, key: str, before: Entry | None, after: Entry) -> Standing:
    """The standing after one of its entries changed from `before` to `after`.

    A receipt or a feedback that an alias handed over is counted; what it answers is a notice about the alias, not about this subject.
    """
    (
        counts, active, told, sent, delivered, answers, merged_into, as_of, due, updated_at, policy, respond_due,
        applications,
    ) = standing  # fmt: skip
    record_type = key[: key.index("/")]
    whole, own, amended = after, after.versions.get(DOCUMENT), len(after.versions) > 1
    after = visible(after)
    changes = tally(record_type, after)
    if before is not None:
        changes += tuple((name, -amount) for name, amount in tally(record_type, visible(before)))
    if changes:
        counts = _add(counts, changes)
    if record_type in JUDGED:
        active = active.copy()
        active.pop(key, None)  # and in again at the end, as ever
        if is_active(record_type, after):  # of a claim with who handed it over: only one's own is told further
            active[key] = after if record_type != "alias" else whole
    for version in after.versions.values():
        if version.arrived_at > updated_at:
            updated_at = version.arrived_at
    if amended:
        respond_due, applications = TO_BE_FOUND, _applied(applications, key, after)
    if record_type == "delivery_receipt" and own is not None:
        delivered = _delivered(delivered, key, own)
    elif record_type == "measure_feedback" and own is not None:
        answers, respond_due = _answered(answers, key, own), TO_BE_FOUND
    return make(
        Standing,
        (counts, active, told, sent, delivered, answers, merged_into, as_of, due, updated_at, policy, respond_due,
         applications),
    )  # fmt: skip


def _add(counts: dict[str, int], changes: Tally) -> dict[str, int]:
    counts = counts.copy()
    for name, amount in changes:
        total = counts.get(name, 0) + amount
        if total:
            counts[name] = total
        else:  # left out, so that equal standings are equal however they came about
            counts.pop(name, None)
    return counts


def _applied(applications: dict[str, Application], key: str, entry: Entry) -> dict[str, Application]:
    """The open applications for repair, with a changed entry's; the same object if that changes nothing."""
    application = None if is_void(entry) else open_application(entry)
    if application == applications.get(key):
        return applications
    others = {other: open_ for other, open_ in applications.items() if other != key}
    return others if application is None else {**others, key: application}


def _delivered(delivered: dict[str, tuple[int, int]], key: str, version: Version) -> dict[str, tuple[int, int]]:
    """The newest sequences delivered, with a receipt taken in."""
    receipt = bodies.Receipt._make(version.body)
    department = receipt.receiver or split_key(key)[1]
    sequence = (receipt.epoch, receipt.n)
    return delivered if sequence <= delivered.get(department, (0, 0)) else {**delivered, department: sequence}


def _answered(answers: dict[str, Answer], key: str, version: Version) -> dict[str, Answer]:
    """The newest answers, with a feedback taken in."""
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
