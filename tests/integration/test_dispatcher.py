"""The dispatcher on real servers and real endpoints: messages, order, answers, states, recovery, log and receipts."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition
from standardwebhooks import Webhook

from consumers.dispatcher.attempt_log import Attempt, decode_attempt
from consumers.dispatcher.run import open_delivery_store
from exchange.endpoints import Endpoint, Payload, State
from exchange.partitioner import partition_of
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.receiving import DEPARTMENTS, NOT_URGENT, Desks, Pushed, subject

pytestmark = [pytest.mark.servers, pytest.mark.drawn]
FIN = "gd.fin"


@pytest.fixture
def pushed(bus_settings: Settings) -> Iterator[Pushed]:
    with Desks() as desks, Pushed(bus_settings, desks) as made:
        yield made


def attempts(pushed: Pushed, department: str = FIN) -> list[Attempt]:
    """The delivery log of a department, newest first."""
    store = open_delivery_store(pushed.settings, pushed.settings.redis)
    return [decode_attempt(raw) for raw in store.log_of_department(department, pushed.settings.partitions, 100)]


def state(pushed: Pushed, department: str = FIN) -> Endpoint:
    found = pushed.endpoints.find(department)
    assert found is not None
    return found


def test_a_partition_that_is_read_no_more_stands_still_until_it_is_read_again(pushed: Pushed) -> None:
    """As after a broker's death, when the client may lose sight of a partition without a word: simulated by a pause."""
    pushed.add(FIN)
    process = pushed.start()
    pushed.put(FIN, 1, 1)
    pushed.flush()
    pushed.all_arrived()
    pushed.wait(lambda: pushed.metrics.lag._value.get() == 0)
    number = partition_of(subject(1), pushed.settings.partitions)
    place = TopicPartition(pushed.topics.out_of(FIN), number)
    consumer = process._dispatcher._places._intake._consumer  # type: ignore[union-attr] # nothing else can lose it
    consumer.pause([place])
    pushed.put(FIN, 1, 2)
    pushed.flush()
    standstill = pushed.metrics.standstill.labels(str(number))
    pushed.wait(lambda: standstill._value.get() > 4 and pushed.metrics.lag._value.get() >= 1)
    consumer.resume([place])
    pushed.all_arrived()
    pushed.wait(lambda: standstill._value.get() == pushed.metrics.lag._value.get() == 0)


def test_every_notice_reaches_its_desk_in_order_with_one_receipt(pushed: Pushed) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    for n in range(1, 4):
        for number in range(30):
            pushed.put(DEPARTMENTS[number % 3], number, n)
    pushed.flush()
    pushed.start()
    pushed.all_arrived()
    first = [len(desk.taken) for desk in pushed.desks.desks.values()]
    assert first == [10, 10, 10], "what waited before the start is collapsed"
    for n in range(4, 7):
        for number in range(30):
            pushed.put(DEPARTMENTS[number % 3], number, n)
        pushed.flush()
        pushed.all_arrived()
    pushed.stop()
    taken = [one for desk in pushed.desks.desks.values() for one in desk.taken]
    assert len(taken) == len({one.headers["webhook-id"] for one in taken}) == 120
    receipts = pushed.receipts()
    assert set(receipts) == {f"回执-{one.headers['webhook-id']}" for one in taken}
    assert all(len(same) == 1 for same in receipts.values())
    (receipt,) = receipts[f"回执-{FIN}-0-0-6"]
    assert (receipt["receiver"], receipt["channel"], receipt["n"], receipt["detail"]) == (FIN, "WEBHOOK", 6, "204")


