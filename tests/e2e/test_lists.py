"""Acceptance scenarios 1, 2, 3, 6 and 7: lists and their terms, repair, last support, the serious list, rules without basis."""

from datetime import date
from pathlib import Path

import pytest

from exchange.domain.calendar import day_of, to_day
from exchange.domain.synthetic import synthetic_uscc
from exchange.settings import Settings
from exchange.working_days import load_working_days
from tests.e2e.bus import live_bus

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

FIRM, OTHER = f"org:{synthetic_uscc(1)}", f"org:{synthetic_uscc(2)}"
WAGE_RESPONDERS = ("gd.csrc", "gd.drc", "gd.fin", "gd.hrss", "gd.pbc", "gd.prtc", "gd.tax")


def test_1_court_listing_two_years_extension_and_no_end_until_performance(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, "2024-01-10") as bus:
        bus.listing("gd.court", "COURT", FIRM, "（2024）粤01执1号", grounds="3", serious=True)
        bus.listing("gd.court", "COURT", OTHER, "（2024）粤01执2号", grounds="1", serious=True)
        bus.settle()
        assert ("IMPOSED", "procurement_ban") in bus.changes("gd.fin", FIRM)
        [support] = bus.in_force("gd.fin", FIRM)["procurement_ban"]["listings"]
        assert (support["list_code"], support["until"]) == ("COURT", date(2026, 1, 10)), "ground 3: two years"
        [support] = bus.in_force("gd.fin", OTHER)["procurement_ban"]["listings"]
        assert support["until"] is None, "ground 1: no end until performance"

        bus.move_to("2025-12-01")
        bus.publish(
            "gd.court", "listing_extension", FIRM, "（2025）粤01执延1号", target_document="（2024）粤01执1号",
            extend_months=8,
        )  # fmt: skip
        bus.settle()
        assert ("CHANGED", "procurement_ban") in bus.changes("gd.fin", FIRM)
        [support] = bus.in_force("gd.fin", FIRM)["procurement_ban"]["listings"]
        assert support["until"] == date(2026, 9, 10)

        bus.move_to("2026-09-09")
        assert "procurement_ban" in bus.in_force("gd.fin", FIRM)
        bus.move_to("2026-09-10")
        assert ("LIFTED", "procurement_ban") in bus.changes("gd.fin", FIRM)
        assert not bus.in_force("gd.fin", FIRM)
        assert "procurement_ban" in bus.in_force("gd.fin", OTHER), "without a term it holds on"

        bus.move_to("2026-09-14")
        performed = "2026-09-11"
        bus.listing(
            "gd.court", "COURT", OTHER, "（2024）粤01执2号", grounds="1", serious=True, revision=2, decided_on="2024-01-10",
            performed_on=performed,
        )  # fmt: skip
        bus.settle()
        assert ("LIFTED", "procurement_ban") in bus.changes("gd.fin", OTHER)
        lifted = bus.received["gd.fin"][-1]
        latest, _ = load_working_days().add(
            to_day(date.fromisoformat(performed)), bus.policy.lists["COURT"].removal_working_days
        )
        assert day_of(int(lifted["issued_at"].timestamp() * 1000)) <= latest, "gone within three working days"
        assert not bus.in_force("gd.fin", OTHER)


