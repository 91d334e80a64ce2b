"""The standing processor's one loop: consume, decode, load, fold, judge, commit (1), publish (2), trim (3).

If it dies anywhere, the next owner attaches from Redis' offsets: before the commit nothing has happened; after it the outbox
in Redis has what is still to be published; after the transaction Kafka's metadata says so, and nothing is published again.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from consumers.standing.consumed import Consumed, sort_out
from consumers.standing.decode import Decoded, Decoder
from consumers.standing.join import Join, Work
from consumers.standing.lanes import PublishingLanes
from consumers.standing.liveness import Liveness
from consumers.standing.partition import Committed, Partition, attach
from consumers.standing.publishing import Job
from consumers.standing.reconcile import read_back, tell_differences
from consumers.standing.report import Report
from exchange.errors import FencedError, RetryLaterError
from exchange.store import Commit, StandingStore
from exchange.topics import Topics

TIMERS_EVERY = 1.0
"""Seconds between looks at the timers, at held topics and at the lag."""
TIMERS_AT_ONCE = 500
BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds to wait while a server is away; the last one is repeated."""


class StandingProcessor:
    """Owns some partitions of the join, and brings their standings up to date.

    Args:
        consumer: in the processors' group, read_committed, not auto-committing.
        new_reader: makes a consumer outside the group, for reading notices back.
        store: standings.
        decoder: messages to arrivals.
        new_join: the join of a day (days since 1970-01-01).
        publisher: publishes outboxes.
        topics: names of the bus's topics.
        report: metrics.
        liveness: progress, for health checks.
        now: milliseconds since 1970-01-01 UTC.
        today: the day (since 1970-01-01) in China of a time in milliseconds.
        batch: records taken at once, at most.
        backlog: messages that may wait to be published before the loop takes no more input.
        cache: standings kept in process for each partition, at most.
        on_step: told the name of each step as it begins ("consume", "commit", "committed", ...).
    """

    def __init__(
        self,
        *,
        consumer: Consumer,
        new_reader: Callable[[], Consumer],
        store: StandingStore,
        decoder: Decoder,
        decode_plain: Callable[[bytes], tuple[str, dict[str, Any]]],
        new_join: Callable[[int, Callable[[], str]], Join],
        publisher: PublishingLanes,
        topics: Topics,
        departments: Sequence[str],
        partitions: int,
        policy: str,
        report: Report,
        liveness: Liveness,
        now: Callable[[], int],
        today: Callable[[int], int],
        batch: int,
        backlog: int,
        cache: int,
        on_step: Callable[[str], None],
    ) -> None:
        self._consumer = consumer
        self._new_reader = new_reader
        self._store = store
        self._decoder = decoder
        self._decode_plain = decode_plain
        self._new_join = new_join
        self._publisher = publisher
        self._topics = topics
        self._departments = departments
        self._count = partitions
        self._policy = policy
        self._report = report
        self._liveness = liveness
        self._now = now
        self._today = today
        self._batch = batch
        self._backlog = backlog
        self._cache = cache
        self._on_step = on_step
        self._partitions: dict[int, Partition] = {}
        self._places: list[TopicPartition] = []
        self._stash: list[Consumed] = []
        self._timers_at = 0.0
        self._stopping = False
        self._rebalanced = False
        instance = os.urandom(6).hex()
        self._tokens = (f"{instance}{number:x}" for number in itertools.count())
        self._join = new_join(today(now()), self._new_token)

    def stop(self) -> None:
        """End after the batch under way; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Work until stopped; then hand over in good order."""
        self._publisher.start()
        # Not by pattern: a topic of a department that the catalogue does not know is nobody's.
        inputs = [self._topics.internal, *(self._topics.into(department) for department in self._departments)]
        self._consumer.subscribe(inputs, on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose)
        try:
            while not self._stopping:
                self.step()
        finally:
            # In this order: what is published now needs no replay, and a closing consumer answers nobody.
            self._publisher.stop()
            self._consumer.close()

    def step(self) -> None:
        """One turn of the loop."""
        try:
            if self._publisher.failure:
                raise self._publisher.failure
            if self._publisher.take_fenced():
                self._rebalanced = True
                self._report.fenced("transaction", 1)
                self._attach_again(list(self._partitions))
            if self._rebalanced:
                self._rebalanced = False
                self._publisher.join_generation(self._consumer.consumer_group_metadata())
            self._hold_while_publishing_lags()
            due = self._due()  # before consuming: it may attach anew, and what was read before then is read again
            messages = self._consume()
            if messages or due:
                self._process(messages, due)
            self._finish_reconciling()
        except RetryLaterError as error:
            self._wait_out(error)

    def _consume(self) -> list[Consumed]:
        """Whatever is there, at once when something is; at most a batch."""
        self._on_step("consume")
        messages, self._stash = self._stash, []
        first = None if messages else self._consumer.poll(0.1)
        if first is None and not messages:
            return []
        found = [first] if first is not None else []
        good, errors = sort_out(found + self._consumer.consume(self._batch, 0))
        if errors:
            self._report.consumer_errors(errors)
        return messages + good

    def _process(self, messages: list[Consumed], due: dict[int, Sequence[str]]) -> None:
        clock = self._report.batch(len(messages))
        now = self._now()
        today = self._today(now)
        if today != self._join.book.as_of:
            self._join = self._new_join(today, self._new_token)
        decoded = self._decoder.decode(messages, self._partitions.get, today)
        for number in due:
            if number not in decoded and number in self._partitions:
                decoded[number] = Decoded(self._partitions[number])
        clock.stage("decode")
        if not decoded:
            return
        batch = self._join.begin(decoded.values(), due)
        clock.stage("fold")
        for work in batch:
            self._join.judge(work, now=now)
        commits = [self._join.finish(work, now=now) for work in batch]
        clock.stage("judge")
        self._on_step("commit")
        fenced = self._store.commit(commits)
        self._on_step("committed")
        clock.stage("commit")
        stale = []
        for work, commit, error in zip(batch, commits, fenced, strict=True):
            if error is None:
                self._committed(work, commit)
            else:
                stale.append(work.partition.number)
        self._report.joined(self._join, batch, now)
        self._liveness.progress()
        self._attach_stale(stale)

    def _attach_stale(self, stale: list[int]) -> None:
        """Somebody else has committed to these partitions, or Redis has forgotten commits."""
        if stale:
            self._report.fenced("commit", len(stale))
            with self._paused():
                self._poll_paused()  # a zombie learns here that its partitions are gone
                self._attach_again([number for number in stale if number in self._partitions])

    def _committed(self, work: Work, commit: Commit) -> None:
        """After step 1: remember what is now true, and hand the outbox to step 2."""
        partition, decoded = work.partition, work.decoded
        partition.token = commit.token
        partition.trim, partition.published = 0, ""
        partition.offsets.update(decoded.offsets)
        partition.rejected_runs.update(decoded.runs)
        partition.cache.update(work.standings)
        for subject in list(itertools.islice(partition.cache, max(0, len(partition.cache) - self._cache))):
            del partition.cache[subject]
        published = self._publisher.take_published(partition.number)
        if published:
            partition.published, partition.trim = published.token, published.messages
        if decoded.held:
            self._hold(partition.number, decoded.held)
        if not partition.reconcile:
            offsets = {self._topics.internal: partition.offsets.get(self._topics.internal, 0), **decoded.offsets}
            self._publisher.offer(Job(partition.number, commit.token, partition.epoch, commit.messages, offsets))

    def _due(self) -> dict[int, Sequence[str]]:
        """Subjects for whom a day has come; also the loop's slow business, once a second."""
        if time.monotonic() < self._timers_at:
            return {}
        self._timers_at = time.monotonic() + TIMERS_EVERY
        today = self._today(self._now())
        numbers = list(self._partitions)
        looks = dict(zip(numbers, self._store.look(numbers, today, TIMERS_AT_ONCE), strict=True))
        found = {number: look.due for number, look in looks.items()}
        if any(len(subjects) == TIMERS_AT_ONCE for subjects in found.values()):
            self._timers_at = 0.0
        # Redis may have come back older, or empty, while there was nothing to commit.
        self._attach_stale([number for number, look in looks.items() if look.token != self._partitions[number].token])
        self._release()
        self._report.state(self._consumer, self._places, list(self._partitions.values()), self._publisher.backlog)
        self._liveness.lag(self._report.lag_known)
        return {number: subjects for number, subjects in found.items() if subjects and number in self._partitions}

    def _finish_reconciling(self) -> None:
        for partition in self._partitions.values():
            if partition.reconcile and partition.caught_up():
                self._on_step("read_back")
                told = read_back(
                    self._new_reader(),
                    self._topics,
                    self._departments,
                    partition.number,
                    self._count,
                    self._decode_plain,
                )
                self._on_step("tell")
                try:
                    job = tell_differences(partition, self._store, self._join, told, now=self._now())
                except FencedError:
                    self._report.fenced("commit", 1)
                    self._attach_again([partition.number])
                    return
                self._report.reconciled(partition, len(job.messages))
                self._publisher.offer(job)

    def _new_token(self) -> str:
        return next(self._tokens)

    # Ownership. Callbacks of the consumer, in the loop's own thread.

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._on_step("assign")
        self._publisher.join_generation(None)
        self._rebalanced = True
        self._places = places
        for pause in itertools.chain(BACKOFF, itertools.repeat(BACKOFF[-1])):
            try:
                self._attach(places)
                break
            except RetryLaterError as error:
                self._report.waiting(error)
                time.sleep(pause)
        consumer.assign([TopicPartition(p.topic, p.partition, self._next_offset(p)) for p in places])
        consumer.resume(places)  # librdkafka remembers a pause from an assignment before
        for partition in self._partitions.values():
            held = {topic for topic, run in partition.rejected_runs.items() if run >= self._decoder.limit}
            if held:
                self._hold(partition.number, held)

    def _revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._on_step("revoke")
        self._publisher.drain(below=1, timeout=5)
        self._lose(consumer, places)

    def _lose(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        numbers = {place.partition for place in places}
        self._publisher.forget(numbers)
        for number in numbers:
            self._partitions.pop(number, None)
        self._places = [place for place in self._places if place.partition not in numbers]
        self._stash = [message for message in self._stash if message.partition() not in numbers]

    def _attach(self, places: list[TopicPartition]) -> None:
        """Take the partitions over from Redis' cursor and Kafka's committed offsets."""
        numbers = sorted({place.partition for place in places})
        try:
            committed = self._consumer.committed(places, 30)
        except KafkaException as error:
            raise RetryLaterError(
                f"Kafka: {error.args[0].str()}", code="kafka_away", remedy="check the brokers"
            ) from error
        for number in numbers:
            mine = [place for place in committed if place.partition == number]
            metadata = next((p.metadata for p in mine if p.topic == self._topics.internal), "")
            offsets = {place.topic: place.offset for place in mine if place.offset >= 0}
            attached = attach(
                number,
                self._store,
                Committed.parse(offsets, metadata or ""),
                policy=self._policy,
                new_token=self._new_token,
            )
            partition = self._partitions[number] = attached.partition
            if partition.reconcile:
                self._report.reconciling(partition)
            elif attached.unpublished:
                messages = [(one.topic, one.key, one.value) for one in attached.unpublished]
                self._publisher.offer(
                    Job(
                        number,
                        partition.token,
                        partition.epoch,
                        messages,
                        {self._topics.internal: 0, **partition.offsets},
                    )
                )

    def _attach_again(self, numbers: list[int]) -> None:
        """Forget what is in memory and begin again from Redis: after being fenced, or after a server was away."""
        self._publisher.forget(set(numbers))
        places = [place for place in self._places if place.partition in numbers]
        self._stash = [message for message in self._stash if message.partition() not in numbers]
        self._attach(places)
        for place in places:
            self._seek(place.topic, place.partition)

    def _seek(self, topic: str, number: int) -> None:
        place = TopicPartition(topic, number)
        place.offset = self._next_offset(place)
        for pause in BACKOFF:
            try:
                self._consumer.seek(place)
            except KafkaException:
                time.sleep(pause)
            else:
                return
        raise RetryLaterError(f"cannot seek {topic} [{number}]", remedy="check the brokers")

    def _next_offset(self, place: TopicPartition) -> int:
        return self._partitions[place.partition].offsets.get(place.topic, OFFSET_BEGINNING)

    # Holding back.

    def _hold(self, number: int, topics: set[str]) -> None:
        """Take no more of these topics: their department sends one bad record after another."""
        self._consumer.pause([TopicPartition(topic, number) for topic in topics])
        self._report.held(self._partitions[number], topics)

    def _release(self) -> None:
        """Go on with held topics that an operator has released (`creditbus rejected release`)."""
        for partition in self._partitions.values():
            held = [topic for topic, run in partition.rejected_runs.items() if run >= self._decoder.limit]
            if held:
                runs = self._store.cursor(partition.number).held
                for topic in held:
                    if runs.get(topic, 0) == 0:
                        partition.rejected_runs[topic] = 0
                        self._seek(topic, partition.number)
                        self._consumer.resume([TopicPartition(topic, partition.number)])
                        self._report.released(topic)

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """No input, but still a live member of the group."""
        self._consumer.pause(self._consumer.assignment())
        try:
            yield
        finally:
            held = {
                (t, p.number)
                for p in self._partitions.values()
                for t, run in p.rejected_runs.items()
                if run >= self._decoder.limit
            }
            self._consumer.resume([p for p in self._consumer.assignment() if (p.topic, p.partition) not in held])

    def _hold_while_publishing_lags(self) -> None:
        if not self._publisher.drain(below=self._backlog, timeout=0.0):
            with self._paused():
                while not self._stopping and not self._publisher.drain(below=self._backlog, timeout=0.2):
                    self._poll_paused()

    def _wait_out(self, error: RetryLaterError) -> None:
        """A server is away: hold input, stay in the group, and attach again when it answers."""
        with self._paused():
            for pause in itertools.chain(BACKOFF, itertools.repeat(BACKOFF[-1])):
                self._report.waiting(error)
                if self._stopping:
                    return
                until = time.monotonic() + pause
                while time.monotonic() < until and not self._stopping:
                    self._poll_paused()
                try:
                    self._attach_again(list(self._partitions))
                except RetryLaterError as again:
                    error = again
                else:
                    return

    def _poll_paused(self) -> None:
        message = self._consumer.poll(0.05)
        if message is not None:
            self._stash += sort_out([message])[0]