def test_a_message_verifies_with_the_official_library_and_keys_rotate(pushed: Pushed) -> None:
    pushed.add(FIN)
    pushed.put(FIN, 1, 1)
    pushed.flush()
    pushed.start()
    pushed.all_arrived()
    (one,) = pushed.desks.desks[FIN].taken
    Webhook(pushed.keys.endpoint_key(FIN, 1).secret_text).verify(one.body, one.headers)
    pushed.endpoints.change(FIN, lambda e: e.rotated(pushed.keys.newest, time.time_ns() // 1_000_000, 60_000))
    time.sleep(0.6)
    pushed.put(FIN, 1, 2)
    pushed.flush()
    pushed.all_arrived()
    newest = pushed.desks.desks[FIN].taken[-1]
    for number in (1, 2):
        Webhook(pushed.keys.endpoint_key(FIN, number).secret_text).verify(newest.body, newest.headers)
    pushed.stop()


def test_an_endpoint_gets_nothing_before_it_has_echoed_the_challenge(pushed: Pushed) -> None:
    pushed.add(FIN)
    desk = pushed.desks.desks[FIN]
    desk.echoes = False
    pushed.put(FIN, 1, 1)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: "the challenge sent" in state(pushed).reason)
    assert (state(pushed).state, desk.seen) == (State.UNVERIFIED, 0)
    desk.echoes = True
    pushed.move(6)  # the challenge is sent again as the schedule has it
    pushed.all_arrived()
    assert state(pushed).state is State.ACTIVE
    pushed.stop()


def test_a_backlog_is_collapsed_with_its_history_and_stale_ones_are_dropped(pushed: Pushed) -> None:
    pushed.add(FIN)
    pushed.start()
    pushed.wait(lambda: state(pushed).state is State.ACTIVE)
    pushed.endpoints.change(FIN, lambda e: e.paused("holidays", 1))
    time.sleep(0.6)
    for n in (1, 2, 3):
        pushed.put(FIN, 1, n)
    pushed.put(FIN, 1, 1, epoch=1)
    pushed.put(FIN, 1, 9)  # of an epoch that is over
    pushed.flush()
    time.sleep(1.0)
    desk = pushed.desks.desks[FIN]
    assert desk.seen == 0
    pushed.endpoints.change(FIN, lambda e: e.resumed(2))
    pushed.all_arrived()
    (one,) = desk.taken
    assert one.sequence == (1, 1)
    superseded = one.event["data"]["superseded"]
    assert superseded["count"] == 3
    assert [(old["epoch"], old["n"]) for old in superseded["notices"]] == [(0, 1), (0, 2), (0, 3)]
    pushed.put(FIN, 1, 4)
    pushed.put(FIN, 2, 1)
    pushed.flush()
    pushed.all_arrived()
    pushed.stop()
    assert len(desk.taken) == 2, "what is older than what was delivered is dropped"


def test_410_ends_it_and_the_backlog_is_kept(pushed: Pushed) -> None:
    pushed.add(FIN)
    desk = pushed.desks.desks[FIN]
    desk.answer = lambda: (410, {})
    pushed.put(FIN, 1, 1)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: state(pushed).state is State.GONE)
    pushed.put(FIN, 2, 1)
    pushed.flush()
    pushed.move(3600)
    time.sleep(0.6)
    assert desk.seen == 1
    desk.answer = lambda: (200, {})
    pushed.endpoints.change(FIN, lambda e: e.resumed(3))
    pushed.all_arrived()
    pushed.stop()


def test_a_throttling_answer_holds_the_endpoint_as_long_as_it_asks(pushed: Pushed) -> None:
    pushed.add(FIN, concurrency=1)
    desk = pushed.desks.desks[FIN]
    desk.answer = lambda: (429, {"Retry-After": "60"})
    pushed.put(FIN, 1, 1)
    pushed.put(FIN, 2, 1)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: len(attempts(pushed)) == 1)
    pushed.move(30)
    time.sleep(0.6)
    assert desk.seen == 1, "also the other subject waits"
    (first,) = attempts(pushed)
    assert (first.status, first.outcome, first.number) == (429, "throttled", 1)
    assert 59_000 <= first.next_at - first.at <= 61_000
    desk.answer = lambda: (204, {})
    pushed.move(31)
    pushed.all_arrived()
    pushed.stop()


