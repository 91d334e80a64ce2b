"""Reads the records of a body, one after the other: JSON, lines of JSON, one Avro message, or an Avro object container file."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from fastavro import block_reader, parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType, to_parsing_canonical_form

from exchange.codec import READ_ERRORS, Codec
from exchange.errors import Reason, RejectedError
from exchange.http.problems import RefusedError
from exchange.http.sending import Row
from exchange.json_form import from_json
from exchange.registry import Contract
from exchange.validation import MESSAGE_BYTES
from producers.gateway.bodies import Body

JSON = frozenset({"application/json"})
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
AVRO = frozenset({"application/avro", "application/vnd.apache.avro"})
MEDIA_TYPES = (*sorted(JSON), *sorted(LINES), *sorted(AVRO))
LINE_BYTES = 2 * MESSAGE_BYTES
"""Of the JSON of one record: it is longer than its Avro, which has at most 1 MiB."""
MEMBERS = 4000
"""Fields and items in the JSON of one record: twice what the longest lists of a registration need."""
_CONTAINER = b"Obj\x01"
_CONTAINER_ERRORS = (*READ_ERRORS, KeyError, TypeError, RecursionError, SchemaParseException, UnknownType)
_BLANK = b" \t\r\n"
Rows = Iterator[Row]


class Counted(NamedTuple):
    """The records of a body, and how many there are."""

    records: int
    rows: Rows


class RowReader:
    """Reads bodies.

    Args:
        codec: of the contracts.
        record_types: that departments publish.
        limit: records of one body.
        whole_bytes: of a body that is held in memory whole: JSON and a single Avro message.
    """

    def __init__(self, codec: Codec, record_types: frozenset[str], *, limit: int, whole_bytes: int) -> None:
        self._codec = codec
        self._record_types = record_types
        self._limit = limit
        self._whole_bytes = whole_bytes
        self._by_form = {to_parsing_canonical_form(one.schema): one for one in codec.contracts.all}

    def read(self, body: Body, media_type: str) -> Counted:
        """The records of a body; nothing is read of them before they are asked for, but that there are not too many.

        Raises:
            RefusedError: 415 `unsupported_media_type`, 413 `too_large` or `too_many_rows`, 400 `bad_body` or `bad_container`.
        """
        if media_type in LINES:
            return self._lines(body)
        if media_type in AVRO:
            is_container = body.file.read(len(_CONTAINER)) == _CONTAINER
            body.file.seek(0)
            return self._container(body) if is_container else Counted(1, iter([self._message(self._whole(body))]))
        if media_type in JSON:
            return self._json(self._whole(body))
        raise RefusedError(
            415, f"不支持的格式 Content-Type {media_type[:80]!r}", code="unsupported_media_type",
            remedy=f"send {', '.join(MEDIA_TYPES)}", headers={"Accept-Post": ", ".join(MEDIA_TYPES)},
        )  # fmt: skip

    def _whole(self, body: Body) -> bytes:
        if body.size > self._whole_bytes:
            raise RefusedError(
                413, f"正文过大 the body is larger than {self._whole_bytes} bytes", code="too_large",
                remedy="send it in parts, or many records as application/x-ndjson or an Avro container",
            )  # fmt: skip
        return body.file.read()

    def _json(self, raw: bytes) -> Counted:
        if not raw.lstrip(_BLANK).startswith(b"["):
            return self._counted(1, iter([self._parse(raw)]))
        try:
            parts = msgspec.json.decode(raw, type=list[msgspec.Raw])
        except (ValueError, RecursionError) as error:
            raise bad_body(f"the body is JSON: {error}") from error
        return self._counted(len(parts), (self._parse(bytes(part)) for part in parts))

    def _lines(self, body: Body) -> Counted:
        count = sum(not line.isspace() for line in _lines_of(body))
        body.file.seek(0)
        return self._counted(count, (self._parse(line) for line in _lines_of(body) if not line.isspace()))

    def _parse(self, raw: bytes) -> Row:
        """The record of one JSON object."""
        if len(raw) > LINE_BYTES:
            rule = f"the JSON of a record has at most {LINE_BYTES} bytes"
            return Row("", {}, (Reason(code="message_too_large", value=f"more than {LINE_BYTES}", rule=rule),))
        try:
            given = msgspec.json.decode(raw)
        except (ValueError, RecursionError) as error:
            return Row("", {}, (Reason(code="bad_json", value=str(error)[:200], rule="one JSON object (RFC 8259)"),))
        if not isinstance(given, dict):
            return Row("", {}, (Reason(code="wrong_type", value=str(given)[:200], rule="a JSON object"),))
        if (count := _members(given)) > MEMBERS:
            rule = f"the JSON of a record has at most {MEMBERS} fields and items"
            return Row("", {}, (Reason(code="too_many_items", value=str(count), rule=rule),))
        record_type = given.pop("type", None)
        if not isinstance(record_type, str) or record_type not in self._record_types:
            rule = f"one of {', '.join(sorted(self._record_types))}"
            code = "missing_field" if record_type is None else "unknown_symbol"
            return Row("", given, (Reason(code=code, field="type", value=str(record_type or "")[:200], rule=rule),))
        try:
            return Row(record_type, from_json(self._codec.contracts.latest[record_type].schema, given))
        except RejectedError as error:
            return Row(record_type, given, error.reasons)

    def _message(self, raw: bytes) -> Row:
        """The record of a message in Confluent's wire format."""
        try:
            return Row(*self._codec.decode(raw))
        except RejectedError as error:
            return Row("", {}, error.reasons)

    def _container(self, body: Body) -> Counted:
        """The records of a container. Its schema only says which of the bus's it is: a foreign one could be a bomb."""
        try:
            found = block_reader(body.file)
            codec = found.metadata.get("avro.codec", "null")
            contract = self._by_form.get(to_parsing_canonical_form(msgspec.json.decode(found.metadata["avro.schema"])))
            if codec != "null":
                raise _bad_container(f"codec {codec!r}; send it with codec null, packed as Content-Encoding: gzip")
            if contract is None:
                raise _bad_container("its schema is none of the bus's, see GET /v1/schemas/{type}")
            count = sum(abs(block.num_records) for block in found)  # a negative one would hide others
        except _CONTAINER_ERRORS as error:
            raise _bad_container(f"{type(error).__name__}: {error}") from error
        body.file.seek(0)
        return self._counted(count, self._contained(body, contract))

    def _contained(self, body: Body, contract: Contract) -> Rows:
        written = parse_schema(contract.schema)
        newest = parse_schema(self._codec.contracts.latest[contract.record_type].schema)
        try:
            for block in block_reader(body.file):
                for _ in range(block.num_records):
                    record: Any = schemaless_reader(block.bytes_, written, newest)
                    yield Row(contract.record_type, record)
                if block.bytes_.read(1):
                    raise ValueError("bytes follow the last record of a block")  # as wrong as the rest
        except READ_ERRORS as error:  # what follows has no beginning
            rule = f"the Avro of one {contract.record_type}; nothing behind it can be read"
            yield Row(contract.record_type, {}, (Reason(code="undecodable", value=str(error)[:200], rule=rule),))

    def _counted(self, count: int, rows: Rows) -> Counted:
        if count > self._limit:
            raise RefusedError(
                413, f"记录过多 {count} records, at most {self._limit} at once", code="too_many_rows", remedy="send them in parts"
            )  # fmt: skip
        if count == 0:
            raise bad_body("at least one record")
        return Counted(count, rows)


def bad_body(rule: str) -> RefusedError:
    """The body as a whole is not what it should be."""
    return RefusedError(400, f"正文有误 the body is wrong: {rule}", code="bad_body", remedy="see /docs for an example")


def _bad_container(why: str) -> RefusedError:
    return RefusedError(
        400, f"Avro 文件有误 the Avro container cannot be read: {why[:300]}", code="bad_container",
        remedy="write it with a schema of the bus, codec null",
    )  # fmt: skip


def _lines_of(body: Body) -> Iterator[bytes]:
    """The lines; of one that is too long only as much as shows that it is."""
    while line := body.file.readline(LINE_BYTES + 1):
        yield line
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = body.file.readline(LINE_BYTES + 1)


def _members(value: Any) -> int:
    """Fields and items in a value, however deep."""
    count, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            count += len(one)
            left += one.values() if isinstance(one, dict) else one
    return count
