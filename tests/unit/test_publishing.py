"""The outbox publisher commits a transaction only with proof that the broker has each of its messages."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

import consumers.standing.beginning
import consumers.standing.lanes
import consumers.standing.publishing
from consumers.standing.lanes import PublishingLanes
from consumers.standing.publishing import OutboxPublisher
from consumers.standing.transaction import Job, Proof
from exchange.errors import RequestError, RetryLaterError
from exchange.kafka import OnError
from tests.waiting import wait_until

OFFSETS = {"t.internal": 3}
MESSAGES = [("t.out.gd.fin", b"org:1", b"a"), ("t.internal", b"org:2", b"b"), ("t.standing", b"org:1", b"c")]


class FakeProducer:
    """Delivers what is produced when flushed; `unproven` says how many messages of each transaction come without an offset."""

    def __init__(self, unproven: list[int]) -> None:
        self._unproven = unproven
        self._waiting: list[tuple[Any, ...]] = []
        self.calls: list[str] = []
        self.is_purged = False
        self.committed: list[list[tuple[Any, ...]]] = []

    def begin_transaction(self) -> None:
        self.calls.append("begin")
        self._waiting.clear()

    def produce(
        self, *args: Any, on_delivery: Callable[[KafkaError | None, Message], None], headers: list[Any] | None = None
    ) -> None:
        self._waiting.append((*args, *(headers or ()), on_delivery))

    def send_offsets_to_transaction(self, *_: Any) -> None:
        self.calls.append("offsets")

    def flush(self, _: float) -> int:
        left = self._unproven.pop(0) if self._unproven else 0
        for number, (*_args, on_delivery) in enumerate(self._waiting):
            on_delivery(None, Message() if number < left else Message(offset=number))
        return 0

    def commit_transaction(self, _: float) -> None:
        self.calls.append("commit")
        self.committed.append([args[:-1] for args in self._waiting])

    def abort_transaction(self, _: float) -> None:
        self.calls.append("abort")

    def purge(self) -> None:
        self.is_purged = True

    def poll(self, _: float) -> int:
        return 0


def publish(producer: FakeProducer, job: Job = Job(1, "token", 0, MESSAGES, OFFSETS)) -> None:  # noqa: B008 # never changed
    published: list[Job] = []
    publisher = OutboxPublisher(
        new_producer=lambda _: producer,  # type: ignore[arg-type,return-value] # all that it uses of a producer
        on_published=published.extend,
        on_step=lambda _: None,
    )
    publisher.join_generation("generation")
    publisher.start()
    publisher.offer(job)
    wait_until(lambda: len(published) == 1)
    publisher.stop()
    assert publisher.failure is None


def test_messages_keep_their_partition_and_go_with_the_offsets() -> None:
    producer = FakeProducer([])
    publish(producer)
    assert producer.calls == ["begin", "offsets", "commit"]
    assert producer.committed == [
        [("t.out.gd.fin", b"a", b"org:1", 1), ("t.internal", b"b", b"org:2"), ("t.standing", b"c", b"org:1", 1)]
    ]


def test_a_traced_message_carries_its_trace_and_no_other_has_a_header() -> None:
    producer = FakeProducer([])
    publish(producer, Job(1, "token", 0, MESSAGES, OFFSETS, traces={0: "00-ab-cd-01"}))
    first, *others = producer.committed[0]
    assert first[-1] == ("traceparent", b"00-ab-cd-01")
    assert others == [("t.internal", b"b", b"org:2"), ("t.standing", b"c", b"org:1", 1)]


def test_it_says_for_how_long_the_oldest_messages_have_waited() -> None:
    publisher = OutboxPublisher(
        new_producer=lambda _: FakeProducer([]),  # type: ignore[arg-type,return-value] # as above
        on_published=lambda _: None,
        on_step=lambda _: None,
    )
    publisher.offer(Job(1, "token", 0, [], OFFSETS))
    assert publisher.oldest_for == 0, "offsets alone are nothing that departments wait for"
    publisher.offer(Job(1, "token", 0, MESSAGES, OFFSETS))
    time.sleep(0.02)
    publisher.offer(Job(1, "token", 0, MESSAGES, OFFSETS))
    assert publisher.oldest_for >= 0.02
    publisher.forget({1}, within=1)
    assert publisher.oldest_for == 0


def test_without_proof_nothing_is_committed_and_all_is_published_again() -> None:
    producer = FakeProducer([1, 3])
    publish(producer)
    assert producer.calls == ["begin", "offsets", "abort", "begin", "offsets", "abort", "begin", "offsets", "commit"]
    assert len(producer.committed) == 1


class MaskedProducer(FakeProducer):
    """Its first flush fails as confluent-kafka's does when a fatal error comes while messages are answered for."""

    def __init__(self) -> None:
        super().__init__([])
        self._fails = True

    def flush(self, timeout: float) -> int:
        if self._fails and self._waiting:
            self._fails = False
            raise SystemError("returned a result with an exception set") from KafkaException(
                KafkaError(KafkaError._MSG_TIMED_OUT)
            )
        return super().flush(timeout)


