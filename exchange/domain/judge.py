"""Judge: which measures follow from a standing under the policy of a day. A pure function, never edited in place.

A measure holds as long as at least one listing supports it (the last-support rule), and only where its legal basis is in
force on that day; a rule whose basis is not is counted and obliges nobody.
"""

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from exchange.domain.policy import MeasureRule, Policy
from exchange.domain.record import Entry, make, split_key
from exchange.domain.standing import Standing
from exchange.domain.terms import Holding, holdings

PERSON_ROLES = (
    "LEGAL_REPRESENTATIVE",
    "DIRECTOR",
    "SUPERVISOR",
    "SENIOR_MANAGER",
    "DIRECTLY_RESPONSIBLE",
    "BENEFICIAL_OWNER",
)


DEFAULT_RESPOND_WITHIN = 5
"""Working days for the confirmation of a measure that no rule knows any more."""


class Support(NamedTuple):
    """Why a measure holds: the place on a list and the rule that follows from it."""

    holding: Holding
    rule: MeasureRule


class Judgement(NamedTuple):
    """What follows from a standing on one day.

    measures: department to measure to what supports it.
    holdings: the places on lists in force.
    expired: keys of active entries whose term is over; they leave the standing.
    due: the next day on which this judgement changes by itself; 0 if none.
    without_basis: (list, measure) of rules that had no legal basis in force.
    reaching: related person to the holdings that reach him, with his role.
    merged_into: the canonical subject of an alias.
    """

    measures: dict[str, dict[str, tuple[Support, ...]]]
    holdings: tuple[Holding, ...]
    expired: tuple[str, ...]
    due: int
    without_basis: tuple[tuple[str, str], ...]
    reaching: dict[str, tuple[Holding, ...]]
    merged_into: str


NOTHING = Judgement({}, (), (), 0, (), {}, "")
"""What follows for a subject that is on no list and no alias."""


class RuleBook:
    """A policy on one day: the rules in force by list, role and gravity, looked up once each."""

    def __init__(self, policy: Policy, as_of: int) -> None:
        self.policy = policy
        self.as_of = as_of
        self.next_edge = min((edge for edge in policy.edges if edge > as_of), default=0)
        self._found: dict[tuple[str, str, bool, bool], tuple[tuple[MeasureRule, ...], tuple[MeasureRule, ...]]] = {}
        self._roles: dict[tuple[str, bool], tuple[str, ...]] = {}
        terms = [rule.respond_within_working_days for rules in policy.rules_by_list.values() for rule in rules]
        self.shortest_response = min(terms, default=DEFAULT_RESPOND_WITHIN)
        self._within: dict[tuple[str, str], int] = {}

    def rules(
        self, list_code: str, role: str, *, serious: bool, person: bool
    ) -> tuple[tuple[MeasureRule, ...], tuple[MeasureRule, ...]]:
        """Rules in force today, and rules that would apply but whose basis is not in force."""
        wanted = (list_code, role, serious, person)
        found = self._found.get(wanted)
        if found is None:
            applying = [
                rule
                for rule in self.policy.rules_by_list.get(list_code, ())
                if rule.role == role
                and (serious or not self._needs_serious(rule))
                and (role or _targets(rule, person=person))
            ]
            valid = tuple(rule for rule in applying if rule.effective_from <= self.as_of < rule.effective_to)
            # A rule to come is no rule yet, and one whose measure passed to a successor is no gap.
            given = {rule.measure for rule in valid}
            expired = (rule for rule in applying if rule.effective_to <= self.as_of and rule.measure not in given)
            found = self._found[wanted] = (valid, tuple(expired))
        return found

    def roles(self, list_code: str, *, serious: bool) -> tuple[str, ...]:
        """The roles of persons whom a listing of an organisation reaches today."""
        wanted = (list_code, serious)
        if wanted not in self._roles:
            self._roles[wanted] = tuple(
                role for role in PERSON_ROLES if self.rules(list_code, role, serious=serious, person=True)[0]
            )
        return self._roles[wanted]

    def respond_within(self, department: str, measure: str) -> int:
        """Working days within which a department confirms the end of a measure: as for imposing it, by any rule that ever did."""
        wanted = (department, measure)
        if wanted not in self._within:
            self._within[wanted] = min(
                (
                    rule.respond_within_working_days
                    for rules in self.policy.rules_by_list.values()
                    for rule in rules
                    if (rule.department, rule.measure) == wanted
                ),
                default=DEFAULT_RESPOND_WITHIN,
            )
        return self._within[wanted]

    def _needs_serious(self, rule: MeasureRule) -> bool:
        listed = self.policy.lists.get(rule.list_code)
        since = listed.joint_requires_serious_from if listed else None
        return rule.requires_serious or (since is not None and since <= self.as_of)


