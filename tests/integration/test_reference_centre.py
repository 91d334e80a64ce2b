"""The trading centre: consortia, what does not apply, pushed notices with the official library, and a run on a real Kafka."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from exchange.settings import Settings
from exchange.topics import Topics
from tests.conftest import environment_of
from tests.departments import running
from tests.producing import Departments
from tests.pushing import (
    FIRM,
    FOREIGN_KEY,
    KEY,
    NEXT_KEY,
    OTHER,
    TOKEN,
    FeedbackInbox,
    encoded,
    event,
    get,
    in_force,
    lifted,
    notice,
    post,
    push,
    signed,
)
from tests.waiting import wait_until

COMMAND = ("-m", "deploy.cli.main", "run", "example-centre", "--listen", "127.0.0.1:0")
PERSON = "person:t1.0123456789abcdef0123456789abcdef"
LIMIT = in_force("bidding_limit", 1)
DEPARTMENT = "gd.prtc"


def test_pushed_notices_with_the_official_library(tmp_path: Path) -> None:
    files = []
    for name, text in (("token", TOKEN), ("old", KEY.secret_text), ("new", NEXT_KEY.secret_text)):
        files.append(tmp_path / name)
        files[-1].write_text(text)
    token, old, new = map(str, files)
    with FeedbackInbox().running() as inbox:
        options = ("--no-kafka", "--secret-file", old, "--secret-file", new, "--feedback", inbox.url)
        with running(*COMMAND, "--book", str(tmp_path / "book"), "--token-file", token, *options) as one:
            asked = f"{one.url}/may-bid?subject={OTHER}&subject={FIRM}"
            assert get(asked)[1]["answer"] == "clear"
            for n, keys in enumerate([(KEY,), (NEXT_KEY, KEY), (NEXT_KEY,)], 1):
                assert push(one.url, notice(n, LIMIT, to=DEPARTMENT), keys=keys) == (200, {"taken": "new"})
            good = event(notice(9, LIMIT, to=DEPARTMENT))
            headers = signed(good, notice(9, to=DEPARTMENT)["id"])
            for wrong in (
                signed(good, "another"),
                signed(good, notice(9, to=DEPARTMENT)["id"], keys=(FOREIGN_KEY,)),
                headers | {"webhook-signature": "v1"},
                headers | {"webhook-signature": "v1,???"},
            ):
                status, answer = post(f"{one.url}/notices", good, wrong)
                assert status in (400, 401), answer
            assert post(f"{one.url}/notices", b"\xff", headers)[0] == 401

            advice = get(asked)[1]
            assert advice["answer"] == "refuse", "a consortium is limited when any member is"
            assert [reason["subject"] for reason in advice["reasons"]] == [FIRM]
            assert get(f"{one.url}/may-bid?subject={OTHER}")[1]["answer"] == "clear"
            assert "不予办理" in get(asked, "text/html")[1]["text"]

            preferred = in_force("priority_processing", 1, "TAX-A")
            push(one.url, notice(1, preferred, subject=OTHER, to=DEPARTMENT))
            assert get(f"{one.url}/may-bid?subject={OTHER}")[1]["answer"] == "fast_track"
            push(one.url, notice(4, ended=(lifted("bidding_limit", 4),), to=DEPARTMENT))
            assert get(asked)[1]["answer"] == "clear", "fast track is for a consortium whose every member has it"
            wait_until(lambda: inbox.states("bidding_limit")[-1:] == [(3, "ENDED")])


@pytest.mark.servers
def test_a_run_on_kafka(bus_settings: Settings, tmp_path: Path) -> None:
    departments = Departments(bus_settings, [DEPARTMENT])
    topic = Topics(bus_settings.topic_prefix).out_of(DEPARTMENT)
    producer = Producer({**bus_settings.kafka.config(), "partitioner": "murmur2_random"})

    def put(*values: dict[str, object]) -> None:
        for value in values:
            producer.produce(topic, encoded(value), str(value["subject"]).encode())
        assert producer.flush(30) == 0

    def told() -> list[tuple[str, str, int]]:
        found = [record for _, record, _, _ in departments.published(DEPARTMENT)]
        assert all(record["type"] == "measure_feedback" for record in found)
        return sorted((one["subject"], one["state"], one["revision"]) for one in found)

    first, lift = notice(1, LIMIT, to=DEPARTMENT), notice(2, ended=(lifted("bidding_limit", 2),), to=DEPARTMENT)
    put(first, first, notice(1, LIMIT, to=DEPARTMENT, subject=PERSON, subject_name=""))
    command = (*COMMAND, "--book", str(tmp_path / "book"))
    environment = environment_of(bus_settings)
    with running(*command, environment=environment) as one:
        wait_until(lambda: get(f"{one.url}/health")[1]["feedback"]["sent"] == 4)
        assert get(f"{one.url}/may-bid?subject={FIRM}")[1]["answer"] == "refuse"
    expected = [
        (FIRM, "ACKNOWLEDGED", 1),
        (FIRM, "EXECUTED", 2),
        (PERSON, "ACKNOWLEDGED", 1),
        (PERSON, "NOT_APPLICABLE", 2),
    ]
    assert told() == expected

    put(first, lift)  # while it was away; the first comes once more
    with running(*command, environment=environment) as one:
        wait_until(lambda: get(f"{one.url}/health")[1]["feedback"]["sent"] == 5)
        wait_until(lambda: get(f"{one.url}/health")[1]["obligations"].get("notices_repeated") == 1)
        assert get(f"{one.url}/may-bid?subject={FIRM}")[1]["answer"] == "clear"
    assert told() == sorted([*expected, (FIRM, "ENDED", 3)])
