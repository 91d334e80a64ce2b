"""`creditbus simulate` on the real broker: what it says it published is there, and the bus accepts all of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exchange.catalogue import load_catalogue
from exchange.domain.calendar import day_of
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.validation import validate
from producers.simulator.mix import LISTS
from tests.conftest import environment_of
from tests.producing import PERSON_KEYS, Departments

pytestmark = pytest.mark.servers


@pytest.fixture
def departments(bus_settings: Settings) -> Departments:
    return Departments(bus_settings, sorted(load_catalogue(SCHEMAS).departments))


def start(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    environment = environment_of(settings) | {"CREDITBUS_PERSON_KEYS": PERSON_KEYS}
    command = [sys.executable, "-m", "deploy.cli.main", "simulate", *arguments, "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> dict[str, float]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    found: dict[str, float] = json.loads(out)
    return found


def test_what_is_published_arrives_and_is_acceptable(departments: Departments) -> None:
    arguments = ("--seed", "3", "--subjects", "200", "--rate", "0", "--count", "1500", "--burst", "COURT:300", "--repeated", "0.05", "--disordered", "0.05")  # fmt: skip
    assert result(start(departments.settings, *arguments))["records"] == 1800
    today = day_of(time.time_ns() // 1_000_000)
    messages = departments.published(*departments.catalogue.departments)
    assert len(messages) == 1800
    for _, record, _, _ in messages:
        record_type, department = record.pop("type"), record["department"]
        plain = departments.codec.plain(record_type, record)
        grants = departments.catalogue.grants(department)
        assert not validate(record_type, plain, department=department, today=today, grants=grants, thorough=True)
        assert day_of(int(record["published_at"].timestamp() * 1000)) >= today - 1


def test_a_burst_alone(departments: Departments) -> None:
    assert result(start(departments.settings, "--burst", "TAX:250"))["records"] == 250
    assert len(departments.published(LISTS["TAX"][0])) == 250


def test_the_pace_is_kept(departments: Departments) -> None:
    found = result(start(departments.settings, "--rate", "100", "--for", "3", "--subjects", "50"))
    assert 250 <= found["records"] <= 310


def test_a_signal_ends_it_with_everything_confirmed(departments: Departments, tmp_path: Path) -> None:
    process = start(departments.settings, "--rate", "200", "--subjects", "50")
    time.sleep(5)
    os.kill(process.pid, signal.SIGTERM)
    found = result(process)
    assert found["records"] == len(departments.published(*departments.catalogue.departments))
