"""The closed loop on real servers: notice, delivery, execution, feedback, overdue, lift, confirmation (domain.md 10: 2, 3, 12)."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from exchange.domain.calendar import to_date
from exchange.domain.response import Obligation, ResponseRules, State, obligations
from exchange.domain.standing import Owed
from exchange.settings import Settings
from exchange.working_days import load_working_days
from tests.e2e.bus import LiveBus, live_bus
from tests.worlds import FIRM, PERSON

RULES = ResponseRules(deadline=load_working_days().deadlines())


def states(bus: LiveBus) -> dict[tuple[str, str], Obligation]:
    _, standing, _, judgement = bus.picture(FIRM)
    return {(one.department, one.measure): one for one in obligations(standing, judgement, RULES)}


def newest(bus: LiveBus, department: str) -> dict[str, Any]:
    bus.notices(department)
    return [notice for notice in bus.received[department] if notice["subject"] == FIRM][-1]


def respond(bus: LiveBus, department: str, measure: str, state: str, revision: int, **more: Any) -> None:
    """Feed back on the department's newest notice."""
    notice = newest(bus, department)
    bus.publish(
        department, "measure_feedback", FIRM, f"反馈-{department}-{measure}", notice_id=notice["id"], measure=measure,
        state=state, epoch=notice["epoch"], n=notice["n"], revision=revision, **more,
    )  # fmt: skip
    bus.settle()


def deliver(bus: LiveBus, department: str) -> None:
    """Prove the delivery of the department's newest notice, as the operator of the bus."""
    notice = newest(bus, department)
    bus.publish(
        "gd.data", "delivery_receipt", FIRM, f"回执-{notice['id']}", notice_id=notice["id"], receiver=department,
        epoch=notice["epoch"], n=notice["n"], channel="WEBHOOK",
    )  # fmt: skip
    bus.settle()


def gauge(bus: LiveBus, department: str) -> float | None:
    return bus.metrics.registry.get_sample_value("creditbus_overdue_responses", {"department": department})


def overdue(bus: LiveBus, department: str) -> list[tuple[str, Owed]]:
    return [one for number in range(bus.settings.partitions) for one in bus.store.overdue(number, department)]


def command(bus: LiveBus, *words: str) -> tuple[int, Any]:
    """Exit code and JSON of a command on this bus."""
    environment = {
        "CREDITBUS_KAFKA": str(bus.settings.kafka), "CREDITBUS_REDIS": bus.settings.redis,
        "CREDITBUS_TOPIC_PREFIX": bus.settings.topic_prefix, "CREDITBUS_PARTITIONS": str(bus.settings.partitions),
        "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli.main", *words, "--json"],
        capture_output=True, text=True, env=environment, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def initiated(bus: LiveBus, department: str, measure: str) -> list[str]:
    """The states that the initiating department of the first test is shown of a measure."""
    _, shown = command(bus, "responses", FIRM, "--initiator", "gd.hrss")
    rows = [row for row in shown["responses"] if (row["department"], row["measure"]) == (department, measure)]
    assert all(row["because_of"] == ["gd.hrss 粤人社监〔2026〕1号"] for row in rows)
    return [row["state"] for row in rows]


