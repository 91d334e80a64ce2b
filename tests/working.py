"""What tests of the workspace share: a live bus, the portal's workspace on it, and a browser without JavaScript."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from consumers.portal.app import build_app
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.routes import workspace_routes
from deploy.outbound import Publishers
from deploy.portal import portal_parts
from deploy.portal_workspace import open_workspace
from exchange.answers import today_in_china
from exchange.directory_memory import MemoryDirectory
from exchange.domain.access import Role, Visitor
from exchange.settings import Settings
from tests.e2e.bus import LiveBus
from tests.visiting import DoorFor

FIN, TAX = "gd.fin", "gd.tax"
TODAY = today_in_china().isoformat()


def days_ago(number: int) -> str:
    """A day in the past."""
    return (today_in_china() - timedelta(days=number)).isoformat()


def officer(department: str) -> Visitor:
    return Visitor(role=Role.OFFICER, department=department, account="li")


class Workspace:
    """The workspace as an officer's browser sees it.

    Args:
        parts: of the workspace.
        visitor: who looks.
    """

    def __init__(self, parts: WorkspaceParts, visitor: Visitor) -> None:
        self.door = DoorFor(visitor)
        app = build_app(parts.portal, self.door, [workspace_routes(parts)])
        self.parts = parts
        self.client = TestClient(app, raise_server_exceptions=False)

    def as_visitor(self, visitor: Visitor) -> "Workspace":
        """Somebody else at the same screen."""
        self.door.visitor = visitor
        return self

    def page(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return unescape(answer.text)

    def send(self, path: str, fields: dict[str, str], status: int = 200, **more: Any) -> str:
        """Send a form and follow where it leads; the text of the page."""
        answer = self.client.post(path, data=fields, **more)
        assert answer.status_code == status, re.findall(r'class="(?:notice )?bad".*', answer.text)
        return unescape(answer.text)


def filled(page: str, number: int = 0) -> dict[str, str]:
    """What a browser would send of the n-th form that is posted, as it stands."""
    form = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)[number]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    fields |= dict(re.findall(r'<input type="(?:text|date)"[^>]*? name="([^"]+)" value="([^"]*)"', form))
    fields |= {name: text.strip() for name, text in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL)}  # fmt: skip
    for name, body in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body) or re.search(r'value="([^"]*)"', body)
        fields[name] = chosen[1] if chosen else ""
    return fields


@contextmanager
def workspace_on(settings: Settings, folder: Path, visitor: Visitor) -> Iterator[Workspace]:
    """The workspace of a bus."""
    settings = settings.model_copy(update={"home": folder})
    with Publishers(settings) as publishers:
        parts = portal_parts(settings, MemoryDirectory(), publishers, embedded=True)
        with open_workspace(settings, parts, publishers, embedded=True) as found:
            yield Workspace(found, visitor)


def feed_done(bus: LiveBus, number: int = 1) -> None:
    """The page has published so many records of its own: wait until they have had their consequences."""
    bus.fed += number
    bus.settle()
