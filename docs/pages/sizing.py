"""docs/sizing.md: what a city, a province and the nation need."""

from collections.abc import Callable

from deploy.sizing import COPIES, GROWTH, HEADROOM, MEASURED, REDIS_FACTOR, SCALES, Scale, Size, size

Sizes = list[tuple[Scale, Size]]
INTRODUCTION = f"""\
# Sizing 容量规划

Generated from `deploy/sizing.py` by `docs/generate.py`. Do not edit.

What a city, a province and the nation need, worked out of what one process of each kind was measured to do on a machine of two cores that
also ran every server ([README](../README.md), “Measured”). A plan, to be held against the metrics of the real bus once it runs:
`creditbus_lag_records` says whether there are enough processors, `creditbus_delivery_pending` whether there are enough dispatchers.

## What was measured 实测

| what one process did | figure | command |
|---|---|---|
| standing processor, records a second | {MEASURED.standing:,} | `creditbus bench throughput` |
| Redis, bytes a subject with five records | {MEASURED.bytes_per_subject:,} | `creditbus bench growth` |
| rebuild, records a second | {MEASURED.rebuild:,} | `creditbus bench growth` |
| dispatcher, deliveries a second | {MEASURED.dispatcher:,} | `creditbus bench delivery` |
| directory, records a second | {MEASURED.directory:,} | `creditbus bench directory` |
| archive, records a second | {MEASURED.archive:,} | `creditbus bench archive` |
| early-warning worker, records a second | {MEASURED.early_warning:,} | `creditbus bench early-warning` |
| portal, checks a second of a core | {MEASURED.checks_per_core:,} | `creditbus bench portal` |
| all topics, bytes a record of the synthetic province, one copy | {MEASURED.kafka_bytes_per_record:,} | `creditbus bench footprint` |
| notices a record of the synthetic province | {MEASURED.notices_per_record:g} | `creditbus bench footprint` |

## What is asked 规模

| | {" | ".join(f"{one.name}" for one in SCALES)} |
|---|{"---|" * len(SCALES)}
"""
RULES = f"""
## The rules 算法

- Of what a process did, {HEADROOM:.0%} is planned with: the rest is for what a production machine does beside it, and for a colleague that is down.
- Processors are enough for the burst. Partitions are {GROWTH} for each processor (of at least two), or twice what rebuilds a year's records
  within a day, up to a power of two: their number cannot change while a bus has data. No more processors than partitions have work.
- A rebuild is for the worst day: with a processor for each partition, on records each of which causes seven notices, which is what was measured.
- Redis holds all standings and records in memory: subjects × bytes × {REDIS_FACTOR} (fragmentation, and the pages that are copied while the append-only
  file is rewritten). Its limit (`maxmemory`) is three fifths of the pod's memory.
- Kafka keeps what was submitted for ever, in {COPIES} copies: the figure is what a year adds.
- Dispatchers and early-warning workers keep up with ten times the mean; in a burst they fall behind and catch up, which harms nobody: a
  notice that waits is replaced by its subject's newest.
- Directory, deadlines and archive are one process each and keep up with the burst by themselves up to the province.
- Never fewer than two of what may be several, on two machines: that is for failures, not for load.

## Where this stops 边界

- The figures are of a bus with one Redis and its replica: the province fits into one large machine, the nation does not. A Redis Cluster spreads partitions
  over masters and works, but was not measured at such a size. A nation is one bus for each province, with the national
  departments on a bus of their own.
- Brokers were never measured on a machine of their own. Three, with four cores each, are the least that survive the loss of one.
- The rebuild was measured before responses joined the standing; the standing processor's records mostly cause no notice.
"""


def page() -> str:
    """The page's text."""
    sizes = [(one, size(one)) for one in SCALES]
    asked = [
        _row("subjects 主体", sizes, lambda scale, _: f"{scale.subjects:,}"),
        _row("records a second, mean of a year 年均", sizes, lambda scale, _: f"{scale.mean_per_s:g}"),
        _row("records a second, burst 峰值", sizes, lambda scale, _: f"{scale.burst_per_s:,}"),
        _row("checks and pictures a second 查询", sizes, lambda scale, _: f"{scale.queries_per_s:,}"),
    ]
    heading = (
        f"\n## What is needed 所需\n\n| | {' | '.join(one.name for one in SCALES)} |\n|---|{'---|' * len(SCALES)}\n"
    )
    needed = [
        _row("partitions 分区", sizes, lambda _, found: f"{found.partitions}"),
        _row("standing processors 处理器, a core each", sizes, lambda _, found: f"{found.processors}"),
        _row("dispatchers 推送器", sizes, lambda _, found: f"{found.dispatchers}"),
        _row("early-warning workers 预警", sizes, lambda _, found: f"{found.early_warning}"),
        _row("portal, cores 门户", sizes, lambda _, found: f"{found.portal_cores}"),
        _row("Redis, memory for data (GiB) 内存", sizes, lambda _, found: f"{found.redis_gib:,.1f}"),
        _row("Kafka, disk a year, all copies (TiB) 磁盘", sizes, lambda _, found: f"{found.kafka_tib_a_year:,.2f}"),
        _row(
            "rebuild of a year's records, a processor for each partition (hours) 重建",
            sizes,
            lambda _, found: f"{found.rebuild_hours:,.1f}",
        ),
    ]
    return INTRODUCTION + "".join(asked) + heading + "".join(needed) + RULES


def _row(name: str, sizes: Sizes, shown: Callable[[Scale, Size], str]) -> str:
    return f"| {name} | {' | '.join(shown(*one) for one in sizes)} |\n"
