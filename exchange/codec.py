"""The codec: records to bytes and back, in Confluent's wire format: a zero byte, four bytes of schema id, Avro.

`decode` gives what people write (days, times, amounts, symbols); `decode_plain` is the hot path and gives the plain form
(see `exchange.plain`). Records of other versions than the newest come out as the newest, by Avro's rules.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from exchange.errors import Reason, RequestError, UndecodableError
from exchange.plain import Convert, compile_converter, plain_type
from exchange.plain_reader import Read, compile_reader
from exchange.registry import Contract, Contracts, Schema, load_contracts
from exchange.settings import Settings

PREFIX_BYTES = 5
"""A zero byte and the schema id, big-endian."""

FindContract = Callable[[int], Contract | None]
"""Looks up a schema id that is not known yet; None when there is no such id."""

READ_ERRORS = (EOFError, IndexError, ValueError, OverflowError, SchemaResolutionError)
"""All that reading wrong bytes raises, found by fuzzing: truncated, bad UTF-8, bad positions, days beyond the calendar."""


class _Writer(NamedTuple):
    prefix: bytes
    convert: Convert
    plain: Schema


class _Reader(NamedTuple):
    record_type: str
    read: Read


class Codec:
    """Encodes and decodes every record type. What a type needs is compiled when its first message comes.

    Args:
        contracts: known from the start; the newest version of each type is what is written and what comes out.
        ids: schema id to write each record type under, where it is not the pinned one.
        find: looks up other ids, in a registry server.
    """

    def __init__(
        self, contracts: Contracts, *, ids: Mapping[str, int] | None = None, find: FindContract | None = None
    ) -> None:
        self.contracts = contracts
        self._find = find
        self._ids = ids or {one.record_type: one.id for one in contracts.latest.values()}
        self._by_id = dict(contracts.by_id) | {self._ids[one.record_type]: one for one in contracts.latest.values()}
        self._plain: dict[bytes, _Reader] = {}
        self._exact: dict[bytes, _Reader] = {}
        self._writers: dict[str, _Writer] = {}

    @classmethod
    def from_files(cls, schemas: Path) -> "Codec":
        """A codec with the pinned ids of `registry.json`."""
        return cls(load_contracts(schemas))

    @property
    def record_types(self) -> tuple[str, ...]:
        """Slugs of all record types."""
        return tuple(self.contracts.latest)

    def schema_id(self, record_type: str) -> int:
        """The id that messages of a type are written under."""
        return self._ids[self._newest(record_type).record_type]

    def symbols(self, record_type: str, field: str) -> tuple[str, ...]:
        """The symbols of an enum field; a plain value is a position among them.

        Raises:
            KeyError: the record type has no such enum field.
        """
        for one in self._newest(record_type).schema["fields"]:
            if one["name"] == field and isinstance(one["type"], dict) and one["type"]["type"] == "enum":
                return tuple(one["type"]["symbols"])
        raise KeyError(field)

    def plain(self, record_type: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """The plain form of a record as people write it, defaults filled in.

        Raises:
            RejectedError: a field is missing, unknown, of a wrong type or out of range; every reason is in it.
            RequestError: `unknown_record_type`.
        """
        plain: dict[str, Any] = self._writer(record_type).convert(value, "")
        return plain

    def encode(self, record_type: str, value: Mapping[str, Any]) -> bytes:
        """The message of a record as people write it; see `plain` for what is refused."""
        return self.encode_plain(record_type, self.plain(record_type, value))

    def encode_plain(self, record_type: str, plain: Mapping[str, Any]) -> bytes:
        """The message of a plain record; fields that are absent take their defaults. The caller vouches for the types."""
        writer = self._writer(record_type)
        out = BytesIO()
        out.write(writer.prefix)
        schemaless_writer(out, writer.plain, plain)
        return out.getvalue()

    def prefix(self, record_type: str) -> bytes:
        """What the messages of a record type begin with."""
        return self._writer(record_type).prefix

    def decode_plain(self, raw: bytes) -> tuple[str, dict[str, Any]]:
        """Record type and plain record of a message. Positions of enums are as found: validation checks their range.

        Raises:
            UndecodableError: `not_wire_format`, `unknown_schema_id`, `truncated`, `trailing_bytes` or `undecodable`.
        """
        record_type, read = self._plain.get(raw[:PREFIX_BYTES]) or self._learn(raw, self._plain, plain=True)
        try:
            return record_type, read(raw)
        except READ_ERRORS as error:
            _refuse(raw, record_type, error)

    def decode(self, raw: bytes) -> tuple[str, dict[str, Any]]:
        """Record type and record of a message, with days, times, amounts and symbols.

        Raises:
            UndecodableError: as `decode_plain`.
        """
        record_type, read = self._exact.get(raw[:PREFIX_BYTES]) or self._learn(raw, self._exact, plain=False)
        try:
            return record_type, read(raw)
        except READ_ERRORS as error:
            _refuse(raw, record_type, error)

    def _newest(self, record_type: str) -> Contract:
        contract = self.contracts.latest.get(record_type)
        if contract is None:
            raise RequestError(
                f"there is no record type {record_type!r}",
                code="unknown_record_type",
                remedy=f"use one of {', '.join(self.record_types)}",
            )
        return contract

    def _writer(self, record_type: str) -> _Writer:
        writer = self._writers.get(record_type)
        if writer is None:
            schema = self._newest(record_type).schema
            prefix = b"\0" + self._ids[record_type].to_bytes(4, "big")
            writer = _Writer(prefix, compile_converter(schema), _parse(plain_type(schema)))
            self._writers[record_type] = writer
        return writer

    def _learn(self, raw: bytes, readers: dict[bytes, _Reader], *, plain: bool) -> _Reader:
        """The reader of an id that has not been seen yet."""
        prefix = raw[:PREFIX_BYTES]
        if len(prefix) < PREFIX_BYTES or prefix[0] != 0:
            raise _undecodable("not_wire_format", prefix.hex(), "a zero byte, four bytes of schema id, Avro")
        schema_id = int.from_bytes(prefix[1:], "big")
        contract = self._by_id.get(schema_id) or (self._find(schema_id) if self._find else None)
        if contract is None or contract.record_type not in self.contracts.latest:
            raise _undecodable("unknown_schema_id", str(schema_id), "an id of the schema registry")
        newest = self.contracts.latest[contract.record_type].schema
        if contract.fingerprint == self.contracts.latest[contract.record_type].fingerprint:
            read = compile_reader(plain_type(newest), PREFIX_BYTES) if plain else _exact_reader(newest)
        else:
            read = _bridge(contract.schema, newest, plain=plain)
        readers[prefix] = _Reader(contract.record_type, read)
        return readers[prefix]


def open_codec(settings: Settings, schemas: Path) -> Codec:
    """The codec that the settings ask for: with the ids of a registry server, or else those of the file.

    Raises:
        FatalError: the files disagree with what is pinned; or the server lacks a schema.
        RetryLaterError: the server does not answer.
    """
    if not settings.registry_url:
        return Codec.from_files(schemas)
    from exchange.schema_server import SchemaServer

    contracts = load_contracts(schemas)
    server = SchemaServer(settings.registry_url)
    return Codec(contracts, ids=server.ids_of(contracts), find=server.find)


def _parse(schema: Schema) -> Schema:
    parsed: Schema = parse_schema(schema)
    return parsed


def _exact_reader(schema: Schema) -> Read:
    """A function that reads a message's Avro, all of it, with logical types."""
    parsed = _parse(schema)

    def read(raw: bytes) -> dict[str, Any]:
        return _read_all(raw, parsed, None)

    return read


