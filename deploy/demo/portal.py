"""The portal of the demonstration: its processes, and people with accounts who can sign in."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from consumers.directory.run import open_directory
from deploy.demo.process import free_port, running
from deploy.demo.releases import releasing
from exchange.accounts import RedisAccounts, add, set_password
from exchange.domain.access import Role
from exchange.errors import RequestError, RetryLaterError
from exchange.redis_client import connect
from exchange.settings import Settings

PEOPLE = {
    "fin": (Role.OFFICER, "gd.fin"),
    "tax": (Role.OFFICER, "gd.tax"),
    "operator": (Role.OPERATOR, ""),
    "auditor": (Role.AUDITOR, ""),
    "administrator": (Role.ADMINISTRATOR, ""),
}
"""Account to role and department."""
_DIRECTORY_WITHIN_SECONDS = 30.0
_LOOK_SECONDS = 0.1
_PASSWORD_BYTES = 9


class Place(NamedTuple):
    """Where the portal is, and the password that everybody in the demonstration signs in with."""

    url: str
    password: str


@contextmanager
def portal_open(settings: Settings, logs: Path) -> Iterator[Place]:
    """Directory, archive, deadlines, early warning, risk classes and portal at work, as processes of their own.

    Args:
        settings: of the bus, with its servers.
        logs: folder for what the processes print.

    Raises:
        RetryLaterError: `not_quiet`.
    """
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    accounts = RedisAccounts(connect(settings.redis))
    for name, (role, department) in PEOPLE.items():
        if accounts.get(name) is None:
            add(accounts, name, password, role, department, datetime.now(UTC))
        else:
            set_password(accounts, name, password, datetime.now(UTC))
    port = free_port(settings.portal_port)
    local = {"CREDITBUS_PORTAL_PORT": str(port), "CREDITBUS_PORTAL_PLAIN_HTTP": "true"}
    prompt = {"CREDITBUS_ARCHIVE_COMMIT_SECONDS": "5"}
    with (
        running(logs / "directory.log", "directory"),
        running(logs / "archive.log", "archive", **prompt),
        running(logs / "deadlines.log", "deadlines"),
        running(logs / "early-warning.log", "early-warning"),
    ):
        _await_directory(settings)
        with (
            running(logs / "risk.log", "risk-classes"),
            running(logs / "portal.log", "portal", **local),
            releasing(logs / "open-data.log"),
        ):
            yield Place(f"http://127.0.0.1:{port}/", password)


def _await_directory(settings: Settings) -> None:
    until = time.monotonic() + _DIRECTORY_WITHIN_SECONDS
    while True:
        try:
            open_directory(settings).close()
        except RequestError as error:
            if time.monotonic() > until:
                raise RetryLaterError(
                    f"the directory is not made after {_DIRECTORY_WITHIN_SECONDS:g} s", code="not_quiet",
                    remedy="read its log, then run `creditbus demo` again",
                ) from error  # fmt: skip
            time.sleep(_LOOK_SECONDS)
        else:
            return
