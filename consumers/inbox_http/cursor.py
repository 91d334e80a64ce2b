"""A department's place in its notices, as an opaque text: the department keeps it, the server keeps nothing.

It holds the next offset of each partition. A checksum over it, the bus and the department finds what was cut, mistyped or meant
for somebody else; it is no secret, since the key alone says whose notices are read.
"""

import base64
import binascii
import hashlib

import msgspec

from exchange.errors import RequestError

Offsets = tuple[int, ...]
"""The next offset of each partition."""

END = -1
"""In place of an offset: behind what is there now. Kafka's own number for it."""
_CHECK_BYTES = 8
_REMEDY = "use a cursor as the bus gave it, or none to begin anew"


class _Body(msgspec.Struct, frozen=True, array_like=True):
    bus: str
    department: str
    offsets: Offsets


class CursorForm:
    """Writes and reads the cursors of one bus.

    Args:
        bus: what tells this bus from others: its cluster and the prefix of its topics.
        partitions: of each topic.
    """

    def __init__(self, bus: str, partitions: int) -> None:
        self._bus = hashlib.sha256(bus.encode()).hexdigest()[:8]
        self._partitions = partitions

    def beginning(self) -> Offsets:
        """Before everything that is retained."""
        return (0,) * self._partitions

    def end(self) -> Offsets:
        """Behind everything that is there when it is read."""
        return (END,) * self._partitions

    def write(self, department: str, offsets: Offsets) -> str:
        """The cursor of a place."""
        body = msgspec.msgpack.encode(_Body(self._bus, department, offsets))
        return self._text(_check(body) + body)

    def read(self, department: str, text: str) -> Offsets:
        """The place of a cursor.

        Raises:
            RequestError: `bad_cursor` (cut, mistyped or made up), `foreign_cursor` (another department's or another bus's).
        """
        body = self._unpack(text)
        if body is None:
            raise RequestError("游标无效 the cursor is damaged", code="bad_cursor", remedy=_REMEDY)
        if body.department != department:
            raise RequestError(
                "游标属于其他部门 the cursor is another department's", code="foreign_cursor", remedy=_REMEDY
            )
        if body.bus != self._bus or len(body.offsets) != self._partitions:
            raise RequestError("游标属于其他总线 the cursor is another bus's", code="foreign_cursor", remedy=_REMEDY)
        return body.offsets

    def _unpack(self, text: str) -> _Body | None:
        """What a cursor holds; None when it is not one of ours, whole and as we write it."""
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            packed = raw[_CHECK_BYTES:]
            whole = raw == _check(packed) + packed and self._text(raw) == text
            return msgspec.msgpack.decode(packed, type=_Body) if whole else None
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            return None

    @staticmethod
    def _text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"creditbus cursor\0" + body).digest()[:_CHECK_BYTES]
