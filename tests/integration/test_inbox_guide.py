"""Every example of docs/inbox.md works as it stands, in the order of the page, and the page names every option."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.settings import Settings
from tests.conftest import environment_of
from tests.pulling import FIN, NoticeBoard, firm, notice, serving

GUIDE = (Path(__file__).parents[2] / "docs" / "inbox.md").read_text("utf-8")


@pytest.mark.servers
def test_the_examples_of_the_guide(bus_settings: Settings, tmp_path: Path) -> None:
    board = NoticeBoard(bus_settings, (FIN,))
    (notice_id,) = board.put(FIN, notice(1, 1, "procurement_ban"))
    examples = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert len(examples) == 9
    with serving(bus_settings) as server:
        environment = environment_of(bus_settings) | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "INBOX": server.url, "KEY": board.key(FIN),
            "NOTICE": notice_id, "SUBJECT": firm(1), "DAY": f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%d}",
        }  # fmt: skip
        script = "set -eu\n" + "\n".join(examples)
        done = subprocess.run(
            ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert "event: caught-up" in done.stdout
    states = [record["state"] for _, record, _, _ in board.published(FIN) if record["type"] == "measure_feedback"]
    receipts = {record["channel"] for _, record, _, _ in board.published(FIN) if record["type"] == "delivery_receipt"}
    assert (states, receipts) == (["EXECUTED", "EXECUTED"], {"INBOX", "FILE"})


def test_every_option_is_in_the_guide() -> None:
    environment = os.environ | {"COLUMNS": "200", "TERM": "dumb"}
    for command in (("notices", "file"), ("feedback",), ("keys", "issue")):
        text = subprocess.run(
            [sys.executable, "-m", "deploy.cli.main", *command, "--help"], env=environment, capture_output=True, text=True, timeout=60, check=True
        ).stdout  # fmt: skip
        options = set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help"}
        assert not {option for option in options if option not in GUIDE}, command
