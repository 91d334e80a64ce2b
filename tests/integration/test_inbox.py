"""The inbox: sequence, repetitions, stale notices, restart with its book, full state in every notice."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from consumers.inbox import Inbox, Notice, SequenceBook, open_inbox
from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_uscc
from exchange.kafka import open_admin
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics, apply_topics

pytestmark = pytest.mark.servers
DEPARTMENT = "gd.fin"
FIRM, OTHER = f"org:{synthetic_uscc(1)}", f"org:{synthetic_uscc(2)}"


class Letterbox:
    """A department's topic of notices, written by hand, and its inboxes."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.codec = Codec.from_files(SCHEMAS)
        self.topic = Topics(settings.topic_prefix).out_of(DEPARTMENT)
        self._settings = settings
        self._folder = folder
        apply_topics(open_admin(settings.kafka), [DEPARTMENT], settings)
        self._producer = Producer({**settings.kafka.config(), "partitioner": "murmur2_random"})

    def notice(self, subject: str, n: int, *measures: str, epoch: int = 0) -> bytes:
        """A notice in wire format, with the full set of measures in force."""
        value = {
            "id": f"{subject}/{epoch}/{n}", "subject": subject, "subject_name": "", "department": DEPARTMENT, "epoch": epoch,
            "n": n, "issued_at": datetime.now(UTC), "published_at": datetime.now(UTC), "received_at": datetime.now(UTC),
            "cause": {"type": "", "department": "", "document": "", "topic": "", "partition": -1, "offset": -1},
            "changes": [],
            "measures": [{"measure": m, "listings": [], "respond_by": None, "basis": "law"} for m in measures],
            "policy_version": "test",
        }  # fmt: skip
        return self.codec.encode("notice", value)

    def put(self, *raws: bytes) -> None:
        """Put notices on the topic as they are."""
        for raw in raws:
            subject = self.codec.decode(raw)[1]["subject"]
            self._producer.produce(self.topic, raw, subject.encode())
        assert self._producer.flush(30) == 0

    def open(self, *, group: str = "department", book: str = "book.sqlite", **more: Any) -> Inbox:
        """The department's inbox, as its program would open it."""
        return open_inbox(
            self._settings.kafka,
            self.topic,
            self.codec,
            group=f"{self.topic}.{group}",
            book=self._folder / book,
            **more,
        )


@pytest.fixture
def letterbox(bus_settings: Settings, tmp_path: Path) -> Letterbox:
    settings = Settings(
        kafka=bus_settings.kafka, redis=bus_settings.redis, topic_prefix=bus_settings.topic_prefix, partitions=2
    )
    return Letterbox(settings, tmp_path)


def received(inbox: Inbox, first_within: float = 20.0) -> Iterator[Notice]:
    """Everything that comes until nothing more comes; each is done when the next is asked for."""
    notice = inbox.receive(timeout=first_within)
    while notice is not None:
        yield notice
        notice = inbox.receive(timeout=1.5)


def sequence(notices: Iterator[Notice]) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for one in notices:
        found.setdefault(one["subject"], []).append((one["epoch"], one["n"]))
    return found


def test_each_notice_once_in_order_and_with_the_full_state(letterbox: Letterbox) -> None:
    letterbox.put(
        letterbox.notice(FIRM, 1, "procurement_ban"),
        letterbox.notice(OTHER, 1, "no_awards"),
        letterbox.notice(FIRM, 2, "procurement_ban", "no_awards"),
        letterbox.notice(FIRM, 3),
    )
    with letterbox.open() as inbox:
        notices = list(received(inbox))
        assert inbox.dropped == 0
    assert sequence(iter(notices)) == {FIRM: [(0, 1), (0, 2), (0, 3)], OTHER: [(0, 1)]}
    of_firm = [{one["measure"] for one in n["measures"]} for n in notices if n["subject"] == FIRM]
    assert of_firm == [{"procurement_ban"}, {"procurement_ban", "no_awards"}, set()], "each holds all that is in force"


def test_a_repeated_notice_is_handed_out_once(letterbox: Letterbox) -> None:
    raw = letterbox.notice(FIRM, 1, "procurement_ban")
    letterbox.put(raw, raw, letterbox.notice(FIRM, 2), raw, letterbox.notice(FIRM, 2))
    with letterbox.open() as inbox:
        assert sequence(received(inbox)) == {FIRM: [(0, 1), (0, 2)]}
        assert inbox.dropped == 3


def test_a_stale_notice_is_dropped_and_a_newer_epoch_is_newer(letterbox: Letterbox) -> None:
    letterbox.put(
        letterbox.notice(FIRM, 7, "a"),
        letterbox.notice(FIRM, 5, "b"),
        letterbox.notice(FIRM, 2, "c", epoch=1),
        letterbox.notice(FIRM, 8, "d"),
        letterbox.notice(FIRM, 3, epoch=1),
    )
    with letterbox.open() as inbox:
        assert sequence(received(inbox)) == {FIRM: [(0, 7), (1, 2), (1, 3)]}
        assert inbox.dropped == 2


def test_a_restart_repeats_nothing_that_was_dealt_with(letterbox: Letterbox) -> None:
    letterbox.put(*(letterbox.notice(FIRM, n) for n in (1, 2, 3)))
    with letterbox.open() as inbox:
        assert sequence(received(inbox)) == {FIRM: [(0, 1), (0, 2), (0, 3)]}
    # Another group begins at the beginning of the topic: only the book knows what was dealt with.
    letterbox.put(letterbox.notice(FIRM, 4, "procurement_ban"))
    with letterbox.open(group="after-loss-of-offsets") as inbox:
        assert sequence(received(inbox)) == {FIRM: [(0, 4)]}
        assert inbox.dropped == 3


def test_what_was_not_dealt_with_comes_again_with_the_same_id(letterbox: Letterbox) -> None:
    letterbox.put(letterbox.notice(FIRM, 1, "procurement_ban"), letterbox.notice(FIRM, 2))
    with letterbox.open() as inbox:
        first = inbox.receive(timeout=60)
        assert first is not None
        inbox.confirm()
        second = inbox.receive(timeout=60)
        assert second is not None  # it dies here, before the second is dealt with
    with letterbox.open() as inbox:
        again = inbox.receive(timeout=60)
        assert again is not None
        assert (again["id"], again["n"]) == (second["id"], 2)


def test_an_inbox_from_now_leaves_what_was_there(letterbox: Letterbox) -> None:
    letterbox.put(letterbox.notice(FIRM, 1))
    with letterbox.open(book="now.sqlite", from_now=True) as inbox:
        assert inbox.receive(timeout=4) is None
        letterbox.put(letterbox.notice(OTHER, 1))
        notice = inbox.receive(timeout=60)
        assert notice is not None
        assert notice["subject"] == OTHER


def test_the_book_outlives_its_process(tmp_path: Path) -> None:
    notice = {"subject": FIRM, "epoch": 1, "n": 5}
    book = SequenceBook(tmp_path / "book.sqlite")
    assert book.is_new(notice)
    book.done(notice)
    book.close()
    book = SequenceBook(tmp_path / "book.sqlite")
    assert not book.is_new(notice)
    assert not book.is_new({"subject": FIRM, "epoch": 0, "n": 99})
    assert book.is_new({"subject": FIRM, "epoch": 1, "n": 6})
    assert book.is_new({"subject": OTHER, "epoch": 0, "n": 1})
    book.close()
