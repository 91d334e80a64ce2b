"""Why Kafka does not let a client in, in one line: librdkafka tells it only in passing, and tries again for ever."""

import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from cryptography import x509

from exchange.brokers import Brokers
from exchange.errors import RequestError
from exchange.kafka import answers, open_admin

WITHIN_SECONDS = 3.0
"""A broker that says neither yes nor no in so long is left to the process, which waits for it. A user that was just made may be refused so long."""
TRY_SECONDS = 0.2
PROBE_SECONDS = 2.0


def check_entry(kafka: Brokers, *, within_seconds: float = WITHIN_SECONDS) -> None:
    """Return if Kafka lets this client in, or is away; a process that is refused is told at its start.

    Raises:
        RequestError: `kafka_login_refused`, `kafka_certificate_refused`, `kafka_broker_unknown`, `kafka_wants_tls`, `kafka_speaks_clear`.
    """
    heard: list[KafkaError] = []
    admin = open_admin(kafka, error_cb=heard.append)
    give_up_at = time.monotonic() + within_seconds
    refused: RequestError | None = None
    while time.monotonic() < give_up_at:
        try:
            admin.list_topics(timeout=TRY_SECONDS)
        except KafkaException:
            admin.poll(0)  # what it heard
        else:
            return
        refused = next(filter(None, (refusal(error, kafka) for error in heard)), None)
        is_down = any(error.code() == KafkaError._ALL_BROKERS_DOWN for error in heard)  # noqa: SLF001 # librdkafka's own codes are named so
        if is_down and refused is None:
            refused = _other_language(kafka)
            break
        if refused is not None and refused.code != "kafka_login_refused":
            break
    if refused is not None:
        raise refused


def refusal(error: KafkaError, kafka: Brokers) -> RequestError | None:
    """What it means that Kafka broke a connection off; None when it may just be away.

    Args:
        error: as a client's `error_cb` is told it.
        kafka: what the client was opened with.
    """
    said = error.str().lower()
    if error.code() in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):  # noqa: SLF001 # as above
        return RequestError(
            f"Kafka at {kafka} refuses user {kafka.user!r}: no such user, or another password",
            code="kafka_login_refused",
            remedy="set CREDITBUS_KAFKA_USER and CREDITBUS_KAFKA_PASSWORD_FILE as the bus's operator gave them",
        )
    if "certificate verify failed" in said:
        return RequestError(
            f"Kafka at {kafka} shows a certificate that is not trusted",
            code="kafka_broker_unknown",
            remedy="set CREDITBUS_KAFKA_CA to its authority's certificate; if it was right before, somebody may be in between",
        )
    if "alert" in said and "certificate" in said:
        return RequestError(
            f"Kafka at {kafka} refuses the certificate {kafka.certificate}: it {_fault_of(kafka.certificate)}",
            code="kafka_certificate_refused",
            remedy="renew it with the bus's operator and set CREDITBUS_KAFKA_CERTIFICATE and CREDITBUS_KAFKA_KEY",
        )
    return None


def _fault_of(certificate: Path | None) -> str:
    with suppress(OSError, ValueError):
        if certificate is not None:
            ended = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
            if ended < datetime.now(UTC):
                return f"ended on {ended:%Y-%m-%d}"
    return "was not signed by an authority that it trusts"


def _other_language(kafka: Brokers) -> RequestError | None:
    """Whether brokers that hang up would answer if they were spoken to with, or without, TLS."""
    if kafka.protocol != "PLAINTEXT":
        if not answers(Brokers(kafka.address), within_seconds=PROBE_SECONDS):
            return None
        return RequestError(
            f"Kafka at {kafka} speaks in clear, not TLS",
            code="kafka_speaks_clear",
            remedy="set CREDITBUS_KAFKA to the port of a TLS listener",
        )
    if not any(_speaks_tls(one) for one in kafka.address.split(",")):
        return None
    return RequestError(
        f"Kafka at {kafka} speaks TLS, not in clear",
        code="kafka_wants_tls",
        remedy="set CREDITBUS_KAFKA_PROTOCOL to SASL_SSL or SSL, and what goes with it, see docs/security.md",
    )


def _speaks_tls(address: str) -> bool:
    """Whether something behind an address greets by TLS; nothing is sent to it, so whose certificate it shows does not matter."""
    host, _, port = address.strip().rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port)), PROBE_SECONDS) as plain:
            plain.settimeout(PROBE_SECONDS)
            with context.wrap_socket(plain, server_hostname=host):
                return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # it asks for a certificate
    except (OSError, ValueError):
        return False
