"""What tests of the gateway share: the server, a department's client of it, golden examples in every form."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import fastavro

from deploy.outbound import Publishers
from exchange.api_keys import RedisKeys, issue
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.metrics import GatewayMetrics
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from producers.gateway.run import Gateway
from tests.producing import Departments
from tests.pulling import Answer, Client, await_port

TAX, FIN = "gd.tax", "gd.fin"


class Example(NamedTuple):
    """A golden example: its type, its record in JSON, its message in Avro."""

    record_type: str
    record: dict[str, Any]
    raw: bytes


def examples(record_types: frozenset[str]) -> list[Example]:
    """The golden example of each type that the gateway documents."""
    found = []
    for record_type in sorted(record_types):
        path: Path = max((SCHEMAS / "examples" / record_type).glob("*.json"))
        raw = bytes.fromhex(path.with_suffix(".hex").read_text("ascii"))
        found.append(Example(record_type, json.loads(path.read_text("utf-8")), raw))
    return found


def listing(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A listing of the tax authority in JSON, the n-th."""
    return {
        "type": "listing", "subject": f"org:{synthetic_uscc(number % 5000 + 1)}", "document": f"粤税失信〔2026〕{number}号", "revision": 1,
        "decided_on": "2026-05-20", "list_code": "TAX", "grounds": "1", "serious": True,
        "basis": "《重大税收违法失信主体信息公布管理办法》第六条", **changes,
    }  # fmt: skip


def lines(*records: dict[str, Any]) -> bytes:
    """Records as lines of JSON."""
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in records)


def container(codec: Codec, record_type: str, *records: dict[str, Any], packed: str = "null") -> bytes:
    """Records as an Avro object container file."""
    out = io.BytesIO()
    fastavro.writer(out, codec.contracts.latest[record_type].schema, records, codec=packed)
    return out.getvalue()


class Submitter(Client):
    """A department's program that publishes through the gateway."""

    def submit(self, body: Any, media_type: str = "application/json", **headers: str) -> Answer:
        """POST /v1/records; underscores in names of headers are hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", "/v1/records", body, self.headers(**{"Content-Type": media_type}, **given))


class GatewayServer(NamedTuple):
    """The gateway in a thread of this process."""

    url: str
    metrics: GatewayMetrics
    gateway: Gateway
    settings: Settings

    def client(self, department: str) -> Submitter:
        """A client with a new key."""
        return Submitter(self.url, key_of(self.settings, department))

    def value(self, name: str, **labels: str) -> float:
        """Of a metric."""
        return self.metrics.registry.get_sample_value(f"creditbus_gateway_{name}", labels) or 0.0


def key_of(settings: Settings, department: str) -> str:
    """A new API key."""
    with connect(settings.redis) as client:
        return issue(RedisKeys(client), department, "test", datetime.now(UTC))[0]


def documents(bus: Departments, department: str) -> list[tuple[str, int, int]]:
    """Document, partition and offset of everything that a department has published."""
    return [(record["document"], partition, offset) for _, record, partition, offset in bus.published(department)]


@contextmanager
def serving(settings: Settings) -> Iterator[GatewayServer]:
    """The gateway in a thread of this process, on a port of its own."""
    settings = settings.model_copy(update={"gateway_port": 0})
    metrics = GatewayMetrics()
    client = connect(settings.redis)
    with Publishers(settings) as publishers:
        gateway = Gateway(settings, client, publishers, metrics)
        thread = threading.Thread(target=gateway.run, name="gateway")
        thread.start()
        await_port(gateway.url)
        try:
            yield GatewayServer(gateway.url, metrics, gateway, settings)
        finally:
            gateway.stop()
            thread.join(20)
            assert not thread.is_alive(), "the server does not end"
    client.close()
