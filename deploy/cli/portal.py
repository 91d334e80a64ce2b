"""`creditbus run portal`: the pages for people and the checks for service counters."""

import signal
from contextlib import closing
from typing import Annotated

import typer

from exchange.metrics import PortalMetrics


def portal_metrics(url: str) -> PortalMetrics:
    """What the portal shows to Prometheus, asked of Redis at each scrape."""
    from exchange.access_log import waiting
    from exchange.redis_client import connect

    metrics, client = PortalMetrics(), connect(url)
    metrics.access_log_waiting.set_function(lambda: float(waiting(client)))
    return metrics


def portal(
    workers: Annotated[int, typer.Option(min=1, help="Processes that serve; one for each core to be used.")] = 1,
) -> None:
    """Serve the portal: one-stop query, checks, departments' workspace, public disclosure 信用门户. Several may run."""
    from consumers.directory.run import open_directory
    from consumers.portal.operations.room import open_operations
    from consumers.portal.operations.routes import operations_routes
    from consumers.portal.run import Portal, bind_portal, serve_in
    from consumers.portal.workspace.routes import workspace_routes
    from consumers.standing.liveness import Liveness
    from consumers.standing.run import calm_collector
    from deploy.cli.run import serve_metrics
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers
    from deploy.portal import portal_parts
    from deploy.portal_administration import administration_rooms
    from deploy.portal_workspace import open_workspace
    from exchange.http.serving import url_of
    from exchange.settings import read_settings

    given = read_settings()
    settings = with_servers(given)
    bound, embedded = bind_portal(settings), not given.redis

    def serve() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(
                number, lambda *_: None
            )  # the server hears them while it serves, and hands them on at its end
        with Publishers(settings) as outbound, closing(open_directory(settings)) as directory:
            parts = portal_parts(settings, directory, outbound, embedded=embedded)
            with open_workspace(settings, parts, outbound, embedded=embedded) as workspace:
                operations = open_operations(settings, parts.pages, parts.catalogue)
                rooms = [
                    workspace_routes(workspace),
                    operations_routes(operations),
                    *administration_rooms(settings, parts),
                ]
                serving = Portal(settings, parts, bound, rooms, operations.watch.end)
                calm_collector()  # a walk over catalogue and policy would hold every answer up for a tenth of a second
                serving.run()

    def watch() -> None:
        serve_metrics(portal_metrics(settings.redis), Liveness(), settings)

    typer.echo(f"portal 信用门户: {url_of(bound, tls=settings.portal_certificate is not None)}")
    if not serve_in(workers, serve, watch):
        raise typer.Exit(1)
