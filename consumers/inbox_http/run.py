"""Runs the HTTP inbox: composes it, serves it, and ends it cleanly with every poll and stream that is open."""

import asyncio
import logging

from confluent_kafka import KafkaException

from consumers.inbox_http.app import build_app
from consumers.inbox_http.bell import Bell
from consumers.inbox_http.cursor import CursorForm
from consumers.inbox_http.desk import Desk
from consumers.inbox_http.parts import Parts
from consumers.inbox_http.reader import Readers, open_consumer
from exchange.api_keys import KeyStore
from exchange.bearer_tokens import open_bearer_tokens
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.errors import FatalError, RequestError
from exchange.http.certificate import inbox_certificate
from exchange.http.door import Door
from exchange.http.sending import Outbound
from exchange.http.serving import HttpServer, bind, trace_requests, url_of
from exchange.kafka import REQUEST_SECONDS, open_admin, translate
from exchange.metrics import InboxHttpMetrics
from exchange.paths import SCHEMAS
from exchange.settings import Settings
from exchange.topics import Topics

_END_SECONDS = 5
"""Answers under way have so long when the server ends."""
log = logging.getLogger("creditbus.inbox")


class InboxHttp:
    """The HTTP inbox of one bus.

    Args:
        settings: of the bus; `kafka` names the servers.
        keys: of the departments.
        outbound: puts answers on the bus.
        metrics: to count in.

    Raises:
        RequestError: `port_taken`, `no_topics`, `bad_certificate`.
        FatalError: `partition_mismatch`.
        RetryLaterError: Kafka is away.
    """

    def __init__(self, settings: Settings, keys: KeyStore, outbound: Outbound, metrics: InboxHttpMetrics) -> None:
        self._settings = settings
        self._keys = keys
        self._outbound = outbound
        self._metrics = metrics
        self._cluster = _look_at(settings)
        self._certificate = inbox_certificate(settings)
        self._socket = bind(
            settings.inbox_host, settings.inbox_port, settings="CREDITBUS_INBOX_HOST and CREDITBUS_INBOX_PORT"
        )
        self._server: HttpServer | None = None

    @property
    def url(self) -> str:
        """Where it is served."""
        return url_of(self._socket, tls=self._certificate is not None)

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
            door=Door(self._keys, catalogue, open_bearer_tokens(settings)),
            form=CursorForm(f"{self._cluster}/{settings.topic_prefix}", settings.partitions),
            codec=codec,
            outbound=self._outbound,
            metrics=metrics,
        )
        app = build_app(parts, desk)
        trace_requests(app, settings)
        self._server = HttpServer(app, end_seconds=_END_SECONDS, on_end=bell.wake_all, certificate=self._certificate)
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
