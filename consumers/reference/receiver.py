"""The HTTP side of an office: notices pushed to it, /health, /obligations, and the counter's question."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from aiohttp import web

from consumers.reference import pages
from consumers.reference.office import Office
from consumers.webhook import CONTENT_TYPES, MAX_BYTES, Challenge, Message, MessageError, NoticeMessage, ThinMessage
from exchange.domain.identity import IdentityError, parse_subject
from exchange.errors import CreditbusError, RequestError, RetryLaterError
from exchange.json_form import to_json
from exchange.signatures import SignatureError

Open = Callable[[bytes, Mapping[str, str]], Message]
"""Verifies and reads a request's body and headers."""
Fetch = Callable[[ThinMessage], Awaitable[NoticeMessage]]
"""Fetches the notice that a thin message names; `RetryLaterError` when not now, `RequestError` when there is none."""

log = logging.getLogger("creditbus.reference")
_MAX_SUBJECTS = 20
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
_answer = partial(web.json_response, dumps=partial(json.dumps, ensure_ascii=False))


class Receiver:
    """Answers an office's requests.

    Args:
        office: that takes the notices.
        open_request: for pushed notices; None takes none.
        question: path of the counter's question, such as `/may-register`.
        fetch: for thin notices; None when there is no way to the inbox.
    """

    def __init__(self, office: Office, open_request: Open | None, question: str, fetch: Fetch | None) -> None:
        self._office = office
        self._open = open_request
        self._question = question
        self._fetch = fetch

    def app(self) -> web.Application:
        """The pages; bodies above MAX_BYTES are refused with 413."""
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_get("/", self.ask)
        app.router.add_get(self._question, self.ask)
        app.router.add_get("/obligations", self.obligations)
        app.router.add_get("/health", self.health)
        if self._open is not None:
            app.router.add_post("/notices", self.receive)
        return app

    async def receive(self, request: web.Request) -> web.Response:
        """Take a pushed notice, whole or thin. Only what is on disk is answered 2xx; anything else comes again."""
        assert self._open is not None, "there is no such route"  # noqa: S101 # for the type checker
        if request.content_type not in CONTENT_TYPES:
            return _refusal(415, RequestError(f"no {request.content_type} is taken", code="bad_content_type"))
        try:
            message = self._open(await request.read(), request.headers)
        except SignatureError as error:
            return _refusal(401, error)
        except MessageError as error:
            return _refusal(400, error)
        if isinstance(message, Challenge):
            return _answer(message.answer())
        if isinstance(message, ThinMessage):
            try:
                message = await self._whole(message)
            except RetryLaterError as error:
                log.warning("thin_notice_waits error=%s", error.line())
                return _refusal(503, error)
            except RequestError as error:
                return _refusal(400 if isinstance(error, MessageError) else 404, error)
        if message.notice["department"] != self._office.practice.department:
            return _refusal(400, MessageError(f"a notice to {message.notice['department']}, not to this department"))
        # If it dies between storing and answering, the notice comes again and is a repetition.
        return _answer({"taken": self._office.take(message.notice)})

    async def _whole(self, message: ThinMessage) -> NoticeMessage:
        if self._fetch is None:
            remedy = "give the inbox with --inbox and --token-file"
            raise RetryLaterError("there is no inbox to fetch a thin notice from", code="no_inbox", remedy=remedy)
        return await self._fetch(message)

    async def ask(self, request: web.Request) -> web.Response:
        """Answer the counter's question about one subject or several; the bare page asks nothing yet."""
        texts = request.query.getall("subject", [])
        practice, is_page = self._office.practice, "text/html" in request.headers.get("Accept", "")
        if is_page and not texts:
            return _page(pages.counter(practice, self._question, texts))
        try:
            advice = self._office.advise(_subjects(texts))
        except RequestError as error:
            if is_page:
                return _page(pages.counter(practice, self._question, texts, error=error), 400)
            return _refusal(400, error)
        if is_page:
            return _page(pages.counter(practice, self._question, texts, advice=advice))
        return _answer(asdict(advice))

    async def obligations(self, request: web.Request) -> web.Response:
        """The obligations that came last."""
        found = self._office.obligations.newest()
        if "text/html" in request.headers.get("Accept", ""):
            return _page(pages.obligations(self._office.practice, self._question, found))
        return _answer([to_json(asdict(one)) for one in found])

    async def health(self, _request: web.Request) -> web.Response:
        """That it works, and what there is, counted. The process ends when one of its tasks fails."""
        return _answer(self._office.state())


def _subjects(texts: Sequence[str]) -> list[str]:
    """Subject ids of what a clerk typed, each once: ids, or bare unified social credit codes.

    Raises:
        RequestError: `no_subject`, `too_many_subjects`, or why a code is none.
    """
    found: dict[str, None] = {}
    for text in filter(None, map(str.strip, texts)):
        try:
            found[str(parse_subject(text if ":" in text else f"org:{text.upper()}"))] = None
        except IdentityError as error:
            raise RequestError(f"{text[:80]!r} is no subject: {error}", code=error.code) from error
    if not found:
        raise RequestError("no subject is asked about", code="no_subject", remedy="ask with ?subject=<code>")
    if len(found) > _MAX_SUBJECTS:
        raise RequestError(f"more than {_MAX_SUBJECTS} members", code="too_many_subjects")
    return list(found)


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status, headers=_HEADERS)


def _refusal(status: int, error: CreditbusError) -> web.Response:
    return _answer({"error": error.code, "message": str(error)}, status=status)


async def serve(
    app: web.Application, host: str, port: int, stop: asyncio.Event, on_ready: Callable[[int], None]
) -> None:
    """Serve until told to stop; requests under way are answered first.

    Args:
        app: see `Receiver.app`.
        host: to listen on.
        port: to listen on; 0 takes a free one.
        stop: ends it.
        on_ready: is told the port.

    Raises:
        RequestError: `port_taken`.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        on_ready(runner.addresses[0][1])
        await stop.wait()
    except OSError as error:
        remedy = "choose another with --listen"
        raise RequestError(f"{host}:{port}: {error.strerror}", code="port_taken", remedy=remedy) from error
    finally:
        await runner.cleanup()


async def run_together(stop: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
    """Run an office's works until told to stop; when one fails the others are ended, and the failure is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    finally:
        stop.set()
