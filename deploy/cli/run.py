"""`creditbus run`: the long-running processes, each ended cleanly by SIGTERM or Ctrl-C."""

import logging
import signal
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import typer
from prometheus_client import make_wsgi_app

from consumers.standing.liveness import Liveness
from exchange.errors import RequestError
from exchange.metrics import Metrics
from exchange.settings import read_settings

app = typer.Typer(help="Run a process of the bus 运行总线进程.", no_args_is_help=True)


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
