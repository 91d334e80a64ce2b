"""Every example of docs/checks.md works as it stands, in the order of the page."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.settings import Settings
from tests.checking import FIN, firm, listing, put_standings, serving, was_told
from tests.producing import Departments

GUIDE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text("utf-8")


@pytest.mark.servers
def test_the_examples_of_the_guide(bus_settings: Settings, tmp_path: Path) -> None:
    departments = Departments(bus_settings, (FIN,))
    put_standings(bus_settings, [listing(firm(1), 3)], was_told(FIN, "procurement_ban", 1))
    examples = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert len(examples) == 3
    with serving(bus_settings) as served:
        key = served.client.headers()["Authorization"].removeprefix("Bearer ")
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PORTAL": served.url, "KEY": key, "USCC": firm(1)[4:],
        }  # fmt: skip
        answers = []
        for example in examples:
            done = subprocess.run(
                ["bash", "-euc", example], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )  # fmt: skip
            assert done.returncode == 0, done.stderr + done.stdout
            answers.append(json.loads(done.stdout))
    assert (answers[0]["answer"], answers[1]["counts"]["error"]) == ("refuse", 1)
    assert [record["state"] for _, record, _, _ in departments.published(FIN)] == ["EXECUTED"]
