"""What can be wrong with one value of a record: each function gives every fault as a reason, or an empty tuple.

A reason's `field` here is the place within the value, such as `[0].code`. Verdicts on codes are remembered: a subject has many
records, and check digits cost more than all other rules together.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from exchange.domain.codes import check_citizen_id, check_registration_number, is_division
from exchange.domain.identity import ALIAS_PREFIXES, IdentityError, parse_subject
from exchange.errors import Reason

Faults = tuple[Reason, ...]

TEXT_CHARACTERS = 4096
ITEMS = 256
AMOUNT_BYTES = 16
ROLES = 5
"""Symbols of the schema's OfficerRole."""
REMEMBERED = 131_072  # verdicts on subjects kept in process: about 25 MB when full

_ALIAS_PREFIXES = tuple(ALIAS_PREFIXES.values())
_LIST_CODE = re.compile(r"(?=.{1,32}$)[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_DEPARTMENT = re.compile(r"(?=.{1,64}$)[a-z][a-z0-9-]*(\.[a-z0-9-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff]")
_LONG_NUMBER = re.compile(r"\d{15}")
_CITIZEN_ID = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_OLD_CITIZEN_ID = re.compile(r"[0-9]{15}")

has_long_number = _LONG_NUMBER.search
"""The cheap question before the dear one: fifteen digits in a row, without which there is no citizen ID."""


IN_CLEAR: Faults = (
    Reason(
        code="citizen_id_in_clear",
        rule="citizen IDs never enter the bus: persons are known by pseudonym (公民身份号码不得明文上总线)",
    ),
)
"""The reason against a text with a citizen ID in it; nothing of the text is kept."""


@lru_cache(maxsize=REMEMBERED)
def subject_faults(text: str) -> Faults:
    """Why a text is no subject id."""
    try:
        parse_subject(text)
    except IdentityError as error:
        if has_id(text.partition(":")[2]):
            return IN_CLEAR
        return (Reason(code=error.code, value=error.value[:200], rule=error.rule),)
    return ()


def person_faults(text: str) -> Faults:
    """Why a text is no subject id of a person."""
    if not text.startswith("person:"):
        return (Reason(code="not_a_person", rule="person:<key id>.<32 hex digits>, a keyed pseudonym"),)
    return subject_faults(text)


@lru_cache(maxsize=8192)
def is_known_division(text: str) -> bool:
    """Whether a text is a division of GB/T 2260."""
    return is_division(text)


@lru_cache(maxsize=8192)
def is_list_code(text: str) -> bool:
    """Whether a text has the form of a list's code.

    >>> is_list_code("SER-AMR"), is_list_code("ser amr")
    (True, False)
    """
    return _LIST_CODE.fullmatch(text) is not None


@lru_cache(maxsize=8192)
def is_department(text: str) -> bool:
    """Whether a text has the form of a department's slug.

    >>> is_department("gd.tax"), is_department("gd tax")
    (True, False)
    """
    return _DEPARTMENT.fullmatch(text) is not None


def has_control_characters(text: str) -> bool:
    r"""Whether a text has control or invisible characters; wide and fixed blanks are neither.

    >>> has_control_characters("甲\u3000乙"), has_control_characters("甲\x00乙"), has_control_characters("甲\u200b乙")
    (False, True, True)
    """
    return _CONTROL.search(text) is not None


def has_id(text: str) -> bool:
    """Whether a text has a citizen ID in it: 18 characters with the right check digit, standing apart.

    The 15 digits of before 1999 have no check digit and look like many a serial number, so they count only when they are
    the whole text, with a possible division and day of birth, and are no registration number.

    >>> has_id("当事人440000190001010019"), has_id("粤税罚〔2026〕440000190001010018号"), has_id("440000900101001")
    (True, False, True)
    """
    if not has_long_number(text):
        return False
    text = unicodedata.normalize("NFKC", text)
    if any(_is_valid(check_citizen_id, found[0].upper()) for found in _CITIZEN_ID.finditer(text)):
        return True
    whole = text.strip()
    return bool(
        _OLD_CITIZEN_ID.fullmatch(whole)
        and _is_valid(check_citizen_id, whole)
        and not _is_valid(check_registration_number, whole)
    )


def _is_valid(check: Any, text: str) -> bool:
    try:
        check(text)
    except IdentityError:
        return False
    return True


def amount_faults(value: bytes, precision: int) -> Faults:
    """Why the bytes of a decimal are no amount: negative, or of too many digits."""
    unscaled = int.from_bytes(value[:AMOUNT_BYTES], "big", signed=True)
    if unscaled < 0:
        return (Reason(code="negative_amount", value=value[:AMOUNT_BYTES].hex(), rule="an amount is not negative"),)
    if not value or len(value) > AMOUNT_BYTES or unscaled >= 10**precision:
        return (
            Reason(code="amount_out_of_range", value=value[:AMOUNT_BYTES].hex(), rule=f"at most {precision} digits"),
        )
    return ()


def text_faults(items: Sequence[str]) -> Faults:
    """What is wrong with a list of texts."""
    return (*_count_faults(items), *_each_text(items[:ITEMS]))


def _each_text(items: Sequence[str]) -> Iterator[Reason]:
    for position, item in enumerate(items):
        if len(item) > TEXT_CHARACTERS:
            rule = f"at most {TEXT_CHARACTERS} characters"
            yield Reason(code="field_too_long", field=f"[{position}]", value=f"{item[:40]}…", rule=rule)


def are_aliases(aliases: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a list of older codes is without fault: the quick answer, where `alias_faults` tells why not."""
    for alias in aliases:
        kind = alias["kind"]
        if not 0 <= kind < len(_ALIAS_PREFIXES) or subject_faults(f"{_ALIAS_PREFIXES[kind]}:{alias['code']}"):
            return False
    return len(aliases) <= ITEMS


def alias_faults(aliases: Sequence[Mapping[str, Any]]) -> Faults:
    """What is wrong with a list of older codes."""
    return (*_count_faults(aliases), *_each_alias(aliases[:ITEMS]))


def _each_alias(aliases: Sequence[Mapping[str, Any]]) -> Iterator[Reason]:
    for position, alias in enumerate(aliases):
        kind, place = alias["kind"], f"[{position}]"
        if not 0 <= kind < len(_ALIAS_PREFIXES):
            rule = f"a position among {', '.join(ALIAS_PREFIXES)}"
            yield Reason(code="unknown_symbol", field=f"{place}.kind", value=str(kind), rule=rule)
            continue
        for fault in subject_faults(f"{_ALIAS_PREFIXES[kind]}:{alias['code']}"):
            yield Reason(code=fault.code, field=f"{place}.code", value=fault.value, rule=fault.rule)


def are_officers(officers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a list of persons in office is without fault: the quick answer, where `officer_faults` tells why not."""
    for officer in officers:
        if not 0 <= officer["role"] < ROLES or person_faults(officer["person"]):
            return False
    return len(officers) <= ITEMS


def officer_faults(officers: Sequence[Mapping[str, Any]]) -> Faults:
    """What is wrong with a list of persons in office."""
    return (*_count_faults(officers), *_each_officer(officers[:ITEMS]))


def _each_officer(officers: Sequence[Mapping[str, Any]]) -> Iterator[Reason]:
    for position, officer in enumerate(officers):
        place = f"[{position}]"
        for fault in person_faults(officer["person"]):
            yield Reason(code=fault.code, field=f"{place}.person", value=fault.value, rule=fault.rule)
        if not 0 <= officer["role"] < ROLES:
            rule = f"a position among {ROLES} roles"
            yield Reason(code="unknown_symbol", field=f"{place}.role", value=str(officer["role"]), rule=rule)


def _count_faults(items: Sequence[Any]) -> Faults:
    return (
        (Reason(code="too_many_items", value=str(len(items)), rule=f"at most {ITEMS}"),) if len(items) > ITEMS else ()
    )
