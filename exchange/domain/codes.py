"""Codes of organisations and persons: the check-digit arithmetic that every record's subject passes at the border.

USCC is in `exchange.domain.uscc`; what a subject of the bus may look like is in `exchange.domain.identity`.
"""

import re
import unicodedata
from datetime import date
from operator import mul

PROVINCES = frozenset(
    str(province)
    for block in ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 83))
    for province in range(*block)
)
"""First two digits of a division (GB/T 2260)."""

BESIDE_PROVINCES = ("100000", "990000")
"""Divisions outside the provinces: the state itself, the Xinjiang production corps."""


_SEPARATORS = re.compile(r"[\s\-‐‑‒–—―−_]+")
_BODY_VALUES = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(range(36)))
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_CITIZEN_ID = re.compile(r"[0-9]{17}[0-9X]")
_CANDIDATES = re.compile(r"(?=([0-9]{17}[0-9Xx]))")
_ID_SHAPED = re.compile(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]")
_OLD_CITIZEN_ID = re.compile(r"[0-9]{15}")
_CITIZEN_PROVINCES = PROVINCES | {"83"}  # 83: residence permits of Taiwan compatriots
_FIRST_BIRTH_YEAR = 1850


class IdentityError(ValueError):
    """A code that identifies nobody.

    Args:
        code: stable reason, such as `uscc_check_digit`.
        rule: what a right code looks like, with the standard that says so.
        value: the text; nothing is kept of what is shaped like a citizen ID, right or wrong.
    """

    def __init__(self, code: str, rule: str, value: str = "") -> None:
        value = "" if looks_like_citizen_id(value) else value
        super().__init__(f"{code} {value[:40]!r}: {rule}" if value else f"{code}: {rule}")
        self.code = code
        self.rule = rule
        self.value = value


def normalise_code(text: str) -> str:
    """A code as its standard writes it: half-width capitals without blanks, hyphens or invisible characters.

    >>> normalise_code(" ９１４４０３００pdy00001-x3"), normalise_code("PDY00001-9")
    ('91440300PDY00001X3', 'PDY000019')
    """
    if text.isascii() and text.isalnum():
        return text.upper()
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return _SEPARATORS.sub("", visible).upper()


def organisation_check(body: str) -> str:
    """Check character of the 8 characters of an organisation code (GB 11714-1997).

    >>> organisation_check("D2143569"), organisation_check("PDY00001")
    ('X', 'X')
    """
    return "0123456789X0"[11 - sum(map(mul, body.encode().translate(_BODY_VALUES), _BODY_WEIGHTS)) % 11]


def check_organisation_code(text: str) -> str:
    """The 9 characters of an organisation code (组织机构代码, GB 11714-1997), without the hyphen.

    Raises:
        IdentityError: `organisation_code_shape` or `organisation_code_check_digit`.

    >>> check_organisation_code("d2143569-x")
    'D2143569X'
    """
    code = normalise_code(text)
    if not _ORGANISATION_CODE.fullmatch(code):
        raise IdentityError("organisation_code_shape", "8 characters 0-9 A-Z and a check digit 0-9 X (GB 11714)", text)
    if organisation_check(code[:8]) != code[8]:
        raise IdentityError("organisation_code_check_digit", "weights 3 7 9 10 5 8 4 2, modulo 11 (GB 11714)", text)
    return code


def registration_check(body: str) -> str:
    """Check digit of the 14 digits of a registration number (ISO 7064 MOD 11,10).

    >>> registration_check("44030110309741")
    '3'
    """
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def check_registration_number(text: str) -> str:
    """The 15 digits of a registration number (工商注册号, GS 15-2006): 6 authority, 8 sequence, 1 check.

    Raises:
        IdentityError: `registration_number_shape`, `registration_number_division` or `registration_number_check_digit`.

    >>> check_registration_number("110108000000016")
    '110108000000016'
    """
    code = normalise_code(text)
    if not (len(code) == 15 and code.isascii() and code.isdigit()):
        raise IdentityError("registration_number_shape", "15 digits (GS 15-2006)", text)
    if not is_division(code[:6]):
        raise IdentityError("registration_number_division", "begins with the authority's division (GB/T 2260)", text)
    if registration_check(code[:14]) != code[14]:
        raise IdentityError("registration_number_check_digit", "ISO 7064 MOD 11,10 (GS 15-2006)", text)
    return code


def citizen_check(body: str) -> str:
    """Check character of the 17 digits of a citizen ID (GB 11643-1999, ISO 7064 MOD 11-2).

    >>> citizen_check("44000019000101001")
    '9'
    """
    return _CITIZEN_CHECKS[sum(map(mul, (int(c) for c in body), _CITIZEN_WEIGHTS)) % 11]


def check_citizen_id(text: str, today: date | None = None) -> str:
    """The 18 characters of a citizen ID (公民身份号码, GB 11643-1999). Only for publishers: it never enters the bus.

    The 15 digits of before 1999 become the 18 of the same person. The county is not looked up: codes come and go.

    Args:
        text: as found in a file.
        today: refuses births after this day, where given.

    Raises:
        IdentityError: `citizen_id_shape`, `citizen_id_division`, `citizen_id_date` or `citizen_id_check_digit`; without the value.

    >>> check_citizen_id("440000 19000101 001-9")
    '440000190001010019'
    """
    code = normalise_code(text)
    if _OLD_CITIZEN_ID.fullmatch(code):
        body = f"{code[:6]}19{code[6:]}"
        code = body + citizen_check(body)
    if not _CITIZEN_ID.fullmatch(code):
        raise IdentityError("citizen_id_shape", "17 digits and a check digit 0-9 X (GB 11643)")
    # Cards of permanent residents from abroad (2023) begin with 9, then the province.
    if (code[1:3] if code[0] == "9" else code[:2]) not in _CITIZEN_PROVINCES:
        raise IdentityError("citizen_id_division", "begins with a division of GB/T 2260")
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError as error:
        raise IdentityError("citizen_id_date", "digits 7 to 14 are a day of birth (GB 11643)") from error
    if born.year < _FIRST_BIRTH_YEAR or (today is not None and born > today):
        raise IdentityError("citizen_id_date", "born since 1850 and not after today")
    if citizen_check(code[:17]) != code[17]:
        raise IdentityError("citizen_id_check_digit", "ISO 7064 MOD 11-2 (GB 11643)")
    return code


def has_citizen_id(text: str) -> bool:
    """Whether 18 characters within a code are a valid citizen ID, as in tax numbers of self-employed persons.

    >>> has_citizen_id("44000019000101001901"), has_citizen_id("440300PDY00001X")
    (True, False)
    """
    return any(_is_citizen_id(found[1]) for found in _CANDIDATES.finditer(text))


def looks_like_citizen_id(text: str) -> bool:
    """Whether a text holds what is shaped like a citizen ID, be its check digit right or mistyped.

    >>> looks_like_citizen_id("440000190001010018"), looks_like_citizen_id("114400000069401674")
    (True, False)
    """
    return _ID_SHAPED.search(text) is not None


def _is_citizen_id(code: str) -> bool:
    try:
        check_citizen_id(code)
    except IdentityError:
        return False
    return True


def is_division(text: str) -> bool:
    """Whether 6 characters can be a division (GB/T 2260): digits, a known province, or the state itself.

    >>> is_division("440300"), is_division("100000"), is_division("000000")
    (True, True, False)
    """
    return len(text) == 6 and text.isascii() and text.isdigit() and (text[:2] in PROVINCES or text in BESIDE_PROVINCES)