def test_2_from_the_notice_to_the_confirmed_lift(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-03-02") as bus:
        bus.listing("gd.hrss", "WAGE", FIRM, "粤人社监〔2026〕1号", grounds="1")
        bus.settle()
        ban = ("gd.fin", "procurement_ban")
        assert states(bus)[ban].state == State.NOTIFIED
        deliver(bus, "gd.fin")
        assert states(bus)[ban].state == State.DELIVERED
        respond(bus, *ban, "ACKNOWLEDGED", 1)
        assert states(bus)[ban].state == State.ACKNOWLEDGED
        respond(bus, *ban, "EXECUTED", 2, executed_on="2026-03-02", detail="已列入禁止参加名单", officer="07")
        assert states(bus)[ban].state == State.EXECUTED
        assert bus.count("feedback", department="gd.fin", state="executed") == 1

        code, shown = command(bus, "responses", FIRM, "--initiator", "gd.hrss")
        (row,) = [row for row in shown["responses"] if (row["department"], row["measure"]) == ban]
        assert (code, row["state"], row["executed_on"], row["officer"]) == (0, "executed", "2026-03-02", "07")
        assert row["because_of"] == ["gd.hrss 粤人社监〔2026〕1号"], "the initiating department sees who did what"
        assert command(bus, "responses", FIRM, "--initiator", "gd.tax")[1]["responses"] == []

        bus.publish(
            "gd.hrss", "withdrawal", FIRM, "粤人社撤〔2026〕1号", target_type="listing",
            target_document="粤人社监〔2026〕1号", reason="REVOKED",
        )  # fmt: skip
        bus.settle()
        notice = newest(bus, "gd.fin")
        assert "procurement_ban" in [one["measure"] for one in notice["lifted"]], "it says what is to be confirmed"
        assert states(bus)[ban].state == State.LIFTED
        assert initiated(bus, *ban) == ["lifted"], "the initiating department sees it to the end"
        deliver(bus, "gd.fin")
        assert states(bus)[ban].state == State.LIFT_DELIVERED
        respond(bus, *ban, "ENDED", 3)
        assert ban not in states(bus)
        assert initiated(bus, *ban) == ["lift_confirmed"]
        assert command(bus, "rebuild", "--yes")[0] == 0
        bus.settle()
        assert initiated(bus, *ban) == ["lift_confirmed"], "the records say what it rested on, not Redis"


def test_3_what_was_executed_stays_so_until_the_last_support_ends(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-03-02") as bus:
        bus.publish("gd.amr", "registration", FIRM, "设立〔2020〕1号", legal_representative=PERSON)
        bus.listing("gd.tax", "TAX", FIRM, "粤税稽罚〔2026〕1号", grounds="1", serious=True)
        bus.listing("gd.em", "SAFE", FIRM, "粤应急罚〔2026〕1号", grounds="2", serious=True)
        bus.settle()
        review = ("gd.drc", "bond_review")
        respond(bus, *review, "EXECUTED", 1)
        bus.move_to("2026-10-12")
        bus.publish(
            "gd.tax", "repair", FIRM, "粤税修〔2026〕1号", target_type="listing", target_document="粤税稽罚〔2026〕1号",
            state="GRANTED", corrected_on="2026-04-01", commitment=True,
        )  # fmt: skip
        bus.settle()
        assert states(bus)[review].state == State.EXECUTED, "SAFE still supports it: nothing is to be confirmed"
        _, shown = command(bus, "responses", PERSON, "--initiator", "gd.tax")
        assert {row["state"] for row in shown["responses"]} == {"lifted"}, "what reached a person is told of its source"
        bus.publish(
            "gd.em", "withdrawal", FIRM, "粤应急撤〔2026〕1号", target_type="listing", target_document="粤应急罚〔2026〕1号",
            reason="REVOKED",
        )  # fmt: skip
        bus.settle()
        assert states(bus)[review].state == State.LIFTED
        respond(bus, *review, "ENDED", 2)
        assert review not in states(bus)


def test_12_missing_feedback_is_an_open_row_reminds_and_escalates(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-03-02") as bus:
        bus.listing("gd.hrss", "WAGE", FIRM, "粤人社监〔2026〕1号", grounds="1")
        bus.settle()
        for (department, measure), one in states(bus).items():
            if department not in ("gd.fin", "gd.drc"):
                bus.notices(department)
                if department in bus.received:
                    respond(bus, department, measure, "EXECUTED", 1)
            assert one.is_open
        due = states(bus)["gd.fin", "procurement_ban"].respond_by
        respond(bus, "gd.fin", "procurement_ban", "ACKNOWLEDGED", 1)
        bus.notices("gd.fin")
        bus.move_to(to_date(due + 1).isoformat())
        (reminder,) = bus.notices("gd.fin")
        assert (reminder["changes"], {one["measure"] for one in reminder["overdue"]} >= {"procurement_ban"}) == (
            [],
            True,
        )
        assert bus.count("overdue_told", department="gd.fin", kind="reminder") == 1

        owed = len(overdue(bus, "gd.fin"))
        assert owed == len(reminder["overdue"])
        code, shown = command(bus, "overdue", "--department", "gd.fin")
        assert code == 1
        assert {row["measure"] for row in shown["overdue"]} == {one["measure"] for one in reminder["overdue"]}
        until = time.monotonic() + 90
        while gauge(bus, "gd.fin") != owed:
            assert time.monotonic() < until, f"the gauge says {gauge(bus, 'gd.fin')}, not {owed}"
            time.sleep(0.2)

        bus.notices("gd.drc")
        escalated_on = RULES.deadline(due, bus.settings.escalate_after_working_days)[0] + 1
        bus.move_to(to_date(escalated_on).isoformat())
        told = [n for n in bus.notices("gd.drc") if any(one["department"] == "gd.fin" for one in n["overdue"])]
        assert len(told) == 1, "the lead of the credit system hears of it once"

        before = overdue(bus, "gd.fin")
        bus.notices("gd.fin")
        assert command(bus, "rebuild", "--yes")[0] == 0
        bus.settle()
        assert overdue(bus, "gd.fin") == before
        assert not bus.notices("gd.fin"), "nobody is reminded again"
        assert not bus.notices("gd.drc")

        for _, owing in before:
            respond(bus, "gd.fin", owing.measure, "EXECUTED", 2)
        assert not bus.notices("gd.fin"), "who has answered knows"
        assert [one for one in newest(bus, "gd.drc")["overdue"] if one["department"] == "gd.fin"] == []
        assert command(bus, "overdue", "--department", "gd.fin") == (0, {"overdue": []})
