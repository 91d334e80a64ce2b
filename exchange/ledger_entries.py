"""Entries of the ledger as messages of its topic, and back."""

from collections.abc import Callable

from exchange.codec import Codec
from exchange.domain.ledger import Entry, Kind
from exchange.errors import FatalError, UndecodableError

ENTRY_TYPE = "ledger_entry"
_KINDS = tuple(Kind)
_POSITIONS = {kind: position for position, kind in enumerate(_KINDS)}


def entry_writer(codec: Codec) -> Callable[[Entry], bytes]:
    """A function that makes an entry's message."""
    fields, encode = Entry._fields, codec.encode_plain

    def write(entry: Entry) -> bytes:
        plain = dict(zip(fields, entry, strict=True))
        plain["kind"] = _POSITIONS[entry.kind]
        return encode(ENTRY_TYPE, plain)

    return write


def entry_reader(codec: Codec) -> Callable[[bytes], Entry]:
    """A function that reads an entry's message; it raises FatalError (`not_an_entry`) where there is something else."""
    fields, decode = Entry._fields, codec.decode_plain

    def read(raw: bytes) -> Entry:
        try:
            record_type, plain = decode(raw)
            if record_type == ENTRY_TYPE:
                plain["kind"] = _KINDS[plain["kind"]]
                return Entry._make(plain[name] for name in fields)
        except (UndecodableError, IndexError) as error:
            raise _foreign(str(error)) from error
        raise _foreign(f"it is a {record_type}")

    return read


def _foreign(what: str) -> FatalError:
    return FatalError(
        f"a message of the ledger's topic is no entry: {what}",
        code="not_an_entry",
        remedy="only the ledger may write its topic: check the ACLs",
    )
