"""One row of a file becomes one record, or several (a state of 撤销 is also a withdrawal), with everything found wrong."""

from decimal import Decimal
from typing import Any, NamedTuple

from exchange.domain.identity import IdentityError
from exchange.errors import Reason, RejectedError
from exchange.masking import mask_ids
from exchange.tables import Cell, Row
from producers.importer.amounts import CONFISCATED, FINE, compare_amounts, stated_yuan
from producers.importer.cells import read_code, read_text, read_yuan, split_values
from producers.importer.finish import finish
from producers.importer.kinds import READERS, read_choice
from producers.importer.layouts import SUBJECT_ROLES, Column, Header
from producers.importer.persons import mask_value
from producers.importer.report import Finding, Verdict
from producers.importer.revisions import read_revision, read_timestamp
from producers.importer.subjects import Pseudonymise, identify, name_subject
from producers.prepare import Prepared, Preparer

_AMOUNT_RULES = {
    "amount_unit_mismatch": ("bad", "the column and the text differ by 10,000: one of them takes 元 for 万元"),
    "amount_missing": ("warning", "the text states an amount, the column does not"),
    "amount_differs_from_text": ("warning", "the column and the text state different amounts"),
}
_PERSONAL = frozenset({"person_id", "any_code"})


class Converted(NamedTuple):
    """A row's records, ready to send in this order (none when the row is bad), what was found, and whether it says nothing."""

    line: int
    records: tuple[Prepared, ...]
    findings: tuple[Finding, ...]
    skipped: bool = False

    @property
    def bad(self) -> bool:
        """Whether the row is refused."""
        return any(finding.verdict == "bad" for finding in self.findings)


class _Draft(NamedTuple):
    """What the cells of a row say: the record's fields, and the parts in naming the subject."""

    fields: dict[str, Any]
    roles: dict[str, Any]
    findings: list[Finding]


