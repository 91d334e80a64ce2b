"""Pseudonyms: a citizen ID becomes a subject id here, at the publisher, and goes no further.

HMAC-SHA-256 of the normalised ID under a key of the bus, 16 bytes of it, beside the name of the key. Whoever lacks the key
cannot tell whose it is, nor test guesses (a masked ID has but 33 candidates); whoever has it finds the same subject always.
"""

import hmac
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from exchange.domain.identity import SubjectId, check_citizen_id
from exchange.key_list import KeyList
from exchange.settings import Settings

DEVELOPMENT_KEY = "63726564697462757320646576656c6f706d656e74206f6e6c79"
"""Public, and so of no worth: only for the embedded stack, whose persons are synthetic."""
_KEYS = KeyList("person", "CREDITBUS_PERSON_KEYS", 16, DEVELOPMENT_KEY)


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
        return cls(keys=_KEYS.parse(text))


def load_person_keys(settings: Settings, *, embedded: bool) -> PersonKeys:
    """The keys of the settings; for the embedded stack a public development key where none is set.

    Args:
        settings: with `person_keys`.
        embedded: whether the bus is the embedded stack, on which no real person may be.

    Raises:
        FatalError: `no_person_keys`, `bad_person_keys`, or `development_key` outside the embedded stack.
    """
    return PersonKeys(keys=_KEYS.load(settings.person_keys.get_secret_value(), embedded=embedded))


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
