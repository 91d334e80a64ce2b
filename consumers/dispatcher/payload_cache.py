"""Bytes of the notices that wait for one endpoint, as far as there is room; others are read from Kafka again."""

from collections.abc import Container

from consumers.dispatcher.queue import Pointer


class PayloadCache:
    """One endpoint's share of memory, so that a dead endpoint's backlog takes none of another's.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._found: dict[str, tuple[int, bytes]] = {}

    def keep(self, pointer: Pointer, raw: bytes, *, needed: bool = False) -> None:
        """Remember a notice; one that is needed now also where there is no room."""
        self.forget(pointer.subject)
        if needed or self._size + len(raw) <= self._limit:
            self._found[pointer.subject] = pointer.offset, raw
            self._size += len(raw)

    def get(self, pointer: Pointer) -> bytes | None:
        """The bytes of exactly this notice."""
        found = self._found.get(pointer.subject)
        return found[1] if found is not None and found[0] == pointer.offset else None

    def forget(self, subject: str) -> None:
        """A subject's notice is delivered, or replaced."""
        found = self._found.pop(subject, None)
        if found is not None:
            self._size -= len(found[1])

    def retain(self, *subjects: Container[str]) -> None:
        """Forget all but these."""
        for gone in [one for one in self._found if not any(one in kept for kept in subjects)]:
            self.forget(gone)
