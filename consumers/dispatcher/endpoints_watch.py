"""Keeps lanes and endpoints in step: what operators change reaches the lanes, what lanes find out reaches the endpoints."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from consumers.dispatcher.lane import Lane
from consumers.dispatcher.post import open_session
from consumers.dispatcher.schedule import NORMAL
from consumers.dispatcher.surroundings import Surroundings
from consumers.dispatcher.verification import NotAskedError, challenge
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint, State
from exchange.errors import CreditbusError

WATCH_SECONDS = 0.25
CLOSE_SECONDS = 5.0


class EndpointsWatch:
    """Owns the lanes.

    Args:
        store: of endpoints.
        thread: where Redis is waited for.
        around: what lanes share.
        pause_after: milliseconds of nothing but failure after which an endpoint is paused.
    """

    def __init__(self, store: EndpointStore, thread: Executor, around: Surroundings, *, pause_after: int) -> None:
        self._store = store
        self._thread = thread
        self._around = around
        self._pause_after = pause_after
        self.lanes: dict[str, Lane] = {}
        self.opened: set[str] = set()
        self.closed: set[str] = set()
        self._verifying: dict[str, asyncio.Task[None]] = {}
        self._verify_at: dict[str, tuple[tuple[str, int] | None, int, int]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def turn(self) -> None:
        """One look: departments that came or went are left in `opened` and `closed`.

        Raises:
            RetryLaterError: Redis is away.
        """
        found: dict[str, Endpoint] = await self._call(self._store.all)
        for department, endpoint in found.items():
            lane = self.lanes.get(department)
            if lane is None:
                self.lanes[department] = Lane(endpoint, self._around)
                self.opened.add(department)
            elif endpoint != lane.endpoint and not lane.is_gone:
                lane.update(endpoint)
        for department in self.lanes.keys() - found.keys():
            self._close(department)
        for lane in list(self.lanes.values()):
            await self._tell_health(lane)
            self._verify(lane.endpoint)
            self._around.report.lane(lane, self._around.now())
            lane.pump()

    async def close(self) -> None:
        """End every lane, and what is under way."""
        for task in self._verifying.values():
            task.cancel()
        await asyncio.gather(*(lane.close(CLOSE_SECONDS) for lane in self.lanes.values()), *self._closing)

    def _close(self, department: str) -> None:
        self.closed.add(department)
        self.opened.discard(department)
        task = asyncio.get_running_loop().create_task(self.lanes.pop(department).close(CLOSE_SECONDS))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._around.report.closed(department)

    async def _tell_health(self, lane: Lane) -> None:
        """Since when nothing but failures came is kept in Redis, as several processes share an endpoint."""
        now, failed, succeeded = self._around.now(), lane.has_failed, lane.has_succeeded
        lane.has_failed = lane.has_succeeded = False
        if lane.is_gone:
            lane.endpoint = await self._change(lane.department, lambda one: one.gone(now))
            lane.is_gone = False
        elif succeeded:
            await self._call(self._store.succeeded, lane.department)
        elif failed:
            since = await self._call(self._store.failing, lane.department, now)
            if now - since >= self._pause_after and lane.endpoint.state is State.ACTIVE:
                reason = f"nothing but failures for {(now - since) / 86_400_000:.1f} days"
                lane.update(await self._change(lane.department, lambda one: one.paused(reason, now)))
                self._around.report.paused(lane.department, reason)

    def _verify(self, endpoint: Endpoint) -> None:
        name = endpoint.department
        if endpoint.state is not State.UNVERIFIED or name in self._verifying:
            return
        asked, due_at, attempts = self._verify_at.get(name, (None, 0, 0))
        if asked != _request(endpoint):
            due_at, attempts = 0, 0
        if self._around.now() < due_at:
            return
        task = asyncio.get_running_loop().create_task(self._challenge(endpoint, attempts + 1))
        self._verifying[name] = task
        task.add_done_callback(lambda _: self._verifying.pop(name, None))

    async def _challenge(self, endpoint: Endpoint, attempt: int) -> None:
        around, now = self._around, self._around.now()
        next_at = now + NORMAL[min(attempt, len(NORMAL)) - 1]
        self._verify_at[endpoint.department] = _request(endpoint), next_at, attempt
        try:
            async with open_session(around.guard, connections=1, timeout_seconds=around.timeout_seconds) as session:
                signer = self.lanes[endpoint.department].signer(now)
                try:
                    why = await challenge(endpoint, session, signer, around.envelope, around.guard, now)
                except NotAskedError as error:  # by the settings that notices would be pushed by: none would go out
                    why = str(error)

            def change(one: Endpoint) -> Endpoint:
                if (one.url, one.state) != (endpoint.url, State.UNVERIFIED):
                    return one  # an operator was quicker
                return one.unverified(why, now) if why else one.verified(now)

            changed = await self._change(endpoint.department, change)
        except (CreditbusError, KeyError) as error:
            around.report.attempt_broke(error)
            return
        self._verify_at[endpoint.department] = _request(changed), next_at, attempt
        around.report.became(changed.department, changed.state, changed.reason)

    async def _change(self, department: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        return await self._call(self._store.change, department, change)  # type: ignore[no-any-return] # of the store

    async def _call(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _request(endpoint: Endpoint) -> tuple[str, int]:
    """What asks for a challenge: a URL, and an operator's change, as which no failed challenge of another process counts."""
    return endpoint.url, 0 if endpoint.reason else endpoint.changed_at
