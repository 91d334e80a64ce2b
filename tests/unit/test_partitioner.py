import pytest

from exchange.partitioner import partition_of

MOST = 2**31 - 1
"""So many partitions tell nearly all that the hash says."""


@pytest.mark.parametrize(
    ("key", "signed"),
    [  # the Java client's own test vectors
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
@pytest.mark.parametrize("partitions", [1, 4, 7, MOST])
def test_murmur2_is_javas(key: str, signed: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (signed & 0x7FFFFFFF) % partitions