def _targets(rule: MeasureRule, *, person: bool) -> bool:
    return rule.target == "ANY" or (rule.target == "PERSON") == person


def newest_registration(active: dict[str, Entry]) -> Entry | None:
    """The registration that counts: the latest decided, of all that the subject has."""
    found = [
        (entry.versions[""].decided_on, entry.versions[""].revision, key)
        for key, entry in active.items()
        if key.startswith("registration/")
    ]
    return active[max(found)[2]] if found else None


def _canonical(active: dict[str, Entry]) -> str:
    """The subject that an alias belongs to: of several claims the earliest decided.

    Two older codes that claim each other stand each for itself: neither can say whose they both are.
    """
    claims = [
        (entry.versions[""].decided_on, split_key(key)[1]) for key, entry in active.items() if key.startswith("link/")
    ]
    if claims and any(key.startswith("alias/") for key in active):
        claimed = {
            split_key(key)[2] for key, entry in active.items() if key.startswith("alias/") and "" in entry.versions
        }
        claims = [claim for claim in claims if claim[1] not in claimed]
    return min(claims)[1] if claims else ""


def _reaching(active: dict[str, Entry], in_force: Iterable[Holding], book: RuleBook) -> dict[str, tuple[Holding, ...]]:
    """The persons whom the subject's own listings reach, by the newest registration's roles."""
    registration = newest_registration(active)
    if registration is None:
        return {}
    body = registration.versions[""].body
    roles = [("LEGAL_REPRESENTATIVE", str(body[4]))] if body[4] else []
    for officer in str(body[5]).split():
        role, _, person = officer.partition("=")
        roles.append((role, person))
    reached: dict[str, tuple[Holding, ...]] = {}
    for holding in in_force:
        if not holding.role:
            wanted = book.roles(holding.list_code, serious=holding.serious)
            for role, person in roles:
                if role in wanted:
                    reached[person] = (*reached.get(person, ()), holding._replace(role=role))
    return reached


def _measures(
    in_force: Iterable[Holding], book: RuleBook, *, person: bool
) -> tuple[dict[str, dict[str, tuple[Support, ...]]], tuple[tuple[str, str], ...]]:
    """What the holdings oblige each department to, and the rules that had no basis."""
    measures: dict[str, dict[str, tuple[Support, ...]]] = {}
    without_basis: list[tuple[str, str]] = []
    for holding in in_force:
        valid, invalid = book.rules(holding.list_code, holding.role, serious=holding.serious, person=person)
        for rule in valid:
            of_department = measures.setdefault(rule.department, {})
            of_department[rule.measure] = (*of_department.get(rule.measure, ()), make(Support, (holding, rule)))
        without_basis += [(holding.list_code, rule.measure) for rule in invalid]
    return measures, tuple(without_basis)


def judge(standing: Standing, book: RuleBook, *, person: bool = False) -> Judgement:
    """What follows from the standing under the rule book's policy and day.

    Args:
        standing: only its active entries are read.
        book: policy and day.
        person: whether the subject is a natural person; measures apply to the class they target.
    """
    today = book.as_of
    merged_into = _canonical(standing.active)
    held = holdings(standing.active, book.policy)
    if not held and not merged_into:
        return NOTHING
    in_force, expired, dates = [], [], []
    for holding in held:
        if holding.until is not None and holding.until <= today:
            expired.append(holding.key)
        elif holding.decided_on > today:
            dates.append(holding.decided_on)
        else:
            if holding.until is not None:
                dates.append(holding.until)
            if holding.list_code:
                in_force.append(holding)
    if merged_into:
        in_force = []
    if in_force and book.next_edge:
        dates.append(book.next_edge)
    measures, without_basis = _measures(in_force, book, person=person)
    return Judgement(
        measures,
        tuple(in_force),
        tuple(expired),
        min(dates, default=0),
        without_basis,
        _reaching(standing.active, in_force, book) if in_force else {},
        merged_into,
    )


def fingerprint(supports: tuple[Support, ...]) -> int:
    """A checksum of why a measure holds; when it changes the department is told."""
    reasons = [(holding.key, holding.until, rule.memorandum, rule.article) for holding, rule in supports]
    return mark(reasons)


def mark(reasons: Iterable[tuple[str, int | None, str, str]]) -> int:
    """The checksum over (entry key, until, memorandum, article) of each support, in any order."""
    lines = [f"{key} {until} {memo} {article}" for key, until, memo, article in reasons]
    lines.sort()
    return crc32("\n".join(lines).encode())
