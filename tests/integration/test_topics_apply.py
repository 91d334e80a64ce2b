"""`apply_topics` on a real broker."""

import json
import subprocess
import sys
import time

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from pydantic import SecretStr

from deploy.local.ports import choose
from exchange.brokers import Brokers
from exchange.errors import FatalError, RequestError, RetryLaterError
from exchange.grants import grants_of
from exchange.kafka import open_admin
from exchange.kafka_acl import apply_acls
from exchange.kafka_entry import check_entry
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics
from tests.conftest import environment_of

pytestmark = pytest.mark.servers
DEPARTMENTS = ("gd.tax", "gd.amr")


def test_creates_what_is_missing_and_then_changes_nothing(bus_settings: Settings) -> None:
    admin = open_admin(bus_settings.kafka)
    names = Topics(bus_settings.topic_prefix)

    first = apply_topics(admin, DEPARTMENTS, bus_settings)
    second = apply_topics(admin, DEPARTMENTS, bus_settings)

    assert set(first.created) == set(names.configs(DEPARTMENTS, replication=1))
    assert len(first.created) == 4 + 3 * len(DEPARTMENTS)
    assert (second.created, second.changed) == ((), {})
    assert set(second.unchanged) == set(first.created)
    found = admin.list_topics(timeout=10).topics
    assert {len(found[name].partitions) for name in first.created} == {bus_settings.partitions}


def test_adds_a_department_to_a_bus_that_runs(bus_settings: Settings) -> None:
    admin = open_admin(bus_settings.kafka)
    apply_topics(admin, ["gd.tax"], bus_settings)

    applied = apply_topics(admin, DEPARTMENTS, bus_settings)

    names = Topics(bus_settings.topic_prefix)
    assert set(applied.created) == {names.into("gd.amr"), names.out_of("gd.amr"), names.rejected_of("gd.amr")}


def test_refuses_another_number_of_partitions_before_it_changes_anything(bus_settings: Settings) -> None:
    admin = open_admin(bus_settings.kafka)
    apply_topics(admin, ["gd.tax"], bus_settings)
    other = bus_settings.model_copy(update={"partitions": bus_settings.partitions + 1})

    with pytest.raises(FatalError) as caught:
        apply_topics(admin, DEPARTMENTS, other)

    assert caught.value.code == "partition_mismatch"
    assert "CREDITBUS_PARTITIONS" in caught.value.remedy
    assert Topics(bus_settings.topic_prefix).into("gd.amr") not in admin.list_topics(timeout=10).topics


def read_setting(admin: AdminClient, topic: str, name: str) -> str:
    [answer] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return str(answer.result()[name].value)


def test_sets_back_what_somebody_changed(bus_settings: Settings) -> None:
    admin = open_admin(bus_settings.kafka)
    apply_topics(admin, ["gd.tax"], bus_settings)
    topic = Topics(bus_settings.topic_prefix).into("gd.tax")
    shorter = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[shorter])
    for done in admin.incremental_alter_configs([change]).values():
        done.result()
    while read_setting(admin, topic, "retention.ms") != "1000":  # the broker shows it a moment later
        time.sleep(0.05)

    applied = apply_topics(admin, ["gd.tax"], bus_settings)

    assert applied.changed == {topic: ("retention.ms=-1",)}


def test_nobody_there_is_told_as_such() -> None:
    nobody = Brokers(f"127.0.0.1:{choose('nobody', '', given=0, remembered=None)}")
    with pytest.raises(RetryLaterError) as caught:
        apply_topics(open_admin(nobody), ["gd.tax"], Settings(), request_seconds=1.0)
    assert caught.value.code == "kafka_unavailable"


def test_whoever_speaks_tls_to_it_is_told_that_it_does_not(bus_settings: Settings) -> None:
    with pytest.raises(RequestError) as caught:
        check_entry(Brokers(bus_settings.kafka.address, protocol="SASL_SSL", user="u", password=SecretStr("p")))
    assert caught.value.code == "kafka_speaks_clear"
    check_entry(bus_settings.kafka)


def test_without_an_authorizer_there_are_no_lists(bus_settings: Settings) -> None:
    with pytest.raises(RequestError) as caught:
        apply_acls(open_admin(bus_settings.kafka), "credit", grants_of(bus_settings, ["gd.tax"]), dry_run=False)
    assert caught.value.code == "no_authorizer"


def test_the_command(bus_settings: Settings) -> None:
    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy.cli", "topics", "apply", *arguments]
        environment = environment_of(bus_settings) | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    first = run("--department", "gd.tax", "--json")
    assert first.returncode == 0, first.stderr
    assert len(json.loads(first.stdout)["created"]) == 7
    again = run("--department", "gd.tax")
    assert again.stdout == "0 created, 0 changed, 7 as they were\n"
    other = run("--department", "gd.tax", CREDITBUS_PARTITIONS="3")
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
    assert other.stderr.startswith("error[partition_mismatch]")
    unknown = run("--department", "gd.nobody")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("error[unknown_department]")
