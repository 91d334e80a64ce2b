"""A real Prometheus for tests, with the shipped rules shortened so that hours become seconds; and what to ask it.

The one transformation (`shorten`), so that there is no second set of rules:

 1. every duration (`for:`, ranges, offsets) is divided by FASTER, and ranges are at least SHORTEST, which holds two scrapes and more;
 2. limits that are recorded as `creditbus_limit:*_seconds` are divided by FASTER too, those in `_records` and `_count` by FEWER;
 3. names, labels, comparisons, ratios and days stay as they are.
"""

import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.waiting import wait_until

FOLDER = Path(__file__).parent.parent / "deploy" / "prometheus"
RULES = ("limits", "recording", "alerts")
FASTER, FEWER, SHORTEST = 720, 1000, 5.0
"""An hour becomes five seconds; a limit of 100,000 records becomes 100; seconds of the shortest range."""
SCRAPE_SECONDS = 1.0
WITHIN_SECONDS = 150.0
"""An alert has so long to fire or clear; most need ten, but not on a machine that does much else."""
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RANGE = re.compile(r"\[(\d+)([smhd])\]|(?<=offset )(\d+)([smhd])\b")
Json = dict[str, Any]
Labels = Mapping[str, str]


def program(name: str) -> str:
    """Path of a program of Debian's packages `prometheus` and `prometheus-alertmanager`; without it the test is skipped, but not in CI."""
    found = shutil.which(name)
    if found is None:
        package = "prometheus-alertmanager" if name == "amtool" else "prometheus"
        why = f"{name} is missing: apt-get install --no-install-recommends {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


def rules_of(name: str) -> list[Json]:
    """Every rule of a file of the shipped rules."""
    document = yaml.safe_load((FOLDER / "rules" / f"{name}.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def shorten(document: Json) -> Json:
    """A file of rules, made faster."""
    for group in document["groups"]:
        group["interval"] = f"{int(SCRAPE_SECONDS * 1000)}ms"
        for rule in group["rules"]:
            rule["expr"] = _RANGE.sub(_shorter, rule["expr"])
            if "for" in rule:
                rule["for"] = f"{_seconds(rule['for']) * 1000 // FASTER:.0f}ms"
            limit = re.fullmatch(r"creditbus_limit:\w+_(seconds|records|count)", rule.get("record", ""))
            if limit:
                rule["expr"] = f"{rule['expr']} / {FASTER if limit[1] == 'seconds' else FEWER}"
    return document


def _shorter(found: re.Match[str]) -> str:
    text = (found[1] or found[3]) + (found[2] or found[4])
    milliseconds = f"{max(SHORTEST, _seconds(text) / FASTER) * 1000:.0f}ms"
    return f"[{milliseconds}]" if found[1] else milliseconds


def _seconds(text: str) -> float:
    return int(text[:-1]) * _UNIT[text[-1]]


def dashboards() -> dict[str, Json]:
    """The shipped dashboards, by name."""
    folder = FOLDER.parent / "grafana" / "dashboards"
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


def queries_of(dashboard: Json) -> list[tuple[str, str]]:
    """Every question of a dashboard: title of its panel, and expression."""
    return [(panel["title"], one["expr"]) for panel in dashboard["panels"] for one in panel.get("targets", ())]


class Prometheus:
    """A running server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        """Data of an answer of its API."""
        answer = httpx2.get(f"{self.url}/api/v1/{path}", params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Series and their values now."""
        return [(one["metric"], float(one["value"][1])) for one in self.get("query", query=expression)["result"]]

    def alerts(self, name: str = "") -> list[Json]:
        """Alerts that fire now."""
        found = self.get("alerts")["alerts"]
        return [one for one in found if one["state"] == "firing" and name in ("", one["labels"]["alertname"])]

    def fires(self, name: str, labels: Labels = {}) -> bool:  # noqa: B006 # only read
        """Whether an alert with these labels fires now."""
        return any(labels.items() <= one["labels"].items() for one in self.alerts(name))

    def has_fired(self, name: str, labels: Labels, since: float) -> bool:
        """Whether an alert with these labels has fired since a time (seconds since 1970): some do for seconds only, as windows are short."""
        wanted = {"alertname": name, "alertstate": "firing", **labels}
        matchers = ", ".join(f'{label}="{value}"' for label, value in wanted.items())
        return bool(self.query(f"max_over_time(ALERTS{{{matchers}}}[{math.ceil(time.time() - since) + 1}s])"))

    def await_alert(self, name: str, since: float, labels: Labels) -> None:
        """Until an alert has fired since a time; what it says can be read."""

        def has_fired() -> bool:
            for one in self.alerts(name):
                said = one["annotations"]
                assert not [text for text in said.values() if "<" in text], said
            return self.has_fired(name, labels, since)

        wait_until(has_fired, f"{name} {labels} fires", within_seconds=WITHIN_SECONDS)

    def await_clear(self, name: str, labels: Labels) -> None:
        """Until an alert fires no more."""
        wait_until(lambda: not self.fires(name, labels), f"{name} {labels} clears", within_seconds=WITHIN_SECONDS)


@contextmanager
def running_prometheus(folder: Path, targets: Mapping[str, int]) -> Iterator[Prometheus]:
    """Prometheus with the shipped configuration and the shortened rules.

    Args:
        folder: for its data.
        targets: process to the port of its metrics.
    """
    binary = program("prometheus")
    (folder / "rules").mkdir(parents=True)
    for name in RULES:
        document = yaml.safe_load((FOLDER / "rules" / f"{name}.yml").read_text(encoding="utf-8"))
        (folder / "rules" / f"{name}.yml").write_text(yaml.safe_dump(shorten(document), allow_unicode=True))
    configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    every = f"{int(SCRAPE_SECONDS * 1000)}ms"
    configuration["global"] |= {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    del configuration["alerting"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    (folder / "targets").mkdir()
    found = [{"targets": [f"127.0.0.1:{port}"], "labels": {"process": name}} for name, port in targets.items()]
    (folder / "targets" / "test.yml").write_text(yaml.safe_dump(found))
    port = free_ports(1)[0]
    with (folder / "prometheus.log").open("wb") as log:
        server = subprocess.Popen(
            [
                binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=1d",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        wait_until(lambda: _is_ready(prometheus), (folder / "prometheus.log").read_text())
        yield prometheus
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _is_ready(prometheus: Prometheus) -> bool:
    try:
        return bool(httpx2.get(f"{prometheus.url}/-/ready", timeout=2).status_code == 200)
    except httpx2.TransportError:
        return False


def free_ports(count: int) -> Sequence[int]:
    """Ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
