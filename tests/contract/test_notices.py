"""Notices are written part by part, so their layout is held against the schema here."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.standing.notices import Cause, NoticeWriter
from exchange.codec import Codec
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.notice import settle
from exchange.domain.record import Fact
from exchange.domain.response import ResponseRules
from exchange.parts import number, text
from exchange.paths import SCHEMAS
from tests.worlds import FIRM, SMALL, day, listing, registration

CODEC = Codec.from_files(SCHEMAS)
TODAY = day("2026-06-01")
BOOK = RuleBook(SMALL, TODAY)
RULES = ResponseRules(deadline=lambda start, days: (start + days, False))
CAUSE = Cause(
    "listing", "gd.tax", "粤税〔2026〕1号", "credit.in.gd.tax", 3, 12_345_678, 1_780_000_000_000, 1_780_000_000_123
)


def written(*facts: Fact, epoch: int = 2) -> list[dict[str, Any]]:
    """The notices that follow from facts about a firm, as a department decodes them; the bytes are the codec's own."""
    _, standing = fold_all(facts)
    settled, drafts = settle(standing, judge(standing, BOOK), BOOK, RULES, epoch=epoch)
    writer = NoticeWriter(CODEC.prefix("notice"), RULES.deadline, "p1")
    notices: list[dict[str, Any]] = []
    for raw in writer.write(FIRM, settled, drafts, CAUSE, epoch=epoch, issued_at=1_780_000_000_456):
        record_type, plain = CODEC.decode_plain(raw)
        assert record_type == "notice"
        assert CODEC.encode_plain("notice", plain) == raw
        notices.append(plain)
    return notices


def test_a_notice_says_what_the_schema_says() -> None:
    notices = written(
        registration("合成一号"), listing("TAX", "税1", grounds="1"), listing("SAFE", "安1", until="2027-01-01")
    )
    (bonds,) = [notice for notice in notices if notice["department"] == "gd.drc"]
    assert bonds["subject"] == FIRM
    assert bonds["subject_name"] == "合成一号"
    assert (bonds["epoch"], bonds["n"], bonds["policy_version"]) == (2, 1, "p1")
    assert (bonds["issued_at"], bonds["published_at"], bonds["received_at"]) == (
        1_780_000_000_456, 1_780_000_000_000, 1_780_000_000_123,
    )  # fmt: skip
    assert bonds["cause"] == {
        "type": "listing", "department": "gd.tax", "document": "粤税〔2026〕1号", "topic": "credit.in.gd.tax", "partition": 3,
        "offset": 12_345_678,
    }  # fmt: skip
    assert bonds["changes"] == [{"measure": "bond_review", "action": 0}]
    (measure,) = bonds["measures"]
    assert (measure["measure"], measure["respond_by"], measure["basis"]) == ("bond_review", TODAY + 5, "law")
    assert sorted((one["list_code"], one["document"], one["memorandum"]) for one in measure["listings"]) == [
        ("SAFE", "安1", "memo SAFE"), ("TAX", "税1", "memo TAX"),
    ]  # fmt: skip
    assert {one["until"] for one in measure["listings"]} == {day("2027-01-01"), day("2029-01-01")}
    assert {(one["subject"], one["role"], one["decided_on"]) for one in measure["listings"]} == {
        (FIRM, "", day("2026-01-01"))
    }


def test_departments_share_what_is_the_same_and_nothing_else() -> None:
    notices = written(listing("TAX", "税1"), listing("COURT", "执1", grounds="1"))
    by_department = {notice["department"]: notice for notice in notices}
    assert {"gd.fin", "gd.drc"} <= set(by_department)
    (procurement,) = by_department["gd.fin"]["measures"]
    assert len(procurement["listings"]) == 2
    assert len({notice["id"] for notice in notices}) == len(notices)


@given(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(codec="utf-8")))
def test_numbers_and_texts_are_written_as_the_codec_writes_them(value: int, words: str) -> None:
    change = {"subject": words, "epoch": value, "n": 0, "changed_at": 0, "listings": [], "measures": []}
    raw = CODEC.encode_plain("standing_change", change)
    expected = CODEC.prefix("standing_change") + text(words) + number(value)
    assert raw.startswith(expected)
