"""Early warning in the demonstration: one firm is penalised again and again, and whoever must look into it is told."""

import time
from datetime import UTC, datetime

from consumers.standing.run import Parts
from deploy.demo.loop import Wait
from deploy.demo.seen import Seen
from exchange.clock import now_ms
from exchange.domain.calendar import day_of, to_date
from exchange.domain.synthetic import synthetic_uscc
from exchange.partitioner import partition_of
from exchange.settings import Settings
from producers.publisher import Publisher

ENFORCER = "gd.eco"
PENALTIES = 4
"""Within 90 days: from so many on the sign is yellow (schemas/policy/warnings.toml, PENALTY_BURST)."""
WARNED_WITHIN_SECONDS = 60.0
"""A worker that has just been started takes its tables over first."""


def be_warned(parts: Parts, settings: Settings, seen: Seen, wait: Wait) -> float:
    """Penalise a firm, and wait until its enforcer has the notice of the warning; seconds from the last penalty.

    Raises:
        RetryLaterError: `not_quiet`, from `wait`.
    """
    number = int(time.time()) % 90_000 + 9_001  # a firm that is nobody else's
    subject, today = f"org:{synthetic_uscc(number)}", day_of(now_ms())
    seen.doing = f"{ENFORCER} penalises a firm {PENALTIES} times; early warning sees it 监测预警"

    def is_told() -> bool:
        standing = parts.store.standing(partition_of(subject, settings.partitions), subject)
        told = standing.told.get(ENFORCER) if standing else None
        return told is not None and bool(told.measures)

    with Publisher(settings, ENFORCER, parts.codec, parts.catalogue) as publisher:
        for count in range(1, PENALTIES + 1):
            record = {
                "subject": subject, "subject_name": "合成演示预警有限公司", "document": f"粤环罚演示{number}-{count}号", "revision": 1,
                "decided_on": to_date(today - 10 * count), "published_at": datetime.now(UTC), "violation": "3", "division": "440100",
            }  # fmt: skip
            publisher.publish(record, "penalty").result(30)
    began = time.monotonic()
    wait(WARNED_WITHIN_SECONDS, is_told)
    return round(time.monotonic() - began, 2)
