"""Programs at the portal's door: one look-up for all that ask at once, none in anybody's way, and nothing outlives its second."""

import asyncio

import pytest

from consumers.portal.access.programs import Programs
from exchange.domain.access import Role, Visitor
from exchange.errors import RetryLaterError
from exchange.http.problems import RefusedError

OFFICER = Visitor(role=Role.OFFICER, department="gd.fin", account="k1")


class Keys:
    """Keys that take a moment to be looked up."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 0.0
        self.answer: Visitor | Exception = OFFICER
        self.programs = Programs(self.recognise, clock=lambda: self.now)

    async def recognise(self, authorization: str) -> Visitor:
        self.asked += 1
        await asyncio.sleep(0.01)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_of_many_that_ask_at_once_one_looks_up() -> None:
    async def run() -> None:
        keys = Keys()
        for now in (0.0, 5.0):  # unknown, and too old
            keys.now, before = now, keys.asked
            assert await asyncio.gather(*(keys.programs.visitor("Bearer a") for _ in range(100))) == [OFFICER] * 100
            assert keys.asked == before + 1

    asyncio.run(run())


def test_it_is_looked_up_again_before_anybody_waits() -> None:
    async def run() -> None:
        keys = Keys()
        await keys.programs.visitor("Bearer a")
        keys.now = 0.6
        asked = asyncio.create_task(keys.programs.visitor("Bearer a"))
        await asyncio.sleep(0)
        assert asked.done(), "answered from what is known"
        await asyncio.sleep(0.05)
        assert keys.asked == 2
        keys.now = 1.5
        asked = asyncio.create_task(keys.programs.visitor("Bearer a"))
        await asyncio.sleep(0)
        assert asked.done(), "known since 0.6"

    asyncio.run(run())


def test_a_revoked_key_is_worth_nothing_after_a_second() -> None:
    async def run() -> None:
        keys = Keys()
        await keys.programs.visitor("Bearer a")
        keys.answer = RefusedError(401, "revoked", code="wrong_key", remedy="")
        keys.now = 0.6
        assert await keys.programs.visitor("Bearer a") == OFFICER, "within its second"
        await asyncio.sleep(0.05)
        with pytest.raises(RefusedError):
            await keys.programs.visitor("Bearer a")
        keys.answer = RetryLaterError("away", code="redis_unavailable", remedy="")
        with pytest.raises(RetryLaterError):
            await keys.programs.visitor("Bearer b")

    asyncio.run(run())


def test_while_the_keys_cannot_be_read_what_is_known_serves_its_second_only() -> None:
    async def run() -> None:
        keys = Keys()
        await keys.programs.visitor("Bearer a")
        keys.answer = RetryLaterError("away", code="redis_unavailable", remedy="")
        keys.now = 0.9
        for _ in range(3):
            assert await keys.programs.visitor("Bearer a") == OFFICER
            await asyncio.sleep(0.02)
        keys.now = 1.0
        with pytest.raises(RetryLaterError):
            await keys.programs.visitor("Bearer a")

    asyncio.run(run())


def test_who_gives_up_takes_nobody_with_him() -> None:
    async def run() -> None:
        keys = Keys()
        first = asyncio.create_task(keys.programs.visitor("Bearer a"))
        second = asyncio.create_task(keys.programs.visitor("Bearer a"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == OFFICER
        assert keys.asked == 1

    asyncio.run(run())
