"""A small portal for tests of its door: a route for every act, on the real Redis, and an identity provider beside it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import redis
import uvicorn
from fastapi import Depends, FastAPI, Form, Request
from starlette.testclient import TestClient

from consumers.portal.access.build import build_door
from consumers.portal.access.door import Door
from consumers.portal.access.headers import SecureHeaders
from consumers.portal.access.needs import needs
from consumers.portal.access.routes import access_routes
from consumers.portal.failures import add_failures
from consumers.portal.pages import Pages
from deploy.local.identity import Identity
from exchange.access_log import STREAM
from exchange.accounts import RedisAccounts, add
from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.domain.access import Act, Role, Visitor
from exchange.http.serving import bind, url_of
from exchange.known_as import load_portal_keys
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.waiting import wait_until

CATALOGUE = load_catalogue(SCHEMAS)
CODEC = Codec.from_files(SCHEMAS)
PHRASE = "correct horse battery"
PEOPLE = {
    Role.OFFICER: ("li", "gd.fin"), Role.AUDITOR: ("audit", ""), Role.OPERATOR: ("ops", ""), Role.ADMINISTRATOR: ("admin", "")
}  # fmt: skip


def access_app(settings: Settings, door: Door) -> FastAPI:
    app = FastAPI()
    app.state.access = door
    app.include_router(access_routes(Pages(CATALOGUE)))
    for act in Act:
        app.get(f"/acts/{act}")(_route(act))
        app.api_route(f"/v1/acts/{act}", methods=["GET", "POST"])(_route(act))

    @app.get("/subjects/{subject}")
    async def picture(request: Request, subject: str, visitor: Annotated[Visitor, Depends(needs(Act.PICTURE))]) -> Any:
        return {"subject": request.state.subject}

    @app.post("/objections")
    async def objection(
        visitor: Annotated[Visitor, Depends(needs(Act.FILE_OBJECTION))], text: Annotated[str, Form()]
    ) -> Any:
        return {"text": text}

    @app.get("/broken")
    @app.get("/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError("a secret detail")

    add_failures(app, Pages(CATALOGUE))
    app.add_middleware(SecureHeaders, plain_http=settings.portal_plain_http)
    return app


def _route(act: Act) -> Any:
    async def route(visitor: Annotated[Visitor, Depends(needs(act))]) -> Any:
        return {"role": visitor.role, "department": visitor.department, "account": visitor.account}

    return route


class Portal:
    """The portal, and what it wrote."""

    def __init__(self, settings: Settings, client: TestClient, door: Door, store: "redis.Redis") -> None:
        self.settings, self.client, self.door, self.store = settings, client, door, store

    def log(self) -> list[dict[str, Any]]:
        found: Any = self.store.xrange(STREAM)
        return [CODEC.decode(fields[b"v"])[1] for _, fields in found]

    def come_with(self, session: str) -> None:
        """Be a browser with this session id and no other cookie."""
        self.client.cookies.clear()
        self.client.cookies.set("session", session, domain="localhost.local")

    def csrf(self) -> str:
        page = self.client.get("/login").text
        return page.partition('name="csrf" value="')[2].partition('"')[0]

    def sign_in(self, name: str, password: str = PHRASE, **more: str) -> Any:
        form = {"name": name, "password": password, "csrf": self.csrf()} | more
        return self.client.post("/login", data=form, follow_redirects=False)


@contextmanager
def portal(settings: Settings, base_url: str = "http://localhost", *, redis_url: str = "") -> Iterator[Portal]:
    """A portal with an account of each role, all with `PHRASE`; `redis_url` is where the door believes Redis to be."""
    store = connect(settings.redis)
    accounts = RedisAccounts(store)
    for role, (name, department) in PEOPLE.items():
        add(accounts, name, PHRASE, role, department, datetime(2026, 5, 20, tzinfo=UTC))
    settings = settings.model_copy(update={"redis": redis_url or settings.redis})
    door = build_door(settings, CODEC, CATALOGUE, load_portal_keys(settings, embedded=True))
    with TestClient(access_app(settings, door), base_url, raise_server_exceptions=False) as client:
        yield Portal(settings, client, door, store)
        assert client.portal is not None
        client.portal.call(door.close)
    store.close()


@contextmanager
def identity_provider() -> Iterator[Identity]:
    socket = bind("127.0.0.1", 0, settings="the test's port")
    issuer = url_of(socket)
    provider = Identity(issuer=issuer, redirects=frozenset({"http://localhost/login/oidc/return"}))
    server = uvicorn.Server(uvicorn.Config(provider.app(), log_config=None, lifespan="off"))
    thread = threading.Thread(target=lambda: server.run(sockets=[socket]))
    thread.start()
    wait_until(lambda: server.started, "the identity provider serves")
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
        socket.close()
