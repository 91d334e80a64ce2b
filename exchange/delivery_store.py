"""Where deliveries stand: what waits for whom, what was delivered, the log of attempts and the receipts still to be published.

Keys of partition p begin with `w{p}:`: in the partition's slot, and not among the `{p}:*` that `creditbus rebuild` forgets.
`cursor` (token, offsets, replays), `p:<department>` (pending: subject to pointer), `d:<department>` (delivered: subject to
sequence), `l:<department>` (log, a stream), `s:<department>:<subject>` and `notices` (indexes of the log), `receipts`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError

from exchange.redis_client import run_pipeline
from exchange.redis_errors import translate_redis

LOADED_AT_ONCE = 2000


@dataclass(slots=True, kw_only=True)
class DeliveryChange:
    """What one commit writes in one partition.

    Attributes:
        expected: the token of the commit before; token: of this one.
        trim: receipts that are published, from the oldest.
        cursor: fields to set.
        pending: (department, subject) to the encoded pointer; empty bytes remove it.
        delivered: (department, subject) to epoch and number.
        log: (department, subject, notice, encoded attempt).
        receipts: encoded.
    """

    partition: int
    expected: str = ""
    token: str = ""
    trim: int = 0
    cursor: dict[str, str | int] = field(default_factory=dict)
    pending: dict[tuple[str, str], bytes] = field(default_factory=dict)
    delivered: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    log: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    receipts: list[bytes] = field(default_factory=list)


class DeliveryStore:
    """The state of deliveries; the only place that talks to Redis about them.

    Args:
        client: of Redis, answering bytes.
        log_entries: attempts kept of a department in a partition.
        log_ms: how long they are kept.
    """

    def __init__(self, client: "redis.Redis", *, log_entries: int = 100_000, log_ms: int = 90 * 86_400_000) -> None:
        self._client = client
        self._log = (log_entries, log_ms)
        self._script = (Path(__file__).parent / "deliver.lua").read_text()
        self._sha = hashlib.sha1(self._script.encode(), usedforsecurity=False).hexdigest()

    def attach(self, partition: int, token: str) -> dict[str, str]:
        """Take a partition over: no commit of its owner before passes from now on. Its cursor's fields."""
        key = f"w{{{partition}}}:cursor"
        _, found = self._pipeline([("HSET", key, "token", token), ("HGETALL", key)])
        return {name.decode(): value.decode() for name, value in found.items()}

    def cursor(self, partition: int) -> dict[str, str]:
        """A partition's cursor."""
        (found,) = self._pipeline([("HGETALL", f"w{{{partition}}}:cursor")])
        return {name.decode(): value.decode() for name, value in found.items()}

    def tokens(self, partitions: Sequence[int]) -> list[str]:
        """The newest token of each partition."""
        found = self._pipeline([("HGET", f"w{{{number}}}:cursor", "token") for number in partitions])
        return [(one or b"").decode() for one in found]

    def commit(self, changes: Sequence[DeliveryChange]) -> list[str | None]:
        """Write each change, wholly or not at all: None when it was written, else the token found, and so FENCED.

        Raises:
            RetryLaterError: Redis is away; a change may have gone through, and is then FENCED by its own token.
        """
        answers = self._pipeline([self._pack(change) for change in changes])
        return [None if answer[0] == b"OK" else answer[1].decode() for answer in answers]

    def delivered(self, wanted: Mapping[tuple[int, str], Sequence[str]]) -> dict[tuple[str, str], tuple[int, int]]:
        """The sequences delivered, by department and subject; wanted are subjects by partition and department."""
        places = list(wanted.items())
        answers = self._pipeline([("HMGET", f"w{{{p}}}:d:{name}", *subjects) for (p, name), subjects in places])
        return {
            (name, subject): _sequence(raw)
            for ((_, name), subjects), raws in zip(places, answers, strict=True)
            for subject, raw in zip(subjects, raws, strict=True)
            if raw is not None
        }

    def pending(self, partition: int, department: str) -> Iterator[tuple[str, bytes]]:
        """Subjects and pointers that wait."""
        try:
            for subject, raw in self._client.hscan_iter(f"w{{{partition}}}:p:{department}", count=LOADED_AT_ONCE):
                yield subject.decode(), raw
        except RedisError as error:
            raise translate_redis(error) from error

    def pending_counts(self, departments: Sequence[str], partitions: int) -> dict[str, int]:
        """How many subjects wait for each department."""
        keys = [(name, number) for name in departments for number in range(partitions)]
        found = self._pipeline([("HLEN", f"w{{{number}}}:p:{name}") for name, number in keys])
        counts = dict.fromkeys(departments, 0)
        for (name, _), size in zip(keys, found, strict=True):
            counts[name] += size
        return counts

    def receipts(self, partition: int) -> list[bytes]:
        """Receipts written down and not known to be published, oldest first."""
        (found,) = self._pipeline([("LRANGE", f"w{{{partition}}}:receipts", 0, -1)])
        return list(found)

    def log_of_department(self, department: str, partitions: int, limit: int) -> list[bytes]:
        """The newest attempts for a department, newest first; reads at most `limit` of each partition."""
        found = self._pipeline(
            [("XREVRANGE", f"w{{{number}}}:l:{department}", "+", "-", "COUNT", limit) for number in range(partitions)]
        )
        entries = [(_moment(name), fields) for page in found for name, fields in page]
        entries.sort(key=lambda one: one[0], reverse=True)
        return [_value(fields) for _, fields in entries[:limit]]

    def log_of_subject(self, partition: int, department: str, subject: str, limit: int) -> list[bytes]:
        """The newest attempts for a department about a subject, newest first."""
        tag = f"w{{{partition}}}"
        (names,) = self._pipeline([("LRANGE", f"{tag}:s:{department}:{subject}", -limit, -1)])
        pages = self._pipeline([("XRANGE", f"{tag}:l:{department}", name, name) for name in reversed(names)])
        return [_value(fields) for page in pages for _, fields in page]

    def place_of_notice(self, notice: str, partitions: int) -> tuple[int, str, str] | None:
        """Partition, department and subject of a notice that is in the log."""
        found = self._pipeline([("HGET", f"w{{{number}}}:notices", notice) for number in range(partitions)])
        for number, raw in enumerate(found):
            if raw is not None:
                _, department, subject = raw.decode().split(" ", 2)
                return number, department, subject
        return None

    def _pack(self, change: DeliveryChange) -> tuple[Any, ...]:
        tag = f"w{{{change.partition}}}"
        names = dict.fromkeys(
            [name for name, _ in change.pending]
            + [name for name, _ in change.delivered]
            + [one[0] for one in change.log]
        )
        position = {name: number for number, name in enumerate(names, 1)}
        keys = [f"{tag}:cursor", f"{tag}:receipts", f"{tag}:notices"]
        for name in names:
            keys += (f"{tag}:p:{name}", f"{tag}:d:{name}", f"{tag}:l:{name}")
        arguments: list[Any] = [
            change.expected, change.token, change.trim, len(change.cursor), len(names), len(change.pending),
            len(change.delivered), len(change.log), len(change.receipts), *self._log,
        ]  # fmt: skip
        for name, value in change.cursor.items():
            arguments += (name, value)
        for (department, subject), raw in change.pending.items():
            arguments += (position[department], subject, raw)
        for (department, subject), (epoch, n) in change.delivered.items():
            arguments += (position[department], subject, f"{epoch}:{n}")
        for department, subject, notice, raw in change.log:
            keys.append(f"{tag}:s:{department}:{subject}")
            arguments += (position[department], notice, f"{department} {subject}", raw)
        arguments += change.receipts
        return ("EVALSHA", self._sha, len(keys), *keys, *arguments)

    def _pipeline(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        """A commit that did go through before the server restarted is FENCED by its own token the second time."""
        batch = list(commands)
        return run_pipeline(self._client, batch, (self._script,)) if batch else []


def _sequence(raw: bytes) -> tuple[int, int]:
    epoch, _, n = raw.decode().partition(":")
    return int(epoch), int(n)


def _moment(name: bytes) -> tuple[int, int]:
    at, _, number = name.decode().partition("-")
    return int(at), int(number)


def _value(fields: Any) -> bytes:
    """The one value of a stream's entry; RESP3 gives pairs, older servers a flat list."""
    return bytes(fields[b"a"] if isinstance(fields, dict) else fields[0][1] if len(fields[0]) == 2 else fields[1])
