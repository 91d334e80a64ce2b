"""How this machine's own commands speak to the embedded servers: those of a secured stack as its administrator."""

from deploy.local.folder import Folder
from deploy.local.ports import HOST
from deploy.local.secured import ADMINISTRATOR, Secured
from deploy.local.state import read_numbers
from exchange.brokers import Brokers

CERTIFICATE_PORT = "kafka_certificates"
"""Of a secured stack: the port for clients with a certificate, as `Folder.ports` names it."""


def brokers(folder: Folder, port: int) -> Brokers:
    """Kafka of a home, on its port."""
    secured = Secured(folder=folder.security)
    if secured.is_there:
        return secured.brokers(ADMINISTRATOR, read_numbers(folder.ports)[CERTIFICATE_PORT])
    return Brokers(f"{HOST}:{port}")


def redis_url(folder: Folder, port: int) -> str:
    """Valkey of a home, on its port."""
    secured = Secured(folder=folder.security)
    return secured.redis_url(ADMINISTRATOR, port) if secured.is_there else f"redis://{HOST}:{port}/0"
