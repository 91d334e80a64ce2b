"""When certificates end: of files, whatever is in them, and of the other end of a connection."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from consumers.dispatcher.guard import Guard
from consumers.dispatcher.post import Answer, open_session, post
from consumers.dispatcher.report import DispatcherReport
from consumers.dispatcher.schedule import Outcome
from exchange.certificates import UNREADABLE, certificate_files, expires_at, show_certificates
from exchange.metrics import DispatcherMetrics, ServedMetrics
from exchange.settings import Settings

END = datetime(2031, 5, 20, 4, tzinfo=UTC)
SOONER = END - timedelta(days=100)


def certificate(end: datetime = END) -> tuple[bytes, bytes]:
    """A certificate of localhost by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return built.public_bytes(serialization.Encoding.PEM), private


def test_a_file_ends_with_the_first_of_its_certificates(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(certificate()[0] + certificate(SOONER)[0])
    assert expires_at(chain) == SOONER.timestamp()


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_what_cannot_be_read_has_ended_long_ago(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.pem"
    path.write_bytes(content)
    assert expires_at(path) == expires_at(tmp_path / "absent.pem") == UNREADABLE


def test_every_setting_that_is_a_certificate_by_its_name_is_watched(tmp_path: Path) -> None:
    ca, own, key = (tmp_path / name for name in ("ca.pem", "own.pem", "key.pem"))
    for path in (ca, own, key):
        path.touch()
    settings = Settings(
        certificates="a.pem,b.pem", kafka_protocol="SSL", kafka_ca=ca, kafka_certificate=own, kafka_key=key
    )
    assert sorted(certificate_files(settings)) == sorted(["a.pem", "b.pem", str(ca), str(own)])


def test_a_renewed_file_is_seen_at_the_next_scrape(tmp_path: Path) -> None:
    metrics, path = ServedMetrics(), tmp_path / "bus.pem"

    def shown() -> float | None:
        return metrics.registry.get_sample_value(
            "creditbus_certificate_expires_timestamp_seconds", {"certificate": str(path)}
        )

    show_certificates(metrics, {str(path): None})
    assert shown() == UNREADABLE
    path.write_bytes(certificate(SOONER)[0])
    assert shown() == SOONER.timestamp()
    path.write_bytes(certificate(END)[0])
    assert shown() == END.timestamp()


def sent(server: ssl.SSLContext | None = None, trust: Callable[[], ssl.SSLContext] | None = None) -> Answer:
    """The answer to one message, posted to an endpoint of this machine."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    async def send() -> Answer:
        app = web.Application()
        app.router.add_post("/", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
        scheme = "https" if server else "http"
        url = f"{scheme}://localhost:{runner.addresses[0][1]}/"
        guard = Guard(["127.0.0.0/8"], plain_http=True)
        try:
            async with open_session(guard, connections=1, timeout_seconds=5) as session:
                if trust is not None:
                    session.connector._ssl = trust()  # type: ignore[union-attr] # the production code trusts the machine's
                return await post(session, url, b"{}", {}, now=0)
        finally:
            await runner.cleanup()

    return asyncio.run(send())


def test_an_endpoints_certificate_is_seen_when_a_message_is_sent_and_shown(tmp_path: Path) -> None:
    public, private = certificate()
    both = tmp_path / "both.pem"
    both.write_bytes(public + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    answer = sent(server, lambda: ssl.create_default_context(cadata=public.decode()))
    assert (answer.outcome, answer.status) == (Outcome.DELIVERED, 204)
    assert answer.certificate_expires == END.timestamp()
    metrics = DispatcherMetrics()
    report = DispatcherReport(metrics)
    name, labels = "creditbus_delivery_certificate_expires_timestamp_seconds", {"department": "gd.fin"}
    report.attempt("gd.fin", answer)
    assert metrics.registry.get_sample_value(name, labels) == END.timestamp()
    report.closed("gd.fin")
    assert metrics.registry.get_sample_value(name, labels) is None


def test_without_tls_there_is_no_certificate() -> None:
    answer = sent()
    assert (answer.outcome, answer.certificate_expires) == (Outcome.DELIVERED, 0.0)
    metrics = DispatcherMetrics()
    report = DispatcherReport(metrics)
    report.attempt("gd.fin", answer)
    report.closed("gd.fin")
