"""The Faust application: its settings, topics and tables. Made by a function, so that importing starts nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust

from consumers.early_warning.client import FlushingProducer, OrderedConsumer
from consumers.early_warning.codec import WireFormat
from consumers.early_warning.tables import FaustTables
from consumers.early_warning.topics import OwnTopics
from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.settings import Settings

COMMIT_EVERY = 1.0
"""Seconds between commits: so much is delivered again after a crash."""
SEND_SECONDS = 20 * 60.0
"""So long a changelog's message may take; a broker that is away for less loses nothing."""
BUFFERED = 16_384
FETCH_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Application:
    """A Faust application and its parts."""

    faust: faust.App
    tables: FaustTables
    parts: Any
    shared: Any
    windows: Any


def open_application(settings: Settings, kafka: Brokers, folder: Path, codec: Codec) -> Application:
    """An application that is not started.

    At least once, because its exactly-once loses and doubles (faust-streaming #177, #323, #440, #517); the aiokafka driver,
    because the other drops headers and times.

    Args:
        settings: of this process.
        kafka: where it is, and how it is spoken to.
        folder: for RocksDB; of this worker alone.
        codec: of the bus.
    """
    own = OwnTopics(settings.topic_prefix)
    app = faust.App(
        own.app_id,
        broker=[f"kafka://{one}" for one in kafka.address.split(",")],
        broker_credentials=_credentials(kafka),
        processing_guarantee="at_least_once",
        store="rocksdb://",
        datadir=str(folder),
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance_id or None,
        consumer_max_fetch_size=FETCH_BYTES,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 3,
        broker_commit_interval=COMMIT_EVERY,
        stream_buffer_maxsize=BUFFERED,
        stream_wait_empty=False,  # a batch that waits for a rebalance to end must not be waited for by the rebalance
        producer_request_timeout=SEND_SECONDS,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.transport.Consumer = OrderedConsumer
    app.transport.Producer = FlushingProducer
    wire = WireFormat(codec)
    return Application(
        app,
        FaustTables(app, own.parts, settings.partitions),
        app.topic(own.parts, key_serializer="raw", value_serializer=wire),
        app.topic(own.shared, key_serializer="raw", value_serializer="raw"),
        app.topic(own.windows, key_serializer="raw", value_serializer=wire),
    )


def _credentials(kafka: Brokers) -> Any:
    """What Faust is told of how the brokers are spoken to."""
    if kafka.protocol == "PLAINTEXT":
        return None
    if kafka.protocol == "SSL":
        return faust.SSLCredentials(kafka.context())
    return faust.SASLCredentials(
        username=kafka.user,
        password=kafka.password.get_secret_value(),
        ssl_context=kafka.context(),
        mechanism=kafka.mechanism,
    )
