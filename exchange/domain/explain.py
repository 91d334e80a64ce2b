"""Explain: why each measure of a subject holds, which rules of its lists do not apply and why, and what would be without a document.

Pure: an explanation is the judgement read aloud, with the rules that it passed over.
"""

from dataclasses import dataclass
from enum import StrEnum

from exchange.domain.judge import Judgement, RuleBook, Support, judge
from exchange.domain.policy import MeasureRule, Policy
from exchange.domain.record import Entry, split_key
from exchange.domain.standing import Standing
from exchange.domain.terms import Holding


class WhyNot(StrEnum):
    """Why a rule of a list that the subject is on obliges nobody."""

    NO_BASIS = "no_basis_in_force"
    NOT_SERIOUS = "not_serious"
    OTHER_TARGET = "other_target"
    OTHER_ROLE = "other_role"
    OTHER_REGION = "other_region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One measure of one department, and every listing and rule that supports it."""

    department: str
    measure: str
    supports: tuple[Support, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A rule of a list that the subject is on, and why it does not apply."""

    holding: Holding
    rule: MeasureRule
    why: WhyNot


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a standing has its measures on one day (days since 1970-01-01), by one version of the policy."""

    as_of: int
    policy_version: str
    measures: tuple[Explained, ...]
    passed_over: tuple[PassedOver, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """(department, measure) pairs that one judgement has and another has not."""

    gained: tuple[tuple[str, str], ...]
    lost: tuple[tuple[str, str], ...]


def explain(standing: Standing, book: RuleBook, *, person: bool = False) -> Explanation:
    """Why each measure holds, and why the other rules of the subject's lists do not apply.

    Args:
        standing: as stored or as folded.
        book: policy and day.
        person: whether the subject is a natural person.
    """
    judgement = judge(standing, book, person=person)
    measures = tuple(
        Explained(department=department, measure=measure, supports=supports)
        for department, found in sorted(judgement.measures.items())
        for measure, supports in sorted(found.items())
    )
    passed_over = tuple(
        PassedOver(holding=holding, rule=rule, why=why)
        for holding in judgement.holdings
        for rule in _rules_of(holding, book.policy)
        if (why := why_not(rule, holding, book, person=person)) is not None
    )
    return Explanation(
        as_of=book.as_of, policy_version=book.policy.version, measures=measures, passed_over=passed_over
    )  # fmt: skip


def _rules_of(holding: Holding, policy: Policy) -> tuple[MeasureRule, ...]:
    elsewhere = tuple(rule for rule in policy.rules_elsewhere if rule.list_code == holding.list_code)
    return (*policy.rules_by_list.get(holding.list_code, ()), *elsewhere)


def why_not(rule: MeasureRule, holding: Holding, book: RuleBook, *, person: bool) -> WhyNot | None:
    """Why a rule of the holding's list does not apply to it; None when it does."""
    valid, invalid = book.rules(holding.list_code, holding.role, serious=holding.serious, person=person)
    if rule in valid:
        return None
    if rule in book.policy.rules_elsewhere:
        return WhyNot.OTHER_REGION
    if rule in invalid or not rule.effective_from <= book.as_of < rule.effective_to:
        return WhyNot.NO_BASIS
    if rule.role != holding.role:
        return WhyNot.OTHER_ROLE
    gravely, _ = book.rules(holding.list_code, holding.role, serious=True, person=person)
    return WhyNot.NOT_SERIOUS if rule in gravely else WhyNot.OTHER_TARGET


def without_document(standing: Standing, document: str) -> Standing:
    """The standing as if the documents of this number (or entry key) had never been; counts are left as they are."""
    active: dict[str, Entry] = {
        key: entry for key, entry in standing.active.items() if document not in (key, *_documents(key))
    }
    return standing._replace(active=active)


def _documents(key: str) -> tuple[str, ...]:
    """Numbers that an entry goes by: its own, and of a related listing also the listing's."""
    record_type, _, document = split_key(key)
    if record_type != "related":
        return (document,)
    listing, _, _ = document.rpartition("|")
    return (document, split_key(listing)[2])


def compare(before: Judgement, after: Judgement) -> Difference:
    """What is gained and lost from one judgement to another."""
    was, now = _pairs(before), _pairs(after)
    return Difference(gained=tuple(sorted(now - was)), lost=tuple(sorted(was - now)))


def _pairs(judgement: Judgement) -> set[tuple[str, str]]:
    return {(department, measure) for department, found in judgement.measures.items() for measure in found}
