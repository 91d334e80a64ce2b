"""A slip of the pen never leads to another subject: single substitutions and adjacent swaps are caught."""

from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2, mod_11_10

from exchange.domain import synthetic
from exchange.domain.codes import IdentityError, check_citizen_id, check_organisation_code, check_registration_number
from exchange.domain.identity import normalise_code, organisation_subject, parse_subject
from exchange.domain.uscc import ALPHABET, CATEGORIES, DEPARTMENTS, check_uscc

DIGITS = "0123456789"
BODIES = st.text(alphabet=ALPHABET, min_size=8, max_size=8)
CODES = st.builds(
    synthetic.synthetic_uscc,
    st.integers(1, synthetic.BODIES),
    st.sampled_from(synthetic.DIVISIONS),
    st.sampled_from(sorted(CATEGORIES)),
)


def is_right(check: object, code: str) -> bool:
    try:
        check(code)  # type: ignore[operator]
    except IdentityError:
        return False
    return True


def swapped(code: str, place: int) -> str:
    return code[:place] + code[place + 1] + code[place] + code[place + 2 :]


@given(CODES)
def test_every_synthetic_code_is_right_and_stdnum_agrees(code: str) -> None:
    check_uscc(code)
    assert parse_subject(f"org:{code}") == f"org:{code}"
    assert uscc.is_valid(code) == code[0].isdigit()
    assert code[0] in DEPARTMENTS


@given(CODES, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_a_substitution_in_a_uscc_is_caught(code: str, place: int, other: str) -> None:
    assume(code[place] != other)
    assert not is_right(check_uscc, code[:place] + other + code[place + 1 :])


@given(CODES, st.integers(0, 16))
def test_an_adjacent_swap_in_a_uscc_is_caught(code: str, place: int) -> None:
    assume(code[place] != code[place + 1])
    assert not is_right(check_uscc, swapped(code, place))


def test_every_substitution_and_swap_of_one_code_is_caught() -> None:
    code = "91440300PDY00001X3"
    slips = {code[:place] + other + code[place + 1 :] for place in range(18) for other in ALPHABET} - {code}
    slips |= {swapped(code, place) for place in range(17)} - {code}
    assert len(slips) > 18 * 30
    assert not any(is_right(check_uscc, slip) for slip in slips)


@given(st.integers(0, 10**14 - 1), st.integers(0, 14), st.sampled_from(DIGITS))
def test_a_substitution_in_a_registration_number_is_caught(body: int, place: int, other: str) -> None:
    code = f"44{body % 10**12:012d}"
    code += mod_11_10.calc_check_digit(code)
    assert check_registration_number(code) == code
    assume(code[place] != other)
    assert not is_right(check_registration_number, code[:place] + other + code[place + 1 :])


@given(st.integers(0, synthetic.PERSONS - 1), st.integers(0, 16), st.sampled_from(DIGITS))
def test_a_slip_in_a_citizen_id_is_caught(index: int, place: int, other: str) -> None:
    code = synthetic.synthetic_citizen_id(index)
    assert check_citizen_id(code) == code
    assert mod_11_2.is_valid(code)
    if code[place] != other:
        assert not is_right(check_citizen_id, code[:place] + other + code[place + 1 :])
    if code[place] != code[place + 1]:
        assert not is_right(check_citizen_id, swapped(code, place))


@given(st.integers(1, synthetic.BODIES), st.integers(3, 7), st.sampled_from(DIGITS))
def test_a_wrong_digit_in_an_organisation_code_is_caught(n: int, place: int, other: str) -> None:
    code = synthetic.synthetic_organisation_code(n)
    assert check_organisation_code(f"{code[:8]}-{code[8]}") == code
    assume(code[place] != other)
    assert not is_right(check_organisation_code, code[:place] + other + code[place + 1 :])


@given(CODES, st.data())
def test_writing_does_not_matter(code: str, data: st.DataObject) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if data.draw(st.booleans()) else c for c in code)
    assert organisation_subject(wide.lower()) == f"org:{code}"
    assert normalise_code(normalise_code(wide)) == normalise_code(wide)


@given(st.text(max_size=40))
def test_any_text_is_a_subject_or_an_identity_error(text: str) -> None:
    for candidate in (text, f"org:{text}", f"tax:{text}", f"soc:{text}", f"person:{text}", f"reg:{text}"):
        if is_right(parse_subject, candidate):
            assert parse_subject(parse_subject(candidate)) == candidate


@given(st.lists(st.integers(0, synthetic.ORGANISATIONS - 1), unique=True, min_size=2, max_size=50))
def test_synthetic_organisations_are_distinct(indices: list[int]) -> None:
    assert len({synthetic.synthetic_organisation(index) for index in indices}) == len(indices)


@given(st.integers(0, synthetic.BODIES - 1))
def test_one_body_meets_no_division_and_category_twice(body: int) -> None:
    blocks = range(synthetic.ORGANISATIONS // synthetic.BODIES)
    codes = {synthetic.synthetic_organisation(block * synthetic.BODIES + body) for block in blocks}
    assert len(codes) == len(blocks)


def test_the_first_synthetic_organisations_have_organisation_codes_of_their_own() -> None:
    assert len({synthetic.synthetic_organisation(index)[8:17] for index in range(0, synthetic.BODIES, 7)}) == 14286
    assert synthetic.ORGANISATIONS > 20_000_000
