"""Malformed messages of every kind, from a seed: what a broken or hostile department might put on its topic."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from exchange.codec import Codec
from exchange.domain.synthetic import synthetic_citizen_id, synthetic_uscc

DEPARTMENT = "gd.tax"
PREFIX_BYTES = 5
ANY_OF_BYTES = frozenset({"truncated", "undecodable", "trailing_bytes"})
FAR = 100_000
"""A day in the year 2243."""
BAD_SUBJECTS = {
    "org:914403001922038217": "uscc_check_digit",
    "org:91350100M000100Y4Z": "uscc_alphabet",
    "org:91440300100001686X": "organisation_code_check_digit",
    "org:Q1440300PDY00001X3": "uscc_category",
    "org:91990300PDY00001X3": "uscc_division",
    "org:91440300pdy00001x3": "uscc_alphabet",
    "org:9144": "uscc_length",
    "org: 91440300PDY00001X3": "uscc_length",
    "orgcode:PDY000019": "organisation_code_check_digit",
    "reg:440301103032184": "registration_number_check_digit",
    "reg:123": "registration_number_shape",
    "inst:1": "certificate_shape",
    "person:440000190001010019": "citizen_id_in_clear",
    "firm:x": "subject_kind",
    "": "subject_kind",
}


class Malformed(NamedTuple):
    """A message that must be rejected: for all of `codes`, or at least for one of `any_of`."""

    kind: str
    key: bytes | None
    raw: bytes | None
    codes: frozenset[str]
    any_of: frozenset[str] = frozenset()
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def is_classified(self) -> bool:
        """Whether nothing of it may be kept."""
        return "classified" in self.codes


Make = Callable[[random.Random, dict[str, Any]], Malformed]


class Generator:
    """Makes malformed messages out of good plain listings.

    Args:
        codec: of the schemas.
        today: days since 1970-01-01.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, codec: Codec, today: int, now: int) -> None:
        self._codec = codec
        self._today = today
        self._now = now
        self.kinds: dict[str, Make] = dict(self._kinds())

    def good(self, rnd: random.Random, number: int) -> dict[str, Any]:
        """A good plain listing; each number has a document of its own."""
        return {
            "subject": f"org:{synthetic_uscc(rnd.randint(1, 400))}", "subject_name": "合成单位", "department": DEPARTMENT,
            "document": f"粤税稽罚〔2026〕{number}号", "revision": 1, "decided_on": self._today - rnd.randint(0, 300),
            "published_at": self._now, "classification": 0, "division": "440300", "list_code": "TAX", "grounds": "1",
            "circumstances": "", "term_months": 0, "until": None, "serious": True, "basis": "", "performed_on": None,
            "sector": "", "legal_representative_name": "", "authority": "", "remark": "",
        }  # fmt: skip

    def encode(self, value: Mapping[str, Any], record_type: str = "listing") -> bytes:
        """The message of a plain record, whatever is in it."""
        return self._codec.encode_plain(record_type, value)

    def stream(self, seed: int, count: int) -> Iterator[Malformed]:
        """So many messages, each kind in turn."""
        rnd = random.Random(seed)
        names = list(self.kinds)
        for number in range(count):
            yield self.kinds[names[number % len(names)]](rnd, self.good(rnd, 1_000_000 + number))

    # One function for each kind of fault.

    def _kinds(self) -> Iterator[tuple[str, Make]]:
        for name, change, *codes in (
            ("wrong_department", {"department": "gd.court"}, "wrong_department"),
            ("no_department", {"department": ""}, "wrong_department"),
            ("decided_in_far_future", {"decided_on": FAR}, "date_out_of_range"),
            ("decided_in_antiquity", {"decided_on": -700_000}, "date_out_of_range"),
            ("decided_at_the_end_of_ints", {"decided_on": -(2**31)}, "date_out_of_range"),
            ("published_in_1970", {"published_at": 0}, "published_at_out_of_range"),
            ("published_in_far_future", {"published_at": 2**62}, "published_at_out_of_range"),
            ("performed_tomorrow_week", {"performed_on": self._today + 7}, "date_out_of_range"),
            ("until_beyond_the_calendar", {"until": 2**30}, "date_out_of_range"),
            ("negative_revision", {"revision": -1}, "number_out_of_range"),
            ("huge_revision", {"revision": 2**63 - 1}, "number_out_of_range"),
            ("negative_term", {"term_months": -3}, "number_out_of_range"),
            ("empty_document", {"document": ""}, "empty_field"),
            ("blanks_round_document", {"document": " 粤税〔2026〕1号 "}, "surrounding_blanks"),
            ("control_characters", {"document": "粤税\x00〔2026〕\x071号"}, "control_characters"),
            ("invisible_in_name", {"subject_name": "合成\u202e单位"}, "control_characters"),
            ("long_document", {"document": "号" * 129}, "field_too_long"),
            ("bad_division", {"division": "99ab"}, "bad_division"),
            ("bad_list_code", {"list_code": "tax list"}, "bad_list_code"),
            ("not_the_authority", {"list_code": "COURT"}, "not_the_authority"),
            ("classification_beyond_symbols", {"classification": 7}, "unknown_symbol"),
            ("classified_in_record", {"classification": 1}, "classified"),
            ("many_faults", {
                "subject": "org:914403001922038217", "revision": 0, "document": "", "division": "x", "decided_on": FAR,
                "department": "gd.amr",
            }, "uscc_check_digit", "number_out_of_range", "empty_field", "bad_division", "date_out_of_range",
            "wrong_department"),
        ):  # fmt: skip
            yield str(name), self._changing(str(name), dict(change), frozenset(map(str, codes)))
        for subject, code in BAD_SUBJECTS.items():
            name = f"subject {subject}"
            yield name, self._changing(name, {"subject": subject}, frozenset({code}))
        for method in (
            self._truncated, self._header_only, self._wrong_magic, self._unknown_schema, self._other_schema, self._not_granted,
            self._not_an_input, self._huge_field, self._huge_count, self._negative_length, self._invalid_utf8,
            self._enum_out_of_range, self._wrong_key, self._no_key, self._classified_header, self._citizen_id, self._trailing,
            self._garbage, self._text, self._empty, self._tombstone, self._bad_boolean,
        ):  # fmt: skip
            yield method.__name__.strip("_"), method

    def _changing(self, kind: str, change: dict[str, Any], codes: frozenset[str]) -> Make:
        def make(_: random.Random, value: dict[str, Any]) -> Malformed:
            changed = value | change
            return Malformed(kind, changed["subject"].encode(), self.encode(changed), codes)

        return make

    def _bytes(self, kind: str, value: Mapping[str, Any], raw: bytes | None, *codes: str, **more: Any) -> Malformed:
        return Malformed(kind, str(value["subject"]).encode(), raw, frozenset(codes), **more)

    def _truncated(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        raw = self.encode(value)
        return self._bytes("truncated", value, raw[: rnd.randrange(PREFIX_BYTES, len(raw))], "truncated")

    def _header_only(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        return self._bytes(
            "header_only", value, self.encode(value)[: rnd.randrange(1, PREFIX_BYTES)], "not_wire_format"
        )

    def _wrong_magic(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        return self._bytes(
            "wrong_magic", value, bytes([rnd.randint(1, 255)]) + self.encode(value)[1:], "not_wire_format"
        )

    def _unknown_schema(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        raw = b"\0" + rnd.randint(50_000, 2**32 - 1).to_bytes(4, "big") + self.encode(value)[PREFIX_BYTES:]
        return self._bytes("unknown_schema", value, raw, "unknown_schema_id")

    def _other_schema(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        other = self._codec.schema_id(rnd.choice(["notice", "rejection", "penalty", "rating", "registration"]))
        raw = b"\0" + other.to_bytes(4, "big") + self.encode(value)[PREFIX_BYTES:]
        return self._bytes("other_schema", value, raw, any_of=ANY_OF_BYTES | {"not_an_input_record", "unknown_symbol"})

    def _not_granted(self, _: random.Random, value: dict[str, Any]) -> Malformed:
        header = {name: value[name] for name in list(value)[:9]}
        raw = self.encode(header | {"year": 2025, "reported_on": None}, "annual_report")
        return self._bytes("not_granted", value, raw, "type_not_granted")

    def _not_an_input(self, _: random.Random, value: dict[str, Any]) -> Malformed:
        change = {
            "subject": value["subject"],
            "epoch": 0,
            "n": 1,
            "changed_at": self._now,
            "listings": [],
            "measures": [],
        }
        return self._bytes("not_an_input", value, self.encode(change, "standing_change"), "not_an_input_record")

    def _huge_field(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        size = rnd.choice([4_097, 10_000, 60_000] * 15 + [1_000_000])
        return self._bytes("huge_field", value, self.encode(value | {"circumstances": "x" * size}), "field_too_long")

    def _huge_count(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        """An array that says it has billions of items."""
        registration = {name: value[name] for name in list(value)[:9]} | {"kind": 0, "status": 0}
        whole = self.encode(registration | {"aliases": []}, "registration")
        two = self.encode(registration | {"aliases": [{"kind": 0, "code": "449999000000008"}]}, "registration")
        place = next(n for n, (a, b) in enumerate(zip(whole, two, strict=False)) if a != b)
        count = rnd.choice([2**31, 2**40, 2**62])
        raw = whole[:place] + _zigzag(count) + whole[place + 1 :]
        return self._bytes("huge_count", value, raw, any_of=ANY_OF_BYTES)

    def _negative_length(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        raw = self.encode(value)
        broken = raw[:PREFIX_BYTES] + _zigzag(-rnd.randint(1, 2**40)) + raw[PREFIX_BYTES + 1 :]
        return self._bytes("negative_length", value, broken, any_of=ANY_OF_BYTES)

    def _invalid_utf8(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        raw = self.encode(value)
        place = raw.index("合".encode())
        broken = rnd.choice([b"\xff\xfe\xfd", b"\xc0\xaf\x41", b"\xed\xa0\x80"])
        return self._bytes("invalid_utf8", value, raw[:place] + broken + raw[place + 3 :], "undecodable")

    def _enum_out_of_range(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        header = {name: value[name] for name in list(value)[:9]}
        raw = self.encode(header | {"scheme": rnd.choice([5, 99, -1, 2**30]), "grade": "A"}, "rating")
        return self._bytes("enum_out_of_range", value, raw, "unknown_symbol")

    def _wrong_key(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        key = rnd.choice([b"", b"org:", f"org:{synthetic_uscc(500)}".encode(), rnd.randbytes(12)])
        return Malformed("wrong_key", key, self.encode(value), frozenset({"key_mismatch"}))

    def _no_key(self, _: random.Random, value: dict[str, Any]) -> Malformed:
        return Malformed("no_key", None, self.encode(value), frozenset({"key_mismatch"}))

    def _classified_header(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        raw = rnd.choice([self.encode(value), rnd.randbytes(100)])
        return self._bytes(
            "classified_header", value, raw, "classified", headers=(("classification", b"CLASSIFIED"),)
        )  # fmt: skip

    def _citizen_id(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        number = synthetic_citizen_id(rnd.randrange(1_000_000))
        change = rnd.choice([{"subject_name": f"某某{number}"}, {"document": f"罚{number}号"}])
        return self._bytes("citizen_id", value, self.encode(value | change), "citizen_id_in_clear")

    def _trailing(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        return self._bytes("trailing", value, self.encode(value) + rnd.randbytes(rnd.randint(1, 50)), "trailing_bytes")

    def _garbage(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        raw = bytes([rnd.randint(1, 255)]) + rnd.randbytes(rnd.randint(5, 2_000))
        return self._bytes("garbage", value, raw, "not_wire_format")

    def _text(self, _: random.Random, value: dict[str, Any]) -> Malformed:
        return self._bytes("text", value, f"文书号,{value['document']}\n".encode(), "not_wire_format")

    def _empty(self, _: random.Random, value: dict[str, Any]) -> Malformed:
        return self._bytes("empty", value, b"", "not_wire_format")

    def _tombstone(self, _: random.Random, value: dict[str, Any]) -> Malformed:
        return self._bytes("tombstone", value, None, "not_wire_format")

    def _bad_boolean(self, rnd: random.Random, value: dict[str, Any]) -> Malformed:
        yes, no = self.encode(value | {"serious": True}), self.encode(value | {"serious": False})
        place = next(n for n, (a, b) in enumerate(zip(yes, no, strict=True)) if a != b)
        raw = yes[:place] + bytes([rnd.randint(2, 127)]) + yes[place + 1 :]
        return self._bytes("bad_boolean", value, raw, "undecodable")


def _zigzag(number: int) -> bytes:
    """An Avro long."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)
