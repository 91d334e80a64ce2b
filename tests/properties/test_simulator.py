"""The synthetic province: the same for the same seed, acceptable to the bus throughout, with the mix it promises."""

from collections import Counter
from datetime import date
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.catalogue import load_catalogue
from exchange.codec import PREFIX_BYTES, Codec
from exchange.domain.calendar import to_day
from exchange.paths import SCHEMAS
from exchange.pseudonym import PersonKeys
from exchange.validation import compile_accept, validate
from producers.simulator.events import Event
from producers.simulator.mix import RISK_CLASS, TAX_CREDIT
from producers.simulator.simulate import Burst, simulate

KEYS = PersonKeys.parse("t1:" + "07" * 32)
TODAY = date(2026, 11, 20)
CODEC = Codec.from_files(SCHEMAS)
CATALOGUE = load_catalogue(SCHEMAS)


def province(seed: int, count: int, *, subjects: int = 50, **options: float) -> list[Event]:
    return list(islice(simulate(seed, subjects, today=TODAY, keys=KEYS, **options), count))  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=200))
def test_the_same_seed_gives_the_same_records(seed: int, subjects: int) -> None:
    options = {"repeated": 0.1, "disordered": 0.1}
    assert province(seed, 300, subjects=subjects, **options) == province(seed, 300, subjects=subjects, **options)


def test_another_seed_gives_other_records() -> None:
    assert province(1, 100) != province(2, 100)


@settings(max_examples=5, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_the_bus_accepts_every_record(seed: int) -> None:
    for department, record_type, record in province(seed, 2000):
        raw = CODEC.encode(record_type, record)
        grants = CATALOGUE.grants(department)
        plain = CODEC.decode_plain(raw)[1]
        reasons = validate(
            record_type, plain, department=department, today=to_day(TODAY), grants=grants, size=len(raw), thorough=True
        )
        assert not reasons
        accept = compile_accept(record_type, PREFIX_BYTES)
        assert accept is not None
        assert accept(raw, department, to_day(TODAY)) == tuple(plain.values()), "at first sight, as nearly all are"


def test_the_mix_is_near_what_is_published() -> None:
    events = province(3, 120_000, subjects=5000)
    grades = {
        scheme: Counter(record["grade"] for _, record_type, record in events if record_type == "rating" and record["scheme"] == scheme)
        for scheme in ("TAX_CREDIT", "RISK_CLASS")
    }  # fmt: skip
    for scheme, shares in (("TAX_CREDIT", TAX_CREDIT), ("RISK_CLASS", RISK_CLASS)):
        total = grades[scheme].total()
        for grade, share in shares.items():
            assert abs(grades[scheme][grade] / total * 100 - share) < 3, (scheme, grade)
    types = Counter(record_type for _, record_type, _ in events)
    assert 0.015 < types["listing"] / len(events) < 0.035
    assert set(types) >= {"repair", "withdrawal", "objection", "listing_extension", "court_judgment", "award"}


def test_repeats_and_disorder_leave_the_facts_as_they_are() -> None:
    plain = province(5, 5000)
    disturbed = province(5, 5600, repeated=0.1, disordered=0.2)
    names = [
        (department, record_type, record["document"], record["revision"])
        for department, record_type, record in disturbed
    ]
    known = {
        (department, record_type, record["document"], record["revision"])
        for department, record_type, record in province(5, 7000)
    }
    assert set(names) <= known
    assert len(set(names)) < len(names)
    assert names[:4000] != [(d, t, r["document"], r["revision"]) for d, t, r in plain][:4000]


def test_amendments_speak_about_documents_that_were_published() -> None:
    published = set()
    amendments = 0
    for department, record_type, record in province(7, 20_000, subjects=500):
        published.add((department, record_type, record["subject"], record["document"]))
        if "target_document" in record:
            amendments += 1
            target_type = record.get("target_type", "listing")
            assert (department, target_type, record["subject"], record["target_document"]) in published
    assert amendments > 50


def test_some_firms_are_first_known_by_an_older_code_and_then_by_their_uscc() -> None:
    events = province(11, 20_000, subjects=500)
    older = {record["subject"] for _, _, record in events if record["subject"].startswith("reg:")}
    linked = {
        f"reg:{alias['code']}"
        for _, record_type, record in events
        if record_type == "registration"
        for alias in record["aliases"]
        if alias["kind"] == "REGISTRATION_NUMBER"
    }
    assert older
    assert older & linked


def test_a_burst_comes_first_and_falls_on_many_subjects() -> None:
    stream = simulate(13, 40, today=TODAY, keys=KEYS, bursts=(Burst.parse("COURT:100"), Burst.parse("TAX:10")))
    events = list(islice(stream, 111))
    assert [record["list_code"] for _, _, record in events[:110]] == ["COURT"] * 100 + ["TAX"] * 10
    assert len({record["subject"] for _, _, record in events[:100]}) == 40
    assert len({record["document"] for _, _, record in events[:110]}) == 110
