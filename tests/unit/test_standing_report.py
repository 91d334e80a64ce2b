"""What the standing processor says of itself: how late batches are, which partition stands still, what is held and what it is stuck with."""

from typing import Any, cast

from confluent_kafka import Consumer, TopicPartition

from consumers.standing.decode import Arrival, Decoded
from consumers.standing.lanes import PublishingLanes
from consumers.standing.liveness import Standstill
from consumers.standing.partition import Partition
from consumers.standing.report import Report
from exchange.metrics import StandingMetrics

TAX, FIN = "t.in.gd.tax", "t.in.gd.fin"
END = 10


class Ends:
    """A consumer whose every partition ends at the same offset; it has read one topic to its end, the others' it does not know."""

    def __init__(self, read: str = "") -> None:
        self._read = read

    def position(self, places: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition, END if p.topic == self._read else -1001) for p in places]

    def get_watermark_offsets(self, place: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached
        return 0, END


class NothingWaits:
    backlog, oldest_for = 0, 0.0


def partition(number: int, **offsets: int) -> Partition:
    known = {f"t.in.gd.{name}": offset for name, offset in offsets.items()}
    return Partition(number=number, token="", epoch=0, reconcile=False, offsets=known, known={})


def told(
    *partitions: Partition, held: frozenset[tuple[str, int]] = frozenset(), read: str = ""
) -> tuple[Report, StandingMetrics]:
    metrics = StandingMetrics()
    report = Report(metrics)
    places = [TopicPartition(topic, one.number) for one in partitions for topic in (TAX, FIN)]
    report.state(cast("Consumer", Ends(read)), places, list(partitions), cast("PublishingLanes", NothingWaits()), held)
    return report, metrics


def test_markers_at_the_end_of_a_topic_are_nothing_that_waits() -> None:
    report, metrics = told(partition(0, tax=9, fin=9), read=TAX)
    assert (value(metrics, "lag_records"), report.lag_known) == (1, 1), "of the topic that is not read to its end"


def value(metrics: StandingMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"creditbus_{name}", labels)


def test_what_is_held_is_lag_but_nothing_that_one_is_stuck_with() -> None:
    report, metrics = told(partition(0, tax=4, fin=10), held=frozenset({(TAX, 0)}))
    assert (value(metrics, "lag_records"), report.lag_known) == (6, 0)
    report, metrics = told(partition(0, tax=4, fin=7), held=frozenset({(TAX, 0)}))
    assert (value(metrics, "lag_records"), report.lag_known) == (9, 3)


def test_a_partition_that_goes_to_another_process_is_no_longer_shown() -> None:
    metrics = StandingMetrics()
    report = Report(metrics)
    for owned in ([partition(0, tax=1), partition(1, tax=1)], [partition(1, tax=1)]):
        places = [TopicPartition(TAX, one.number) for one in owned]
        report.state(cast("Consumer", Ends()), places, owned, cast("PublishingLanes", NothingWaits()), frozenset())
    assert value(metrics, "partition_standstill_seconds", partition="0") is None
    assert value(metrics, "partition_standstill_seconds", partition="1") is not None


def test_a_partition_stands_still_while_others_get_on() -> None:
    now = 0.0
    standstill = Standstill(lambda: now)
    assert standstill.note({0: 5, 1: 5}, {0: 100, 1: 100}) == {0: 0, 1: 0}
    now = 40.0
    assert standstill.note({0: 5, 1: 9}, {0: 100, 1: 103}) == {0: 40, 1: 0}
    now = 70.0
    assert standstill.note({0: 5, 1: 9, 2: 1}, {0: 100, 1: 103, 2: 7}) == {0: 70, 1: 30, 2: 0}
    now = 80.0
    assert standstill.note({0: 0, 1: 9}, {0: 100, 1: 103}) == {0: 0, 1: 40}, "with nothing waiting nothing stands still"
    now = 90.0
    assert standstill.note({0: 2, 1: 9}, {0: 100, 1: 104}) == {0: 10, 1: 0}


def test_a_batch_is_as_late_as_its_first_record() -> None:
    def arrived(**record: Any) -> Arrival:
        return Arrival("org:a", cast("Any", None), "listing", record, TAX, 0)

    batch = Decoded(partition(0))
    assert batch.first_published == 0
    batch.arrivals = [arrived(sent_at=5), arrived(published_at=1_000), arrived(published_at=60_000)]
    assert batch.first_published == 1_000


def test_what_waits_for_kafka_grows_older_while_the_loop_waits_too() -> None:
    metrics, lanes = StandingMetrics(), NothingWaits()
    Report(metrics).state(cast("Consumer", Ends()), [], [], cast("PublishingLanes", lanes), frozenset())
    lanes.oldest_for = 90.0
    assert value(metrics, "outbox_oldest_seconds") == 90.0, "asked anew at each scrape"
