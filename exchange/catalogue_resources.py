"""Resources of the catalogue: each kind of record with its providers and how it may be shared, opened and kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exchange.domain.facts import AMENDMENTS, DOCUMENTS
from exchange.rows import Row

RECORD_TYPES = frozenset(DOCUMENTS) | frozenset(AMENDMENTS)
"""Every record type that a department can publish."""

UPDATE_CYCLES = {
    1: ("实时", "real time"),
    2: ("每日", "daily"),
    3: ("每周", "weekly"),
    4: ("每月", "monthly"),
    5: ("每季度", "quarterly"),
    6: ("每半年", "half-yearly"),
    7: ("每年", "yearly"),
    99: ("其他", "other"),
}
"""Update-cycle codes of Guangdong's open-data platform."""

SHARING = ("unconditional", "conditional", "none")
OPENING = ("open", "conditional", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One row of the catalogue; see schemas/catalogue/resources.toml for what each field means.

    Attributes:
        readers: departments that may read it beside its providers; None means every department.
    """

    code: str
    record_type: str
    providers: frozenset[str]
    name_zh: str
    name_en: str
    summary: str
    public_class: str
    sharing: str
    readers: frozenset[str] | None
    sharing_condition: str
    sharing_basis: str
    opening: str
    opening_condition: str
    update_cycle: int
    retention_months: int
    classification: str

    def is_shared_with(self, department: str) -> bool:
        """Whether a department may read it."""
        return self.readers is None or department in self.readers or department in self.providers


def read_groups(rows: list[Row], departments: Collection[str]) -> dict[str, frozenset[str]]:
    """Departments by group; a group may name groups that stand before it."""
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        row.name = row.text("code", pattern="[a-z]+")
        row.text("name_zh")
        row.text("name_en")
        if row.name in found:
            row.report("duplicate", "code", row.name, "each group has one row")
        found[row.name] = expand(row, "departments", departments, found)
        row.close()
    return found


def expand(row: Row, name: str, departments: Collection[str], groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The departments that a field names, itself or by @group."""
    slugs: set[str] = set()
    for one in row.texts(name, required=True):
        if one.startswith("@"):
            if one[1:] not in groups:
                row.report("unknown_group", name, one, f"is one of {', '.join('@' + group for group in groups)}")
            slugs |= groups.get(one[1:], frozenset())
        elif one not in departments:
            row.report("unknown_department", name, one, "is a department of departments.toml")
        else:
            slugs.add(one)
    return frozenset(slugs)


def read_resources(
    rows: list[Row], departments: Collection[str], groups: Mapping[str, frozenset[str]]
) -> tuple[Resource, ...]:
    """Every resource; one without a row for a record type leaves that type to nobody."""
    found: dict[str, Resource] = {}
    for row in rows:
        row.name = row.text("code", pattern=r"[1-3]\d{5}/\d{5}")
        if row.name in found:
            row.report("duplicate", "code", row.name, "each resource has a code of its own")
        found[row.name] = Resource(
            code=row.name,
            record_type=row.choice("record_type", RECORD_TYPES),
            providers=expand(row, "providers", departments, groups),
            name_zh=row.text("name_zh"),
            name_en=row.text("name_en"),
            summary=row.text("summary"),
            public_class=row.text("public_class", default=""),
            sharing=row.choice("sharing", SHARING),
            readers=_readers(row, departments, groups),
            sharing_condition=row.text("sharing_condition", default=""),
            sharing_basis=row.text("sharing_basis", default=""),
            opening=row.choice("opening", OPENING),
            opening_condition=row.text("opening_condition", default=""),
            update_cycle=row.number("update_cycle"),
            retention_months=row.number("retention_months"),
            classification=row.choice("classification", ("UNCLASSIFIED",), default="UNCLASSIFIED"),
        )
        _check(row, found[row.name])
        row.close()
    return tuple(found.values())


def _readers(row: Row, departments: Collection[str], groups: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    sharing = row.values.get("sharing")
    if sharing == "conditional":
        return expand(row, "readers", departments, groups)
    if row.texts("readers"):
        row.report("unexpected", "readers", row.values["readers"], "are named exactly for conditional sharing")
    return None if sharing == "unconditional" else frozenset()


def _check(row: Row, one: Resource) -> None:
    if one.sharing == "conditional" and not one.sharing_condition:
        row.report("missing", "sharing_condition", "", "conditional sharing says under which condition")
    if one.sharing != "unconditional" and not one.sharing_basis:
        row.report("missing", "sharing_basis", "", "sharing is not held back without a law or policy that says so")
    if one.opening == "conditional" and not one.opening_condition:
        row.report("missing", "opening_condition", "", "conditional opening says under which condition")
    if one.update_cycle not in UPDATE_CYCLES:
        row.report("bad_value", "update_cycle", one.update_cycle, f"is one of {', '.join(map(str, UPDATE_CYCLES))}")
