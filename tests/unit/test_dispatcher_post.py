"""One request to a real endpoint on this machine: what is asked last, and what is not sent."""

import asyncio

import pytest
from aiohttp import web

from consumers.dispatcher.guard import Guard
from consumers.dispatcher.post import WithheldError, open_session, post
from consumers.dispatcher.schedule import Outcome


def test_a_message_is_withheld_in_the_last_instant_and_nothing_of_it_arrives() -> None:
    arrived: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        arrived.append(await request.read())
        return web.Response(status=204)

    async def send() -> Outcome:
        app = web.Application()
        app.router.add_post("/", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        guard = Guard(["127.0.0.0/8"], plain_http=True)
        try:
            async with open_session(guard, connections=1, timeout_seconds=5) as session:
                with pytest.raises(WithheldError):
                    await post(session, url, b"withheld", {}, now=0, may_send=lambda: False)
                return (await post(session, url, b"sent", {}, now=0)).outcome
        finally:
            await runner.cleanup()

    assert asyncio.run(send()) is Outcome.DELIVERED
    assert arrived == [b"sent"]
