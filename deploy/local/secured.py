"""A secured stack's folder: its authority, and for each principal a certificate, passwords and the variables that name them.

Everything is made before the servers start; what Kafka keeps itself (SCRAM users, access control lists) is given it afterwards by
`deploy.local.principals`. Secrets are files that only their owner may read, never words of a command line.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from deploy.local.authority import Authority
from deploy.local.ports import HOST
from exchange.brokers import Brokers
from exchange.grants import Grant
from exchange.redis_acl import acl_file, users
from exchange.redis_url import with_credentials

ADMINISTRATOR = "administrator"
"""Who may do everything on both servers; by certificate on Kafka. It makes the other principals and is for nothing else."""
BROKER = "broker"
"""The broker itself, to its controller."""
SECRET_BYTES = 24
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The folder of one principal."""

    name: str
    folder: Path

    @property
    def certificate(self) -> Path:
        """Its certificate."""
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        """The certificate's key."""
        return self.folder / "key.pem"

    @property
    def kafka_password(self) -> Path:
        """What it shows Kafka by SCRAM."""
        return self.folder / "kafka-password"

    @property
    def redis_password(self) -> Path:
        """What it shows Redis."""
        return self.folder / "redis-password"

    @property
    def variables(self) -> Path:
        """Its environment, for a shell or a service; secrets are named, not in it."""
        return self.folder / "creditbus.env"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """The security folder of a stack."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """The authority's key."""
        return self.folder / "ca-key.pem"

    @property
    def broker(self) -> Path:
        """The broker's key and certificate."""
        return self.folder / "broker.pem"

    @property
    def redis_users(self) -> Path:
        """Redis' access control list."""
        return self.folder / "redis-users.acl"

    def bus_key(self, setting: str) -> Path:
        """The file of one of the bus's own keys, by the setting that names it, such as `signing_keys`."""
        return self.folder / setting.replace("_", "-")

    @property
    def principals(self) -> Path:
        """A folder for each principal."""
        return self.folder / "principals"

    @property
    def is_there(self) -> bool:
        """Whether the stack is a secured one; the list of Redis' users is written last."""
        return self.redis_users.is_file()

    def principal(self, name: str) -> Principal:
        """A principal's folder."""
        return Principal(name=name, folder=self.principals / name)

    def authority(self) -> Authority:
        """The authority."""
        return Authority.read(self.ca, self.ca_key)

    def make_authority(self) -> Authority:
        """The authority; made where there is none yet."""
        if not self.ca.is_file():
            made = Authority.make(f"creditbus {secrets.token_hex(4)}")
            write_secret(self.ca_key, made.key)
            self.ca.write_bytes(made.certificate)
        return self.authority()

    def make(self, grants: Mapping[str, Grant]) -> None:
        """Make everything that is not there yet: again after the catalogue has new departments."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        authority = self.make_authority()
        if not self.broker.is_file():
            write_secret(self.broker, authority.issue(BROKER).both)
        for setting in bus_keys(grants):
            if not self.bus_key(setting).is_file():
                write_secret(self.bus_key(setting), new_bus_key())
        for name in (ADMINISTRATOR, *grants):
            self._make_principal(self.principal(name), authority)
        write_secret(self.redis_users, self.users_of_redis(grants))

    def users_of_redis(self, grants: Mapping[str, Grant], more: Mapping[str, str] | None = None) -> bytes:
        """Redis' access control list, of the passwords in the principals' folders and `more` by user."""
        passwords = {name: self.principal(name).redis_password.read_text() for name in (ADMINISTRATOR, *users(grants))}
        known = {name: (password,) for name, password in (passwords | dict(more or {})).items()}
        return acl_file(grants, known, ADMINISTRATOR).encode()

    def brokers(self, name: str, port: int) -> Brokers:
        """Kafka as a principal reaches it by its certificate."""
        one = self.principal(name)
        return Brokers(f"{HOST}:{port}", protocol="SSL", ca=self.ca, certificate=one.certificate, key=one.key)

    def redis_url(self, name: str, port: int) -> str:
        """Redis as a principal reaches it."""
        password = SecretStr(self.principal(name).redis_password.read_text())
        return with_credentials(f"redis://{HOST}:{port}/0", {"redis_user": name, "redis_password": password})

    def _make_principal(self, one: Principal, authority: Authority) -> None:
        one.folder.mkdir(parents=True, exist_ok=True)
        if not one.key.is_file():
            issued = authority.issue(one.name)
            one.certificate.write_bytes(issued.certificate)
            write_secret(one.key, issued.key)
        for path in (one.kafka_password, one.redis_password):
            if not path.is_file():
                write_secret(path, new_password())


def bus_keys(grants: Mapping[str, Grant]) -> list[str]:
    """The settings with keys of the bus that its principals need."""
    return sorted({setting for grant in grants.values() for setting in grant.holds})


def new_bus_key() -> bytes:
    """The first key of such a setting."""
    return f"k1:{secrets.token_hex(KEY_BYTES)}".encode()


def new_password() -> bytes:
    """A password that nobody has to remember."""
    return secrets.token_urlsafe(SECRET_BYTES).encode()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; a reader sees the old one or the new one."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
