"""Where a command finds its servers: external ones by the settings, else the embedded ones that run."""

from deploy.local.servers import Servers
from deploy.local.stack import Stack
from exchange.settings import Settings


def find_servers(settings: Settings) -> Servers:
    """The servers to use; `CREDITBUS_KAFKA` and `CREDITBUS_REDIS` each come before the embedded one.

    Raises:
        RequestError: `not_running`: an embedded server is needed and the stack does not run.
    """
    return Stack(settings).servers()
