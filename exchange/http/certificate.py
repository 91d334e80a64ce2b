"""The certificate by which an HTTP door speaks TLS itself; a renewed one is taken without a restart."""

import logging
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from exchange.certificates import load_pair, untimely
from exchange.errors import RequestError
from exchange.settings import Settings

log = logging.getLogger("creditbus.http")


@dataclass(slots=True)
class DoorCertificate:
    """The files of a door's certificate, and the context that new connections are made by.

    Attributes:
        certificate: PEM, with what stands between it and its authority.
        key: PEM.
        name: of the settings that name both, such as CREDITBUS_PORTAL.
        context: for the server, for as long as it runs; it hands each new connection to the newest pair.

    Raises:
        RequestError: `bad_certificate`: the files are no pair, or not readable.
    """

    certificate: Path
    key: Path
    name: str
    context: ssl.SSLContext = field(init=False)
    _newest: ssl.SSLContext = field(init=False)
    _seen: tuple[int, ...] = field(init=False)
    _complaint: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._seen = self._stamp()
        try:
            self.context = self._newest = self._load()
            late = untimely(self.certificate, datetime.now(UTC))
        except (OSError, ValueError) as error:
            raise RequestError(
                f"no certificate with its key: {error}",
                code="bad_certificate", remedy=f"set {self.name}_CERTIFICATE and {self.name}_KEY to a pair in PEM",
            ) from error  # fmt: skip
        self.context.sni_callback = self._hand_over
        if late:  # clients say so too; a door that does not start would help nobody
            log.error("certificate of no use error=%s", late)

    def renew(self) -> bool:
        """Take the files where they have changed, are a pair and serve now; whether they were taken. Open connections go on.

        What is not taken is said once, and tried again at each call: the rest of a file, its rights or its day may come.
        """
        now = self._stamp()
        if now == self._seen:
            return False
        try:
            loaded = self._load()
            late = untimely(self.certificate, datetime.now(UTC))
        except (OSError, ValueError) as error:
            return self._refuse(str(error))
        if late:
            return self._refuse(late)
        self._newest, self._seen, self._complaint = loaded, now, ""
        log.info("certificate renewed file=%s", self.certificate)
        return True

    def _refuse(self, why: str) -> bool:
        if why != self._complaint:
            log.error("certificate not taken, the old one serves on file=%s error=%s", self.certificate, why)
            self._complaint = why
        return False

    def _hand_over(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called by OpenSSL when a client has greeted."""
        connection.context = self._newest

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        load_pair(context, self.certificate, self.key)
        return context

    def _stamp(self) -> tuple[int, ...]:
        """What changes with either file; a secret of Kubernetes is a link to another file after each change."""
        found: list[int] = []
        for path in (self.certificate, self.key):
            try:
                status = path.stat()
            except OSError:
                found += (0, 0, 0)
            else:
                found += (status.st_mtime_ns, status.st_ino, status.st_size)
        return tuple(found)


def door_certificate(certificate: Path | None, key: Path | None, *, name: str) -> DoorCertificate | None:
    """The certificate of a door; None where it speaks plain HTTP.

    Args:
        certificate: setting of the door.
        key: likewise; both or neither.
        name: of these settings, such as CREDITBUS_PORTAL.

    Raises:
        RequestError: `bad_certificate`.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise RequestError(
            f"{name}_CERTIFICATE and {name}_KEY go together", code="bad_certificate", remedy="set both, or neither"
        )
    return DoorCertificate(certificate, key, name)


def portal_certificate(settings: Settings) -> DoorCertificate | None:
    """The portal's; see `door_certificate`.

    Raises:
        RequestError: `bad_certificate`, also where its cookies are to go by plain HTTP.
    """
    found = door_certificate(settings.portal_certificate, settings.portal_key, name="CREDITBUS_PORTAL")
    if found is not None and settings.portal_plain_http:
        raise RequestError(
            "CREDITBUS_PORTAL_PLAIN_HTTP and CREDITBUS_PORTAL_CERTIFICATE exclude each other",
            code="bad_certificate", remedy="unset CREDITBUS_PORTAL_PLAIN_HTTP: by TLS browsers take the portal's cookies",
        )  # fmt: skip
    return found


def gateway_certificate(settings: Settings) -> DoorCertificate | None:
    """The gateway's; see `door_certificate`."""
    return door_certificate(settings.gateway_certificate, settings.gateway_key, name="CREDITBUS_GATEWAY")


def inbox_certificate(settings: Settings) -> DoorCertificate | None:
    """The inbox's; see `door_certificate`."""
    return door_certificate(settings.inbox_certificate, settings.inbox_key, name="CREDITBUS_INBOX")
