"""Which files of tests go first: those that take longest, so that no process of `make test` idles while another ends.

pytest-xdist hands files out in the order of collection; what is long and comes last is waited for by every other process.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

LONGEST = (
    "faults/test_kills.py",
    "integration/test_stack_life.py",
    "faults/test_directory_faults.py",
    "faults/test_ledger_faults.py",
    "browser/test_people.py",
    "e2e/test_demo.py",
    "integration/test_publish_command.py",
    "faults/test_servers.py",
    "faults/test_early_warning_faults.py",
    "browser/test_public.py",
    "faults/test_archive_faults.py",
    "integration/test_dispatcher.py",
    "faults/test_dispatcher.py",
    "faults/test_portal.py",
    "faults/test_risk_faults.py",
    "faults/test_repartition.py",
    "integration/test_publisher.py",
    "faults/test_bad_input.py",
    "faults/test_campaign.py",
    "faults/test_transactions.py",
    "e2e/test_ask_commands.py",
    "e2e/test_responses.py",
)
"""Files of a minute and more, longest first, as `make test` with `--junitxml` measured them; the order alone matters."""

_ROOT = Path(__file__).parent
_PLACES = {_ROOT / name: place for place, name in enumerate(LONGEST)}


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests, those of the longest files first and the others in the order that they have."""
    return sorted(items, key=lambda item: _PLACES.get(item.path, len(LONGEST)))
