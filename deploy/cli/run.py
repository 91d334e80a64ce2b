"""`creditbus run`: the long-running processes, each ended cleanly by SIGTERM or Ctrl-C."""

import logging
import signal
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import typer
from prometheus_client import make_wsgi_app

from consumers.standing.liveness import Liveness
from deploy.cli.example import centre, desk
from exchange.errors import RequestError
from exchange.metrics import Metrics
from exchange.settings import read_settings

app = typer.Typer(help="Run a process of the bus 运行总线进程.", no_args_is_help=True)
app.command("example-desk")(desk)
app.command("example-centre")(centre)


@app.callback()
def processes() -> None:
    """Run a process of the bus 运行总线进程."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
        """Scrapes are not logged."""


def serve_metrics(metrics: Metrics, liveness: Liveness, port: int) -> None:
    """Serve /metrics and /health (503 when stuck) on a port, in a thread; port 0 serves nothing.

    Raises:
        RequestError: `port_taken`.
    """
    if not port:
        return
    pages = make_wsgi_app(metrics.registry)

    def answer(environ, start_response):  # type: ignore[no-untyped-def] # WSGI has no types
        if environ["PATH_INFO"] != "/health":
            return pages(environ, start_response)
        stuck = liveness.is_stuck()
        start_response("503 Service Unavailable" if stuck else "200 OK", [("Content-Type", "text/plain")])
        return [b"stuck\n" if stuck else b"ok\n"]

    try:
        server = make_server("", port, answer, handler_class=_Quiet)
    except OSError as error:
        raise RequestError(
            f"port {port} for /metrics cannot be had: {error.strerror}",
            code="port_taken",
            remedy="set CREDITBUS_METRICS_PORT to a free port, or to 0 for none",
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


@app.command()
def standing() -> None:
    """Join records into standings and tell departments what follows. Several may run; they share the work."""
    from consumers.standing.run import build, calm_collector
    from deploy.local.connect import find_servers
    from exchange.metrics import StandingMetrics

    logging.basicConfig(level=logging.INFO, format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    settings = read_settings()
    servers = find_servers(settings)
    metrics = StandingMetrics()
    processor, liveness = build(settings, servers.kafka, servers.redis, metrics=metrics)
    metrics.stuck.set_function(lambda: float(liveness.is_stuck()))
    serve_metrics(metrics, liveness, settings.metrics_port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: processor.stop())
    logging.getLogger("creditbus.standing").info(
        "running kafka=%s metrics_port=%d", servers.kafka, settings.metrics_port
    )
    calm_collector()
    processor.run()


@app.command()
def inbox() -> None:
    """Serve departments without a Kafka client their notices over HTTP, and take their receipts and feedback 通知收件箱."""
    from consumers.inbox_http.run import InboxHttp
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers
    from exchange.api_keys import RedisKeys
    from exchange.metrics import InboxHttpMetrics
    from exchange.store import connect

    logging.basicConfig(level=logging.INFO, format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    settings = with_servers(read_settings())
    metrics = InboxHttpMetrics()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the server hears them while it serves, and hands them on at its end
    with Publishers(settings) as publishers:
        served = InboxHttp(settings, RedisKeys(connect(settings.redis)), publishers, metrics)
        serve_metrics(metrics, Liveness(), settings.metrics_port)
        typer.echo(f"inbox 通知收件箱: {served.url}  (/docs, /openapi.json)")
        served.run()


@app.command()
def dispatcher() -> None:
    """Push departments' notices to their webhooks 推送通知. Several may run; they share the work."""
    from consumers.dispatcher.run import DispatcherProcess
    from consumers.standing.run import calm_collector
    from deploy.local.connect import find_servers
    from exchange.metrics import DispatcherMetrics
    from exchange.signatures import load_signing_keys

    logging.basicConfig(level=logging.INFO, format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    settings = read_settings()
    servers = find_servers(settings)
    metrics = DispatcherMetrics()
    keys = load_signing_keys(settings, embedded=not settings.kafka)
    process = DispatcherProcess(settings, servers.kafka, servers.redis, keys, metrics=metrics)
    metrics.stuck.set_function(lambda: float(process.liveness.is_stuck()))
    serve_metrics(metrics, process.liveness, settings.metrics_port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop())
    logging.getLogger("creditbus.dispatcher").info(
        "running kafka=%s metrics_port=%d", servers.kafka, settings.metrics_port
    )
    calm_collector()
    process.run()


@app.command()
def ledger() -> None:
    """Enter everything that happens on the bus into the ledger 存证. Several may run; they share the work."""
    from consumers.ledger.run import build
    from deploy.local.connect import find_servers
    from exchange.ledger_keys import LedgerKeys
    from exchange.metrics import LedgerMetrics
    from exchange.signatures import load_signing_keys

    logging.basicConfig(level=logging.INFO, format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    settings = read_settings()
    keys = LedgerKeys(load_signing_keys(settings, embedded=not settings.kafka), settings.topic_prefix)
    kafka = find_servers(settings).kafka
    metrics = LedgerMetrics()
    process, liveness = build(settings, kafka, keys, metrics=metrics)
    metrics.stuck.set_function(lambda: float(liveness.is_stuck()))
    serve_metrics(metrics, liveness, settings.metrics_port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop())
    logging.getLogger("creditbus.ledger").info(
        "running kafka=%s key_id=%s metrics_port=%d", kafka, keys.key_id, settings.metrics_port
    )
    process.run()
