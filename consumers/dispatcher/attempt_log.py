"""What is kept of each attempt, and the receipt of one that succeeded."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from consumers.dispatcher.post import Answer
from consumers.dispatcher.queue import Pointer
from exchange.answers import receipt_document
from exchange.codec import Codec
from exchange.domain.calendar import day_of


class Attempt(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One attempt in the delivery log. Times in milliseconds; status 0 where there was no answer."""

    at: int
    department: str
    subject: str
    notice: str
    epoch: int
    n: int
    number: int
    outcome: str
    status: int
    error: str
    milliseconds: int
    digest: str
    next_at: int

    def shown(self) -> dict[str, Any]:
        """For people and programs; times in ISO 8601."""
        found: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        found["at"], found["next_at"] = moment(self.at), moment(self.next_at) if self.next_at else ""
        return found


encode_attempt = msgspec.msgpack.Encoder().encode
decode_attempt = msgspec.msgpack.Decoder(Attempt).decode


def attempt_of(pointer: Pointer, department: str, answer: Answer, now: int, *, number: int, next_at: int) -> bytes:
    """The log's entry."""
    return encode_attempt(
        Attempt(
            at=now, department=department, subject=pointer.subject, notice=pointer.notice, epoch=pointer.epoch, n=pointer.n,
            number=number, outcome=answer.outcome.value, status=answer.status, error=answer.error,
            milliseconds=answer.milliseconds, digest=answer.digest, next_at=next_at,
        )
    )  # fmt: skip


def receipt_of(codec: Codec, pointer: Pointer, department: str, operator: str, answer: Answer, now: int) -> bytes:
    """The delivery receipt as a record in wire format; its document follows from the notice, so that it counts once."""
    return codec.encode_plain(
        "delivery_receipt",
        {
            "subject": pointer.subject, "subject_name": "", "department": operator, "document": receipt_document(pointer.notice),
            "revision": 1, "decided_on": day_of(now), "published_at": now, "classification": 0, "division": "",
            "notice_id": pointer.notice, "channel": CHANNEL_WEBHOOK, "epoch": pointer.epoch, "n": pointer.n,
            "delivered_at": now, "attempts": pointer.attempts + 1, "detail": str(answer.status), "receiver": department,
        },
    )  # fmt: skip


CHANNEL_WEBHOOK = 1
"""Position of WEBHOOK among the schema's channels."""


def moment(at: int) -> str:
    """Milliseconds as an ISO time."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
