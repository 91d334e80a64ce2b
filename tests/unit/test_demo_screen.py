"""What the demonstration shows of notices, on its screen and in its lines."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from deploy.cli.demo import _Lines
from deploy.demo.screen import draw
from deploy.demo.seen import Seen, Words
from exchange.catalogue import load_catalogue
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy

OWED = {"department": "gd.fin", "measure": "procurement_ban", "lift": False}


def notice(*, changes: tuple[dict[str, str], ...] = (), overdue: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "subject": "org:91440300PDY00001X3", "subject_name": "合成第00001号", "department": "gd.drc",
        "published_at": datetime(1970, 1, 1, tzinfo=UTC), "cause": {"type": "", "document": ""},
        "changes": list(changes), "measures": [], "overdue": list(overdue),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (notice(changes=({"action": "LIFTED", "measure": "procurement_ban"},)), "LIFTED procurement_ban"),
        (notice(overdue=(OWED,)), "OVERDUE gd.fin 省财政厅: procurement_ban"),
        (notice(), "ANSWERED"),
    ],
    ids=["a change", "a reminder, which changes no measure", "the end of a reminder"],
)
def test_every_notice_is_shown(given: dict[str, Any], shown: str) -> None:
    seen = Seen(Words(load_policy(SCHEMAS, load_catalogue(SCHEMAS)), {"gd.fin": "省财政厅"}))
    seen.take("out", "gd.drc", given, at=0.0)
    text = io.StringIO()
    _Lines(Console(file=text, width=200)).show(seen)
    assert shown in text.getvalue()

    screen = Console(file=io.StringIO(), width=200, height=60, record=True)
    screen.print(draw(seen, 200, 60))
    assert shown in screen.export_text()
