"""Acceptance scenarios 4, 5, 8, 9, 10: late publication, publicity, bad codes, older codes, departments that follow each other."""

from datetime import time
from pathlib import Path

import pytest

from exchange.domain.calendar import day_of
from exchange.domain.fold import UNCOUNTED
from exchange.domain.publicity import is_public
from exchange.domain.record import entry_key, split_key
from exchange.domain.synthetic import (
    synthetic_organisation_code,
    synthetic_registration_number,
    synthetic_uscc,
)
from exchange.errors import RejectedError
from exchange.settings import Settings
from tests.e2e.bus import LiveBus, live_bus
from tests.worlds import day

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

FIRM, OTHER = f"org:{synthetic_uscc(1)}", f"org:{synthetic_uscc(2)}"
BAD_INNER_DIGIT = "91440300100001686X"
"""Passes mod 31 of GB 32100, fails the inner digit of GB 11714 (a damaged code, of nobody)."""
VILLAGE = "N2441900PDY000044K"


def late(bus: LiveBus, department: str, record_type: str) -> float:
    return bus.count("late_publications", department=department, record_type=record_type)


def test_4_published_after_the_seventh_working_day_is_late_with_make_up_days(
    bus_settings: Settings, tmp_path: Path
) -> None:
    # Decided on the last day before the National Day holiday of 2024 (1 to 7 October); Saturday 12 October makes up for it,
    # so the seventh working day is Tuesday 15 October.
    with live_bus(bus_settings, tmp_path, "2024-09-30") as bus:
        bus.move_to("2024-10-15", time(23, 59))
        bus.publish("gd.eco", "penalty", FIRM, "粤环罚〔2024〕1号", decided_on="2024-09-30", severity="GENERAL")
        bus.settle()
        assert late(bus, "gd.eco", "penalty") == 0, "on the seventh working day it is in time"
        bus.move_to("2024-10-16", time(0, 1))
        bus.publish("gd.eco", "penalty", FIRM, "粤环罚〔2024〕2号", decided_on="2024-09-30", severity="GENERAL")
        bus.publish("gd.em", "penalty", FIRM, "粤应急罚〔2024〕2号", decided_on="2024-10-08", severity="GENERAL")
        bus.publish("gd.health", "licence", FIRM, "粤卫许〔2024〕2号", decided_on="2024-09-29")
        bus.settle()
        assert late(bus, "gd.eco", "penalty") == 1
        assert late(bus, "gd.em", "penalty") == 0
        assert late(bus, "gd.health", "licence") == 1
        assert bus.picture(FIRM)[1].counts["penalty"] == 3, "late or not, it counts"


