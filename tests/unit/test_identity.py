"""Check-digit vectors: the codes say nothing about anybody, they only have right or wrong digits."""

from datetime import date

import pytest
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from exchange.domain.codes import (
    IdentityError,
    check_citizen_id,
    check_organisation_code,
    check_registration_number,
    has_citizen_id,
    normalise_code,
)
from exchange.domain.identity import Uscc, alias_subject, is_alias, is_person, organisation_subject, parse_subject
from exchange.domain.uscc import uscc_check

RIGHT = (
    "914403001922038216", "91440300708461136T", "9144030071526726XG", "91440300192317458F", "9144030010001686XA",
    "91440300100012316L", "91440400192548256N", "91440606722473344C", "91440300192181490G", "91440101231245152Y",
    "91110108551385082Q", "91110000600037341L", "11440000006939561H", "81440000742971228Y", "114400000069401674",
    "11441400007208381Y", "11441300007188069T", "114420000073327379", "91350100M000100Y43",
)  # fmt: skip
SYNTHETIC = (
    ("91440300PDY00001X3", "企业"),
    ("92440106PDY000028C", "个体工商户"),
    ("93445300PDY000036M", "农民专业合作社"),
    ("52440100PDY000052A", "民办非企业单位"),
    ("11440000PDY999994P", "机关"),
    ("N2441900PDY000044K", "村级集体经济组织"),
)
WRONG = (
    ("914403001922038217", "uscc_check_digit"),
    ("91350100M000100Y4Z", "uscc_alphabet"),
    ("91440300100001686X", "organisation_code_check_digit"),
    ("91110108717809965C", "uscc_check_digit"),
    ("9133010057462616XH", "uscc_check_digit"),
    ("91440300PDY00001X", "uscc_length"),
    ("91440300PDY00001X33", "uscc_length"),
    ("", "uscc_length"),
    ("94440300PDY00001X3", "uscc_category"),
    ("B1440300PDY00001X3", "uscc_category"),
    ("91990300PDY00001X3", "uscc_division"),
    ("9144O300PDY00001X3", "uscc_alphabet"),
    ("91440A00PDY00001X3", "uscc_division"),
)
CITIZEN_IDS = ("440000190001010019", "440000190001010027", "440000189912310030", "440000200002290047")


def reason(check: object, text: str) -> str:
    with pytest.raises(IdentityError) as caught:
        check(text)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize("code", RIGHT)
def test_right_codes_as_stdnum_sees_them(code: str) -> None:
    assert Uscc.parse(code).code == code
    assert parse_subject(f"org:{code}") == f"org:{code}"
    assert uscc.is_valid(code)
    assert check_organisation_code(code[8:17]) == code[8:17]


@pytest.mark.parametrize(("code", "category"), SYNTHETIC)
def test_synthetic_codes_are_decoded(code: str, category: str) -> None:
    found = Uscc.parse(code)
    assert (found.category_zh, found.division, found.organisation_code) == (category, code[2:8], code[8:17])


def test_codes_of_army_agriculture_and_others_are_accepted_though_stdnum_does_not() -> None:
    for start, name in (("A1", "military institution"), ("N2", "village-level rural collective"), ("Y1", "other")):
        body = f"{start}441900PDY000044"
        code = body + uscc_check(body)
        assert Uscc.parse(code).category_en == name
        assert not uscc.is_valid(code)


@pytest.mark.parametrize(("code", "why"), WRONG)
def test_wrong_codes_say_why(code: str, why: str) -> None:
    assert reason(Uscc.parse, code) == why
    assert reason(parse_subject, f"org:{code}") == why


@pytest.mark.parametrize("code", [code for code, why in WRONG if why != "organisation_code_check_digit"])
def test_stdnum_refuses_them_too(code: str) -> None:
    with pytest.raises(ValidationError):
        uscc.validate(code)


def test_the_inner_digit_catches_what_mod_31_lets_through() -> None:
    assert uscc.is_valid("91440300100001686X")
    assert reason(parse_subject, "org:91440300100001686X") == "organisation_code_check_digit"


def test_the_standards_example() -> None:
    assert uscc_check("91350100M000100Y4") == "3"


@pytest.mark.parametrize(
    "text",
    [
        "９１４４０３００ＰＤＹ００００１Ｘ３",
        "91440300pdy00001x3",
        "9144 0300 PDY00001-X 3",
        " 91440300PDY00001X3\u200b\n",
    ],
)
def test_however_a_code_is_written(text: str) -> None:
    assert normalise_code(text) == "91440300PDY00001X3"
    assert organisation_subject(text) == "org:91440300PDY00001X3"


def test_a_subject_id_has_one_form() -> None:
    assert reason(parse_subject, "orgcode:PDY00001-X") == "subject_form"
    assert reason(parse_subject, "org:91440300pdy00001x3") == "uscc_alphabet"
    assert reason(parse_subject, "org:９1440300PDY00001X3") == "uscc_alphabet"
    assert reason(parse_subject, "91440300PDY00001X3") == "subject_kind"
    assert reason(parse_subject, "ORG:91440300PDY00001X3") == "subject_kind"
    assert reason(parse_subject, "") == "subject_kind"


