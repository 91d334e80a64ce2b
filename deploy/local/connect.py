"""Where a command finds its servers: external ones by the settings, else the embedded ones that run."""

from deploy.local.servers import Servers
from deploy.local.stack import Stack
from exchange.kafka_entry import check_entry
from exchange.settings import Settings


def find_servers(settings: Settings) -> Servers:
    """The servers to use; `CREDITBUS_KAFKA` and `CREDITBUS_REDIS` each come before the embedded one.

    Raises:
        RequestError: `not_running`: an embedded server is needed and the stack does not run; or an external Kafka does not let
            this process in (`exchange.kafka_entry`).
    """
    servers = Stack(settings).servers()
    if settings.kafka:
        check_entry(servers.kafka)
    return servers
