"""Lists, ratings, memoranda, publicity and repair of the policy files, each row checked as it is read."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from exchange.catalogue import Catalogue
from exchange.domain.bodies import RATING_SCHEMES, Severity
from exchange.domain.calendar import to_date
from exchange.domain.policy import (
    NO_REPAIR,
    OPEN,
    Ground,
    ListRule,
    Memorandum,
    PublicityTerm,
    RepairProcess,
    RepairRule,
    Term,
)
from exchange.domain.risk.model import SCHEME
from exchange.rows import Row

COLOURS = ("black", "red", "watch", "abnormal")
_LISTING_TYPES = frozenset({"listing", "abnormal_entry", "rating", "early_warning"})
_CODE = "[A-Z]+(-[A-Z]+)*"


class Dated(Protocol):
    """Anything with days of validity."""

    @property
    def effective_from(self) -> int:
        """First day in force."""

    @property
    def effective_to(self) -> int:
        """First day no longer in force."""


class Placed(NamedTuple):
    """A dated thing and the row it came from, for reports."""

    row: Row
    dated: Dated


def report_overlaps(placed: Iterable[Placed], what: str) -> None:
    """Report each that begins before an earlier one of the same kind has ended."""
    ordered = sorted(placed, key=lambda one: one.dated.effective_from)
    for before, after in pairwise(ordered):
        if after.dated.effective_from < before.dated.effective_to:
            after.row.report(
                "overlapping", "effective_from", to_date(after.dated.effective_from),
                f"{what} in force then began on {to_date(before.dated.effective_from)} (line {before.row.line})",
            )  # fmt: skip


def report_gaps(placed: Sequence[Placed], what: str) -> None:
    """Report days without any, from the first that begins; the last must be open."""
    ordered = sorted(placed, key=lambda one: one.dated.effective_from)
    for number, one in enumerate(ordered):
        needed = ordered[number + 1].dated.effective_from if number + 1 < len(ordered) else OPEN
        covered = max(other.dated.effective_to for other in ordered[: number + 1])
        if covered < needed:
            one.row.report("gap", "effective_to", to_date(covered), f"{what} covers every day from then on")


def read_lists(rows: list[Row], catalogue: Catalogue) -> dict[str, ListRule]:
    """Every list by code."""
    found: dict[str, ListRule] = {}
    for row in rows:
        code = row.name = row.text("code", pattern=_CODE)
        if code in found:
            row.report("duplicate", "code", code, "each list has one row")
        found[code] = _read_list(row, code, catalogue)
        row.close()
    return found


def _read_list(row: Row, code: str, catalogue: Catalogue) -> ListRule:
    grounds = [(one, _read_ground(one, code)) for one in row.rows("ground")]
    terms = [(one, _read_term(one, code)) for one in row.rows("term")]
    repairs = [(one, _read_repair(one, code)) for one in row.rows("repair")]
    _check_terms(row, [ground for _, ground in grounds], terms)
    for ground in {ground.code for _, ground in grounds}:
        report_overlaps([Placed(r, g) for r, g in grounds if g.code == ground], f"ground {ground}")
    report_overlaps([Placed(*one) for one in repairs], "the repair rule")
    return ListRule(
        list_code=code,
        name_zh=row.text("name_zh"),
        name_en=row.text("name_en"),
        colour=row.choice("colour", COLOURS),
        authorities=_read_authorities(row, catalogue),
        joint_requires_serious_from=row.day("joint_requires_serious_from", default=0) or None,
        terms=tuple(term for _, term in terms),
        repairs=tuple(repair for _, repair in repairs),
        grounds=tuple(ground for _, ground in grounds),
        removal_working_days=row.number("removal_working_days", default=0),
        confidence=row.confidence(),
    )


def _read_authorities(row: Row, catalogue: Catalogue) -> frozenset[str]:
    authorities = row.texts("authorities", required=True)
    for slug in authorities:
        if slug not in catalogue.departments:
            row.report("unknown_department", "authorities", slug, "is a department of the catalogue")
        elif not catalogue.grants(slug) & _LISTING_TYPES:
            row.report("not_granted", "authorities", slug, "the catalogue lets it publish listings")
    return frozenset(authorities)


def _read_ground(row: Row, code: str) -> Ground:
    row.name = code
    start, end = row.validity()
    ground = Ground(
        code=row.text("code"),
        name_zh=row.text("name_zh"),
        name_en=row.text("name_en"),
        basis=read_basis(row),
        effective_from=start,
        effective_to=end,
    )
    row.close()
    return ground


def _read_term(row: Row, code: str) -> Term:
    row.name = code
    start, end = row.validity()
    term = Term(
        grounds=frozenset(row.texts("grounds")),
        months=row.number("months", default=0) or None,
        basis=read_basis(row),
        effective_from=start,
        effective_to=end,
        confidence=row.confidence(),
    )
    row.close()
    return term


def _read_repair(row: Row, code: str) -> RepairRule:
    row.name = code
    start, end = row.validity()
    none = row.flag("none")
    repair = RepairRule(
        min_months=NO_REPAIR if none else row.number("min_months"),
        basis=read_basis(row),
        effective_from=start,
        effective_to=end,
        confidence=row.confidence(),
    )
    row.close()
    return repair


def _check_terms(row: Row, grounds: list[Ground], terms: list[tuple[Row, Term]]) -> None:
    """Every ground has exactly one term on each day: its own, or the general one."""
    if not terms:
        row.report("missing", "term", "", "a list says how long its entries hold")
    declared = {ground.code for ground in grounds}
    for term_row, term in terms:
        for unknown in sorted(term.grounds - declared):
            term_row.report("unknown_ground", "grounds", unknown, "is a ground of this list")
    general = [Placed(r, t) for r, t in terms if not t.grounds]
    report_overlaps(general, "the general term")
    for code in sorted(declared) or [""]:
        own = [Placed(r, t) for r, t in terms if code in t.grounds]
        report_overlaps(own, f"the term of ground {code}")
        report_gaps(own + general, f"a term of ground {code}" if code else "a term")


def read_basis(row: Row) -> str:
    """The legal basis, without which nothing is in force."""
    basis = row.text("basis", default="")
    if not basis.strip():
        row.report("no_basis", "basis", basis, "names the law or policy it rests on (国办发〔2020〕49号)")
    return basis


def read_ratings(rows: list[Row], lists: dict[str, ListRule]) -> dict[tuple[str, str], str]:
    """The list that a grade is a place on, by (scheme, grade)."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        scheme, grade = row.choice("scheme", RATING_SCHEMES), row.text("grade")
        row.name = f"{scheme} {grade}"
        list_code = row.text("list")
        if list_code not in lists:
            row.report("unknown_list", "list", list_code, "is a list of lists.toml")
        if (scheme, grade) in found:
            row.report("duplicate", "grade", grade, "each grade leads to one list")
        if scheme == SCHEME:
            rule = "a risk class drives inspections only, never a measure (国市监信发〔2022〕6号)"
            row.report("restricts", "scheme", scheme, rule)
        row.validity()
        read_basis(row)
        row.close()
        found[scheme, grade] = list_code
    return found


