"""The inbox over HTTP: how soon long polls wake while many wait, and how many notices a second pages give.

    python -m tests.bench.inbox [--departments 20] [--polls 10] [--notices 200] [--json]

Samples are from just before a notice is handed to a producer until a poll of its department has read the whole answer; every poll
of the department waits for it. The server is one process; broker, server and clients share the machine.
"""

import argparse
import asyncio
import random
import time
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any

import aiohttp

from exchange.api_keys import RedisKeys, issue
from exchange.catalogue import load_catalogue
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.bench.measured import Bench, bench_bus, machine, print_result
from tests.pulling import ServerProcess, free_port, notice

PACE = 0.1
"""Seconds between notices."""
BACKLOG = 20_000


class Polls:
    """Departments whose programs wait with long polls.

    Args:
        url: of the server.
        keys: API key by department.
        polls: of each department.
    """

    def __init__(self, url: str, keys: dict[str, str], polls: int) -> None:
        self._url = url
        self._keys = keys
        self._polls = polls
        self.put_at: dict[str, float] = {}
        self.samples: list[float] = []

    async def ask(self, session: aiohttp.ClientSession, department: str, **query: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._keys[department]}"}
        async with session.get(f"{self._url}/v1/notices", params=query, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            page: dict[str, Any] = await answer.json()
            return page

    async def follow(self, session: aiohttp.ClientSession, department: str) -> None:
        page = await self.ask(session, department, **{"from": "now"})
        while True:
            page = await self.ask(session, department, cursor=page["next_cursor"], wait=30)
            at = time.perf_counter()
            self.samples += [at - self.put_at[one["id"]] for one in page["notices"]]

    async def wake(self, bench: Bench, count: int) -> None:
        """Put notices at an even pace while everybody waits."""
        producer, chance = bench.feeder(linger_ms=0), random.Random(1)
        raw = bench.codec.encode("notice", notice(1) | {"department": "gd.drc"})
        producer.produce(bench.topics.out_of("gd.drc"), raw, b"warm-up")
        producer.flush(30)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            waiting = [
                asyncio.create_task(self.follow(session, slug)) for slug in self._keys for _ in range(self._polls)
            ]
            await asyncio.sleep(3)
            for number in range(1, count + 1):
                department, one = chance.choice(list(self._keys)), notice(number, 1, "procurement_ban")
                raw = bench.codec.encode("notice", one | {"department": department})
                self.put_at[one["id"]] = time.perf_counter()
                producer.produce(bench.topics.out_of(department), raw, one["subject"].encode())
                producer.poll(0)
                await asyncio.sleep(PACE)
            producer.flush(30)
            await asyncio.sleep(2)
            for task in waiting:
                task.cancel()
            failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in failures), failures[:1]

    async def read_all(self, department: str) -> float:
        """Notices a second that one client gets, page by page."""
        async with aiohttp.ClientSession() as session:
            started, seen, cursor = time.perf_counter(), 0, ""
            while True:
                query = {"cursor": cursor} if cursor else {}
                page = await self.ask(session, department, limit=1000, **query)
                seen, cursor = seen + len(page["notices"]), page["next_cursor"]
                if page["caught_up"]:
                    return seen / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--departments", type=int, default=20)
    parser.add_argument("--polls", type=int, default=10)
    parser.add_argument("--notices", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with bench_bus() as bench:
        store = RedisKeys(connect(bench.redis()))
        known = load_catalogue(SCHEMAS).departments.values()
        chosen = [one.slug for one in known if not one.successor][: arguments.departments]
        keys = {slug: issue(store, slug, "bench", datetime.now(UTC))[0] for slug in chosen}
        settings = Settings(
            home=bench.settings.home, kafka=bench.settings.kafka, redis=bench.redis(), topic_prefix=bench.settings.topic_prefix,
        )  # fmt: skip
        server = ServerProcess(settings, free_port())
        try:
            polls = Polls(server.url, keys, arguments.polls)
            asyncio.run(polls.wake(bench, arguments.notices))
            feeder = bench.feeder()
            for number in range(BACKLOG):
                one = notice(number % 5000 + 1, number // 5000 + 1, "procurement_ban") | {"department": chosen[0]}
                feeder.produce(
                    bench.topics.out_of(chosen[0]), bench.codec.encode("notice", one), one["subject"].encode()
                )
                feeder.poll(0)
            feeder.flush(60)
            per_second = asyncio.run(polls.read_all(chosen[0]))
        finally:
            server.end()
    cuts = quantiles(polls.samples, n=1000)
    result = {
        "bench": "inbox", **machine(), "waiting_polls": arguments.departments * arguments.polls, "notices": arguments.notices,
        "samples": len(polls.samples), "wake_p50_ms": round(cuts[499] * 1000, 1), "wake_p99_ms": round(cuts[989] * 1000, 1),
        "page_notices_per_s": round(per_second),
    }  # fmt: skip
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