class Converter:
    """Converts the rows of one file, in order; remembers which documents it has seen.

    Args:
        header: of the file.
        preparer: of the department that publishes.
        pseudonymise: makes persons' subject ids.
        revision_from: code of the column whose time is the revision; "" takes the revision column, or 1.
        started_at: second of the import, the revision of rows that are steps.
    """

    def __init__(
        self,
        header: Header,
        preparer: Preparer,
        pseudonymise: Pseudonymise,
        *,
        revision_from: str = "",
        started_at: int = 1,
    ) -> None:
        self._header = header
        self._layout = header.layout
        self._preparer = preparer
        self._pseudonymise = pseudonymise
        self._revision_from = revision_from
        self._revision = started_at if self._layout.steps else 1
        self._places = {place.column.code: place for place in header.columns}
        self._column_of = {
            place.column.role or place.column.field: place.column.code for place in reversed(header.columns)
        }
        self._seen: dict[tuple[str, str, int], tuple[int, int]] = {}

    def convert(self, row: Row) -> Converted:
        """The records of a row and everything that is wrong or doubtful in it; every fault is named, not just the first."""
        if row.broken is not None:
            return Converted(row.line, (), (self._finding(row.line, "", row.broken),))
        if self._says_nothing(row):
            return Converted(row.line, (), (), skipped=True)
        draft = self._read_cells(row)
        self._compare_amounts(row.line, draft)
        self._name_subject(row.line, draft)
        prepared: list[Prepared] = []
        if not any(finding.verdict == "bad" for finding in draft.findings):
            for record_type, record in finish(self._layout.record_type, draft.fields, draft.roles):
                try:
                    prepared.append(self._preparer.prepare(record, record_type))
                except RejectedError as error:
                    draft.findings.extend(
                        self._finding(row.line, self._column_of.get(r.field.partition("[")[0], ""), r)
                        for r in error.reasons
                    )
            prepared = self._without_repeats(row.line, draft, prepared)
        converted = Converted(row.line, tuple(prepared), tuple(draft.findings))
        return converted._replace(records=()) if converted.bad else converted

    def _says_nothing(self, row: Row) -> bool:
        """Whether a row leaves the column empty that its layout asks for."""
        asked = self._places.get(self._layout.asks)
        return asked is not None and not any(read_text(cell) for cell in row.cells[asked.position : asked.position + 1])

    def _read_cells(self, row: Row) -> _Draft:
        draft = _Draft(dict(self._layout.constants), {}, [])
        if any(read_text(cell) for cell in row.cells[self._header.width :]):
            rule = f"the header has {self._header.width} columns; an unquoted comma makes one more"
            draft.findings.append(self._finding(row.line, "", Reason(code="too_many_cells", rule=rule)))
        for place in self._header.columns:
            position, column = place.position, place.column
            cell = row.cells[position] if position < len(row.cells) else None
            try:
                value = self._read_cell(cell, column, place.unit)
            except RejectedError as error:
                verdict: Verdict = "warning" if column.lenient else "bad"
                draft.findings.extend(self._finding(row.line, column.code, reason, verdict) for reason in error.reasons)
                continue
            if value in (None, "", []):
                if column.required:
                    reason = Reason(code="missing_value", value=str(cell or ""), rule="every row needs a value here")
                    draft.findings.append(self._finding(row.line, column.code, reason))
                continue
            if column.role:
                draft.roles[column.role] = value
            elif isinstance(value, list):
                draft.fields[column.field] = [*draft.fields.get(column.field, ()), *value]
            else:
                draft.fields[column.field] = value
        return draft

    def _read_cell(self, cell: Cell, column: Column, unit: str) -> Any:
        """A cell's value; None, "" or [] when there is none."""
        if column.code == self._revision_from:
            return read_timestamp(cell)
        if column.role == "timestamp":
            return None
        if column.role == "revision":
            return read_revision(cell)
        if column.role == "subject_id":
            return read_text(cell)
        if column.role in SUBJECT_ROLES:
            return read_code(cell)
        match column.kind:
            case "yuan":
                return read_yuan(cell, unit)
            case "choice":
                return read_choice(cell, column.values)
            case "person":
                return self._read_person(read_code(cell))
            case "officers":
                people = [self._read_person(read_code(one)) for one in split_values(cell)]
                return [{"person": person, "role": column.states} for person in people]
            case kind:
                return READERS[kind](cell)

    def _read_person(self, code: str) -> str:
        """The pseudonym of a citizen ID, or "" without one."""
        if not code:
            return ""
        try:
            return self._pseudonymise(code)
        except IdentityError as error:
            raise RejectedError((Reason(code=error.code, value=mask_value(code), rule=error.rule),)) from error

    def _compare_amounts(self, line: int, draft: _Draft) -> None:
        for place in self._header.columns:
            column = place.column
            if not column.stated_in or any(finding.column == column.code for finding in draft.findings):
                continue
            text = draft.fields.get(self._field_of(column.stated_in), "")
            amount: Decimal | None = draft.fields.get(column.field)
            code = compare_amounts(amount, stated_yuan(text, FINE if column.states == "fine" else CONFISCATED))
            if code:
                verdict, rule = _AMOUNT_RULES[code]
                reason = Reason(code=code, value=f"{'' if amount is None else f'{amount}元'} / {text}"[:200], rule=rule)
                draft.findings.append(self._finding(line, column.code, reason, verdict))  # type: ignore[arg-type]

    def _field_of(self, code: str) -> str:
        return next((column.field for column in self._layout.columns if column.code == code), "")

    def _name_subject(self, line: int, draft: _Draft) -> None:
        roles = draft.roles
        codes = {role: roles[role] for role in SUBJECT_ROLES if role in roles}
        if not codes and any(finding.column in self._subject_columns() for finding in draft.findings):
            return  # its code is wrong, which is said already
        found = identify(codes, roles.get("subject_kind", ""), roles.get("person_id_type", ""), self._pseudonymise)
        for verdict, problems in (("bad", found.problems), ("warning", found.doubts)):
            draft.findings.extend(
                self._finding(line, self._column_of.get(role, self._column_of.get("any_code", "")), reason, verdict)  # type: ignore[arg-type]
                for role, reason in problems
            )
        draft.fields["subject"] = found.subject
        name_subject(draft.fields, roles.get("subject_name", ""))
        draft.roles["aliases"] = [{"kind": kind, "code": code} for kind, code in found.aliases]
        draft.fields["revision"] = roles.get("timestamp") or roles.get("revision") or self._revision
        draft.fields["classification"] = "UNCLASSIFIED"
        if found.subject.startswith("org:"):
            draft.fields.setdefault("division", found.subject[6:12])

    def _subject_columns(self) -> set[str]:
        return {code for code, place in self._places.items() if place.column.role in SUBJECT_ROLES}

    def _without_repeats(self, line: int, draft: _Draft, records: list[Prepared]) -> list[Prepared]:
        """The records that the file has not had before; the same document with other content is a bad row."""
        fresh = []
        content = hash(repr({key: draft.fields[key] for key in sorted(draft.fields)}))
        for record in records:
            key = (record.record_type, f"{record.key.decode()} {record.document}", draft.fields["revision"])
            first, same = self._seen.setdefault(key, (line, content))
            if first == line:
                fresh.append(record)
            elif same == content:
                reason = Reason(code="repeated_row", value=record.document, rule=f"the same as line {first}; sent once")
                draft.findings.append(self._finding(line, self._column_of["document"], reason, "warning"))
            else:
                rule = f"line {first} has other content for the same document and revision; number the revisions"
                reason = Reason(code="conflicting_row", value=record.document, rule=rule)
                draft.findings.append(self._finding(line, self._column_of["document"], reason))
        return fresh

    def _finding(self, line: int, column: str, reason: Reason, verdict: Verdict = "bad") -> Finding:
        place = self._places.get(column)
        personal = place is not None and place.column.role in _PERSONAL and "*" not in reason.value
        value = mask_value(reason.value) if personal else reason.value
        return Finding(
            line=line, column=column, title=place.title if place else "", value=mask_ids(value),
            code=reason.code, rule=reason.rule, verdict=verdict,
        )  # fmt: skip
