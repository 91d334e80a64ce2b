"""Where Kafka is and how one speaks to it: one value, made of the settings, that whoever opens a client is handed."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

Protocol = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
"""In clear, for this machine only; by TLS with a certificate of one's own (mTLS); by TLS with user and password (SCRAM)."""
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256"]
_NONE = SecretStr("")
_FIELDS = (
    ("protocol", "security.protocol"),
    ("ca", "ssl.ca.location"),
    ("certificate", "ssl.certificate.location"),
    ("key", "ssl.key.location"),
    ("key_password", "ssl.key.password"),
    ("mechanism", "sasl.mechanism"),
    ("user", "sasl.username"),
    ("password", "sasl.password"),
)
"""Attribute, and what librdkafka calls it."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """Kafka's address and what opens it. Shown it is the address alone.

    Attributes:
        address: host:port, several with commas; empty for none.
        protocol: how it is spoken to.
        ca: file with the certificates that a broker's is to be signed by; None for those that the system trusts.
        certificate: file with this client's certificate, and those between it and the authority.
        key: file with its key.
        key_password: that opens the key.
        mechanism: of SASL.
        user: at SASL.
        password: at SASL.
    """

    address: str
    protocol: Protocol = "PLAINTEXT"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: SecretStr = _NONE
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str = ""
    password: SecretStr = _NONE

    def __bool__(self) -> bool:
        return bool(self.address)

    def __str__(self) -> str:
        return self.address

    def faults(self) -> list[str]:
        """What is missing or contradicts itself, each with the setting that mends it."""
        found = []
        if self.protocol == "PLAINTEXT" and (self.user or self.certificate or self.ca):
            found.append("credentials are set but not used: set CREDITBUS_KAFKA_PROTOCOL to SASL_SSL or SSL")
        if self.protocol == "SASL_SSL" and not (self.user and self.password.get_secret_value()):
            found.append(
                "SASL_SSL needs CREDITBUS_KAFKA_USER and CREDITBUS_KAFKA_PASSWORD (or CREDITBUS_KAFKA_PASSWORD_FILE)"
            )
        if self.protocol == "SSL" and not (self.certificate and self.key):
            found.append(
                "SSL needs CREDITBUS_KAFKA_CERTIFICATE and CREDITBUS_KAFKA_KEY: by them the broker knows who it is"
            )
        return found

    def config(self) -> dict[str, str]:
        """What librdkafka is told; with secrets, so it is not for showing."""
        told = {"bootstrap.servers": self.address}
        if self.protocol != "PLAINTEXT":
            told |= {name: text for name, text in self._texts() if self.protocol == "SASL_SSL" or "sasl" not in name}
        return told

    def environment(self) -> dict[str, str]:
        """The variables by which a process is given this value, whatever its parent's are; with secrets, so it is not for showing."""
        given = {
            "CREDITBUS_KAFKA": self.address,
            "CREDITBUS_KAFKA_PASSWORD_FILE": "",
            "CREDITBUS_KAFKA_KEY_PASSWORD_FILE": "",
        }
        if self.protocol != "PLAINTEXT":
            attributes = {name: attribute for attribute, name in _FIELDS}
            given |= {f"CREDITBUS_KAFKA_{attributes[name].upper()}": text for name, text in self._texts()}
        return given

    def context(self) -> ssl.SSLContext:
        """The same for Python's own TLS, as Faust's client needs it.

        Raises:
            OSError: a file cannot be read, or is not what it should be (`ssl.SSLError`).
        """
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate and self.key:
            context.load_cert_chain(self.certificate, self.key, self.key_password.get_secret_value() or None)
        return context

    def _texts(self) -> list[tuple[str, str]]:
        values = [(name, getattr(self, attribute)) for attribute, name in _FIELDS]
        texts = [
            (name, one.get_secret_value() if isinstance(one, SecretStr) else str(one or "")) for name, one in values
        ]
        return [(name, text) for name, text in texts if text]


def brokers_of(address: str, given: Mapping[str, object]) -> Brokers:
    """The value of an address and the settings `kafka_*`, by name; those of the embedded stack are not part of it.

    Raises:
        ValueError: they do not go together; the text says what to set.
    """
    brokers = Brokers(address, **{name: given[f"kafka_{name}"] for name, _ in _FIELDS if f"kafka_{name}" in given})  # type: ignore[arg-type] # validated fields
    if faults := brokers.faults():
        raise ValueError("; ".join(faults))
    return brokers
