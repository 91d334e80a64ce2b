"""HTTP doors that speak TLS themselves: to clients that trust their certificate, and to no others; a renewed one is taken while they serve."""

import asyncio
import http.client
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from deploy.local.authority import Authority, Issued
from exchange.directory_keeper import SqliteKeeper
from exchange.fed_folder import Bus
from exchange.http.certificate import DoorCertificate
from exchange.http.serving import HttpServer, bind
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.pulling import NoticeBoard, free_port
from tests.waiting import wait_until


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says by what scheme it was asked."""
    await PlainTextResponse(scope["scheme"])(scope, receive, send)


def asked(connection: http.client.HTTPConnection) -> str:
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


class Door:
    """A door with a certificate of an authority, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.make("test")
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self.put(self.authority.issue("door"))
        self.port = 0

    def put(self, issued: Issued) -> None:
        self.certificate.write_bytes(issued.certificate)
        self.key.write_bytes(issued.key)

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority.certificate.decode())

    def connect(self, trust: ssl.SSLContext) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.port, timeout=30, context=trust)

    def ask(self, trust: ssl.SSLContext) -> str:
        with closing(self.connect(trust)) as connection:
            return asked(connection)

    def shown(self) -> bytes:
        """The certificate that a new connection sees."""
        return ssl.get_server_certificate(("localhost", self.port), timeout=30).encode()

    @contextmanager
    def serving(self) -> Iterator[None]:
        bound = bind("127.0.0.1", 0, settings="none")
        self.port = bound.getsockname()[1]
        pair = DoorCertificate(self.certificate, self.key, "CREDITBUS_PORTAL")
        server = HttpServer(app, end_seconds=1, certificate=pair)
        server.config.timeout_keep_alive = 300  # a test on a busy machine may be slow to ask again
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), name="door")
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield
        finally:
            server.end()
            thread.join(20)
            bound.close()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_who_trusts_it_is_served_by_tls_and_nobody_in_clear(door: Door) -> None:
    with door.serving():
        with closing(door.connect(door.trusted())) as connection:
            assert asked(connection) == "https"
            assert isinstance(connection.sock, ssl.SSLSocket)
            assert connection.sock.version() in {"TLSv1.2", "TLSv1.3"}
        clear = http.client.HTTPConnection("localhost", door.port, timeout=30)
        with closing(clear), pytest.raises((http.client.HTTPException, OSError)):
            asked(clear)


def test_a_foreign_or_an_expired_certificate_is_refused_by_a_real_client(door: Door) -> None:
    with door.serving(), pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        door.ask(ssl.create_default_context(cadata=Authority.make("other").certificate.decode()))
    door.put(door.authority.issue("door", days=1, now=datetime.now(UTC) - timedelta(days=3)))
    with door.serving(), pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        door.ask(door.trusted())


def test_a_renewed_certificate_is_taken_while_it_serves_and_half_a_pair_is_not(
    door: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.http.serving.TICKS_OF_RENEWAL", 1)
    with door.serving(), closing(door.connect(door.trusted())) as going_on:
        before = door.certificate.read_bytes()
        assert asked(going_on) == "https"
        renewed = door.authority.issue("door")
        door.certificate.write_bytes(renewed.certificate)
        wait_until(lambda: "certificate not taken" in caplog.text)
        assert door.shown() == before, "the key is not its own yet: the old pair serves on"
        door.key.write_bytes(renewed.key)
        wait_until(lambda: door.shown() == renewed.certificate)
        assert door.ask(door.trusted()) == "https"
        assert asked(going_on) == "https", "open connections go on"


@pytest.mark.servers
@pytest.mark.parametrize("name", ["gateway", "inbox", "portal"])
def test_each_door_serves_by_the_certificate_of_its_settings(
    name: str, door: Door, bus_settings: Settings, tmp_path: Path
) -> None:
    NoticeBoard(bus_settings)
    port = free_port()
    given = {
        "PORT": str(port), "CERTIFICATE": str(door.certificate), "KEY": str(door.key),
    }  # fmt: skip
    environment = environment_of(bus_settings) | {
        f"CREDITBUS_{name.upper()}_{key}": value for key, value in given.items()
    }
    environment |= {f"CREDITBUS_{key}_KEYS": f"k1:{'ab' * 32}" for key in ("SIGNING", "PERSON", "PORTAL")}
    environment["CREDITBUS_DIRECTORY_FOLDER"] = str(tmp_path)
    SqliteKeeper(tmp_path, Bus(bus_settings.topic_prefix, bus_settings.partitions, "cluster")).close()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli.main", "run", name], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert f"https://127.0.0.1:{port}" in process.stdout.readline()
        door.port = port
        wait_until(lambda: door.shown() == door.certificate.read_bytes(), within_seconds=60)
        with closing(door.connect(door.trusted())) as connection:
            connection.request("GET", "/openapi.json" if name != "portal" else "/sign-in")
            assert connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
