"""Small worlds for tests of the pure core: a policy of few rules, and facts about few subjects."""

from datetime import date
from typing import Any

from exchange.domain import bodies
from exchange.domain.calendar import to_day
from exchange.domain.policy import OPEN, ListRule, MeasureRule, Policy, RepairRule, Term
from exchange.domain.record import DOCUMENT, Body, Fact, Version, entry_key

FIRM = "org:91440300PDY00001X3"
OTHER = "org:92440106PDY000028C"
PERSON = "person:k1.0123456789abcdef0123456789abcdef"


def day(text: str) -> int:
    """Days since 1970-01-01 of an ISO date."""
    return to_day(date.fromisoformat(text))


def rule(measure: str, department: str, list_code: str, **changes: Any) -> MeasureRule:
    """A measure rule in force since 2016, but for the changes."""
    facts: dict[str, Any] = {
        "measure": measure, "name_zh": measure, "name_en": measure, "department": department, "list_code": list_code,
        "target": "ANY", "role": "", "effect": "refuse", "matters": frozenset({"bidding"}), "urgent": False,
        "requires_serious": False, "respond_within_working_days": 5, "memorandum": f"memo {list_code}", "article": "1",
        "basis": "law", "effective_from": day("2016-01-01"), "effective_to": OPEN,
    }  # fmt: skip
    return MeasureRule(**{**facts, **changes})


def listed(
    code: str, *terms: tuple[str, int | None], repair_months: int = 0, serious_from: int | None = None
) -> ListRule:
    """A black list with terms (grounds, months)."""
    return ListRule(
        list_code=code, name_zh=code, name_en=code, colour="black", authorities=frozenset(),
        joint_requires_serious_from=serious_from,
        terms=tuple(Term(grounds=frozenset(g.split()), months=m, basis="rule", effective_from=0) for g, m in terms),
        repairs=(RepairRule(min_months=repair_months, basis="rule", effective_from=0),),
    )  # fmt: skip


def policy(
    *rules: MeasureRule, lists: tuple[ListRule, ...] = (), ratings: dict[tuple[str, str], str] | None = None
) -> Policy:
    """A policy of these rules and lists."""
    by_list: dict[str, tuple[MeasureRule, ...]] = {}
    for one in rules:
        by_list[one.list_code] = (*by_list.get(one.list_code, ()), one)
    edges = sorted({d for r in rules for d in (r.effective_from, r.effective_to) if d != OPEN})
    return Policy(
        version="test", lists={one.list_code: one for one in lists}, rules_by_list=by_list, rating_lists=ratings or {},
        publicity=(), edges=tuple(edges),
    )  # fmt: skip


SMALL = policy(
    rule("bond_review", "gd.drc", "TAX"),
    rule("bond_review", "gd.drc", "SAFE"),
    rule("no_procurement", "gd.fin", "TAX"),
    rule("office_ban", "gd.amr", "TAX", role="LEGAL_REPRESENTATIVE"),
    rule("inspection", "gd.em", "SAFE", effect="review"),
    rule("no_procurement", "gd.fin", "COURT"),
    rule("green_channel", "gd.amr", "TAX-A", effect="fast_track"),
    lists=(listed("TAX", ("", 36)), listed("SAFE", ("", 36), repair_months=12), listed("COURT", ("1", None), ("", 24))),
    ratings={("TAX_CREDIT", "A"): "TAX-A"},
)


def fact(
    record_type: str, document: str, body: Body, *, department: str = "gd.tax", on: str = "2026-01-01", revision: int = 1,
    target: str = "", digest: int | None = None,
) -> Fact:  # fmt: skip
    """A fact; `target` is `type/department/document` of what an amendment speaks about."""
    version = Version(revision, hash(body) & 0xFFFF if digest is None else digest, day(on), 0, 0, -1, body)
    if target:
        return Fact(target, f"{record_type}/{document}", version)
    return Fact(entry_key(record_type, department, document), DOCUMENT, version)


def listing(
    code: str, document: str, *, department: str = "gd.tax", on: str = "2026-01-01", grounds: str = "", revision: int = 1,
    performed_on: str | None = None, serious: bool = True, until: str | None = None,
) -> Fact:  # fmt: skip
    """A listing."""
    body = bodies.Listing(
        code, grounds, 0, day(until) if until else None, int(serious), day(performed_on) if performed_on else None, ""
    )
    return fact("listing", document, tuple(body), department=department, on=on, revision=revision)


def registration(
    name: str = "合成一号", *, representative: str = "", on: str = "2020-01-01", revision: int = 1
) -> Fact:
    """A registration of an enterprise."""
    body = bodies.Registration(name, 0, 0, "440300", representative, "")
    return fact("registration", "设立", tuple(body), department="gd.amr", on=on, revision=revision)
