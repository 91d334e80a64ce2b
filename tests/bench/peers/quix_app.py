"""Peer: a Quix Streams application with a stateful apply, its own RocksDB state and a batching Redis sink (at least once)."""

import sys
from typing import Any

import msgspec
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch
from quixstreams.state import State

from consumers.standing.join import cause_of
from exchange.domain.fold import JUDGED, fold
from exchange.domain.judge import judge
from exchange.domain.notice import settle
from exchange.domain.record import Entry, merge
from exchange.domain.standing import EMPTY, Standing
from exchange.partitioner import partition_of
from tests.bench.peers.job import PeerJob
from tests.bench.peers.job_names import EVERYTHING, PROGRESS

_encode = msgspec.msgpack.Encoder().encode
_standing = msgspec.msgpack.Decoder(Standing).decode
_entry = msgspec.msgpack.Decoder(Entry).decode


class Consumed:
    """A record as Quix hands it over, with the methods of confluent-kafka's Message."""

    __slots__ = ("_key", "_number", "_raw", "_time", "_topic")

    def __init__(self, topic: str, number: int, key: bytes, raw: bytes, time: int) -> None:
        self._topic, self._number, self._key, self._raw, self._time = topic, number, key, raw, time

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._number

    def offset(self) -> int:
        return 0

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._raw

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, self._time)


class RedisSink(BatchingSink):  # type: ignore[misc] # Quix Streams is not installed where types are checked
    """Writes the newest standing and the changed entries of a checkpoint to Redis."""

    def __init__(self, job: PeerJob) -> None:
        super().__init__()
        self._job = job

    def write(self, batch: SinkBatch) -> None:
        """One pipeline a checkpoint and partition."""
        pipeline = self._job.client.pipeline(transaction=False)
        count = 0
        for item in batch:
            subject, standing, entries = item.value
            number = partition_of(subject, self._job.settings.partitions)
            pipeline.set(f"{{{number}}}:s:{subject}", standing)
            pipeline.hset(f"{{{number}}}:r:{subject}", mapping=entries)
            count += 1
        pipeline.incrby(PROGRESS, count)
        pipeline.execute()


def main(state_dir: str) -> None:
    job = PeerJob()
    app = Application(
        broker_address=str(job.settings.kafka), consumer_group=f"{job.settings.topic_prefix}-quix", auto_offset_reset="earliest",
        state_dir=state_dir, commit_interval=1.0, consumer_extra_config={"fetch.wait.max.ms": 100},
        producer_extra_config={"compression.type": "lz4", "message.max.bytes": 4_000_000}, loglevel="WARNING",
    )  # fmt: skip
    output = {
        department: app.topic(job.topics.out_of(department), key_serializer="bytes", value_serializer="bytes")
        for department in job.departments
    }
    producer = app.get_producer()

    def joined(
        raw: bytes, key: bytes, timestamp: int, headers: Any, state: State
    ) -> tuple[str, bytes, dict[str, bytes]]:
        number = partition_of(key.decode(), job.settings.partitions)
        message = Consumed(headers[0][1].decode(), number, key, raw, timestamp)
        decoded = job.decoder.decode([message], job.partition, job.book.as_of)
        packed, entries, judged = state.get_bytes("standing"), {}, None
        standing = _standing(packed) if packed else EMPTY
        for arrival in decoded[number].arrivals:  # a registration brings its aliases too
            subject, fact = arrival.subject, arrival.fact
            stored = state.get_bytes(fact.key)
            before = _entry(stored) if stored else None
            after = merge(before, fact)
            standing = fold(standing, fact.key, before, after)
            entries[fact.key] = _encode(after)
            state.set_bytes(fact.key, entries[fact.key])
            if fact.key[: fact.key.index("/")] in JUDGED:
                judged = arrival
        if judged:
            judgement = judge(standing, job.book, person=subject.startswith("person:"))
            standing, drafts = settle(standing, judgement, job.book, job.rules, epoch=0)
            cause = cause_of(judged, 0, timestamp)
            notices = job.join.notices.write(subject, standing, drafts, cause, epoch=0, issued_at=timestamp)
            for draft, value in zip(drafts, notices, strict=True):
                producer.produce(output[draft.department].name, value, key)
        standing_bytes = _encode(standing)
        state.set_bytes("standing", standing_bytes)
        return subject, standing_bytes, entries

    # All departments' records in one topic: Quix names a changelog after every topic of a stream, and 34 names are too long.
    whole = app.dataframe(app.topic(EVERYTHING, key_deserializer="bytes", value_deserializer="bytes"))
    whole.apply(joined, stateful=True, metadata=True).sink(RedisSink(job))
    app.run()


if __name__ == "__main__":
    main(sys.argv[1])
