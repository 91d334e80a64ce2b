"""The message: a notice as CloudEvents 1.0 structured JSON, with `type`, `timestamp` and `data` as Standard Webhooks advises."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from consumers.dispatcher.queue import Pointer, Skipped
from exchange.codec import Codec
from exchange.json_form import to_json

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
NOTICE_TYPE = "cn.creditbus.notice.v1"
VERIFICATION_TYPE = "creditbus.endpoint.verification"
_encode = msgspec.json.Encoder().encode
_TIMES = ("issued_at", "published_at", "received_at")


class Envelope:
    """Makes the bodies of messages.

    Args:
        codec: of the contracts.
        source: CloudEvents source, the bus.
    """

    def __init__(self, codec: Codec, source: str) -> None:
        self._codec = codec
        self._source = source

    def full(self, pointer: Pointer, raw: bytes) -> bytes:
        """A message with the whole notice.

        Args:
            pointer: to the notice, with what it supersedes.
            raw: the notice in wire format.
        """
        notice: dict[str, Any] = self._codec.decode(raw)[1]
        for name in _TIMES:
            notice[name] = to_json(notice[name])
        return self._body(pointer, notice, [_named(one) | {"changes": _changes(one)} for one in pointer.skipped])

    def thin(self, pointer: Pointer, department: str, topic: str) -> bytes:
        """A message that says only which notice there is, and where it lies: nothing of its content leaves the bus."""
        data = {
            "id": pointer.notice,
            "department": department,
            "subject": pointer.subject,
            "epoch": pointer.epoch,
            "n": pointer.n,
            "place": {"topic": topic, "partition": pointer.partition, "offset": pointer.offset},
        }
        return self._body(pointer, data, [_named(one) for one in pointer.skipped])

    def verification(self, message_id: str, challenge: str, now: int) -> bytes:
        """The message that an endpoint must echo the challenge of, before it gets notices."""
        data = {"challenge": challenge}
        return _encode(self._event(message_id, VERIFICATION_TYPE, _iso(now)) | {"data": data})

    def _body(self, pointer: Pointer, data: dict[str, Any], superseded: list[dict[str, Any]]) -> bytes:
        if pointer.skipped_count:
            data["superseded"] = {"count": pointer.skipped_count, "notices": superseded}
        event = self._event(pointer.notice, NOTICE_TYPE, _iso(pointer.issued_at))
        event["subject"] = pointer.subject
        event["sequence"] = f"{pointer.epoch:010d}.{pointer.n:012d}"
        event["data"] = data
        return _encode(event)

    def _event(self, message_id: str, kind: str, at: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": message_id,
            "source": self._source,
            "type": kind,
            "time": at,
            "timestamp": at,
            "datacontenttype": "application/json",
        }


def _named(one: Skipped) -> dict[str, Any]:
    return {"id": one.notice, "epoch": one.epoch, "n": one.n, "issued_at": _iso(one.issued_at)}


def _changes(one: Skipped) -> list[dict[str, str]]:
    return [{"measure": measure, "action": action} for measure, action in one.changes]


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
