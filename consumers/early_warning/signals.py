"""Signs about single subjects: from a subject's own records, and from what firms share (an address, a representative).

Pure: each step takes the state of one key and gives the new one, with what is to be said and what is to be passed on. Facts merge by the
greater revision, so duplicates and disorder end in the same state. What was said is part of the state: only changes are said, and a
sign that is gone is said to have ended.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from consumers.early_warning.findings import SubjectFinding
from consumers.early_warning.subject_facts import Facts, Firm, facts_after, next_change, shared_by
from consumers.early_warning.subject_signs import Sign, shared_sign, signs_of
from exchange.domain.bodies import WarningLevel
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, day_of
from exchange.domain.identity import SubjectId
from exchange.domain.policy import Policy, SignalRule

Plain = Mapping[str, Any]
RENEW_BEFORE_DAYS = 7
"""A warning whose cause goes on is renewed so many days before it would lapse."""
ENDED = -1


class Link(NamedTuple):
    """What a firm passes on: the key of what it shares, and the fact for `SubjectSignals.step_shared`."""

    key: str
    fact: bytes


class _Said(msgspec.Struct, array_like=True):
    """What was last said of one sign: its level (or ENDED), the day it was raised, until when it holds, the revision, what was counted."""

    level: int
    since: int
    valid_until: int
    revision: int
    observed: int


class _Own(msgspec.Struct, array_like=True):
    """The state of a subject: its facts, what was said by `signal/domain`, what was passed on last, the newest time seen (ms)."""

    subject: str
    facts: Facts
    said: dict[str, _Said]
    linked: dict[str, Firm]
    at: int


class _Passed(msgspec.Struct, array_like=True):
    """What a firm last said to a key: when, how many times, and what; None when it shares this no more."""

    subject: str
    at: int
    firm: Firm | None


class _Shared(msgspec.Struct, array_like=True):
    """The state of an address or a representative: its firms, what was said about each, the newest time seen (ms)."""

    members: dict[str, _Passed]
    said: dict[str, _Said]
    at: int


class Step(NamedTuple):
    """The new state, what is to be said, and what is to be passed on."""

    state: bytes
    findings: tuple[SubjectFinding, ...] = ()
    links: tuple[Link, ...] = ()


class SubjectSignals:
    """Watches subjects, addresses and representatives.

    Args:
        policy: with the thresholds.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._windows = {rule.within_days for rule in policy.signal_rules if rule.within_days}

    def step(self, state: bytes, record_type: str, value: Plain, at: int) -> Step:
        """Take in a record of a subject.

        Args:
            state: of the subject; empty when nothing is known.
            record_type: slug.
            value: the plain record: days, milliseconds, positions of enums.
            at: when the bus received it, milliseconds since 1970-01-01 UTC.
        """
        subject = str(value["subject"])
        if not subject.startswith("org:"):  # no warning is about a person; older codes are linked to their organisation
            return Step(state)
        own = msgspec.msgpack.decode(state, type=_Own) if state else _Own(subject, Facts(), {}, {}, 0)
        facts = facts_after(own.facts, record_type, value)
        if facts is None:
            return Step(state)
        own.facts = facts
        return self._settle(own, at)

    def step_shared(self, key: str, state: bytes, fact: bytes) -> Step:
        """Take in what a firm passed on.

        Args:
            key: of the `Link`: `addr:…` or `rep:…`.
            state: of the key; empty when nothing is known.
            fact: of the `Link`.
        """
        shared = msgspec.msgpack.decode(state, type=_Shared) if state else _Shared({}, {}, 0)
        passed = msgspec.msgpack.decode(fact, type=_Passed)
        known = shared.members.get(passed.subject)
        if known is not None and known.at >= passed.at:
            return Step(state)
        shared.members[passed.subject] = passed
        return self._settle_shared(key, shared, passed.at)

    def due(self, state: bytes, *, shared: bool = False) -> int | None:
        """When something changes by itself (ms): a licence or a listing ends, a penalty is long ago, a warning has to be renewed."""
        if not state:
            return None
        if shared:
            group = msgspec.msgpack.decode(state, type=_Shared)
            days, today, said = [], day_of(group.at), group.said
        else:
            own = msgspec.msgpack.decode(state, type=_Own)
            today, said = day_of(own.at), own.said
            change = next_change(own.facts, self._policy, today, self._windows)
            days = [] if change is None else [change]
        days += [one.valid_until - RENEW_BEFORE_DAYS for one in said.values() if one.level != ENDED]
        days += [max(rule.effective_from, today) for rule in self._policy.signal_rules if rule.effective_from > today]
        return max(min(days), today + 1) * DAY_MS - CHINA_OFFSET_MS if days else None

    def on_due(self, key: str, state: bytes, now: int) -> Step:
        """What has changed by itself up to now (ms), of a subject or of a shared key."""
        if key.startswith(("addr:", "rep:")):
            return self._settle_shared(key, msgspec.msgpack.decode(state, type=_Shared), now)
        return self._settle(msgspec.msgpack.decode(state, type=_Own), now)

    def _settle(self, own: _Own, at: int) -> Step:
        own.at = max(own.at, at)
        today = day_of(own.at)
        rules = self._rules(today)
        signs = {f"{sign.signal}/{sign.domain}": sign for sign in signs_of(own.facts, rules, self._policy, today)}
        found: list[SubjectFinding] = []
        for name in sorted({**own.said, **signs}):
            whom = _Whom(SubjectId(own.subject), own.facts.name, own.facts.division)
            said = _say(whom, name, own.said.get(name), signs.get(name), rules, own.at)
            if said is not None:
                own.said[name], finding = said
                found.append(finding)
        firms = shared_by(own.facts, self._policy, today)
        changed = [key for key in sorted({**own.linked, **firms}) if own.linked.get(key) != firms.get(key)]
        links = [Link(key, msgspec.msgpack.encode(_Passed(own.subject, own.at, firms.get(key)))) for key in changed]
        own.linked = firms
        own.at += bool(links)  # a fact's time orders it among the firm's own, though the clock may stand still
        return Step(msgspec.msgpack.encode(own), tuple(found), tuple(links))

    def _settle_shared(self, key: str, shared: _Shared, at: int) -> Step:
        shared.at = max(shared.at, at)
        rules = self._rules(day_of(shared.at))
        signal = "SHARED_ADDRESS" if key.startswith("addr:") else "SHARED_REPRESENTATIVE"
        firms = {subject: one.firm for subject, one in shared.members.items() if one.firm is not None}
        counted = sum(firm.failing or signal == "SHARED_ADDRESS" for firm in firms.values())
        rule = rules.get(signal)
        sign = shared_sign(rule, counted) if rule is not None else None
        named = f"{signal}/{rule.domain if rule is not None else ''}"
        found: list[SubjectFinding] = []
        for subject in sorted(shared.members):
            firm = firms.get(subject)
            whom = _Whom(SubjectId(subject), firm.name if firm else "", firm.division if firm else "")
            said = _say(whom, named, shared.said.get(subject), sign if firm else None, rules, shared.at)
            if said is not None:
                shared.said[subject], finding = said
                found.append(finding)
        return Step(msgspec.msgpack.encode(shared), tuple(found))

    def _rules(self, today: int) -> dict[str, SignalRule]:
        return {
            rule.signal: rule for rule in self._policy.signal_rules if rule.effective_from <= today < rule.effective_to
        }


