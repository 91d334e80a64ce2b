"""Peer: a Faust agent taking 5,000 records at a time (faust-streaming 0.15.3, aiokafka, at least once)."""

import faust

from tests.bench.peers.job import PeerJob


class Consumed:
    """A Faust event with the methods of confluent-kafka's Message."""

    __slots__ = ("_message",)

    def __init__(self, message: object) -> None:
        self._message = message

    def topic(self) -> str:
        return self._message.topic  # type: ignore[attr-defined,no-any-return]

    def partition(self) -> int:
        return self._message.partition  # type: ignore[attr-defined,no-any-return]

    def offset(self) -> int:
        return self._message.offset  # type: ignore[attr-defined,no-any-return]

    def key(self) -> bytes:
        return self._message.key  # type: ignore[attr-defined,no-any-return]

    def value(self) -> bytes:
        return self._message.value  # type: ignore[attr-defined,no-any-return]

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, int(self._message.timestamp * 1000))  # type: ignore[attr-defined]


job = PeerJob()
app = faust.App(
    f"{job.settings.topic_prefix}-faust",
    broker=f"kafka://{job.settings.kafka}",
    web_enabled=False,
    topic_partitions=job.settings.partitions,
    topic_disable_leader=True,
    stream_buffer_maxsize=16384,
    consumer_max_fetch_size=8 * 1024 * 1024,
    producer_max_request_size=4_000_000,
    producer_compression_type="lz4",
)
records = app.topic(
    *(job.topics.into(department) for department in job.departments), key_serializer="raw", value_serializer="raw"
)
outputs: dict[str, faust.TopicT] = {}


@app.agent(records)  # type: ignore[untyped-decorator] # Faust is not installed where types are checked
async def standing(stream: faust.StreamT) -> None:
    """Join what came, and send the notices."""
    async for events in stream.take_events(5000, within=0.2):
        for topic, key, value in job.process([Consumed(event.message) for event in events]):
            if topic not in outputs:
                outputs[topic] = app.topic(topic, key_serializer="raw", value_serializer="raw")
            await outputs[topic].send(key=key, value=value)


if __name__ == "__main__":
    app.main()
