"""The README's programs and the commands that ask about, explain, judge again and rebuild what they brought about."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.paths import SCHEMAS
from tests.conftest import BusFactory, clear_bus, environment_of
from tests.faults.bus import BusUnderFault
from tests.readme import REPOSITORY, programs, run_program

pytestmark = pytest.mark.servers

FIRM = "91440300PDY00001X3"
DOCUMENT = "粤税失信〔2026〕3号"


@pytest.fixture(scope="module")
def bus(new_bus: BusFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusUnderFault]:
    """A bus with a processor running, on which the README's first program has published its listing."""
    bus = BusUnderFault(new_bus())
    bus.start("one")
    said = run_program(programs()[0], bus.settings, tmp_path_factory.mktemp("publish"))
    assert said.startswith("on the bus:")
    bus.fed += 1
    bus.wait_quiet()
    yield bus
    bus.stop_all()
    clear_bus(bus.settings)


def run(bus: BusUnderFault, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli.main", *arguments], env=environment_of(bus.settings), cwd=REPOSITORY,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def ask(bus: BusUnderFault, *arguments: str, code: int = 0) -> Any:
    done = run(bus, *arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_the_readme_receives_what_it_caused(bus: BusUnderFault, tmp_path: Path) -> None:
    said = run_program(programs()[1], bus.settings, tmp_path)
    assert f"org:{FIRM} IMPOSED" in said
    assert DOCUMENT in said


def test_the_readme_feeds_back_and_the_initiator_sees_it(bus: BusUnderFault, tmp_path: Path) -> None:
    run_program(programs()[2], bus.settings, tmp_path)
    bus.fed += 1
    bus.wait_quiet()
    rows = ask(bus, "responses", FIRM, "--initiator", "gd.tax", "--document", DOCUMENT)["responses"]
    states = {(row["department"], row["measure"]): row["state"] for row in rows}
    assert states["gd.fin", "procurement_ban"] == "executed"
    assert set(states.values()) == {"executed", "notified"}
    assert ask(bus, "overdue") == {"overdue": []}
    assert run(bus, "overdue", "--department", "gd.nobody").stderr.startswith("error[unknown_department]")


def test_show(bus: BusUnderFault) -> None:
    found = ask(bus, "show", FIRM)
    assert [(one["list"], one["document"]) for one in found["listings"]] == [("TAX", DOCUMENT)]
    assert found["measures"]
    assert FIRM in run(bus, "show", FIRM).stdout


def test_check_says_no_by_its_exit_code_and_why(bus: BusUnderFault) -> None:
    found = ask(bus, "check", FIRM, "--matter", "bidding", code=1)
    assert found["answer"] == "refuse"
    assert {reason["document"] for reason in found["reasons"]} == {DOCUMENT}
    assert ask(bus, "check", "92440106PDY000028C", "--matter", "bidding")["answer"] == "clear"


def test_watch_shows_a_department_its_notices(bus: BusUnderFault) -> None:
    notice = ask(bus, "watch", "--department", "gd.fin", "--from-beginning", "--count", "1")
    assert (notice["subject"], notice["department"]) == (f"org:{FIRM}", "gd.fin")


def test_explain_names_rule_memorandum_and_basis_of_each_measure(bus: BusUnderFault) -> None:
    found = ask(bus, "policy", "explain", FIRM)
    assert {one["document"] for one in found["measures"]} == {DOCUMENT}
    assert all(one["basis"] and one["valid_from"] for one in found["measures"])
    shown = {f"{one['department']}/{one['measure']}" for one in found["measures"]}
    assert shown == {f"{one['department']}/{one['measure']}" for one in ask(bus, "show", FIRM)["measures"]}


def test_explain_without_the_only_document_leaves_nothing(bus: BusUnderFault) -> None:
    found = ask(bus, "policy", "explain", FIRM, "--without", DOCUMENT)
    assert found["measures"] == []
    assert len(found["lost"]) == len(ask(bus, "show", FIRM)["measures"])
    unknown = run(bus, "policy", "explain", FIRM, "--without", "no such number")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("error[unknown_document]: ")


def test_simulate_counts_what_another_policy_would_change(bus: BusUnderFault, tmp_path: Path) -> None:
    same = ask(bus, "policy", "simulate", str(SCHEMAS / "policy"))
    assert (same["affected"], same["subjects"]) == (0, 1)
    other = shutil.copytree(SCHEMAS / "policy", tmp_path / "policy")
    head, *rows = (other / "measures.toml").read_text(encoding="utf-8").split("[[measure]]")
    kept = [row for row in rows if '"gd.fin"' not in row]
    assert len(kept) < len(rows)
    (other / "measures.toml").write_text("[[measure]]".join([head, *kept]), encoding="utf-8")
    found = ask(bus, "policy", "simulate", str(other))
    assert found["affected"] == 1
    assert "gd.fin" in {one["department"] for one in found["changes"] if one["kind"] == "lost"}
    assert not [one for one in found["changes"] if one["kind"] == "gained"]
    assert {one["subject"] for one in found["examples"]} == {f"org:{FIRM}"}
    assert found["lists_by_region"][0]["region"] == "440300"
    shown = run(bus, "policy", "simulate", str(other), "--as-of", "2026-12-31")
    assert shown.returncode == 0, shown.stderr
    assert "By list and region" in shown.stdout
    assert "2026-12-31: 1 of 1 subjects affected" in shown.stdout


def test_simulate_refuses_what_policy_check_refuses(bus: BusUnderFault, tmp_path: Path) -> None:
    other = shutil.copytree(SCHEMAS / "policy", tmp_path / "policy")
    text = (other / "measures.toml").read_text(encoding="utf-8")
    (other / "measures.toml").write_text(text.replace('departments = ["gd.psd"]', 'departments = ["gd.nobody"]', 1), encoding="utf-8")  # fmt: skip
    refused = run(bus, "policy", "simulate", str(other))
    assert refused.returncode == 1
    assert "unknown_department" in refused.stderr


def test_resync_judges_again_and_tells_nothing_new(bus: BusUnderFault) -> None:
    notices = bus.verify().notices
    assert ask(bus, "resync")["subjects"] == 1
    bus.wait_quiet()
    assert bus.verify().notices == notices


def test_rebuild_beside_a_running_processor_tells_nothing_twice(bus: BusUnderFault) -> None:
    before = bus.verify()
    refused = subprocess.run(
        [sys.executable, "-m", "deploy.cli.main", "rebuild"], env=environment_of(bus.settings), cwd=REPOSITORY,
        input="n\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "error[not_confirmed]" in refused.stderr
    assert ask(bus, "rebuild", "--yes")["keys"] > 0
    until = time.monotonic() + 120
    while bus.taken_in() < bus.fed:  # until the processor has noticed, verify would compare nothing with nothing
        assert time.monotonic() < until, "nobody replays"
        time.sleep(0.2)
    bus.wait_quiet()
    after = bus.verify()
    assert (after.notices, after.measures, after.subjects) == (before.notices, before.measures, before.subjects)
