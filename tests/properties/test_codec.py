"""What goes in comes out, in both forms and for every record type; and no bytes whatever make the codec fail in a way not foreseen."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exchange.codec import PREFIX_BYTES, READ_ERRORS, Codec
from exchange.errors import RejectedError, UndecodableError
from exchange.json_form import from_json, to_json
from exchange.paths import SCHEMAS
from exchange.plain import plain_type
from exchange.records import from_avro, to_avro
from exchange.registry import load_contracts
from exchange.validation import compile_accept, validate

CONTRACTS = load_contracts(SCHEMAS)
CODEC = Codec(CONTRACTS)
SCHEMA = {name: one.schema for name, one in CONTRACTS.latest.items()}
EXACT = {name: parse_schema(json.loads(json.dumps(schema))) for name, schema in SCHEMA.items()}
PLAIN = {name: parse_schema(plain_type(schema)) for name, schema in SCHEMA.items()}
GOLDEN = [bytes.fromhex(path.read_text("ascii")) for path in sorted(SCHEMAS.glob("examples/*/*.hex"))]
ALL = frozenset(CODEC.record_types)
RECORD_TYPES = st.sampled_from(CODEC.record_types)
CODES = {"truncated", "trailing_bytes", "undecodable", "unknown_schema_id", "not_wire_format"}


PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=80),
    "bytes": st.binary(max_size=80),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
}


def values(avro: Any) -> st.SearchStrategy[Any]:
    """Values of an Avro type as people write them."""
    match avro:
        case ["null", branch]:
            return st.none() | values(branch)
        case {"logicalType": "date"}:
            return st.dates()
        case {"logicalType": "timestamp-millis"}:
            return st.integers(-(10**13), 10**14).map(
                lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
            )
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return st.integers(0, 10**precision - 1).map(lambda unscaled: Decimal(unscaled).scaleb(-scale))
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(values(items), max_size=3)
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in fields})
        case str():
            return PRIMITIVES[avro]
    raise TypeError(avro)


RECORDS = {name: values(schema) for name, schema in SCHEMA.items()}


@st.composite
def records(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    record_type = draw(RECORD_TYPES)
    return record_type, draw(RECORDS[record_type])


@given(records())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_comes_back_the_same_in_every_form(made: tuple[str, dict[str, Any]]) -> None:
    record_type, record = made
    raw = CODEC.encode(record_type, record)
    out = BytesIO()
    schemaless_writer(out, EXACT[record_type], record)
    assert raw[PREFIX_BYTES:] == out.getvalue()  # the very bytes of the library
    assert CODEC.decode(raw) == (record_type, record)
    _, plain = CODEC.decode_plain(raw)
    assert plain == CODEC.plain(record_type, record)
    assert plain == schemaless_reader(BytesIO(raw[PREFIX_BYTES:]), PLAIN[record_type], None)
    assert CODEC.encode_plain(record_type, plain) == raw
    assert to_avro(from_avro(record_type, record)) == record
    assert from_json(SCHEMA[record_type], json.loads(json.dumps(to_json(record)))) == record


@given(records(), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_defaults_are_those_of_the_schema(made: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    record_type, record = made
    optional = [field["name"] for field in SCHEMA[record_type]["fields"] if "default" in field]
    left_out = data.draw(st.sets(st.sampled_from(optional))) if optional else set()
    given_fields = {name: value for name, value in record.items() if name not in left_out}
    out = BytesIO()
    schemaless_writer(out, EXACT[record_type], given_fields)
    assert CODEC.encode(record_type, given_fields)[PREFIX_BYTES:] == out.getvalue()


def attempt(decode: Callable[[bytes], tuple[str, dict[str, Any]]], raw: bytes) -> tuple[str, dict[str, Any]] | None:
    """What comes of decoding; a refusal must have one of the known reasons."""
    try:
        return decode(raw)
    except UndecodableError as error:
        refusal = error
    assert refusal.reasons[0].code in CODES
    return None


def try_all(raw: bytes) -> None:
    """Decode in both forms and validate: nothing but a refusal with reasons may come of it."""
    attempt(CODEC.decode, raw)
    plain = attempt(CODEC.decode_plain, raw)
    accepted = try_to_accept(raw)
    if plain is None:
        assert accepted is None
    else:
        assert CODEC.decode_plain(CODEC.encode_plain(*plain)) == plain
        validate(plain[0], plain[1], department="gd.tax", today=20_700, grants=ALL, size=len(raw), thorough=True)
        if accepted is not None:
            assert accepted == tuple(plain[1].values())
            assert not validate(plain[0], plain[1], department="gd.tax", today=20_700, grants=ALL, size=len(raw))


def try_to_accept(raw: bytes) -> tuple[Any, ...] | None:
    """What the quick way takes in; it may leave anything to the thorough one, and refuse nothing by itself."""
    for record_type in CODEC.record_types:
        if raw[:PREFIX_BYTES] == b"\0" + CODEC.schema_id(record_type).to_bytes(4, "big"):
            accept = compile_accept(record_type, PREFIX_BYTES)
            try:
                return accept(raw, "gd.tax", 20_700) if accept else None
            except READ_ERRORS:
                return None
    return None


@given(RECORD_TYPES, st.binary(max_size=400))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_read_or_refused(record_type: str, body: bytes) -> None:
    try_all(b"\0" + CODEC.schema_id(record_type).to_bytes(4, "big") + body)


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_any_message_is_read_or_refused(raw: bytes) -> None:
    try_all(raw)


@given(
    st.sampled_from(GOLDEN), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)
)
@settings(max_examples=500, deadline=None)
def test_damaged_messages_are_read_or_refused(raw: bytes, damages: list[tuple[int, int]]) -> None:
    damaged = bytearray(raw)
    for place, byte in damages:
        damaged[place % len(raw)] = byte
    try_all(bytes(damaged))


@pytest.mark.parametrize("raw", GOLDEN, ids=lambda raw: raw[:5].hex())
def test_every_cut_of_a_message_is_refused(raw: bytes) -> None:
    for length in range(PREFIX_BYTES, len(raw)):
        for decode in (CODEC.decode_plain, CODEC.decode):
            with pytest.raises(UndecodableError) as refused:
                decode(raw[:length])
            assert refused.value.reasons[0].code == "truncated"


@given(st.sampled_from(GOLDEN), st.binary(min_size=1, max_size=20))
def test_nothing_may_follow_a_record(raw: bytes, rest: bytes) -> None:
    for decode in (CODEC.decode_plain, CODEC.decode):
        with pytest.raises(UndecodableError) as refused:
            decode(raw + rest)
        assert refused.value.reasons[0].code == "trailing_bytes"


@given(st.sampled_from(GOLDEN), st.integers(0, 60), st.integers(2**20, 2**62))
@settings(deadline=None)
def test_absurd_lengths_cost_nothing(raw: bytes, place: int, absurd: int) -> None:
    """A length of many gigabytes where a length may stand: refused at once, without the memory."""
    out = BytesIO()
    schemaless_writer(out, "long", absurd)
    at = PREFIX_BYTES + place
    assume(at < len(raw))
    try_all(raw[:at] + out.getvalue() + raw[at + 1 :])


def test_endless_numbers_are_refused() -> None:
    prefix = GOLDEN[0][:PREFIX_BYTES]
    for body in (b"\x80" * 2**20, b"\xff" * 2**20):
        with pytest.raises(UndecodableError):
            CODEC.decode_plain(prefix + body)


WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals(), st.dates(), st.datetimes(),
    st.lists(st.integers()), st.dictionaries(st.text(), st.integers()), st.just("\ud800"), st.just(Decimal("1e999999")),
)  # fmt: skip


@given(records(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_wrong_values_are_refused_with_reasons_or_come_back_the_same(
    made: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    record_type, record = made
    name = data.draw(st.sampled_from(sorted(record)))
    wrong = data.draw(WRONG)
    try:
        raw = CODEC.encode(record_type, {**record, name: wrong})
    except RejectedError as error:
        refusal = error
    else:
        assert CODEC.decode(raw)[1][name] == wrong
        return
    assert all(reason.field.startswith(name) for reason in refusal.reasons)


def test_the_widest_day_and_the_first_second() -> None:
    record = CODEC.decode(next(raw for raw in GOLDEN if CODEC.decode(raw)[0] == "listing"))[1]
    edges = {"until": date.max, "decided_on": date.min, "published_at": datetime(1, 1, 1, tzinfo=UTC)}
    assert CODEC.decode(CODEC.encode("listing", record | edges))[1] == record | edges
