"""The sizing guide's figures are those that README measured; more is asked, more is needed."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from deploy.sizing import HEADROOM, MEASURED, PROVINCE, SCALES, size

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_what_was_measured_stands_in_the_readme() -> None:
    figures = set(re.findall(r"[0-9][0-9,.]*[0-9]", README))
    named = (
        MEASURED.standing, MEASURED.bytes_per_subject, MEASURED.dispatcher, MEASURED.directory, MEASURED.archive,
        MEASURED.early_warning, MEASURED.checks_per_core, MEASURED.rebuild,
    )  # fmt: skip
    assert {f"{one:,}" for one in named} <= figures


def test_a_larger_scale_needs_no_less_of_anything() -> None:
    for small, large in pairwise(map(size, SCALES)):
        assert small.processors <= large.processors
        assert small.partitions <= large.partitions
        assert small.redis_gib < large.redis_gib
        assert small.kafka_tib_a_year < large.kafka_tib_a_year


def test_processors_keep_up_with_the_burst_and_have_partitions_to_share() -> None:
    for scale in SCALES:
        found = size(scale)
        assert found.processors * MEASURED.standing * HEADROOM >= scale.burst_per_s
        assert found.partitions >= 2 * found.processors
        assert found.partitions & (found.partitions - 1) == 0


def test_what_is_slower_or_has_more_to_do_needs_more() -> None:
    burst = replace(PROVINCE, burst_per_s=20 * PROVINCE.burst_per_s)
    assert size(burst).processors > size(PROVINCE).processors
    assert size(burst, replace(MEASURED, standing=MEASURED.standing // 2)).processors > size(burst).processors
