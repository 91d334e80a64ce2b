"""Catalogue: departments with their successions, regions, and who may publish what; data of `schemas/catalogue/`.

Every process reads it once at its start. A fault in it stops the process: nobody may publish by a broken catalogue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.catalogue_fields import read_fields
from exchange.catalogue_recommended import read_recommended
from exchange.catalogue_regions import Region, read_regions
from exchange.catalogue_resources import RECORD_TYPES, Resource, read_groups, read_resources
from exchange.domain.calendar import to_date
from exchange.domain.policy import OPEN
from exchange.domain.projection import FieldClass, Grant
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.rows import DataError, Problem, Row, read_rows

__all__ = ["RECORD_TYPES", "Catalogue", "Department", "Region", "Resource", "check_catalogue", "load_catalogue"]

CREDIT_LEAD = "gd.drc"
"""The department that leads the credit system (社会信用体系建设牵头单位)."""
QUOTED = frozenset({"listing", "abnormal_entry", "rating", "early_warning"})
"""Record types that a notice quotes, as what its measures rest on (`exchange.domain.terms`)."""
_SLUG = r"(gd|ext)\.[a-z][a-z0-9]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A tenant of the bus. Days since 1970-01-01; `existed_to` is the first day on which it was no more.

    Attributes:
        renamed_on: from this day it has its present name; 0 when it never changed.
        successor: who stands in for it since `existed_to`; empty while it exists.
        external: outside the provincial government; receives notices and feeds back.
    """

    slug: str
    name_2016_zh: str
    name_zh: str
    name_en: str
    renamed_on: int = 0
    existed_from: int = 0
    existed_to: int = OPEN
    successor: str = ""
    supervisor: str = ""
    external: bool = False
    uscc: str = ""
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All that the bus knows about its departments, its regions and its resources."""

    departments: Mapping[str, Department]
    regions: Mapping[str, tuple[Region, ...]]
    resources: tuple[Resource, ...]
    groups: Mapping[str, frozenset[str]]
    fields: Mapping[str, Mapping[str, FieldClass]]
    recommended: Mapping[str, tuple[str, ...]]

    def demand(self, *departments: str) -> None:
        """See that departments are known.

        Raises:
            RequestError: `unknown_department`, of the first that is not.
        """
        for slug in departments:
            if slug not in self.departments:
                raise RequestError(
                    f"no department {slug!r}", code="unknown_department", remedy="see `creditbus catalogue list`"
                )

    def read_grant(self, record_type: str) -> Grant:
        """How a record type may be read.

        Raises:
            KeyError: no resource has that type.
        """
        rows = [one for one in self.resources if one.record_type == record_type]
        readers = (
            None
            if all(one.readers is None for one in rows)
            else frozenset().union(*(one.readers or () for one in rows))
        )
        return Grant(record_type=record_type, readers=readers, opening=rows[0].opening, fields=self.fields[record_type])

    def grants(self, department: str) -> frozenset[str]:
        """Record types that a department may publish; none for a department that is not known."""
        return frozenset(one.record_type for one in self.resources if department in one.providers)

    def supervisors(self) -> dict[str, str]:
        """Who is told of a department's overdue responses: its supervisor on the bus, else the lead of the credit system."""
        return {slug: one.supervisor or CREDIT_LEAD for slug, one in self.departments.items()}

    def withheld(self, department: str) -> Resource | None:
        """A resource that notices quote and that is not shared with a department, so that none is pushed to it whole."""
        quoted = (one for one in self.resources if one.record_type in QUOTED)
        return next((one for one in quoted if not one.is_shared_with(department)), None)

    def thin_only(self) -> frozenset[str]:
        """Departments to which no notice is pushed whole, whatever their endpoint asks for."""
        return frozenset(slug for slug in self.departments if self.withheld(slug) is not None)

    def successor(self, department: str, day: int) -> str:
        """Who does a department's duties on a day: itself, or its successor once it is no more.

        Raises:
            KeyError: the department is not known.
        """
        found = self.departments[department]
        while found.existed_to <= day:
            found = self.departments[found.successor]
        return found.slug

    def in_charge(self, department: str, start: int, end: int) -> tuple[tuple[str, int, int], ...]:
        """Who does a department's duties from a day until another (exclusive): (slug, from, to) of each.

        Before a department was made its predecessors did them, after its end its successor does.

        Raises:
            KeyError: the department is not known.
        """
        found = self.departments[department]
        before: tuple[tuple[str, int, int], ...] = ()
        if start < found.existed_from:
            until = min(end, found.existed_from)
            for slug, other in self.departments.items():
                if other.successor == department and other.existed_to == found.existed_from:
                    before += self.in_charge(slug, start, until)
            start = found.existed_from if before else start
        own = ((department, start, min(end, found.existed_to)),) if start < min(end, found.existed_to) else ()
        later = self.in_charge(found.successor, max(start, found.existed_to), end) if end > found.existed_to else ()
        return before + own + later

    def may_amend(self, department: str, of_department: str) -> bool:
        """Whether a department may withdraw, extend or repair what another decided: its own, or its predecessor's."""
        owner: str = of_department
        while owner != department:
            found = self.departments.get(owner)
            if found is None or not found.successor:
                return False
            owner = found.successor
        return owner in self.departments

    def name_of(self, department: str, day: int) -> str:
        """The Chinese name that a department had on a day; the slug itself if it is not known."""
        found = self.departments.get(department)
        if found is None:
            return department
        return found.name_zh if day >= found.renamed_on else found.name_2016_zh

    def region(self, code: str, day: int) -> Region | None:
        """What a division's code meant on a day; None if it was not in use then, or lies outside the province."""
        year = to_date(day).year
        return next((one for one in self.regions.get(code, ()) if one.from_year <= year <= one.to_year), None)


