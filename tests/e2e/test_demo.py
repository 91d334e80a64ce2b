"""`creditbus demo --once` in a home of its own: it starts and ends the servers, and a second run changes nothing old."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import Stack
from exchange.errors import RequestError
from exchange.settings import Settings
from tests.readme import REPOSITORY

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("CREDITBUS_TEST_STACK") == "containers",
        reason="it shows the embedded stack, which is not under test",
    ),
]


def demonstrate(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli.main", "demo", "--once", *arguments],
        env=dict(os.environ) | {"CREDITBUS_HOME": str(home)}, cwd=REPOSITORY, capture_output=True, text=True,
        timeout=420, check=False,
    )  # fmt: skip


@pytest.mark.drawn
def test_it_ends_by_itself_and_everything_agrees(tmp_path: Path) -> None:
    first = demonstrate(tmp_path, "--json")
    assert first.returncode == 0, first.stderr
    found: dict[str, Any] = json.loads(first.stdout)
    assert found["verdict"]["good"]
    assert found["accepted"] + found["rejected"] == found["records"] > 300
    assert set(found["rejected_reasons"]) == {"not_wire_format", "truncated", "wrong_department"}
    assert found["bad_rows"] > 20
    assert found["notices"] == sum(found["notices_by_department"].values()) == found["verdict"]["notices"] > 500
    assert found["p50_ms"] <= found["p99_ms"]
    assert found["delivered"] > 20
    assert {"acknowledged", "executed", "ended"} <= {state.lower() for state in found["feedback"]}
    assert 0 < found["executed_after_s"] < 30
    assert 0 < found["lift_confirmed_after_s"] < 30
    assert found["warned"] >= 1
    assert 0 < found["warned_after_s"] < 60
    assert found["ledger_good"]
    assert found["ledger_entries"] > found["records"]
    assert found["archive_good"]
    assert found["archive_rows"] > found["accepted"]
    with pytest.raises(RequestError, match="do not run"):
        Stack(Settings(home=tmp_path)).servers()


@pytest.mark.drawn
def test_it_speaks_to_people(tmp_path: Path) -> None:
    assert_speaks(demonstrate(tmp_path))


@pytest.mark.long
def test_a_second_time_it_changes_nothing_old(tmp_path: Path) -> None:
    assert demonstrate(tmp_path, "--json").returncode == 0
    assert_speaks(demonstrate(tmp_path))


def assert_speaks(done: "subprocess.CompletedProcess[str]") -> None:
    """It says that everything went well, and what happened."""
    assert done.returncode == 0, done.stderr
    assert "verify agrees 校验一致" in done.stdout
    assert "both lifts were confirmed after" in " ".join(done.stdout.split())
    assert "gd.tax publishes tax-list.csv" in done.stdout
