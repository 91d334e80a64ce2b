"""The credit picture (信用画像) of a subject: who, standing, why, since when, what follows, how to repair. Pure, from what the bus keeps."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from consumers.disclosure.documents import Document, documents_of
from exchange.directory import Place
from exchange.domain.bodies import Registration, RepairState
from exchange.domain.judge import Judgement, RuleBook, Support, judge, newest_registration
from exchange.domain.policy import ListRule, Policy
from exchange.domain.record import DOCUMENT, Entry, split_key
from exchange.domain.terms import Holding, add_months
from exchange.look_up import Found


class Overall(StrEnum):
    """The answer at a glance; a graver one outweighs a lighter one."""

    LISTED = "listed"
    WATCHED = "watched"
    TRUSTED = "trusted"
    PLAIN = "plain"
    UNKNOWN = "unknown"


class Listed(NamedTuple):
    """A place on a list and how to get off it.

    rule: the list; None where the policy does not know it. grounds: code, and its name in Chinese and English where known.
    repairable_from: the first day on which a repair can take effect, None where no rule gives one (days since 1970-01-01).
    repair_basis: of that rule; empty where there is none. application: state of the newest application for repair, or "".
    """

    holding: Holding
    rule: ListRule | None
    grounds: tuple[str, str, str]
    basis: str
    repairable_from: int | None
    repair_basis: str
    application: str


class Follow(NamedTuple):
    """One measure, the departments that must take or grant it, and what supports it, each reason once."""

    measure: str
    departments: tuple[str, ...]
    supports: tuple[Support, ...]


class Relation(NamedTuple):
    """Another subject and how it belongs to this one: a role such as LEGAL_REPRESENTATIVE, or ALIAS; `inward` where the other's listing reaches this one."""

    subject: str
    role: str
    inward: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that a picture shows, before anybody's rights narrow it.

    registration: newest small body; text: its full record. sources: department to when its newest record arrived (seconds).
    """

    subject: str
    overall: Overall
    registration: Registration | None
    text: Mapping[str, Any]
    registered_by: str
    aliases: tuple[str, ...]
    lists: tuple[Listed, ...]
    follows: tuple[Follow, ...]
    documents: tuple[Document, ...]
    relations: tuple[Relation, ...]
    sources: Mapping[str, int]
    counts: Mapping[str, int]
    as_of: int
    updated_at: int
    policy_version: str

    def of_type(self, record_type: str) -> list[Document]:
        """The documents of one type, newest first."""
        return [one for one in self.documents if one.type == record_type]


def draw(found: Found, texts: Mapping[Place, Mapping[str, Any]], book: RuleBook) -> Picture:
    """The picture of a subject.

    Args:
        found: subject, standing and entries.
        texts: full records by place, as far as the directory has them.
        book: policy and day.
    """
    judgement = judge(found.standing, book, person=found.is_person)
    active = found.standing.active
    newest = newest_registration(active)
    registration, text, registered_by = None, {}, ""
    if newest is not None:
        version = newest.versions[DOCUMENT]
        registered_by = next(split_key(key)[1] for key, entry in active.items() if entry is newest)
        registration = Registration._make(version.body)
        text = dict(texts.get((registered_by, version.partition, version.offset), {}))
    return Picture(
        subject=found.subject,
        overall=overall_of(_colours(judgement, book.policy), known=found.is_known),
        registration=registration,
        text=text,
        registered_by=registered_by,
        aliases=tuple(sorted(split_key(key)[2] for key in active if key.startswith("alias/"))),
        lists=tuple(_listed(one, found.entries, book) for one in judgement.holdings),
        follows=_follows(judgement),
        documents=tuple(documents_of(found.entries, texts, book.policy, book.as_of)),
        relations=tuple(_relations(registration, active)),
        sources=_sources(found.entries),
        counts=found.standing.counts,
        as_of=book.as_of,
        updated_at=found.standing.updated_at,
        policy_version=book.policy.version,
    )


def _colours(judgement: Judgement, policy: Policy) -> set[str]:
    return {policy.lists[h.list_code].colour for h in judgement.holdings if h.list_code in policy.lists}


def overall_of(colours: AbstractSet[str], *, known: bool) -> Overall:
    """The answer at a glance, of the colours of the lists that the subject is on."""
    if "black" in colours:
        return Overall.LISTED
    if colours & {"abnormal", "watch"}:
        return Overall.WATCHED
    if "red" in colours:
        return Overall.TRUSTED
    return Overall.PLAIN if known else Overall.UNKNOWN


def _follows(judgement: Judgement) -> tuple[Follow, ...]:
    found: dict[str, tuple[list[str], dict[tuple[str, str, str, str], Support]]] = {}
    for department, measures in sorted(judgement.measures.items()):
        for measure, supports in measures.items():
            departments, reasons = found.setdefault(measure, ([], {}))
            departments.append(department)
            for one in supports:
                reasons.setdefault((one.holding.key, one.rule.basis, one.rule.memorandum, one.rule.article), one)
    return tuple(
        Follow(measure, tuple(departments), tuple(reasons.values()))
        for measure, (departments, reasons) in sorted(found.items())
    )


def _listed(holding: Holding, entries: Mapping[str, Entry], book: RuleBook) -> Listed:
    policy, entry = book.policy, entries.get(holding.key)
    rule = policy.lists.get(holding.list_code)
    ground = next((one for one in (rule.grounds if rule else ()) if one.code == holding.grounds), None)
    steps = entry.amendments("repair") if entry is not None else []
    newest = max(steps, key=lambda one: (one.decided_on, one.revision), default=None)
    corrected = newest.body[1] if newest is not None else None
    repairs = [r for r in (rule.repairs if rule else ()) if r.effective_from <= book.as_of < r.effective_to]
    base = corrected if isinstance(corrected, int) else holding.decided_on
    return Listed(
        holding,
        rule,
        (holding.grounds, ground.name_zh if ground else "", ground.name_en if ground else ""),
        ground.basis if ground else "",
        add_months(base, repairs[0].min_months) if repairs and not holding.role else None,
        repairs[0].basis if repairs else "",
        RepairState(int(newest.body[0] or 0)).name.lower() if newest is not None else "",
    )


def _relations(registration: Registration | None, active: Mapping[str, Entry]) -> list[Relation]:
    found = []
    if registration is not None:
        if registration.representative:
            found.append(Relation(registration.representative, "LEGAL_REPRESENTATIVE", inward=False))
        for officer in registration.officers.split():
            role, _, person = officer.partition("=")
            found.append(Relation(person, role, inward=False))
    for key in active:
        record_type, subject, source = split_key(key)
        if record_type == "related":
            found.append(Relation(subject, source.rpartition("|")[2], inward=True))
    return sorted(set(found))


def _sources(entries: Mapping[str, Entry]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, entry in entries.items():
        record_type, department, _ = split_key(key)
        if record_type not in ("link", "related", "early_warning"):  # when warnings came is not for everybody
            newest = max(version.arrived_at for version in entry.versions.values())
            found[department] = max(found.get(department, 0), newest)
    return dict(sorted(found.items()))
