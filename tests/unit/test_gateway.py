"""Parts of the gateway alone: unpacking without more memory than allowed, rows, what an answer's status says, sending."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from exchange.catalogue import RECORD_TYPES
from exchange.codec import Codec
from exchange.errors import Reason, RejectedError, RequestError, RetryLaterError
from exchange.http.problems import RefusedError
from exchange.http.sending import WINDOW, Row, send
from exchange.json_form import from_json
from exchange.paths import SCHEMAS
from producers.gateway.bodies import Body, take_in
from producers.gateway.fields import example, json_schema
from producers.gateway.idempotency import parse_key
from producers.gateway.posting import answer_of
from producers.gateway.rows import RowReader
from producers.publisher import Delivery

CODEC = Codec.from_files(SCHEMAS)
READER = RowReader(CODEC, RECORD_TYPES, limit=10_000, whole_bytes=2**22)


def request(*chunks: bytes, encoding: str = "gzip") -> Request:
    """A request whose body comes in chunks."""
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    headers = [(b"content-encoding", encoding.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def taken(*chunks: bytes, limit: int = 10**6, encoding: str = "gzip") -> Body:
    return asyncio.run(take_in(request(*chunks, encoding=encoding), limit=limit, within_seconds=5))


def body(raw: bytes) -> Body:
    made = Body(10**9)
    made.put(raw)
    made.file.seek(0)
    return made


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 50))
def test_gzip_in_any_pieces_and_members_is_what_was_packed(members: list[bytes], piece: int) -> None:
    packed = b"".join(map(gzip.compress, members))
    found = taken(*(packed[at : at + piece] for at in range(0, len(packed), piece)))
    assert found.file.read() == b"".join(members)
    found.close()


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 300_000_000, 9)
    tracemalloc.start()
    with pytest.raises(RefusedError) as refused:
        taken(bomb, limit=2_000_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (refused.value.status, most < 6_000_000) == (413, True)


@pytest.mark.parametrize(
    ("text", "key"),
    [('"a b"', "a b"), ("8e03978e-40d5", "8e03978e-40d5"), (' "x" ', "x"), ('"a:b"', "a:b"), ("a;b", ""), ("a b", ""), ('"', ""), ("é", "")],
)  # fmt: skip
def test_idempotency_keys(text: str, key: str) -> None:
    if key:
        assert parse_key(text) == key
        return
    with pytest.raises(RequestError):
        parse_key(text)


@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/x-ndjson", "application/avro"]))
def test_no_bytes_break_the_reader(raw: bytes, media_type: str) -> None:
    with_magic = (raw, b"Obj\x01" + raw, b"\0\0\x0f\x42\x41" + raw)
    for one in with_magic:
        with closing(body(one)) as found, suppress(RefusedError):
            rows = list(READER.read(found, media_type).rows)
            assert all(row.reasons or row.record for row in rows)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type": []}',
        b'{"type": {}}',
        b'{"type": 1e999}',
        b'{"type": "penalty", "subject": NaN}',
        b"1" * 5000,
        b'{"type": "\xed\xa0\x80"}',
    ],
)
def test_odd_json_is_refused(raw: bytes) -> None:
    with closing(body(raw)) as found:
        (row,) = READER.read(found, "application/json").rows
        assert row.reasons


@pytest.mark.parametrize("record_type", sorted(RECORD_TYPES))
def test_the_json_schema_is_that_of_the_golden_example(record_type: str) -> None:
    schema, one = json_schema(CODEC.contracts.latest[record_type]), example(record_type)
    assert set(schema["required"]) <= set(one) <= set(schema["properties"])
    assert all(field["title"] for field in schema["properties"].values())
    del one["type"]
    assert from_json(CODEC.contracts.latest[record_type].schema, one)


@pytest.mark.parametrize(
    ("statuses", "status", "final"),
    [("a", 200, True), ("aa", 200, True), ("ar", 207, True), ("rr", 422, True), ("uu", 503, False), ("au", 207, False), ("ru", 207, False)],
)  # fmt: skip
def test_what_an_answer_says(statuses: str, status: int, final: bool) -> None:  # of the table
    words = {"a": "accepted", "r": "refused", "u": "unconfirmed"}
    results = [{"status": words[one], "detail": "d", "code": "c", "remedy": "r"} for one in statuses]
    answer, is_final = answer_of(results)
    assert (answer.status, is_final) == (status, final)


def test_a_container_cannot_hide_how_many_records_it_has() -> None:
    def long(number: int) -> bytes:  # Avro's zig-zag numbers
        number, out = (number << 1) ^ (number >> 63), bytearray()
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes([*out, number])

    sync = b"s" * 16
    schema = json.dumps(CODEC.contracts.latest["repair"].schema, ensure_ascii=False).encode()
    head = b"Obj\x01" + long(1) + long(11) + b"avro.schema" + long(len(schema)) + schema + long(0) + sync
    blocks = b"".join(long(count) + long(0) + sync for count in (20_000, -19_999))
    with closing(body(head + blocks)) as found, pytest.raises(RefusedError) as refused:
        READER.read(found, "application/avro")
    assert refused.value.code == "too_many_rows"


def test_the_answer_to_a_broken_row_is_of_bounded_size() -> None:
    with closing(body(json.dumps({"type": "listing", **{f"x{n}": n for n in range(3000)}}).encode())) as found:
        (row,) = READER.read(found, "application/json").rows
    reasons = tuple(Reason(code="unknown_field", field=name) for name in row.record)
    (result,) = send(Bus(room=1, confirms=1), "gd.tax", [Row("listing", {}, reasons)])
    assert len(result["reasons"]) == 30
    assert (result["reasons"][-1]["code"], result["reasons"][-1]["value"]) == ("more_reasons", "2971")
    with closing(body(json.dumps({"type": "listing", "aliases": [{"a": 1}] * 2001}).encode())) as found:
        (row,) = READER.read(found, "application/json").rows
    assert [reason.code for reason in row.reasons] == ["too_many_items"]


class Bus:
    """Takes so many records, then has no room; confirms so many, then does not."""

    def __init__(self, *, room: int, confirms: int) -> None:
        self.room, self.confirms = room, confirms
        self.asked = 0

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Any]:
        self.asked += 1
        if self.asked > self.room:
            raise RetryLaterError("full", code="queue_full")
        if record.get("bad"):
            raise RejectedError((Reason(code="bad"),))
        receipt: Future[Any] = Future()
        if self.asked > self.confirms:
            receipt.set_exception(RetryLaterError("lost", code="kafka_unavailable"))
        else:
            receipt.set_result(Delivery("t", 0, self.asked))
        return receipt


def statuses(bus: Bus, rows: list[Row]) -> list[str]:
    results = list(send(bus, "gd.tax", rows))
    assert [result["index"] for result in results] == list(range(len(rows)))
    return [result.get("code") or result["status"] for result in results]


def test_after_a_full_queue_nothing_more_is_tried_and_all_are_told() -> None:
    rows = [Row("listing", {"document": str(n)}) for n in range(9)]
    rows[1] = Row("listing", {"bad": True})
    rows[7] = Row("listing", {}, (Reason(code="bad_date"),))
    bus = Bus(room=4, confirms=9)
    assert statuses(bus, rows) == [
        "accepted",
        "refused",
        "accepted",
        "accepted",
        *["queue_full"] * 3,
        "refused",
        "queue_full",
    ]
    assert bus.asked == 5


def test_after_a_row_is_not_confirmed_no_more_are_sent_than_are_under_way() -> None:
    rows = [Row("listing", {"document": str(n)}) for n in range(3 * WINDOW)]
    bus = Bus(room=10**6, confirms=10)
    found = statuses(bus, rows)
    assert (found[:10], set(found[10:])) == (["accepted"] * 10, {"kafka_unavailable"})
    assert bus.asked <= WINDOW + 11
