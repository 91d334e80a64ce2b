"""One trace from a department's request over the standing processor to the pushed notice and the feedback on it; off, nothing of it."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from confluent_kafka import Consumer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from consumers.dispatcher.run import DispatcherProcess
from exchange.answers import today_in_china
from exchange.domain.synthetic import synthetic_uscc
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.errors import RequestError
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from exchange.tracing import PARENT, open_tracing
from tests import pulling, submitting
from tests.conftest import BusFactory
from tests.e2e.bus import live_bus
from tests.receiving import Desks
from tests.submitting import key_of
from tests.waiting import wait_until

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DEPARTMENT = "gd.fin"
FIRM = f"org:{synthetic_uscc(41)}"


class SpanSeen(NamedTuple):
    """A span as the collector got it; ids in hex."""

    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, str]


class Collector:
    """A tiny receiver of OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[SpanSeen] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for one in scope.spans:
                    links = tuple(link.span_id.hex() for link in one.links)
                    attributes = {a.key: str(a.value) for a in one.attributes}
                    self.spans.append(
                        SpanSeen(one.name, one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex(), links, attributes)
                    )  # fmt: skip

    def named(self, name: str) -> list[SpanSeen]:
        return [one for one in self.spans if one.name == name]

    @contextmanager
    def running(self) -> Iterator["Collector"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@contextmanager
def dispatching(settings: Settings) -> Iterator[Desks]:
    """A dispatcher that pushes to a department's desk."""
    keys = load_signing_keys(settings, embedded=True)
    process = DispatcherProcess(settings, settings.kafka, settings.redis, keys)
    thread = threading.Thread(target=process.run, name="dispatcher", daemon=True)
    with Desks() as desks:
        desks.desks[DEPARTMENT].keys = [keys.endpoint_key(DEPARTMENT, 1).public_text]
        endpoint = Endpoint(department=DEPARTMENT, url=desks.url(DEPARTMENT), key_id=keys.newest)
        assert EndpointStore(connect(settings.redis)).add(endpoint)
        thread.start()
        try:
            yield desks
        finally:
            process.stop()
            thread.join(40)
            assert not thread.is_alive()


@pytest.mark.servers
def test_one_trace_from_the_request_to_the_feedback(new_bus: BusFactory, tmp_path: Path) -> None:
    today = today_in_china().isoformat()
    with Collector().running() as collector:
        settings = new_bus().model_copy(
            update={
                "tracing_endpoint": collector.endpoint, "webhook_networks": "127.0.0.0/8", "webhook_plain_http": True,
                "signing_keys": load_signing_keys_setting(), "inbox_port": 0,
            }
        )  # fmt: skip
        with live_bus(settings, tmp_path, today) as bus, dispatching(bus.settings) as desks:
            with submitting.serving(bus.settings) as gateway:
                listing = {
                    "type": "listing", "subject": FIRM, "document": "粤人社监〔2026〕41号", "revision": 1, "decided_on": today,
                    "list_code": "WAGE", "grounds": "1",
                }  # fmt: skip
                answer = gateway.client("gd.hrss").submit([listing], traceparent=f"00-{TRACE}-{CALLER}-01")
                assert answer.status == 200, answer
                bus.fed += 1
            taken = desks.desks[DEPARTMENT].taken
            wait_until(lambda: bool(taken), "the notice is delivered")
            pushed, notice = taken[0].headers["traceparent"], taken[0].event["data"]
            assert pushed.split("-")[1] == TRACE
            with pulling.serving(bus.settings) as inbox:
                client = pulling.Client(inbox.url, key_of(bus.settings, DEPARTMENT))
                feedback = {
                    "subject": FIRM, "notice_id": notice["id"], "epoch": notice["epoch"], "n": notice["n"],
                    "measure": notice["measures"][0]["measure"], "state": "ACKNOWLEDGED",
                }  # fmt: skip
                answer = client.ask("POST", "/v1/feedback", [feedback], client.headers(**{PARENT: pushed, "Content-Type": "application/json"}))  # fmt: skip
                assert answer.status == 200, answer
                bus.fed += 1
            wait_until(lambda: len(collector.named("standing")) >= 2, "the feedback's span has come")
    spans = {one.id: one for one in collector.spans if one.trace == TRACE}

    def way(one: SpanSeen) -> list[str]:
        """Names from a span up to the caller's."""
        return [one.name, *(way(spans[one.parent]) if one.parent in spans else [one.parent])]

    feedback_taken = max((way(one) for one in spans.values() if one.name == "standing"), key=len)
    assert feedback_taken == [
        "standing", "publish measure_feedback", "POST /v1/feedback", "deliver",
        "standing", "publish listing", "POST /v1/records", CALLER,
    ]  # fmt: skip
    linked = {link for one in collector.named("standing batch") for link in one.links}
    assert linked == {one.id for one in collector.named("standing")}
    said = json.dumps([one.attributes for one in collector.spans])
    assert FIRM not in said, "no attribute names a subject"


def load_signing_keys_setting() -> Any:
    """A master key, so that dispatcher and desk have the same."""
    return Settings(signing_keys="k1:" + "ab" * 32).signing_keys


@pytest.mark.servers
def test_without_an_endpoint_no_message_has_a_header(new_bus: BusFactory, tmp_path: Path) -> None:
    with live_bus(new_bus(), tmp_path, today_in_china().isoformat()) as bus:
        bus.listing("gd.hrss", "WAGE", FIRM, "粤人社监〔2026〕42号", grounds="1")
        bus.settle()
        reader = Consumer({**bus.settings.kafka.config(), "group.id": "look", "auto.offset.reset": "earliest"})
        try:
            reader.subscribe([bus.topics.into("gd.hrss"), bus.topics.out_of(DEPARTMENT)])
            found: dict[str, Any] = {}

            def look() -> bool:
                for message in reader.consume(10, 0.2):
                    if message.error() is None:
                        found[message.topic() or ""] = message.headers()
                return len(found) == 2

            wait_until(look, "record and notice are read")
        finally:
            reader.close()
        assert list(found.values()) == [None, None]


def test_without_an_endpoint_the_bus_imports_nothing_of_it() -> None:
    ours = "exchange.spans", "consumers.standing.traces", "consumers.dispatcher.traces", "opentelemetry.exporter"
    code = (
        "import sys, consumers.standing.run, consumers.dispatcher.run, producers.publisher, producers.gateway.run, deploy.cli.run\n"
        "from exchange.settings import Settings; from exchange.tracing import open_tracing\n"
        "assert open_tracing(Settings()) is None\n"
        f"print([name for name in sys.modules if name.startswith({ours})])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", "redis-py and FastAPI look for the packages by themselves"


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange.spans", None)
    with pytest.raises(RequestError, match=r"not installed") as failure:
        open_tracing(Settings(tracing_endpoint="http://nowhere.test/v1/traces"))
    assert failure.value.code == "no_tracing"
