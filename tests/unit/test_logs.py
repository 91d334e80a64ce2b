"""Log lines: the same calls as text and as JSON, with stable names, and nobody named in them."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.domain.synthetic import synthetic_citizen_id
from exchange.logs import JsonLines, TextLines

PERSON = "person:k1.0123456789abcdef0123456789abcdef"
CITIZEN = synthetic_citizen_id(3)


class Lines(logging.Handler):
    """Keeps what a formatter makes of each call."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    found = logging.getLogger("creditbus.test_logs")
    found.propagate = False
    yield found
    found.handlers.clear()


def spoken(log: logging.Logger, formatter: logging.Formatter, template: str, *arguments: object, **more: Any) -> str:
    handler = Lines(formatter)
    log.addHandler(handler)
    log.warning(template, *arguments, **more)
    log.removeHandler(handler)
    (line,) = handler.lines
    return line


def read(log: logging.Logger, template: str, *arguments: object, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(spoken(log, JsonLines("standing"), template, *arguments, **more))
    assert list(found)[:5] == ["time", "level", "process", "logger", "event"]
    assert found["time"].endswith("Z")
    assert (found["level"], found["process"], found["logger"]) == ("warning", "standing", "creditbus.test_logs")
    return {name: value for name, value in found.items() if name not in ("time", "level", "process", "logger")}


def test_fields_keep_their_names_and_types(log: logging.Logger) -> None:
    assert read(log, "held topic=%s partition=%d run=%d", "credit.in.gd.tax", 3, 1000) == {
        "event": "held", "topic": "credit.in.gd.tax", "partition": 3, "run": 1000,
    }  # fmt: skip
    assert read(log, "listening department=%s url=http://%s:%d", "gd.fin", "127.0.0.1", 80) == {
        "event": "listening", "department": "gd.fin", "url": "http://127.0.0.1:80",
    }  # fmt: skip
    assert read(log, "waiting code=%s detail=%s", "kafka_away", ValueError("a=b %s 100%")) == {
        "event": "waiting", "code": "kafka_away", "detail": "a=b %s 100%",
    }  # fmt: skip
    assert read(log, "worker %s failed time=%s", 7, "soon") == {"event": "worker 7 failed", "field_time": "soon"}


def test_what_has_no_fields_is_all_event(log: logging.Logger) -> None:
    assert read(log, "rejoining") == {"event": "rejoining"}
    assert read(log, "%s of %d", "one", 2) == {"event": "one of 2"}


def test_a_failure_is_on_the_same_line(log: logging.Logger) -> None:
    try:
        int(f"{CITIZEN} and {PERSON}")
    except ValueError:
        found = read(log, "attempt broke", exc_info=True)
    assert "Traceback" in found["exception"]
    assert "[公民身份号码] and person:***" in found["exception"]


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines("portal")], ids=["text", "json"])
def test_nobody_is_named(log: logging.Logger, formatter: logging.Formatter) -> None:
    line = spoken(log, formatter, f"page of {CITIZEN} failed path=%s error=%s", f"/subjects/{PERSON}", CITIZEN)
    assert PERSON not in line
    assert CITIZEN not in line
    assert "person:***" in line


def test_traces_are_named_where_there_are_any(log: logging.Logger) -> None:
    line = spoken(log, JsonLines("gateway", lambda: {"trace_id": "ab", "span_id": "cd"}), "refused code=%s", "busy")
    assert {"trace_id": "ab", "span_id": "cd", "code": "busy"}.items() <= json.loads(line).items()


def test_a_process_speaks_json_when_told_to() -> None:
    code = "import typer, logging\nfrom deploy.cli.run import app\n"
    code += (
        "app.command('nothing')(lambda: logging.getLogger('creditbus.x').info('running rooms=%d', 3))\napp(['nothing'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"CREDITBUS_LOG_FORMAT": "json"}, capture_output=True, text=True, check=True
    )  # fmt: skip
    found = json.loads(done.stderr)
    assert (found["process"], found["event"], found["rooms"], found["level"]) == ("nothing", "running", 3, "info")
