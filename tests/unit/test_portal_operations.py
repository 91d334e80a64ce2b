"""The operator page: who sees it, what it says, who gets buttons, and that it names no subject."""

import pytest
from prometheus_client import generate_latest

from consumers.portal.operations.facts import Facts, Held
from consumers.portal.operations.room import OperationsRoom
from consumers.portal.operations.routes import operations_routes
from consumers.portal.operations.safe import SafeOperations
from consumers.portal.operations.watch import Watch
from exchange.domain.access import PUBLIC, Role, Visitor
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint, State
from exchange.metrics import DispatcherMetrics, StandingMetrics
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from tests.portal import CATALOGUE, TestPortal
from tests.unit.test_operations_health import served
from tests.unit.test_portal_query import standing_examples

OPERATOR, AUDITOR = Visitor(role=Role.OPERATOR, account="ops"), Visitor(role=Role.AUDITOR, account="audit")
OFFICER = Visitor(role=Role.OFFICER, department="gd.fin", account="li")
ADMINISTRATOR = Visitor(role=Role.ADMINISTRATOR, account="admin")
PATHS = ("/operations/resync", "/operations/release/gd.tax", "/operations/resume/gd.fin")
FACTS = Facts(
    held=(Held("gd.tax", 2, 1000),),
    overdue=(("gd.amr", 3),),
    endpoints=(Endpoint(department="gd.fin", url="https://x", key_id="k", state=State.PAUSED, reason="five days"),),
)


def portal(visitor: Visitor, targets: tuple[str, ...] = (), facts: Facts = FACTS) -> TestPortal:
    """A portal with the room; no Redis is behind its operations."""
    made = TestPortal(standing_examples(), visitor)
    nowhere = connect("redis://127.0.0.1:1")
    room = OperationsRoom(
        pages=made.parts.pages, catalogue=CATALOGUE, watch=Watch(targets, lambda: facts, partitions=4, every=0.5),
        safe=SafeOperations(Settings(), Store(nowhere), EndpointStore(nowhere), lambda: 0),
    )  # fmt: skip
    made.app.include_router(operations_routes(room))
    return made


def test_the_operator_sees_health_in_words_and_has_buttons() -> None:
    standing, dispatcher = StandingMetrics(), DispatcherMetrics()
    standing.lag.set(123_456)
    dispatcher.circuit.labels("gd.fin").set(2)
    with served(standing, dispatcher) as targets:
        page = portal(OPERATOR, (*targets, "127.0.0.1:1")).text("/operations")
    for word in (
        "信用状态处理器",
        "123,456",
        "告警",
        "断开",
        "不应答",
        "refused",
        "已暂停",
        "five days",
        "广东省税务局",
    ):
        assert word in page, word
    assert [path for path in PATHS if f'href="{path}"' not in page] == []
    english = portal(OPERATOR).text("/operations?lang=en")
    assert "Safe operations" in english
    assert "is not set: no process can be seen" in english


def test_nothing_to_release_no_button() -> None:
    page = portal(OPERATOR, facts=Facts(away="redis_away")).text("/operations")
    assert "/operations/release" not in page
    assert "/operations/resume" not in page
    assert "redis_away" in page


def test_the_auditor_reads_and_has_no_buttons() -> None:
    made = portal(AUDITOR)
    page = made.text("/operations")
    assert "重新评判" not in page
    assert "/operations/release" not in page
    for path in PATHS:
        assert made.client.get(path).status_code == 403
        assert made.client.post(path).status_code == 403
    assert made.door.matters == [""], "the page alone was written down"


@pytest.mark.parametrize("visitor", [PUBLIC, OFFICER, ADMINISTRATOR])
def test_nobody_else_sees_it(visitor: Visitor) -> None:
    made = portal(visitor)
    for path in ("/operations", "/operations/stream", *PATHS):
        assert made.client.get(path).status_code == 403
        assert made.client.post(path).status_code in (403, 405)
    assert 'href="/operations"' not in made.text("/")


@pytest.mark.parametrize("path", PATHS)
def test_each_operation_asks_first(path: str) -> None:
    made = portal(OPERATOR)
    page = made.text(path)
    assert f'action="{path}"' in page
    assert 'name="csrf"' in page
    assert made.door.matters == [], "nothing is done yet"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("release/gd.none", 400, "unknown_department"),
        ("rebuild", 404, "http"),
        ("rebuild/gd.tax", 400, "bad_parameter"),
    ],
)
def test_there_are_no_other_operations(path: str, status: int, code: str) -> None:
    made = portal(OPERATOR)
    for answer in (made.client.get(f"/operations/{path}"), made.client.post(f"/operations/{path}")):
        assert (answer.status_code, code in answer.text) == (status, True), answer.text
        assert code != "bad_parameter" or "correct the values named" in answer.text
    assert made.door.matters == []


def test_it_is_written_down_before_it_is_done() -> None:
    made = portal(OPERATOR)
    answer = made.client.post("/operations/resync", follow_redirects=False)
    assert answer.status_code == 503, "there is no Redis behind it"
    assert made.door.matters == ["resync"]


def test_no_subject_is_named_and_nothing_is_inline() -> None:
    shown = StandingMetrics()
    with served(shown) as targets:
        page = portal(OPERATOR, tuple(targets)).text("/operations")
    for text in (page, generate_latest(shown.registry).decode()):
        assert "org:" not in text
        assert "person:" not in text
        assert "PDY" not in text
    assert "style=" not in page
    assert "<script>" not in page
    assert "onclick" not in page
