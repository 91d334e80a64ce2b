"""The ledger as a file: a line that says what it is, the entries in order, and a line that says where each chain ends.

Each line is JSON in exactly one form, so a changed byte is found even where it would not change a value.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from exchange.domain.ledger import Entry, Head, Kind

FORM = 1
_BYTES = frozenset({"previous", "payload_digest", "key_digest", "signature"})
_NUMBERS = frozenset({"sequence", "partition", "offset", "written_at"})


class Line(NamedTuple):
    """One entry of a file, with the hash that stands beside it.

    payload and key: the message's, None when they are not there.
    """

    entry: Entry
    hash: bytes
    payload: bytes | None = None
    key: bytes | None = None


class Header(NamedTuple):
    """The first line: topic prefix, topic of the ledger, which partitions, and whether payloads are with the entries."""

    bus: str
    topic: str
    partitions: tuple[int, ...]
    payloads: bool


def header_line(header: Header) -> bytes:
    """The first line of a file."""
    return _line({"ledger": FORM, **header._asdict(), "partitions": list(header.partitions)})


def read_header(raw: bytes) -> Header:
    """The header of a first line.

    Raises:
        ValueError: it is not one.
    """
    found = json.loads(raw)
    try:
        header = Header(found["bus"], found["topic"], tuple(found["partitions"]), found["payloads"])
        exact = header_line(header) == raw and type(header.payloads) is bool
        exact = exact and isinstance(header.bus, str) and isinstance(header.topic, str)
    except (TypeError, KeyError) as error:
        raise ValueError("it is not the first line of a ledger file") from error
    if not exact or any(type(number) is not int for number in header.partitions):
        raise ValueError("it is not in the one form of a first line")
    return header


def entry_line(line: Line, *, payloads: bool) -> bytes:
    """The line of an entry."""
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in line.entry._asdict().items()}
    shown["hash"] = line.hash.hex()
    if payloads:
        shown |= {"payload": _base64(line.payload), "key": _base64(line.key)}
    return _line(shown)


def read_entry(raw: bytes, *, payloads: bool) -> Line:
    """The entry of a line.

    Raises:
        ValueError: it is not one, or not in its one form.
    """
    found = json.loads(raw)
    try:
        entry = Entry._make(_value(name, found[name]) for name in Entry._fields)
        line = Line(entry, bytes.fromhex(found["hash"]))
        if payloads:
            line = line._replace(payload=_bytes(found["payload"]), key=_bytes(found["key"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"a field is missing or of a wrong type: {error}") from error
    if entry_line(line, payloads=payloads) != raw:
        raise ValueError("it is not in the one form of an entry")
    return line


def end_line(header: bytes, heads: Mapping[int, Head], payloads: int) -> bytes:
    """The last line of a file: the digest of the first line, the head of each chain, and how many payloads there are."""
    shown = [
        {"partition": number, "sequence": head.sequence, "hash": head.hash.hex()} for number, head in heads.items()
    ]
    return _line({"end": hashlib.sha256(header).hexdigest(), "heads": shown, "payloads": payloads})


def heads_of(raw: bytes) -> dict[int, Head] | None:
    """The heads that a last line names; None when it is no last line."""
    if not raw.startswith(b'{"end":'):
        return None
    try:
        return {one["partition"]: Head(one["sequence"], bytes.fromhex(one["hash"])) for one in json.loads(raw)["heads"]}
    except (ValueError, KeyError, TypeError):
        return None


def _line(shown: Mapping[str, Any]) -> bytes:
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _value(name: str, value: Any) -> Any:
    if name in _BYTES:
        return bytes.fromhex(value)
    wanted = int if name in _NUMBERS else str
    if type(value) is not wanted:
        raise TypeError(name)
    return Kind(str(value)) if name == "kind" else value


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)
