"""Seals of credit reports: a signature over the whole content for programs, and a short code for people, without anything kept.

The content is sealed as canonical JSON (RFC 8785 for the values that occur: sorted names, no blanks, UTF-8) with ed25519. The code
is an HMAC over who, when and what the report said at a glance, so that it can be checked from what stands on the paper alone.
"""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from exchange.bus_keys import BusKeys, trusts
from exchange.signatures import SigningKeys

_CODE_BYTES = 10
"""80 bits: 16 characters, beyond guessing over HTTP."""
_GROUP = 4


class Seal(NamedTuple):
    """A report's seal: key id and base64 signature over its content."""

    key_id: str
    signature: str


def canonical(content: Mapping[str, Any]) -> bytes:
    """The bytes that are signed.

    >>> canonical({"b": ["乙"], "a": 1}).decode()
    '{"a":1,"b":["乙"]}'
    """
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class ReportSeals:
    """Seals and checks reports of one bus.

    Args:
        keys: of the bus.
        bus: topic prefix.
    """

    def __init__(self, keys: SigningKeys, bus: str) -> None:
        self._master = keys
        self._purpose = f"credit report {bus}"
        self._keys = BusKeys(keys, self._purpose)
        self._sign = self._keys.signer()

    def public(self) -> dict[str, str]:
        """The public key (`whpk_...`) for each live master key, newest first."""
        return self._keys.public()

    def seal(self, content: Mapping[str, Any]) -> Seal:
        """The seal of a content."""
        return Seal(self._keys.key_id, base64.b64encode(self._sign(canonical(content))).decode())

    def is_sealed(self, content: Mapping[str, Any], seal: Seal) -> bool:
        """Whether a content is as it was sealed."""
        return is_sealed(content, seal, self.public().values())

    def code(self, subject: str, issued_at: str, overall: str) -> str:
        """The code for people, such as `K7QM-2D4X-...`."""
        return self._code(self._master.newest, subject, issued_at, overall)

    def said(self, subject: str, issued_at: str, code: str, answers: Iterable[str]) -> str | None:
        """What a report with this code said at a glance; None when no such report was issued.

        Args:
            subject: id.
            issued_at: as printed, ISO 8601 in UTC.
            code: as typed; blanks, hyphens and case do not matter.
            answers: all that a report can say.
        """
        typed = code.upper().replace("-", "").replace(" ", "")
        for key_id, _ in self._master.keys:
            for overall in answers:
                wanted = self._code(key_id, subject, issued_at, overall).replace("-", "")
                if hmac.compare_digest(wanted.encode(), typed.encode()):
                    return overall
        return None

    def _code(self, key_id: str, subject: str, issued_at: str, overall: str) -> str:
        key = self._master.derive(f"{self._purpose} code", key_id)
        digest = hmac.digest(key, f"{subject}\n{issued_at}\n{overall}".encode(), "sha256")
        text = base64.b32encode(digest[:_CODE_BYTES]).decode()
        return "-".join(text[place : place + _GROUP] for place in range(0, len(text), _GROUP))


def is_sealed(content: Mapping[str, Any], seal: Seal, public_texts: Iterable[str]) -> bool:
    """Whether a content is as it was sealed under one of these public keys (`whpk_...`); needs no secret and no network.

    Raises:
        RequestError: `bad_public_key`.
    """
    try:
        signature = base64.b64decode(seal.signature, validate=True)
    except ValueError:
        return False
    return trusts(public_texts)(canonical(content), signature)
