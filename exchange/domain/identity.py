"""Identity: who a record is about. A subject id is checked once at the border; inside the bus it is known to be good.

org:<USCC>                   an organisation
reg: orgcode: tax: inst: soc:   an organisation known only by an older code; an alias until the link becomes known
person:<key id>.<32 hex>     a natural person, by keyed pseudonym (`exchange.pseudonym`), never by citizen ID
series:<id>                  no entity: a series of counts that warnings are about (`exchange.domain.series`)
"""

import re
from collections.abc import Callable
from typing import NewType

from exchange.domain.codes import (
    IdentityError,
    check_citizen_id,
    check_organisation_code,
    check_registration_number,
    is_division,
    looks_like_citizen_id,
    normalise_code,
)
from exchange.domain.series import Series
from exchange.domain.uscc import Uscc, check_uscc

__all__ = [
    "ALIAS_PREFIXES",
    "IdentityError",
    "SubjectId",
    "Uscc",
    "alias_subject",
    "check_citizen_id",
    "check_organisation_code",
    "check_registration_number",
    "is_alias",
    "is_person",
    "is_series",
    "normalise_code",
    "organisation_subject",
    "parse_subject",
    "series_subject",
]

SubjectId = NewType("SubjectId", str)
"""A checked subject id; make one with `parse_subject`, `organisation_subject` or `alias_subject`."""

ALIAS_PREFIXES: dict[str, str] = {
    "REGISTRATION_NUMBER": "reg",
    "ORGANISATION_CODE": "orgcode",
    "TAX_REGISTRATION": "tax",
    "INSTITUTION_CERTIFICATE": "inst",
    "SOCIAL_ORGANISATION_CERTIFICATE": "soc",
}
"""Kinds of older codes (the schema's enum AliasKind) and the prefix of a subject known by one."""

_PSEUDONYM = re.compile(r"[a-z0-9]{1,16}\.[0-9a-f]{32}")
_CERTIFICATE = re.compile(r"[0-9A-Z\u4e00-\u9fff]{4,40}")


def _check_pseudonym(code: str) -> str:
    if not _PSEUDONYM.fullmatch(code):
        raise IdentityError("person_shape", "person:<key id>.<32 hex digits>, a keyed pseudonym")
    return code


def _check_organisation(code: str) -> str:
    check_uscc(code)
    return code


def _check_tax_registration(text: str) -> str:
    """Division and organisation code: 15 characters. The 17 and 20 of self-employed persons hold a citizen ID."""
    code = normalise_code(text)
    if len(code) != 15:
        raise IdentityError("tax_registration_shape", "6 digits of a division and a 9-character organisation code")
    if not is_division(code[:6]):
        raise IdentityError("tax_registration_division", "begins with a division of GB/T 2260")
    check_organisation_code(code[6:])
    return code


def _check_certificate(text: str) -> str:
    code = re.sub(r"[()\[\]〔〕【】《》第号字]", "", normalise_code(text))
    if not _CERTIFICATE.fullmatch(code):
        raise IdentityError("certificate_shape", "4 to 40 digits, capitals and Chinese characters", text)
    if looks_like_citizen_id(code):
        raise IdentityError("certificate_is_citizen_id", "a citizen ID never enters the bus in clear")
    return code


_ALIAS_CHECKS: dict[str, Callable[[str], str]] = {
    "reg": check_registration_number,
    "orgcode": check_organisation_code,
    "tax": _check_tax_registration,
    "inst": _check_certificate,
    "soc": _check_certificate,
}
_CHECKS: dict[str, Callable[[str], str]] = {
    "org": _check_organisation,
    "person": _check_pseudonym,
    "series": lambda code: Series.parse(code).id,
    **_ALIAS_CHECKS,
}


def parse_subject(text: str) -> SubjectId:
    """The subject id, which must be written in its one standard form; nothing is corrected here.

    Raises:
        IdentityError: `subject_kind`, `subject_form` (right, but not in standard form), or the reason of the code in it.

    >>> parse_subject("org:91440300PDY00001X3")
    'org:91440300PDY00001X3'
    >>> parse_subject("org:91440300PDY00001X4")
    Traceback (most recent call last):
    exchange.domain.codes.IdentityError: uscc_check_digit '91440300PDY00001X4': weights 3^(i-1) mod 31 (GB 32100)
    """
    kind, _, code = text.partition(":")
    check = _CHECKS.get(kind)
    if check is None:
        raise IdentityError("subject_kind", f"begins with one of {', '.join(_CHECKS)} and a colon", kind)
    if check(code) != code:
        raise IdentityError("subject_form", "half-width capitals without blanks or hyphens", code)
    return SubjectId(text)


def organisation_subject(text: str) -> SubjectId:
    """The subject of a USCC, however it is written.

    Raises:
        IdentityError: the code is not valid.

    >>> organisation_subject("９１440300pdy00001x3")
    'org:91440300PDY00001X3'
    """
    return SubjectId(f"org:{Uscc.parse(text).code}")


def alias_subject(kind: str, text: str) -> SubjectId:
    """The subject of an older code, however it is written.

    Args:
        kind: a key of `ALIAS_PREFIXES`.
        text: the code.

    Raises:
        IdentityError: `alias_kind`, or the code is not valid.

    >>> alias_subject("ORGANISATION_CODE", "pdy00001-x"), alias_subject("SOCIAL_ORGANISATION_CERTIFICATE", "粤社证字第 0001 号")
    ('orgcode:PDY00001X', 'soc:粤社证0001')
    """
    prefix = ALIAS_PREFIXES.get(kind)
    if prefix is None:
        raise IdentityError("alias_kind", f"one of {', '.join(ALIAS_PREFIXES)}", kind)
    return SubjectId(f"{prefix}:{_ALIAS_CHECKS[prefix](text)}")


def is_person(subject: str) -> bool:
    """Whether the subject is a natural person."""
    return subject.startswith("person:")


def is_alias(subject: str) -> bool:
    """Whether the subject is an organisation known only by an older code."""
    return not subject.startswith(("org:", "person:", "series:"))


def series_subject(series: Series) -> SubjectId:
    """The subject of a series.

    >>> series_subject(Series.parse("complaint.industry.F"))
    'series:complaint.industry.F'
    """
    return SubjectId(f"series:{series.id}")


def is_series(subject: str) -> bool:
    """Whether the subject is a series of counts, no entity."""
    return subject.startswith("series:")
