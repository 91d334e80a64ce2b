"""The operator page's reading of metrics: parsed as Prometheus has them, rates, quantiles, marks, targets that are down."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, aclosing, contextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server

from consumers.portal.operations.facts import Facts, Held
from consumers.portal.operations.health import Health, Mark, health_of, mark_of
from consumers.portal.operations.samples import MARKERS, Pair, Samples, increase, increase_by, quantile, quantile_of
from consumers.portal.operations.scrape import Scrape, read_targets, scrape
from consumers.portal.operations.watch import Watch
from exchange import metrics
from exchange.endpoints import Endpoint, State
from exchange.errors import RequestError
from exchange.metrics import (
    DispatcherMetrics,
    Metrics,
    ProcessMetrics,
    PublisherMetrics,
    ServedMetrics,
    StandingMetrics,
)


def read(shown: Metrics | CollectorRegistry) -> Samples:
    registry = shown.registry if isinstance(shown, Metrics) else shown
    return Samples.parse(generate_latest(registry).decode())


@contextmanager
def served(*shown: Metrics | CollectorRegistry) -> Iterator[list[str]]:
    """Targets that show some metrics."""
    with ExitStack() as stack:
        targets = []
        for one in shown:
            registry = one.registry if isinstance(one, Metrics) else one
            server, thread = start_http_server(0, "127.0.0.1", registry)
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            targets.append(f"127.0.0.1:{server.server_port}")
        yield targets


def test_every_process_is_known_by_what_it_shows_from_its_start() -> None:
    kinds = {kind for kind in vars(metrics).values() if isinstance(kind, type) and issubclass(kind, Metrics)}
    known = [read(kind()).process for kind in kinds - {Metrics, ProcessMetrics, PublisherMetrics, ServedMetrics}]
    assert sorted(known) == sorted(MARKERS.values())
    assert read(CollectorRegistry()).process == ""


def test_counters_grow_by_label_and_begin_anew_with_their_process() -> None:
    shown = StandingMetrics()
    shown.records.labels("gd.tax", "listing").inc(5)
    before = read(shown)
    shown.records.labels("gd.tax", "listing").inc(3)
    shown.records.labels("gd.amr", "licence").inc(2)
    pair = Pair(before, read(shown))
    assert increase([pair], "creditbus_records_total") == 5
    assert increase_by([pair], "creditbus_records_total", "department") == {"gd.tax": 3, "gd.amr": 2}
    again = StandingMetrics()
    again.records.labels("gd.tax", "listing").inc(4)
    assert increase([Pair(before, read(again))], "creditbus_records_total") == 4, "all of it is new"


def test_quantiles_are_those_of_what_came_between_two_readings() -> None:
    registry = CollectorRegistry()
    seconds = Histogram("h", "h", registry=registry, buckets=(0.1, 0.2, 0.4))
    for _ in range(1000):
        seconds.observe(9)
    before = read(registry)
    assert quantile([Pair(before, read(registry))], "h", 0.5) is None, "nothing was observed"
    for value in [0.05] * 50 + [0.15] * 50:
        seconds.observe(value)
    pair = Pair(before, read(registry))
    assert quantile([pair], "h", 0.5) == pytest.approx(0.1)
    assert quantile([pair], "h", 0.75) == pytest.approx(0.15)
    assert quantile([pair, pair], "h", 0.75) == pytest.approx(0.15), "processes together"
    seconds.observe(99)
    assert quantile([Pair(pair.after, read(registry))], "h", 0.99) == pytest.approx(0.4), "no more than the last bound"
    assert quantile_of([], 0.5) is None


def health(
    before: Scrape | None, after: Scrape, facts: Facts | None = None, known: dict[str, str] | None = None
) -> Health:
    return health_of(1_780_000_000, before, after, facts or Facts(), known=known or {}, partitions=4)


def test_what_deserves_attention_is_marked() -> None:
    standing, dispatcher = StandingMetrics(), DispatcherMetrics()
    standing.assigned.set(4)
    before = Scrape(10.0, {"s": read(standing), "d": read(dispatcher)}, {})
    calm = health(before, Scrape(20.0, before.read, {}))
    assert calm.worst is Mark.GOOD
    assert [(one.process, one.mark) for one in calm.targets] == [("standing", Mark.GOOD), ("dispatcher", Mark.GOOD)]
    standing.lag.set(20_000)
    standing.assigned.set(3)
    standing.stuck.set(1)
    standing.records.labels("gd.tax", "listing").inc(50)
    standing.rejections.labels("gd.tax", "bad").inc(10)
    standing.stage_latency.labels("publish").observe(9)
    dispatcher.pending.labels("gd.fin").set(7)
    dispatcher.oldest.labels("gd.fin").set(90)
    dispatcher.circuit.labels("gd.fin").set(2)
    paused = Endpoint(department="gd.amr", url="https://x", key_id="k", state=State.PAUSED)
    facts = Facts(held=(Held("gd.tax", 2, 1000),), overdue=(("gd.amr", 3),), endpoints=(paused,))
    found = health(before, Scrape(20.0, {"s": read(standing), "d": read(dispatcher)}, {}), facts)
    assert found.figures["records"].value == 5
    assert (found.figures["lag"].value, found.figures["lag"].mark) == (20_000, Mark.WATCH)
    assert found.figures["assigned"].mark is Mark.WATCH, "one of four partitions is nobody's"
    assert {one.process: one.mark for one in found.targets} == {"standing": Mark.ALARM, "dispatcher": Mark.GOOD}
    assert {one.key: one.mark for one in found.stages} == {
        "commit": Mark.GOOD, "publish": Mark.ALARM, "delivery": Mark.GOOD
    }  # fmt: skip
    tax = next(one for one in found.intake if one.department == "gd.tax")
    assert (tax.records, tax.rejected, tax.rejected_ever, tax.mark) == (5, 1, 10, Mark.WATCH)
    amr = next(one for one in found.intake if one.department == "gd.amr")
    assert (amr.overdue, amr.mark) == (3, Mark.WATCH)
    lanes = {one.department: (one.state, one.pending, one.mark) for one in found.lanes}
    assert lanes == {"gd.fin": ("", 7, Mark.ALARM), "gd.amr": ("paused", None, Mark.WATCH)}
    assert found.worst is Mark.ALARM


@pytest.mark.parametrize("facts", [Facts(away="redis_away"), Facts(held=(Held("gd.tax", 0, 1000),))])
def test_what_redis_says_alone_is_an_alarm(facts: Facts) -> None:
    assert health(None, Scrape(0.0, {}, {}), facts).worst is Mark.ALARM


def test_without_a_second_reading_there_are_no_rates() -> None:
    found = health(None, Scrape(0.0, {"s": read(StandingMetrics())}, {}))
    assert (found.figures["records"].value, found.figures["lag"].value, found.seconds) == (None, 0, None)
    assert mark_of("lag", None) is Mark.GOOD


def test_a_target_that_is_down_is_named_by_what_it_was() -> None:
    with served(StandingMetrics()) as targets, socket.create_server(("127.0.0.1", 0)) as silent:
        mute = f"127.0.0.1:{silent.getsockname()[1]}"
        found = asyncio.run(scrape([*targets, mute], timeout_seconds=0.5))
        assert (list(found.read), found.down) == (targets, {mute: "timeout"})
    gone = asyncio.run(scrape(targets, timeout_seconds=0.5))
    assert gone.down == {targets[0]: "refused"}
    (shown,) = health(found, gone, known={targets[0]: "standing"}).targets
    assert (shown.process, shown.down, shown.mark) == ("standing", "refused", Mark.ALARM)


def test_targets_that_are_no_addresses_are_refused_by_name() -> None:
    assert read_targets("") == ()
    for wrong in ("localhost", "http://localhost:9101", "localhost:0", "localhost:70000", ":9101", "a:1,b"):
        with pytest.raises(RequestError, match="CREDITBUS_OPERATIONS_TARGETS"):
            read_targets(wrong)


def counted() -> tuple[CollectorRegistry, Counter]:
    """A registry that counts how often it is read."""
    registry, reads = CollectorRegistry(), Counter("reads", "reads", registry=None)
    gauge = Gauge("creditbus_lag_records", "lag", registry=registry)

    def seen() -> float:
        reads.inc()
        return 1.0

    gauge.set_function(seen)
    return registry, reads


def test_one_scraper_serves_all_and_nobody_waits_for_the_slow() -> None:
    registry, reads = counted()

    async def run(targets: list[str]) -> None:
        watch = Watch(targets, Facts, partitions=4, every=0.05)
        slow = watch.follow()
        await anext(slow)  # and asks for no more

        async def take(count: int) -> None:
            async with aclosing(watch.follow()) as states:
                async for _ in states:
                    count -= 1
                    if not count:
                        return

        await asyncio.gather(take(10), take(10), take(10))
        assert watch.viewers == 1
        assert reads._value.get() <= 16, "not once for each"
        await slow.aclose()
        assert watch.viewers == 0
        assert watch._task is not None
        await asyncio.wait_for(watch._task, 5)
        async with aclosing(watch.follow()) as states:
            await anext(states)  # begins again with the next who comes
        assert len(watch.points) >= 10

    with served(registry) as targets:
        asyncio.run(run(targets))


def test_whoever_follows_is_let_go_at_the_end() -> None:
    async def run(targets: list[str]) -> None:
        watch = Watch(targets, Facts, partitions=4, every=0.05)
        states = watch.follow()
        await anext(states)
        rest = asyncio.create_task(_count(states))
        await asyncio.to_thread(watch.end)
        await asyncio.wait_for(rest, 5)
        assert [one async for one in watch.follow()] == [], "nobody begins any more"

    async def _count(states: AsyncIterator[Health]) -> int:
        return len([one async for one in states])

    with served(StandingMetrics()) as targets:
        asyncio.run(run(targets))


def test_the_page_of_now_has_rates_from_its_second_reading() -> None:
    shown = StandingMetrics()

    async def run(targets: list[str]) -> None:
        watch = Watch(targets, Facts, partitions=4, every=0.5)
        assert (await watch.now()).figures["records"].value is None
        shown.records.labels("gd.tax", "listing").inc(5)
        rate = (await watch.now()).figures["records"].value
        while not rate:  # two looks within half an interval are one
            rate = (await watch.now()).figures["records"].value
        assert rate > 0

    with served(shown) as targets:
        asyncio.run(run(targets))
