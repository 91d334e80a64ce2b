"""Certificates in files: whether one and its key are a pair that serves, and when they end; and when that of an endpoint ends."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from exchange.metrics.served import ServedMetrics
from exchange.settings import Settings

UNREADABLE = 0.0
"""Shown where a file holds no certificate, or none that its key serves: an end long past, which no alert overlooks."""


class NoPairError(ValueError):
    """Two files are no certificate with its key; says in one line which of them is at fault, and why."""


def expires_at(path: Path) -> float:
    """When the first certificate of a PEM file to end does so, seconds since 1970; `UNREADABLE` where there is none."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return UNREADABLE
    return min(one.not_valid_after_utc.timestamp() for one in found)


def pair_expires_at(certificate: Path, key: Path) -> float:
    """When a certificate that a server shows ends; `UNREADABLE` where it could not be served now: no pair, or not begun."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_pair(context, certificate, key)
        begins = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_before_utc
    except (OSError, ValueError):
        return UNREADABLE
    return expires_at(certificate) if begins <= datetime.now(UTC) else UNREADABLE


def load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Have a context serve by a certificate (PEM, with those between it and its authority) and its key.

    Raises:
        NoPairError: they are no pair; the context must not be used.
    """
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise NoPairError(f"{path} cannot be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password=partial(_refuse, key))
    except ssl.SSLError as error:
        raise NoPairError(_fault_of(certificate, key, error)) from error
    except OSError as error:
        raise NoPairError(f"{certificate} and {key} cannot be read: {error.strerror}") from error


def untimely(certificate: Path, now: datetime) -> str:
    """In one line, why no client takes a certificate at a time; empty where it is good.

    Raises:
        ValueError: the file holds none.
    """
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    if now < found.not_valid_before_utc:
        return f"{certificate} begins only at {found.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"
    if found.not_valid_after_utc < now:
        return f"{certificate} ended at {found.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    return ""


def expires_at_of_peer(peer: "dict[str, object] | None") -> float | None:
    """When the certificate of a TLS connection's other end ends, seconds since 1970; None where there is none.

    Args:
        peer: from `ssl.SSLSocket.getpeercert`.
    """
    end = (peer or {}).get("notAfter")
    return float(ssl.cert_time_to_seconds(end)) if isinstance(end, str) else None


def certificate_files(settings: Settings) -> dict[str, Path | None]:
    """The files of certificates that a process uses, and of those that its door shows the key: they must be a pair.

    These are the files that `certificates` names, and every setting that is one by its name.
    """
    named = [str(value) for name, value in settings if name.endswith(("_certificate", "_ca")) and value]
    doors = {
        str(settings.portal_certificate): settings.portal_key,
        str(settings.gateway_certificate): settings.gateway_key,
        str(settings.inbox_certificate): settings.inbox_key,
    }
    return {name: doors.get(name) for name in [*filter(None, settings.certificates.split(",")), *named]}


def show_certificates(metrics: ServedMetrics, files: Mapping[str, Path | None]) -> None:
    """Show the end of each file's certificate; the files are read at each scrape, so that a renewed one is seen."""
    for name, key in files.items():
        look = partial(pair_expires_at, Path(name), key) if key else partial(expires_at, Path(name))
        metrics.certificate_expires.labels(name).set_function(look)


def _refuse(key: Path) -> str:
    """Instead of a question at the terminal that nobody answers."""
    raise NoPairError(f"{key} is closed by a password; a server needs an open key, in a file for its owner alone")


def _fault_of(certificate: Path, key: Path, error: ssl.SSLError) -> str:
    """OpenSSL's word for most faults is `PEM lib`, whichever file it is."""
    if "MISMATCH" in (error.reason or ""):
        return f"the key in {key} is not that of the certificate in {certificate}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certificate)
    except OSError:
        return f"{certificate} holds no whole certificate in PEM"
    return f"{key} holds no whole key in PEM"
