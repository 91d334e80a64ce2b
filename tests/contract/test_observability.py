"""Rules, alerts, dashboards and runbooks agree with each other and with the code; promtool tests each alert."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

import exchange.metrics
from consumers.portal.operations.health import LIMITS, STUCK
from deploy.cli.main import COMMANDS, Deferred
from deploy.demo.process import WITH_METRICS, metrics_of
from exchange.metrics import Metrics
from tests.prometheus import FOLDER, RULES, dashboards, program, queries_of, rules_of, shorten

ROOT = FOLDER.parent.parent
RUNBOOKS = ROOT / "docs" / "runbooks"
HEADINGS = ("## 含义 Meaning", "## 看这里 Look here", "## 处置 Do this", "## 演练 Drill")
ALERTS = rules_of("alerts")
NAMES = sorted({rule["alert"] for rule in ALERTS})
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
METRIC = re.compile(r"(?<![\w:])(creditbus_\w+)(?![\w:])")
RECORDED = re.compile(r"(?<![\w:])[a-z]\w*:\w+(?::\w+)?")


def run(*words: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown() -> Iterator[str]:
    """Every name of a series that the code can show."""
    for name in exchange.metrics.__all__:
        kind = getattr(exchange.metrics, name)
        if kind.__init__ is Metrics.__init__:
            continue
        for metric in vars(kind()).values():
            if isinstance(metric, MetricWrapperBase):
                (family,) = metric.describe()
                if isinstance(metric, Histogram):
                    yield from (f"{family.name}_{part}" for part in ("bucket", "sum", "count"))
                else:
                    yield f"{family.name}_total" if isinstance(metric, Counter) else family.name


SHOWN = frozenset(shown())


def test_prometheus_and_alertmanager_take_the_configuration() -> None:
    run(program("promtool"), "check", "config", "prometheus.yml")
    run(program("promtool"), "check", "rules", *(f"rules/{name}.yml" for name in RULES))
    run(program("amtool"), "check-config", "alertmanager.yml")


@pytest.mark.parametrize("path", TESTS, ids=[path.stem for path in TESTS])
def test_rules_fire_and_clear_as_promtool_sees_it(path: Path) -> None:
    assert "SUCCESS" in run(program("promtool"), "test", "rules", str(path))


def test_every_alert_has_a_promtool_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    asked = [
        (re.findall(r'alertname="(\w+)"', one["expr"])[0], bool(one["exp_samples"]))
        for path in TESTS
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for one in test["promql_expr_test"]
    ]
    assert sorted({name for name, fires in asked if fires}) == NAMES
    always = {"CreditbusWatchdog"}
    assert sorted({name for name, fires in asked if not fires} | always) == NAMES


def test_every_metric_that_a_rule_names_is_one_that_the_code_shows() -> None:
    named = {name for file in RULES for rule in rules_of(file) for name in METRIC.findall(rule["expr"])}
    assert named <= SHOWN, named - SHOWN


def test_every_recorded_series_that_a_rule_names_is_recorded() -> None:
    recorded = {rule["record"] for file in RULES for rule in rules_of(file) if "record" in rule}
    named = {name for file in RULES for rule in rules_of(file) for name in RECORDED.findall(rule["expr"])}
    assert named <= recorded, named - recorded
    limits = {rule["record"] for rule in rules_of("limits")}
    assert limits <= named, "a limit that nobody looks at"


def test_dashboards_ask_for_what_is_shown_or_recorded() -> None:
    recorded = {rule["record"] for file in RULES for rule in rules_of(file) if "record" in rule}
    found = dashboards()
    assert sorted(found) == ["business", "department", "operations"]
    for name, board in found.items():
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        for title, expression in queries_of(board):
            assert set(METRIC.findall(expression)) <= SHOWN, (name, title, expression)
            assert set(RECORDED.findall(expression)) <= recorded, (name, title, expression)
            assert re.search("[\u4e00-\u9fff]", title) or title.startswith("HTTP"), "Chinese first"
            assert ("$department" in expression) is (name == "department")


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_says_what_is_wrong_and_has_its_runbook(name: str) -> None:
    for rule in (one for one in ALERTS if one["alert"] == name):
        assert rule["labels"]["severity"] in {"page", "ticket", "none"}
        said = rule["annotations"]
        assert re.search("[\u4e00-\u9fff]", said["summary"].split(" ")[0]), "Chinese first"
        assert re.search("[\u4e00-\u9fff]", said["description"])
        assert said["runbook_url"] == f"docs/runbooks/{name}.md"
    page = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("## ")] == list(HEADINGS)
    assert "```sh" in page.partition(HEADINGS[-1])[2], "the drill is something to run"
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", page):
        assert (RUNBOOKS / link).exists(), link


def test_no_runbook_is_left_over() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == NAMES


def test_every_command_of_the_runbooks_exists() -> None:
    known = {command.name: command for command in COMMANDS}
    found = set()
    for path in RUNBOOKS.glob("*.md"):
        found |= set(
            re.findall(
                r"(?:^|`|&& |; )creditbus ([a-z-]+)(?: ([a-z-]+))?", path.read_text(encoding="utf-8"), re.MULTILINE
            )
        )
    assert len(found) > 15
    for first, second in found:
        assert first in known, first
        commands = getattr(Deferred(known[first]).load(), "commands", None)
        assert commands is None or second in commands, (first, second)


def test_every_command_of_the_runbooks_is_understood_as_it_stands_there() -> None:
    known = {command.name: command for command in COMMANDS}
    for path in sorted(RUNBOOKS.glob("*.md")):
        said = re.findall(
            r"(?:^|`|&& |; |\$\()(?:CREDITBUS_\w+=\S+ )*creditbus ([^`;&|#\n]+)", path.read_text("utf-8"), re.MULTILINE
        )
        for line in said:
            name, *rest = shlex.split(line)
            command = Deferred(known[name]).load()
            if rest and rest[0] in getattr(command, "commands", {}):
                command = command.commands[rest.pop(0)]
            command.make_context(f"{path.stem}: {line}", rest)  # an option that is missing or unknown is an error here


def test_what_each_process_has_of_its_own_is_in_the_common_series() -> None:
    expressions = {rule["record"]: rule["expr"] for rule in rules_of("recording")}

    def named(record: str) -> set[str]:
        return set(METRIC.findall(expressions[record]))

    def of(*endings: str) -> set[str]:
        return {name for name in SHOWN if re.fullmatch(rf"creditbus_(\w+_)?({'|'.join(endings)})", name)}

    assert named("instance:creditbus_stuck:max") == of("stuck") == set(STUCK)
    assert named("instance:creditbus_lag_records:max") == of("lag_records")
    assert named("instance:creditbus_retries:rate1m") == of("retries_total")
    assert named("instance:creditbus_fenced:increase15m") == of("fenced_total")


def test_limits_are_those_of_the_operators_page() -> None:
    limits = {rule["record"].partition(":")[2]: float(rule["expr"][len("vector(") : -1]) for rule in rules_of("limits")}
    lag = LIMITS["lag"]
    assert (limits["lag_ticket_records"], limits["lag_records"]) == (lag.watch, lag.alarm)
    assert limits["delivery_age_seconds"] == LIMITS["pending_age"].alarm
    assert limits["checkpoint_age_seconds"] == LIMITS["checkpoint_age"].alarm
    assert limits["receipts_waiting_records"] == LIMITS["receipts"].watch


def test_the_demonstrations_ports_are_those_of_one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics_of("standing") == {"CREDITBUS_METRICS_PORT": "0"}, "without a port none shows any"
    monkeypatch.setenv("CREDITBUS_METRICS_PORT", "9101")
    named = {"risk-classes": "risk"}
    ports = {named.get(name, name): metrics_of(name)["CREDITBUS_METRICS_PORT"] for name in WITH_METRICS}
    shown = yaml.safe_load((FOLDER / "targets" / "one-machine.yml").read_text(encoding="utf-8"))
    assert {one["labels"]["process"]: one["targets"][0].partition(":")[2] for one in shown} == ports


def test_the_shortened_rules_are_the_same_rules() -> None:
    for name in RULES:
        document = yaml.safe_load((FOLDER / "rules" / f"{name}.yml").read_text(encoding="utf-8"))
        before = [(r.get("alert"), r.get("record"), r.get("labels")) for r in rules_of(name)]
        after = [r for group in shorten(document)["groups"] for r in group["rules"]]
        assert [(r.get("alert"), r.get("record"), r.get("labels")) for r in after] == before
    fast = next(rule for rule in after if rule["alert"] == "CreditbusClassifiedRefused")
    assert "[5000ms]" in fast["expr"]


def test_no_tool_means_skipped_here_and_failed_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install"):
        program("promtool")
    monkeypatch.setitem(os.environ, "CI", "true")
    with pytest.raises(pytest.fail.Exception, match="promtool is missing"):
        program("promtool")
