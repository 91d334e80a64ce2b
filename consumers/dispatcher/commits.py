"""What is to be written to Redis, gathered by partition: one commit under way at a time, whatever comes meanwhile in the next.

Every commit is fenced by the token of the one before, so that a process that has lost a partition, or a Redis that has come
back older, is found out. If it dies here: what was not written is read or sent again, under the same ids.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TypeVar

from consumers.dispatcher.patience import patiently
from exchange.delivery_store import DeliveryChange, DeliveryStore
from exchange.errors import RetryLaterError

LOOK_SECONDS = 1.0
"""An idle process asks so often whether its partitions are still its own."""
T = TypeVar("T")


class Commits:
    """Writes changes of the partitions that this process owns.

    Args:
        store: of deliveries.
        thread: where Redis is waited for.
        on_fenced: told the partitions that somebody else has changed.
        on_wait: told when Redis is away.
        on_step: told the name of each step as it begins.
        lease_seconds: how long an answer of Redis says that a partition is ours; shorter than a session of the group, so that no
            successor can have attached meanwhile.
    """

    def __init__(
        self,
        store: DeliveryStore,
        thread: Executor,
        *,
        on_fenced: Callable[[list[int]], None],
        on_wait: Callable[[RetryLaterError], None],
        on_step: Callable[[str], None],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._thread = thread
        self._on_fenced = on_fenced
        self._on_wait = on_wait
        self._on_step = on_step
        self._lease_seconds = lease_seconds
        self._tokens: dict[int, str] = {}
        self._gathered: dict[int, DeliveryChange] = {}
        self._after: list[tuple[int, Callable[[], None]]] = []
        self._wanted = asyncio.Event()
        self._flushed: asyncio.Future[None] | None = None
        self._busy = asyncio.Lock()
        self._seen_at: dict[int, float] = {}

    async def attach(self, partition: int) -> dict[str, str]:
        """Take a partition over, and forget what was gathered for it; its cursor.

        Raises:
            RetryLaterError: Redis is away.
        """
        async with self._busy:
            self.forget([partition])
            token, began = uuid.uuid4().hex, time.monotonic()
            cursor = await self._call(self._store.attach, partition, token)
            self._tokens[partition], self._seen_at[partition] = token, began
            return cursor

    def forget(self, partitions: Iterable[int]) -> None:
        """Write nothing more of these partitions."""
        for number in partitions:
            self._tokens.pop(number, None)
            self._gathered.pop(number, None)
            self._seen_at.pop(number, None)
        self._after = [one for one in self._after if one[0] in self._tokens]

    def change(self, partition: int) -> DeliveryChange | None:
        """What the next commit of a partition will write, to be added to; None when it is not ours."""
        if partition not in self._tokens:
            return None
        self._wanted.set()
        found = self._gathered.get(partition)
        if found is None:
            found = self._gathered[partition] = DeliveryChange(partition=partition)
        return found

    def after(self, partition: int, call: Callable[[], None]) -> None:
        """Call something when what is gathered now is written."""
        self._after.append((partition, call))

    def is_ours(self, partition: int) -> bool:
        """Whether the partition is ours for certain, so that something may be sent of it."""
        return time.monotonic() - self._seen_at.get(partition, -1e9) < self._lease_seconds

    async def flush(self) -> None:
        """Wait until everything gathered so far is written."""
        if self._gathered or self._busy.locked():
            if self._flushed is None:
                self._flushed = asyncio.get_running_loop().create_future()
            self._wanted.set()
            await asyncio.shield(self._flushed)

    async def run(self) -> None:
        """Write what is gathered, for ever; look whether partitions are still ours when nothing is."""
        while True:
            try:
                await asyncio.wait_for(self._wanted.wait(), LOOK_SECONDS)
            except TimeoutError:
                await self._look()
                continue
            self._wanted.clear()
            async with self._busy:
                await self._write()

    async def _write(self) -> None:
        changes, self._gathered = list(self._gathered.values()), {}
        after, self._after = self._after, []
        flushed, self._flushed = self._flushed, None
        for change in changes:
            change.expected, change.token = self._tokens[change.partition], uuid.uuid4().hex
        if changes:
            self._on_step("commit")
            began = time.monotonic()
            answers = await patiently(lambda: self._call(self._store.commit, changes), self._on_wait)
            self._on_step("committed")
            fenced = [
                one.partition for one, found in zip(changes, answers, strict=True) if found not in (None, one.token)
            ]
            for change in changes:
                if change.partition in self._tokens:  # it may have been given away meanwhile
                    self._tokens[change.partition], self._seen_at[change.partition] = change.token, began
            self.forget(fenced)
            for partition, call in after:
                if partition not in fenced:
                    call()
            if fenced:
                self._on_fenced(fenced)
        if flushed is not None:
            flushed.set_result(None)

    async def _look(self) -> None:
        async with self._busy:
            numbers, began = list(self._tokens), time.monotonic()
            try:
                found = await self._call(self._store.tokens, numbers)
            except RetryLaterError as error:
                self._on_wait(error)
                return
            fenced = []
            for number, token in zip(numbers, found, strict=True):
                mine = self._tokens.get(number)
                if mine is None:
                    continue  # given away meanwhile
                if token == mine:
                    self._seen_at[number] = began
                else:
                    fenced.append(number)
            self.forget(fenced)
            if fenced:
                self._on_fenced(fenced)

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
