"""Keys that the bus signs what it states with: for each purpose one pair for each master key, found again by the master key's id."""

from collections.abc import Callable, Iterable

from cryptography.exceptions import InvalidSignature

from exchange.domain.ledger_check import IsSigned
from exchange.signatures import EndpointKey, SigningKeys, public_key, signing_key


class BusKeys:
    """Signs statements of one kind with the newest master key.

    Args:
        keys: of the bus.
        purpose: what is stated; each has keys of its own.
    """

    def __init__(self, keys: SigningKeys, purpose: str) -> None:
        self._keys = keys
        self._purpose = purpose

    @property
    def key_id(self) -> str:
        """Id of the master key that `sign` signs under."""
        return self._keys.newest

    def signer(self) -> Callable[[bytes], bytes]:
        """Signs a statement; the key is expanded once."""
        return signing_key(self._keys.derive(self._purpose)).sign

    def public(self) -> dict[str, str]:
        """The public key (`whpk_...`) for each live master key, newest first."""
        return {
            key_id: EndpointKey(secret=b"", seed=self._keys.derive(self._purpose, key_id)).public_text
            for key_id, _ in self._keys.keys
        }


class LedgerKeys(BusKeys):
    """Signs checkpoints of the ledger of one bus.

    Args:
        keys: of the bus.
        bus: topic prefix.
    """

    def __init__(self, keys: SigningKeys, bus: str) -> None:
        super().__init__(keys, f"ledger checkpoint {bus}")


def trusts(public_texts: Iterable[str]) -> IsSigned:
    """Whether a signature was made by one of these keys.

    Args:
        public_texts: `whpk_...`, of now and of before rotations.

    Raises:
        RequestError: `bad_public_key`.
    """
    keys = [public_key(text) for text in public_texts]

    def is_signed(statement: bytes, signature: bytes) -> bool:
        for key in keys:
            try:
                key.verify(signature, statement)
            except InvalidSignature:
                continue
            return True
        return False

    return is_signed
