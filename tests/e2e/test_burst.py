"""Acceptance scenario 11: a burst of listings, a processor killed in the middle of it; order and no repeats.

The burst of 700,000 is `creditbus bench growth`.
"""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.bodies import FeedbackState
from exchange.domain.synthetic import synthetic_uscc
from exchange.settings import Settings
from tests.e2e.bus import LiveBus
from tests.faults.bus import Record, kill

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]
SUBJECTS, LISTINGS = 300, 3000
RESPONDERS = ("gd.fin", "gd.prtc", "gd.tax", "gd.drc")


def burst(bus: LiveBus) -> Iterator[Record]:
    """Listings, and now and then the withdrawal of an earlier one."""
    rnd = random.Random(11)
    for number in range(LISTINGS):
        department, list_code = rnd.choice(
            (("gd.tax", "TAX"), ("gd.court", "COURT"), ("gd.hrss", "WAGE"), ("gd.em", "SAFE"))
        )
        subject = f"org:{synthetic_uscc(rnd.randrange(1, SUBJECTS))}"
        document = f"{list_code}〔2026〕{number}号"
        yield department, "listing", bus.record(
            subject, document, department=department, list_code=list_code, grounds="1", serious=True
        )  # fmt: skip
        if rnd.random() < 0.5:
            yield department, "withdrawal", bus.record(
                subject, f"撤{number}号", department=department, target_type="listing", target_document=document,
                target_department="",
            )  # fmt: skip


def feed_back(bus: LiveBus, notices: dict[str, dict[str, Any]]) -> None:
    """The department answers every subject's newest notice that has measures, twice, over a restart of the processor."""
    answers = [
        ("gd.fin", "measure_feedback", bus.record(
            subject, f"反馈-{notice['id']}", department="gd.fin", notice_id=notice["id"], state="EXECUTED",
            measure=notice["measures"][0]["measure"], epoch=notice["epoch"], n=notice["n"],
        ))
        for subject, notice in notices.items()
    ]  # fmt: skip
    bus.feed(answers)
    bus.start("third")
    bus.feed(answers)
    bus.settle(within=90)
    bus.stop_all()
    assert not bus.notices("gd.fin"), "an answer is answered by nothing"
    for subject, notice in notices.items():
        measure = notice["measures"][0]["measure"]
        answer = bus.picture(subject)[1].answers[f"gd.fin {measure}"]
        assert (answer.state, answer.n) == (FeedbackState.EXECUTED, notice["n"])
    bus.verify()


def test_11_a_burst_keeps_its_order_and_repeats_nothing_over_a_restart(bus_settings: Settings, tmp_path: Path) -> None:
    given = {name: getattr(bus_settings, name) for name in bus_settings.model_fields_set}
    settings = Settings(**given | {"partitions": 2, "session_timeout_seconds": 2.0})
    bus = LiveBus(settings, tmp_path, datetime.now(UTC).date().isoformat())
    try:
        bus.feed(burst(bus))
        first = bus.start("first")
        until = time.monotonic() + 120
        while bus.taken_in() < bus.fed // 4:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert bus.taken_in() < bus.fed, "killed in the middle"
        kill(first)
        bus.start("first")
        bus.settle(within=90)
        bus.stop_all()
        verdict = bus.verify()
        assert verdict.records == bus.fed
        assert verdict.notices > SUBJECTS

        for department in RESPONDERS:
            notices = bus.notices(department)
            assert len({notice["id"] for notice in notices}) == len(notices) > 0, "no notice twice"
            assert bus.inbox(department).dropped == 0, "not even one for the inbox to drop"
            last: dict[str, tuple[int, int]] = {}
            for notice in notices:
                assert last.get(notice["subject"], (0, 0)) < (notice["epoch"], notice["n"]), (
                    "in order, for each subject"
                )
                last[notice["subject"]] = (notice["epoch"], notice["n"])
            if department == "gd.fin":
                executed = {notice["subject"]: notice for notice in notices if notice["measures"]}
        feed_back(bus, executed)
    finally:
        bus.close()
