"""The bridge's properties and grants, and what the command says when it cannot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from exchange.away import away_kafka
from exchange.bridge import Bridge, Side
from exchange.brokers import Brokers
from exchange.errors import RequestError
from exchange.grants import away_grants, grants
from exchange.java_client import file_text, java_client, variable_text
from exchange.kafka_acl import is_ours

BRIDGE = Bridge(prefix="gd", name="gx", away=("gd.fin", "gd.customs"))


def told(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split(" = ", 1) for line in lines)


def plain(address: str, replication: int = 1) -> Side:
    return Side(client=java_client(Brokers(address), variable_text), replication=replication)


def properties(home: Side | None = None, away: Side | None = None) -> dict[str, str]:
    return told(BRIDGE.properties(home or plain("a:9092", 3), away or plain("b:9092"), listener="http://127.0.0.1:0"))


def test_each_topic_goes_one_way_under_its_own_name() -> None:
    found = properties()
    assert found["clusters"] == "home,away"
    assert (found["home.bootstrap.servers"], found["away.bootstrap.servers"]) == ("a:9092", "b:9092")
    assert found["replication.policy.class"].endswith(".IdentityReplicationPolicy")
    assert found["home->away.topics"] == (
        r"gd\\.out\\.gd\\.customs,gd\\.rejected\\.gd\\.customs,gd\\.out\\.gd\\.fin,gd\\.rejected\\.gd\\.fin"
    )
    assert found["away->home.topics"] == r"gd\\.in\\.gd\\.customs,gd\\.in\\.gd\\.fin"
    assert not set(BRIDGE.to_away()) & set(BRIDGE.to_home())


def test_it_copies_exactly_once_what_is_committed_and_nothing_else() -> None:
    found = properties()
    for alias, flow in (("home", "home->away"), ("away", "away->home")):
        assert found[f"{alias}.exactly.once.source.support"] == "enabled"
        assert found[f"{flow}.consumer.isolation.level"] == "read_committed"
        assert found[f"{alias}.group.id"] == "gd.bridge.gx"
        assert found[f"{alias}.offset.storage.topic"] == BRIDGE.offsets
    assert (found["home.offset.storage.replication.factor"], found["away.offset.storage.replication.factor"]) == (
        "3",
        "1",
    )
    assert (found["away->home.replication.factor"], found["home->away.replication.factor"]) == ("3", "1")
    assert {one for one in found if one.startswith(("sync.", "emit."))} == {
        "sync.topic.configs.enabled", "sync.topic.acls.enabled", "emit.heartbeats.enabled", "emit.checkpoints.enabled",
        "emit.offset-syncs.enabled",
    }  # fmt: skip
    assert found["heartbeats.replication.enabled"] == "false", "two bridges would copy each other's without end"
    assert "config.providers" not in found, "nothing secret, nothing to look up"


def test_secrets_are_pointed_at(tmp_path: Path) -> None:
    home = Brokers(
        "a:9093", protocol="SSL", ca=tmp_path / "ca.pem", certificate=tmp_path / "c.pem", key=tmp_path / "k.pem"
    )
    away = Brokers("b:9093", protocol="SASL_SSL", user='gd."bridge"', password=SecretStr("never shown"))
    found = properties(
        Side(client=java_client(home, variable_text), replication=1),
        Side(client=java_client(away, lambda _: file_text(tmp_path / "password")), replication=1),
    )
    assert found["config.providers"] == "dir"
    assert found["home.ssl.keystore.key"] == f"${{dir:{tmp_path}:k.pem}}"
    assert found["home.ssl.truststore.location"] == str(tmp_path / "ca.pem")
    assert found["away.sasl.jaas.config"].endswith(
        rf'required username="gd.\\"bridge\\"" password="${{dir:{tmp_path}:password}}";'
    )
    assert "never shown" not in "".join(found.values())
    by_variable = java_client(away, lambda one: variable_text(f"CREDITBUS_AWAY_{one.upper()}"))
    assert "${env:CREDITBUS_AWAY_KAFKA_PASSWORD}" in by_variable["sasl.jaas.config"]


def test_the_bridge_may_copy_and_keep_its_own_and_nothing_else() -> None:
    def at_home(away: tuple[str, ...]) -> dict[str, object]:
        return dict(grants("gd", ["gd.fin", "gd.tax"], operator="gd.data", group="standing", away=away))

    assert at_home(()).keys() | {"gd.bridge"} == at_home(("gd.fin",)).keys()
    here, there = (
        grants("gd", [], operator="gd.data", group="s", away=["gd.fin"])["gd.bridge"],
        away_grants("gd", ["gd.fin"]),
    )
    assert [one.name for one in here.reads] == ["gd.out.gd.fin", "gd.rejected.gd.fin"]
    assert [one.name for one in here.writes] == ["gd.in.gd.fin"]
    assert there.keys() == {"gd.bridge", "gd.gd.fin"}
    assert (there["gd.bridge"].reads, there["gd.bridge"].writes) == (here.writes, here.reads)
    assert (here.governs, here.keys, here.looks_at, here.holds) == (False, (), (), ())
    assert is_ours("User:gd.bridge", "gd")


@pytest.mark.parametrize(("name", "away"), [("GX", ("gd.fin",)), ("", ("gd.fin",)), ("gx", ())])
def test_a_bridge_needs_a_name_and_somebody_away(name: str, away: tuple[str, ...]) -> None:
    with pytest.raises(RequestError):
        Bridge(prefix="gd", name=name, away=away)


def test_the_neighbours_settings_bear_their_own_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no neighbour"):
        away_kafka()
    monkeypatch.setenv("CREDITBUS_KAFKA", "a:9092")
    monkeypatch.setenv("CREDITBUS_AWAY_KAFKA", "b:9092")
    assert away_kafka() == Brokers("b:9092")
    monkeypatch.setenv("CREDITBUS_AWAY_KAFKA_PROTOCOL", "SASL_SSL")
    with pytest.raises(RequestError, match="CREDITBUS_AWAY_KAFKA_USER"):
        away_kafka()
    (tmp_path / "password").write_text("secret")
    monkeypatch.setenv("CREDITBUS_AWAY_KAFKA_USER", "gd.bridge")
    monkeypatch.setenv("CREDITBUS_AWAY_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    assert away_kafka().password.get_secret_value() == "secret"


def run(*words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    given = {
        "CREDITBUS_KAFKA": "127.0.0.1:1",
        "CREDITBUS_REDIS": "redis://127.0.0.1:1",
        "CREDITBUS_AWAY_KAFKA": "127.0.0.1:2",
    }
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli.main", "bridge", *words],
        capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ) | given | settings,
    )  # fmt: skip


def test_the_command_writes_the_file_and_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    out = tmp_path / "mm2.properties"
    done = run(
        "write", "--name", "gx", "--out", str(out), "--json",
        CREDITBUS_TOPIC_PREFIX="gd", CREDITBUS_AWAY_DEPARTMENTS="gd.customs, gd.fin",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["to_home"] == BRIDGE.to_home()
    assert told(out.read_text()) == properties(plain("127.0.0.1:1"), plain("127.0.0.1:2"))
    wrong = run("write", "--name", "gx", "--away", "gd.nobody")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error[unknown_department]: no department 'gd.nobody'")
    assert wrong.stderr.count("\n") == 1