class _Whom(NamedTuple):
    """A subject, its name and division."""

    subject: SubjectId
    name: str
    division: str


def _say(
    whom: _Whom, name: str, before: _Said | None, sign: Sign | None, rules: Mapping[str, SignalRule], at: int
) -> tuple[_Said, SubjectFinding] | None:
    """What is to be said of one sign, and the memory of it; None when nothing has changed that is worth saying."""
    today = day_of(at)
    was = before if before is not None and before.level != ENDED else None
    if sign is None and was is None:
        return None
    revision = max(at // 1000, before.revision + 1 if before is not None else 1)
    signal, _, domain = name.partition("/")
    rule = rules.get(signal)
    if sign is None or rule is None:
        return None if was is None else _end(whom, signal, domain, was, revision, at)
    fresh = was is not None and today < was.valid_until - RENEW_BEFORE_DAYS
    if was is not None and fresh and (was.level, was.observed) == (sign.level, sign.observed):
        return None
    since = was.since if was is not None else today
    valid_until = was.valid_until if was is not None and fresh else today + rule.valid_days
    said = _Said(sign.level, since, valid_until, revision, sign.observed)
    return said, SubjectFinding(
        subject=whom.subject, name=whom.name, division=whom.division, signal=signal, domain=domain, level=sign.level,
        observed=sign.observed, threshold=sign.threshold, explanation_zh=sign.explanation.zh,
        explanation_en=sign.explanation.en, documents=sign.documents, since=since, revision=revision, at=at, ended=False,
        valid_until=valid_until, basis=rule.basis,
    )  # fmt: skip


def _end(whom: _Whom, signal: str, domain: str, was: _Said, revision: int, at: int) -> tuple[_Said, SubjectFinding]:
    """That a sign is gone."""
    return _Said(ENDED, was.since, was.valid_until, revision, was.observed), SubjectFinding(
        subject=whom.subject, name=whom.name, division=whom.division, signal=signal, domain=domain,
        level=WarningLevel(was.level), observed=was.observed, threshold=0,
        explanation_zh="预警原因已消除，预警解除。", explanation_en="The cause is gone; the warning is over.", documents=(),
        since=was.since, revision=revision, at=at, ended=True, valid_until=was.valid_until, basis="",
    )  # fmt: skip
