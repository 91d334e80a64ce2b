"""A small certificate authority of one machine's own, for a secured embedded stack and for tests. In production it is yours."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.ports import HOST

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
CLOCK_MINUTES = 5
"""A certificate is good from so long ago: clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    @property
    def both(self) -> bytes:
        """Key and certificate in one file, as Kafka reads them."""
        return self.key + self.certificate


class Authority:
    """Signs certificates.

    Args:
        certificate: its own.
        key: that it signs with.
    """

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def make(cls, name: str, now: datetime | None = None) -> "Authority":
        """A new authority."""
        key, at = ec.generate_private_key(ec.SECP256R1()), now or datetime.now(UTC)
        subject = _name(name)
        certificate = (
            _begin(subject, subject, key.public_key(), at, timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def read(cls, certificate: Path, key: Path) -> "Authority":
        """The authority that `write` wrote."""
        found = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key} is not a key on an elliptic curve")
        return cls(x509.load_pem_x509_certificate(certificate.read_bytes()), found)

    @property
    def certificate(self) -> bytes:
        """Its certificate, which whoever trusts it is given."""
        return self._certificate.public_bytes(Encoding.PEM)

    @property
    def key(self) -> bytes:
        """Its key; whoever has it can be anybody."""
        return _private(self._key)

    def issue(
        self, name: str, *, hosts: Iterable[str] = (), days: float = CERTIFICATE_DAYS, now: datetime | None = None
    ) -> Issued:
        """A certificate of a server or a client.

        Args:
            name: that its holder is known by.
            hosts: names or addresses that a server is reached by, beside this machine's own.
            days: that it is good for from `now` on.
            now: when it begins; an earlier day makes one that has expired.

        Raises:
            ValueError: a host is neither an address nor a name in ASCII.
        """
        key, at = ec.generate_private_key(ec.SECP256R1()), now or datetime.now(UTC)
        names = [_host(one) for one in dict.fromkeys(["localhost", HOST, *hosts])]
        issuer = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        certificate = (
            _begin(_name(name), self._certificate.subject, key.public_key(), at, timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(certificate=certificate.public_bytes(Encoding.PEM), key=_private(key))


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime, good_for: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=CLOCK_MINUTES))
        .not_valid_after(at + good_for)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=not signs,
        key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip
