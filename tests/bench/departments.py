"""What departments' programs ask of the portal in its bench: checks, batches, pictures, searches, and whether an event has told already."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from urllib.parse import quote

from exchange.domain.synthetic import synthetic_organisation
from tests.bench.asking import Asker, Times, at_full_speed, paced
from tests.bench.directory import texts
from tests.bench.measured import Bench

MATTERS = ("bidding", "government_procurement", "loan", "licence_approval", "tax_benefit")
BATCH = 10_000
CLIENTS = 24
"""Connections that ask one check after another, at full speed."""
KINDS_OF_TEXT = ("two", "long", "initials", "code")
_LOOK_AGAIN_SECONDS = 0.01


class Departments:
    """Programs of departments.

    Args:
        bench: whose bus it is.
        url: of the portal.
        key: their API key.
        standings: how many organisations may be asked about.
        names: how many can be searched for.
        chance: draws.
    """

    def __init__(self, bench: Bench, url: str, key: str, standings: int, names: int, chance: random.Random) -> None:
        self._bench = bench
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._standings = standings
        self._chance = chance
        self._texts = [texts(kind, names, chance) for kind in KINDS_OF_TEXT]
        self._fresh = count(standings)

    async def checks(self, rate: float, seconds: float) -> Times:
        """Checks at an even pace."""
        async with Asker(self._url, self._headers) as asker:
            requests = iter([self._check(asker) for _ in range(int(rate * seconds) + 1)])
            return await paced(lambda: asker.ask(next(requests)), rate, seconds)

    async def full_speed(self, seconds: float) -> list[float]:
        """Checks with all connections busy."""
        async with Asker(self._url, self._headers) as asker:
            return await at_full_speed(lambda: asker.ask(self._check(asker)), CLIENTS, seconds)

    async def pictures(self, rate: float, seconds: float) -> Times:
        """Credit pictures at an even pace."""
        async with Asker(self._url, self._headers) as asker:
            return await paced(lambda: asker.ask(asker.get(f"/subjects/org:{self._code()}")), rate, seconds)

    async def searches(self, rate: float, seconds: float) -> Times:
        """Searches by name at an even pace, each kind of text in turn; whole codes lead elsewhere and are left out."""
        wanted = self._searched()
        async with Asker(self._url, self._headers) as asker:
            return await paced(lambda: asker.ask(asker.get(f"/search?q={quote(next(wanted))}")), rate, seconds)

    async def batches(self, times: int) -> tuple[int, float]:
        """Batches one after another: subjects, and the seconds that they took."""
        async with Asker(self._url, self._headers) as asker:
            took = 0.0
            for _ in range(times):
                subjects = [self._code() for _ in range(BATCH)]
                body = json.dumps({"subjects": subjects, "matter": self._chance.choice(MATTERS)}).encode()
                began = time.perf_counter()
                await asker.ask(asker.post("/v1/checks", body))
                took += time.perf_counter() - began
        return times * BATCH, took

    async def effects(self, rate: float, seconds: float) -> Times:
        """Listings of organisations that the bus did not know, each asked about until the check refuses."""
        producer = self._bench.feeder(linger_ms=0)
        topic = self._bench.topics.into("gd.tax")
        async with Asker(self._url, self._headers) as asker:

            async def effect() -> None:
                number = next(self._fresh)
                code = synthetic_organisation(number)
                listing = {
                    "subject": f"org:{code}", "subject_name": f"合成第{number:07d}号有限公司", "department": "gd.tax",
                    "document": f"粤税失信〔2026〕{number}号", "revision": 1, "decided_on": date(2026, 5, 20),
                    "published_at": datetime.now(UTC), "list_code": "TAX", "grounds": "1", "serious": True,
                    "basis": "《重大税收违法失信主体信息公布管理办法》第六条",
                }  # fmt: skip
                codec = self._bench.codec
                producer.produce(
                    topic, codec.encode_plain("listing", codec.plain("listing", listing)), f"org:{code}".encode()
                )
                producer.poll(0)
                body = json.dumps({"uscc": code, "matter": "government_procurement"}).encode()
                request = asker.post("/v1/checks", body)
                while json.loads((await asker.ask(request)).body)["answer"] == "clear":  # noqa: ASYNC110 # the portal is asked, as programs would
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)

            return await paced(effect, rate, seconds)

    def _code(self) -> str:
        return synthetic_organisation(self._chance.randrange(self._standings))

    def _check(self, asker: Asker) -> bytes:
        body = json.dumps({"uscc": self._code(), "matter": self._chance.choice(MATTERS)}).encode()
        return asker.post("/v1/checks", body)

    def _searched(self) -> Iterator[str]:
        while True:
            for some in self._texts:
                text = next(some)
                if len(text) < 18:  # a whole code
                    yield text
