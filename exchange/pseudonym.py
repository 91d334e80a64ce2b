"""Pseudonyms: a citizen ID becomes a subject id here, at the publisher, and goes no further.

HMAC-SHA-256 of the normalised ID under a key of the bus, 16 bytes of it, beside the name of the key. Whoever lacks the key
cannot tell whose it is, nor test guesses (a masked ID has but 33 candidates); whoever has it finds the same subject always.
"""

import hmac
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from exchange.domain.identity import SubjectId, check_citizen_id
from exchange.errors import FatalError
from exchange.settings import Settings

DEVELOPMENT_KEY_ID = "dev"
DEVELOPMENT_KEY = "63726564697462757320646576656c6f706d656e74206f6e6c79"
"""Public, and so of no worth: only for the embedded stack, whose persons are synthetic."""

MIN_KEY_BYTES = 16
_KEY = re.compile(r"([a-z0-9]{1,16}):([0-9a-fA-F]+)")
_REMEDY = 'set CREDITBUS_PERSON_KEYS to "<key id>:<hex>", the newest first; make one with: openssl rand -hex 32'


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKeys:
    """The bus keys that persons are known by, newest first.

    Attributes:
        keys: (key id, secret) pairs; never shown.
    """

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Keys from `k2:<hex>,k1:<hex>`.

        Raises:
            FatalError: `no_person_keys` or `bad_person_keys`; the secrets are not repeated.
        """
        keys: dict[str, bytes] = {}
        for number, part in enumerate(filter(None, re.split(r"[,\s]+", text)), 1):
            found = _KEY.fullmatch(part)
            if not found or len(found[2]) % 2 or len(found[2]) < 2 * MIN_KEY_BYTES or found[1] in keys:
                raise FatalError(
                    f"person key {number} is not a new <key id>:<hex of at least {MIN_KEY_BYTES} bytes>",
                    code="bad_person_keys",
                    remedy=_REMEDY,
                )
            keys[found[1]] = bytes.fromhex(found[2])
        if not keys:
            raise FatalError("no key for persons is set", code="no_person_keys", remedy=_REMEDY)
        return cls(keys=tuple(keys.items()))


def load_person_keys(settings: Settings, *, embedded: bool) -> PersonKeys:
    """The keys of the settings; for the embedded stack a public development key where none is set.

    Args:
        settings: with `person_keys`.
        embedded: whether the bus is the embedded stack, on which no real person may be.

    Raises:
        FatalError: `no_person_keys`, `bad_person_keys`, or `development_key` outside the embedded stack.
    """
    text = settings.person_keys.get_secret_value()
    if not text and embedded:
        text = f"{DEVELOPMENT_KEY_ID}:{DEVELOPMENT_KEY}"
    keys = PersonKeys.parse(text)
    if not embedded and any(key == bytes.fromhex(DEVELOPMENT_KEY) for _, key in keys.keys):
        raise FatalError("the development key is public", code="development_key", remedy=_REMEDY)
    return keys


def person_subject(citizen_id: str, keys: PersonKeys, today: date | None = None) -> SubjectId:
    """The subject of a citizen ID under the newest key, however the ID is written (15 digits of before 1999 too).

    Raises:
        IdentityError: the ID is not valid; the error does not repeat it.
    """
    return person_subjects(citizen_id, keys, today)[0]


def person_subjects(citizen_id: str, keys: PersonKeys, today: date | None = None) -> tuple[SubjectId, ...]:
    """The subjects that a citizen ID has under every key, newest first: look a person up by all of them after a rotation.

    Raises:
        IdentityError: the ID is not valid; the error does not repeat it.
    """
    code = check_citizen_id(citizen_id, today).encode()
    return tuple(
        SubjectId(f"person:{key_id}.{hmac.digest(secret, code, 'sha256')[:16].hex()}") for key_id, secret in keys.keys
    )
