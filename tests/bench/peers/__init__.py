"""The other engines, in an environment of their own. Its confluent-kafka is older and has no `murmur2`, so it is given librdkafka's."""

import ctypes
from pathlib import Path

import confluent_kafka

if not hasattr(confluent_kafka, "murmur2"):
    _libraries = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    _murmur2 = ctypes.CDLL(str(next(_libraries.glob("librdkafka*")))).rd_kafka_msg_partitioner_murmur2
    _murmur2.argtypes = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_void_p,
    )

    def murmur2(key: bytes, partition_count: int) -> int:
        """The partition of a key."""
        return int(_murmur2(None, key, len(key), partition_count, None, None))

    confluent_kafka.murmur2 = murmur2
