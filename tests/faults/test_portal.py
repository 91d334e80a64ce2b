"""The portal killed between what it puts on the bus and what it says about it: nothing is lost, nothing counts twice."""

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from consumers.portal.workspace.uploads import Progress, Upload, Uploads
from deploy.portal_workspace import UPLOADS
from exchange.api_keys import RedisKeys, issue
from exchange.domain.synthetic import synthetic_uscc
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.conftest import environment_of
from tests.e2e.bus import LiveBus, live_bus
from tests.producing import Departments
from tests.pulling import Client, ServerProcess, free_port

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
TAX, FIN = "gd.tax", "gd.fin"
FIRM = f"org:{synthetic_uscc(1)}"
WHY = "认定的事实与实际不符，请予核查。"
DECISION = {"decision": "refused", "document": "粤财采〔2026〕40号", "officer": "财采处-07"}


@pytest.fixture
def bus(bus_settings: Settings, tmp_path: Path) -> Iterator[LiveBus]:
    """A bus with a firm on a list, of which the department of finance was told."""
    with live_bus(bus_settings, tmp_path, f"{datetime.now(UTC):%Y-%m-%d}", portal_plain_http=True) as found:
        found.publish("gd.amr", "registration", FIRM, "设立", subject_name="合成一号有限公司", status="ACTIVE")
        found.listing(TAX, "TAX", FIRM, "粤税失信〔2026〕1号", grounds="1", serious=True, basis="第六条")
        found.settle()
        yield found


class DyingPortal(ServerProcess):
    """A portal in a process of its own that kills itself at a step."""

    def __init__(self, settings: Settings, step: str) -> None:
        port = free_port()
        settings = settings.model_copy(update={"portal_port": port, "portal_plain_http": True})
        super().__init__(settings, port, ("-m", "tests.faults.portal_main", step, "1"))


@contextmanager
def portal(settings: Settings, step: str = "never") -> Iterator[DyingPortal]:
    found = DyingPortal(settings, step)
    try:
        yield found
    finally:
        found.kill()


def published(bus: LiveBus, department: str, record_type: str) -> list[dict[str, Any]]:
    """What lies on a department's topic of one type."""
    messages = Departments(bus.settings, (department,)).published(department)
    return [record for _, record, _, _ in messages if record["type"] == record_type]


@pytest.mark.parametrize(("step", "messages"), [("publish", 1), ("confirmed", 2)])
def test_killed_between_feedback_and_the_record_of_a_decision(bus: LiveBus, step: str, messages: int) -> None:
    key = issue(RedisKeys(connect(bus.settings.redis)), FIN, "test", datetime.now(UTC))[0]
    with portal(bus.settings, step) as dying:
        client = Client(dying.url, key)
        asked = client.post("/v1/checks", {"subject": FIRM, "matter": "government_procurement"}).body
        assert asked["answer"] == "refuse"
        path = f"/v1/checks/{asked['id']}/decision"
        with pytest.raises((OSError, http.client.HTTPException)):
            client.post(path, DECISION)
    with portal(bus.settings) as living:
        client = Client(living.url, key)
        assert client.get(f"/v1/checks/{asked['id']}").body == asked, "the check is still there"
        status, recorded, _ = client.post(path, DECISION)
        assert (status, [one["status"] for one in recorded["feedback"]]) == (200, ["accepted"])
    sent = published(bus, FIN, "measure_feedback")
    assert len(sent) == messages
    assert len({one["document"] for one in sent}) == 1
    bus.settle()
    _, standing, entries, _ = bus.picture(FIRM)
    assert len([name for name in entries if name.startswith("measure_feedback/")]) == 1, "it counts once"
    assert standing.counts["measure_feedback"] == 1


@pytest.mark.parametrize(("step", "messages"), [("publish", 1), ("confirmed", 2)])
@pytest.mark.parametrize("kind", ["objection", "complaint"])
def test_killed_between_a_form_and_its_record(bus: LiveBus, kind: str, step: str, messages: int) -> None:
    with portal(bus.settings, step) as dying, httpx2.Client(base_url=dying.url, timeout=30) as browser:
        form = filled(browser, kind)
        with pytest.raises(httpx2.TransportError):
            browser.post(f"/disclosure/{kind}", data=form)
        cookies = dict(browser.cookies)
    with portal(bus.settings) as living, httpx2.Client(base_url=living.url, cookies=cookies, timeout=30) as browser:
        answer = browser.post(f"/disclosure/{kind}", data=form)
        assert answer.status_code == 200, answer.text
        assert form["number"] in answer.text
    department, record_type = (TAX, "objection") if kind == "objection" else ("gd.data", "social_report")
    sent = published(bus, department, record_type)
    assert len(sent) == messages
    assert {one["document"] for one in sent} == {sent[0]["document"]}
    bus.settle()
    _, standing, entries, _ = bus.picture(FIRM)
    if kind == "complaint":
        assert standing.counts["social_report"] == 1, "it counts once"
    else:
        (listing,) = (entry for name, entry in entries.items() if name.startswith("listing/"))
        assert len(listing.amendments("objection")) == 1, "it counts once"
    assert not bus.rejections(department)


def filled(browser: httpx2.Client, kind: str) -> dict[str, str]:
    """A form as somebody sends it."""
    page = browser.get(f"/disclosure/{kind}", params={"subject": FIRM}).text
    hidden = {name: _value(page, name) for name in ("csrf", "number")}
    more = {"document": "粤税失信〔2026〕1号"} if kind == "objection" else {"title": "拖欠货款"}
    return hidden | {"subject": FIRM, "detail": WHY} | more


def _value(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]+)"', page)
    assert found, page
    return found[1]


ROWS = 400
HEADER = "list_code,document,subject_name,uscc,decided_on\n"


def listings(count: int) -> str:
    """A file of listings by the tax authority, one a row."""
    return HEADER + "".join(
        f"TAX,上传{number}号,合成第{number:05d}号有限公司,{synthetic_uscc(number)},2026-03-05\n"
        for number in range(1, count + 1)
    )


@pytest.mark.parametrize(("step", "count"), [("row", 1), ("row", 150), ("done", 1), ("over", 1)])
def test_an_upload_killed_under_way_goes_on(bus_settings: Settings, tmp_path: Path, step: str, count: int) -> None:
    bus = Departments(bus_settings, (TAX,))
    settings = bus_settings.model_copy(update={"home": tmp_path / "home"})
    file = tmp_path / "list.csv"
    file.write_text(listings(ROWS), encoding="utf-8")
    done = uploads(settings, step, str(count), str(file))
    assert done.returncode == -9, done.stderr
    uploads(settings, "never", "0").check_returncode()
    (one,) = look(settings)
    assert (one.progress, one.rows, one.bad) == (Progress.FINISHED, ROWS, 0), one.error
    folder = settings.home / UPLOADS / one.id
    assert not list(folder.glob("file*")), "it may name persons, so it does not stay"
    assert len((folder / "report.csv").read_text(encoding="utf-8-sig").splitlines()) == ROWS + 1
    sent = [record for _, record, _, _ in bus.published(TAX)]
    assert len({record["document"] for record in sent}) == ROWS, "none is lost"
    assert len({(record["document"], record["revision"], record["subject"]) for record in sent}) == ROWS, (
        "what was sent twice counts once"
    )


def uploads(settings: Settings, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.uploads_main", *words], env=environment_of(settings), text=True, timeout=120,
        capture_output=True, check=False,
    )  # fmt: skip


def look(settings: Settings) -> list[Upload]:
    return Uploads(settings.home / UPLOADS, lambda *_: pytest.fail("nothing is imported here")).of(TAX)
