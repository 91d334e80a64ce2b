"""The ledger of a whole bus: record, notice, receipt, feedback and rejection, exported, verified offline, and traced."""

import base64
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.synthetic import synthetic_uscc
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.e2e.bus import live_bus
from tests.ledger_bus import SIGNING_KEYS, LedgerBus

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]
FIRM = f"org:{synthetic_uscc(1)}"


def run(*arguments: str, environment: dict[str, str], code: int = 0) -> dict[str, Any]:
    """What a ledger command prints as JSON."""
    shown: dict[str, Any] = json.loads(run_shown(*arguments, "--json", environment=environment, code=code))
    return shown


def run_shown(*arguments: str, environment: dict[str, str], code: int = 0) -> str:
    """What a ledger command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "ledger", *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_from_the_record_to_the_feedback_and_verified_offline(bus_settings: Settings, tmp_path: Path) -> None:
    with live_bus(bus_settings, tmp_path, "2026-03-05") as bus:
        listed = bus.listing("gd.tax", "TAX", FIRM, "粤税失信〔2026〕1号", grounds="1", serious=True)
        bus.settle()
        notice = bus.notices("gd.fin")[0]
        answer = {"notice_id": notice["id"], "epoch": notice["epoch"], "n": notice["n"]}
        bus.publish("gd.fin", "delivery_receipt", FIRM, "回执1", **answer)
        bus.publish("gd.fin", "measure_feedback", FIRM, "反馈1", measure="procurement_ban", state="EXECUTED", **answer)
        for check, n in (
            ("甲", notice["n"]),
            ("乙", notice["n"] + 1),
        ):  # decisions at a counter; the second is about no such notice
            at_counter = {"notice_id": f"核查-{check}", "epoch": notice["epoch"], "n": n}
            bus.publish(
                "gd.fin",
                "measure_feedback",
                FIRM,
                f"反馈-{check}",
                measure="procurement_ban",
                state="EXECUTED",
                **at_counter,
            )
        # In another department's name, which only the processor sees.
        foreign = bus.record(FIRM, "反馈2", department="gd.tax", measure="procurement_ban", **answer)
        bus.feed([("gd.fin", "measure_feedback", foreign)])
        bus.settle()
        environment = environment_of(bus.settings) | {"CREDITBUS_SIGNING_KEYS": SIGNING_KEYS}
        ledger = LedgerBus(bus.settings)
        with ExitStack() as ending:
            ending.callback(ledger.kill_all)
            ledger.start()
            ledger.wait_entered()
            ledger.stop_all()
            kinds = ledger.verify()
            assert {str(kind) for kind in kinds} >= {
                "RECORD",
                "NOTICE",
                "STANDING_CHANGE",
                "RECEIPT",
                "FEEDBACK",
                "CHECKPOINT",
            }

            traced = run("trace", notice["id"], "--subject", FIRM.removeprefix("org:"), environment=environment)
            assert [step["kind"] for step in traced["steps"]] == [
                "RECORD",
                "NOTICE",
                "RECEIPT",
                "FEEDBACK",
                "FEEDBACK",
                "FEEDBACK",
                "REJECTION",
            ]
            assert [step["document"] for step in traced["steps"][3:6]] == ["反馈1", "反馈-甲", "反馈2"]
            assert traced["steps"][0]["document"] == "粤税失信〔2026〕1号"
            assert (traced["steps"][0]["topic"], traced["steps"][0]["offset"]) == (listed.topic, listed.offset)
            assert all(step["covered_by"]["key_id"] == "k1" for step in traced["steps"])
            assert run("trace", notice["id"], environment=environment) == traced, "the subject only makes it quicker"
            shown = run_shown("trace", notice["id"], environment=environment | {"COLUMNS": "80"})
            assert "…" not in shown, "a proof is shown whole"
            assert traced["steps"][0]["hash"][:16] in shown

            check_files(environment, tmp_path)
            assert run("verify", environment=environment)["good"] is True


def check_files(environment: dict[str, str], folder: Path) -> None:
    """What is exported is verified without servers, and no longer once it is tampered with."""
    [key] = run("keys", environment=environment)["keys"]
    nothing = {"PATH": environment["PATH"]}
    for name, options in (("plain.jsonl", ()), ("whole.jsonl.gz", ("--with-payloads",))):
        file = folder / name
        exported = run("export", "--out", str(file), *options, environment=environment)
        heads = [part for head in exported["heads"] for part in ("--head", head) if ":0:" not in head]
        verdict = run("verify", str(file), "--public-key", key["public_key"], *heads, environment=nothing)
        assert (verdict["good"], verdict["unsigned"]) == (True, 0)
        assert (
            verdict["payloads"]
            == exported["payloads"]
            == (verdict["entries"] - verdict["kinds"]["CHECKPOINT"] if options else 0)
        )

    other = "whpk_" + base64.b64encode(bytes(32)).decode()
    wrong = run("verify", str(folder / "plain.jsonl"), "--public-key", other, environment=nothing, code=1)
    assert {fault["code"] for fault in wrong["faults"]} == {"bad_signature"}

    lines = (folder / "plain.jsonl").read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b'"NOTICE"' in line)
    lines[place] = lines[place].replace(b'"NOTICE"', b'"RECORD"')
    (folder / "tampered.jsonl").write_bytes(b"".join(lines))
    found = run(
        "verify", str(folder / "tampered.jsonl"), "--public-key", key["public_key"], environment=nothing, code=1
    )
    assert [(fault["code"], fault["line"]) for fault in found["faults"]] == [("entry_changed", place + 1)]
