"""`python -m deploy.health [PORT]`: whether the process of this container gets on, and speaks TLS on its door's port where one is given.

What a container's health check runs.

Imports nothing of the bus: it is started every few seconds beside every process.
"""

import http.client
import os
import socket
import ssl
import sys
from collections.abc import Sequence

WITHIN_SECONDS = 5.0


def ask(port: int) -> tuple[bool, str]:
    """Whether /health on a port of this machine says well, and what it says.

    Args:
        port: the process's CREDITBUS_METRICS_PORT; 0 means that it shows nothing, which is no answer.
    """
    if not port:
        return False, "CREDITBUS_METRICS_PORT is not set"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_SECONDS)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status == http.client.OK, answer.read(200).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return False, f"no answer from port {port}: {error}"
    finally:
        connection.close()


def greet(port: int) -> tuple[bool, str]:
    """Whether a door of this machine speaks TLS, and what is wrong where it does not. Whose certificate it shows is its clients' concern."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=WITHIN_SECONDS) as plain,
            context.wrap_socket(plain) as spoken,
        ):
            return True, spoken.version() or ""
    except OSError as error:
        return False, f"no TLS on port {port}: {error}"


def main(arguments: Sequence[str]) -> int:
    """Ask the process of this container; the exit code."""
    well, said = ask(int(os.environ.get("CREDITBUS_METRICS_PORT") or 0))
    for port in arguments:
        speaks, why = greet(int(port))
        if not speaks:
            well, said = False, f"{said}; {why}"
    sys.stdout.write(f"{said}\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
