"""Keeps checks for a while: the answer as it was given, so that a repeated request gets it again and a decision can refer to it."""

import hashlib
import zlib

import msgspec

from consumers.portal.checks.reading import Command
from exchange.domain.access import Visitor

ONCE_SECONDS = 86_400
"""So long a repeated Idempotency-Key gets the first answer again."""
_PACKED_FROM = 16_384


class Kept(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A check as it was answered.

    `subjects` are the subject ids that the answers are about, in order, empty where one was wrong; `body` is the answer in JSON
    (zlib where `packed`); `asked_at` in milliseconds since 1970-01-01 UTC.
    """

    id: str
    department: str
    account: str
    asked_at: int
    matter: str
    subjects: tuple[str, ...]
    body: bytes
    packed: bool = False

    @property
    def answer(self) -> bytes:
        """The answer in JSON."""
        return zlib.decompress(self.body) if self.packed else self.body


class Once(msgspec.Struct, frozen=True, array_like=True):
    """What an Idempotency-Key was first used for: a digest of the question, and the check that answered it."""

    digest: str
    check_id: str


_encode = msgspec.msgpack.encode
_decode_kept = msgspec.msgpack.Decoder(Kept).decode
_decode_once = msgspec.msgpack.Decoder(Once).decode


def pack(body: bytes) -> tuple[bytes, bool]:
    """An answer as it is kept, and whether that is zlib: large ones repeat themselves."""
    return (zlib.compress(body, 1), True) if len(body) >= _PACKED_FROM else (body, False)


def keep(kept: Kept, days: int) -> Command:
    """The command that keeps a check for so many days."""
    return ("SET", _check_key(kept.id), _encode(kept), "EX", days * 86_400)


def get(check_id: str) -> Command:
    """The command that finds a check; its answer is for `read_kept`."""
    return ("GET", _check_key(check_id))


def read_kept(raw: bytes | None) -> Kept | None:
    """The check of an answer of `get`."""
    return _decode_kept(raw) if raw else None


def keep_decision(check_id: str, subject: str, decision: bytes, days: int) -> Command:
    """The command that keeps the decision about one subject of a check."""
    return ("SET", _decision_key(check_id, subject), decision, "EX", days * 86_400)


def get_decision(check_id: str, subject: str) -> Command:
    """The command that finds it."""
    return ("GET", _decision_key(check_id, subject))


def once_key(visitor: Visitor, key: str) -> str:
    """Where the first use of an Idempotency-Key of an account is kept."""
    digest = hashlib.sha256(f"{visitor.department} {visitor.account} {key}".encode()).hexdigest()
    return f"{{check}}:once:{digest}"


def keep_once(key: str, once: Once) -> Command:
    """The command that keeps it, unless there is one; answers what was there."""
    return ("SET", key, _encode(once), "NX", "GET", "EX", ONCE_SECONDS)


def read_once(raw: bytes | None) -> Once | None:
    """The first use of an answer of `GET` or `keep_once`."""
    return _decode_once(raw) if raw else None


def _check_key(check_id: str) -> str:
    return f"{{check}}:id:{check_id}"


def _decision_key(check_id: str, subject: str) -> str:
    return f"{{check}}:decision:{check_id}:{subject}"
