"""Risk classes on the real bus: from a record to a class, from a withdrawal back, a year later anew, and the commands that ask."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from exchange.answers import today_in_china
from exchange.domain.synthetic import synthetic_uscc
from tests.conftest import BusFactory, environment_of
from tests.e2e.bus import LiveBus, live_bus
from tests.risk_bus import RiskBeside
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
DAY = "2024-03-05"
TODAY = today_in_china()
"""What arrived is known from its real day on, so whoever asks about a day asks about this one."""
FIRMS = [f"org:{synthetic_uscc(number)}" for number in range(1, 13)]
GOOD, BAD, GONE = FIRMS[:3]


@pytest.fixture
def bus(new_bus: BusFactory, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveBus]:
    with live_bus(new_bus(), tmp_path, getattr(request, "param", DAY)) as made:
        yield made


@pytest.fixture
def risk(bus: LiveBus) -> Iterator[RiskBeside]:
    for number, subject in enumerate(FIRMS):
        division = "440300" if number % 2 else "440100"
        bus.publish(
            "gd.amr",
            "registration",
            subject,
            "设立",
            subject_name=f"合成第{number}号有限公司",
            division=division,
            kind="ENTERPRISE",
            decided_on="2018-01-01",
        )
    bus.settle()
    with RiskBeside(bus, bus.clock) as made:
        yield made


def test_a_class_follows_the_records_and_is_told_once(bus: LiveBus, risk: RiskBeside) -> None:
    risk.start_here()
    risk.wait_done()
    assert {risk.observed(subject)[:2] for subject in FIRMS} == {(1, "A")}
    for number in (1, 2):
        bus.publish("gd.eco", "penalty", BAD, f"罚{number}", severity="SERIOUS")
    bus.listing("gd.tax", "TAX", BAD, "列1", grounds="1", serious=True)
    wait_until(lambda: risk.observed(BAD)[1:3] == ("D", 4500))
    bus.publish("gd.eco", "withdrawal", BAD, "撤1", target_type="penalty", target_document="罚1", reason="WITHDRAWN")
    wait_until(lambda: risk.observed(BAD)[1:3] == ("C", 3500))
    bus.publish("gd.tax", "withdrawal", BAD, "撤2", target_type="listing", target_document="列1", reason="WITHDRAWN")
    wait_until(lambda: risk.observed(BAD)[1:3] == ("B", 1000))
    bus.publish("gd.amr", "registration", GONE, "设立", revision=2, kind="ENTERPRISE", status="CANCELLED")
    wait_until(lambda: risk.observed(GONE).revision == 2)
    assert risk.observed(GONE).valid_until == bus.clock.today
    risk.wait_done()
    said = risk.published()
    risk.stop_here()
    assert not risk.contradictions()
    assert not risk.gaps()
    assert risk.published() == said, "a class does not answer itself"
    assert {subject for subject, revision, _, _ in said if revision > 1} == {BAD, GONE}
    assert risk.count("risk_published_total", **{"class": "A", "cause": "month"}) == len(FIRMS)
    assert not bus.rejections("gd.amr")
    bus.settle()
    assert not any(measure for measure in bus.picture(GOOD)[3].measures.values())


def test_months_and_years_pass(bus: LiveBus, risk: RiskBeside) -> None:
    for number in (1, 2):
        bus.publish("gd.eco", "penalty", BAD, f"罚{number}", severity="SERIOUS")
    bus.settle()
    risk.start_here()
    risk.wait_done()
    assert risk.observed(BAD)[1:3] == ("C", 2000)
    bus.clock.move_to("2024-12-01")
    risk.wait_done()  # nobody said anything: the round finds that points have faded
    assert risk.observed(BAD)[:3] == (2, "B", 1504)
    bus.clock.move_to("2025-01-02")
    risk.wait_done()
    others = [subject for subject in FIRMS if subject != BAD]
    wait_until(lambda: {risk.observed(one)[:2] for one in others} == {(1, "A")}, "a document of the new year for each")
    assert risk.observed(BAD).valid_until == risk.observed(GOOD).valid_until
    wait_until(lambda: risk.count("risk_classes", **{"class": "A"}) >= len(FIRMS) - 1, "the gauge")


@pytest.mark.parametrize("bus", [TODAY.isoformat()], indirect=True)
def test_the_commands(bus: LiveBus, risk: RiskBeside, tmp_path: Path) -> None:
    bus.listing("gd.tax", "TAX", BAD, "列1", grounds="1", serious=True)
    bus.settle()
    risk.start_here()
    risk.wait_done()
    environment = environment_of(bus.settings) | {"COLUMNS": "200"}

    def creditbus(*arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "deploy.cli", "risk", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    explained = json.loads(creditbus("explain", BAD, "--json"))
    assert (explained["class"], explained["points"], explained["inspection_percent"]) == ("C", 25.0, 10.0)
    assert [(one["indicator"], one["points"], one["documents"]) for one in explained["shares"]] == [
        ("black_list", 25.0, ["gd.tax 列1"])
    ]
    assert explained["published"] == {"class": "C", "points": 25.0, "revision": 1}
    before = json.loads(creditbus("explain", BAD, "--as-of", (TODAY - timedelta(1)).isoformat(), "--json"))
    assert not before["classed"], "nothing of it had arrived"
    assert "列入严重失信主体名单" in creditbus("explain", BAD.removeprefix("org:"))
    assert json.loads(creditbus("model", "--json"))["classes"][3]["class"] == "D"

    frame = tmp_path / "frame.csv"
    arguments = ("sample", "-d", "gd.amr", "--seed", "20240305", "--frame", str(frame), "--json")
    drawn = creditbus(*arguments)
    assert creditbus(*arguments) == drawn
    found = json.loads(drawn)
    assert [(one["letter"], one["firms"], one["drawn"]) for one in found["strata"]] == [
        ("A", 11, 1),
        ("B", 0, 0),
        ("C", 1, 1),
        ("D", 0, 0),
    ]
    assert {"subject": BAD, "class": "C"} in found["drawn"]
    of_city = json.loads(creditbus("sample", "-d", "gd.amr", "--seed", "1", "--division", "4401", "--json"))
    assert sum(one["firms"] for one in of_city["strata"]) == 6
    said = tmp_path / "drawn.json"
    said.write_text(drawn)
    assert creditbus("verify", str(said), "--frame", str(frame)).startswith("ok")
    found["drawn"].pop()
    said.write_text(json.dumps(found))
    assert "drawn" in creditbus("verify", str(said), "--frame", str(frame), code=1)
    assert creditbus("sample", "-d", "gd.nobody", "--seed", "1", code=1).startswith("error[unknown_department]")
