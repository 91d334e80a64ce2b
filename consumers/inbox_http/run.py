"""Runs the HTTP inbox: composes it, serves it, and ends it cleanly with every poll and stream that is open."""

import asyncio
import logging
import socket
from types import FrameType

import uvicorn
from confluent_kafka import KafkaException

from consumers.inbox_http.access import Door
from consumers.inbox_http.app import build_app
from consumers.inbox_http.bell import Bell
from consumers.inbox_http.cursor import CursorForm
from consumers.inbox_http.desk import Desk
from consumers.inbox_http.parts import Outbound, Parts
from consumers.inbox_http.reader import Readers, open_consumer
from exchange.api_keys import KeyStore
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.errors import FatalError, RequestError
from exchange.kafka import REQUEST_SECONDS, open_admin, translate
from exchange.metrics import InboxHttpMetrics
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics

_END_SECONDS = 5
"""Answers under way have so long when the server ends."""
log = logging.getLogger("creditbus.inbox")


class InboxServer(uvicorn.Server):
    """The HTTP server, whose end wakes everybody who waits.

    Args:
        config: of uvicorn.
        bell: to wake them with.
    """

    def __init__(self, config: uvicorn.Config, bell: Bell) -> None:
        super().__init__(config)
        self._bell = bell

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or Ctrl-C."""
        self.end()
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """Take no more requests, wake who waits, finish."""
        self._bell.wake_all()
        self.should_exit = True


class InboxHttp:
    """The HTTP inbox of one bus.

    Args:
        settings: of the bus; `kafka` names the servers.
        keys: of the departments.
        outbound: puts answers on the bus.
        metrics: to count in.

    Raises:
        RequestError: `port_taken`, `no_topics`.
        FatalError: `partition_mismatch`.
        RetryLaterError: Kafka is away.
    """

    def __init__(self, settings: Settings, keys: KeyStore, outbound: Outbound, metrics: InboxHttpMetrics) -> None:
        self._settings = settings
        self._keys = keys
        self._outbound = outbound
        self._metrics = metrics
        self._cluster = _look_at(settings)
        self._socket = _bind(settings.inbox_host, settings.inbox_port)
        self._server: InboxServer | None = None

    @property
    def url(self) -> str:
        """Where it is served."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}"

    def run(self) -> None:
        """Serve until SIGTERM, Ctrl-C or `stop`."""
        asyncio.run(self._serve())

    def stop(self) -> None:
        """End it, from another thread."""
        if self._server is not None:
            self._server.end()

    async def _serve(self) -> None:
        settings, metrics = self._settings, self._metrics
        codec, catalogue = open_codec(settings, SCHEMAS), load_catalogue(SCHEMAS)
        bell = Bell(
            open_consumer(settings.kafka, wait_ms=500, **{"auto.offset.reset": "latest"}), asyncio.get_running_loop()
        )
        readers = Readers(settings.kafka, codec, settings.inbox_readers, metrics.undecodable.inc)
        desk = Desk(
            readers, bell, Topics(settings.topic_prefix),
            partitions=settings.partitions, seats=settings.inbox_polls, metrics=metrics,
        )  # fmt: skip
        parts = Parts(
            door=Door(self._keys, catalogue),
            form=CursorForm(f"{self._cluster}/{settings.topic_prefix}", settings.partitions),
            codec=codec,
            outbound=self._outbound,
            metrics=metrics,
        )
        config = uvicorn.Config(
            build_app(parts, desk), log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=_END_SECONDS,
        )  # fmt: skip
        self._server = InboxServer(config, bell)
        log.info("serving url=%s", self.url)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            bell.close()
            readers.close()
            self._socket.close()


def _look_at(settings: Settings) -> str:
    """The id of the cluster, once it is sure that its topics are those of the settings."""
    prefix = Topics(settings.topic_prefix).out_of("")
    try:
        found = open_admin(settings.kafka).list_topics(timeout=REQUEST_SECONDS)
    except KafkaException as error:
        raise translate(error, "asking for the topics") from error
    counts = {len(topic.partitions) for name, topic in found.topics.items() if name.startswith(prefix)}
    if not counts:
        raise RequestError(f"no topics {prefix}*", code="no_topics", remedy="run creditbus topics apply")
    if counts != {settings.partitions}:
        raise FatalError(
            f"topics {prefix}* have {sorted(counts)} partitions, the setting says {settings.partitions}",
            code="partition_mismatch", remedy="set CREDITBUS_PARTITIONS to what the topics have",
        )  # fmt: skip
    return str(found.cluster_id)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise RequestError(
            f"{host}:{port} cannot be had: {error.strerror}",
            code="port_taken", remedy="set CREDITBUS_INBOX_HOST and CREDITBUS_INBOX_PORT to what is free; port 0 finds one",
        ) from error  # fmt: skip
