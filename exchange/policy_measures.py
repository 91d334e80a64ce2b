"""Measures of the policy files: each rule is spelled out by list, department in charge and target, and checked.

A file names departments as they are now; here the past of a rule goes to their predecessors and its future to their
successors (2018), so that every measure rule names the department that must act in its days.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from exchange.catalogue import Catalogue
from exchange.catalogue_resources import expand
from exchange.domain.calendar import to_date, to_day
from exchange.domain.check import Answer
from exchange.domain.judge import PERSON_ROLES
from exchange.domain.policy import ListRule, Matter, MeasureRule, Memorandum
from exchange.policy_lists import Placed, read_basis, report_overlaps
from exchange.rows import Row

CATEGORIES = ("a", "b", "c")
OWN_TARGETS = ("ENTITY", "PERSON", "ANY", "CONSORTIUM")
EFFECTS = tuple(answer.value for answer in Answer)
"""What a measure tells a service counter; `clear` tells it nothing, and such a measure bears on no matter."""
SIGNATORIES = "@signatories"
"""Stands for every department that has another measure for the same list."""

LAW_NEEDED_FROM = to_day(date(2022, 1, 1))
"""Since the Basic List of 2021 a memorandum alone takes no rights away (国办发〔2020〕49号)."""

_CLASSES = {"ENTITY": ("ENTITY",), "CONSORTIUM": ("CONSORTIUM",), "PERSON": ("PERSON",), "ANY": ("ENTITY", "PERSON")}

Span = tuple[int, int]


class Spelled(NamedTuple):
    """A measure rule as the judge takes it, and the row it came from."""

    row: Row
    rule: MeasureRule


def read_matters(rows: list[Row]) -> dict[str, Matter]:
    """Every matter by code."""
    found: dict[str, Matter] = {}
    for row in rows:
        row.name = row.text("code", pattern="[a-z_]+")
        if row.name in found:
            row.report("duplicate", "code", row.name, "each matter has one row")
        found[row.name] = Matter(code=row.name, name_zh=row.text("name_zh"), name_en=row.text("name_en"))
        row.close()
    return found


def read_measures(
    rows: list[Row],
    lists: Mapping[str, ListRule],
    memoranda: Mapping[str, Memorandum],
    matters: Mapping[str, Matter],
    catalogue: Catalogue,
) -> list[MeasureRule]:
    """Every rule, spelled out; problems go to the rows."""
    spelled: list[Spelled] = []
    of_signatories: list[Spelled] = []
    seen: set[str] = set()
    for row in rows:
        template = _read_measure(row, matters)
        if template.measure in seen:
            row.report("duplicate", "code", template.measure, "each measure has one row")
        seen.add(template.measure)
        if not row.rows("rule"):
            row.report("missing", "rule", "", "a measure follows from some list")
        for rule_row in row.rows("rule"):
            rule_row.name = template.measure
            for one in _read_rule(rule_row, template, lists, memoranda, catalogue):
                (of_signatories if one.rule.department == SIGNATORIES else spelled).append(one)
            rule_row.close()
        row.close()
    spelled += _sign(of_signatories, spelled, catalogue)
    _check_overlaps(spelled)
    return [one.rule for one in spelled]


def _read_measure(row: Row, matters: Mapping[str, Matter]) -> MeasureRule:
    """What all rules of a measure have in common."""
    row.name = row.text("code", pattern="[a-z_]+")
    effect = row.choice("effect", EFFECTS)
    names = row.texts("matters", required=effect != Answer.CLEAR)
    if effect == Answer.CLEAR and names:
        row.report("unexpected", "matters", names, "is empty where counters are told nothing")
    for name in names:
        if name not in matters:
            row.report("unknown_matter", "matters", name, "is a matter of this file")
    return MeasureRule(
        measure=row.name,
        name_zh=row.text("name_zh"),
        name_en=row.text("name_en"),
        category=row.choice("category", CATEGORIES),
        effect=effect,
        matters=frozenset(names),
        urgent=row.flag("urgent"),
        respond_within_working_days=row.number("respond_within_working_days", least=1),
        department="", list_code="", target="", role="", requires_serious=False, memorandum="", article="", basis="",
        effective_from=0,
    )  # fmt: skip


def _read_rule(
    row: Row,
    template: MeasureRule,
    lists: Mapping[str, ListRule],
    memoranda: Mapping[str, Memorandum],
    catalogue: Catalogue,
) -> list[Spelled]:
    start, end = row.validity()
    memorandum = _read_memorandum(row, memoranda, (start, end))
    rule = replace(
        template,
        effect=row.choice("effect", EFFECTS, default=template.effect),
        requires_serious=row.flag("requires_serious"),
        memorandum=memorandum.number if memorandum else "",
        article=row.text("article", default=""),
        basis=read_basis(row),
        effective_from=start,
        effective_to=end,
        confidence=row.confidence(),
        note=row.text("note", default=""),
        region=row.text("region", default="", pattern=r"\d{2}0000"),
    )
    _check_law(row, rule)
    in_charge = _read_departments(row, (start, end), catalogue)
    targets = _read_targets(row)
    found = []
    for list_code in row.texts("lists", required=True):
        if list_code not in lists:
            row.report("unknown_list", "lists", list_code, "is a list of lists.toml")
        elif memorandum and list_code not in memorandum.lists:
            row.report("memorandum_of_other_list", "memorandum", memorandum.code, f"is about {list_code}")
        for department, since, until in in_charge:
            for target, role in targets:
                spelled = replace(
                    rule, list_code=list_code, department=department, target=target, role=role,
                    effective_from=since, effective_to=until,
                )  # fmt: skip
                found.append(Spelled(row, spelled))
    return found


def _read_memorandum(row: Row, memoranda: Mapping[str, Memorandum], span: Span) -> Memorandum | None:
    code = row.text("memorandum", default="")
    if not code:
        return None
    found = memoranda.get(code)
    if found is None:
        row.report("unknown_memorandum", "memorandum", code, "is a memorandum of memoranda.toml")
    elif span[0] < found.effective_from or span[1] > found.effective_to:
        row.report(
            "memorandum_dates", "memorandum", code,
            f"is in force on all days of the rule, from {to_date(found.effective_from)}",
        )  # fmt: skip
    return found


def _check_law(row: Row, rule: MeasureRule) -> None:
    laws = [part for part in rule.basis.split(";") if "备忘录" not in part]
    if rule.category == "a" and not laws and rule.effective_to > LAW_NEEDED_FROM:
        row.report(
            "memorandum_only", "basis", rule.basis, f"category a rests on law from {to_date(LAW_NEEDED_FROM)} on"
        )


def _read_departments(row: Row, span: Span, catalogue: Catalogue) -> list[tuple[str, int, int]]:
    """Who is in charge when: the named departments with their predecessors and successors, spans joined."""
    if row.values.get("departments") == [SIGNATORIES]:
        row.texts("departments")
        return [(SIGNATORIES, *span)]
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for slug in sorted(expand(row, "departments", catalogue.departments, catalogue.groups)):
        for department, since, until in catalogue.in_charge(slug, *span):
            spans[department].append((since, until))
    return [(department, *joined) for department, found in spans.items() for joined in join_spans(found)]


def join_spans(spans: list[Span]) -> list[Span]:
    """The same days in as few spans as possible.

    >>> join_spans([(5, 9), (1, 3), (3, 5), (20, 30), (22, 25)])
    [(1, 9), (20, 30)]
    """
    joined: list[Span] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined


def _read_targets(row: Row) -> list[tuple[str, str]]:
    """(target, role) of each class that the rule reaches."""
    found = []
    for name in row.texts("targets", required=True):
        if name in OWN_TARGETS:
            found.append((name, ""))
        elif name in PERSON_ROLES:
            found.append(("PERSON", name))
        else:
            row.report("bad_value", "targets", name, f"is one of {', '.join(OWN_TARGETS + PERSON_ROLES)}")
    return found


def _sign(of_signatories: list[Spelled], spelled: list[Spelled], catalogue: Catalogue) -> list[Spelled]:
    """A rule for all signatories holds for each department in the days of its other rules for the same list."""
    days: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    for _, rule in spelled:
        if not catalogue.departments[rule.department].external and not rule.region:
            days[rule.list_code, rule.department].append((rule.effective_from, rule.effective_to))
    found = []
    for row, rule in of_signatories:
        for (list_code, department), spans in sorted(days.items()):
            for since, until in join_spans(spans) if list_code == rule.list_code else ():
                start, end = max(since, rule.effective_from), min(until, rule.effective_to)
                if start < end:
                    signed = replace(rule, department=department, effective_from=start, effective_to=end)
                    found.append(Spelled(row, signed))
    return found


def _check_overlaps(spelled: list[Spelled]) -> None:
    """A department must do one measure about one class of subjects for one list by one rule at a time."""
    same: defaultdict[tuple[str, str, str, str], list[Placed]] = defaultdict(list)
    for row, rule in spelled:
        for reached in (rule.role,) if rule.role else _CLASSES[rule.target]:
            same[rule.list_code, rule.measure, rule.department, reached].append(Placed(row, rule))
    for (list_code, _, department, reached), placed in same.items():
        report_overlaps(placed, f"the rule of {department} for {list_code} {reached}")
