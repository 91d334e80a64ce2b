"""Ports of the embedded servers: given by the settings, remembered from the last start, or free ones."""

import socket

from exchange.errors import RequestError

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(
    server: str, setting: str, *, given: int, remembered: int | None, avoid: frozenset[int] = frozenset()
) -> int:
    """The port of a server: the given one, else the remembered one if it is free, else any free one.

    Args:
        server: who is to listen, for the error.
        setting: the setting that gives the port, for the error.
        given: the port to take; 0 means none is given.
        remembered: the port of the last start.
        avoid: ports that others of the stack take.

    Raises:
        RequestError: `port_taken` when the given port is in use.
    """
    if given:
        if is_free(given):
            return given
        raise RequestError(
            f"port {given} for {server} is taken by another program",
            code="port_taken",
            remedy=f"end that program, or set {setting} to a free port (0 finds one)",
        )
    if remembered and remembered not in avoid and is_free(remembered):
        return remembered
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in avoid:
            return port
