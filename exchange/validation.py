"""Validation: the rules that every record passes at the border, at the publisher and again in the standing processor.

For each record type the rules of its fields are compiled once into one expression; only a record that breaks it is looked at
rule by rule, so that a rejection names every reason. The reasons' codes are listed in `exchange.reasons`.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from exchange.errors import Reason
from exchange.faults import IN_CLEAR, TEXT_CHARACTERS, has_id, has_long_number
from exchange.field_rules import HEADER, ID_LIKE, NAMES, FieldRule, about_entities, rules_of
from exchange.paths import SCHEMAS
from exchange.plain import plain_type
from exchange.plain_reader import compile_function, reading_lines
from exchange.registry import load_contracts

Plain = Mapping[str, Any]
Condition = Callable[[Plain, str, int, int], bool]
"""Of a record, its topic's department, today, and the size of its message."""

MESSAGE_BYTES = 2**20


Accept = Callable[[bytes, str, int], tuple[Any, ...] | None]
"""Of a message, its topic's department and today: the values of a good record, in the order of the schema."""


class _Checks(NamedTuple):
    is_good: Condition
    rules: tuple[tuple[FieldRule, Condition], ...]
    texts: tuple[str, ...]


def validate(
    record_type: str,
    value: Plain,
    *,
    department: str,
    today: int,
    grants: Container[str],
    size: int = 0,
    thorough: bool = False,
) -> tuple[Reason, ...]:
    """Every rule that a plain record breaks; empty when it is good.

    Args:
        record_type: its slug.
        value: as `Codec.decode_plain` gives it.
        department: whose topic it is on, or is meant for.
        today: days since 1970-01-01; later decisions are absurd.
        grants: record types that the department may publish.
        size: bytes of the message, where there is one: a small message spares measuring each text.
        thorough: also look for citizen IDs in free text, as publishers should. The processor looks in names and numbers only:
            free text costs more than all other rules together.
    """
    checks = _checks_of(record_type)
    if checks is None:
        rule = "a record that departments publish; this one the bus makes itself"
        return (Reason(code="not_an_input_record", value=record_type, rule=rule),)
    granted = record_type in grants
    if granted and checks.is_good(value, department, today, size) and not (thorough and _is_suspect(checks, value)):
        return ()
    reasons = list(_explain(checks, value, department, today))
    if size > MESSAGE_BYTES:
        reasons.append(Reason(code="message_too_large", value=str(size), rule=f"at most {MESSAGE_BYTES} bytes"))
    if thorough:
        reasons += _search_texts(checks.texts, value)
    if not granted:
        rule = f"the catalogue lets {department} publish it"
        reasons.insert(0, Reason(code="type_not_granted", value=record_type, rule=rule))
    return tuple(reasons)


@cache
def compile_accept(record_type: str, start: int) -> Accept | None:
    """One function that reads a message of the newest version and asks for all rules at once, for whoever reads most of all.

    It makes no dictionary and no call for what is good. What it gives None for, or raises IndexError or ValueError on, may be good
    all the same: it is to be decoded and validated.

    Args:
        record_type: its slug; None comes back for the records that the bus makes itself.
        start: bytes before the Avro.
    """
    if _checks_of(record_type) is None:
        return None
    schema = load_contracts(SCHEMAS).latest[record_type].schema
    lines, variables = reading_lines(plain_type(schema), start)
    rules, texts = _rules_of(record_type)
    conditions = [f"({rule.condition.replace('{x}', variables[rule.field])})" for rule in rules if not rule.together]
    id_like = " ".join(f"{{{variables[name]}}}" for name in texts if name in ID_LIKE)
    conditions += [f"len(raw) <= {TEXT_CHARACTERS}", f'not has_long_number(f"{id_like}")']
    values = ", ".join(variables.values())
    body = [
        *lines, "if odd & 1 or i != len(raw): return None",
        f"return ({values},) if {' and '.join(conditions)} else None",
    ]  # fmt: skip
    accept: Accept = compile_function("accept(raw, department, today)", body, **NAMES)
    return accept


def _is_suspect(checks: _Checks, value: Plain) -> bool:
    """Whether any text has fifteen digits in a row: one search through all, the cheap half of a thorough look."""
    return has_long_number("\n".join(value[name] for name in checks.texts)) is not None


def _explain(checks: _Checks, value: Plain, department: str, today: int) -> Iterator[Reason]:
    for rule, holds in checks.rules:
        if not holds(value, department, today, 0):
            for fault in rule.faults(value[rule.field]):
                yield Reason(code=fault.code, field=rule.field + fault.field, value=fault.value, rule=fault.rule)


def _search_texts(texts: Sequence[str], value: Plain) -> Iterator[Reason]:
    for name in texts:
        if name not in ID_LIKE and has_id(value[name]):
            yield from (Reason(code=fault.code, field=name, rule=fault.rule) for fault in IN_CLEAR)


@cache
def _checks_of(record_type: str) -> _Checks | None:
    """The rules of a record type, compiled at the first record of it; None for the records that the bus makes itself."""
    rules, texts = _rules_of(record_type)
    if not rules:
        return None
    return _Checks(
        _compile_all(rules, texts),
        tuple((rule, _compile(rule.condition.replace("{x}", f"v['{rule.field}']"))) for rule in rules),
        texts,
    )


def _rules_of(record_type: str) -> tuple[tuple[FieldRule, ...], tuple[str, ...]]:
    """The rules of a record type, and its texts; none of what departments do not publish."""
    contract = load_contracts(SCHEMAS).latest.get(record_type)
    fields = contract.schema["fields"] if contract else []
    if tuple(field["name"] for field in fields[: len(HEADER)]) != HEADER:
        return (), ()
    rules = (*about_entities(record_type), *(rule for field in fields for rule in rules_of(field)))
    return rules, tuple(field["name"] for field in fields if field["type"] == "string")


def _compile_all(rules: Sequence[FieldRule], texts: Sequence[str]) -> Condition:
    """All rules as one condition; it may be too strict for long or odd texts, never too lenient."""
    conditions, read = [], ""
    for rule in rules:
        if not rule.together:
            # A field's value is looked up at its first use, in `x`.
            first = f"(x := v['{rule.field}'])" if rule.field != read else "x"
            conditions.append("(" + rule.condition.replace("{x}", first, 1).replace("{x}", "x") + ")")
            read = rule.field
    conditions.append(
        f"(0 < size <= {TEXT_CHARACTERS} or size <= {MESSAGE_BYTES} and sum(map(len, texts_of(v))) <= {TEXT_CHARACTERS})"
    )
    id_like = " ".join(f"{{v['{name}']}}" for name in texts if name in ID_LIKE)
    conditions.append(f'not has_long_number(f"{id_like}")')
    return _compile(" and ".join(conditions), texts_of=itemgetter(*texts))


def _compile(condition: str, **names: Any) -> Condition:
    # The source is made of this project's rules and schemas alone, nothing of a message is in it.
    compiled: Condition = eval(f"lambda v, department, today, size: {condition}", {**NAMES, **names})  # noqa: S307
    return compiled
