"""The rules of a department's record, field by field, as data: a condition, and what is wrong when it does not hold.

Which rules a field has follows from its type in the schema and, where that says too little, from its name. A condition is a
Python expression over `{x}`, the field's plain value, and `department` and `today`; `exchange.validation` compiles them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from exchange import faults
from exchange.domain.facts import DOCUMENTS, RESPONSES
from exchange.errors import Reason
from exchange.faults import IN_CLEAR, ITEMS, TEXT_CHARACTERS, Faults

HEADER = ("subject", "subject_name", "department", "document", "revision", "decided_on", "published_at", "classification", "division")  # fmt: skip
"""First fields of every record that departments publish, in this order."""

NUMBER_CHARACTERS = 128
FOUNDED = -7397
"""1949-10-01 in days since 1970-01-01: no decision is older."""
FIRST_DAY, LAST_DAY = -62_091, 2_932_896
"""1800-01-01 and 9999-12-31."""
FIRST_PUBLISHED = 946_684_800_000
"""2000-01-01 in milliseconds."""
DAY_MS = 86_400_000

NUMBERS = frozenset({"document", "target_document", "notice_id", "measure", "grade"})
"""Numbers and names in one written form, since others are found by them."""
ID_LIKE = frozenset({
    "document", "target_document", "notice_id", "subject_name", "legal_representative_name", "identity_document_type",
    "legal_representative_document_type", "certificate_number", "evidence",
})  # fmt: skip
"""Short fields into which citizen IDs slip: numbers, names, and the columns beside the ID's own."""
HAPPENED = frozenset({
    "corrected_on", "established_on", "executed_on", "filed_on", "performed_on", "rectified_on", "removed_on", "revoked_on",
    "settled_on", "verified_on",
})  # fmt: skip
"""Days on which something has happened: none lies in the future."""
RANGES: Mapping[str, tuple[int, int]] = {
    "revision": (1, 2**31 - 1),
    "term_months": (0, 1200),
    "extend_months": (1, 1200),
    "employees": (-1, 2**31 - 1),
    "attempts": (0, 2**31 - 1),
    "epoch": (0, 2**53),
    "n": (0, 2**53),
    "observed": (0, 2**53),
}
ABOUT_SERIES = RESPONSES | {"early_warning", "withdrawal", "objection"}
"""Record types whose subject may be a series of counts."""
ABOUT_PERSONS = frozenset({"pseudonym_change"})
"""Record types whose subject is a person."""
TARGET_TYPES = frozenset(DOCUMENTS) - RESPONSES - ABOUT_PERSONS
"""Record types that a withdrawal, repair or objection can speak about; a response is corrected by a further one, and pseudonyms that
have come together are not told apart again."""


class FieldRule(NamedTuple):
    """One rule of one field.

    Attributes:
        field: its name.
        condition: Python expression that is true of good values.
        faults: every reason against a value of which it is not true.
        together: left out of the compiled whole, which has a cheaper condition for all such rules together.
    """

    field: str
    condition: str
    faults: Callable[[Any], Faults]
    together: bool = False


def _because(code: str, rule: str) -> Callable[[Any], Faults]:
    return lambda value: (Reason(code=code, value=str(value)[:200], rule=rule),)


def _classification_faults(value: int) -> Faults:
    if value == 1:
        return (Reason(code="classified", rule="nothing classified enters the bus (涉密信息不上总线)"),)
    return (Reason(code="unknown_symbol", value=str(value), rule="a position among UNCLASSIFIED, CLASSIFIED"),)


_BY_NAME: Mapping[str, tuple[str, Callable[[Any], Faults]]] = {
    "subject": ("not subject_faults({x})", faults.subject_faults),
    "department": ("{x} == department", _because("wrong_department", "the department whose topic it is")),
    "decided_on": (
        f"{FOUNDED} <= {{x}} <= today + 1",
        _because("date_out_of_range", "a day from 1949-10-01 to tomorrow, in days since 1970-01-01"),
    ),
    "published_at": (
        f"{FIRST_PUBLISHED} <= {{x}} < (today + 2) * {DAY_MS}",
        _because("published_at_out_of_range", "a time from 2000-01-01 to tomorrow, in milliseconds since 1970-01-01"),
    ),
    "classification": ("{x} == 0", _classification_faults),
    "division": (
        '{x} == "" or is_known_division({x})',
        _because("bad_division", "six digits of GB/T 2260, or empty"),
    ),
    "list_code": ("is_list_code({x})", _because("bad_list_code", "capitals and digits, in parts joined by hyphens")),
    "target_department": (
        '{x} == "" or is_department({x})',
        _because("bad_department", "a slug such as gd.tax, or empty for the own department"),
    ),
    "target_type": (
        "{x} in target_types",
        _because("unknown_target_type", f"one of {', '.join(sorted(TARGET_TYPES))}"),
    ),
    "former": ("not person_faults({x})", faults.person_faults),
    "legal_representative": ('{x} == "" or not person_faults({x})', faults.person_faults),
    "year": (
        "1949 <= {x} and ({x} - 1970) * 365.2425 <= today + 1",
        _because("number_out_of_range", "a year from 1949 to this one"),
    ),
    **dict.fromkeys(
        ("delivered_at", "window_from", "window_until"),
        (
            f"{{x}} is None or {FIRST_PUBLISHED} <= {{x}} < (today + 2) * {DAY_MS}",
            _because("date_out_of_range", "a time from 2000-01-01 to tomorrow"),
        ),
    ),
}

