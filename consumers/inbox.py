"""Inbox: how a department receives its notices, each once, in order, the newest always right.

A notice carries the full set of measures in force, and a sequence (epoch, n) that rises for each subject. An inbox keeps the
highest sequence it has handed out: a notice that is not newer is a repetition or stale, and is dropped and counted.

What is remembered lies in a SQLite file beside the department's own data, so that a restart repeats nothing: a notice is
marked done there after the department has dealt with it, and only then is Kafka told. If it dies in between, the department
sees that one notice again, with the same id.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.errors import RetryLaterError
from exchange.kafka import leave, reading, translate

Notice = dict[str, Any]
"""A decoded notice: the fields of schemas/records/notice.avsc."""

_NOT_ALLOWED = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
"""Nothing else would ever come: librdkafka says so at the first attempt, and then hardly again."""


class SequenceBook:
    """The highest sequence seen of each subject, in a SQLite file.

    Args:
        path: of the file; `:memory:` forgets at the end.
    """

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS seen (subject TEXT PRIMARY KEY, epoch INTEGER, n INTEGER) WITHOUT ROWID"
        )

    def is_new(self, notice: Notice) -> bool:
        """Whether a notice is newer than all that was done about its subject."""
        row = self._database.execute("SELECT epoch, n FROM seen WHERE subject = ?", (notice["subject"],)).fetchone()
        return row is None or tuple(row) < (notice["epoch"], notice["n"])

    def done(self, notice: Notice) -> None:
        """Remember that a notice was dealt with; on disk when this returns."""
        with self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (notice["subject"], notice["epoch"], notice["n"])
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class Inbox:
    """Receives one department's notices. A context manager; iterate for notices, each is done when the next is asked for.

    Args:
        consumer: read_committed, not auto-committing, subscribed to nothing yet.
        topic: `credit.out.<department>`.
        codec: of the schemas.
        book: what has been done already.
    """

    def __init__(self, consumer: Consumer, topic: str, codec: Codec, book: SequenceBook) -> None:
        self._consumer = consumer
        self._codec = codec
        self._book = book
        self._topic = topic
        self._handed: tuple[Message, Notice] | None = None
        self.dropped = 0

    def __enter__(self) -> Self:
        self._consumer.subscribe([self._topic])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with closing(self._book):
            leave(self._consumer)

    def receive(self, timeout: float) -> Notice | None:
        """The next new notice, or None when none came in time (seconds). The one before it counts as done.

        Raises:
            RetryLaterError: Kafka is away.
            RequestError: `not_allowed`, these credentials may not read the topic, or not in this group.
        """
        self.confirm()
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            message = self._consumer.poll(min(left, 1.0))
            if message is None:
                continue
            error = message.error()
            if error is not None:
                if error.fatal() or error.code() in _NOT_ALLOWED:
                    raise translate(KafkaException(error), f"receiving notices of {self._topic}")
                continue
            _, notice = self._codec.decode(message.value() or b"")
            if self._book.is_new(notice):
                self._handed = (message, notice)
                return notice
            self.dropped += 1
            self._commit(message)
        return None

    def confirm(self) -> None:
        """The notice handed out last has been dealt with."""
        if self._handed is not None:
            message, notice = self._handed
            self._book.done(notice)
            self._commit(message)
            self._handed = None

    def _commit(self, message: Message) -> None:
        try:
            self._consumer.commit(message=message, asynchronous=True)
        except KafkaException as error:
            raise RetryLaterError(f"cannot commit: {error.args[0].str()}", remedy="check the brokers") from error

    def __iter__(self) -> Iterator[Notice]:
        while True:
            notice = self.receive(timeout=1.0)
            if notice is not None:
                yield notice


def open_inbox(
    kafka: Brokers, topic: str, codec: Codec, *, group: str, book: Path | str, from_now: bool = False
) -> Inbox:
    """An inbox on a broker.

    Args:
        kafka: where it is, and how it is spoken to.
        topic: `credit.out.<department>`.
        codec: of the schemas.
        group: consumer group; a department's processes share one.
        book: file of the sequence book; each process of a group has its own.
        from_now: begin with notices to come, not with what is there.
    """
    consumer = Consumer(reading(kafka, group) | {"auto.offset.reset": "latest" if from_now else "earliest"})
    return Inbox(consumer, topic, codec, SequenceBook(book))