def test_a_kafka_error_that_python_masks_is_one_all_the_same() -> None:
    producer = MaskedProducer()
    publish(producer)
    assert producer.calls == ["begin", "offsets", "abort", "begin", "offsets", "commit"]


def test_an_error_is_no_proof() -> None:
    proof = Proof()
    proof.take(None, Message(offset=7))
    proof.take(KafkaError(KafkaError._MSG_TIMED_OUT), Message())
    proof.demand(1)
    with pytest.raises(KafkaException):
        proof.demand(2)


class StuckProducer(FakeProducer):
    """Its call of `send_offsets_to_transaction` does not return until released; then a newer producer of its name has fenced it."""

    def __init__(self) -> None:
        super().__init__([])
        self.entered, self.released = threading.Event(), threading.Event()

    def send_offsets_to_transaction(self, *_: Any) -> None:
        self.entered.set()
        self.released.wait()
        raise KafkaException(KafkaError(KafkaError._FENCED, "fenced by a newer instance", fatal=True))


def test_a_lane_that_does_not_end_is_left_behind_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.standing.lanes, "PATIENCE", 0.2)
    stuck, fresh = StuckProducer(), FakeProducer([])
    made = iter([stuck, fresh])
    others = FakeProducer([])
    published: list[Job] = []
    lanes = PublishingLanes(
        new_producer=lambda lane, _: next(made) if lane == 1 else others,  # type: ignore[arg-type,return-value] # as above
        on_published=published.extend,
        on_step=lambda _: None,
    )
    lanes.start()
    lanes.join_generation("generation")
    job = Job(1, "token", 0, MESSAGES, OFFSETS)
    lanes.offer(job)
    assert stuck.entered.wait(10)
    began = time.monotonic()
    lanes.forget({1})
    assert time.monotonic() - began < 1.5, "the loop waits for nobody for ever"
    assert lanes.take_fenced(), "the loop is told to attach anew"
    assert not lanes.take_fenced()
    wait_until(lambda: next(made, None) is None, "the new lane has its producer")
    lanes.demand_ready()
    lanes.join_generation("generation")
    lanes.offer(job)
    wait_until(lambda: [one._replace(offered_at=0.0) for one in published] == [job])
    stuck.released.set()
    lanes.stop()
    assert not stuck.committed
    assert len(fresh.committed) == 1
    assert next(made, None) is None, "who was left behind makes no producer, which would fence the new lane"


def test_a_coordinator_that_takes_no_offsets_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What librdkafka does when the group's coordinator is gone from the cluster: the call never ends."""
    monkeypatch.setattr(consumers.standing.publishing, "ASKING_STUCK_AFTER", 0.2)
    stuck, fresh = StuckProducer(), FakeProducer([])
    made = iter([stuck, fresh])
    published: list[Job] = []
    lanes = PublishingLanes(
        new_producer=lambda lane, _: next(made) if lane == 1 else FakeProducer([]),  # type: ignore[arg-type,return-value] # as above
        on_published=published.extend,
        on_step=lambda _: None,
    )
    lanes.start()
    lanes.join_generation("generation")
    job = Job(1, "token", 0, MESSAGES, OFFSETS)
    lanes.offer(job)
    assert stuck.entered.wait(10)
    assert not lanes.take_fenced(), "a moment is given"
    for _ in range(300):
        lanes.offer(job)
    wait_until(
        lambda: lanes.drain(below=10, timeout=0.1), "nobody waits for a lane that waits for him", within_seconds=30
    )
    wait_until(lanes.take_fenced, "the lane is given up, and the loop told to attach anew", within_seconds=30)
    lanes.join_generation("generation")
    lanes.offer(job)
    wait_until(lambda: [one._replace(offered_at=0.0) for one in published] == [job])
    stuck.released.set()
    lanes.stop()
    assert not stuck.committed


def test_a_lane_that_is_fenced_is_not_waited_for_before_the_loop_has_taken_notice() -> None:
    fenced = StuckProducer()
    fenced.released.set()
    made = iter([fenced])
    lanes = PublishingLanes(
        new_producer=lambda lane, _: next(made, FakeProducer([])) if lane == 1 else FakeProducer([]),  # type: ignore[arg-type,return-value] # as above
        on_published=lambda _: None,
        on_step=lambda _: None,
    )
    lanes.start()
    lanes.join_generation("generation")
    for _ in range(300):
        lanes.offer(Job(1, "token", 0, MESSAGES, OFFSETS))
    wait_until(lambda: lanes.drain(below=10, timeout=0.1), "the lane is fenced")
    assert lanes.backlog > 10
    assert fenced.is_purged, "nothing is left with a producer that is given up"
    assert lanes.take_fenced()
    assert not lanes.drain(below=10, timeout=0.1), "now it is waited for: the loop attaches anew"
    lanes.forget({1})
    lanes.stop()


