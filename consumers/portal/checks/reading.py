"""Reads what a check needs of standings: many subjects in one round trip, on the portal's event loop, the rest left packed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from exchange.domain.standing import EMPTY, Standing
from exchange.look_up import HOPS
from exchange.partitioner import partition_of
from exchange.redis_errors import REDIS_ERRORS, translate_redis
from exchange.standing_part import unpack

Command = tuple[Any, ...]
"""A command of Redis, such as `("GET", key)`."""


class Found(NamedTuple):
    """Whose standing was found, after following an alias, and the part of it that a check reads: `active` and `updated_at`."""

    subject: str
    standing: Standing

    @property
    def is_known(self) -> bool:
        """Whether the bus has any record of the subject."""
        return self.standing is not EMPTY


class StandingReader:
    """Reads standings.

    Args:
        client: of the bus's Redis.
        partitions: of the bus.
    """

    def __init__(self, client: "Redis", partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def read(
        self, subjects: Sequence[str], beside: Sequence[Command] = ()
    ) -> tuple[Mapping[str, Found], list[Any]]:
        """Standings by the subject asked about, and the answers of further commands, in one round trip; one more for each hop of aliases.

        Args:
            subjects: valid subject ids.
            beside: commands that go with them.

        Raises:
            RetryLaterError: Redis is away.
        """
        found, answers = await self._load(subjects, beside)
        located = {asked: Found(asked, standing) for asked, standing in found.items()}
        for _ in range(HOPS - 1):
            moved = {asked: one.standing.merged_into for asked, one in located.items() if one.standing.merged_into}
            if not moved:
                break
            targets, _ = await self._load(sorted(set(moved.values())))
            located |= {asked: Found(subject, targets[subject]) for asked, subject in moved.items()}
        return located, answers

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Commands in one round trip.

        Raises:
            RetryLaterError: Redis is away.
        """
        if not commands:
            return []
        try:
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            return await pipeline.execute()
        except REDIS_ERRORS as error:
            raise translate_redis(error) from error

    async def _load(
        self, subjects: Sequence[str], beside: Sequence[Command] = ()
    ) -> tuple[dict[str, Standing], list[Any]]:
        wanted: defaultdict[int, list[str]] = defaultdict(list)
        for subject in subjects:
            wanted[partition_of(subject, self._partitions)].append(subject)
        commands: list[Command] = [
            ("MGET", *(f"{{{number}}}:s:{subject}" for subject in some)) for number, some in wanted.items()
        ]
        answers = await self.run([*commands, *beside])
        found: dict[str, Standing] = {}
        for some, raw in zip(wanted.values(), answers, strict=False):
            found.update(zip(some, map(unpack, raw), strict=True))
        return found, answers[len(commands) :]
