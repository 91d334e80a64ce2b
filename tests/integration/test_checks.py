"""Checks on the real servers: the API, the pages, files, decisions that become feedback, Redis away."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from exchange.access_log import STREAM
from exchange.domain.access import Act
from exchange.domain.synthetic import synthetic_citizen_id
from exchange.pseudonym import PersonKeys, person_subject
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.checking import FIN, Served, firm, listing, put_standings, registration, serving, was_told
from tests.conftest import RunningStack
from tests.portal import CODEC
from tests.producing import PERSON_KEYS, Departments
from tests.pulling import Answer
from tests.waiting import wait_until

LISTED, CLEAR = firm(1), firm(2)
OLDER, OLDEST = "449999000000008", "PDY00001X"
PERSON_ID = synthetic_citizen_id(7)
PERSON = str(person_subject(PERSON_ID, PersonKeys.parse(PERSON_KEYS)))
MATTER = "government_procurement"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
pytestmark = pytest.mark.servers


@pytest.fixture
def served(bus_settings: Settings) -> Iterator[Served]:
    Departments(bus_settings, (FIN,))
    records = [
        registration(LISTED, aliases=[{"kind": "REGISTRATION_NUMBER", "code": OLDER}]),
        registration(f"reg:{OLDER}", aliases=[{"kind": "ORGANISATION_CODE", "code": OLDEST}]),
        listing(LISTED, 3), registration(CLEAR), listing(PERSON, 4),
    ]  # fmt: skip
    put_standings(bus_settings, records, was_told(FIN, "procurement_ban", 7))
    with serving(bus_settings) as portal:
        yield portal


def post_form(served: Served, path: str, **fields: str) -> Answer:
    return served.client.ask("POST", path, urlencode(fields), served.client.headers() | FORM)


def upload(served: Served, content: bytes, name: str = "a.csv") -> Answer:
    boundary = "x" * 20
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="matter"\r\n\r\n{MATTER}\r\n'.encode()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
    headers = served.client.headers() | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return served.client.ask("POST", "/checks/files", body, headers)


class TestApi:
    def test_one_subject_by_code(self, served: Served) -> None:
        status, found, headers = served.client.post("/v1/checks", {"uscc": LISTED[4:].lower(), "matter": MATTER})
        assert (status, headers["cache-control"], found["subject"], found["answer"]) == (
            200,
            "no-store",
            LISTED,
            "refuse",
        )
        ground = found["grounds"][0]
        assert (ground["department"], ground["decided_by"], ground["document"]) == (
            FIN,
            "gd.tax",
            "粤税失信〔2026〕3号",
        )
        assert ground["basis"]
        assert found["data_as_of"] == "2026-05-28T20:26:40+00:00"
        assert "不予办理" in found["explanation"]["zh"]
        assert served.client.get(f"/v1/checks/{found['id']}").body == found

    def test_clear_and_unknown(self, served: Served) -> None:
        clear = served.client.post("/v1/checks", {"subject": CLEAR, "matter": MATTER}).body
        unknown = served.client.post("/v1/checks", {"subject": firm(3), "matter": MATTER}).body
        assert (clear["answer"], clear["known"], unknown["answer"], unknown["known"]) == ("clear", True, "clear", False)

    def test_an_older_code_of_an_older_code_leads_to_the_firm(self, served: Served) -> None:
        asked = [{"subject": subject, "matter": MATTER} for subject in (f"reg:{OLDER}", f"orgcode:{OLDEST}")]
        found = [served.client.post("/v1/checks", one).body for one in asked]
        assert [(one["subject"], one["answer"]) for one in found] == [(LISTED, "refuse")] * 2

    def test_a_wrong_code_names_field_value_and_rule(self, served: Served) -> None:
        status, found, _ = served.client.post("/v1/checks", {"uscc": "91440300PDY00001X4", "matter": MATTER})
        assert (status, found["reasons"][0]["code"], found["reasons"][0]["field"]) == (422, "uscc_check_digit", "uscc")

    def test_a_batch_answers_the_rest(self, served: Served) -> None:
        status, found, _ = served.client.post(
            "/v1/checks", {"subjects": [LISTED, "bad", CLEAR, LISTED], "matter": MATTER}
        )
        assert status == 200
        assert [one.get("answer") for one in found["results"]] == ["refuse", None, "clear", "refuse"]
        assert found["results"][1]["error"]["code"] == "uscc_length"
        assert found["counts"] == {"refuse": 2, "error": 1, "clear": 1}

    def test_ten_thousand(self, served: Served) -> None:
        subjects = [firm(number) for number in range(1, 10_001)]
        status, found, _ = served.client.post("/v1/checks", {"subjects": subjects, "matter": MATTER})
        assert (status, found["counts"]) == (200, {"refuse": 1, "clear": 9_999})
        assert served.client.get(f"/v1/checks/{found['id']}").body == found

    @pytest.mark.parametrize("question", [{"subject": LISTED}, {"subjects": [LISTED, CLEAR]}])
    def test_the_same_key_gets_the_same_answer(self, served: Served, question: dict[str, Any]) -> None:
        headers = served.client.headers(**{"Idempotency-Key": "a-1"})
        body = question | {"matter": MATTER}
        first = served.client.ask("POST", "/v1/checks", body, headers)
        assert served.client.ask("POST", "/v1/checks", body, headers).body == first.body
        assert served.client.post("/v1/checks", body).body["id"] != first.body["id"]
        other = served.client.ask("POST", "/v1/checks", body | {"matter": "loan"}, headers)
        assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")

    def test_another_department_has_no_part_in_it(self, served: Served, bus_settings: Settings) -> None:
        found = served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER}).body
        with serving(bus_settings, "gd.tax") as others:
            assert others.client.get(f"/v1/checks/{found['id']}").status == 404
        assert (
            served.client.ask(
                "POST", "/v1/checks", {"subject": LISTED, "matter": MATTER}, {"Authorization": "Bearer cbk_wrong"}
            ).status
            == 401
        )

    def test_the_access_log_has_who_asked(self, served: Served, bus_settings: Settings) -> None:
        store = connect(bus_settings.redis)
        before: Any = store.xinfo_stream(STREAM) if store.exists(STREAM) else {"entries-added": 0}
        served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER})
        added: Any = store.xinfo_stream(STREAM)
        assert added["entries-added"] == before["entries-added"] + 1

    def test_redis_away_is_said(self, served: Served, stack: RunningStack) -> None:
        assert served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER}).status == 200
        stack.valkey.stop()
        try:
            status, found, headers = served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER})
            assert (status, found["code"]) == (503, "redis_away")
            assert headers["retry-after"]
        finally:
            stack.valkey.start()
        wait_until(lambda: served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER}).status == 200)

    def test_openapi_has_examples(self, served: Served) -> None:
        from consumers.portal.checks.api_words import BATCH_EXAMPLE, SINGLE_EXAMPLE

        single = served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER}).body
        batch = served.client.post("/v1/checks", {"subjects": [LISTED, "bad"], "matter": MATTER}).body
        assert set(single) == set(SINGLE_EXAMPLE)
        assert set(single["grounds"][0]) == set(SINGLE_EXAMPLE["grounds"][0])
        assert set(batch) == set(BATCH_EXAMPLE)
        assert set(batch["results"][1]["error"]) == set(BATCH_EXAMPLE["results"][1]["error"])


class TestDecisions:
    def test_a_refusal_is_fed_back(self, served: Served, bus_settings: Settings) -> None:
        departments = Departments(bus_settings, (FIN,))
        check_id = served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER}).body["id"]
        decision = {"decision": "refused", "document": "粤财采〔2026〕40号", "officer": "财采处-07"}
        status, recorded, _ = served.client.post(f"/v1/checks/{check_id}/decision", decision)
        assert (status, recorded["feedback"][0]["status"]) == (200, "accepted"), recorded
        ((key, record, _, _),) = departments.published(FIN)
        assert (key, record["state"], record["measure"]) == (LISTED, "EXECUTED", "procurement_ban")
        assert (record["epoch"], record["n"], record["evidence"]) == (0, 7, "粤财采〔2026〕40号")

    def test_granting_all_the_same_needs_the_legal_reason(self, served: Served) -> None:
        check_id = served.client.post("/v1/checks", {"subject": LISTED, "matter": MATTER}).body["id"]
        decision = {"decision": "granted", "document": "1", "officer": "2"}
        status, found, _ = served.client.post(f"/v1/checks/{check_id}/decision", decision)
        assert (status, found["reasons"][0]["code"]) == (422, "detail_missing")

    def test_where_no_measure_bears_nothing_is_fed_back(self, served: Served) -> None:
        check_id = served.client.post("/v1/checks", {"subjects": [CLEAR, LISTED], "matter": MATTER}).body["id"]
        decision = {"decision": "granted", "document": "1", "officer": "2"}
        assert served.client.post(f"/v1/checks/{check_id}/decision", decision).status == 404
        status, found, _ = served.client.post(f"/v1/checks/{check_id}/decision", decision | {"subject": CLEAR})
        assert (status, found["feedback"]) == (200, [])
        assert "不产生反馈" in found["zh"]


class TestPages:
    def test_the_officer_asks_sees_and_records(self, served: Served, bus_settings: Settings) -> None:
        departments = Departments(bus_settings, (FIN,))
        form = served.client.get("/checks").body
        assert 'name="csrf"' in form
        assert "政府采购" in form
        status, _, headers = post_form(served, "/checks", code=LISTED[4:], matter=MATTER)
        assert status == 303
        place = headers["location"]
        page = served.client.get(place).body
        for part in ("不予办理", "粤税失信〔2026〕3号", "怎么办", "本部门措施", LISTED[4:]):
            assert part in page
        assert "Refuse" in served.client.get(place, lang="en").body
        wrong = post_form(served, f"{place}/decision", decision="granted", document="1", officer="2")
        assert (wrong.status, "detail" in wrong.body) == (422, True)
        done = post_form(
            served, f"{place}/decision", decision="refused", document="粤财采〔2026〕41号", officer="财采处-07"
        )
        assert done.status == 303
        assert "已向总线反馈" in served.client.get(place).body
        assert [record["state"] for _, record, _, _ in departments.published(FIN)] == ["EXECUTED"]

    def test_a_wrong_code_is_said_where_it_was_typed(self, served: Served) -> None:
        status, page, _ = post_form(served, "/checks", code="91440300PDY00001X4", matter=MATTER)
        assert status == 422
        assert "uscc_check_digit" in page
        assert "91440300PDY00001X4" in page

    def test_a_person_is_checked_and_the_id_is_nowhere(
        self, served: Served, bus_settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        status, _, headers = post_form(served, "/checks/person", citizen_id=PERSON_ID, matter="office_holding")
        assert (status, PERSON_ID in headers["location"]) == (303, False)
        page = served.client.get(headers["location"]).body
        assert PERSON_ID not in page
        assert PERSON not in page
        wrong = post_form(served, "/checks/person", citizen_id=PERSON_ID[:-1] + "0", matter=MATTER)
        assert (wrong.status, PERSON_ID[:12] in wrong.body) == (422, False)
        assert PERSON_ID not in caplog.text
        store = connect(bus_settings.redis)
        assert not [key for key in store.scan_iter() if PERSON_ID.encode() in (store.dump(key) or b"") + key]

    def test_a_file_with_bad_rows(self, served: Served) -> None:
        text = f"统一社会信用代码\n{LISTED[4:]}\n坏的\n" + "".join(f"{firm(n)[4:]}\n" for n in range(2, 600))
        status, _, headers = upload(served, text.encode())
        assert status == 303, headers
        place = headers["location"]
        wait_until(lambda: "核查完成" in served.client.get(f"{place}/progress").body)
        page = served.client.get(place).body
        assert re.search(r"不予办理 1<.*未发现限制 598<|未发现限制 598<.*不予办理 1<", page, re.DOTALL)
        assert "代码有误 1" in page
        table = served.client.get(f"{place}/result.csv").body
        assert table.splitlines()[1].startswith(f"2,{LISTED[4:]},不予办理 refuse")
        assert "3,坏的,代码有误" in table
        assert served.client.ask("GET", f"{place}/result.pdf").status == 404

    def test_a_file_of_too_many_persons_is_refused_and_written_down(
        self, served: Served, bus_settings: Settings
    ) -> None:
        most = bus_settings.person_lookups_per_hour
        ids = [synthetic_citizen_id(number) for number in range(most + 1)]
        status, page, _ = upload(served, "\n".join(["公民身份号码", *ids]).encode())
        assert (status, "too_many_requests" in page) == (429, True)
        store = connect(bus_settings.redis)
        last: Any = store.xrevrange(STREAM, count=1)
        assert CODEC.decode(last[0][1][b"v"])[1]["act"] == Act.CHECK_FILE
        assert not list(store.scan_iter("{check}:job:*")), "nothing of it is checked"
        assert upload(served, "\n".join(["公民身份号码", *ids[1:]]).encode())[0] == 303, "those refused did not count"
        assert upload(served, f"公民身份号码\n{ids[0]}".encode())[0] == 429, "those checked do"
        assert upload(served, f"公民身份号码\n{ids[1]}".encode())[0] == 303, "one who was checked is not another"

    def test_a_file_that_is_none(self, served: Served) -> None:
        status, page, _ = upload(served, "名称\n甲\n".encode())
        assert (status, "no_code_column" in page) == (422, True)
