"""`creditbus run directory` and `creditbus search` on the real Kafka: from a department's record to a hit and its full text."""

import json
import signal
import subprocess
import sys
import urllib.request
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from consumers.directory.run import open_directory
from exchange.domain.synthetic import synthetic_uscc
from exchange.errors import RequestError
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.producing import Departments, listing
from tests.pulling import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.servers
FIRM = f"org:{synthetic_uscc(1)}"


def registration(name: str, revision: int, **changes: Any) -> dict[str, Any]:
    return {
        "subject": FIRM, "subject_name": name, "document": "设立", "revision": revision, "decided_on": date(2026, 3, 5),
        "division": "440300", "kind": "ENTERPRISE", "address": "深圳市合成大道1号", **changes,
    }  # fmt: skip


def test_from_a_record_to_a_hit_and_its_text(bus_settings: Settings, tmp_path: Path) -> None:
    settings = bus_settings.model_copy(
        update={"directory_folder": str(tmp_path / "directory"), "metrics_port": free_port()}
    )
    environment = environment_of(settings) | {
        "COLUMNS": "200",  # so that a table keeps its names whole
        "CREDITBUS_DIRECTORY_FOLDER": settings.directory_folder,
        "CREDITBUS_METRICS_PORT": str(settings.metrics_port),
    }

    def creditbus(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deploy.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    absent = creditbus("search", "合成")
    assert (absent.returncode, absent.stderr.splitlines()[0][:24]) == (1, "error[directory_absent]:")
    bus = Departments(settings, ["gd.amr"])
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "run", "directory"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        places = []
        with bus.publisher("gd.amr") as publisher:
            for record in (registration("合成新名科技有限公司", 2), registration("合成旧名科技有限公司", 1)):
                delivery = publisher.publish(record, "registration").result()
                places.append(("gd.amr", delivery.partition, delivery.offset))
        wait_until(lambda: found(settings, "合成旧名") == [FIRM], "the firm is found")
        Departments(settings, ["gd.tax"])  # a topic that comes later is read too
        with bus.publisher("gd.tax") as publisher:
            delivery = publisher.publish(listing(1), "listing").result()
        places.append(("gd.tax", delivery.partition, delivery.offset))
        with closing(open_directory(settings)) as directory:
            wait_until(lambda: len(directory.details(places)) == 3, "every record is there")
            texts = [bus.codec.decode(directory.details(places)[place])[1] for place in places]
        assert [text.get("address", text["document"]) for text in texts] == ["深圳市合成大道1号"] * 2 + [
            "粤税失信〔2026〕1号"
        ]
        wait_until(lambda: page(settings, "metrics").count("creditbus_directory_lag_records 0.0") == 1)
        assert page(settings, "health") == "ok\n"
        assert 'creditbus_directory_records_total{record_type="registration"} 2.0' in page(settings, "metrics")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    answer = creditbus("search", "hcwm", "--json")
    assert (answer.returncode, json.loads(answer.stdout)["hits"]) == (1, [])
    answer = creditbus("search", "hcxmkj", "--json", "--division", "440000", "--kind", "ENTERPRISE")
    assert json.loads(answer.stdout) == {
        "total_at_least": 1,
        "hits": [
            {
                "subject": FIRM,
                "name": "合成新名科技有限公司",
                "division": "440300",
                "kind": "ENTERPRISE",
                "status": "ACTIVE",
            }
        ],
    }
    assert "合成新名科技有限公司" in creditbus("search", FIRM[4:12]).stdout
    for wrong, code in ((("甲",), "search_text_short"), (("合成", "--division", "深圳"), "bad_division")):
        assert creditbus("search", *wrong).stderr.startswith(f"error[{code}]: ")


def found(settings: Settings, text: str) -> list[str]:
    try:
        with closing(open_directory(settings)) as directory:
            return [hit.subject for hit in directory.search(text).hits]
    except RequestError:  # not made yet
        return []


def page(settings: Settings, name: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port}/{name}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text
