"""The shipped catalogue: successions, grants, and regions as the code tables have them."""

import pytest
from stdnum import numdb

from exchange.catalogue import RECORD_TYPES, Region, load_catalogue
from exchange.domain.codes import is_division
from exchange.domain.policy import OPEN
from exchange.domain.synthetic import DIVISIONS
from exchange.paths import SCHEMAS
from tests.worlds import day

CATALOGUE = load_catalogue(SCHEMAS)


def test_successors_by_day() -> None:
    assert CATALOGUE.successor("gd.fda", day("2018-10-24")) == "gd.fda"
    assert CATALOGUE.successor("gd.fda", day("2018-10-25")) == "gd.amr"
    assert CATALOGUE.successor("gd.amr", day("2018-10-25")) == "gd.amr"
    assert CATALOGUE.successor("gd.circ", day("2026-01-01")) == "gd.cbirc"
    with pytest.raises(KeyError):
        CATALOGUE.successor("gd.nobody", 0)


def test_who_determined_repairs_and_so_does_his_successor() -> None:
    assert CATALOGUE.may_amend("gd.amr", "gd.amr")
    assert CATALOGUE.may_amend("gd.amr", "gd.fda")
    assert CATALOGUE.may_amend("gd.tax", "gd.localtax")
    assert not CATALOGUE.may_amend("gd.fda", "gd.amr")
    assert not CATALOGUE.may_amend("gd.drc", "gd.tax")
    assert not CATALOGUE.may_amend("gd.nobody", "gd.nobody")
    assert not CATALOGUE.may_amend("gd.tax", "gd.nobody")


def test_who_is_in_charge_when() -> None:
    start, merged = day("2016-12-30"), day("2018-06-15")
    assert CATALOGUE.in_charge("gd.tax", start, OPEN) == (
        ("gd.statetax", start, merged), ("gd.localtax", start, merged), ("gd.tax", merged, OPEN),
    )  # fmt: skip
    ended = day("2018-10-25")
    assert CATALOGUE.in_charge("gd.fda", start, OPEN) == (("gd.fda", start, ended), ("gd.amr", ended, OPEN))
    assert CATALOGUE.in_charge("gd.fda", start, start + 9) == (("gd.fda", start, start + 9),)
    assert CATALOGUE.in_charge("gd.fda", ended, OPEN) == (("gd.amr", ended, OPEN),)
    assert CATALOGUE.in_charge("gd.fin", start, OPEN) == (("gd.fin", start, OPEN),)


def test_whole_notices_are_pushed_to_those_with_whom_all_that_they_quote_is_shared() -> None:
    assert CATALOGUE.thin_only() == {"ext.railway", "ext.caac"}
    withheld = CATALOGUE.withheld("ext.caac")
    assert withheld is not None
    assert (withheld.record_type, CATALOGUE.withheld("gd.fin")) == ("rating", None)


def test_names_keep_their_time() -> None:
    assert CATALOGUE.name_of("gd.amr", day("2016-06-24")) == "广东省工商行政管理局"
    assert CATALOGUE.name_of("gd.amr", day("2026-06-24")) == "广东省市场监督管理局"
    assert CATALOGUE.name_of("gd.nobody", 0) == "gd.nobody"


def test_grants() -> None:
    granted = {slug: CATALOGUE.grants(slug) for slug in CATALOGUE.departments}
    assert frozenset.union(*granted.values()) == RECORD_TYPES
    assert {slug for slug, types in granted.items() if "court_judgment" in types} == {"gd.court"}
    assert {slug for slug, types in granted.items() if "abnormal_entry" in types} == {"gd.amr"}
    assert "listing" not in granted["gd.drc"]
    assert CATALOGUE.grants("gd.nobody") == frozenset()
    for slug, department in CATALOGUE.departments.items():
        assert granted[slug] >= {"delivery_receipt", "measure_feedback"}
        if department.external:
            assert granted[slug] == {"delivery_receipt", "measure_feedback"}


def test_every_contract_is_a_resource() -> None:
    assert {one.record_type for one in CATALOGUE.resources} == RECORD_TYPES
    assert all((SCHEMAS / "records" / f"{one}.avsc").exists() for one in RECORD_TYPES)


def test_slugs_make_topic_names_and_entry_keys() -> None:
    assert all("/" not in slug and slug == slug.lower() for slug in CATALOGUE.departments)


def regions(level: str) -> list[Region]:
    return [one for found in CATALOGUE.regions.values() for one in found if one.level == level]


def test_twenty_one_cities() -> None:
    assert len(regions("city")) == 21
    assert [one.code for one in regions("province")] == ["440000"]
    counties = {one.parent for one in regions("county")}
    assert {one.code for one in regions("city")} - counties == {"441900", "442000"}


def test_regions_are_those_of_the_code_table() -> None:
    table = numdb.get("cn/loc")
    for found in CATALOGUE.regions.values():
        for one in found:
            assert is_division(one.code)
            names = table.info(one.code)[-1][1]["county"]
            assert one.name_zh in names
            assert not one.from_year or str(one.from_year) in names


def test_a_code_means_what_it_meant_in_its_year() -> None:
    assert CATALOGUE.region("440106", day("1984-12-31")) is None
    for code, on, name in (
        ("440106", "1985-01-01", "天河区"), ("440111", "1985-06-01", "郊区"), ("440111", "1990-06-01", "白云区"),
        ("440102", "2005-06-01", "东山区"), ("440000", "2026-01-01", "广东省"),
    ):  # fmt: skip
        region = CATALOGUE.region(code, day(on))
        assert region is not None
        assert region.name_zh == name
    assert CATALOGUE.region("440102", day("2006-01-01")) is None
    assert CATALOGUE.region("320000", day("2006-01-01")) is None


def test_synthetic_divisions_are_the_cities_and_counties_of_today() -> None:
    today = day("2026-06-01")
    assert set(DIVISIONS) == {
        code for code in CATALOGUE.regions if (found := CATALOGUE.region(code, today)) and found.level != "province"
    }