def test_redirects_and_errors_are_failures_and_the_normal_schedule_is_slower(pushed: Pushed) -> None:
    pushed.add(FIN)
    desk = pushed.desks.desks[FIN]
    desk.answer = lambda: (302, {"Location": pushed.desks.url("gd.tax")})
    pushed.put(FIN, 1, 1, measure=NOT_URGENT)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: len(attempts(pushed)) == 1)
    (first,) = attempts(pushed)
    assert (first.status, first.outcome) == (302, "failed")
    assert 5_000 <= first.next_at - first.at <= 5_500
    assert pushed.desks.desks["gd.tax"].seen == 0, "not followed"
    desk.answer = lambda: (204, {})
    pushed.move(6)
    pushed.all_arrived()
    pushed.stop()
    assert [one.number for one in attempts(pushed)] == [2, 1]


def test_days_of_nothing_but_failure_pause_it(pushed: Pushed) -> None:
    pushed.add(FIN)
    desk = pushed.desks.desks[FIN]
    desk.answer = lambda: (500, {})
    pushed.put(FIN, 1, 1)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: desk.seen == 1)
    time.sleep(0.6)
    pushed.move(5 * 86_400 + 60)
    pushed.wait(lambda: state(pushed).state is State.PAUSED)
    assert "nothing but failures for 5.0 days" in state(pushed).reason
    desk.answer = lambda: (204, {})
    pushed.endpoints.succeeded(FIN)
    pushed.endpoints.change(FIN, lambda e: e.resumed(5))
    pushed.all_arrived()
    pushed.stop()


def test_recovery_sends_the_newest_of_each_subject_again(pushed: Pushed) -> None:
    pushed.add(FIN)
    pushed.start()
    for n in (1, 2):
        for number in range(5):
            pushed.put(FIN, number, n)
        pushed.flush()
        pushed.all_arrived()
    desk = pushed.desks.desks[FIN]
    before = len(desk.taken)
    now = time.time_ns() // 1_000_000
    pushed.endpoints.change(FIN, lambda e: e.recovering(now - 3_600_000, now))
    pushed.wait(lambda: len(desk.taken) >= before + 5)
    time.sleep(0.5)
    again = desk.taken[before:]
    assert sorted(one.event["subject"] for one in again) == sorted(subject(number) for number in range(5))
    assert {one.sequence for one in again} == {(0, 2)}
    pushed.all_arrived()
    pushed.stop()
    assert len(pushed.receipts()) == len({one.headers["webhook-id"] for one in desk.taken}), "no other documents"


