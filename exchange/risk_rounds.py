"""How far the monthly round of risk classes has come in each partition: kept in Redis, beside the partition but not of it.

A rebuild forgets `{p}:*` and leaves this; losing it only costs a round that is done again.
"""

from dataclasses import dataclass, field
from typing import Protocol, cast

from redis import Redis
from redis.exceptions import RedisError

from exchange.redis_errors import translate_redis

_LETTERS = ("A", "B", "C", "D")


@dataclass(slots=True, kw_only=True)
class Round:
    """A partition's round: which month (and model), up to which subject (inclusive), whether it is done, and how many firms of each class it found."""

    month: str = ""
    upto: str = ""
    done: bool = False
    letters: dict[str, int] = field(default_factory=dict)


class Rounds(Protocol):
    """Where rounds are kept; `RedisRounds` and its twin pass the same contract tests."""

    def read(self, partition: int) -> Round: ...  # noqa: D102
    def write(self, partition: int, state: Round) -> None: ...  # noqa: D102


class RedisRounds:
    """Rounds in Redis.

    Args:
        client: of `exchange.redis_client.connect`.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    def read(self, partition: int) -> Round:
        """The round as it was written last; an empty one where there is none. Raises `RetryLaterError` when Redis is away."""
        try:
            raw = self._client.hgetall(_key(partition))
        except RedisError as error:
            raise translate_redis(error) from error
        found = {name.decode(): value.decode() for name, value in cast("dict[bytes, bytes]", raw).items()}
        letters = {letter: int(found[letter]) for letter in _LETTERS if letter in found}
        return Round(
            month=found.get("month", ""), upto=found.get("upto", ""), done=found.get("done") == "1", letters=letters
        )

    def write(self, partition: int, state: Round) -> None:
        """Keep a round, in one step. Raises `RetryLaterError` when Redis is away."""
        counts = {letter: str(state.letters.get(letter, 0)) for letter in _LETTERS}
        values = {"month": state.month, "upto": state.upto, "done": "1" if state.done else "0", **counts}
        try:
            self._client.hset(_key(partition), items=[text for pair in values.items() for text in pair])
        except RedisError as error:
            raise translate_redis(error) from error


class MemoryRounds:
    """The twin."""

    def __init__(self) -> None:
        self._rounds: dict[int, Round] = {}

    def read(self, partition: int) -> Round:
        """See `RedisRounds`."""
        found = self._rounds.get(partition, Round())
        return Round(month=found.month, upto=found.upto, done=found.done, letters=dict(found.letters))

    def write(self, partition: int, state: Round) -> None:
        """See `RedisRounds`."""
        letters = {letter: state.letters.get(letter, 0) for letter in _LETTERS}
        self._rounds[partition] = Round(month=state.month, upto=state.upto, done=state.done, letters=letters)


def _key(partition: int) -> str:
    return f"risk{{{partition}}}:round"
