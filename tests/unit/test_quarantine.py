"""What `creditbus verify` says of the quarantine, on a bus that was never moved and on one that was."""

import pytest

from consumers.standing.consumed import MOVED_FROM
from consumers.standing.decode import Rejected, rejection
from consumers.standing.quarantine import Quarantine
from consumers.standing.verdict import Verdict
from exchange.errors import Reason
from tests.archiving import Message

REASONS = (Reason(code="not_wire_format", rule="it is no record"),)
HERE, BEFORE, REJECTED = "credit2.in.gd.tax", "credit.in.gd.tax", "credit2.rejected.gd.tax"
MOVED = Message(HERE, b"?", 3, carried=[(MOVED_FROM, b"credit.in.gd.tax/0/8")])
NEW = Message(HERE, b"?", 4)


def differences(*made: Message, copied: tuple[Message, ...] = (), rejected: tuple[Message, ...]) -> list[str]:
    """Rejections of these messages in the quarantine, against what was rejected."""
    quarantine, verdict = Quarantine(), Verdict()
    for messages, headers in ((made, None), (copied, [(MOVED_FROM, b"credit.rejected.gd.tax/0/1")])):
        for one in messages:
            told = rejection(Rejected(one, "gd.tax", REASONS, -1), received_at=1)
            quarantine.add(Message(REJECTED, b"", carried=headers), told)
    quarantine.compare([Rejected(one, "gd.tax", REASONS, -1) for one in rejected], verdict)
    return verdict.examples


def test_each_is_there_once() -> None:
    assert differences(NEW, rejected=(NEW,)) == []


@pytest.mark.parametrize(
    ("made", "rejected", "found"),
    [
        ((), (NEW,), "is there 0 times"),
        ((NEW, NEW), (NEW,), "is there 2 times"),
        ((NEW,), (), "was not rejected"),
        ((Message(HERE, b"!", 4),), (NEW,), "has other bytes"),
    ],
)
def test_what_differs_is_found(made: tuple[Message, ...], rejected: tuple[Message, ...], found: str) -> None:
    (said,) = differences(*made, rejected=rejected)
    assert found in said


def test_a_moved_record_is_known_by_its_place_before() -> None:
    before = Message(BEFORE, b"?", 8)
    assert differences(copied=(before,), rejected=(MOVED,)) == []
    assert differences(copied=(before, Message(BEFORE, b"?", 9)), rejected=(MOVED,)) == [], "9 was left behind"
    (said,) = differences(MOVED, copied=(before,), rejected=(MOVED,))
    assert "is there 2 times" in said, "it was rejected again"
    (said,) = differences(copied=(Message(BEFORE, b"?", 9),), rejected=(MOVED,))
    assert "is there 0 times" in said


def test_a_departments_own_header_changes_nothing_where_nothing_was_moved() -> None:
    forged = Message(HERE, b"?", 5, carried=[(MOVED_FROM, b"credit2.in.gd.tax/0/4")])
    assert differences(NEW, forged, rejected=(NEW, forged)) == []
