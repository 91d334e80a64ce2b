"""Which partition a subject belongs to: the Java client's murmur2, as librdkafka has it, so that every client agrees where a subject lives."""

from confluent_kafka import murmur2


def partition_of(subject: str, partitions: int) -> int:
    """The partition that holds everything about a subject.

    >>> partition_of("org:91440300PDY00001X3", 4)
    3
    """
    return murmur2(subject.encode(), partitions)
