"""`creditbus run`: the long-running processes, each ended cleanly by SIGTERM or Ctrl-C."""

import logging
import os
import signal
import threading
from typing import Protocol
from wsgiref.simple_server import WSGIRequestHandler, make_server

import typer
from prometheus_client import make_wsgi_app

from consumers.standing.liveness import Liveness
from deploy.cli.example import centre, desk
from deploy.cli.identity import identity
from deploy.cli.portal import portal
from exchange.certificates import certificate_files, show_certificates
from exchange.errors import RequestError
from exchange.logs import set_up_logs
from exchange.metrics import (
    ArchiveMetrics,
    DeadlineMetrics,
    DirectoryMetrics,
    DispatcherMetrics,
    EarlyWarningMetrics,
    InboxHttpMetrics,
    LedgerMetrics,
    Metrics,
    ProcessMetrics,
    RiskMetrics,
    ServedMetrics,
    StandingMetrics,
)
from exchange.settings import Settings, read_settings
from exchange.tracing import open_tracing

app = typer.Typer(help="Run a process of the bus 运行总线进程.", no_args_is_help=True)
app.command("example-desk")(desk)
app.command("example-centre")(centre)
app.command("portal")(portal)
app.command("identity")(identity)


@app.callback()
def processes(context: typer.Context) -> None:
    """Run a process of the bus 运行总线进程."""
    settings, name = read_settings(), context.invoked_subcommand or "run"
    if not settings.tracing_endpoint:
        set_up_logs(settings, name)
        return
    os.environ.setdefault("OTEL_SERVICE_NAME", f"creditbus-{name}")  # by which collectors know a process
    tracing = open_tracing(settings)
    set_up_logs(settings, name, tracing.ids if tracing else dict)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
        """Scrapes are not logged."""


def serve_metrics(metrics: Metrics, liveness: Liveness, settings: Settings) -> None:
    """Serve /metrics and /health (503 when stuck) on the settings' port, in a thread; port 0 serves nothing.

    Raises:
        RequestError: `port_taken`.
    """
    port = settings.metrics_port
    if not port:
        return
    show_certificates(ServedMetrics(metrics.registry), certificate_files(settings))
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


class Process(Protocol):
    """What runs until it is told to stop."""

    def run(self) -> None: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102


def work(
    process: Process,
    liveness: Liveness,
    metrics: ProcessMetrics,
    settings: Settings,
    name: str,
    **shown: object,
) -> None:
    """Run a process until SIGTERM or Ctrl-C, telling operators how it is; `shown` is logged as it begins."""
    metrics.stuck.set_function(lambda: float(liveness.is_stuck()))
    serve_metrics(metrics, liveness, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop())
    template = " ".join(["running", *(f"{field}=%s" for field in shown), "metrics_port=%d"])
    logging.getLogger(f"creditbus.{name}").info(template, *shown.values(), settings.metrics_port)
    process.run()


@app.command()
def standing() -> None:
    """Join records into standings and tell departments what follows. Several may run; they share the work."""
    from consumers.standing.run import build, calm_collector
    from deploy.local.connect import find_servers

    settings = read_settings()
    servers = find_servers(settings)
    metrics = StandingMetrics()
    processor, liveness = build(settings, servers.kafka, servers.redis, metrics=metrics)
    calm_collector()
    work(processor, liveness, metrics, settings, "standing", kafka=servers.kafka)


@app.command()
def inbox() -> None:
    """Serve departments without a Kafka client their notices over HTTP, and take their receipts and feedback 通知收件箱."""
    from consumers.inbox_http.run import InboxHttp
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers
    from exchange.api_keys import RedisKeys
    from exchange.redis_client import connect

    settings = with_servers(read_settings())
    metrics = InboxHttpMetrics()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the server hears them while it serves, and hands them on at its end
    with Publishers(settings) as publishers:
        served = InboxHttp(settings, RedisKeys(connect(settings.redis)), publishers, metrics)
        serve_metrics(metrics, Liveness(), settings)
        typer.echo(f"inbox 通知收件箱: {served.url}  (/docs, /openapi.json)")
        served.run()


