"""The folder of a secured stack: secrets are files for their owner alone, made once, and certificates are what they say."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from deploy.local.authority import Authority
from deploy.local.secured import ADMINISTRATOR, Secured
from exchange.grants import grants

GRANTS = grants("credit", ["gd.tax", "gd.fin"], operator="gd.data", group="standing")


@pytest.fixture
def secured(tmp_path: Path) -> Secured:
    found = Secured(folder=tmp_path / "security")
    found.make(GRANTS)
    return found


def test_secrets_are_for_their_owner_alone(secured: Secured) -> None:
    assert stat.S_IMODE(secured.folder.stat().st_mode) == 0o700
    public = {"ca.pem", "certificate.pem"}
    files = [path for path in secured.folder.rglob("*") if path.is_file() and path.name not in public]
    assert len(files) > 3 * len(GRANTS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    text = secured.redis_users.read_text()
    assert secured.principal(ADMINISTRATOR).redis_password.read_text() not in text, "hashes only"


def test_what_is_there_is_kept_and_new_principals_are_added(secured: Secured) -> None:
    before = {path: path.read_bytes() for path in secured.folder.rglob("*") if path.is_file()}
    secured.make({**GRANTS, **grants("credit", ["gd.eco"], operator="gd.data", group="standing")})
    assert {path: path.read_bytes() for path in before} == before
    assert secured.principal("credit.gd.eco").key.is_file()


def test_certificates_are_signed_and_end(secured: Secured) -> None:
    now = datetime(2026, 5, 20, tzinfo=UTC)
    issued = x509.load_pem_x509_certificate(secured.authority().issue("credit.gd.tax", days=1, now=now).certificate)
    authority = x509.load_pem_x509_certificate(secured.ca.read_bytes())
    issued.verify_directly_issued_by(authority)
    assert issued.subject.rfc4514_string() == "CN=credit.gd.tax"
    assert issued.not_valid_after_utc == now + timedelta(days=1)
    with pytest.raises(InvalidSignature):
        issued.verify_directly_issued_by(x509.load_pem_x509_certificate(renamed(authority)))


def renamed(authority: x509.Certificate) -> bytes:
    """Another authority of the same name."""
    name = authority.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    return Authority.make(str(name)).certificate
