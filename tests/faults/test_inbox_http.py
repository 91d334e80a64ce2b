"""The HTTP inbox killed in the middle of long polls, its broker restarted, its end: nothing is lost, nothing doubled."""

import http.client
import threading
import time
from collections import Counter

import pytest

from exchange.settings import Settings
from tests.conftest import RunningStack
from tests.pulling import FIN, Client, NoticeBoard, ServerProcess, firm, free_port, notice

pytestmark = pytest.mark.servers


class Follower(threading.Thread):
    """A department that follows its notices with long polls and keeps its cursor, through any trouble."""

    def __init__(self, client: Client) -> None:
        super().__init__(name="follower", daemon=True)
        self._client = client
        self.seen: list[tuple[str, int]] = []
        self.cursor = ""
        self.failures: Counter[str] = Counter()
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            query = {"cursor": self.cursor} if self.cursor else {}
            try:
                status, page, _ = self._client.get("/v1/notices", wait=3, limit=20, **query)
            except (OSError, http.client.HTTPException) as error:
                self.failures[type(error).__name__] += 1
                time.sleep(0.05)
                continue
            if status != 200:
                self.failures[page["code"]] += 1
                continue
            self.seen += [(one["subject"], one["n"]) for one in page["notices"]]  # dealt with, then
            self.cursor = page["next_cursor"]

    def wait_for(self, count: int, seconds: float = 40.0) -> None:
        give_up_at = time.monotonic() + seconds
        while len(self.seen) < count and time.monotonic() < give_up_at:
            time.sleep(0.02)
        self.stopping.set()
        self.join(10)


@pytest.fixture
def settings(bus_settings: Settings) -> Settings:
    return Settings(
        kafka=bus_settings.kafka, redis=bus_settings.redis, topic_prefix=bus_settings.topic_prefix, partitions=2
    )


def in_order(seen: list[tuple[str, int]], subjects: int, each: int) -> bool:
    """Whether every notice of every subject came once, in order."""
    return all(
        [n for subject, n in seen if subject == firm(s)] == list(range(1, each + 1)) for s in range(1, subjects + 1)
    )


def test_killed_in_the_middle_of_long_polls_nothing_is_lost_or_doubled(settings: Settings) -> None:
    board = NoticeBoard(settings, (FIN,))
    server = ServerProcess(settings, free_port())
    follower = Follower(Client(server.url, board.key(FIN)))
    follower.start()
    for n in range(1, 31):
        board.put(FIN, *(notice(number, n, "procurement_ban") for number in range(1, 6)))
        time.sleep(0.04)
        if n in (10, 20):
            server.kill()
            board.put(FIN, notice(6, n // 10, "x"))
            server.restart()
    board.put(FIN, notice(6, 3, "x"))
    follower.wait_for(5 * 30 + 3)
    assert sum(follower.failures.values()) > 0, "it was felt"
    assert len(follower.seen) == 5 * 30 + 3
    assert in_order(follower.seen, 5, 30)
    server.kill()


def test_sigterm_ends_polls_and_streams_at_once(settings: Settings) -> None:
    board = NoticeBoard(settings, (FIN,))
    server = ServerProcess(settings, free_port())
    client = Client(server.url, board.key(FIN))
    board.put(FIN, notice(1, 1, "x"))
    cursor = client.page()["next_cursor"]
    pages: list[dict[str, object]] = []
    waiting = threading.Thread(target=lambda: pages.append(client.page(cursor=cursor, wait=30)))
    with client.stream(cursor) as events:
        assert next(events)[0] == "caught-up"
        waiting.start()
        time.sleep(0.3)
        asked_at = time.monotonic()
        code, out = server.end()
        took = time.monotonic() - asked_at
        assert list(events) == []
    waiting.join(10)
    assert (code, "Traceback" in out) == (0, False), out
    assert took < 4, out
    assert pages == [{"notices": [], "next_cursor": cursor, "caught_up": True}]


def test_a_broker_that_restarts_costs_nothing(settings: Settings, stack: RunningStack) -> None:
    board = NoticeBoard(settings, (FIN,))
    server = ServerProcess(settings, free_port())
    client = Client(server.url, board.key(FIN))
    follower = Follower(client)
    board.put(FIN, *(notice(number, 1, "x") for number in range(1, 6)))
    follower.start()
    cursor = client.page()["next_cursor"]
    with client.stream(cursor) as events:
        assert next(events)[0] == "caught-up"
        stack.kafka.kill()
        stack.kafka.start()
        board.put(FIN, *(notice(number, 2, "x") for number in range(1, 6)))
        streamed = [
            (data["subject"], data["n"])
            for _, (name, _, data) in zip(range(5), events, strict=False)
            if name == "notice"
        ]
    follower.wait_for(10)
    assert in_order(follower.seen, 5, 2), follower.failures
    assert sorted(streamed) == sorted((firm(number), 2) for number in range(1, 6))
    server.kill()
