"""Thin notices from end to end, each part a process of its own: dispatcher, inbox over HTTP, and the two reference departments."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.dispatcher.attempt_log import Attempt, decode_attempt
from consumers.dispatcher.run import open_delivery_store
from exchange.api_keys import RedisKeys, issue, revoke
from exchange.endpoints import Endpoint, Payload
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.departments import Department, running
from tests.faults.dispatchers import start_process
from tests.producing import Departments
from tests.pulling import ServerProcess, free_port
from tests.pushing import event, get, post, signed
from tests.receiving import Desks, Pushed, subject
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]
DESK, CENTRE = "gd.amr", "gd.prtc"


@pytest.fixture
def pushed(bus_settings: Settings) -> Iterator[Pushed]:
    with Desks() as desks, Pushed(bus_settings, desks) as made:
        yield made


@contextmanager
def department(
    pushed: Pushed, folder: Path, slug: str, program: str, inbox: str, *options: str
) -> Iterator[Department]:
    """A reference department with a key for the inbox, and a thin endpoint at its address."""
    token = folder / f"{program}.token"
    with closing(connect(pushed.settings.redis)) as client:
        token.write_text(issue(RedisKeys(client), slug, "test", datetime.now(UTC))[0])
    to_inbox = ("--feedback", inbox, "--token-file", str(token)) if inbox else ()
    command = ("-m", "deploy.cli.main", "run", program, "--listen", "127.0.0.1:0", "--book", str(folder / program))
    environment = environment_of(pushed.settings)
    with running(*command, *to_inbox, *options, environment=environment) as one:
        url = f"{one.url}/notices"
        endpoint = Endpoint(department=slug, url=url, key_id=pushed.keys.newest, payload=Payload.THIN)
        assert pushed.endpoints.add(endpoint)
        yield one


def attempts(pushed: Pushed, slug: str) -> list[Attempt]:
    """The delivery log of a department, newest first."""
    store = open_delivery_store(pushed.settings, pushed.settings.redis)
    return [decode_attempt(raw) for raw in store.log_of_department(slug, pushed.settings.partitions, 100)]


def push_thin(pushed: Pushed, url: str, slug: str, notice: str) -> tuple[int, dict[str, Any]]:
    """Push a thin message by hand, signed as the dispatcher does."""
    place = {"topic": pushed.topics.out_of(slug), "partition": 0, "offset": 0}
    data = {"id": notice, "department": slug, "subject": subject(1), "epoch": 0, "n": 9, "place": place}
    body = event(data)
    return post(f"{url}/notices", body, signed(body, notice, keys=(pushed.keys.endpoint_key(slug, 1),)))


def test_thin_notices_are_fetched_acted_on_and_answered_and_wait_while_the_inbox_is_down(
    pushed: Pushed, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(pushed.keys.endpoint_key(CENTRE, 1).secret_text)
    public = pushed.keys.endpoint_key(DESK, 1).public_text
    with ExitStack() as ending:
        inbox = ServerProcess(pushed.settings, free_port())
        ending.callback(inbox.kill)
        desk = ending.enter_context(
            department(pushed, tmp_path, DESK, "example-desk", inbox.url, "--public-key", public)
        )
        centre = ending.enter_context(
            department(
                pushed, tmp_path, CENTRE, "example-centre", inbox.url, "--no-kafka", "--secret-file", str(secret)
            )
        )
        dispatcher = start_process(pushed)
        ending.callback(dispatcher.kill)

        first = pushed.put(DESK, 1, 1, measure="office_ban")
        pushed.flush()
        asked = f"{desk.url}/may-register?subject={subject(1)}"
        wait_until(lambda: get(asked)[1]["answer"] == "refuse", "the desk has not heard of it")
        wait_until(lambda: get(f"{desk.url}/health")[1]["feedback"] == {"waiting": 0, "sent": 2, "refused": 0})
        assert push_thin(pushed, desk.url, DESK, "unknown")[0] == 404, "a newer one is on its way"

        inbox.kill()
        pushed.put(CENTRE, 2, 1, measure="bidding_limit")
        pushed.flush()
        wait_until(lambda: [one.status for one in attempts(pushed, CENTRE)][-1:] == [503], "it was not refused")
        assert get(f"{centre.url}/obligations") == (200, [])
        inbox.restart()
        asked_of_centre = f"{centre.url}/may-bid?subject={subject(2)}"
        wait_until(lambda: get(asked_of_centre)[1]["answer"] == "refuse", "the centre has not heard of it")
        wait_until(lambda: get(f"{centre.url}/health")[1]["feedback"]["sent"] == 2)
        wait_until(lambda: attempts(pushed, CENTRE)[0].outcome == "delivered")
        dispatcher.terminate()
        assert dispatcher.wait(30) == 0

    published = Departments(pushed.settings, [DESK, CENTRE]).published(DESK, CENTRE)
    feedback = [one for _, one, _, _ in published if one["type"] == "measure_feedback"]
    told = {(one["department"], one["measure"], one["state"]) for one in feedback}
    assert told == {
        (slug, measure, state)
        for slug, measure in ((DESK, "office_ban"), (CENTRE, "bidding_limit"))
        for state in ("ACKNOWLEDGED", "EXECUTED")
    }
    assert {one["notice_id"] for one in feedback if one["department"] == DESK} == {first}
    assert f"回执-{first}" in pushed.receipts()


def test_without_an_inbox_or_with_a_wrong_token_a_thin_notice_waits(pushed: Pushed, tmp_path: Path) -> None:
    public = pushed.keys.endpoint_key(DESK, 1).public_text
    with department(pushed, tmp_path, DESK, "example-desk", "", "--public-key", public) as one:
        status, answer = push_thin(pushed, one.url, DESK, "n1")
        assert (status, answer["error"]) == (503, "no_inbox")
    assert pushed.endpoints.remove(DESK)
    inbox = ServerProcess(pushed.settings, free_port())
    try:
        with department(pushed, tmp_path, DESK, "example-desk", inbox.url, "--public-key", public) as one:
            with closing(connect(pushed.settings.redis)) as client:
                keys = RedisKeys(client)
                for key in keys.all():
                    revoke(keys, key.id, datetime.now(UTC))
            assert push_thin(pushed, one.url, DESK, "n1")[0] == 503
            wait_until(lambda: "--token-file" in one.text)
            assert get(f"{one.url}/obligations") == (200, [])
    finally:
        inbox.kill()