def read_memoranda(rows: list[Row], lists: dict[str, ListRule]) -> dict[str, Memorandum]:
    """Every memorandum by code."""
    found: dict[str, Memorandum] = {}
    for row in rows:
        code = row.name = row.text("code", pattern="[A-Z0-9]+(-[A-Z0-9]+)*")
        number = row.text("number")
        if code in found or number in {one.number for one in found.values()}:
            row.report("duplicate", "code", f"{code} {number}", "each memorandum has one row, and one number")
        names = row.texts("lists")
        for name in names:
            if name not in lists:
                row.report("unknown_list", "lists", name, "is a list of lists.toml")
        start, end = row.validity()
        found[code] = Memorandum(
            code=code,
            number=number,
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
            lists=frozenset(names),
            signatories=row.number("signatories"),
            measures=row.number("measures"),
            effective_from=start,
            effective_to=end,
            confidence=row.confidence(),
        )
        row.close()
    return found


def read_publicity(rows: list[Row]) -> tuple[PublicityTerm, ...]:
    """The publicity terms of penalties; each severity has exactly one on each day."""
    found = []
    for row in rows:
        severity = row.name = row.choice("severity", [one.name for one in Severity])
        start, end = row.validity()
        term = PublicityTerm(
            severity=severity,
            published=row.flag("published"),
            min_months=row.number("min_months"),
            max_months=row.number("max_months", least=1),
            basis=read_basis(row),
            effective_from=start,
            effective_to=end,
            confidence=row.confidence(),
        )
        if term.min_months > term.max_months:
            row.report("bad_value", "min_months", term.min_months, "is not more than max_months")
        row.close()
        found.append((row, term))
    for name in (one.name for one in Severity):
        of_severity = [Placed(row, term) for row, term in found if term.severity == name]
        if rows and not of_severity:
            rows[0].report("gap", "severity", name, "each severity has a term of publicity")
        report_overlaps(of_severity, f"the term of {name}")
        report_gaps(of_severity, f"a term of {name}")
    return tuple(term for _, term in found)


def read_process(rows: list[Row]) -> tuple[RepairProcess, ...]:
    """How fast a repair must be handled, by date."""
    found = []
    for row in rows:
        start, end = row.validity()
        process = RepairProcess(
            accept_working_days=row.number("accept_working_days", least=1),
            answer_working_days=row.number("answer_working_days", least=1),
            basis=read_basis(row),
            effective_from=start,
            effective_to=end,
        )
        row.close()
        found.append((row, process))
    report_overlaps([Placed(*one) for one in found], "the process")
    return tuple(process for _, process in found)