def test_organisation_codes() -> None:
    assert check_organisation_code("D2143569-X") == "D2143569X"
    assert check_organisation_code("PDY00001-X") == "PDY00001X"
    assert reason(check_organisation_code, "PDY00001-9") == "organisation_code_check_digit"
    assert reason(check_organisation_code, "PDY0001-9") == "organisation_code_shape"


@pytest.mark.parametrize("code", ["440301103097413", "440301103282083", "110108000000016"])
def test_right_registration_numbers(code: str) -> None:
    assert check_registration_number(code) == code
    assert mod_11_10.is_valid(code)
    assert parse_subject(f"reg:{code}") == f"reg:{code}"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("440301103032184", "registration_number_check_digit"),
        ("440000000005143", "registration_number_check_digit"),
        ("44030110309741", "registration_number_shape"),
        ("44030110309741A", "registration_number_shape"),
        ("٤٤٠٣٠١١٠٣٠٩٧٤١٣", "registration_number_shape"),
        ("990301103097413", "registration_number_division"),
    ],
)
def test_wrong_registration_numbers(code: str, why: str) -> None:
    assert reason(check_registration_number, code) == why


@pytest.mark.parametrize("code", CITIZEN_IDS)
def test_right_citizen_ids(code: str) -> None:
    assert check_citizen_id(code) == code
    assert ric.is_valid(code)


def test_the_standards_citizen_id_is_right_though_its_county_is_in_no_table() -> None:
    assert check_citizen_id("440524188001010014") == "440524188001010014"
    assert not ric.is_valid("440524188001010014")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("440000190102290056", "citizen_id_date"),
        ("440000190001010018", "citizen_id_check_digit"),
        ("990000190001010019", "citizen_id_division"),
        ("44000019000101001", "citizen_id_shape"),
        ("44000019000101001A", "citizen_id_shape"),
        ("440000174901010010", "citizen_id_date"),
    ],
)
def test_wrong_citizen_ids_are_not_repeated_in_the_error(code: str, why: str) -> None:
    with pytest.raises(IdentityError) as caught:
        check_citizen_id(code)
    assert caught.value.code == why
    assert code not in str(caught.value)
    assert code[6:14] not in repr(caught.value)


def test_the_old_citizen_id_is_the_same_person() -> None:
    assert check_citizen_id("440000000101001") == "440000190001010019"


def test_nobody_is_born_after_today() -> None:
    assert check_citizen_id("440000200002290047", date(2000, 2, 29))
    with pytest.raises(IdentityError):
        check_citizen_id("440000200002290047", date(2000, 2, 28))


def test_aliases() -> None:
    assert alias_subject("REGISTRATION_NUMBER", "440301 103097413") == "reg:440301103097413"
    assert alias_subject("ORGANISATION_CODE", "pdy00001-x") == "orgcode:PDY00001X"
    assert alias_subject("TAX_REGISTRATION", "440300PDY00001X") == "tax:440300PDY00001X"
    assert alias_subject("INSTITUTION_CERTIFICATE", "事证第 144000000001 号") == "inst:事证144000000001"
    for subject in ("reg:440301103097413", "orgcode:PDY00001X", "tax:440300PDY00001X", "soc:粤社证0001"):
        assert parse_subject(subject) == subject
        assert is_alias(subject)
    assert not is_alias("org:91440300PDY00001X3")
    assert reason(lambda text: alias_subject("PASSPORT", text), "X1") == "alias_kind"


def test_an_alias_never_carries_a_citizen_id() -> None:
    assert reason(parse_subject, "tax:44000019000101001901") == "tax_registration_shape"
    assert reason(parse_subject, "soc:440000190001010019") == "certificate_is_citizen_id"
    assert reason(parse_subject, "inst:A440000190001010019B") == "certificate_is_citizen_id"
    assert reason(parse_subject, "tax:440000500101001") == "organisation_code_check_digit"
    assert has_citizen_id("01440000190001010019")


def test_persons_are_pseudonyms() -> None:
    person = f"person:k1.{'0123456789abcdef' * 2}"
    assert parse_subject(person) == person
    assert is_person(person)
    for wrong in ("person:440000190001010019", f"person:{'a' * 32}", f"person:K1.{'a' * 32}", f"person:k1.{'A' * 32}"):
        assert reason(parse_subject, wrong) == "person_shape"


def test_an_error_of_a_person_keeps_no_value() -> None:
    with pytest.raises(IdentityError) as caught:
        parse_subject("person:440000190001010019")
    assert "440000190001010019" not in str(caught.value)
    for text in (
        "tax:44000019000101001901",
        "org:440000190001010019",
        "soc:440000190001010018",
        "orgcode:440000190001010019",
    ):
        with pytest.raises(IdentityError) as caught:
            parse_subject(text)
        assert "440000" not in str(caught.value)
        assert not caught.value.value