class Losing:
    """Makes producers; each meets an error before it is ready, and tells of a broker that it lost when that is said."""

    def __init__(self) -> None:
        self.made: list[FakeProducer] = []
        self.loses = False

    def __call__(self, _lane: int, on_error: OnError) -> FakeProducer:
        owner = self

        class Telling(FakeProducer):
            def poll(self, timeout: float) -> int:
                if owner.loses:
                    on_error(KafkaError(KafkaError._TRANSPORT))
                return super().poll(timeout)

            def begin_transaction(self) -> None:
                assert not owner.loses
                super().begin_transaction()

        self.loses = False
        self.made.append(Telling([]))
        on_error(KafkaError(KafkaError._TRANSPORT))
        return self.made[-1]


def test_a_producer_that_has_lost_a_broker_begins_no_transaction_any_more() -> None:
    """It may know the group's coordinator where it no longer is, and ask it without end."""
    losing, published = Losing(), list[Job]()
    publisher = OutboxPublisher(
        new_producer=partial(losing, 0),  # type: ignore[arg-type] # as above
        on_published=published.extend,
        on_step=lambda _: None,
    )
    publisher.join_generation("generation")
    publisher.start()
    job = Job(1, "token", 0, MESSAGES, OFFSETS)
    for number in (1, 2):
        publisher.offer(job)
        wait_until(lambda wanted=number: len(published) == wanted)  # type: ignore[misc] # bound now
    assert len(losing.made) == 1, "what it met before it was ready is behind it"
    losing.loses = True
    publisher.offer(job)
    wait_until(lambda: len(published) == 3)
    publisher.stop()
    assert [len(one.committed) for one in losing.made] == [2, 1]
    assert losing.made[0].is_purged
    assert not publisher.take_fenced(), "nothing was under way, so nothing is uncertain"


def test_until_every_lane_has_its_producer_nobody_attaches() -> None:
    may_begin = threading.Event()

    def slow_producer(*_: object) -> FakeProducer:
        may_begin.wait()
        return FakeProducer([])

    lanes = PublishingLanes(
        new_producer=slow_producer,  # type: ignore[arg-type] # as above
        on_published=lambda _: None,
        on_step=lambda _: None,
    )
    lanes.start()
    with pytest.raises(RetryLaterError):
        lanes.demand_ready()
    lanes.forget({0, 1, 2, 3})
    may_begin.set()
    wait_until(lambda: _is_ready(lanes))
    lanes.stop()


def _is_ready(lanes: PublishingLanes) -> bool:
    try:
        lanes.demand_ready()
    except RetryLaterError:
        return False
    return True


class NoTransactionsYet:
    """Makes producers, but not before so many refusals: as with brokers that are away for long."""

    def __init__(self, refusals: int, code: int = KafkaError._TIMED_OUT) -> None:
        self._code = code
        self.left = refusals

    def __call__(self, *_: object) -> FakeProducer:
        if self.left:
            self.left -= 1
            raise KafkaException(KafkaError(self._code))
        return FakeProducer([])


def begun(new_producer: NoTransactionsYet, on_published: Callable[[list[Job]], None]) -> OutboxPublisher:
    publisher = OutboxPublisher(
        new_producer=new_producer,  # type: ignore[arg-type] # as above
        on_published=on_published,
        on_step=lambda _: None,
    )
    publisher.join_generation("generation")
    publisher.start()
    publisher.offer(Job(1, "token", 0, MESSAGES, OFFSETS))
    return publisher


def test_brokers_that_are_away_are_waited_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.standing.beginning, "PAUSES", (0.0, 0.001))
    published: list[Job] = []
    publisher = begun(NoTransactionsYet(200), published.extend)
    wait_until(lambda: len(published) == 1)
    publisher.stop()


def test_who_waits_for_brokers_can_be_left_behind_at_once() -> None:
    waiting = NoTransactionsYet(1 << 30)
    publisher = begun(waiting, lambda _: None)
    wait_until(lambda: waiting.left < (1 << 30) - 2, "it has begun to wait")
    publisher.abandon()
    began = time.monotonic()
    publisher.stop()
    assert time.monotonic() - began < 1
    assert publisher.failure is None


def test_rights_that_are_missing_are_not_waited_for() -> None:
    refused = NoTransactionsYet(1, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    publisher = begun(refused, lambda _: None)
    wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, RequestError)
