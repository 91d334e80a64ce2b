"""The outbox publisher commits a transaction only with proof that the broker has each of its messages."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

import consumers.standing.lanes
from consumers.standing.lanes import PublishingLanes
from consumers.standing.publishing import Job, OutboxPublisher, Proof
from exchange.errors import RetryLaterError
from tests.waiting import wait_until

OFFSETS = {"t.internal": 3}
MESSAGES = [("t.out.gd.fin", b"org:1", b"a"), ("t.internal", b"org:2", b"b"), ("t.standing", b"org:1", b"c")]


class FakeProducer:
    """Delivers what is produced when flushed; `unproven` says how many messages of each transaction come without an offset."""

    def __init__(self, unproven: list[int]) -> None:
        self._unproven = unproven
        self._waiting: list[tuple[Any, ...]] = []
        self.calls: list[str] = []
        self.committed: list[list[tuple[Any, ...]]] = []

    def begin_transaction(self) -> None:
        self.calls.append("begin")
        self._waiting.clear()

    def produce(self, *args: Any, on_delivery: Callable[[KafkaError | None, Message], None]) -> None:
        self._waiting.append((*args, on_delivery))

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


def publish(producer: FakeProducer) -> None:
    published: list[Job] = []
    publisher = OutboxPublisher(
        new_producer=lambda: producer,  # type: ignore[arg-type,return-value] # all that it uses of a producer
        on_published=published.extend,
        on_step=lambda _: None,
    )
    publisher.join_generation("generation")
    publisher.start()
    publisher.offer(Job(1, "token", 0, MESSAGES, OFFSETS))
    wait_until(lambda: len(published) == 1, within_seconds=10)
    publisher.stop()
    assert publisher.failure is None


def test_messages_keep_their_partition_and_go_with_the_offsets() -> None:
    producer = FakeProducer([])
    publish(producer)
    assert producer.calls == ["begin", "offsets", "commit"]
    assert producer.committed == [
        [("t.out.gd.fin", b"a", b"org:1", 1), ("t.internal", b"b", b"org:2"), ("t.standing", b"c", b"org:1", 1)]
    ]


def test_without_proof_nothing_is_committed_and_all_is_published_again() -> None:
    producer = FakeProducer([1, 3])
    publish(producer)
    assert producer.calls == ["begin", "offsets", "abort", "begin", "offsets", "abort", "begin", "offsets", "commit"]
    assert len(producer.committed) == 1


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
        new_producer=lambda lane: next(made) if lane == 1 else others,  # type: ignore[arg-type,return-value] # as above
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
    assert time.monotonic() - began < 5, "the loop waits for nobody for ever"
    assert lanes.take_fenced(), "the loop is told to attach anew"
    assert not lanes.take_fenced()
    wait_until(lambda: next(made, None) is None, "the new lane has its producer", within_seconds=10)
    lanes.demand_ready()
    lanes.join_generation("generation")
    lanes.offer(job)
    wait_until(lambda: published == [job], within_seconds=10)
    stuck.released.set()
    lanes.stop()
    assert not stuck.committed
    assert len(fresh.committed) == 1
    assert next(made, None) is None, "who was left behind makes no producer, which would fence the new lane"


def test_until_every_lane_has_its_producer_nobody_attaches() -> None:
    may_begin = threading.Event()

    def slow_producer(_: int) -> FakeProducer:
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
    wait_until(lambda: _is_ready(lanes), within_seconds=10)
    lanes.stop()


def _is_ready(lanes: PublishingLanes) -> bool:
    try:
        lanes.demand_ready()
    except RetryLaterError:
        return False
    return True
