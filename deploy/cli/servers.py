"""Settings for a command that publishes: the embedded servers' addresses filled in where none are set."""

from exchange.settings import Settings


def with_servers(settings: Settings) -> Settings:
    """The settings with `kafka` and `redis` as `find_servers` finds them.

    Raises:
        RequestError: `not_running`.
    """
    from deploy.local.connect import find_servers

    servers = find_servers(settings)
    return settings.model_copy(update={"kafka": servers.kafka, "redis": servers.redis})
