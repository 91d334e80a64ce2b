"""The one loop of a process that feeds a folder: consume, and hand over; what is kept and where to go on are of the same moment.

It is in no group: one process feeds a folder and reads every partition, from the offsets that are in the folder itself. So it goes on
where it was, whatever happened to it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import ClusterMetadata

from consumers.feeding.report import FeedingReport
from consumers.standing.assignment import pauses
from consumers.standing.consumed import Consumed, is_final, sort_out
from consumers.standing.liveness import Liveness
from exchange.brokers import Brokers
from exchange.errors import FatalError, RetryLaterError
from exchange.fed_folder import Bus, Offsets
from exchange.kafka import Config, reading, translate
from exchange.kafka_places import Place, watermarks
from exchange.settings import Settings

IDLE_WAIT = 0.1
"""Seconds that the loop waits for input when it has nothing to do."""
STATE_EVERY = 1.0
"""Seconds between looks at the lag."""
LOOK_SECONDS = 5.0
"""So long the brokers have to tell the topics; whoever ends the process waits no longer for it."""
TOPICS_EVERY = 10.0
"""Seconds between looks for topics that are not there yet."""

Places = dict[Place, TopicPartition]
"""What is read, by the source's name and partition."""


class Feed(Protocol):
    """A folder that is fed."""

    def offsets(self, places: Iterable[Place]) -> Offsets:
        """Where to go on; a place that is left out begins at its beginning."""

    def take(self, messages: list[Consumed]) -> None:
        """Keep a batch, now or with later ones; each place's messages come in the order of their offsets."""

    def turn(self) -> None:
        """Do what is due by the clock."""

    def state(self, consumer: Consumer, places: Places) -> int:
        """Tell operators how it is; how many messages wait."""

    def finish(self) -> None:
        """Keep what was taken and is not kept yet: the process ends in good order."""

    def close(self) -> None:
        """Leave the folder to another."""


