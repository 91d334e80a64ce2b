"""Backup and restore of what only Redis has: whole, repeatable, never over another's value unasked, refused when damaged."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner

from deploy.cli.backup import app
from exchange.accounts import RedisAccounts, add, sign_in
from exchange.api_keys import RedisKeys, issue
from exchange.backup import keys, read
from exchange.catalogue import load_catalogue
from exchange.corrections import Correction, Corrections
from exchange.domain.access import Role
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.errors import RequestError
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings

pytestmark = pytest.mark.servers
NOW = datetime(2026, 11, 28, tzinfo=UTC)
FIN, PASSWORD = "gd.fin", "correct horse battery 7"
ENDPOINT = Endpoint(department=FIN, url="https://fin.example/notices", key_id="k1")
CORRECTION = Correction(at=1, account="li", document="粤财罚〔2026〕1号", revision=2, partition=0, offset=7)


@pytest.fixture
def client(bus_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """Of a bus in which there is one of everything."""
    for name in ("kafka", "redis", "topic_prefix"):
        monkeypatch.setenv(f"CREDITBUS_{name.upper()}", str(getattr(bus_settings, name)))
    with connect(bus_settings.redis) as made:
        accounts = RedisAccounts(made)
        add(accounts, "li", PASSWORD, Role.OFFICER, FIN, NOW)
        assert sign_in(accounts, "li", PASSWORD)
        issue(RedisKeys(made), FIN, "test", NOW)
        assert EndpointStore(made).add(ENDPOINT)
        Corrections(made).note(FIN, 0, 3, CORRECTION)
        yield made


def run(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.exception
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def refusal(*arguments: str) -> str:
    error = CliRunner().invoke(app, list(arguments)).exception
    assert isinstance(error, RequestError), error
    return error.code


def everything(client: "redis.Redis") -> dict[str, object]:
    return {key: client.hgetall(key) for key in keys(load_catalogue(SCHEMAS).departments)}


def test_all_comes_back_into_an_empty_redis_and_once_only(client: "redis.Redis", tmp_path: Path) -> None:
    file, before = tmp_path / "kept", everything(client)
    fields = run("take", str(file))["fields"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PASSWORD not in file.read_text()
    client.flushdb()
    assert run("restore", str(file)) == {"written": fields, "same": 0, "differing": []}
    assert everything(client) == before
    assert sign_in(RedisAccounts(client), "li", PASSWORD), "he signs in as before"
    assert Corrections(client).find(FIN, [(0, 3)]) == {(0, 3): CORRECTION}
    assert run("restore", str(file)) == {"written": 0, "same": fields, "differing": []}


def test_what_changed_since_stays_unless_it_is_to_be_replaced(client: "redis.Redis", tmp_path: Path) -> None:
    file, store = tmp_path / "kept", EndpointStore(client)
    run("take", str(file))
    moved = store.change(
        FIN, lambda one: Endpoint(department=FIN, url="https://new.example/notices", key_id=one.key_id)
    )
    assert run("restore", str(file))["differing"] == [f"webhooks {FIN}"]
    assert store.find(FIN) == moved
    assert run("restore", str(file), "--replace")["differing"] == [f"webhooks {FIN}"]
    assert store.find(FIN) == ENDPOINT


def test_a_damaged_backup_and_one_of_another_bus_change_nothing(
    client: "redis.Redis", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, damaged = tmp_path / "kept", tmp_path / "damaged"
    run("take", str(file))
    before, whole = everything(client), file.read_bytes()
    lines = whole.splitlines(keepends=True)
    for raw in (
        whole[:-20],
        b"".join(lines[:-1]),
        b"".join(lines[:1] + lines[2:]),
        whole.replace(b"gd.fin", b"gd.tax"),
        b"",
    ):
        damaged.write_bytes(raw)
        assert refusal("restore", str(damaged), "--replace") == "backup_damaged"
    assert refusal("restore", str(tmp_path / "none")) == "backup_unreadable"
    monkeypatch.setenv("CREDITBUS_TOPIC_PREFIX", "other")
    assert refusal("restore", str(file), "--replace") == "backup_of_another_bus"
    assert everything(client) == before


def test_a_place_that_cannot_be_written_is_an_error_of_one_line(client: "redis.Redis", tmp_path: Path) -> None:
    run("take", str(tmp_path / "kept"))
    assert refusal("take", str(tmp_path / "kept" / "below")) == "cannot_write"
    assert read(tmp_path / "kept").kept
