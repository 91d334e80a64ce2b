"""Who the sample files are about; every code is of the ranges that can be nobody's."""

from typing import NamedTuple

from exchange.domain.synthetic import (
    synthetic_citizen_id,
    synthetic_organisation_code,
    synthetic_registration_number,
    synthetic_uscc,
)

_DIVISIONS = ("440100", "440300", "440600", "441900", "441300", "440400", "442000", "440700")
_TRADES = ("建筑工程", "食品", "电子科技", "物流", "化工", "环保设备", "商贸", "家具")


class Firm(NamedTuple):
    """An organisation of the samples."""

    name: str
    uscc: str
    registration_number: str
    organisation_code: str
    division: str
    kind: str
    representative: str
    representative_id: str


def firm(number: int) -> Firm:
    """The firm of a number, from 1: every eighth is self-employed, every ninth a cooperative."""
    division = _DIVISIONS[number % len(_DIVISIONS)]
    category = "92" if number % 8 == 0 else "93" if number % 9 == 0 else "91"
    kind = {"91": "企业", "92": "个体工商户", "93": "农民专业合作社"}[category]
    ending = {"91": "有限公司", "92": "经营部", "93": "专业合作社"}[category]
    return Firm(
        f"合成第{number:05d}号{_TRADES[number % len(_TRADES)]}{ending}",
        synthetic_uscc(number, division, category),
        synthetic_registration_number(number),
        synthetic_organisation_code(number),
        division,
        kind,
        f"合成代表{number:02d}",
        synthetic_citizen_id(number),
    )


def person(number: int) -> str:
    """The citizen ID of a natural person who represents no firm."""
    return synthetic_citizen_id(500 + number)
