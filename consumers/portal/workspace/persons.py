"""Persons in the texts of a record: shown by the pseudonym of the visitor's own audience, and taken back from it."""

import re
from dataclasses import replace

from exchange.domain.access import Visitor
from exchange.errors import Reason
from exchange.known_as import PREFIX, PortalKeys

_PERSON = re.compile(r"person:[^\s\"'，；]*")
_KNOWN = re.compile(rf"{PREFIX}[\w-]+")
NOBODY = f"{PREFIX}?"
"""In place of what should be a person and is none."""


class Persons:
    """Hides and finds persons for one visitor.

    Args:
        keys: of pseudonyms.
        visitor: who looks.
    """

    def __init__(self, keys: PortalKeys, visitor: Visitor) -> None:
        self._keys = keys
        self._visitor = visitor

    def known_as(self, subject: str) -> str:
        """How the visitor knows a subject; what only looks like a person's is nobody."""
        try:
            return self._keys.known_as(subject, self._visitor)
        except (ValueError, IndexError):
            return NOBODY

    def hide(self, text: str) -> str:
        """A text with the bus's own pseudonyms replaced by the visitor's."""
        return _PERSON.sub(lambda found: self.known_as(found[0]), text)

    def hide_value(self, reason: Reason) -> Reason:
        """A reason whose value names nobody by the bus's own pseudonym."""
        return replace(reason, value=self.hide(reason.value))

    def find(self, text: str) -> str:
        """A text with the visitor's pseudonyms replaced by the bus's own; others stay as they are."""

        def found(one: re.Match[str]) -> str:
            return str(self._keys.subject_of(one[0], self._visitor) or one[0])

        return _KNOWN.sub(found, text)
