"""Synthetic organisations and persons: valid codes that can be nobody's.

Organisations come from the bodies PDY00001 to PDY99999, which GB 11714 keeps for self-defined use; persons from the
division 440000, the province itself, which is on no card. The simulator, the demo and the tests take theirs from here.
"""

from datetime import date, timedelta

from exchange.domain.codes import citizen_check, is_division, organisation_check, registration_check
from exchange.domain.uscc import CATEGORIES, uscc_check

BODIES = 99_999
"""Self-defined bodies of GB 11714."""

_COUNTIES = {
    "4401": "00 03 04 05 06 11 12 13 14 15 17 18",
    "4402": "00 03 04 05 22 24 29 32 33 81 82",
    "4403": "00 03 04 05 06 07 08 09 10 11",
    "4404": "00 02 03 04",
    "4405": "00 07 11 12 13 14 15 23",
    "4406": "00 04 05 06 07 08",
    "4407": "00 03 04 05 81 83 84 85",
    "4408": "00 02 03 04 11 23 25 81 82 83",
    "4409": "00 02 04 81 82 83",
    "4412": "00 02 03 04 23 24 25 26 84",
    "4413": "00 02 03 22 23 24",
    "4414": "00 02 03 22 23 24 26 27 81",
    "4415": "00 02 21 23 81",
    "4416": "00 02 21 22 23 24 25",
    "4417": "00 02 04 21 81",
    "4418": "00 02 03 21 23 25 26 81 82",
    "4419": "00",
    "4420": "00",
    "4451": "00 02 03 22",
    "4452": "00 02 03 22 24 81",
    "4453": "00 02 03 21 22 81",
}
DIVISIONS = tuple(city + county for city, counties in _COUNTIES.items() for county in counties.split())
"""The 21 cities of Guangdong and their counties today; a contract test compares with the catalogue."""

_MIX = (
    "92", "91", "92", "91", "92", "92", "91", "92", "93", "92", "91", "92", "91", "92", "", "92", "91", "92", "91", "92",
)  # fmt: skip
_RARE = ("52", "51", "12", "N2", "31", "53")  # what the empty place of the mix stands for, in turn
ORGANISATIONS = BODIES * (len(DIVISIONS) * len(_MIX) // _MIX.count("92"))
"""How many distinct synthetic organisations there are: 26 million, more than Guangdong has."""

_BORN_FROM = date(1950, 1, 1)
_BIRTHDAYS = (date(2006, 1, 1) - _BORN_FROM).days
PERSONS = _BIRTHDAYS * 999
"""How many distinct synthetic persons there are: 20 million."""


def synthetic_organisation_code(n: int) -> str:
    """The n-th self-defined organisation code, n from 1 to 99,999.

    >>> synthetic_organisation_code(2)
    'PDY000028'
    """
    if not 1 <= n <= BODIES:
        raise ValueError(f"self-defined bodies are numbered 1 to {BODIES}, not {n}")
    body = f"PDY{n:05d}"
    return body + organisation_check(body)


def synthetic_uscc(n: int, division: str = "440300", category: str = "91") -> str:
    """The USCC of the n-th self-defined body (1 to 99,999) in a division and category.

    >>> synthetic_uscc(1), synthetic_uscc(4, "441900", "N2")
    ('91440300PDY00001X3', 'N2441900PDY000044K')
    """
    if category not in CATEGORIES or not is_division(division):
        raise ValueError(f"no category {category} or no division {division} in GB 32100")
    code = category + division + synthetic_organisation_code(n)
    return code + uscc_check(code)


def synthetic_organisation(index: int) -> str:
    """The USCC of one synthetic organisation; each index from 0 to `ORGANISATIONS` has its own.

    55% are self-employed, 35% enterprises, 5% cooperatives and 5% of rarer kinds, over all divisions. The first 99,999 also
    have organisation codes of their own, so they may be given older codes as aliases.

    Raises:
        ValueError: the index is out of range.

    >>> synthetic_organisation(0), synthetic_organisation(1)
    ('92440100PDY00001XM', '91440103PDY0000284')
    """
    if not 0 <= index < ORGANISATIONS:
        raise ValueError(f"synthetic organisations are numbered 0 to {ORGANISATIONS - 1}, not {index}")
    block, body = divmod(index, BODIES)
    # 99,999 is one less than a multiple of the mix's length, so each body takes one step back in the mix every block;
    # the k-th time that it meets a category again it moves to the k-th next division.
    kind = _MIX[(body - block) % len(_MIX)]
    rounds, rest = divmod(block, len(_MIX))
    again = rounds * _MIX.count(kind) + sum(_MIX[(body - step) % len(_MIX)] == kind for step in range(rest))
    if not kind:
        again, rare = divmod(again, len(_RARE))
        kind = _RARE[(rare + body // len(_MIX)) % len(_RARE)]
    return synthetic_uscc(body + 1, DIVISIONS[(body + again) % len(DIVISIONS)], kind)


def synthetic_registration_number(index: int) -> str:
    """A valid 15-digit registration number of an authority that does not exist (449999); index from 0 to 39,999,999.

    >>> synthetic_registration_number(0)
    '449999000000008'
    """
    if not 0 <= index < 40_000_000:  # sequences that begin with 0 to 3 are domestic enterprises
        raise ValueError(f"synthetic registration numbers are numbered 0 to 39999999, not {index}")
    body = f"449999{index:08d}"
    return body + registration_check(body)


def synthetic_citizen_id(index: int) -> str:
    """A valid citizen ID of nobody; each index from 0 to `PERSONS` has its own, born 1950 to 2005.

    >>> synthetic_citizen_id(0)
    '440000195001010011'
    """
    if not 0 <= index < PERSONS:
        raise ValueError(f"synthetic persons are numbered 0 to {PERSONS - 1}, not {index}")
    sequence, birthday = divmod(index, _BIRTHDAYS)
    body = f"440000{_BORN_FROM + timedelta(days=birthday):%Y%m%d}{sequence + 1:03d}"
    return body + citizen_check(body)
