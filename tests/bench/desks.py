"""Endpoints for the delivery bench, in a process of their own: they verify each message and keep how long it took.

    python -m tests.bench.desks SECRETS_JSON SLOW_SECONDS

SECRETS_JSON maps each department to its `v1` secret. Prints its port. `POST /<department>` takes a message, `POST /slow/...`
answers after SLOW_SECONDS, `GET /` tells counts and latencies (milliseconds since the issue of the notice) and forgets them.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from datetime import datetime

import msgspec
from aiohttp import web

from exchange.signatures import verify


class Data(msgspec.Struct):
    """Of the message, what the bench looks at."""

    issued_at: datetime | None = None
    challenge: str = ""


class Event(msgspec.Struct):
    """A message."""

    data: Data


def main() -> None:
    """Serve until killed."""
    secrets: dict[str, str] = json.loads(sys.argv[1])
    slow_seconds = float(sys.argv[2])
    latencies: dict[str, list[float]] = defaultdict(list)
    decode = msgspec.json.Decoder(Event).decode

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        *slow, department = request.path.strip("/").split("/")
        if request.method == "GET":
            found = json.dumps(latencies)
            latencies.clear()
            return web.Response(text=found, content_type="application/json")
        body, now = await request.read(), time.time()
        verify(body, dict(request.headers), [secrets[department]], now=now)
        event = decode(body)
        if event.data.challenge:
            return web.json_response({"challenge": event.data.challenge})
        if slow:
            await asyncio.sleep(slow_seconds)
        if event.data.issued_at is not None:
            latencies[department].append((now - event.data.issued_at.timestamp()) * 1000)
        return web.Response(status=204)

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(take, access_log=None))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
