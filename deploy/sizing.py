"""How much a bus needs: worked out of what was measured on two cores (README) and of what China's registers are like (facts of the field)."""

from dataclasses import dataclass
from math import ceil

DAY_SECONDS = 86_400
YEAR_SECONDS = 365 * DAY_SECONDS
GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What is asked of a bus.

    Attributes:
        name: of the scale.
        subjects: organisations with a standing.
        mean_per_s: records a second, over a year.
        burst_per_s: records a second that are to be kept up with: office hours and bulk uploads.
        queries_per_s: checks and pictures at the portal.
    """

    name: str
    subjects: int
    mean_per_s: float
    burst_per_s: int
    queries_per_s: int


CITY = Scale(name="city", subjects=1_000_000, mean_per_s=2.5, burst_per_s=500, queries_per_s=20)
PROVINCE = Scale(name="province", subjects=20_000_000, mean_per_s=52, burst_per_s=5_000, queries_per_s=200)
NATION = Scale(name="nation", subjects=190_000_000, mean_per_s=515, burst_per_s=50_000, queries_per_s=2_000)
SCALES = (CITY, PROVINCE, NATION)
"""Guangdong has some 20 M subjects of China's 188 M and 21 cities; the national platform grew by 515 records a second (2018 to 2019).
Bursts are a hundred times the mean, a city's two hundred times: court and tax lists come in bulk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one process did, as README's table has it: the commands are there. Rates are a second, of one process."""

    standing: int = 7_176
    bytes_per_subject: int = 652
    dispatcher: int = 1_856
    notices_per_record: float = 0.3
    kafka_bytes_per_record: int = 364
    directory: int = 13_411
    archive: int = 56_199
    early_warning: int = 1_122
    checks_per_core: int = 2_730
    rebuild: int = 2_485


MEASURED = Measured()
HEADROOM = 0.5
"""A process is planned for half of what it did: the other half is for what a production machine does beside it."""
GROWTH = 4
"""The number of partitions stays: there are so many for each processor of today, and twice what rebuilds a year in a day."""
REDIS_FACTOR = 1.6
"""Over the data: fragmentation, buffers, and the pages that are copied while the append-only file is rewritten."""
COPIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a scale needs.

    Attributes:
        processors: of standings, each with a core.
        partitions: of every topic.
        dispatchers: that keep up with the notices of ten times the mean.
        early_warning: workers that keep up with ten times the mean.
        portal_cores: for the queries.
        redis_gib: memory of the one primary.
        kafka_tib_a_year: of all brokers together, all copies.
        rebuild_hours: to replay a year's records, by a processor for each partition.
    """

    processors: int
    partitions: int
    dispatchers: int
    early_warning: int
    portal_cores: int
    redis_gib: float
    kafka_tib_a_year: float
    rebuild_hours: float


def size(scale: Scale, measured: Measured = MEASURED) -> Size:
    """What a scale needs.

    Args:
        scale: which.
        measured: what one process does.
    """

    def many(rate: float, of_one: float) -> int:
        return max(1, ceil(rate / (of_one * HEADROOM)))

    processors = many(scale.burst_per_s, measured.standing)
    records = scale.mean_per_s * YEAR_SECONDS
    within_a_day = ceil(records / (measured.rebuild * DAY_SECONDS))
    partitions = _power_of_two(max(max(2, processors) * GROWTH, 2 * within_a_day))
    return Size(
        processors=processors,
        partitions=partitions,
        dispatchers=many(10 * scale.mean_per_s * measured.notices_per_record, measured.dispatcher),
        early_warning=many(10 * scale.mean_per_s, measured.early_warning),
        portal_cores=many(scale.queries_per_s, measured.checks_per_core),
        redis_gib=scale.subjects * measured.bytes_per_subject * REDIS_FACTOR / GIBIBYTE,
        kafka_tib_a_year=records * measured.kafka_bytes_per_record * COPIES / 2**40,
        rebuild_hours=records / (measured.rebuild * partitions) / 3600,
    )


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
