"""A warning on real servers: to the departments of its domain as a notice, answered, made graver, and lifted when it ends."""

from datetime import date
from pathlib import Path

import pytest

from exchange.domain.response import ResponseRules, State, obligations
from exchange.domain.synthetic import synthetic_uscc
from exchange.settings import Settings
from exchange.working_days import load_working_days
from tests.e2e.bus import LiveBus, live_bus

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

SERIES = "series:penalty.department.gd.eco"
FIRM = f"org:{synthetic_uscc(1)}"
RULES = ResponseRules(deadline=load_working_days().deadlines())


def warn(bus: LiveBus, subject: str, revision: int = 1, **fields: object) -> None:
    given = {
        "signal": "PENALTY",
        "domain": "ENVIRONMENT",
        "level": "YELLOW",
        "observed": 40,
        "explanation_zh": "处罚增多",
    }
    until = {"valid_until": date(2026, 6, 18)}
    bus.publish(
        "gd.data",
        "early_warning",
        subject,
        "YJ-1",
        revision=revision,
        decided_on="2026-05-20",
        **(given | until | fields),
    )
    bus.settle()


def state_of(bus: LiveBus, subject: str, department: str, measure: str) -> State | None:
    _, standing, _, judgement = bus.picture(subject)
    found = [
        one for one in obligations(standing, judgement, RULES) if (one.department, one.measure) == (department, measure)
    ]
    return found[0].state if found else None


def answer(bus: LiveBus, subject: str, department: str, measure: str, state: str, revision: int) -> None:
    newest = [one for one in bus.received[department] if one["subject"] == subject][-1]
    bus.publish(
        department, "measure_feedback", subject, f"反馈-{measure}", notice_id=newest["id"], measure=measure, state=state,
        epoch=newest["epoch"], n=newest["n"], revision=revision, detail="已核实",
    )  # fmt: skip
    bus.settle()


def test_a_warning_about_a_series_reaches_its_department_is_answered_and_lifted(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, "2026-05-20") as bus:
        warn(bus, SERIES)
        assert bus.changes("gd.eco", SERIES) == [("IMPOSED", "warning_prompt")]
        [listing] = bus.in_force("gd.eco", SERIES)["warning_prompt"]["listings"]
        assert (listing["list_code"], listing["document"], listing["until"]) == (
            "WARN-ENVIRONMENT",
            "YJ-1",
            date(2026, 6, 19),
        )
        assert bus.changes("gd.amr", SERIES) == [], "another domain's department is not told"
        answer(bus, SERIES, "gd.eco", "warning_prompt", "EXECUTED", 1)
        assert state_of(bus, SERIES, "gd.eco", "warning_prompt") is State.EXECUTED

        warn(bus, SERIES, 2, level="ORANGE", observed=90)
        assert bus.changes("gd.eco", SERIES) == [("IMPOSED", "priority_attention")]
        warn(bus, SERIES, 2, level="ORANGE", observed=90)
        warn(bus, SERIES, 3, level="ORANGE", observed=70)
        assert bus.changes("gd.eco", SERIES) == [], "a further day of the same level is no news"

        warn(bus, SERIES, 4, level="ORANGE", state="ENDED")
        assert bus.changes("gd.eco", SERIES) == [("LIFTED", "priority_attention"), ("LIFTED", "warning_prompt")]
        assert bus.in_force("gd.eco", SERIES) == {}
        answer(bus, SERIES, "gd.eco", "warning_prompt", "ENDED", 2)
        assert state_of(bus, SERIES, "gd.eco", "warning_prompt") is None
        warn(bus, SERIES, 3, level="ORANGE", observed=70)
        assert bus.changes("gd.eco", SERIES) == [], "what comes late changes nothing"


def test_a_warning_that_nobody_renews_lapses_and_one_withdrawn_is_gone(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-05-20") as bus:
        warn(bus, FIRM, domain="MARKET", signal="PENALTY_BURST")
        assert bus.changes("gd.amr", FIRM) == [("IMPOSED", "warning_prompt")]
        bus.move_to("2026-06-18")
        assert "warning_prompt" in bus.in_force("gd.amr", FIRM), "the last day counts"
        bus.move_to("2026-06-19")
        assert not bus.in_force("gd.amr", FIRM)
        warn(bus, FIRM, 2, domain="MARKET", valid_until=date(2026, 7, 18))
        assert "warning_prompt" in bus.in_force("gd.amr", FIRM), "renewed"
        bus.publish("gd.data", "withdrawal", FIRM, "撤-1", target_type="early_warning", target_document="YJ-1")
        bus.settle()
        assert not bus.in_force("gd.amr", FIRM)


def test_only_the_platform_warns_and_only_warnings_are_about_series(bus_settings: Settings, tmp_path: Path) -> None:
    from exchange.errors import RejectedError

    with live_bus(bus_settings, tmp_path, "2026-05-20") as bus:
        with pytest.raises(RejectedError, match="type_not_granted"):
            bus.publish("gd.eco", "early_warning", SERIES, "YJ-9")
        with pytest.raises(RejectedError, match="not_about_series"):
            bus.publish("gd.eco", "penalty", SERIES, "罚-9")
        with pytest.raises(RejectedError, match="series_shape"):
            bus.publish("gd.data", "early_warning", "series:penalty.region.440300'", "YJ-9")