def load_catalogue(schemas: Path) -> Catalogue:
    """Read the catalogue.

    Args:
        schemas: the folder of the contracts, with `catalogue/` in it.

    Raises:
        DataError: naming file, line, row, field, value and rule of the first problem, and how many more there are.
    """
    catalogue, problems = check_catalogue(schemas)
    if problems:
        raise DataError(problems)
    return catalogue


def check_catalogue(schemas: Path) -> tuple[Catalogue, list[Problem]]:
    """The catalogue as far as it can be read, and every problem in it."""
    folder, contracts = schemas / "catalogue", schemas / "records"
    if not contracts.is_dir():  # a copy of the data alone is checked against the contracts that are shipped
        contracts = SCHEMAS / "records"
    problems: list[Problem] = []
    departments = _read_departments(folder / "departments.toml", problems)
    rows = read_rows(folder / "resources.toml", ("group", "resource"), problems)
    groups = read_groups(rows["group"], departments.keys())
    fields = read_fields(folder / "fields.toml", contracts, problems)
    catalogue = Catalogue(
        departments=departments,
        regions=read_regions(folder / "regions.toml", problems),
        resources=read_resources(rows["resource"], departments.keys(), groups),
        groups=groups,
        fields=fields,
        recommended=read_recommended(folder / "recommended.toml", fields, problems),
    )
    return catalogue, problems


def _read_departments(path: Path, problems: list[Problem]) -> dict[str, Department]:
    rows = read_rows(path, ("department",), problems)["department"]
    found: dict[str, Department] = {}
    for row in rows:
        slug = row.name = row.text("slug", pattern=_SLUG)
        if slug in found:
            row.report("duplicate", "slug", slug, "each department has one row")
        found[slug] = Department(
            slug=slug,
            name_2016_zh=row.text("name_2016_zh"),
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
            renamed_on=row.day("renamed_on", default=0),
            existed_from=row.day("existed_from", default=0),
            existed_to=row.day("existed_to", default=OPEN),
            successor=row.text("successor", default=""),
            supervisor=row.text("supervisor", default=""),
            external=row.flag("external"),
            uscc=row.text("uscc", default="", pattern="[0-9A-Z]{18}"),
            confidence=row.confidence(),
        )
        row.close()
    for row in rows:
        _check_succession(row, found[row.name], found)
    return found


def _check_succession(row: Row, one: Department, departments: Mapping[str, Department]) -> None:
    if one.existed_to <= one.existed_from:
        row.report("bad_dates", "existed_to", to_date(one.existed_to), "comes after existed_from")
    if (one.existed_to == OPEN) == bool(one.successor):
        row.report("bad_succession", "successor", one.successor, "is named exactly when existed_to is")
    for name, slug in (("successor", one.successor), ("supervisor", one.supervisor)):
        if slug and slug not in departments:
            row.report("unknown_department", name, slug, "is a department of this file")
    if one.slug in _line_of(one, departments):
        row.report("bad_succession", "successor", one.successor, "a department is not its own successor")


def _line_of(one: Department, departments: Mapping[str, Department]) -> Iterable[str]:
    """The successors of a department, in order; ends where a name repeats."""
    seen: list[str] = []
    slug = one.successor
    while slug in departments and slug not in seen:
        seen.append(slug)
        slug = departments[slug].successor
    return seen
