"""Bad input: every malformed message in quarantine with its reasons, good ones unharmed; floods held; order and repeats harmless."""

import json
import logging
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, Producer

from consumers.standing.verify import marks_of
from exchange.domain.calendar import to_date
from exchange.domain.synthetic import synthetic_uscc
from exchange.kafka import LOSSLESS
from exchange.partitioner import partition_of
from exchange.settings import Settings
from tests.conftest import BusFactory, environment_of
from tests.e2e.bus import LiveBus, live_bus
from tests.faults.bus import Record, shuffled
from tests.faults.malformed import DEPARTMENT, Generator, Malformed
from tests.faults.records import province
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
MALFORMED, GOOD_EVERY = 10_200, 5
FIRM = f"org:{synthetic_uscc(1)}"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def command(bus: LiveBus, *arguments: str) -> str:
    """What a command of creditbus prints."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments], env=environment_of(bus.settings), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


class Sender:
    """Puts bytes on a department's topic, and knows where each came to lie."""

    def __init__(self, bus: LiveBus, department: str) -> None:
        self._bus = bus
        self._topic = bus.topics.into(department)
        self._producer = Producer(
            {**bus.settings.kafka.config(), "message.max.bytes": 2_000_000, "linger.ms": 5} | LOSSLESS
        )
        self.places: dict[tuple[str, int, int], Malformed | None] = {}

    def send(self, key: bytes | None, raw: bytes | None, what: Malformed | None = None) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            self.places[self._topic, message.partition() or 0, message.offset() or 0] = what

        headers: list[tuple[str, str | bytes | None]] = list(what.headers) if what else []
        while True:
            try:
                self._producer.produce(self._topic, raw, key, headers=headers, on_delivery=delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self._bus.fed += 1
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(60) == 0


def test_malformed_messages_are_in_quarantine_with_their_reasons(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, today()) as bus:
        generator = Generator(bus.codec, bus.clock.today, bus.clock.ms)
        sender = Sender(bus, DEPARTMENT)
        rnd = random.Random(3)
        good = 0
        for number, bad in enumerate(generator.stream(7, MALFORMED)):
            sender.send(bad.key, bad.raw, bad)
            if number % GOOD_EVERY == 0:
                value = generator.good(rnd, number)
                sender.send(value["subject"].encode(), generator.encode(value))
                good += 1
        sender.flush()
        bus.settle(within=120)

        listed = [json.loads(line) for line in command(bus, "rejected", "list", "--json").splitlines()]
        wanted = {place: bad for place, bad in sender.places.items() if bad is not None}
        found = {(one["topic"], one["partition"], one["offset"]): one for one in listed}
        assert len(wanted) == MALFORMED
        assert len(listed) == len(found) == MALFORMED, "each exactly once"
        assert found.keys() == wanted.keys()
        wrong = Counter(bad.kind for place, bad in wanted.items() if not is_explained(bad, found[place]))
        assert not wrong, wrong
        assert Counter(bad.kind for bad in wanted.values()).keys() == generator.kinds.keys()

        verdict = bus.verify()
        assert (verdict.records, verdict.rejected) == (good, MALFORMED)
        assert bus.count("records", department=DEPARTMENT, record_type="listing") == good, "the good ones unharmed"
        kinds = len(generator.kinds)
        classified = sum(bad.is_classified for bad in wanted.values())
        assert classified >= 2 * (MALFORMED // kinds)
        assert bus.count("classified_refused", department=DEPARTMENT) == classified


def is_explained(bad: Malformed, rejection: dict[str, Any]) -> bool:
    """Whether a rejection names every reason, and keeps the bytes, or nothing of what is classified."""
    codes = {reason["code"] for reason in rejection["reasons"]}
    kept = b"" if bad.is_classified else bad.raw or b""
    key = b"" if bad.is_classified else bad.key or b""
    return (
        bad.codes <= codes
        and (not bad.any_of or bool(bad.any_of & codes))
        and bytes.fromhex(rejection["raw"]) == kept
        and bytes.fromhex(rejection["raw_key"]) == key
        and int(rejection["raw_size"]) == len(bad.raw or b"")
    )


def test_a_record_in_another_partition_than_its_keys_is_refused_and_its_replay_is_not(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, today()) as bus:
        value = bus.record(FIRM, "粤税稽罚〔2026〕1号", list_code="TAX") | {
            "department": "gd.tax",
            "subject_name": "合成公司",
        }
        raw = bus.codec.encode("listing", value)
        elsewhere = (partition_of(FIRM, bus.settings.partitions) + 1) % bus.settings.partitions
        producer = Producer(bus.settings.kafka.config())
        producer.produce(bus.topics.into("gd.tax"), raw, FIRM.encode(), elsewhere)
        assert producer.flush(60) == 0
        bus.fed += 1
        bus.settle()
        (said,) = bus.rejections("gd.tax")
        assert [one["code"] for one in said["reasons"]] == ["wrong_partition"]
        assert (said["raw"], said["partition"]) == (raw, elsewhere)
        assert bus.store.standing(elsewhere, FIRM) is None
        assert bus.verify().rejected == 1
        assert "1 sent again" in command(bus, "rejected", "replay", "--department", "gd.tax")
        bus.fed += 1
        bus.settle()
        assert len(bus.rejections("gd.tax")) == 1
        assert bus.picture(FIRM)[1].counts, "it lies where it belongs"
        bus.verify()


def test_replay_is_judged_anew(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-03-02") as bus:
        early = bus.record(FIRM, "粤税稽罚〔2026〕1号", department="gd.tax", list_code="TAX", decided_on="2026-03-09")
        never = bus.record(FIRM, "", department="gd.tax", list_code="TAX")
        bus.feed([("gd.tax", "listing", early), ("gd.tax", "listing", never)])
        bus.settle()
        assert {r["code"] for one in bus.rejections("gd.tax") for r in one["reasons"]} == {
            "date_out_of_range",
            "empty_field",
        }
        assert bus.picture(FIRM)[1].counts == {}

        bus.move_to("2026-03-10")  # the cause of the one is mended by time, that of the other never is
        assert "2 sent again" in command(bus, "rejected", "replay", "--department", "gd.tax")
        bus.fed += 2
        bus.settle()
        assert bus.picture(FIRM)[1].counts == {"listing": 1}
        assert "procurement_ban" in bus.in_force("gd.fin", FIRM)
        rejected = bus.rejections("gd.tax")
        assert len(rejected) == 3, "the other is in quarantine again"
        assert rejected[-1]["raw"] == bus.codec.encode("listing", never)

        sent = command(bus, "rejected", "replay", "--department", "gd.tax", "--reason", "date_out_of_range")
        assert "1 sent again" in sent
        bus.fed += 1
        bus.settle()
        assert bus.picture(FIRM)[1].counts == {"listing": 1}, "what was accepted before is known"
        assert bus.count("records_known") == 1


def test_a_poison_flood_holds_one_department_and_nobody_else(
    bus_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limit, flood = 40, 50
    with live_bus(bus_settings, tmp_path, today(), quarantine_run=limit) as bus:
        sender = Sender(bus, "gd.eco")
        for number in range(flood * bus.settings.partitions * 3):
            sender.send(f"org:{number}".encode(), b"poison")
        record = bus.record(FIRM, "粤环罚〔2026〕1号", department="gd.eco", severity="GENERAL")
        last = (FIRM.encode(), bus.codec.encode("penalty", record))
        sender.send(*last)
        sender.flush()
        with caplog.at_level(logging.ERROR, logger="creditbus.standing"):
            wait_held(bus, "gd.eco", bus.settings.partitions)
        assert [r for r in caplog.records if "held" in r.getMessage() and "gd.eco" in r.getMessage()]
        assert len(bus.rejections("gd.eco")) == limit * bus.settings.partitions

        before = bus.taken_in()
        bus.listing("gd.tax", "TAX", FIRM, "粤税稽罚〔2026〕1号")
        wait_until(lambda: bus.taken_in() > before, "the other department goes on")
        wait_until(lambda: "procurement_ban" in bus.in_force("gd.fin", FIRM), "and is heard")

        bus.stop_here()
        bus.start_here()
        wait_held(bus, "gd.eco", bus.settings.partitions)
        assert len(bus.rejections("gd.eco")) == limit * bus.settings.partitions, "the hold outlives a restart"
        bus.listing("gd.tax", "TAX", FIRM, "粤税稽罚〔2026〕2号")
        wait_until(lambda: bus.taken_in() == before + 2, "the other department goes on after it")

        for _ in range(100):
            if bus.taken_in() >= bus.fed:
                break
            command(bus, "rejected", "release", "--department", "gd.eco")
            wait_released(bus, limit)
        bus.settle()
        assert len(bus.rejections("gd.eco")) == flood * bus.settings.partitions * 3, "nothing skipped"
        assert bus.picture(FIRM)[1].counts["penalty"] == 1, "the good record behind the flood arrives"


def held(bus: LiveBus, department: str) -> float:
    return bus.metrics.registry.get_sample_value("creditbus_held_topics", {"department": department}) or 0.0


def wait_held(bus: LiveBus, department: str, count: int) -> None:
    wait_until(lambda: held(bus, department) == count, f"{department} is held in {count} partitions")


def wait_released(bus: LiveBus, limit: int) -> None:
    """Until each partition that was released is held again or at its end."""
    before, calm = -1, 0

    def is_calm() -> bool:
        nonlocal before, calm
        now = bus.taken_in()
        calm = calm + 1 if now == before else 0
        before = now
        return calm > 15

    wait_until(is_calm, "the released topics come to rest")


def outcome(bus: LiveBus) -> dict[str, Any]:
    """What a bus has come to: standings, and what every department was told last about everybody."""
    standings = {}
    for number in range(bus.settings.partitions):
        for subject in bus.store.subjects(number):
            standing = bus.store.standing(number, subject)
            assert standing is not None
            told = {department: marks_of(told) for department, told in standing.told.items() if told.measures}
            if standing.counts or told:
                standings[subject] = (standing.counts, sorted(standing.active), standing.merged_into, told)
    last: dict[tuple[str, str], list[str]] = {}
    for department in bus.departments:
        for notice in bus.notices(department):
            last[department, notice["subject"]] = sorted(one["measure"] for one in notice["measures"])
    return {"standings": standings, "told": {pair: measures for pair, measures in last.items() if measures}}


def test_order_and_repeats_do_not_matter(new_bus: BusFactory, tmp_path: Path) -> None:
    records = province(seed=23, count=1500)
    orders: Iterable[list[Record]] = (records, shuffled(records, random.Random(99), doubled=0.3))
    outcomes = []
    for number, ordered in enumerate(orders):
        folder = tmp_path / str(number)
        folder.mkdir()
        with live_bus(new_bus(), folder, today()) as bus:
            bus.feed(ordered)
            bus.settle(within=90)
            outcomes.append(outcome(bus))
    assert outcomes[0]["standings"] == outcomes[1]["standings"]
    assert outcomes[0]["told"] == outcomes[1]["told"]
    assert len(outcomes[0]["told"]) > 50


def test_delisting_before_listing_tells_nobody(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-05-06") as bus:
        target = {"target_type": "listing", "target_document": "粤税稽罚〔2026〕1号"}
        bus.publish("gd.tax", "withdrawal", FIRM, "粤税撤〔2026〕1号", **target)
        bus.settle()
        bus.listing("gd.tax", "TAX", FIRM, "粤税稽罚〔2026〕1号", decided_on="2026-05-04")
        bus.listing("gd.court", "COURT", FIRM, "（2026）粤01执9号", grounds="1", revision=2, performed_on="2026-05-05")
        bus.settle()
        bus.listing("gd.court", "COURT", FIRM, "（2026）粤01执9号", grounds="1", decided_on="2026-05-01")
        bus.settle()
        assert to_date(bus.clock.today).isoformat() == "2026-05-06"
        assert not any(bus.notices(department) for department in ("gd.fin", "gd.drc", "gd.prtc", "gd.amr", "gd.tax"))
        assert not bus.picture(FIRM)[1].told
