"""Commits of the dispatcher: what happens while an answer of Redis is waited for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from consumers.dispatcher.commits import Commits
from exchange.delivery_store import DeliveryStore


class SlowStore:
    """Answers as Redis would, after a partition was given away."""

    def __init__(self) -> None:
        self.held: dict[int, str] = {}
        self.meanwhile: list[int] = []
        self.commits: Commits | None = None

    def attach(self, partition: int, token: str) -> dict[str, str]:
        self.held[partition] = token
        return {}

    def tokens(self, partitions: list[int]) -> list[str]:
        assert self.commits is not None
        self.commits.forget(self.meanwhile)
        return [self.held[number] for number in partitions]


def test_a_partition_that_is_given_away_while_redis_is_asked_is_left_alone() -> None:
    fenced: list[int] = []

    async def look() -> tuple[bool, bool]:
        with ThreadPoolExecutor(1) as thread:
            store = SlowStore()
            commits = Commits(
                cast("DeliveryStore", store), thread, on_fenced=fenced.extend, on_wait=print, on_step=lambda _: None,
                lease_seconds=5,
            )  # fmt: skip
            store.commits = commits
            for number in (0, 1):
                await commits.attach(number)
            store.meanwhile = [0]
            store.held[1] = "somebody else's"
            await commits._look()
            return commits.change(0) is None, commits.change(1) is None

    assert asyncio.run(look()) == (True, True)
    assert fenced == [1], "what was given away is not fenced"
