"""A Faust codec for the bus's wire format: a zero byte, four bytes of schema id, Avro; ids of a registry server or of the file.

Departments' topics are read raw all the same: whether a record is accepted depends on its topic, key and headers too, which a
codec of Faust does not see, so `consumers.standing.decode` decodes them, as for the standing processor.
"""

from typing import Any, NamedTuple

from faust.serializers.codecs import Codec as FaustCodec

from exchange.codec import Codec


class Typed(NamedTuple):
    """A plain record with its type."""

    record_type: str
    value: dict[str, Any]


class WireFormat(FaustCodec):  # type: ignore[misc] # Faust's types are not checked here
    """`value_serializer` of a Faust topic whose values are `Typed`.

    Args:
        codec: of the bus.
        children: as Faust chains codecs.
    """

    def __init__(self, codec: Codec, children: tuple[FaustCodec, ...] = ()) -> None:
        super().__init__(children=children, codec=codec)
        self._codec = codec

    def _dumps(self, obj: Typed) -> bytes:
        return self._codec.encode_plain(*obj)

    def _loads(self, s: bytes) -> Typed:
        """A message's record.

        Raises:
            UndecodableError: as `Codec.decode_plain`; Faust makes it its ValueDecodeError.
        """
        return Typed(*self._codec.decode_plain(s))