@app.command()
def gateway() -> None:
    """Take records over HTTP from departments without a Kafka client 报送网关. Several may run."""
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers
    from exchange.metrics import GatewayMetrics
    from exchange.redis_client import connect
    from producers.gateway.run import Gateway

    settings = with_servers(read_settings())
    metrics = GatewayMetrics()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the server hears them while it serves, and hands them on at its end
    with Publishers(settings) as publishers:
        served = Gateway(settings, connect(settings.redis), publishers, metrics)
        serve_metrics(metrics, Liveness(), settings)
        typer.echo(f"gateway 报送网关: {served.url}  (/docs, /openapi.json)")
        served.run()


@app.command()
def dispatcher() -> None:
    """Push departments' notices to their webhooks 推送通知. Several may run; they share the work."""
    from consumers.dispatcher.run import DispatcherProcess
    from consumers.standing.run import calm_collector
    from deploy.local.connect import find_servers
    from exchange.signatures import load_signing_keys

    settings = read_settings()
    servers = find_servers(settings)
    metrics = DispatcherMetrics()
    keys = load_signing_keys(settings, embedded=not settings.kafka)
    process = DispatcherProcess(settings, servers.kafka, servers.redis, keys, metrics=metrics)
    calm_collector()
    work(process, process.liveness, metrics, settings, "dispatcher", kafka=servers.kafka)


@app.command()
def ledger() -> None:
    """Enter everything that happens on the bus into the ledger 存证. Several may run; they share the work."""
    from consumers.ledger.run import build
    from deploy.local.connect import find_servers
    from exchange.bus_keys import LedgerKeys
    from exchange.signatures import load_signing_keys

    settings = read_settings()
    keys = LedgerKeys(load_signing_keys(settings, embedded=not settings.kafka), settings.topic_prefix)
    kafka = find_servers(settings).kafka
    metrics = LedgerMetrics()
    process, liveness = build(settings, kafka, keys, metrics=metrics)
    work(process, liveness, metrics, settings, "ledger", kafka=kafka, key_id=keys.key_id)


@app.command()
def directory() -> None:
    """Feed the directory: who can be searched for, and the full text of records 主体目录. One process feeds a folder or database."""
    from consumers.directory.run import build, place_of
    from deploy.local.connect import find_servers

    settings = read_settings()
    kafka = find_servers(settings).kafka
    metrics = DirectoryMetrics()
    process, liveness = build(settings, kafka, metrics=metrics)
    work(process, liveness, metrics, settings, "directory", kafka=kafka, place=place_of(settings))


@app.command("risk-classes")
def risk_classes() -> None:
    """Keep each enterprise's credit-risk class, on events and monthly 信用风险分类. Several may run; they share the work."""
    from consumers.risk.run import build
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers

    settings = with_servers(read_settings())
    metrics = RiskMetrics()
    with Publishers(settings) as publishers:
        process, liveness = build(settings, publishers, metrics=metrics)
        work(process, liveness, metrics, settings, "risk", kafka=settings.kafka)


@app.command()
def deadlines() -> None:
    """Watch the terms of disclosure, and how well departments publish 公示时限. One process feeds a folder."""
    from consumers.deadlines.run import build, folder_of
    from deploy.local.connect import find_servers

    settings = read_settings()
    kafka = find_servers(settings).kafka
    metrics = DeadlineMetrics()
    process, liveness = build(settings, kafka, metrics=metrics)
    work(process, liveness, metrics, settings, "deadlines", kafka=kafka, folder=folder_of(settings))


@app.command()
def archive() -> None:
    """Keep every accepted record, notice and standing change in Delta Lake tables 归档. One process writes a folder."""
    from consumers.archive.run import build
    from consumers.standing.run import calm_collector
    from deploy.local.connect import find_servers
    from exchange.archive_tables import archive_folder

    settings = read_settings()
    kafka = find_servers(settings).kafka
    metrics = ArchiveMetrics()
    process, liveness = build(settings, kafka, metrics=metrics)
    calm_collector()
    work(process, liveness, metrics, settings, "archive", kafka=kafka, folder=archive_folder(settings))


@app.command("early-warning")
def early_warning() -> None:
    """Count what comes in windows, and warn of what is unusual 监测预警. Several may run; they share the work."""
    from consumers.early_warning.run import build, claim, folder_of, quiet_faust
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers

    settings = with_servers(read_settings())
    quiet_faust()
    metrics = EarlyWarningMetrics()
    with claim(folder_of(settings)), Publishers(settings) as publishers:
        process, liveness = build(settings, settings.kafka, publishers, metrics=metrics)
        work(process, liveness, metrics, settings, "early_warning", kafka=settings.kafka, folder=folder_of(settings))
