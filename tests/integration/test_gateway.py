"""The gateway on the real servers: every record type in every form, what is wrong named, who may come in, limits."""

import gzip
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from exchange.catalogue import RECORD_TYPES
from exchange.settings import Settings
from tests.producing import Departments
from tests.submitting import (
    FIN,
    TAX,
    Example,
    GatewayServer,
    Submitter,
    container,
    documents,
    examples,
    key_of,
    lines,
    listing,
    serving,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
EXAMPLES = examples(RECORD_TYPES)
NDJSON, AVRO = "application/x-ndjson", "application/avro"


@pytest.fixture(scope="module")
def settings(new_bus: Any) -> Settings:
    changes = {
        "partitions": 2,
        "gateway_batch_records": 3000,
        "gateway_json_bytes": 2**20,
        "gateway_body_bytes": 4 * 2**20,
    }
    made: Settings = new_bus().model_copy(update=changes)
    return made


@pytest.fixture(scope="module")
def bus(settings: Settings) -> Departments:
    return Departments(settings, {example.record["department"] for example in EXAMPLES} | {TAX, FIN})


@pytest.fixture(scope="module")
def server(settings: Settings, bus: Departments) -> Iterator[GatewayServer]:
    with serving(settings) as running:
        yield running


@pytest.fixture(scope="module")
def tax(server: GatewayServer) -> Submitter:
    return server.client(TAX)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.record_type)
def test_every_record_type_arrives_as_json_and_as_avro(
    server: GatewayServer, bus: Departments, example: Example
) -> None:
    department = example.record["department"]
    client = server.client(department)
    contained = container(bus.codec, example.record_type, bus.codec.decode(example.raw)[1])
    for body, media_type in (
        (example.record | {"type": example.record_type}, "application/json"),
        (lines(example.record | {"type": example.record_type}), NDJSON),
        (example.raw, AVRO), (contained, "application/vnd.apache.avro"),
    ):  # fmt: skip
        answer = client.submit(body, media_type)
        assert answer.status == 200, answer.body
        (result,) = answer.body["results"]
        place = (result["partition"], result["offset"])
        (key, found), *_ = [(key, record) for key, record, *where in bus.published(department) if tuple(where) == place]
        assert (key, found) == (
            example.record["subject"],
            bus.codec.decode(example.raw)[1] | {"type": example.record_type},
        )
        assert result["document"] == example.record["document"]


def test_a_batch_says_of_each_row_what_became_of_it(bus: Departments, tax: Submitter, server: GatewayServer) -> None:
    bad = listing(2, decided_on="2026-13-01", serious="yes", list_code="tax", colour="red")
    wrong_rules = listing(3, list_code="tax", revision=0, document="")
    answer = tax.submit([listing(1001), bad, wrong_rules, 7, {"type": "nothing"}, {"subject": "x"}, listing(1002)])
    assert (answer.status, answer.body["accepted"], answer.body["refused"]) == (207, 2, 5)
    statuses = [result["status"] for result in answer.body["results"]]
    assert statuses == ["accepted", "refused", "refused", "refused", "refused", "refused", "accepted"]
    reasons = [{(one["field"], one["code"]) for one in result.get("reasons", ())} for result in answer.body["results"]]
    assert reasons[1] == {("decided_on", "bad_date")}, "form first"
    assert reasons[2] == {
        ("list_code", "bad_list_code"),
        ("revision", "number_out_of_range"),
        ("document", "empty_field"),
    }
    assert reasons[3:6] == [{("", "wrong_type")}, {("type", "unknown_symbol")}, {("type", "missing_field")}]
    (date,) = answer.body["results"][1]["reasons"]
    assert (date["value"], date["rule"]) == ("2026-13-01", "a day such as 2026-01-31")
    assert server.value("refused_total", department=TAX, reason="bad_date") >= 1
    where = {(one["partition"], one["offset"]) for one in answer.body["results"] if one["status"] == "accepted"}
    assert where <= {place[1:] for place in documents(bus, TAX)}


def test_one_bad_record_is_a_problem_with_every_reason(tax: Submitter) -> None:
    answer = tax.submit(listing(1, serious="yes", colour="red"))
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.body["code"] == "rejected"
    (result,) = answer.body["results"]
    assert {(one["field"], one["code"]) for one in result["reasons"]} == {
        ("serious", "wrong_type"),
        ("colour", "unknown_field"),
    }


