"""Where standings live: Redis (or Valkey), one fenced atomic commit a batch; everything of a partition in one slot.

Keys of partition p: `{p}:cursor`, `{p}:tokens` (the last 256 commit tokens), `{p}:s:<subject>` (standing), `{p}:r:<subject>`
(hash: entry key to entry), `{p}:timers` (subject by the day it is due), `{p}:overdue:<department>` (responses it owes, by the day
they were due), `{p}:outbox` (messages committed, not yet published).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import msgspec
import redis
from redis.exceptions import RedisError

from exchange.domain.record import Entry
from exchange.domain.standing import Owed, Standing
from exchange.errors import FatalError, FencedError
from exchange.redis_client import begin_pipeline, run_pipeline, scan
from exchange.redis_errors import translate_redis
from exchange.standing_store import NEVER, Answer, Commit, Cursor, Loaded, Look, Outgoing, Wanted

_here = Path(__file__).parent
_encode = msgspec.msgpack.Encoder(order=None).encode
_decode_standing = msgspec.msgpack.Decoder(Standing).decode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_decode_overdue = msgspec.msgpack.Decoder(tuple[str, Owed]).decode
_decode_outgoing = msgspec.msgpack.Decoder(Outgoing).decode


class Store:
    """The standings of a bus; the only place that talks to Redis about them."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._commit = (_here / "commit.lua").read_text()
        self._load = (_here / "load.lua").read_text()
        self._forget = (_here / "forget.lua").read_text()
        self._commit_sha = _sha(self._commit)
        self._load_sha = _sha(self._load)

    def cursor(self, partition: int) -> Cursor:
        """How far the partition has come."""
        (raw, tokens) = self._pipeline(
            [("HGETALL", f"{{{partition}}}:cursor"), ("LRANGE", f"{{{partition}}}:tokens", 0, -1)]
        )
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        return Cursor(
            tokens=tuple(token.decode() for token in tokens),
            epoch=int(fields.get("epoch", 0)),
            published=fields.get("published", ""),
            reconcile=fields.get("reconcile", "0") == "1",
            policy=fields.get("policy", ""),
            offsets={name[2:]: int(value) for name, value in fields.items() if name.startswith("o:")},
            held={name[2:]: int(value) for name, value in fields.items() if name.startswith("h:")},
        )

    def load(self, wanted: Sequence[Wanted]) -> list[Loaded]:
        """Standings and entries of several partitions in one round trip, each partition's as of one commit."""
        commands: list[tuple[Any, ...]] = []
        for partition, subjects, entries in wanted:
            standing, record = f"{{{partition}}}:s:", f"{{{partition}}}:r:"
            keys = [f"{{{partition}}}:tokens", *(standing + subject for subject in subjects)]
            keys += [record + subject for subject, _ in entries]
            fields = [key for _, key in entries]
            commands.append(("EVALSHA_RO", self._load_sha, len(keys), *keys, len(subjects), *fields))
        answers = self._pipeline(commands)
        loaded = []
        for (_, subjects, _), answer in zip(wanted, answers, strict=True):
            split = 1 + len(subjects)
            with understanding():
                loaded.append(
                    Loaded(
                        answer[0].decode(),
                        [raw and _decode_standing(raw) for raw in answer[1:split]],
                        [raw and _decode_entry(raw) for raw in answer[split:]],
                    )
                )
        return loaded

    def commit(self, commits: Sequence[Commit]) -> list[FencedError | None]:
        """Step 1: commit each partition's batch, all in one round trip.

        Returns:
            For each commit None, or the error if another process has committed in between; then nothing was changed.
        """
        answers = self._pipeline([pack(commit, self._commit_sha) for commit in commits])
        return [_fenced(commit, answer) for commit, answer in zip(commits, answers, strict=True)]

    def begin_commit(self, commits: Sequence[Commit]) -> Answer:
        """`commit`, without waiting: what is returned waits for the answer and gives it.

        Raises:
            RetryLaterError: Redis is away. Also where the answer is taken; then the commits may or may not have gone through,
                or the server has lost the script, which the next call of any other method loads again.
        """
        take = begin_pipeline(self._client, [pack(commit, self._commit_sha) for commit in commits])
        return lambda: [_fenced(commit, answer) for commit, answer in zip(commits, take(), strict=True)]

    def outbox(self, partition: int) -> list[Outgoing]:
        """The messages committed and not yet trimmed, in order."""
        (raw,) = self._pipeline([("LRANGE", f"{{{partition}}}:outbox", 0, -1)])
        return [_decode_outgoing(one) for one in raw]

    def look(self, partitions: Sequence[int], day: int, limit: int) -> list[Look]:
        """The newest token of each partition, and the subjects due on or before the day (since 1970-01-01), soonest first."""
        commands: list[tuple[Any, ...]] = []
        for partition in partitions:
            commands.append(("LINDEX", f"{{{partition}}}:tokens", 0))
            commands.append(("ZRANGE", f"{{{partition}}}:timers", "-inf", day, "BYSCORE", "LIMIT", 0, limit))
        answers = iter(self._pipeline(commands))
        return [
            Look((token or b"").decode(), [one.decode() for one in due])
            for token, due in zip(answers, answers, strict=True)
        ]

    def indexed(self, partition: int) -> Iterator[str]:
        """All subjects of the partition that owe or were told something."""
        try:
            for member, _ in self._client.zscan_iter(f"{{{partition}}}:timers", count=1000):
                yield cast("bytes", member).decode()
        except RedisError as error:
            raise translate_redis(error) from error

    def standing(self, partition: int, subject: str) -> Standing | None:
        """One subject's standing."""
        return self.load([Wanted(partition, [subject], [])])[0].standings[0]

    def entries(self, partition: int, subject: str) -> dict[str, Entry]:
        """All entries of one subject."""
        return self.entries_of(partition, [subject])[0]

    def all_of(self, partition: int, subject: str) -> tuple[Standing | None, dict[str, Entry]]:
        """One subject's standing and all its entries, in one round trip."""
        raw, entries = self._pipeline(
            [("GET", f"{{{partition}}}:s:{subject}"), ("HGETALL", f"{{{partition}}}:r:{subject}")]
        )
        with understanding():
            return raw and _decode_standing(raw), {key.decode(): _decode_entry(value) for key, value in entries.items()}

    def entries_of(self, partition: int, subjects: Sequence[str]) -> list[dict[str, Entry]]:
        """All entries of several subjects of one partition."""
        answers = self._pipeline([("HGETALL", f"{{{partition}}}:r:{subject}") for subject in subjects])
        with understanding():
            return [{key.decode(): _decode_entry(value) for key, value in raw.items()} for raw in answers]

    def entries_as_of(self, partition: int, subject: str) -> tuple[str, dict[str, Entry]]:
        """All entries of one subject, and the newest commit token when they were read."""
        # The token is read last: a commit between the two makes it another than the entries', which refuses them, not the reverse.
        entries, token = self._pipeline(
            [("HGETALL", f"{{{partition}}}:r:{subject}"), ("LINDEX", f"{{{partition}}}:tokens", 0)]
        )
        with understanding():
            return (token or b"").decode(), {key.decode(): _decode_entry(value) for key, value in entries.items()}

    def subjects(self, partition: int) -> Iterator[str]:
        """All subjects with a standing in the partition, in no order."""
        prefix = f"{{{partition}}}:s:"
        pattern = prefix.replace("{", "\\{").replace("}", "\\}") + "*"
        return (key.decode()[len(prefix) :] for key in scan(self._client, prefix, pattern, 5000))

    def overdue(self, partition: int, department: str) -> list[tuple[str, Owed]]:
        """The responses that a department owes and whose day has passed: (subject, response), the longest overdue first."""
        (found,) = self._pipeline([("ZRANGE", f"{{{partition}}}:overdue:{department}", 0, -1)])
        return [_decode_overdue(one) for one in found]

    def count_overdue(self, partitions: Sequence[int], departments: Sequence[str]) -> dict[str, int]:
        """How many responses each department owes in these partitions whose day has passed."""
        commands = [("ZCARD", f"{{{number}}}:overdue:{one}") for one in departments for number in partitions]
        counts = iter(self._pipeline(commands))
        return {one: sum(next(counts) for _ in partitions) for one in departments}

    def release(self, partition: int, topic: str) -> bool:
        """Forget a topic's run of rejected records, so that its owner goes on with it; False if there was none."""
        (was,) = self._pipeline([("HGET", f"{{{partition}}}:cursor", f"h:{topic}")])
        self._pipeline([("HDEL", f"{{{partition}}}:cursor", f"h:{topic}")])
        return int(was or 0) > 0

    def resync(self, partition: int) -> int:
        """Make everything that is indexed due now, so that its owner judges it again; how many subjects.

        Safe beside a processor: only scores change, and only of subjects that are there.
        """
        count = 0
        for chunk in _chunks(self.indexed(partition), 1000):
            self._pipeline([("ZADD", f"{{{partition}}}:timers", "XX", *chain.from_iterable((0, one) for one in chunk))])
            count += len(chunk)
        return count

    def forget(self, partition: int) -> int:
        """Forget a partition in one step: standings, records, timers, outbox and cursor; the number of keys removed.

        Its owner is FENCED at its next commit (or notices within a second), attaches again, finds that Kafka knows more than
        Redis, and replays from the beginning without telling anybody (see `consumers.standing.partition.attach`).
        """
        name = f"{{{partition}}}:"
        (removed,) = self._pipeline([("EVAL", self._forget, 1, f"{name}cursor", f"{name}*")])
        return int(removed)

    def _pipeline(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Run commands in one round trip. A commit that did go through before the server restarted is FENCED the second time."""
        return run_pipeline(self._client, list(commands), (self._commit, self._load))


def pack(commit: Commit, script: str) -> tuple[Any, ...]:
    """The command that commits: keys and arguments of `commit.lua`, by its checksum."""
    tag = f"{{{commit.partition}}}"
    standing, record = f"{tag}:s:", f"{tag}:r:"
    keys = [f"{tag}:cursor", f"{tag}:tokens", f"{tag}:outbox", f"{tag}:timers"]
    keys += [standing + subject for subject, _ in commit.standings]
    keys += [record + subject for subject, _, _ in commit.entries]
    arguments: list[Any] = [
        commit.expected, commit.token, commit.published, commit.trim, len(commit.cursor), len(commit.standings),
        len(commit.entries), len(commit.timers), len(commit.messages), len(commit.no_longer_overdue) + len(commit.overdue),
    ]  # fmt: skip
    for name, value in commit.cursor.items():
        arguments += (name, value)
    arguments += [_encode(state) for _, state in commit.standings]
    for _, key, entry in commit.entries:
        arguments += (key, _encode(entry))
    for subject, due in commit.timers:
        arguments += ("" if due is None else "+inf" if due == NEVER else due, subject)
    for score, changes in (("", commit.no_longer_overdue), (None, commit.overdue)):
        for subject, owed in changes:
            keys.append(f"{tag}:overdue:{owed.department}")
            arguments += (owed.respond_by if score is None else score, _encode((subject, owed)))
    token = commit.token
    arguments += [_encode(Outgoing(token, topic, key, value)) for topic, key, value in commit.messages]
    return ("EVALSHA", script, len(keys), *keys, *arguments)


def _chunks(names: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(names, size)):
        yield chunk


def _fenced(commit: Commit, answer: list[bytes]) -> FencedError | None:
    if answer[0] == b"OK":
        return None
    return FencedError(f"partition {commit.partition}: expected token {commit.expected}, found {answer[1].decode()}")


def _sha(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def understanding() -> Iterator[None]:
    """Reading what another process wrote; one of another version may have written it.

    Raises:
        FatalError: `other_state`: fields are not where this version has them.
    """
    try:
        yield
    except msgspec.ValidationError as error:
        raise FatalError(
            f"Redis has standings of another version of creditbus: {error}", code="other_state",
            remedy="end the standing processors, run `creditbus rebuild`, start them again",
        ) from error  # fmt: skip
