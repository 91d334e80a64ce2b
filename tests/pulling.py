"""What tests of the pull channels share: notices put on departments' topics by hand, the server, and a client of it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from confluent_kafka import Producer

from consumers.inbox_http.run import InboxHttp
from deploy.outbound import Publishers
from exchange.api_keys import RedisKeys, issue
from exchange.domain.synthetic import synthetic_uscc
from exchange.metrics import InboxHttpMetrics
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.topics import Topics
from tests.conftest import environment_of
from tests.producing import Departments

FIN, TAX = "gd.fin", "gd.tax"


def firm(number: int) -> str:
    return f"org:{synthetic_uscc(number)}"


class NoticeBoard(Departments):
    """The out topics of some departments, written by hand."""

    def __init__(self, settings: Settings, slugs: tuple[str, ...] = (FIN, TAX)) -> None:
        super().__init__(settings, slugs)
        self._producer = Producer({**settings.kafka.config(), "partitioner": "murmur2_random", "linger.ms": 0})
        self._keys = RedisKeys(connect(settings.redis))

    def key(self, department: str) -> str:
        """A new API key."""
        return issue(self._keys, department, "test", datetime.now(UTC))[0]

    def put(self, department: str, *notices: dict[str, Any]) -> list[str]:
        """Put notices on a department's topic; their ids."""
        topic = Topics(self.settings.topic_prefix).out_of(department)
        for one in notices:
            raw = self.codec.encode("notice", one | {"department": department})
            self._producer.produce(topic, raw, one["subject"].encode())
        assert self._producer.flush(30) == 0
        return [one["id"] for one in notices]


def notice(number: int, n: int = 1, *measures: str, **changes: Any) -> dict[str, Any]:
    """The n-th notice about the firm of a number, with the measures in force."""
    listing = {"list_code": "TAX", "department": "gd.tax", "document": f"粤税失信〔2026〕{number}号", "decided_on": date(2026, 5, 20)}  # fmt: skip
    return {
        "id": f"{number:08x}{n:08x}", "subject": firm(number), "subject_name": f"合成第{number:05d}号有限公司", "department": FIN,
        "epoch": 0, "n": n, "issued_at": datetime.now(UTC), "cause": {}, "changes": [{"measure": one, "action": "IMPOSED"} for one in measures],
        "measures": [
            {"measure": one, "listings": [listing], "respond_by": date(2026, 5, 27), "basis": "《中华人民共和国政府采购法》第二十二条"} for one in measures
        ],
        "policy_version": "test", **changes,
    }  # fmt: skip


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    body: Any
    headers: dict[str, str]


class Client:
    """A department's program that speaks HTTP."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._key = key

    def connect(self, timeout: float = 40.0) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """One request; what it answers, from JSON."""
        connection = self.connect()
        raw = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        try:
            connection.request(method, f"{path}?{urlencode(query)}", raw, headers or self.headers())
            response = connection.getresponse()
            text = response.read()
            found = json.loads(text) if "json" in (response.headers["Content-Type"] or "") else text.decode()
            return Answer(response.status, found, dict(response.headers))
        finally:
            connection.close()

    def get(self, path: str, **query: Any) -> Answer:
        return self.ask("GET", path, **query)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, body)

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} | more

    def page(self, **query: Any) -> dict[str, Any]:
        """A page of notices."""
        status, body, _ = self.get("/v1/notices", **query)
        assert status == 200, body
        assert isinstance(body, dict)
        return body

    @contextmanager
    def stream(self, last_event_id: str = "", **query: Any) -> Iterator[Iterator[tuple[str, str, Any]]]:
        """Events as (name, id, data) until the stream is cut."""
        connection = self.connect()
        headers = self.headers() | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        connection.request("GET", f"/v1/notices/stream?{urlencode(query)}", headers=headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        try:
            yield _events(response)
        finally:
            response.close()
            connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    while True:
        try:
            line = response.readline().decode().rstrip("\n")
        except (http.client.HTTPException, OSError):
            return
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
            fields = {}
        elif not fields:
            return  # end of the stream
        else:
            fields = {}


def ids(page: dict[str, Any]) -> list[str]:
    return [one["id"] for one in page["notices"]]


class HttpServer(NamedTuple):
    """The inbox in a thread of this process."""

    url: str
    metrics: InboxHttpMetrics
    inbox: InboxHttp


@contextmanager
def serving(settings: Settings) -> Iterator[HttpServer]:
    """The inbox over HTTP in a thread of this process, on a port of its own."""
    settings = settings.model_copy(update={"inbox_port": 0})
    metrics = InboxHttpMetrics()
    client = connect(settings.redis)
    with Publishers(settings) as publishers:
        inbox = InboxHttp(settings, RedisKeys(client), publishers, metrics)
        thread = threading.Thread(target=inbox.run, name="inbox")
        thread.start()
        await_port(inbox.url)
        try:
            yield HttpServer(inbox.url, metrics, inbox)
        finally:
            inbox.stop()
            thread.join(20)
            assert not thread.is_alive(), "the server does not end"
    client.close()


class ServerProcess:
    """A server such as `creditbus run inbox` in a process of its own."""

    def __init__(
        self, settings: Settings, port: int, command: tuple[str, ...] = ("-m", "deploy.cli.main", "run", "inbox")
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        ports = {"CREDITBUS_INBOX_PORT": str(port), "CREDITBUS_GATEWAY_PORT": str(port)}
        self._environment = environment_of(settings) | ports
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *self._command],
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        await_port(self.url)
        return process

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def restart(self) -> None:
        self.process = self._start()

    def end(self) -> tuple[int, str]:
        """SIGTERM; the exit code and all it said."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def await_port(url: str) -> None:
    parts = urlsplit(url)
    give_up_at = time.monotonic() + 90
    while True:
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), 1).close()
        except OSError:
            assert time.monotonic() < give_up_at, f"{url} does not answer"
            time.sleep(0.05)
        else:
            return


def run_command(settings: Settings, *arguments: str) -> tuple[int, str, str]:
    """A command of the command line; exit code, stdout, stderr."""
    command = [sys.executable, "-m", "deploy.cli.main", *arguments]
    environment = environment_of(settings) | {"COLUMNS": "200", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr
