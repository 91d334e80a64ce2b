"""The contracts on a real registry server, and the bytes of the bus beside those of Confluent's own Avro serializer."""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.local.ports import HOST, choose
from exchange.codec import Codec, open_codec
from exchange.errors import FatalError, RequestError, RetryLaterError, UndecodableError
from exchange.paths import SCHEMAS
from exchange.registry import FIRST_ID, Contract, Contracts, fingerprint, load_contracts
from exchange.schema_server import SchemaServer
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.registry_server import running_registry

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

CONTRACTS = load_contracts(SCHEMAS)
PINNED = Codec(CONTRACTS)
EXAMPLES = [bytes.fromhex(path.read_text("ascii")) for path in sorted(SCHEMAS.glob("examples/*/*.hex"))]
PENALTY = bytes.fromhex((SCHEMAS / "examples/penalty/fine.hex").read_text("ascii"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings()
    log = tmp_path_factory.mktemp("registry") / "log"
    with running_registry(settings.cache, log, settings.maven_url) as url:
        yield url


@pytest.fixture
def client(registry: str) -> Iterator[SchemaRegistryClient]:
    """Confluent's client of the registry, which is emptied."""
    client = SchemaRegistryClient({"url": registry})
    for subject in client.get_subjects():
        client.delete_subject(subject)
        client.delete_subject(subject, permanent=True)
    yield client
    client.close()


@pytest.fixture
def url(registry: str, client: SchemaRegistryClient) -> str:
    """The address of the emptied registry."""
    return registry


def run_push(url: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "schemas", "push", "--json"],
        env=environment_of(Settings(registry_url=url)), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pushed: list[dict[str, object]] = json.loads(done.stdout)["pushed"]
    return pushed


def second_version(*, bad: bool = False) -> Contract:
    """Version 2 of penalties: a field more, with a default unless it is to be bad."""
    new = {"name": "appeal", "type": "string", "doc": "复议: appeal"} | ({} if bad else {"default": ""})
    first = CONTRACTS.latest["penalty"]
    schema = {**first.schema, "fields": [*first.schema["fields"], new]}
    return dataclasses.replace(first, version=2, id=FIRST_ID + 900, schema=schema, fingerprint=fingerprint(schema))


def test_a_codec_does_not_start_on_an_empty_registry_and_registers_nothing(
    url: str, client: SchemaRegistryClient
) -> None:
    with pytest.raises(FatalError, match=r"lacks the schemas of .*penalty") as refused:
        open_codec(Settings(registry_url=url), SCHEMAS)
    assert refused.value.code == "schema_not_registered"
    assert client.get_subjects() == []


def test_push_registers_everything_once(url: str, client: SchemaRegistryClient) -> None:
    first, second = run_push(url), run_push(url)
    assert [row["subject"] for row in first] == [contract.subject for contract in CONTRACTS.all]
    assert all(row["registered"] for row in first)
    assert not any(row["registered"] for row in second)
    assert [row["id"] for row in first] == [row["id"] for row in second]
    assert sorted(client.get_subjects()) == sorted({contract.subject for contract in CONTRACTS.all})
    assert {client.get_compatibility(subject) for subject in client.get_subjects()} == {"FULL_TRANSITIVE"}


def test_the_servers_ids_are_written_and_both_are_read(url: str) -> None:
    list(SchemaServer(url).push(CONTRACTS))
    codec = open_codec(Settings(registry_url=url), SCHEMAS)
    for raw in EXAMPLES:
        record_type, record = PINNED.decode(raw)
        written = codec.encode(record_type, record)
        assert codec.schema_id(record_type) < FIRST_ID
        assert written == b"\0" + codec.schema_id(record_type).to_bytes(4, "big") + raw[5:]
        assert codec.decode(written) == codec.decode(raw) == (record_type, record)
        assert codec.decode_plain(written) == codec.decode_plain(raw) == PINNED.decode_plain(raw)


def test_documentation_may_differ_from_what_is_registered(url: str) -> None:
    first = CONTRACTS.latest["penalty"]
    older = dataclasses.replace(first, schema={**first.schema, "doc": "行政处罚: as it was said before"})
    (registered,) = SchemaServer(url).push(Contracts([older]))
    assert SchemaServer(url).ids_of(Contracts([first])) == {"penalty": registered.id}


def test_confluents_serializers_and_the_codec_read_each_other(url: str, client: SchemaRegistryClient) -> None:
    list(SchemaServer(url).push(CONTRACTS))
    codec = open_codec(Settings(registry_url=url), SCHEMAS)
    context = SerializationContext("credit.in.gd.tax", MessageField.VALUE)
    record_type, record = PINNED.decode(PENALTY)
    theirs = AvroSerializer(
        client,
        Schema(json.dumps(CONTRACTS.latest["penalty"].schema), "AVRO"),
        conf={"auto.register.schemas": False, "subject.name.strategy": record_subject_name_strategy},
    )(record, context)
    assert theirs == codec.encode(record_type, record)
    read = AvroDeserializer(client, conf={"subject.name.strategy": record_subject_name_strategy})
    assert read(codec.encode(record_type, record), context) == record


def test_a_later_version_of_another_publisher_is_fetched_and_read(url: str) -> None:
    server = SchemaServer(url)
    list(server.push(CONTRACTS))
    old = open_codec(Settings(registry_url=url), SCHEMAS)
    newer = Contracts([*CONTRACTS.all, second_version()])
    list(server.push(newer))
    new = Codec(newer, ids=server.ids_of(newer), find=server.find)
    record_type, record = PINNED.decode(PENALTY)
    raw = new.encode(record_type, record | {"appeal": "粤复〔2026〕1号"})
    assert old.decode(raw) == (record_type, record)
    assert old.decode_plain(raw) == PINNED.decode_plain(PENALTY)
    assert new.decode(old.encode(record_type, record)) == (record_type, record | {"appeal": ""})


def test_the_server_refuses_an_incompatible_version(url: str) -> None:
    server = SchemaServer(url)
    list(server.push(CONTRACTS))
    with pytest.raises(RequestError) as refused:
        list(server.push(Contracts([*CONTRACTS.all, second_version(bad=True)])))
    assert refused.value.code == "schema_incompatible"


def test_an_unknown_id_is_refused_and_not_asked_for_again_at_once(url: str) -> None:
    times = iter([0.0, 0.0, 10.0, 31.0, 31.0])
    server = SchemaServer(url, clock=lambda: next(times))
    list(server.push(CONTRACTS))
    codec = Codec(CONTRACTS, ids=server.ids_of(CONTRACTS), find=server.find)
    for _ in range(3):
        with pytest.raises(UndecodableError, match="unknown_schema_id"):
            codec.decode(b"\0\0\x0f\x00\x00" + PENALTY[5:])
    assert next(times, None) is None  # asked at 0 and at 31, not at 10


def test_a_schema_of_somebody_else_is_no_record(url: str, client: SchemaRegistryClient) -> None:
    other = {"type": "record", "name": "Penalty", "namespace": "elsewhere", "fields": [{"name": "a", "type": "string"}]}
    schema_id = client.register_schema("elsewhere.Penalty", Schema(json.dumps(other), "AVRO"))
    assert SchemaServer(url).find(schema_id) is None


def test_a_server_that_is_away_is_told_as_such_and_soon(tmp_path: Path) -> None:
    port = choose("nobody", "", given=0, remembered=None)
    began_at = time.monotonic()
    with pytest.raises(RetryLaterError) as away:
        open_codec(Settings(registry_url=f"http://user:secret@{HOST}:{port}{tmp_path}"), SCHEMAS)
    assert away.value.code == "registry_unavailable"
    assert "secret" not in str(away.value)
    assert time.monotonic() - began_at < 15