def test_a_thin_message_and_one_from_now(pushed: Pushed) -> None:
    pushed.put(FIN, 1, 1)
    pushed.flush()
    time.sleep(0.05)
    pushed.add(FIN, payload=Payload.THIN, since=time.time_ns() // 1_000_000)
    pushed.newest.clear()
    pushed.put(FIN, 2, 1)
    pushed.flush()
    pushed.start()
    pushed.all_arrived()
    pushed.stop()
    (one,) = pushed.desks.desks[FIN].taken
    assert set(one.event["data"]) == {"id", "department", "subject", "epoch", "n", "place"}


def test_whole_notices_go_only_to_whom_the_catalogue_grants_them(pushed: Pushed) -> None:
    for department in (FIN, "ext.railway"):
        pushed.add(department, payload=Payload.FULL)  # as before the catalogue said otherwise
        pushed.put(department, 1, 1)
    pushed.flush()
    pushed.start()
    pushed.all_arrived()
    pushed.stop()
    (whole,), (thin,) = (pushed.desks.desks[department].taken for department in (FIN, "ext.railway"))
    assert ("measures" in whole.event["data"], "measures" in thin.event["data"]) == (True, False)


def test_a_name_that_leads_to_a_private_address_is_refused_when_connecting(pushed: Pushed) -> None:
    pushed.add(FIN)
    pushed.settings = pushed.settings.model_copy(update={"webhook_networks": ""})
    url = pushed.desks.url(FIN).replace("127.0.0.1", "localhost")
    pushed.endpoints.remove(FIN)
    endpoint = Endpoint(department=FIN, url=url, key_id=pushed.keys.newest).verified(1)
    pushed.endpoints.add(endpoint)
    pushed.put(FIN, 1, 1)
    pushed.flush()
    pushed.start()
    pushed.wait(lambda: len(attempts(pushed)) == 1)
    (refused,) = attempts(pushed)
    assert (refused.outcome, pushed.desks.desks[FIN].seen) == ("refused", 0)
    assert "no public address" in refused.error
    pushed.stop()


def test_dead_and_slow_endpoints_do_not_hold_up_another(pushed: Pushed) -> None:
    for department in DEPARTMENTS:
        pushed.add(department)
    pushed.desks.desks["gd.prtc"].slow_seconds = 2.5
    pushed.desks.desks["gd.tax"].answer = lambda: None
    pushed.start()
    pushed.wait(lambda: all(state(pushed, name).state is State.ACTIVE for name in DEPARTMENTS))
    for number in range(60):
        for department in DEPARTMENTS[1:]:
            pushed.put(department, number, 1)
    pushed.flush()
    time.sleep(0.5)
    for number in range(60):
        pushed.put(FIN, number, 1)
    pushed.flush()
    began = time.monotonic()
    pushed.wait(lambda: len(pushed.desks.desks[FIN].taken) == 60)
    assert time.monotonic() - began < 2.0
    pushed.desks.desks["gd.prtc"].slow_seconds = 0
    pushed.stop()


def test_the_log_is_found_by_subject_and_by_notice(pushed: Pushed) -> None:
    pushed.add(FIN)
    notice = pushed.put(FIN, 1, 1)
    pushed.put(FIN, 2, 1)
    pushed.flush()
    pushed.start()
    pushed.all_arrived()
    pushed.stop()
    store, partitions = open_delivery_store(pushed.settings, pushed.settings.redis), pushed.settings.partitions
    number = partition_of(subject(1), partitions)
    assert store.place_of_notice(notice, partitions) == (number, FIN, subject(1))
    (raw,) = store.log_of_subject(number, FIN, subject(1), 10)
    assert decode_attempt(raw).notice == notice
    assert store.place_of_notice("unknown", partitions) is None
    assert store.pending_counts([FIN], partitions) == {FIN: 0}


def test_one_whose_partitions_another_has_taken_writes_nothing_and_attaches_anew(pushed: Pushed) -> None:
    pushed.add(FIN)
    pushed.start()
    for number in range(8):
        pushed.put(FIN, number, 1)
    pushed.flush()
    pushed.all_arrived()
    store = open_delivery_store(pushed.settings, pushed.settings.redis)
    for partition in range(pushed.settings.partitions):
        store.attach(partition, "another's")
    for number in range(8):
        pushed.put(FIN, number, 2)
    pushed.flush()
    pushed.all_arrived()
    assert pushed.metrics.fenced._value.get() >= 1
    pushed.wait(lambda: len({one.notice for one in attempts(pushed) if one.n == 2}) == 8)
    pushed.stop()
    assert "another's" not in store.tokens(range(pushed.settings.partitions))
    assert {f"回执-{FIN}-{number}-0-2" for number in range(8)} <= set(pushed.receipts())


def test_state_that_redis_has_lost_is_made_whole_from_the_topic(pushed: Pushed) -> None:
    pushed.add(FIN)
    pushed.start()
    for number in range(8):
        pushed.put(FIN, number, 1)
    pushed.flush()
    pushed.all_arrived()
    with connect(pushed.settings.redis) as client:
        client.delete(*client.keys("w{*"))
    pushed.wait(lambda: len(pushed.desks.desks[FIN].taken) == 16)
    for number in range(8):
        pushed.put(FIN, number, 2)
    pushed.flush()
    pushed.all_arrived()
    pushed.stop()
