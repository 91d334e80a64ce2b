"""Lists of secret keys in the settings, newest first, each with its id so that it can be rotated: `k2:<hex>,k1:<hex>`."""

import re
from typing import NamedTuple

from exchange.errors import FatalError

_KEY = re.compile(r"([a-z0-9]{1,16}):([0-9a-fA-F]+)")
_DEVELOPMENT_ID = "dev"

Keys = tuple[tuple[str, bytes], ...]
"""(key id, secret) pairs."""


class KeyList(NamedTuple):
    """One such setting.

    noun: what its keys are for, as in "person". variable: of the environment. development: hex of a public key, of no worth, for the
    embedded stack only, where none is set.
    """

    noun: str
    variable: str
    min_bytes: int
    development: str

    def parse(self, text: str) -> Keys:
        """The keys of a setting.

        Raises:
            FatalError: `no_<noun>_keys` or `bad_<noun>_keys`; the secrets are not repeated.
        """
        keys: dict[str, bytes] = {}
        for number, part in enumerate(filter(None, re.split(r"[,\s]+", text)), 1):
            found = _KEY.fullmatch(part)
            if not found or len(found[2]) % 2 or len(found[2]) < 2 * self.min_bytes or found[1] in keys:
                raise FatalError(
                    f"{self.noun} key {number} is not a new <key id>:<hex of at least {self.min_bytes} bytes>",
                    code=f"bad_{self.noun}_keys",
                    remedy=self._remedy(),
                )
            keys[found[1]] = bytes.fromhex(found[2])
        if not keys:
            raise FatalError(f"no {self.noun} key is set", code=f"no_{self.noun}_keys", remedy=self._remedy())
        return tuple(keys.items())

    def load(self, text: str, *, embedded: bool) -> Keys:
        """The keys of a setting; for the embedded stack the public development key where none is set.

        Raises:
            FatalError: as `parse`, or `development_key` outside the embedded stack.
        """
        keys = self.parse(text or f"{_DEVELOPMENT_ID}:{self.development}" if embedded else text)
        if not embedded and any(key == bytes.fromhex(self.development) for _, key in keys):
            raise FatalError("the development key is public", code="development_key", remedy=self._remedy())
        return keys

    def _remedy(self) -> str:
        return f'set {self.variable} to "<key id>:<hex>", the newest first; make one with: openssl rand -hex 32'
