"""The gateway killed at each step, without Kafka, without Redis, told to end: nothing is lost silently, nothing counts twice."""

import http.client
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.settings import Settings
from tests.conftest import RunningStack
from tests.e2e.bus import LiveBus, live_bus
from tests.producing import Departments
from tests.pulling import Answer, ServerProcess, free_port
from tests.submitting import TAX, Submitter, documents, key_of, lines, listing, serving
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
GATEWAY = ("-m", "deploy.cli.main", "run", "gateway")


@pytest.fixture
def settings(bus_settings: Settings) -> Settings:
    return Settings(
        kafka=bus_settings.kafka, redis=bus_settings.redis, topic_prefix=bus_settings.topic_prefix, partitions=2
    )  # fmt: skip


def dying(settings: Settings, port: int, step: str) -> ServerProcess:
    return ServerProcess(settings, port, ("-m", "tests.faults.gateway_main", step, "1"))


def retried(client: Submitter, body: object, key: str) -> tuple[Answer, set[str]]:
    """The request until it is not under way any more; the codes of the answers before."""
    codes: set[str] = set()
    answers: list[Answer] = []

    def is_done() -> bool:
        answers.append(client.submit(body, Idempotency_Key=key))
        if answers[-1].status != 409:
            return True
        codes.add(answers[-1].body["code"])
        return False

    wait_until(is_done)
    return answers[-1], codes


@pytest.mark.parametrize(("step", "messages"), [("claimed", 1), ("published", 2), ("kept", 1)])
def test_killed_at_a_step_a_repeat_does_no_harm(settings: Settings, tmp_path: Path, step: str, messages: int) -> None:
    with live_bus(settings, tmp_path, f"{datetime.now(UTC):%Y-%m-%d}") as bus:
        port = free_port()
        server = dying(settings, port, step)
        client = Submitter(server.url, key_of(settings, TAX))
        with pytest.raises((OSError, http.client.HTTPException)):
            client.submit(listing(1), Idempotency_Key="k")
        server.process.communicate()
        server = dying(settings, port, "never")
        answer, codes = retried(client, listing(1), "k")
        assert answer.status == 200, answer.body
        assert codes <= ({"in_flight"} if step != "kept" else set())
        assert ("idempotent-replayed" in answer.headers) == (step == "kept")
        assert len(documents(Departments(settings, (TAX,)), TAX)) == messages
        assert_counts_once(bus, client, answer)
        server.kill()


def assert_counts_once(bus: LiveBus, client: Submitter, answer: Answer) -> None:
    (result,) = answer.body["results"]
    path = f"/v1/records/{result['topic']}/{result['partition']}/{result['offset']}"
    wait_until(lambda: client.get(path).body["status"] == "accepted", "the record's fate")
    _, _, entries, _ = bus.picture(listing(1)["subject"])
    assert len(entries) == 1


def test_a_record_that_the_processor_rejects_says_why(settings: Settings, tmp_path: Path) -> None:
    with live_bus(settings, tmp_path, f"{datetime.now(UTC):%Y-%m-%d}"), serving(settings) as server:
        client = server.client(TAX)
        answer = client.submit([listing(1), listing(2, list_code="ABN"), listing(3)])
        assert answer.status == 200, "who may list on what is the policy's, which the processor knows"
        statuses = {}
        for result in answer.body["results"]:
            path = f"/v1/records/{result['topic']}/{result['partition']}/{result['offset']}"
            wait_until(lambda path=path: client.get(path).body["status"] != "pending")  # type: ignore[misc]
            statuses[result["document"]] = client.get(path).body
        assert [one["status"] for one in statuses.values()] == ["accepted", "rejected", "accepted"]
        (reason,) = statuses["粤税失信〔2026〕2号"]["reasons"]
        assert (reason["code"], reason["field"], reason["value"]) == ("not_the_authority", "list_code", "ABN")


def test_without_kafka_it_says_so_and_afterwards_the_same_request_arrives(
    settings: Settings, stack: RunningStack
) -> None:
    bus = Departments(settings, (TAX,))
    impatient = settings.model_copy(update={"delivery_timeout_seconds": 3.0, "publish_wait_seconds": 1.0})
    with serving(impatient) as server:
        client = server.client(TAX)
        wait_until(lambda: client.submit(listing(1)).status == 200, "leaders are known")
        stack.kafka.kill()
        try:
            started = time.monotonic()
            answer = client.submit([listing(2), listing(3, serious="x"), listing(4)], Idempotency_Key="k")
            assert time.monotonic() - started < 15
            assert (answer.status, answer.body["unconfirmed"], answer.body["refused"]) == (207, 2, 1)
            assert int(answer.headers["retry-after"]) > 0
            alone = client.submit(listing(5), Idempotency_Key="alone")
            assert (alone.status, alone.headers["content-type"]) == (503, "application/problem+json")
            assert client.get("/health").status == 503
            many = client.submit(lines(*(listing(number) for number in range(10, 3010))), "application/x-ndjson")
            assert (many.status, many.body["unconfirmed"]) == (503, 3000), "told in bounded time, all of them"
            assert time.monotonic() - started < 40
        finally:
            stack.kafka.start()
        again = [client.submit(listing(5), Idempotency_Key="alone").status]

        def arrives() -> bool:
            again.append(client.submit(listing(5), Idempotency_Key="alone").status)
            return again[-1] == 200

        wait_until(arrives)
        assert listing(5)["document"] in {document for document, _, _ in documents(bus, TAX)}


def test_without_redis_nobody_comes_in_and_afterwards_everybody(settings: Settings, stack: RunningStack) -> None:
    Departments(settings, (TAX,))
    with serving(settings) as server:
        client = server.client(TAX)
        assert client.submit(listing(1)).status == 200
        stack.valkey.stop()
        try:
            answer = client.submit(listing(2))
            assert (answer.status, answer.body["code"]) == (503, "redis_unavailable")
            assert client.get("/health").status == 503
        finally:
            stack.valkey.start()
        wait_until(lambda: client.submit(listing(2)).status == 200)


def test_sigterm_finishes_what_is_under_way(settings: Settings) -> None:
    bus = Departments(settings, (TAX,))
    server = ServerProcess(settings, free_port(), GATEWAY)
    client = Submitter(server.url, key_of(settings, TAX))
    answers: list[Answer] = []
    body = lines(*(listing(number) for number in range(8000)))
    posting = threading.Thread(target=lambda: answers.append(client.submit(body, "application/x-ndjson")))
    posting.start()
    wait_until(lambda: len(documents(bus, TAX)) > 10)
    code, out = server.end()
    posting.join(20)
    assert (code, "Traceback" in out) == (0, False), out
    assert (answers[0].status, answers[0].body["accepted"]) == (200, 8000)
    assert len(documents(bus, TAX)) == 8000