class FeedingProcess:
    """Feeds one folder.

    Args:
        name: of what is kept, such as `directory`; errors speak of it.
        new_consumer: makes a read_committed consumer in no group that matters.
        open_feed: opens the folder for a bus.
        sources: topics, each with the name under which the folder knows it.
        bus: prefix and partitions; which cluster it is, Kafka says.
        report: what operators are told of reading.
        liveness: progress, for health checks.
        batch: messages taken at once, at most.
        on_step: told `consume` as it begins; fault tests end the process there.
    """

    def __init__(
        self,
        *,
        name: str,
        new_consumer: Callable[[], Consumer],
        open_feed: Callable[[Bus], Feed],
        sources: Mapping[str, str],
        bus: Bus,
        report: FeedingReport,
        liveness: Liveness,
        batch: int,
        on_step: Callable[[str], None],
    ) -> None:
        self._name = name
        self._consumer = new_consumer()
        self._open_feed = open_feed
        self._sources = sources
        self._bus = bus
        self._report = report
        self._liveness = liveness
        self._batch = batch
        self._on_step = on_step
        self._places: Places = {}
        self._state_at = 0.0
        self._topics_at = 0.0
        self._stopping = False

    def stop(self) -> None:
        """End in good order; safe in a signal handler."""
        self._stopping = True

    def is_stopping(self) -> bool:
        """Whether it was told to stop: whoever waits for a server within a turn waits no longer."""
        return self._stopping

    def run(self) -> None:
        """Work until stopped.

        Raises:
            FatalError: the folder is another bus's, corrupt or full, or Kafka has lost what was read or was to be read.
            RequestError: another process feeds the folder.
        """
        try:
            bus = self._know_bus()
            if bus is not None:
                feed = self._open_feed(bus)
                try:
                    while not self._stopping:
                        self._turn(feed)
                    feed.finish()
                finally:
                    feed.close()
        finally:
            self._consumer.close()

    def _know_bus(self) -> Bus | None:
        """The bus, once Kafka answers; None when stopped before."""
        for pause in pauses():
            if self._stopping:
                break
            try:
                return self._bus._replace(cluster=str(self._look().cluster_id))
            except RetryLaterError as error:
                self._report.waiting(error)
                self._consumer.poll(pause)
        return None

    def _turn(self, feed: Feed) -> None:
        """One turn of the loop."""
        try:
            self._take_topics(feed)
        except RetryLaterError as error:
            self._report.waiting(error)
        self._on_step("consume")
        messages = self._consume()
        if messages:
            feed.take(messages)
            self._liveness.progress()
        feed.turn()
        if time.monotonic() >= self._state_at:
            self._state_at = time.monotonic() + STATE_EVERY
            self._liveness.lag(feed.state(self._consumer, self._places))

    def _consume(self) -> list[Consumed]:
        first = self._consumer.poll(IDLE_WAIT)
        if first is None:
            return []
        found = [first, *self._consumer.consume(self._batch - 1, 0)]
        messages, errors = sort_out(found)
        if errors:
            self._report.consumer_errors(errors)
            self._demand_whole(found, errors)
        return messages

    def _demand_whole(self, found: list[Message], errors: list[KafkaError]) -> None:
        for error in errors:
            if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 # librdkafka's own codes are named so
                gone = [f"{one.topic()} [{one.partition()}]" for one in found if one.error() is error]
                raise FatalError(
                    f"Kafka no longer has what comes next of {', '.join(gone)}: {error.str()}",
                    code=f"{self._name}_gap",
                    remedy="records were deleted before they were read: restore the topic, or a later copy of the folder",
                )
            if is_final(error):
                raise FatalError(f"the consumer has failed: {error}", code="kafka_failed", remedy="start it again")

    def _take_topics(self, feed: Feed) -> None:
        """Begin with the topics that are there and are not read yet, now and then.

        Raises:
            RetryLaterError: Kafka is away.
            FatalError: `partition_mismatch`, `<name>_ahead_of_kafka`.
        """
        if len(self._places) == len(self._sources) * self._bus.partitions or time.monotonic() < self._topics_at:
            return
        self._topics_at = time.monotonic() + TOPICS_EVERY
        there = self._look().topics
        new = {
            (source, number): (topic, number)
            for topic, source in self._sources.items()
            if topic in there and (source, 0) not in self._places
            for number in range(self._demand_partitions(topic, len(there[topic].partitions)))
        }
        offsets = feed.offsets(new)
        ends = watermarks(self._consumer, [place for where, place in new.items() if offsets.get(where)])
        for where, (topic, number) in new.items():
            taken = offsets.get(where, 0)
            if taken and taken > (end := ends[topic, number][1]):
                raise FatalError(
                    f"the {self._name} has read {topic} [{number}] up to {taken}, but it ends at {end}",
                    code=f"{self._name}_ahead_of_kafka",
                    remedy=f"Kafka has lost records or begun anew: give the {self._name} a new folder, to read all anew",
                )
        if new:
            places = {where: TopicPartition(*place, offsets.get(where, 0)) for where, place in new.items()}
            self._consumer.incremental_assign(list(places.values()))
            self._places |= places
            self._report.reading(len(self._places))

    def _demand_partitions(self, topic: str, found: int) -> int:
        if found != self._bus.partitions:
            raise FatalError(
                f"{topic} has {found} partitions, not {self._bus.partitions}",
                code="partition_mismatch",
                remedy="set CREDITBUS_PARTITIONS to what the topics have",
            )
        return found

    def _look(self) -> ClusterMetadata:
        try:
            found: ClusterMetadata = self._consumer.list_topics(timeout=LOOK_SECONDS)
        except KafkaException as error:
            raise translate(error, "asking for the topics") from error
        return found


def feeding_consumer(settings: Settings, kafka: Brokers, name: str, more: Config | None = None) -> Consumer:
    """A read_committed consumer; librdkafka asks for a group's name, under which nothing is ever committed.

    Args:
        settings: of the bus.
        kafka: where it is, and how it is spoken to.
        name: of what is fed.
        more: settings of librdkafka beside those here.
    """
    gathering: Config = {
        # A page shows a record within a moment; so long fetches over all topics may gather instead of answering once a record.
        "fetch.min.bytes": 1_000_000,
        "fetch.wait.max.ms": 50,
        "queued.min.messages": 2 * settings.directory_batch_records,
        "queued.max.messages.kbytes": 65_536,
    }
    return Consumer(reading(kafka, f"{settings.topic_prefix}.{name}") | gathering | (more or {}))
