"""Part of a standing as it lies in Redis: what a judgement needs is unpacked, the rest (who was told what, answers) stays packed."""

import msgspec

from exchange.domain.record import Entry
from exchange.domain.standing import EMPTY, Standing


class _Part(msgspec.Struct, array_like=True):
    """A standing's fields in order; what follows the last is passed over."""

    counts: msgspec.Raw
    active: dict[str, msgspec.Raw]
    told: msgspec.Raw
    sent: msgspec.Raw
    delivered: msgspec.Raw
    answers: msgspec.Raw
    merged_into: str = ""
    as_of: int = 0
    due: int = 0
    updated_at: int = 0


_decode = msgspec.msgpack.Decoder(_Part).decode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_decode_counts = msgspec.msgpack.Decoder(dict[str, int]).decode


def unpack(raw: bytes | None) -> Standing:
    """The part of a packed standing that a check reads: `active` and `updated_at`; `EMPTY` where there is none.

    A registration alone obliges nobody, so entries are unpacked only where there are others.
    """
    if not raw:
        return EMPTY
    part = _decode(raw)
    return Standing({}, _active(part), {}, {}, {}, {}, part.merged_into, updated_at=part.updated_at)


def unpack_counted(raw: bytes) -> Standing:
    """The part that a simulation reads: `counts`, `active`, `merged_into` and `as_of`."""
    part = _decode(raw)
    counts = _decode_counts(part.counts)
    return Standing(counts, _active(part), {}, {}, {}, {}, part.merged_into, part.as_of)


def _active(part: _Part) -> dict[str, Entry]:
    for key in part.active:
        if not key.startswith("registration/"):
            return {one: _decode_entry(packed) for one, packed in part.active.items()}
    return {}
