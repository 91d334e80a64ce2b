"""Parts of Avro messages: what many messages have in common is encoded once, and a message is its parts, joined.

Avro writes a record as its fields one after the other and an array as a count, its items and a zero. Who joins parts answers for
their order; a contract test holds it against the schema.
"""

from collections.abc import Sequence
from functools import lru_cache

_BYTE = tuple(bytes([value]) for value in range(128))
_MORE = 128
NONE = b"\0"
"""The null of a nullable field; anything else is behind `SOME`."""
SOME = b"\2"


def number(value: int) -> bytes:
    r"""An int, a long or the position of an enum's symbol: zigzag, seven bits a byte, the lowest first (Avro 1.12, Binary Encoding).

    >>> number(0), number(-1), number(64)
    (b'\x00', b'\x01', b'\x80\x01')
    """
    rest = value << 1 if value >= 0 else ~(value << 1)
    if rest < _MORE:
        return _BYTE[rest]
    out = bytearray()
    while rest >= _MORE:
        out.append(rest & (_MORE - 1) | _MORE)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def text(value: str) -> bytes:
    r"""A string.

    >>> text("gd")
    b'\x04gd'
    """
    raw = value.encode()
    return number(len(raw)) + raw


word = lru_cache(maxsize=16_384)(text)
"""`text` of what comes again and again: a slug, a code, an article."""


def optional_day(value: int | None) -> bytes:
    """A nullable date."""
    return NONE if value is None else SOME + number(value)


def array(items: Sequence[bytes]) -> bytes:
    r"""An array of encoded items.

    >>> array([]), array([b"a", b"b"])
    (b'\x00', b'\x04ab\x00')
    """
    return b"".join((number(len(items)), *items, b"\0")) if items else b"\0"
