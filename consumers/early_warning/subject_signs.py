"""The signs that a subject's own records give: expired licences, a burst of penalties, insolvency; and how each is explained."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from consumers.early_warning.subject_facts import ACTIVE, NONE, Facts, department_of, on_lists
from consumers.early_warning.words import day_words
from exchange.domain.bodies import WarningLevel
from exchange.domain.policy import Policy, SignalRule
from exchange.labels import Label

_RESPONDENT, _DEBTOR = 1, 3
"""Positions of PartyRole."""
_ENFORCEMENT, _BANKRUPTCY = 3, 4
"""Positions of CaseKind."""
_ARREARS = (Label("欠缴税款", "taxes"), Label("拖欠工资", "wages"), Label("欠缴社会保险费", "social insurance"))
"""By position of ArrearsKind."""
MOST_DOCUMENTS = 20
"""So many documents are named as evidence; the count says how many there are."""


class Sign(NamedTuple):
    """A sign that holds: symbols of signal and domain, level, count and threshold, why, and on which documents it rests."""

    signal: str
    domain: str
    level: WarningLevel
    observed: int
    threshold: int
    explanation: Label
    documents: tuple[str, ...]


def level_of(rule: SignalRule, count: int) -> WarningLevel | None:
    """How grave a count is by the rule; None where it is not warned about."""
    reached = [level for level, least in zip(WarningLevel, rule.levels, strict=True) if least and count >= least]
    return max(reached, default=None)


def signs_of(facts: Facts, rules: Mapping[str, SignalRule], policy: Policy, today: int) -> Iterator[Sign]:
    """The signs that hold today.

    Args:
        facts: of the subject.
        rules: the thresholds in force today, by signal.
        policy: knows lists, and which department belongs to which domain.
        today: days since 1970-01-01.
    """
    if "EXPIRED_LICENCE" in rules:
        yield from _expired(facts, rules["EXPIRED_LICENCE"], policy, today)
    if "PENALTY_BURST" in rules:
        yield from _burst(facts, rules["PENALTY_BURST"], policy, today)
    if "INSOLVENCY" in rules:
        yield from _insolvency(facts, rules["INSOLVENCY"], policy, today)


def shared_sign(rule: SignalRule, counted: int) -> Sign | None:
    """The sign of an address or a representative with so many firms that count; it names neither."""
    level = level_of(rule, counted)
    if level is None:
        return None
    # The count of the level, not of the day: else each new firm would change what was said about all others.
    least = rule.levels[level]
    if rule.signal == "SHARED_ADDRESS":
        why = Label(
            f"同一住所登记的存续市场主体达到{least}户。", f"{least} firms or more are registered at the same address."
        )
    else:
        why = Label(
            f"同一法定代表人名下被吊销、列入异常名录或失信名单的企业达到{least}户。",
            f"{least} firms or more of the same legal representative are revoked or on an abnormal or black list.",
        )
    return Sign(rule.signal, rule.domain, level, least, rule.levels[0], why, ())


def _sign(rule: SignalRule, domain: str, documents: list[str], why: Label, count: int | None = None) -> Iterator[Sign]:
    count = len(documents) if count is None else count
    level = level_of(rule, count)
    if level is not None:
        yield Sign(rule.signal, domain, level, count, rule.levels[0], why, tuple(sorted(documents)[:MOST_DOCUMENTS]))


def _expired(facts: Facts, rule: SignalRule, policy: Policy, today: int) -> Iterator[Sign]:
    registration = facts.registration
    if registration is None or registration.values[0] != ACTIVE:
        return
    licences = list(facts.of("licence"))
    good = {
        (department_of(key), one.values[2])
        for key, one in licences
        if one.values[1] == NONE or int(one.values[1]) >= today
    }
    expired = [
        (key, one)
        for key, one in licences
        if one.values[0] == 0 and one.values[1] != NONE and int(one.values[1]) < today
        and (department_of(key), one.values[2]) not in good
    ]  # fmt: skip
    by_domain: dict[str, list[str]] = {}
    for key, _ in expired:
        by_domain.setdefault(domain_of(department_of(key), rule.domain, policy), []).append(key)
    first = {key: int(one.values[1]) for key, one in expired}
    for domain, keys in sorted(by_domain.items()):
        since = day_words(min(first[key] for key in keys))
        why = Label(
            f"{len(keys)}项许可已过有效期（最早{since.zh}到期），未见续期，主体仍为存续状态。",
            f"{len(keys)} licences are past their last day ({since.en} at the earliest) and not renewed; the firm is still active.",
        )
        yield from _sign(rule, domain, keys, why)


def _burst(facts: Facts, rule: SignalRule, policy: Policy, today: int) -> Iterator[Sign]:
    keys = [key for key, one in facts.of("penalty") if today - rule.within_days < one.decided_on <= today]
    domains = {domain_of(department_of(key), rule.domain, policy) for key in keys}
    domain = domains.pop() if len(domains) == 1 else rule.domain
    why = Label(
        f"{rule.within_days}日内受到{len(keys)}次行政处罚，预警阈值为{rule.levels[0]}次。",
        f"{len(keys)} penalties within {rule.within_days} days; the threshold is {rule.levels[0]}.",
    )
    yield from _sign(rule, domain, keys, why)


def _insolvency(facts: Facts, rule: SignalRule, policy: Policy, today: int) -> Iterator[Sign]:
    found = [*_arrears(facts), *_judgments(facts)]
    found += [
        (key, 0, "defaulter", Label("列入失信被执行人名单", "listed as judgment defaulter"))
        for key, code in on_lists(facts, policy, today)
        if code == "COURT"
    ]
    kinds = {kind: label for _, _, kind, label in found if kind}
    registration = facts.registration
    capital = int(registration.values[3]) if registration is not None else 0
    if 0 < capital < sum(amount for _, amount, _, _ in found):
        kinds["capital"] = Label("已知债务超过注册资本", "known debts above the registered capital")
    named = [label for _, label in sorted(kinds.items())]
    zh, en = "、".join(one.zh for one in named), ", ".join(one.en for one in named)
    why = Label(f"存在{len(named)}类偿债能力异常迹象：{zh}。", f"{len(named)} kinds of sign of insolvency: {en}.")
    yield from _sign(rule, rule.domain, [key for key, *_ in found], why, len(named))


Debt = tuple[str, int, str, Label]
"""The key of a document, the amount in fen, the kind of sign (or "") and what it is called."""


def _arrears(facts: Facts) -> Iterator[Debt]:
    for key, one in facts.of("arrears"):
        kind, amount, settled_on = (int(value) for value in one.values)
        if settled_on == NONE:
            label = _ARREARS[kind] if kind < len(_ARREARS) else Label("", "")
            yield key, amount, f"arrears {kind}" if kind < len(_ARREARS) else "", label


def _judgments(facts: Facts) -> Iterator[Debt]:
    for key, one in facts.of("court_judgment"):
        case, role, amount, performed_on = (int(value) for value in one.values)
        if performed_on != NONE or not (role in (_RESPONDENT, _DEBTOR) or case == _BANKRUPTCY):
            continue
        if case == _BANKRUPTCY:
            yield key, amount, "bankruptcy", Label("涉及破产案件", "a bankruptcy case")
        elif role == _DEBTOR or case == _ENFORCEMENT:
            yield key, amount, "enforcement", Label("为被执行人", "enforcement as judgment debtor")
        else:
            yield key, amount, "judgment", Label("生效裁判未履行", "a judgment not performed")


def domain_of(department: str, otherwise: str, policy: Policy) -> str:
    """The domain of warnings that a department belongs to."""
    return next((one.domain for one in policy.warning_rules if department in one.departments), otherwise)
