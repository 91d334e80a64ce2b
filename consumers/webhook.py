"""A pushed notice as it reaches a department: verify who sent it, then read it; what every receiver needs and may copy.

A message is one CloudEvents 1.0 event in JSON, signed as Standard Webhooks 1.0.0 says. A receiver opens it, stores the notice
where a crash cannot take it, and only then answers 2xx: what is not answered so comes again, under the same id.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.codec import Codec
from exchange.errors import RejectedError, RequestError
from exchange.json_form import from_json
from exchange.signatures import verify

NOTICE, VERIFICATION = "cn.creditbus.notice.v1", "creditbus.endpoint.verification"
"""Types of the events that an endpoint receives."""
CONTENT_TYPES = ("application/cloudevents+json", "application/json")
MAX_BYTES = 1_048_576
"""No notice is larger: Kafka's own limit of one message."""


class MessageError(RequestError):
    """A message comes from the bus and yet cannot be read; answer 400."""

    code = "bad_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The bus asks whether this endpoint is its department's: answer 200 with `answer()` as JSON."""

    challenge: str

    def answer(self) -> dict[str, str]:
        """What is sent back.

        >>> Challenge(challenge="c1").answer()
        {'challenge': 'c1'}
        """
        return {"challenge": self.challenge}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMessage:
    """One delivery of a notice.

    Attributes:
        id: of the notice, the same for each attempt.
        notice: the fields of schemas/records/notice.avsc, as the inbox on Kafka hands them out.
        superseded: older notices that this one stands for, each with its id, sequence and changes; for the files, not for
            acting on. Of a long backlog only some are named.
    """

    id: str
    notice: dict[str, Any]
    superseded: tuple[Mapping[str, Any], ...] = ()

    @property
    def sequence(self) -> tuple[int, int]:
        """(epoch, n): of two notices about a subject the higher is right, whatever order they come in."""
        return self.notice["epoch"], self.notice["n"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinMessage:
    """One delivery that says only which notice there is; its content is fetched with the department's own key.

    Attributes:
        id: of the notice, the same for each attempt.
        subject: whom it is about, which the inbox asks for.
        superseded: as in NoticeMessage, without the changes.
    """

    id: str
    department: str
    subject: str
    sequence: tuple[int, int]
    superseded: tuple[Mapping[str, Any], ...] = ()

    def whole(self, found: object, codec: Codec) -> NoticeMessage:
        """The message with its notice.

        Args:
            found: the JSON that GET /v1/notices/{id}?subject= of the inbox answered (docs/inbox.md).
            codec: of the contracts.

        Raises:
            MessageError: that is not the notice which was announced.
        """
        if not isinstance(found, dict):
            raise MessageError("the notice is no JSON object")
        notice = _read_notice(found, codec)
        named = (notice["id"], notice["department"], notice["subject"], notice["epoch"], notice["n"])
        if named != (self.id, self.department, self.subject, *self.sequence):
            raise MessageError(f"notice {named[0][:80]!r} is not the one that was announced")
        return NoticeMessage(id=self.id, notice=notice, superseded=self.superseded)


Message = Challenge | NoticeMessage | ThinMessage
"""What a signed request can be."""


def open_message(body: bytes, headers: Mapping[str, str], keys: Sequence[str], codec: Codec, *, now: float) -> Message:
    """Verify a request and read what is in it.

    Args:
        body: exactly as received; nothing may have parsed and written it anew.
        headers: of the request.
        keys: `whpk_...` keys of this endpoint; two while they are rotated.
        codec: of the contracts.
        now: seconds since 1970-01-01 UTC.

    Raises:
        SignatureError: not from the bus, or not fresh; answer 401.
        MessageError: see `read_message`; answer 400.
    """
    verify(body, headers, keys, now=now)
    return read_message(body, headers, codec)


def read_message(body: bytes, headers: Mapping[str, str], codec: Codec) -> Message:
    """Read a body whose signature was verified already.

    Raises:
        MessageError: no event, of an unknown type, of another id than was signed, or no notice of the contract.
    """
    try:
        event = json.loads(body)
    except ValueError as error:
        raise MessageError("the body is not JSON") from error
    if not isinstance(event, dict) or event.get("specversion") != "1.0" or not isinstance(event.get("data"), dict):
        raise MessageError("the body is not a CloudEvents 1.0 event with data")
    data = dict(event["data"])
    if event.get("type") == VERIFICATION and isinstance(data.get("challenge"), str):
        return Challenge(challenge=data["challenge"])
    if event.get("type") != NOTICE:
        raise MessageError(f"no event of type {str(event.get('type'))[:80]!r} is known here")
    return _notice(data, str(event.get("id", "")), headers, codec)


def _notice(
    data: dict[str, Any], event_id: str, headers: Mapping[str, str], codec: Codec
) -> NoticeMessage | ThinMessage:
    named = data.pop("superseded", {})
    if not isinstance(named, dict) or not isinstance(named.get("notices", []), list):
        raise MessageError("superseded is not {count, notices}")
    superseded = tuple(named.get("notices", ()))
    message: NoticeMessage | ThinMessage
    if "place" in data:
        message = _thin(data, superseded)
    else:
        notice = _read_notice(data, codec)
        message = NoticeMessage(id=notice["id"], notice=notice, superseded=superseded)
    signed_id = {name.lower(): value for name, value in headers.items()}.get("webhook-id", "")
    if not signed_id == event_id == message.id:
        raise MessageError(f"webhook-id {signed_id[:80]!r}, event and notice do not have the same id")
    return message


def _read_notice(data: dict[str, Any], codec: Codec) -> dict[str, Any]:
    try:
        value = from_json(codec.contracts.latest["notice"].schema, data)
        _, notice = codec.decode(codec.encode("notice", value))  # as the contract has it, defaults filled in
    except RejectedError as error:
        raise MessageError(f"the data is no notice: {error}") from error
    return notice


def _thin(data: dict[str, Any], superseded: tuple[Mapping[str, Any], ...]) -> ThinMessage:
    for name, kind in (("id", str), ("department", str), ("subject", str), ("epoch", int), ("n", int)):
        if type(data.get(name)) is not kind:
            raise MessageError(f"the data names no notice: {name} is {str(data.get(name))[:80]!r}")
    return ThinMessage(
        id=data["id"], department=data["department"], subject=data["subject"], sequence=(data["epoch"], data["n"]),
        superseded=superseded,
    )  # fmt: skip
