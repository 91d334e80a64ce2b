"""The person key is changed while departments go on publishing, one by one: a person stays one person."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from exchange.pseudonym import PersonKeys, person_subjects
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.e2e.bus import live_bus

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]
KEYS = "k2:" + "22" * 32 + ",k1:" + "11" * 32
ID = "440000190001010019"
BAN = "procurement_ban"


def test_what_is_said_under_either_key_is_about_one_person(bus_settings: Settings, tmp_path: Path) -> None:
    new, old = person_subjects(ID, PersonKeys.parse(KEYS))
    with live_bus(bus_settings, tmp_path, f"{datetime.now(UTC):%Y-%m-%d}") as bus:
        bus.listing("gd.court", "COURT", old, "（2026）粤01执1号", grounds="1", serious=True)
        bus.settle()
        before = set(bus.in_force("gd.fin", old))
        assert before

        # The tax authority has moved on already, the court has not.
        ids = tmp_path / "ids.txt"
        ids.write_text(f"{ID}\n\n440000190001010018\n")
        settings = bus.settings.model_copy(update={"person_keys": SecretStr(KEYS)})
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", "persons", "rekey", str(ids), "--department", "gd.tax", "--json"],
            env=environment_of(settings) | {"CREDITBUS_PERSON_KEYS": KEYS}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
        assert (done.returncode, told["confirmed"], [one["line"] for one in told["bad"]]) == (1, 1, [3]), done.stderr
        assert "19000101" not in done.stdout + done.stderr
        bus.fed += 1
        bus.settle()
        assert set(bus.in_force("gd.fin", new)) == before, "everything is in force under the new pseudonym"
        assert not bus.in_force("gd.fin", old), "and nothing is twice"
        for name in (old, new):
            subject, standing, _, _ = bus.picture(name)
            assert (subject, standing.counts["listing"]) == (new, 1), "found under either"

        bus.listing("gd.court", "COURT", old, "（2026）粤01执2号", grounds="1", serious=True)
        bus.publish(
            "gd.court",
            "withdrawal",
            old,
            "（2026）粤01执撤1号",
            target_type="listing",
            target_document="（2026）粤01执1号",
        )
        bus.settle()
        assert {one["document"] for one in bus.in_force("gd.fin", new)[BAN]["listings"]} == {"（2026）粤01执2号"}
        bus.publish(
            "gd.court",
            "withdrawal",
            new,
            "（2026）粤01执撤2号",
            target_type="listing",
            target_document="（2026）粤01执2号",
        )
        bus.settle()
        assert not bus.in_force("gd.fin", new), "what was said under the old key is taken back under the new one"