def test_a_department_publishes_its_own_records_and_those_that_it_may(tax: Submitter, server: GatewayServer) -> None:
    def reasons(answer: Any) -> set[tuple[str, str]]:
        return {(one["code"], one["value"]) for one in answer.body["results"][0]["reasons"]}

    other = tax.submit(listing(1, department="gd.fin"))
    assert (other.status, reasons(other)) == (422, {("wrong_department", "gd.fin")})
    registration = next(one for one in EXAMPLES if one.record_type == "registration")
    foreign = tax.submit(registration.raw, AVRO)
    assert reasons(foreign) == {("type_not_granted", "registration"), ("wrong_department", "gd.amr")}
    own = tax.submit({**registration.record, "type": "registration", "department": TAX})
    assert reasons(own) == {("type_not_granted", "registration")}
    classified = tax.submit(listing(1, classification="CLASSIFIED"))
    assert reasons(classified) == {("classified", "")}
    in_clear = tax.submit(listing(1, basis="当事人440000190001010019"))
    assert reasons(in_clear) == {("citizen_id_in_clear", "")}
    made_by_bus = server.client(FIN).submit({"type": "notice"})
    assert made_by_bus.body["results"][0]["reasons"][0]["code"] == "unknown_symbol"


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"", "application/json", 422, "rejected"), (b"[]", "application/json", 400, "bad_body"), (b"[1,", "application/json", 400, "bad_body"),
        (b"[" * 200_000, "application/json", 400, "bad_body"), (b'{"a":' * 100_000, "application/json", 422, "rejected"),
        (b"\n \n", NDJSON, 400, "bad_body"), (b"\xff\xfe", NDJSON, 422, "rejected"), (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"), (b"", AVRO, 422, "rejected"), (b"\0\0\0\0\1x", AVRO, 422, "rejected"),
        (b"Obj\x01", AVRO, 400, "bad_container"), (b"Obj\x01" + b"\xff" * 100, AVRO, 400, "bad_container"),
    ],
)  # fmt: skip
def test_bodies_that_are_not_right(tax: Submitter, body: bytes, media_type: str, status: int, code: str) -> None:
    answer = tax.submit(body, media_type)
    assert (answer.status, answer.body["code"], answer.headers["content-type"]) == (
        status,
        code,
        "application/problem+json",
    )


