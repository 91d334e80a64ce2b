"""Redis by TLS, with certificates on both sides: the server of the system, because the embedded Valkey is built without TLS."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import redis
from pydantic import SecretStr

from deploy.local.authority import Authority
from exchange.async_redis import connect_async
from exchange.errors import FatalError
from exchange.grants import grants
from exchange.redis_acl import acl_file
from exchange.redis_client import connect
from exchange.redis_errors import translate_redis
from exchange.redis_users import apply_users
from exchange.settings import Settings
from exchange.standing_store import Wanted
from exchange.store import Store
from tests.pulling import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
SERVERS = ("redis-server", "valkey-server")
GRANTS = grants("credit", ["gd.tax"], operator="gd.data", group="standing")
PASSWORD = SecretStr("of-a-test")


class TlsRedis(NamedTuple):
    """A Redis that speaks TLS only, to clients with a certificate of its authority."""

    port: int
    folder: Path

    def settings(self, user: str, **changes: object) -> Settings:
        """Of a user's process."""
        files = {f"redis_{name}": self.folder / f"{name}.pem" for name in ("ca", "certificate", "key")}
        given = {"redis": f"rediss://127.0.0.1:{self.port}/0", "redis_user": user, "redis_password": PASSWORD, **files}
        return Settings(**(given | changes))  # type: ignore[arg-type] # checked by the settings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    program = next(filter(None, map(shutil.which, SERVERS)), None)
    if program is None:
        why = f"none of {', '.join(SERVERS)} is installed (Debian: apt-get install redis-server)"
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(why)
        pytest.skip(why)
    folder, port = tmp_path_factory.mktemp("redis-tls"), free_port()
    authority = Authority.make("test")
    (folder / "ca.pem").write_bytes(authority.certificate)
    for prefix in ("server-", ""):
        issued = authority.issue("127.0.0.1")
        (folder / f"{prefix}certificate.pem").write_bytes(issued.certificate)
        (folder / f"{prefix}key.pem").write_bytes(issued.key)
    (folder / "stranger.pem").write_bytes(Authority.make("somebody else").certificate)
    users = folder / "users.acl"
    users.write_text(acl_file(GRANTS, {"administrator": (PASSWORD.get_secret_value(),)}, "administrator"))
    options = {
        "port": "0", "tls-port": str(port), "bind": "127.0.0.1", "tls-cert-file": folder / "server-certificate.pem",
        "tls-key-file": folder / "server-key.pem", "tls-ca-cert-file": folder / "ca.pem", "tls-auth-clients": "yes",
        "aclfile": users, "dir": folder, "save": "", "appendonly": "no",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    found = TlsRedis(port, folder)
    try:
        with connect(found.settings("administrator").redis) as admin:
            wait_until(lambda: answers(admin))
            apply_users(admin, "credit", GRANTS, {name: (PASSWORD.get_secret_value(),) for name in GRANTS})
        yield found
    finally:
        process.terminate()
        process.wait(20)


def answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def test_the_store_works_by_tls(server: TlsRedis) -> None:
    with connect(server.settings("credit.standing").redis) as client:
        assert Store(client).load([Wanted(0, ["org:x"], [])])[0].standings == [None]
    with connect(server.settings("credit.gateway").redis) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.get("{0}:s:org:x")


def test_event_loops_speak_tls_too(server: TlsRedis) -> None:
    async def ask() -> object:
        async with connect_async(server.settings("credit.portal").redis, 5.0) as client:
            return await client.get("session:x")

    assert asyncio.run(ask()) is None


def test_a_server_that_is_not_trusted_is_told(server: TlsRedis) -> None:
    settings = server.settings("credit.standing", redis_ca=server.folder / "stranger.pem")
    with connect(settings.redis) as client, pytest.raises(redis.exceptions.RedisError) as caught:
        client.ping()
    told = translate_redis(caught.value)
    assert isinstance(told, FatalError)
    assert told.code == "redis_certificate"


@pytest.mark.parametrize("url", ["redis://credit.standing:of-a-test@127.0.0.1:{}/0", "rediss://credit.standing:of-a-test@127.0.0.1:{}/0?ssl_ca_certs={}/ca.pem"])  # fmt: skip
def test_nobody_gets_in_in_clear_or_without_a_certificate(server: TlsRedis, url: str) -> None:
    with connect(url.format(server.port, server.folder)) as client, pytest.raises(redis.exceptions.ConnectionError):
        client.ping()
