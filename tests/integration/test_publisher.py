"""The publisher on the real broker: what it confirms is there; what it cannot confirm it says, in bounded time."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from exchange.domain.identity import organisation_subject
from exchange.domain.synthetic import synthetic_uscc
from exchange.errors import RejectedError, RequestError, RetryLaterError
from exchange.partitioner import partition_of
from exchange.records import Listing
from exchange.settings import Settings
from producers.prepare import Prepared
from producers.publisher import Publisher, UnconfirmedError
from tests.conftest import RunningStack
from tests.producing import Departments, listing

pytestmark = [pytest.mark.servers, pytest.mark.drawn]


@pytest.fixture
def departments(bus_settings: Settings) -> Departments:
    return Departments(bus_settings, ["gd.tax", "gd.amr"])


@pytest.fixture
def stopped_kafka(stack: RunningStack, departments: Departments) -> Iterator[RunningStack]:
    """The broker, which a test stops; it runs again afterwards."""
    yield stack
    if not stack.kafka.is_running():
        stack.kafka.start()


def test_what_is_confirmed_is_on_the_topic_in_its_partition(departments: Departments) -> None:
    with departments.publisher("gd.tax") as publisher:
        before = datetime.now(UTC)
        receipts = {number: publisher.publish(listing(number), "listing") for number in range(500)}
        deliveries = {number: receipt.result(timeout=30) for number, receipt in receipts.items()}
    messages = {
        (partition, offset): (key, record) for key, record, partition, offset in departments.published("gd.tax")
    }
    assert len(messages) == 500
    for number, delivery in deliveries.items():
        key, record = messages[delivery.partition, delivery.offset]
        assert key == record["subject"] == listing(number)["subject"]
        assert delivery.partition == partition_of(key, departments.settings.partitions)
        assert (record["type"], record["department"], record["document"]) == (
            "listing",
            "gd.tax",
            f"粤税失信〔2026〕{number}号",
        )
        assert before.replace(microsecond=0) <= record["published_at"] <= datetime.now(UTC)


def test_a_record_of_the_python_types(departments: Departments) -> None:
    record = Listing(
        subject=organisation_subject(synthetic_uscc(1)), department="gd.tax", document="粤税失信〔2026〕1号", revision=1,
        decided_on=date(2026, 3, 5), published_at=datetime.now(UTC), list_code="TAX", grounds="1", serious=True,
    )  # fmt: skip
    with departments.publisher("gd.tax") as publisher:
        publisher.publish(record)
    ((key, found, _, _),) = departments.published("gd.tax")
    assert (key, found["list_code"], found["serious"]) == (record.subject, "TAX", True)


def test_awaiting_the_proof_in_an_event_loop(departments: Departments) -> None:
    async def publish() -> set[tuple[int, int]]:
        with departments.publisher("gd.tax") as publisher:
            deliveries = await asyncio.gather(*(publisher.confirm(listing(number), "listing") for number in range(50)))
        return {(delivery.partition, delivery.offset) for delivery in deliveries}

    places = asyncio.run(publish())
    assert places == {(partition, offset) for _, _, partition, offset in departments.published("gd.tax")}
    assert len(places) == 50


def test_several_threads_share_a_publisher(departments: Departments) -> None:
    with departments.publisher("gd.tax") as publisher:
        threads = [
            threading.Thread(
                target=lambda first=first: [publisher.publish(listing(first + n), "listing") for n in range(200)]
            )
            for first in (0, 1000, 2000, 3000)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({record["document"] for _, record, _, _ in departments.published("gd.tax")}) == 800


@pytest.mark.parametrize(
    ("changes", "record_type", "code"),
    [
        ({"classification": "CLASSIFIED", "decided_on": "not even looked at"}, "listing", "classified"),
        ({"subject": "org:91440300PDY00001X4"}, "listing", "uscc_check_digit"),
        ({"decided_on": date(2126, 1, 1)}, "listing", "date_out_of_range"),
        ({"department": "gd.amr"}, "listing", "wrong_department"),
        ({"circumstances": "当事人440000190001010019"}, "listing", "citizen_id_in_clear"),
        ({}, "court_judgment", "unknown_field"),
    ],
)
def test_what_breaks_a_rule_is_refused_before_it_is_sent(
    departments: Departments, changes: dict[str, object], record_type: str, code: str
) -> None:
    with departments.publisher("gd.tax") as publisher:
        with pytest.raises(RejectedError) as failure:
            publisher.publish(listing(1, **changes), record_type)
        refused = publisher.metrics.refused.labels("gd.tax", code)._value.get()
    assert code in {reason.code for reason in failure.value.reasons}
    assert refused == 1
    assert departments.published("gd.tax") == []


def test_of_a_classified_record_nothing_is_told(departments: Departments) -> None:
    with departments.publisher("gd.tax") as publisher, pytest.raises(RejectedError) as failure:
        publisher.publish(listing(1, classification="CLASSIFIED"), "listing")
    assert "合成" not in str(failure.value)
    assert "粤税" not in str(failure.value)


def test_only_the_decider_may_amend(departments: Departments) -> None:
    repair = {
        "subject": listing(1)["subject"], "document": "修1号", "revision": 1, "decided_on": date(2026, 4, 5), "target_type": "listing",
        "target_document": "粤税失信〔2026〕1号", "state": "GRANTED", "target_department": "gd.court",
    }  # fmt: skip
    with departments.publisher("gd.tax") as publisher:
        with pytest.raises(RejectedError, match="not_the_decider"):
            publisher.publish(repair, "repair")
        publisher.publish(repair | {"target_department": "gd.statetax"}, "repair")  # its predecessor


def test_a_missing_topic_is_told(departments: Departments) -> None:
    with departments.publisher("gd.court") as publisher:
        with pytest.raises(RequestError) as failure:
            publisher.check_topic()
        assert failure.value.code == "unknown_topic"


def test_a_missing_topic_is_told_by_the_receipt_too(departments: Departments) -> None:
    publisher = departments.publisher("gd.eco")
    receipt = publisher.publish(listing(1, list_code="ENV"), "listing")
    with pytest.raises(RequestError) as failure:
        receipt.result(timeout=30)
    assert failure.value.code == "unknown_topic"
    with pytest.raises(UnconfirmedError) as unconfirmed:
        publisher.close()
    assert unconfirmed.value.records == ("listing 粤税失信〔2026〕1号",)


def test_after_closing_nothing_is_taken(departments: Departments) -> None:
    publisher = departments.publisher("gd.tax")
    publisher.close()
    publisher.close()
    with pytest.raises(RequestError) as failure:
        publisher.publish(listing(1), "listing")
    assert failure.value.code == "closed"


@pytest.mark.timeout(120)
def test_records_wait_for_a_broker_that_comes_back(departments: Departments, stopped_kafka: RunningStack) -> None:
    with departments.publisher("gd.tax") as publisher:
        publisher.publish(listing(0), "listing").result(timeout=30)
        stopped_kafka.kafka.kill()
        receipts = [publisher.publish(listing(number), "listing") for number in range(1, 200)]
        stopped_kafka.kafka.start()
        for receipt in receipts:
            receipt.result(timeout=60)
    documents = [record["document"] for _, record, _, _ in departments.published("gd.tax")]
    assert sorted(documents) == sorted(f"粤税失信〔2026〕{number}号" for number in range(200))


@pytest.mark.timeout(120)
def test_without_a_broker_every_record_is_accounted_for_in_bounded_time(
    departments: Departments, stopped_kafka: RunningStack
) -> None:
    publisher = departments.publisher("gd.tax", delivery_timeout_seconds=3.0)
    publisher.publish(listing(0), "listing").result(timeout=30)
    stopped_kafka.kafka.stop()
    started = time.monotonic()
    receipts = [publisher.publish(listing(number), "listing") for number in range(1, 100)]
    with pytest.raises(UnconfirmedError) as failure:
        publisher.close()
    assert time.monotonic() - started < 15
    assert sorted(failure.value.records) == sorted(f"listing 粤税失信〔2026〕{number}号" for number in range(1, 100))
    assert all(isinstance(receipt.exception(timeout=0), RetryLaterError) for receipt in receipts)
    stopped_kafka.kafka.start()
    with departments.publisher("gd.tax") as again:
        for number in range(1, 100):
            again.publish(listing(number), "listing")
    assert {record["document"] for _, record, _, _ in departments.published("gd.tax")} == {
        f"粤税失信〔2026〕{number}号" for number in range(100)
    }


@pytest.mark.timeout(120)
def test_a_full_queue_gives_the_record_back(departments: Departments, stopped_kafka: RunningStack) -> None:
    publisher = departments.publisher("gd.tax", delivery_timeout_seconds=20.0, publish_wait_seconds=0.5)
    large = publisher.preparer.prepare(listing(1, circumstances="长" * 1000), "listing")
    publisher.deliver(large).result(timeout=30)
    stopped_kafka.kafka.stop()
    taken = fill(publisher, large)
    assert taken > 1000
    started = time.monotonic()
    with pytest.raises(RetryLaterError) as failure:
        publisher.deliver(large)
    assert failure.value.code == "queue_full"
    assert 0.4 < time.monotonic() - started < 3
    with pytest.raises(UnconfirmedError) as unconfirmed:
        publisher.close()
    assert len(unconfirmed.value.records) == taken


def fill(publisher: Publisher, prepared: Prepared) -> int:
    """Hand over one record until there is no more room; how many were taken."""
    for taken in range(1_000_000):
        try:
            publisher.deliver(prepared, wait_seconds=0)
        except RetryLaterError:
            return taken
    raise AssertionError("the queue has no end")


def test_an_error_within_the_block_is_kept_and_told_of_what_is_open(departments: Departments) -> None:
    def fail_after_publishing() -> None:
        with departments.publisher("gd.eco") as publisher:
            publisher.publish(listing(1, list_code="ENV"), "listing")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as failure:
        fail_after_publishing()
    assert "粤税失信〔2026〕1号" in failure.value.__notes__[0]
