"""Signatures of what the bus sends out: Standard Webhooks 1.0.0 (`v1` HMAC-SHA256, `v1a` ed25519), and the keys they are made with.

The bus has master keys; every endpoint's keys are derived from the newest of them (HKDF-SHA256, RFC 5869) and a key number, so
nothing secret is stored beside an endpoint, and raising the number rotates its keys. While two numbers are live, a message
carries the signatures of both.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from standardwebhooks import Webhook

from exchange.errors import RequestError
from exchange.key_list import KeyList
from exchange.settings import Settings

SECRET, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
"""Prefixes of keys in text, as the specification names them."""
TOLERANCE_SECONDS = 300
"""A message whose timestamp is further away is refused: it may be a replay."""

_KEYS = KeyList(
    "signing", "CREDITBUS_SIGNING_KEYS", 32, "63726564697462757320646576656c6f706d656e74207369676e696e67206b6579"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointKey:
    """One pair of keys of an endpoint: `v1` secret and `v1a` seed, 32 bytes each; never shown."""

    secret: bytes = field(repr=False)
    seed: bytes = field(repr=False)

    @property
    def secret_text(self) -> str:
        """The `v1` secret as the receiver is given it."""
        return SECRET + base64.b64encode(self.secret).decode()

    @property
    def public_text(self) -> str:
        """The `v1a` public key as the receiver is given it."""
        return PUBLIC + base64.b64encode(signing_key(self.seed).public_key().public_bytes_raw()).decode()


@dataclass(frozen=True, kw_only=True)
class SigningKeys:
    """The bus's master keys, newest first.

    Attributes:
        keys: (key id, secret) pairs; never shown.
    """

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Keys from `k2:<hex>,k1:<hex>`.

        Raises:
            FatalError: `no_signing_keys` or `bad_signing_keys`; the secrets are not repeated.
        """
        return cls(keys=_KEYS.parse(text))

    @cached_property
    def _masters(self) -> dict[str, bytes]:
        return dict(self.keys)

    @property
    def newest(self) -> str:
        """Id of the master key that new keys are derived from."""
        return self.keys[0][0]

    def derive(self, purpose: str, key_id: str = "") -> bytes:
        """32 bytes for one purpose, from one master key (the newest by default).

        Raises:
            RequestError: `unknown_signing_key`.
        """
        master = self._masters.get(key_id or self.newest)
        if master is None:
            raise RequestError(
                f"no signing key {key_id!r}",
                code="unknown_signing_key",
                remedy="keep old keys in CREDITBUS_SIGNING_KEYS",
            )
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"creditbus {purpose}".encode()).derive(master)

    def endpoint_key(self, endpoint: str, number: int, key_id: str = "") -> EndpointKey:
        """The keys of an endpoint under its key number (from 1)."""
        return EndpointKey(
            secret=self.derive(f"webhook {endpoint} {number} v1", key_id),
            seed=self.derive(f"webhook {endpoint} {number} v1a", key_id),
        )


def load_signing_keys(settings: Settings, *, embedded: bool) -> SigningKeys:
    """The master keys of the settings; for the embedded stack a public development key where none is set.

    Raises:
        FatalError: `no_signing_keys`, `bad_signing_keys`, or `development_key` outside the embedded stack.
    """
    return SigningKeys(keys=_KEYS.load(settings.signing_keys.get_secret_value(), embedded=embedded))


def signing_key(seed: bytes) -> Ed25519PrivateKey:
    """The ed25519 key of a seed of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(text: str) -> Ed25519PublicKey:
    """The ed25519 key of `whpk_<base64>`.

    Raises:
        RequestError: `bad_public_key`.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix(PUBLIC), validate=True))
    except ValueError as error:
        raise RequestError(
            "the public key is not whpk_<base64 of 32 bytes>", code="bad_public_key", remedy="copy it whole"
        ) from error


class Signer:
    """Signs messages with every live key of an endpoint; keys are expanded once.

    Args:
        keys: live keys, newest first.
    """

    def __init__(self, keys: Iterable[EndpointKey]) -> None:
        live = tuple(keys)
        self._private = [signing_key(key.seed) for key in live]
        self._webhooks = [Webhook(key.secret) for key in live]

    def headers(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """The three headers of a message: `v1a` first, then `v1`, for each live key.

        Args:
            message_id: the same for each attempt.
            timestamp: of the attempt, seconds since 1970-01-01 UTC.
            body: exactly as sent.
        """
        content = f"{message_id}.{timestamp}.".encode() + body
        signatures = ["v1a," + base64.b64encode(key.sign(content)).decode() for key in self._private]
        at, text = datetime.fromtimestamp(timestamp, UTC), body.decode()
        signatures += [webhook.sign(message_id, at, text) for webhook in self._webhooks]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }


class SignatureError(RequestError):
    """A message is not what it says it is."""

    code = "bad_signature"


def verify(body: bytes, headers: Mapping[str, str], keys: Sequence[str], *, now: float) -> None:
    """Whether a message comes from who holds one of the keys, and is fresh.

    Args:
        body: exactly as received.
        headers: of the request, names in any case.
        keys: `whpk_...` public keys or `whsec_...` secrets; any one may have signed.
        now: seconds since 1970-01-01 UTC.

    Raises:
        SignatureError: a header is missing, the timestamp is further than five minutes away, or no signature fits.
    """
    found = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (found.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and timestamp and signatures):
        raise SignatureError("a webhook-id, webhook-timestamp or webhook-signature header is missing")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(int(timestamp) - now) > TOLERANCE_SECONDS:
        raise SignatureError(f"webhook-timestamp {timestamp[:40]!r} is not within {TOLERANCE_SECONDS} s of now")
    content = f"{message_id}.{timestamp}.".encode() + body
    for signature in signatures.split(" "):
        version, _, encoded = signature.partition(",")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if any(_fits(version, raw, content, key) for key in keys):
            return
    raise SignatureError("no signature fits")


def _fits(version: str, signature: bytes, content: bytes, key: str) -> bool:
    if version == "v1" and key.startswith(SECRET):
        secret = base64.b64decode(key.removeprefix(SECRET))
        return hmac.compare_digest(hmac.digest(secret, content, "sha256"), signature)
    if version == "v1a" and key.startswith(PUBLIC):
        try:
            public_key(key).verify(signature, content)
        except InvalidSignature:
            return False
        return True
    return False