def test_5_a_minor_penalty_is_public_by_the_rules_of_its_own_day(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2025-06-02") as bus:
        bus.publish("gd.tax", "penalty", FIRM, "粤税简罚〔2025〕1号", severity="MINOR", simple_procedure=True)
        bus.move_to("2026-04-02")
        bus.publish("gd.tax", "penalty", FIRM, "粤税简罚〔2026〕1号", severity="MINOR", simple_procedure=True)
        bus.publish("gd.tax", "penalty", FIRM, "粤税罚〔2026〕2号", severity="GENERAL")
        bus.settle()

        def public(document: str, on: str) -> bool:
            entries = bus.picture(FIRM)[2]
            return is_public(entries[entry_key("penalty", "gd.tax", document)], bus.policy, day(on))

        assert not public("粤税简罚〔2026〕1号", "2026-04-02")
        assert public("粤税罚〔2026〕2号", "2026-04-02")
        assert public("粤税简罚〔2025〕1号", "2026-04-02"), "the older term holds for the older penalty"
        assert not public("粤税简罚〔2025〕1号", "2028-06-02")

        bus.move_to("2026-09-01")
        bus.publish(
            "gd.tax", "repair", FIRM, "粤税修〔2026〕2号", target_type="penalty", target_document="粤税罚〔2026〕2号",
            state="GRANTED", corrected_on="2026-05-01", commitment=True,
        )  # fmt: skip
        bus.settle()
        assert public("粤税罚〔2026〕2号", "2026-08-31")
        assert not public("粤税罚〔2026〕2号", "2026-09-01"), "repair ends publicity"


def test_8_bad_inner_check_digit_is_rejected_and_a_village_code_accepted(
    bus_settings: Settings, tmp_path: Path
) -> None:
    with live_bus(bus_settings, tmp_path, "2026-05-06") as bus:
        with pytest.raises(RejectedError) as refused:
            bus.listing("gd.tax", "TAX", f"org:{BAD_INNER_DIGIT}", "粤税稽罚〔2026〕8号")
        assert [reason.code for reason in refused.value.reasons] == ["organisation_code_check_digit"]

        value = bus.record(f"org:{BAD_INNER_DIGIT}", "粤税稽罚〔2026〕8号", department="gd.tax", list_code="TAX")
        bus.feed([("gd.tax", "listing", value)])  # a department that goes round the publisher's checks
        bus.listing("gd.tax", "TAX", f"org:{VILLAGE}", "粤税稽罚〔2026〕9号")
        bus.settle()
        [rejected] = bus.rejections("gd.tax")
        assert [(r["code"], r["field"]) for r in rejected["reasons"]] == [("organisation_code_check_digit", "subject")]
        assert rejected["raw"] == bus.codec.encode("listing", value)
        assert bus.count("rejections", department="gd.tax", reason="organisation_code_check_digit") == 1
        assert "procurement_ban" in bus.in_force("gd.fin", f"org:{VILLAGE}")
        assert bus.picture(VILLAGE)[1].counts == {"listing": 1}


def test_9_older_codes_first_then_the_uscc_joins_all_histories(bus_settings: Settings, tmp_path: Path) -> None:
    code = synthetic_organisation_code(1)
    aliases = {
        "REGISTRATION_NUMBER": f"reg:{synthetic_registration_number(1)}",
        "ORGANISATION_CODE": f"orgcode:{code}",
        "TAX_REGISTRATION": f"tax:440300{code}",
        "INSTITUTION_CERTIFICATE": "inst:事证144000000001",
        "SOCIAL_ORGANISATION_CERTIFICATE": "soc:粤社证0001",
    }
    by_registration_number = aliases["REGISTRATION_NUMBER"]
    with live_bus(bus_settings, tmp_path, "2026-05-06") as bus:
        bus.listing("gd.tax", "TAX", by_registration_number, "粤税稽罚〔2026〕1号", grounds="1", serious=True)
        for number, subject in enumerate(aliases.values()):
            bus.publish("gd.eco", "penalty", subject, f"粤环罚〔2026〕{number}号", severity="GENERAL")
        bus.settle()
        assert "procurement_ban" in bus.in_force("gd.fin", by_registration_number)
        assert bus.picture(by_registration_number)[0] == by_registration_number

        bus.publish(
            "gd.amr", "registration", FIRM, "设立", kind="ENTERPRISE", subject_name="合成一号有限公司",
            aliases=[{"kind": kind, "code": subject.partition(":")[2]} for kind, subject in aliases.items()],
        )  # fmt: skip
        bus.settle()
        assert "procurement_ban" in bus.in_force("gd.fin", FIRM)
        assert not bus.in_force("gd.fin", by_registration_number), "the alias holds nothing of its own any more"
        for subject in (FIRM, *aliases.values()):
            name, standing, entries, judgement = bus.picture(subject)
            assert name == FIRM, "six codes, one entity"
            assert (standing.counts["listing"], standing.counts["penalty"]) == (1, len(aliases))
            assert sum(split_key(key)[0] not in UNCOUNTED for key in entries) == 2 + len(aliases)
            assert "procurement_ban" in judgement.measures["gd.fin"]

        bus.publish("gd.eco", "penalty", aliases["TAX_REGISTRATION"], "粤环罚〔2026〕99号", severity="MINOR")
        bus.settle()
        assert bus.picture(FIRM)[1].counts["penalty"] == len(aliases) + 1, "an old code goes on leading there"

        bus.publish(
            "gd.tax", "withdrawal", by_registration_number, "粤税撤〔2026〕1号", target_type="listing",
            target_document="粤税稽罚〔2026〕1号",
        )  # fmt: skip
        bus.settle()
        assert not bus.in_force("gd.fin", FIRM)


def test_10_a_department_and_its_successor_give_one_picture(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2018-03-05") as bus:
        bus.listing("gd.fda", "FOOD", FIRM, "粤食药监严〔2018〕1号", grounds="1", serious=True)
        bus.settle()
        first_day = day_of(bus.clock.ms)
        assert "more_inspections" in bus.in_force("gd.eco", FIRM)

        bus.move_to("2019-03-04")
        bus.listing("gd.amr", "FOOD", FIRM, "粤市监严〔2019〕1号", grounds="1", serious=True)
        bus.settle()
        supports = bus.in_force("gd.eco", FIRM)["more_inspections"]["listings"]
        assert sorted((one["department"], one["document"]) for one in supports) == [
            ("gd.amr", "粤市监严〔2019〕1号"),
            ("gd.fda", "粤食药监严〔2018〕1号"),
        ]
        _, standing, entries, _ = bus.picture(FIRM)
        assert standing.counts == {"listing": 2}, "one picture"
        decided_by = {key.split("/")[1]: entry.versions[""].decided_on for key, entry in entries.items()}
        assert decided_by["gd.fda"] == first_day
        names = {slug: bus.catalogue.name_of(slug, on) for slug, on in decided_by.items()}
        assert names == {"gd.fda": "广东省食品药品监督管理局", "gd.amr": "广东省市场监督管理局"}

        value = bus.record(
            FIRM, "粤税撤〔2019〕1号", department="gd.tax", target_department="gd.fda", target_type="listing",
            target_document="粤食药监严〔2018〕1号",
        )  # fmt: skip
        bus.feed([("gd.tax", "withdrawal", value)])
        bus.settle()
        [rejected] = bus.rejections("gd.tax")
        assert [reason["code"] for reason in rejected["reasons"]] == ["not_the_decider"]
        assert len(bus.in_force("gd.eco", FIRM)["more_inspections"]["listings"]) == 2

        bus.publish(
            "gd.amr", "withdrawal", FIRM, "粤市监撤〔2019〕1号", target_department="gd.fda", target_type="listing",
            target_document="粤食药监严〔2018〕1号", reason="REVOKED",
        )  # fmt: skip
        bus.settle()
        [support] = bus.in_force("gd.eco", FIRM)["more_inspections"]["listings"]
        assert support["department"] == "gd.amr", "the successor withdrew its predecessor's decision"
        assert set(entries) <= set(bus.picture(FIRM)[2]), "both stay in the record"
