"""The access log: who asked for what that is not public. Written to Redis before the answer, from there to Kafka for good.

An entry is appended to a Redis stream in the reader's own round trip, so that reading does not depend on Kafka;
`consumers.portal.access.drainer` moves it to the topic `credit.access`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

import redis

from exchange.codec import Codec
from exchange.domain.access import Act, Visitor

STREAM = "access-log"
_FIELD = b"v"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked for.

    Attributes:
        subject: subject id; a person by the bus's pseudonym.
        matter: the matter or purpose stated.
    """

    visitor: Visitor
    act: Act
    subject: str = ""
    matter: str = ""
    request_id: str = ""


def append_command(codec: Codec, asked: Asked, now_ms: int) -> tuple[str | bytes, ...]:
    """The Redis command that writes one entry down, for whoever has a pipeline under way: `pipe.execute_command(*command)`.

    The read may be answered only if this command succeeded.
    """
    visitor = asked.visitor
    entry = {
        "id": uuid4().hex, "asked_at": now_ms, "account": visitor.account, "role": str(visitor.role),
        "department": visitor.department, "act": str(asked.act), "subject": asked.subject, "matter": asked.matter[:200],
        "request_id": asked.request_id,
    }  # fmt: skip
    return ("XADD", STREAM, "*", _FIELD, codec.encode_plain("access_entry", entry))


class Waiting(NamedTuple):
    """An entry in the stream: its place and its message."""

    place: bytes
    raw: bytes


def oldest(client: "redis.Redis", count: int) -> list[Waiting]:
    """The oldest entries still in Redis."""
    found: Any = client.xrange(STREAM, count=count)
    return [Waiting(place, fields[_FIELD]) for place, fields in found]


def waiting(client: "redis.Redis") -> int:
    """How many entries are still in Redis; -1 while it is away."""
    try:
        return int(client.xlen(STREAM))
    except redis.RedisError:
        return -1
