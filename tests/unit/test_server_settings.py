"""What opens Kafka and Redis: settings that contradict themselves are told, secrets come from files too and are never shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from exchange.brokers import Brokers
from exchange.errors import RequestError
from exchange.secret_files import is_secret
from exchange.settings import Settings, read_settings
from tests.conftest import environment_of

HIDDEN = "kwb7-not-to-be-seen"
SCRAM = {"CREDITBUS_KAFKA": "h:1", "CREDITBUS_KAFKA_PROTOCOL": "SASL_SSL", "CREDITBUS_KAFKA_USER": "credit.standing"}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(RequestError) as caught:
        given(monkeypatch, **variables)
    assert caught.value.code == "bad_setting"
    assert HIDDEN not in caught.value.line()
    assert "\n" not in caught.value.line()
    assert caught.value.__cause__ is None, "the cause would show every value in a traceback"
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(HIDDEN + "\n")
    return path


SECRETS = sorted(name for name, field in Settings.model_fields.items() if is_secret(field))


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_be_a_file_and_is_not_shown(monkeypatch: pytest.MonkeyPatch, file: Path, name: str) -> None:
    settings = given(monkeypatch, **{f"CREDITBUS_{name.upper()}_FILE": str(file)})
    assert getattr(settings, name).get_secret_value() == HIDDEN, "without the line's end"
    assert HIDDEN not in f"{settings!r} {settings}"


def test_a_secret_that_is_given_twice_is_not_guessed_at(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    both = {"CREDITBUS_KAFKA_PASSWORD": HIDDEN, "CREDITBUS_KAFKA_PASSWORD_FILE": str(file)}
    assert "are both set" in refused(monkeypatch, **both)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    assert f"CREDITBUS_SIGNING_KEYS_FILE={path}" in refused(monkeypatch, CREDITBUS_SIGNING_KEYS_FILE=str(path))


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (SCRAM, "CREDITBUS_KAFKA_PASSWORD"),
        ({"CREDITBUS_KAFKA": "h:1", "CREDITBUS_KAFKA_PROTOCOL": "SSL"}, "CREDITBUS_KAFKA_CERTIFICATE"),
        ({"CREDITBUS_KAFKA": "h:1", "CREDITBUS_KAFKA_USER": "u", "CREDITBUS_KAFKA_PASSWORD": HIDDEN}, "CREDITBUS_KAFKA_PROTOCOL"),
        ({"CREDITBUS_KAFKA_PROTOCOL": "SASL"}, "CREDITBUS_KAFKA_PROTOCOL='SASL'"),
        ({"CREDITBUS_KAFKA_CA": "/nowhere/ca.pem"}, "CREDITBUS_KAFKA_CA='/nowhere/ca.pem'"),
        ({"CREDITBUS_REDIS": "redis://h:1", "CREDITBUS_REDIS_USER": "u"}, "CREDITBUS_REDIS_PASSWORD"),
        ({"CREDITBUS_REDIS": f"redis://u:{HIDDEN}@h:1", "CREDITBUS_REDIS_PASSWORD": HIDDEN}, "already"),
        ({"CREDITBUS_REDIS": f"redis://u:{HIDDEN}@h:1", "CREDITBUS_REDIS_CA": __file__}, "rediss://"),
        ({"CREDITBUS_REDIS": "rediss://h:1", "CREDITBUS_REDIS_CERTIFICATE": __file__}, "CREDITBUS_REDIS_KEY"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    assert told in refused(monkeypatch, **variables)


def test_clients_are_opened_with_all_of_it(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    found = given(monkeypatch, **SCRAM, CREDITBUS_KAFKA_PASSWORD_FILE=str(file), CREDITBUS_KAFKA_CA=str(file)).kafka
    assert found.config() == {
        "bootstrap.servers": "h:1", "security.protocol": "SASL_SSL", "ssl.ca.location": str(file),
        "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "credit.standing", "sasl.password": HIDDEN,
    }  # fmt: skip
    assert str(found) == "h:1"
    assert HIDDEN not in repr(found)
    by_certificate = Brokers("h:1", protocol="SSL", certificate=file, key=file)
    assert not [name for name in by_certificate.config() if "sasl" in name]
    assert Brokers("h:1").config() == {"bootstrap.servers": "h:1"}


def test_a_child_is_given_the_same(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    before = given(monkeypatch, **SCRAM, CREDITBUS_KAFKA_PASSWORD_FILE=str(file)).kafka
    assert given(monkeypatch, **before.environment()).kafka == before


def test_redis_is_reached_with_all_of_it(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    given_all = {
        "CREDITBUS_REDIS": "rediss://h:1/3",
        "CREDITBUS_REDIS_USER": "credit.portal",
        "CREDITBUS_REDIS_CA": str(file),
    }
    settings = given(monkeypatch, **given_all, CREDITBUS_REDIS_PASSWORD="a/b@c")
    assert settings.redis.startswith("rediss://credit.portal:a%2Fb%40c@h:1/3?ssl_ca_certs=")
    assert "a%2Fb" not in repr(settings)


def test_no_command_shows_a_secret(file: Path) -> None:
    settings = Settings(
        kafka="127.0.0.1:1", redis=f"redis://u:{HIDDEN}@127.0.0.1:1/0", signing_keys=SecretStr(f"k1:{HIDDEN}")
    )
    for words in (["--help"], ["status", "--json"], ["run", "dispatcher"], ["run", "--help"], ["keys", "list"]):
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *words],
            env=environment_of(settings),
            capture_output=True,
            text=True,
            check=False,
        )
        assert HIDDEN not in done.stdout + done.stderr, words
    assert HIDDEN in " ".join(environment_of(settings).values())
    assert HIDDEN not in os.environ.values()
