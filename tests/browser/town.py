"""A small town for browser tests: a real bus, its real processes as an operator starts them, people with accounts, and a browser."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from deploy.outbound import Publishers
from exchange.catalogue import load_catalogue
from exchange.directory_sqlite import SqliteDirectory
from exchange.domain.access import Role
from exchange.errors import RequestError
from exchange.kafka import open_admin
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import apply_topics
from tests.conftest import environment_of
from tests.unit.test_portal_query import FIRM, standing_examples
from tests.waiting import wait_until

COMMAND = [sys.executable, "-m", "deploy.cli"]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PASSWORD = "合成城的口令 correct horse"  # noqa: S105 # of accounts that exist in a test only
PEOPLE = {
    "li": (Role.OFFICER, "gd.fin"),
    "wang": (Role.OFFICER, "gd.tax"),
    "shen": (Role.AUDITOR, ""),
    "yun": (Role.OPERATOR, ""),
    "guan": (Role.ADMINISTRATOR, ""),
}
"""Account to role and department."""
AXE = (Path(__file__).parent / "vendor" / "axe-4.min.js").read_text(encoding="utf-8")
PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}


class Town:
    """What the tests visit."""

    def __init__(self, settings: Settings, url: str, browser: Browser, pictures: Path) -> None:
        self.settings = settings
        self.url = url
        self.browser = browser
        self._pictures = pictures
        self.publishers: Publishers

    @contextmanager
    def visit(self, *, account: str = "", viewport: ViewportSize = DESK, scripts: bool = True) -> Iterator[Page]:
        """A page of a visitor, signed in where an account is named. A request to another host fails the test."""
        context = self.browser.new_context(
            base_url=self.url, viewport=viewport, locale="zh-CN", java_script_enabled=scripts
        )
        strangers: list[str] = []
        context.on(
            "request", lambda request: strangers.append(request.url) if not request.url.startswith(self.url) else None
        )
        page = context.new_page()
        if account:
            page.goto("/login")
            page.get_by_label(re.compile("账号|Account")).fill(account)
            page.get_by_label(re.compile("密码|口令|Password")).fill(PASSWORD)
            page.locator("main button").first.click()
            page.wait_for_load_state()
        try:
            yield page
        except Exception:
            self.picture(page, f"failed-{time.time_ns()}")
            print("where the browser was:", page.url, page.locator("body").inner_text(), sep="\n")
            raise
        finally:
            context.close()
        assert not strangers, "pages ask no other host for anything"

    def picture(self, page: Page, name: str) -> None:
        """Keep what the page looks like, as an artefact to look at."""
        page.screenshot(path=self._pictures / f"{name}.png", full_page=True)

    def accessible(self, page: Page, name: str) -> None:
        """axe-core finds nothing serious; and nothing sticks out of the screen."""
        page.evaluate(AXE)
        found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        serious = [
            f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:3]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert not serious, f"{name}: {json.dumps(serious, ensure_ascii=False, indent=1)}"
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} pixels wider than the screen"


@contextmanager
def running(settings: Settings, *command: str) -> Iterator[subprocess.Popen[str]]:
    """One process of the bus, ended by SIGTERM; its log is in the home folder."""
    with (settings.home / f"{command[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [*COMMAND, "run", *command], env=environment_of(settings), cwd=Path(__file__).parents[2], text=True,
            stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout
        process.stdout.close()


@contextmanager
def town(settings: Settings, folder: Path, pictures: Path) -> Iterator[Town]:
    """A bus on which the golden examples were published, with everything that serves people.

    Args:
        settings: of the bus.
        folder: for the directory.
        pictures: folder for screenshots.
    """
    settings = Settings(
        **{name: getattr(settings, name) for name in settings.model_fields_set}
        | {
            "partitions": 2, "home": folder, "directory_folder": str(folder / "directory"), "portal_port": 0,
            "portal_plain_http": True, "portal_keys": f"k1:{'5' * 64}", "person_keys": f"k1:{'6' * 64}",
            "signing_keys": f"k1:{'7' * 64}",
        }
    )  # fmt: skip
    apply_topics(open_admin(settings.kafka), sorted(load_catalogue(SCHEMAS).departments), settings)
    for account, (role, department) in PEOPLE.items():
        _add_account(settings, account, role, department)
    with ExitStack() as stack:
        stack.enter_context(running(settings, "standing"))
        stack.enter_context(running(settings, "directory"))
        publishers = stack.enter_context(Publishers(settings))
        for record_type, record in standing_examples():
            publishers.publish(record["department"], record, record_type).result(30)
        store = Store(connect(settings.redis))
        wait_until(lambda: (store.standing(_partition(settings), FIRM) or None) is not None, "the firm's standing")
        wait_until(lambda: _knows_the_firm(folder / "directory"), "the directory knows the firm")
        served = stack.enter_context(running(settings, "portal"))
        assert served.stdout
        line = next(iter(served.stdout.readline, ""), "")
        found = re.search(r"http://\S+", line)
        assert found, (folder / "portal.log").read_text()
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        made = Town(settings, found[0], browser, pictures)
        made.publishers = publishers
        yield made


def _partition(settings: Settings) -> int:
    return partition_of(FIRM, settings.partitions)


def _knows_the_firm(folder: Path) -> bool:
    try:
        return bool(SqliteDirectory(folder).search("合成一号").hits)
    except RequestError:
        return False  # it is just being made


def _add_account(settings: Settings, name: str, role: Role, department: str) -> None:
    command = [*COMMAND, "accounts", "add", name, "--role", role]
    if department:
        command += ["--department", department]
    subprocess.run(
        command, env=environment_of(settings), input=f"{PASSWORD}\n", text=True, check=True, capture_output=True
    )  # fmt: skip
