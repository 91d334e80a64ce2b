"""A file that is fed: each batch is kept at once, with its offsets, in one transaction. The directory and the deadlines are such files."""

import time
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from confluent_kafka import Consumer

from consumers.feeding.process import Places
from consumers.standing.consumed import Consumed
from consumers.standing.reading import behind
from exchange.fed_folder import Offsets
from exchange.kafka_places import Place

TakenT = TypeVar("TakenT")
"""What a batch brings."""
Read = TypeVar("Read", covariant=True)  # noqa: PLC0105 # of the reader alone
Kept = TypeVar("Kept", contravariant=True)  # noqa: PLC0105 # of the keeper alone


class Reader(Protocol[Read]):
    """Messages to what is kept of them."""

    def read(self, messages: Iterable[Consumed]) -> Read: ...  # noqa: D102


class Keeper(Protocol[Kept]):
    """The file's one writer."""

    def offsets(self) -> Offsets: ...  # noqa: D102
    def keep(self, brought: Kept, /) -> None: ...  # noqa: D102 # whole, with its offsets, or not at all
    def size(self) -> int: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Report(Protocol[Kept]):
    """What operators are told."""

    def kept(self, taken: Kept, seconds: float) -> None: ...  # noqa: D102
    def state(self, lag: int, size: int) -> None: ...  # noqa: D102 # records not kept yet, bytes on disk


class FileFeed(Generic[TakenT]):
    """One file.

    Args:
        reader: of messages.
        keeper: of what they bring.
        report: metrics.
    """

    def __init__(self, reader: Reader[TakenT], keeper: Keeper[TakenT], report: Report[TakenT]) -> None:
        self._reader = reader
        self._keeper = keeper
        self._report = report

    def offsets(self, places: Iterable[Place]) -> Offsets:  # noqa: ARG002 # the file tells all that it knows
        """See `Feed`."""
        return self._keeper.offsets()

    def take(self, messages: list[Consumed]) -> None:
        """Keep a batch at once."""
        began_at = time.perf_counter()
        taken = self._reader.read(messages)
        self._keeper.keep(taken)
        self._report.kept(taken, time.perf_counter() - began_at)

    def turn(self) -> None:
        """Nothing is ever due."""

    def state(self, consumer: Consumer, places: Places) -> int:
        """See `Feed`."""
        kept = self._keeper.offsets()
        taken = {(place.topic, place.partition): kept.get(where, 0) for where, place in places.items()}
        lag = sum(behind(consumer, list(places.values()), lambda place: taken[place.topic, place.partition]))
        self._report.state(lag, self._keeper.size())
        return lag

    def finish(self) -> None:
        """All is kept."""

    def close(self) -> None:
        """See `Feed`."""
        self._keeper.close()
