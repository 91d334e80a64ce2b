"""What a door makes of its certificate's files: only a whole pair whose time has come is taken, and what is not is said once."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from deploy.local.authority import Authority, Issued
from exchange.certificates import UNREADABLE, certificate_files, show_certificates
from exchange.errors import RequestError
from exchange.http.certificate import DoorCertificate, door_certificate, portal_certificate
from exchange.metrics import ServedMetrics
from exchange.settings import Settings

AUTHORITY = Authority.make("test")
FIRST, NEXT = AUTHORITY.issue("door", days=30), AUTHORITY.issue("door", days=300)
TOMORROW = datetime.now(UTC) + timedelta(days=1)
LAST_WEEK = datetime.now(UTC) - timedelta(days=7)


class Files:
    """A certificate and its key on disk."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"

    def put(self, certificate: bytes, key: bytes) -> None:
        self.certificate.write_bytes(certificate)
        self.key.write_bytes(key)

    def put_pair(self, issued: Issued) -> None:
        self.put(issued.certificate, issued.key)

    def open(self) -> DoorCertificate:
        return DoorCertificate(self.certificate, self.key, "CREDITBUS_PORTAL")

    def settings(self) -> Settings:
        return Settings(portal_certificate=self.certificate, portal_key=self.key)

    def shown(self) -> float | None:
        metrics = ServedMetrics()
        show_certificates(metrics, certificate_files(self.settings()))
        name, labels = "creditbus_certificate_expires_timestamp_seconds", {"certificate": str(self.certificate)}
        return metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    found = Files(tmp_path)
    found.put_pair(FIRST)
    return found


def closed(key: bytes) -> bytes:
    """A key with a password."""
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of-a-test")
    )


def greet(
    door: DoorCertificate, *, name: str | None = "localhost", most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> bytes:
    """The certificate that a new client sees; without a network."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode, trust.maximum_version = False, ssl.CERT_NONE, most
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(down, up, server_hostname=name)
    server = door.context.wrap_bio(up, down, server_side=True)
    for _ in range(3):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ssl.DER_cert_to_PEM_cert(client.getpeercert(True) or b"").encode()


def days_left(shown: float | None) -> int:
    return round(((shown or 0.0) - datetime.now(UTC).timestamp()) / 86400)


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["localhost", None])
def test_a_renewed_pair_is_what_the_next_client_sees(files: Files, name: str | None, most: ssl.TLSVersion) -> None:
    door = files.open()
    assert greet(door, name=name, most=most) == FIRST.certificate
    assert not door.renew(), "nothing has changed"
    files.put_pair(NEXT)
    assert door.renew()
    assert greet(door, name=name, most=most) == NEXT.certificate
    assert days_left(files.shown()) == 300


NOT_TAKEN = {
    "the certificate is half written": (NEXT.certificate[:300], NEXT.key, "certificate.pem holds no whole certificate"),
    "what is between is half written": (
        NEXT.certificate + AUTHORITY.certificate[:300], NEXT.key, "certificate.pem holds no whole certificate",
    ),
    "the certificate is empty": (b"", NEXT.key, "certificate.pem holds no whole certificate"),
    "the key is half written": (NEXT.certificate, NEXT.key[:100], "key.pem holds no whole key"),
    "the key is the old one's": (NEXT.certificate, FIRST.key, "is not that of the certificate"),
    "the key has a password": (NEXT.certificate, closed(NEXT.key), "closed by a password"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_what_is_no_pair_is_said_once_and_alerted_and_the_old_one_serves_on(
    files: Files, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key, why = NOT_TAKEN[case]
    door = files.open()
    files.put(certificate, key)
    assert [door.renew(), door.renew()] == [False, False]
    assert greet(door) == FIRST.certificate
    assert [one.getMessage().count("\n") for one in caplog.records if "not taken" in one.getMessage()] == [0]
    assert why in caplog.text
    assert files.shown() == UNREADABLE, "by which the alert for certificates fires"
    with pytest.raises(RequestError, match=why) as caught:
        files.open()
    assert caught.value.code == "bad_certificate"
    assert "CREDITBUS_PORTAL_CERTIFICATE" in caught.value.line()
    assert "\n" not in caught.value.line()
    files.put_pair(NEXT)
    assert door.renew(), "the rest has come"
    assert greet(door) == NEXT.certificate


@pytest.mark.parametrize(("begins", "why"), [(TOMORROW, "begins only at"), (LAST_WEEK, "ended at")])
def test_one_that_clients_refuse_does_not_take_the_place_of_one_that_serves(
    files: Files, begins: datetime, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    door = files.open()
    files.put_pair(AUTHORITY.issue("door", days=3, now=begins))
    assert [door.renew(), door.renew()] == [False, False]
    assert greet(door) == FIRST.certificate
    assert caplog.text.count(why) == 1
    assert (files.shown() or 0.0) < datetime.now(UTC).timestamp()
    files.open()  # a door that does not start would help nobody
    assert "certificate of no use" in caplog.text


def test_a_file_that_is_away_is_no_reason_to_stop(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    door = files.open()
    files.key.rename(files.key.with_suffix(".old"))
    assert [door.renew(), door.renew()] == [False, False]
    assert caplog.text.count("key.pem cannot be read: No such file") == 1
    assert greet(door) == FIRST.certificate
    files.key.with_suffix(".old").rename(files.key)
    assert not door.renew(), "it is the one that serves"


def test_a_certificate_and_its_key_go_together(files: Files) -> None:
    assert door_certificate(None, None, name="CREDITBUS_PORTAL") is None
    with pytest.raises(RequestError, match="go together"):
        door_certificate(files.certificate, None, name="CREDITBUS_PORTAL")


def test_a_portal_with_a_certificate_gives_no_cookies_for_plain_http(files: Files) -> None:
    assert portal_certificate(files.settings()) is not None
    with pytest.raises(RequestError, match="exclude each other"):
        portal_certificate(files.settings().model_copy(update={"portal_plain_http": True}))
