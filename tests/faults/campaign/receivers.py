"""The departments' side: some read Kafka by the bus's own inbox, some are pushed to. Each keeps the newest notice of every subject."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consumers.inbox import open_inbox
from exchange.codec import Codec
from exchange.errors import RetryLaterError
from exchange.settings import Settings
from exchange.topics import Topics
from tests.receiving import Desk, Received

READERS = ("gd.dnr", "gd.drc")
DESKS = ("gd.fin", "gd.prtc", "gd.tax")
See = Callable[[str, Iterable[str]], None]
"""Told a department and the documents that a notice to it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a department holds about a subject: by which notice, and the measures in force."""

    sequence: tuple[int, int]
    measures: frozenset[str]


def held_by(notice: dict[str, Any]) -> Held:
    """What a department holds after a notice, in either form."""
    return Held(
        sequence=(notice["epoch"], notice["n"]), measures=frozenset(one["measure"] for one in notice["measures"])
    )


def documents(notice: dict[str, Any]) -> Iterator[str]:
    """Documents that a notice rests on."""
    for measure in notice["measures"]:
        for listing in measure["listings"]:
            yield listing["document"]


@dataclass(slots=True)
class KeepingDesk(Desk):
    """An endpoint that keeps what it holds instead of all requests."""

    department: str = ""
    see: See = lambda *_: None
    held: dict[str, Held] = field(default_factory=dict)
    received: int = 0

    def act(self, one: Received) -> None:
        self.received += 1
        notice = one.event["data"]
        self.see(self.department, documents(notice))
        known, new = self.held.get(notice["subject"]), held_by(notice)
        if known is None or new.sequence > known.sequence:
            self.held[notice["subject"]] = new
        elif new.sequence < known.sequence:
            self.stale += 1


class Reader:
    """A department that reads Kafka by the bus's own inbox, in a thread.

    Args:
        settings: of the bus.
        department: who reads.
        book: file of what is done.
        see: told of each notice.
    """

    def __init__(self, settings: Settings, codec: Codec, department: str, book: Path, see: See) -> None:
        self._settings = settings
        self._codec = codec
        self.department = department
        self._book = book
        self._see = see
        self.held: dict[str, Held] = {}
        self.received = self.stale = self.repeated = 0
        self.failure: BaseException | None = None
        self._over = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._thread = threading.Thread(target=self._run, name=f"inbox-{department}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End in good order."""
        self._over.set()
        self._going.set()
        if self._thread.is_alive():
            self._thread.join(60)
            assert not self._thread.is_alive(), f"the inbox of {self.department} does not end"

    def pause(self) -> None:
        """Take nothing for a while."""
        self._going.clear()

    def resume(self) -> None:
        """Go on."""
        self._going.set()

    def _run(self) -> None:
        topic = Topics(self._settings.topic_prefix).out_of(self.department)
        try:
            with open_inbox(
                self._settings.kafka, topic, self._codec, group=self.department, book=self._book
            ) as inbox:  # fmt: skip
                while not self._over.is_set():
                    self._going.wait()
                    try:
                        notice = inbox.receive(timeout=0.5)
                    except RetryLaterError:
                        continue
                    self.repeated = inbox.dropped
                    if notice is not None:
                        self._take(notice)
        except BaseException as error:  # noqa: BLE001 # shown by the campaign
            self.failure = error

    def _take(self, notice: dict[str, Any]) -> None:
        self.received += 1
        self._see(self.department, documents(notice))
        known, new = self.held.get(notice["subject"]), held_by(notice)
        if known is not None and new.sequence <= known.sequence:
            self.stale += 1
        self.held[notice["subject"]] = new
