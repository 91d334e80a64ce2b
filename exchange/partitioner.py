"""Which partition a subject belongs to: the Java client's murmur2, so that every client agrees where a subject lives."""

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """Unsigned 32-bit murmur2 as in `org.apache.kafka.common.utils.Utils`.

    >>> hex(murmur2(b"21"))
    '0xc5f2f8ec'
    """
    length = len(data)
    h = 0x9747B28C ^ length
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def partition_of(subject: str, partitions: int) -> int:
    """The partition that holds everything about a subject."""
    return (murmur2(subject.encode()) & 0x7FFFFFFF) % partitions
