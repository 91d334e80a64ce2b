"""Every rule of the border, each with the reason it gives; and all reasons at once."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.portal.workspace.record_form import in_words
from exchange.codec import PREFIX_BYTES, Codec
from exchange.errors import Reason, RejectedError
from exchange.paths import SCHEMAS
from exchange.reasons import HOW, REASONS
from exchange.validation import MESSAGE_BYTES, compile_accept, validate

CODEC = Codec.from_files(SCHEMAS)
ALL = frozenset(CODEC.record_types)
TODAY = 20_700  # 2026-09-04
DEPARTMENT = "gd.tax"
CITIZEN = "440000190001010019"


def good(record_type: str = "listing", **changes: Any) -> dict[str, Any]:
    """A plain record without a fault, but for the changes."""
    path = max((SCHEMAS / "examples" / record_type).glob("*.hex"))
    plain = CODEC.decode_plain(bytes.fromhex(path.read_text("ascii")))[1]
    return plain | {"department": DEPARTMENT, "decided_on": 20_600, "published_at": 20_601 * 86_400_000} | changes


def check(record_type: str, value: dict[str, Any], **options: Any) -> tuple[Reason, ...]:
    return validate(
        record_type, value, **{"department": DEPARTMENT, "today": TODAY, "grants": ALL, "size": 500, **options}
    )


def fen(amount: int) -> bytes:
    return amount.to_bytes(16, "big", signed=True)


PERSON = "person:k1.5f1c0d9ab27e4c6f8a31d7e05b94c286"
ALIASES = [{"kind": 1, "code": "PDY00001X"}, {"kind": 9, "code": ""}, {"kind": 1, "code": "PDY000010"}]
OFFICERS = [{"person": PERSON, "role": 5}, {"person": "org:91440300PDY00001X3", "role": 0}]

BROKEN: tuple[tuple[str, dict[str, Any], list[tuple[str, str]]], ...] = (
    ("listing", {"subject": "org:91440300PDY00001X4"}, [("uscc_check_digit", "subject")]),
    ("listing", {"subject": "org:91350100M000100Y4Z"}, [("uscc_alphabet", "subject")]),
    ("listing", {"subject": "org:91440300100001686X"}, [("organisation_code_check_digit", "subject")]),
    ("listing", {"subject": "orgcode:pdy00001-x"}, [("subject_form", "subject")]),
    ("listing", {"subject": "91440300PDY00001X3"}, [("subject_kind", "subject")]),
    ("listing", {"subject": "reg:440301103032184"}, [("registration_number_check_digit", "subject")]),
    ("listing", {"subject": "person:440000190001010019"}, [("citizen_id_in_clear", "subject")]),
    ("listing", {"subject": f"org:{CITIZEN}"}, [("citizen_id_in_clear", "subject")]),
    ("listing", {"subject_name": "甲\x00乙"}, [("control_characters", "subject_name")]),
    ("listing", {"subject_name": "甲\u200b乙"}, [("control_characters", "subject_name")]),
    ("listing", {"subject_name": "甲" * 4097}, [("field_too_long", "subject_name")]),
    ("listing", {"subject_name": f"甲{CITIZEN}"}, [("citizen_id_in_clear", "subject_name")]),
    ("listing", {"department": "gd.amr"}, [("wrong_department", "department")]),
    ("listing", {"document": ""}, [("empty_field", "document")]),
    ("listing", {"document": "号" * 129}, [("field_too_long", "document")]),
    ("listing", {"document": "粤\n1"}, [("control_characters", "document")]),
    ("listing", {"document": " 粤1"}, [("surrounding_blanks", "document")]),
    ("listing", {"document": f"号{CITIZEN}号"}, [("citizen_id_in_clear", "document")]),
    ("listing", {"document": "４４００００１９０００１０１００１９"}, [("citizen_id_in_clear", "document")]),
    ("listing", {"document": "440000900101001"}, [("citizen_id_in_clear", "document")]),
    ("listing", {"revision": 0}, [("number_out_of_range", "revision")]),
    ("listing", {"revision": 2**31}, [("number_out_of_range", "revision")]),
    ("listing", {"decided_on": -7398}, [("date_out_of_range", "decided_on")]),
    ("listing", {"decided_on": TODAY + 2}, [("date_out_of_range", "decided_on")]),
    ("listing", {"published_at": 0}, [("published_at_out_of_range", "published_at")]),
    ("listing", {"published_at": (TODAY + 2) * 86_400_000}, [("published_at_out_of_range", "published_at")]),
    ("listing", {"classification": 1}, [("classified", "classification")]),
    ("listing", {"classification": 7}, [("unknown_symbol", "classification")]),
    ("listing", {"division": "4403"}, [("bad_division", "division")]),
    ("listing", {"division": "990300"}, [("bad_division", "division")]),
    ("listing", {"list_code": ""}, [("bad_list_code", "list_code")]),
    ("listing", {"list_code": "tax"}, [("bad_list_code", "list_code")]),
    ("listing", {"term_months": 1201}, [("number_out_of_range", "term_months")]),
    ("listing", {"until": 2_932_897}, [("date_out_of_range", "until")]),
    ("listing", {"performed_on": TODAY + 2}, [("date_out_of_range", "performed_on")]),
    ("listing", {"circumstances": "字" * 4097}, [("field_too_long", "circumstances")]),
    ("listing_extension", {"extend_months": 0}, [("number_out_of_range", "extend_months")]),
    ("listing_extension", {"target_document": ""}, [("empty_field", "target_document")]),
    ("withdrawal", {"target_type": "notice"}, [("unknown_target_type", "target_type")]),
    ("withdrawal", {"target_department": "GD TAX"}, [("bad_department", "target_department")]),
    ("withdrawal", {"reason": 3}, [("unknown_symbol", "reason")]),
    ("repair", {"corrected_on": TODAY + 2}, [("date_out_of_range", "corrected_on")]),
    ("penalty", {"fine_yuan": fen(-1)}, [("negative_amount", "fine_yuan")]),
    ("penalty", {"fine_yuan": fen(10**20)}, [("amount_out_of_range", "fine_yuan")]),
    ("penalty", {"fine_yuan": b""}, [("amount_out_of_range", "fine_yuan")]),
    ("penalty", {"fine_yuan": b"\0" * 17}, [("amount_out_of_range", "fine_yuan")]),
    ("penalty", {"categories": ["罚"] * 257}, [("too_many_items", "categories")]),
    ("penalty", {"categories": ["罚", "款" * 4097]}, [("field_too_long", "categories[1]")]),
    ("penalty", {"legal_representative": "甲某"}, [("not_a_person", "legal_representative")]),
    ("penalty", {"legal_representative": "person:k1.xyz"}, [("person_shape", "legal_representative")]),
    ("penalty", {"identity_document_type": CITIZEN}, [("citizen_id_in_clear", "identity_document_type")]),
    ("registration", {"aliases": ALIASES}, [("unknown_symbol", "aliases[1].kind"), ("organisation_code_check_digit", "aliases[2].code")]),
    ("registration", {"officers": OFFICERS}, [("unknown_symbol", "officers[0].role"), ("not_a_person", "officers[1].person")]),
    ("registration", {"officers": OFFICERS[:1] * 257}, [("too_many_items", "officers"), *[("unknown_symbol", f"officers[{n}].role") for n in range(256)]]),
    ("registration", {"established_on": -62_092}, [("date_out_of_range", "established_on")]),
    ("annual_report", {"year": 2027}, [("number_out_of_range", "year")]),
    ("annual_report", {"employees": -2}, [("number_out_of_range", "employees")]),
    ("rating", {"grade": ""}, [("empty_field", "grade")]),
    ("measure_feedback", {"measure": ""}, [("empty_field", "measure")]),
    ("delivery_receipt", {"delivered_at": 5}, [("date_out_of_range", "delivered_at")]),
)  # fmt: skip


@pytest.mark.parametrize(
    "record_type",
    sorted(
        ALL
        - {
            "notice",
            "rejection",
            "standing_change",
            "internal_message",
            "ledger_entry",
            "access_entry",
            "window_part",
            "window_count",
        }
    ),
)
def test_good_records_have_no_reason(record_type: str) -> None:
    for size in (0, 500, MESSAGE_BYTES):
        assert check(record_type, good(record_type), size=size, thorough=True) == ()
    assert accepted(record_type, good(record_type)) == tuple(good(record_type).values())


def accepted(record_type: str, value: dict[str, Any]) -> tuple[Any, ...] | None:
    """What is taken in at first sight."""
    accept = compile_accept(record_type, PREFIX_BYTES)
    assert accept is not None
    return accept(CODEC.encode_plain(record_type, value), DEPARTMENT, TODAY)


@pytest.mark.parametrize(("record_type", "changes", "expected"), BROKEN, ids=[f"{b[0]}-{b[2][0][0]}-{n}" for n, b in enumerate(BROKEN)])  # fmt: skip
def test_each_broken_rule_has_its_reason(
    record_type: str, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    raw = CODEC.encode_plain(record_type, good(record_type, **changes))
    for size in (0, len(raw)):  # a small message and one of unknown size go different ways
        reasons = check(record_type, CODEC.decode_plain(raw)[1], size=size)
        assert [(reason.code, reason.field) for reason in reasons] == expected
        assert all(reason.rule for reason in reasons)
        assert CITIZEN not in str(reasons)
    assert accepted(record_type, good(record_type, **changes)) is None


GOOD_EDGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("listing", {"subject_name": "甲\u3000乙"}),
    ("listing", {"subject_name": ""}),
    ("listing", {"document": "号" * 128}),
    ("listing", {"document": "a b"}),
    ("listing", {"document": "440301103097413"}),  # fifteen digits, a registration number
    ("listing", {"document": "440000190001010018"}),  # eighteen digits, wrong check digit
    ("listing", {"document": "4400001900010100190"}),  # nineteen
    ("listing", {"decided_on": -7397}),
    ("listing", {"decided_on": TODAY + 1}),
    ("listing", {"circumstances": "字" * 4096}),
    ("listing", {"circumstances": "字" * 4000, "basis": "字" * 4000}),
    ("listing", {"revision": 2**31 - 1, "term_months": 1200, "until": 2_932_896}),
    ("listing", {"division": ""}),
    ("listing", {"division": "100000"}),
    ("listing", {"list_code": "SER-AMR"}),
    ("penalty", {"fine_yuan": fen(10**20 - 1)}),
    ("penalty", {"fine_yuan": b"\0"}),
    ("penalty", {"categories": ["罚"] * 256}),
    ("rating", {"points": b"\x25\xe4"}),
    ("annual_report", {"year": 2026}),
    ("repair", {"target_department": "gz.hrss", "corrected_on": TODAY + 1}),
)


@pytest.mark.parametrize(("record_type", "changes"), GOOD_EDGES)
def test_what_is_just_allowed_is_allowed(record_type: str, changes: dict[str, Any]) -> None:
    raw = CODEC.encode_plain(record_type, good(record_type, **changes))
    for size in (0, len(raw)):
        assert check(record_type, CODEC.decode_plain(raw)[1], size=size, thorough=True) == ()
    assert accepted(record_type, good(record_type, **changes)) in (None, tuple(CODEC.decode_plain(raw)[1].values()))


def test_all_reasons_are_given_at_once() -> None:
    value = good(subject="org:1", document="", revision=-1, classification=1, list_code="?", until=10**7)
    reasons = check("listing", value, grants=frozenset(), size=MESSAGE_BYTES + 1)
    assert {reason.code for reason in reasons} == {
        "type_not_granted", "uscc_length", "empty_field", "number_out_of_range", "classified", "bad_list_code",
        "date_out_of_range", "message_too_large",
    }  # fmt: skip


def test_a_good_record_of_a_type_that_is_not_granted_is_refused() -> None:
    (reason,) = check("listing", good(), grants=frozenset({"penalty"}))
    assert (reason.code, reason.value) == ("type_not_granted", "listing")


@pytest.mark.parametrize(
    "record_type",
    [
        "notice",
        "rejection",
        "standing_change",
        "internal_message",
        "ledger_entry",
        "access_entry",
        "window_part",
        "window_count",
        "nonsense",
    ],
)
def test_records_of_the_bus_are_not_taken_from_departments(record_type: str) -> None:
    (reason,) = check(record_type, {}, grants=ALL | {record_type})
    assert reason.code == "not_an_input_record"


def test_only_a_thorough_look_searches_free_text() -> None:
    value = good(circumstances=f"当事人{CITIZEN}承认")
    assert check("listing", value) == ()
    (reason,) = check("listing", value, thorough=True)
    assert (reason.code, reason.field, reason.value) == ("citizen_id_in_clear", "circumstances", "")


def test_the_publisher_is_told_what_is_wrong_with_a_value() -> None:
    shown = json.loads((SCHEMAS / "examples/penalty/fine.json").read_text("utf-8"))
    with pytest.raises(RejectedError) as refused:
        CODEC.encode("penalty", {**shown, "fine_yuan": 2.5, "surprise": 1, "revision": True})
    found = {(reason.code, reason.field) for reason in refused.value.reasons}
    assert {("wrong_type", "fine_yuan"), ("unknown_field", "surprise"), ("wrong_type", "revision")} <= found


def coded(path: Path) -> Iterator[str]:
    """Every reason code that a module can give: `Reason(code="…")` and the like."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
            if called in ("Reason", "_because", "_refuse", "_undecodable", "IdentityError"):
                yield from (one.value for one in first if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_reason_is_documented() -> None:
    exchange = SCHEMAS.parent / "exchange"
    modules = [exchange / f"{name}.py" for name in ("codec", "plain", "plain_reader", "json_form", "faults", "field_rules", "validation")]  # fmt: skip
    modules += [exchange / "domain" / "identity.py", exchange / "domain" / "uscc.py"]
    modules += [SCHEMAS.parent / "consumers" / "standing" / "decode.py"]
    given = {code for path in modules for code in coded(path)}
    assert given - set(REASONS) - {"alias_kind"} == set()
    assert all(meaning.zh and meaning.en for meaning in REASONS.values())


def test_every_reason_says_in_chinese_what_to_do() -> None:
    assert set(HOW) == set(REASONS)
    for code in REASONS:
        zh = in_words(Reason(code=code, rule="some rule in English")).zh
        assert zh == f"{REASONS[code].zh}：{HOW[code]}"
        words = set(re.findall("[A-Za-z]{3,}", zh)) - {
            "JSON",
            "UTF",
            "Base",
            "MiB",
            "org",
            "reg",
            "orgcode",
            "tax",
            "inst",
            "soc",
            "person",
            "series",
        }
        assert not words, f"{code} in Chinese has {words}"
