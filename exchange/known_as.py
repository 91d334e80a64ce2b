"""Known as: under which pseudonym an audience (a department, the auditors) knows a person, and back again.

Each audience has its own, so that two cannot join what they know. The pseudonym is the bus's own, enciphered (AES-SIV, RFC 5297)
under a key that HMAC derives for the audience: the same person is always the same text, the portal reads it back without a table,
and nobody can make one up.
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from exchange.domain.access import Visitor
from exchange.domain.identity import SubjectId, is_person, parse_subject
from exchange.key_list import KeyList, Keys
from exchange.settings import Settings

DEVELOPMENT_KEY = "63726564697462757320706f7274616c20646576656c6f706d656e74206f6e6c79"
"""Public, and so of no worth: only for the embedded stack, whose persons are synthetic."""
PREFIX = "person-"
SHORT = len(PREFIX) + 10
"""So many characters of a pseudonym tell the persons of a page apart."""
_KEYS = KeyList("portal", "CREDITBUS_PORTAL_KEYS", 32, DEVELOPMENT_KEY)
_PERSON = "person:"
_HEX_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalKeys:
    """The portal's keys, newest first.

    Attributes:
        keys: (key id, secret) pairs; never shown.
    """

    keys: Keys = field(repr=False)

    def known_as(self, subject: str, visitor: Visitor) -> str:
        """How a visitor knows a subject: a person by his audience's pseudonym, any other by its subject id."""
        if not is_person(subject):
            return subject
        key_id, _, digest = subject.removeprefix(_PERSON).partition(".")
        text = _cipher(self.keys[0][1], _audience(visitor)).encrypt(bytes.fromhex(digest) + key_id.encode(), None)
        return PREFIX + base64.urlsafe_b64encode(text).decode().rstrip("=")

    def for_visitor(self, visitor: Visitor) -> Callable[[str], str]:
        """`known_as` for one visitor, as `project` takes it."""
        return lambda subject: self.known_as(subject, visitor)

    def subject_of(self, text: str, visitor: Visitor) -> SubjectId | None:
        """The subject that a visitor names: a pseudonym of his audience, made under any key, or a subject id that is no person's.

        None when it is neither: also for the bus's own pseudonym of a person, which no page shows.

        Raises:
            IdentityError: a subject id with a fault.
        """
        if not text.startswith(PREFIX):
            return None if is_person(text) else parse_subject(text)
        try:
            raw = base64.urlsafe_b64decode(text.removeprefix(PREFIX) + "==")
        except ValueError:
            return None
        for _, secret in self.keys:
            try:
                plain = _cipher(secret, _audience(visitor)).decrypt(raw, None)
            except (InvalidTag, ValueError):
                continue
            return SubjectId(f"{_PERSON}{plain[_HEX_DIGITS // 2 :].decode()}.{plain[: _HEX_DIGITS // 2].hex()}")
        return None


def load_portal_keys(settings: Settings, *, embedded: bool) -> PortalKeys:
    """The keys of the settings; for the embedded stack a public development key where none is set.

    Raises:
        FatalError: `no_portal_keys`, `bad_portal_keys`, or `development_key` outside the embedded stack.
    """
    return PortalKeys(keys=_KEYS.load(settings.portal_keys.get_secret_value(), embedded=embedded))


def _audience(visitor: Visitor) -> str:
    return visitor.department or visitor.role


@lru_cache(maxsize=256)
def _cipher(secret: bytes, audience: str) -> AESSIV:
    return AESSIV(hmac.digest(secret, f"person of {audience}".encode(), "sha256"))