def test_1_court_extension_of_two_years(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2022-01-10") as bus:
        bus.listing("gd.court", "COURT", FIRM, "（2022）粤01执3号", grounds="2")
        bus.settle()
        bus.publish(
            "gd.court", "listing_extension", FIRM, "（2022）粤01执延3号", target_document="（2022）粤01执3号",
            extend_months=24,
        )  # fmt: skip
        bus.move_to("2024-01-10")
        assert "bidding_limit" in bus.in_force("gd.prtc", FIRM), "two years alone would be over"
        bus.move_to("2026-01-09")
        assert "bidding_limit" in bus.in_force("gd.prtc", FIRM)
        bus.move_to("2026-01-10")
        assert not bus.in_force("gd.prtc", FIRM)


def test_2_wage_listing_lifts_six_months_after_payment_for_all_departments_in_step(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, "2025-04-14") as bus:
        bus.listing("gd.hrss", "WAGE", FIRM, "粤人社监〔2025〕1号", grounds="1")
        bus.settle()
        for department in WAGE_RESPONDERS:
            assert bus.in_force(department, FIRM), department
        bus.move_to("2025-06-03")  # paid on day 40, application granted ten days later
        bus.publish(
            "gd.hrss", "repair", FIRM, "粤人社修〔2025〕1号", target_type="listing", target_document="粤人社监〔2025〕1号",
            state="GRANTED", corrected_on="2025-05-24", commitment=True,
        )  # fmt: skip
        bus.settle()
        assert bus.in_force("gd.fin", FIRM)["procurement_ban"]["listings"][0]["until"] == date(2025, 11, 24)
        bus.move_to("2025-11-23")
        assert all(bus.in_force(department, FIRM) for department in WAGE_RESPONDERS)

        bus.move_to("2025-11-24")
        lifts = {}
        for department in WAGE_RESPONDERS:
            [notice] = [n for n in bus.notices(department) if n["subject"] == FIRM]
            assert {change["action"] for change in notice["changes"]} == {"LIFTED"}
            assert notice["measures"] == []
            lifts[department] = notice
        assert len({notice["issued_at"] for notice in lifts.values()}) == 1, "in step"

        for department, notice in lifts.items():
            bus.publish(
                department, "measure_feedback", FIRM, f"回执-{department}", notice_id=notice["id"],
                measure=notice["changes"][0]["measure"], state="ENDED",
            )  # fmt: skip
        bus.settle()
        assert bus.picture(FIRM)[1].counts["measure_feedback"] == len(WAGE_RESPONDERS)


def test_3_bond_review_rests_on_tax_and_safe_until_the_last_support_ends(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, "2025-01-06") as bus:
        bus.listing("gd.tax", "TAX", FIRM, "粤税稽罚〔2025〕1号", grounds="1", serious=True)
        bus.listing("gd.em", "SAFE", FIRM, "粤应急罚〔2025〕1号", grounds="2", serious=True)
        bus.settle()
        review = bus.in_force("gd.drc", FIRM)["bond_review"]
        assert {one["list_code"] for one in review["listings"]} == {"TAX", "SAFE"}
        assert "procurement_ban" in bus.in_force("gd.fin", FIRM)

        bus.move_to("2025-08-04")
        bus.publish(
            "gd.tax", "repair", FIRM, "粤税修〔2025〕1号", target_type="listing", target_document="粤税稽罚〔2025〕1号",
            state="GRANTED", corrected_on="2025-02-03", commitment=True,
        )  # fmt: skip
        bus.settle()
        assert ("CHANGED", "bond_review") in bus.changes("gd.drc", FIRM)
        review = bus.in_force("gd.drc", FIRM)["bond_review"]
        assert [one["list_code"] for one in review["listings"]] == ["SAFE"], "repair of TAX alone does not lift it"
        assert ("LIFTED", "procurement_ban") in bus.changes("gd.fin", FIRM), "what rested on TAX alone is lifted"

        bus.publish(
            "gd.em", "withdrawal", FIRM, "粤应急撤〔2025〕1号", target_type="listing", target_document="粤应急罚〔2025〕1号",
            reason="REVOKED",
        )  # fmt: skip
        bus.settle()
        assert ("LIFTED", "bond_review") in bus.changes("gd.drc", FIRM)
        assert not bus.in_force("gd.drc", FIRM)


def test_6_customs_listing_off_the_serious_list_obliges_nobody_since_2021(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, "2020-03-02") as bus:
        bus.listing("gd.customs", "CUST", FIRM, "粤关罚〔2020〕1号", grounds="2", term_months=60)
        bus.settle()
        assert "bond_review" in bus.in_force("gd.drc", FIRM), "before November 2021 every listing counted"
        bus.move_to("2021-11-01")
        assert ("LIFTED", "bond_review") in bus.changes("gd.drc", FIRM)

        bus.move_to("2024-05-06")
        bus.listing("gd.customs", "CUST", OTHER, "粤关罚〔2024〕1号", grounds="2")
        bus.settle()
        _, standing, _, judgement = bus.picture(OTHER)
        assert [holding.list_code for holding in judgement.holdings] == ["CUST"], "it is known"
        assert not judgement.measures
        assert not standing.told
        assert not any(bus.changes(department, OTHER) for department in ("gd.drc", "gd.fin", "gd.prtc", "gd.csrc"))

        bus.move_to("2025-06-02")
        bus.listing("gd.customs", "CUST", OTHER, "粤关罚〔2024〕1号", grounds="2", revision=2, serious=True)
        bus.settle()
        assert "government_funds_limit" in bus.in_force("gd.fin", OTHER), "on the serious list it does oblige"


def test_7_rule_without_basis_in_force_tells_nobody_and_is_counted(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2025-09-01") as bus:
        bus.listing("gd.tax", "TAX", FIRM, "粤税稽罚〔2025〕7号", grounds="5", serious=True)
        bus.settle()
        told = bus.in_force("gd.amr", FIRM)
        assert told, "the department has other measures of this list"
        assert "production_licence_limit" not in told, "its basis ended in 2021"
        assert ("IMPOSED", "production_licence_limit") not in bus.changes("gd.amr", FIRM)
        assert bus.count("rule_without_basis", list_code="TAX", measure="production_licence_limit") >= 1
        assert bus.count("notices", department="gd.amr", measure="production_licence_limit", action="imposed") == 0
        assert bus.count("notices", department="gd.amr", measure="no_awards", action="imposed") == 1