def test_containers_of_other_schemas_and_codecs_and_cut_ones(
    tax: Submitter, server: GatewayServer, bus: Departments
) -> None:
    record = bus.codec.decode(next(one for one in EXAMPLES if one.record_type == "listing").raw)[1]
    packed = container(bus.codec, "listing", record, packed="deflate")
    out = io.BytesIO()
    fastavro.writer(
        out,
        {"type": "record", "name": "Bomb", "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}]},
        [{"a": [None] * 9}],
    )
    for wrong in (packed, out.getvalue()):
        assert tax.submit(wrong, AVRO).body["code"] == "bad_container"
    whole = container(bus.codec, "listing", record, record)
    spoiled = server.client("gd.hrss").submit(whole[:-30] + b"\xff" * 14 + whole[-16:], AVRO)
    assert (spoiled.status, [one["status"] for one in spoiled.body["results"]]) == (207, ["accepted", "refused"])
    assert spoiled.body["results"][1]["reasons"][0]["code"] == "undecodable"
    assert tax.submit(whole[:-20], AVRO).body["code"] == "bad_container"


def test_many_lines_at_once_and_too_many(tax: Submitter, server: GatewayServer, bus: Departments) -> None:
    client = server.client("gd.amr")
    body = lines(*(listing(number, list_code="ABN", revision=number) for number in range(1, 2501)))
    packed = client.submit(gzip.compress(body), NDJSON, Content_Encoding="gzip")
    assert (packed.status, packed.body["accepted"]) == (200, 2500), packed.body
    assert len({(one["partition"], one["offset"]) for one in packed.body["results"]}) == 2500
    before = len(documents(bus, TAX))
    too_many = tax.submit(b"{}\n" * 3001, NDJSON)
    assert (too_many.status, too_many.body["code"]) == (413, "too_many_rows")
    long = tax.submit(lines(listing(1)) + b'{"a":"' + b"x" * 2_200_000 + b'"}\n' + lines(listing(2)), NDJSON)
    assert [one["status"] for one in long.body["results"]] == ["accepted", "refused", "accepted"]
    assert long.body["results"][1]["reasons"][0]["code"] == "message_too_large"
    assert len(documents(bus, TAX)) == before + 2


def test_oversize_bodies_and_bombs_are_refused(tax: Submitter, server: GatewayServer) -> None:
    assert tax.submit(b" " * (2**20 + 1)).body["code"] == "too_large", "JSON is held whole"
    assert tax.submit(b" " * (5 * 2**20), NDJSON).status == 413, "by its stated length"
    bomb = gzip.compress(b" " * 500_000_000, 9)
    assert len(bomb) < 600_000
    answer = tax.submit(bomb, NDJSON, Content_Encoding="gzip")
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    nested = tax.submit(gzip.compress(bomb), NDJSON, Content_Encoding="gzip")
    assert nested.status == 422, "what is in it is not unpacked again"
    for wrong, code in (
        (b"no gzip", "bad_gzip"),
        (gzip.compress(lines(listing(1)))[:-9], "bad_gzip"),
        (b"", "bad_gzip"),
    ):
        assert tax.submit(wrong, NDJSON, Content_Encoding="gzip").body["code"] == code
    assert tax.submit(b"x", NDJSON, Content_Encoding="br").body["code"] == "unsupported_encoding"
    two = gzip.compress(lines(listing(1))) + gzip.compress(lines(listing(2)))
    assert tax.submit(two, NDJSON, Content_Encoding="gzip").body["accepted"] == 2


def test_the_same_request_again_gets_the_same_answer(tax: Submitter, server: GatewayServer, bus: Departments) -> None:
    first = tax.submit([listing(71), listing(72, serious="x")], Idempotency_Key='"a-key"')
    before = len(documents(bus, TAX))
    again = tax.submit([listing(71), listing(72, serious="x")], Idempotency_Key="a-key")
    assert (again.status, again.body) == (first.status, first.body) == (207, again.body)
    assert (again.headers["idempotent-replayed"], "idempotent-replayed" in first.headers) == ("true", False)
    assert len(documents(bus, TAX)) == before
    other = tax.submit([listing(73)], Idempotency_Key="a-key")
    assert (other.status, other.body["code"]) == (422, "key_reused")
    amr = server.client("gd.amr").submit(listing(74, list_code="ABN"), Idempotency_Key="a-key")
    assert amr.status == 200, "keys are each department's own"
    for wrong in ('""', "", '"' + "x" * 256 + '"', 'a"b'):
        assert tax.submit(listing(75), Idempotency_Key=wrong).body["code"] == "bad_idempotency_key"


def test_the_same_request_twice_at_a_time_is_published_once(server: GatewayServer, bus: Departments) -> None:
    body = lines(*(listing(number) for number in range(6000, 8000)))
    client, answers = server.client(TAX), []

    def post() -> None:
        answers.append(client.submit(body, NDJSON, Idempotency_Key="twins"))

    twins = [threading.Thread(target=post) for _ in range(3)]
    for one in twins:
        one.start()
    for one in twins:
        one.join(60)
    statuses = sorted(answer.status for answer in answers)
    assert (statuses[0], set(statuses) <= {200, 409}) == (200, True)
    assert all(answer.status == 200 or answer.body["code"] == "in_flight" for answer in answers)
    found = [document for document, _, _ in documents(bus, TAX)]
    assert all(found.count(listing(number)["document"]) == 1 for number in (6000, 6999, 7999))


def test_a_refused_request_is_refused_again(tax: Submitter) -> None:
    answers = [tax.submit(listing(76, serious=1), Idempotency_Key="refused") for _ in range(2)]
    assert [one.status for one in answers] == [422, 422]
    assert answers[0].body == answers[1].body
    assert answers[1].headers["content-type"] == "application/problem+json"


def test_without_a_good_key_nobody_comes_in(server: GatewayServer) -> None:
    for secret in ("cbk_x", "x.y.z", "密"[:0]):
        answer = Submitter(server.url, secret).submit(listing(1))
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert Submitter(server.url, "x").get("/v1/records/t/0/0").status == 401


def test_what_became_of_a_record_is_its_departments_alone(tax: Submitter, server: GatewayServer) -> None:
    (result,) = tax.submit(listing(81)).body["results"]
    path = f"/v1/records/{result['topic']}/{result['partition']}"
    answer = tax.get(f"{path}/{result['offset']}")
    assert answer.status == 200, answer.body
    assert answer.body == {
        "topic": result["topic"], "partition": result["partition"], "offset": result["offset"], "type": "listing",
        "document": "粤税失信〔2026〕81号", "revision": 1, "status": "pending",
    }  # fmt: skip
    foreign = server.client(FIN).get(f"{path}/{result['offset']}")
    assert (foreign.status, foreign.body["code"]) == (403, "foreign_topic")
    for place in (f"{path}/999999", f"/v1/records/{result['topic']}/99/0"):
        assert (tax.get(place).status, tax.get(place).body["code"]) == (404, "unknown_record")
    for place in (f"{path}/-1", f"{path}/x", f"{path}/{2**63}"):
        assert tax.get(place).status == 400


def test_it_documents_itself_without_other_hosts(tax: Submitter) -> None:
    openapi = tax.get("/openapi.json").body
    content = openapi["paths"]["/v1/records"]["post"]["requestBody"]["content"]
    assert set(content["application/json"]["examples"]) == RECORD_TYPES | {"batch"}
    assert {NDJSON, AVRO, "application/vnd.apache.avro"} <= set(content)
    page = tax.get("/docs").body
    assert "报送信息" in page
    assert "://" not in page
    types = tax.get("/v1/schemas").body["types"]
    assert {one["type"] for one in types} == RECORD_TYPES
    penalty = tax.get("/v1/schemas/penalty").body
    assert penalty["json_schema"]["properties"]["fine_yuan"]["title"].startswith("罚款金额")
    assert "department" not in penalty["json_schema"]["required"]
    assert (penalty["schema_id"], penalty["example"]["type"], penalty["avro"]["name"]) == (
        penalty["schema_id"],
        "penalty",
        "Penalty",
    )
    assert tax.get("/v1/schemas/notice").status == 404
    assert tax.get("/health").body == {"status": "ok"}


def test_a_department_that_sends_too_fast_is_told_when_to_come_back(settings: Settings, bus: Departments) -> None:
    slow = settings.model_copy(update={"gateway_records_per_second": 0.5, "gateway_burst_records": 4})
    with serving(slow) as server:
        client, other = server.client("gd.hrss"), server.client("gd.court")
        first = client.submit([{"type": "x"}] * 3)
        assert first.headers["ratelimit-policy"] == '"records";q=4;w=8'
        assert first.headers["ratelimit"].startswith('"records";r=1;t=')
        assert client.submit([{"type": "x"}] * 3).status == 422, (
            "a batch may go beyond what is left, and is paid for afterwards"
        )
        answer = client.submit(listing(1))
        assert (answer.status, answer.body["code"]) == (429, "too_many_records")
        assert 4 <= int(answer.headers["retry-after"]) <= 6
        assert answer.headers["ratelimit"].startswith('"records";r=0;t=')
        assert other.submit({"type": "x"}).status == 422, "others have their own"
        assert server.value("turned_away_total", department="gd.hrss", why="rate") == 1


def test_so_many_requests_at_a_time(settings: Settings, bus: Departments) -> None:
    few = settings.model_copy(
        update={"gateway_requests": 2, "gateway_department_requests": 1, "gateway_body_seconds": 1.5}
    )
    with serving(few) as server:
        slow = [Slow(server, TAX), Slow(server, FIN)]
        wait_until(lambda: server.value("under_way") == 2)
        own = server.client(TAX).submit(listing(1))
        assert (own.status, own.body["code"], own.headers["retry-after"]) == (429, "too_many_requests", "1")
        other = server.client("gd.amr").submit(listing(1))
        assert (other.status, other.body["code"]) == (503, "busy")
        for one in slow:
            one.join(10)
            assert one.status == 408, "whoever does not send is sent away"
        wait_until(lambda: server.value("under_way") == 0)
        assert server.client(TAX).submit(listing(1)).status == 200


class Slow(threading.Thread):
    """A client that says more than it sends."""

    def __init__(self, server: GatewayServer, department: str) -> None:
        super().__init__(daemon=True)
        self._client = server.client(department)
        self.status = 0
        self.start()

    def run(self) -> None:
        connection = self._client.connect()
        connection.putrequest("POST", "/v1/records")
        for name, value in self._client.headers(
            **{"Content-Type": "application/json", "Content-Length": "1000"}
        ).items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(b'{"type"')
        self.status = connection.getresponse().status
        connection.close()


def test_a_body_that_is_cut_off_publishes_nothing(server: GatewayServer, bus: Departments) -> None:
    client = server.client(TAX)
    before = len(documents(bus, TAX))
    connection = client.connect()
    connection.putrequest("POST", "/v1/records")
    for name, value in client.headers(**{"Content-Type": NDJSON, "Content-Length": "100000"}).items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(lines(listing(91), listing(92)))
    wait_until(lambda: server.value("under_way") == 1)
    connection.close()
    wait_until(lambda: server.value("under_way") == 0)
    assert len(documents(bus, TAX)) == before


def test_requests_are_counted(server: GatewayServer, tax: Submitter) -> None:
    before = server.value("requests_total", route="/v1/records", status="200")
    assert tax.submit(listing(95)).status == 200
    wait_until(lambda: server.value("requests_total", route="/v1/records", status="200") == before + 1)
    assert server.value("records_total", department=TAX, record_type="listing", status="accepted") >= 1
    assert server.value("publish_seconds_count") >= 1


def test_a_revoked_key_is_worth_nothing_at_once(server: GatewayServer, settings: Settings) -> None:
    from datetime import UTC, datetime

    from exchange.api_keys import RedisKeys, recognise, revoke
    from exchange.redis_client import connect

    secret = key_of(settings, TAX)
    assert Submitter(server.url, secret).submit(listing(96)).status == 200
    with connect(settings.redis) as client:
        key = recognise(RedisKeys(client), secret)
        assert key is not None
        revoke(RedisKeys(client), key.id, datetime.now(UTC))
    assert Submitter(server.url, secret).submit(listing(96)).body["code"] == "wrong_key"
    assert json.dumps(secret) not in repr(server.metrics)
