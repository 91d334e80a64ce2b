"""Every example of docs/gateway.md works as it stands, in the order of the page, and its tables name every status and code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.settings import Settings
from tests.conftest import environment_of
from tests.producing import Departments
from tests.submitting import TAX, documents, key_of, serving

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "gateway.md").read_text("utf-8")


@pytest.mark.servers
def test_the_examples_of_the_guide(bus_settings: Settings, tmp_path: Path) -> None:
    bus = Departments(bus_settings, (TAX,))
    examples = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert len(examples) == 4
    with serving(bus_settings) as server:
        environment = environment_of(bus_settings) | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "GATEWAY": server.url, "KEY": key_of(bus_settings, TAX)
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", "set -eu\n" + "\n".join(examples)], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    answers = {
        name: json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
        for name in ("receipt", "batch", "fate", "example")
    }
    assert sorted(document for document, _, _ in documents(bus, TAX)) == ["粤税失信〔2026〕3号", "粤税失信〔2026〕4号"]
    assert (answers["receipt"]["accepted"], answers["batch"]["accepted"], answers["batch"]["refused"]) == (1, 1, 1)
    assert (answers["fate"]["status"], answers["example"]["type"]) == ("pending", "listing")


def test_every_code_and_setting_is_in_the_guide() -> None:
    sources = [*(ROOT / "producers" / "gateway").glob("*.py"), ROOT / "exchange" / "http" / "door.py"]
    codes = {code for path in sources for code in re.findall(r'code="([a-z_]+)"', path.read_text("utf-8"))}
    reasons = {"bad_json", "wrong_type", "message_too_large", "too_many_items", "undecodable"}
    told_by_health = {"not_healthy"}
    assert not {code for code in codes - reasons - told_by_health if f"`{code}`" not in GUIDE}
    of_tokens = {"oidc_issuer", "oidc_jwks_url", "oidc_audience", "oidc_department_claim"}
    settings = of_tokens | {name for name in Settings.model_fields if name.startswith("gateway_")}
    assert not {name for name in settings if f"CREDITBUS_{name.upper()}" not in GUIDE}
