"""The program in docs/publishing.md works as it stands, and the formats it lists are those there are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.settings import Settings
from producers.importer.layouts import load_layouts
from tests.conftest import environment_of
from tests.producing import Departments

GUIDE = (Path(__file__).parents[2] / "docs" / "publishing.md").read_text("utf-8")


@pytest.mark.servers
def test_the_program_of_the_guide(bus_settings: Settings) -> None:
    departments = Departments(bus_settings, ["gd.tax"])
    program = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert program
    done = subprocess.run(
        [sys.executable, "-c", program[1]], env=environment_of(bus_settings), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"Delivery(topic='{bus_settings.topic_prefix}.in.gd.tax'" in done.stdout
    assert "missing_field revision" in done.stdout
    ((key, record, _, _),) = departments.published("gd.tax")
    assert (key, record["document"]) == ("org:91440300PDY00001X3", "粤税失信〔2026〕1号")


def test_every_format_is_in_the_guide() -> None:
    table = GUIDE.split("| format |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]+(?:-[a-z0-9]+)?)`", table)) - {"iname"} == set(load_layouts())


def test_every_option_is_in_the_guide() -> None:
    environment = os.environ | {"COLUMNS": "200", "TERM": "dumb"}
    for name in ("publish", "simulate"):
        command = [sys.executable, "-m", "deploy.cli.main", name, "--help"]
        text = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
        options = set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help", "--sheet", "--count"}
        assert not {option for option in options if option not in GUIDE}, name