NAMES: Mapping[str, Any] = {
    "subject_faults": faults.subject_faults,
    "person_faults": faults.person_faults,
    "are_aliases": faults.are_aliases,
    "are_officers": faults.are_officers,
    "amount_faults": faults.amount_faults,
    "is_known_division": faults.is_known_division,
    "is_list_code": faults.is_list_code,
    "is_department": faults.is_department,
    "has_control_characters": faults.has_control_characters,
    "has_id": faults.has_id,
    "has_long_number": faults.has_long_number,
    "target_types": TARGET_TYPES,
}
"""What conditions may use."""


def about_entities(record_type: str) -> Iterator[FieldRule]:
    """That a record is about an entity; only warnings, and what is said about them, are about a series of counts."""
    if record_type not in ABOUT_SERIES:
        because = _because("not_about_series", f"a series is the subject of {', '.join(sorted(ABOUT_SERIES))} alone")
        yield FieldRule("subject", 'not {x}.startswith("series:")', because)
    if record_type in ABOUT_PERSONS:
        yield FieldRule("subject", "not person_faults({x})", faults.person_faults)


def rules_of(field: Mapping[str, Any]) -> Iterator[FieldRule]:
    """The rules of one field of a schema."""
    name, avro = field["name"], field["type"]
    if name in _BY_NAME:
        yield FieldRule(name, *_BY_NAME[name])
    match avro:
        case "string":
            yield from _text_rules(name, required="default" not in field)
        case "int" | "long" if name in RANGES:
            low, high = RANGES[name]
            yield FieldRule(name, f"{low} <= {{x}} <= {high}", _because("number_out_of_range", f"{low} to {high}"))
        case {"type": "enum", "symbols": symbols} if name not in _BY_NAME:
            because = _because("unknown_symbol", f"a position among {', '.join(symbols)}")
            yield FieldRule(name, f"0 <= {{x}} < {len(symbols)}", because)
        case ["null", {"logicalType": "date"}]:
            yield _day_rule(name)
        case ["null", {"logicalType": "decimal", "precision": precision}]:
            small = (10**precision).bit_length() // 8  # so many bytes always have few enough digits
            condition = f"{{x}} is None or 0 < len({{x}}) <= {small} and {{x}}[0] < 128 or not amount_faults({{x}}, {precision})"
            yield FieldRule(name, condition, lambda value: faults.amount_faults(value, precision))
        case {"type": "array", "items": items}:
            yield _list_rule(name, items)


def _text_rules(name: str, *, required: bool) -> Iterator[FieldRule]:
    if required and name not in _BY_NAME:
        yield FieldRule(name, '{x} != ""', _because("empty_field", "not empty"))
    if name in NUMBERS:
        yield FieldRule(name, '{x} == {x}.strip(" ")', _because("surrounding_blanks", "no blanks around it"))
        because = _because("control_characters", "no control or invisible characters, no blanks but the plain one")
        yield FieldRule(name, "{x}.isprintable()", because)
        limit = NUMBER_CHARACTERS
        yield FieldRule(name, f"len({{x}}) <= {limit}", _too_long(limit))
    else:
        yield FieldRule(name, f"len({{x}}) <= {TEXT_CHARACTERS}", _too_long(TEXT_CHARACTERS), together=True)
    if name == "subject_name":
        because = _because("control_characters", "no control or invisible characters")
        yield FieldRule(name, "{x}.isprintable() or not has_control_characters({x})", because)
    if name in ID_LIKE:
        yield FieldRule(name, "not has_id({x})", lambda _: IN_CLEAR, together=True)


def _too_long(limit: int) -> Callable[[str], Faults]:
    return lambda value: (
        Reason(code="field_too_long", value=f"{value[:40]}… ({len(value)})", rule=f"at most {limit} characters"),
    )


def _day_rule(name: str) -> FieldRule:
    if name in HAPPENED:
        condition, rule = f"{FIRST_DAY} <= {{x}} <= today + 1", "a day from 1800-01-01 to tomorrow"
    else:
        condition, rule = f"{FIRST_DAY} <= {{x}} <= {LAST_DAY}", "a day from 1800-01-01 to 9999-12-31"
    return FieldRule(name, f"{{x}} is None or {condition}", _because("date_out_of_range", rule))


def _list_rule(name: str, items: Any) -> FieldRule:
    if items == "string":
        condition = f"not {{x}} or len({{x}}) <= {ITEMS} and max(map(len, {{x}})) <= {TEXT_CHARACTERS}"
        return FieldRule(name, condition, faults.text_faults)
    if items == "long":
        condition = f"not {{x}} or len({{x}}) <= {ITEMS} and min({{x}}) >= 0"
        return FieldRule(name, condition, _because("number_out_of_range", f"at most {ITEMS} numbers from 0"))
    if items["name"] == "Alias":
        return FieldRule(name, "not {x} or are_aliases({x})", faults.alias_faults)
    return FieldRule(name, "not {x} or are_officers({x})", faults.officer_faults)