def _bridge(written: Schema, newest: Schema, *, plain: bool) -> Read:
    """A function that reads another version: resolved by Avro's rules, then written and read as the newest."""
    writer, resolved = _parse(_without_logical(written)), _parse(_without_logical(newest))
    read_newest = compile_reader(plain_type(newest), PREFIX_BYTES) if plain else _exact_reader(newest)

    def read(raw: bytes) -> dict[str, Any]:
        out = BytesIO()
        out.write(raw[:PREFIX_BYTES])
        schemaless_writer(out, resolved, _read_all(raw, writer, resolved))
        return read_newest(out.getvalue())

    return read


def _read_all(raw: bytes, writer: Schema, reader: Schema | None) -> dict[str, Any]:
    source = BytesIO(raw)
    source.seek(PREFIX_BYTES)
    value: dict[str, Any] = schemaless_reader(source, writer, reader)
    rest = len(raw) - source.tell()
    if rest:
        raise _undecodable("trailing_bytes", f"{rest} bytes", "nothing follows the record")
    return value


def _without_logical(part: Any) -> Any:
    """A schema without logical types; enums stay, since their symbols decide between versions."""
    if isinstance(part, dict):
        return {key: _without_logical(value) for key, value in part.items() if key not in ("logicalType", "doc")}
    if isinstance(part, list):
        return [_without_logical(one) for one in part]
    return part


def _refuse(raw: bytes, record_type: str, error: Exception) -> NoReturn:
    cut = isinstance(error, UnicodeDecodeError) and error.reason == "unexpected end of data"
    code = "truncated" if cut or isinstance(error, EOFError | IndexError) else "undecodable"
    raise _undecodable(code, f"{len(raw)} bytes: {error}", f"the Avro of one {record_type}") from error


def _undecodable(code: str, value: str, rule: str) -> UndecodableError:
    return UndecodableError((Reason(code=code, value=value[:200], rule=rule),))
