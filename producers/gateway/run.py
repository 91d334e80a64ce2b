"""Runs the gateway: composes it, serves it, and ends it with every request that is under way answered."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import redis
from fastapi import FastAPI
from redis.exceptions import RedisError

from exchange.api_keys import RedisKeys
from exchange.bearer_tokens import open_bearer_tokens
from exchange.catalogue import RECORD_TYPES, load_catalogue
from exchange.codec import open_codec
from exchange.http.certificate import gateway_certificate
from exchange.http.docs_page import add_docs
from exchange.http.door import Door
from exchange.http.problems import add_problems
from exchange.http.sending import CONFIRM_SECONDS, Outbound
from exchange.http.serving import Counting, HttpServer, bind, trace_requests, url_of
from exchange.kafka import answers
from exchange.metrics import GatewayMetrics
from exchange.paths import SCHEMAS
from exchange.rate_limit import RateLimit
from exchange.settings import Settings
from exchange.topics import Topics
from producers.gateway import words
from producers.gateway.fate import Fates
from producers.gateway.idempotency import LEASE_SECONDS, IdempotencyKeys
from producers.gateway.lookups import fate_routes, health_route, schema_routes
from producers.gateway.posting import OnStep, Posting
from producers.gateway.routes import Entrance, record_routes
from producers.gateway.rows import RowReader

_HEALTH_SECONDS = 2.0
log = logging.getLogger("creditbus.gateway")


class Gateway:
    """The gateway of one bus.

    Args:
        settings: of the bus; `kafka` names the servers.
        client: of the bus's Redis.
        outbound: puts records on the bus.
        metrics: to count in.
        lease_seconds: see `IdempotencyKeys`.
        on_step: see `Posting`.

    Raises:
        RequestError: `port_taken`, `bad_certificate`, `plain_issuer`, `bad_issuer`.
        FatalError: the catalogue or the contracts are broken.
    """

    def __init__(
        self, settings: Settings, client: "redis.Redis", outbound: Outbound, metrics: GatewayMetrics,
        *, lease_seconds: float = LEASE_SECONDS, on_step: OnStep = lambda _: None,
    ) -> None:  # fmt: skip
        self._threads = ThreadPoolExecutor(settings.gateway_requests, thread_name_prefix="publish")
        codec, topics = open_codec(settings, SCHEMAS), Topics(settings.topic_prefix)
        limit = RateLimit(
            client, "records", per_second=settings.gateway_records_per_second, burst=settings.gateway_burst_records
        )
        reader = RowReader(
            codec, RECORD_TYPES, limit=settings.gateway_batch_records, whole_bytes=settings.gateway_json_bytes
        )
        keys = IdempotencyKeys(
            client, keep_seconds=settings.gateway_idempotency_hours * 3600, lease_seconds=lease_seconds
        )
        door = Door(RedisKeys(client), load_catalogue(SCHEMAS), open_bearer_tokens(settings))
        entrance = Entrance(door=door, limit=limit, metrics=metrics)
        posting = Posting(reader, outbound, keys, limit, metrics, on_step=on_step)

        def is_up() -> dict[str, bool]:
            return {"Kafka": answers(settings.kafka, within_seconds=_HEALTH_SECONDS), "Redis": _pings(client)}

        app = FastAPI(title=words.TITLE, description=words.ABOUT, version="1", docs_url=None, redoc_url=None)
        app.include_router(
            record_routes(entrance, posting, self._threads, settings, words.body_of(codec, RECORD_TYPES))
        )
        app.include_router(fate_routes(entrance, Fates(settings, codec), topics))
        app.include_router(schema_routes(codec, RECORD_TYPES))
        app.include_router(health_route(is_up))
        add_problems(app)
        add_docs(app)
        app.add_middleware(Counting, requests=metrics.requests)
        trace_requests(app, settings)
        self._certificate = gateway_certificate(settings)
        self._socket = bind(
            settings.gateway_host, settings.gateway_port, settings="CREDITBUS_GATEWAY_HOST and CREDITBUS_GATEWAY_PORT"
        )
        self._server = HttpServer(app, end_seconds=CONFIRM_SECONDS, certificate=self._certificate)

    @property
    def url(self) -> str:
        """Where it is served."""
        return url_of(self._socket, tls=self._certificate is not None)

    def run(self) -> None:
        """Serve until SIGTERM, Ctrl-C or `stop`."""
        log.info("serving url=%s", self.url)
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._threads.shutdown()
            self._socket.close()

    def stop(self) -> None:
        """End it, from another thread."""
        self._server.end()


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
