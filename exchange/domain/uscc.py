"""Unified social credit code (统一社会信用代码, GB 32100-2015): what every organisation on the bus is known by."""

import re
from dataclasses import dataclass
from operator import mul
from typing import Self

from exchange.domain.codes import (
    BESIDE_PROVINCES,
    PROVINCES,
    IdentityError,
    is_division,
    normalise_code,
    organisation_check,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of a USCC, in the order of their values; no I O Z S V."""

DEPARTMENTS: dict[str, tuple[str, str]] = {
    "1": ("机构编制", "public-sector staffing"),
    "2": ("外交", "foreign affairs"),
    "3": ("司法行政", "justice administration"),
    "4": ("文化", "culture"),
    "5": ("民政", "civil affairs"),
    "6": ("旅游", "tourism"),
    "7": ("宗教", "religious affairs"),
    "8": ("工会", "trade unions"),
    "9": ("工商", "market regulation"),
    "A": ("军队编制", "military staffing"),
    "N": ("农业", "agriculture"),
    "Y": ("其他", "other"),
}
"""Registration department by the first character: zh, en."""

_OTHER = ("其他", "other")
CATEGORIES: dict[str, tuple[str, str]] = {
    "11": ("机关", "government body"),
    "12": ("事业单位", "public institution"),
    "13": ("群众团体", "mass organisation"),
    "19": _OTHER,
    "21": ("外国常驻新闻机构", "foreign news bureau"),
    "29": _OTHER,
    "31": ("律师执业机构", "law firm"),
    "32": ("公证处", "notary office"),
    "33": ("基层法律服务所", "local legal service"),
    "34": ("司法鉴定机构", "forensic institution"),
    "35": ("仲裁委员会", "arbitration commission"),
    "39": _OTHER,
    "41": ("外国在华文化中心", "foreign cultural centre"),
    "49": _OTHER,
    "51": ("社会团体", "association"),
    "52": ("民办非企业单位", "private non-enterprise unit"),
    "53": ("基金会", "foundation"),
    "59": _OTHER,
    "61": ("外国旅游部门常驻代表机构", "foreign tourism office"),
    "62": ("港澳台地区旅游部门常驻内地代表机构", "tourism office of Hong Kong, Macao or Taiwan"),
    "69": _OTHER,
    "71": ("宗教活动场所", "place of worship"),
    "72": ("宗教院校", "religious school"),
    "79": _OTHER,
    "81": ("基层工会", "primary trade union"),
    "89": _OTHER,
    "91": ("企业", "enterprise"),
    "92": ("个体工商户", "self-employed"),
    "93": ("农民专业合作社", "farmers' cooperative"),
    "A1": ("军队事业单位", "military institution"),
    "A9": _OTHER,
    "N1": ("组级集体经济组织", "group-level rural collective"),
    "N2": ("村级集体经济组织", "village-level rural collective"),
    "N3": ("乡镇级集体经济组织", "township-level rural collective"),
    "N9": _OTHER,
    "Y1": _OTHER,
}
"""Category by the first two characters: zh, en."""

_VALUES = bytes.maketrans(ALPHABET.encode(), bytes(range(31)))
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1)  # the check character counts once
_SHAPE = re.compile(
    rf"(?:{'|'.join(CATEGORIES)})(?:(?:{'|'.join(sorted(PROVINCES))})[0-9]{{4}}|{'|'.join(BESIDE_PROVINCES)})"
    rf"[{ALPHABET}]{{8}}[0-9X][{ALPHABET}]"
)
_BODY_VALUES = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(range(36)))
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uscc:
    """A valid code and what it says.

    Attributes:
        code: the 18 characters.
        department_zh: registration department (登记管理部门), Chinese name; `department_en` beside it.
        category: first two characters; with the names `category_zh` and `category_en`.
        division: GB/T 2260 division of the registration authority, 6 digits.
        organisation_code: the 9 characters of GB 11714 within it.
    """

    code: str
    department_zh: str
    department_en: str
    category: str
    category_zh: str
    category_en: str
    division: str
    organisation_code: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The code, however it is written (full width, lower case, blanks).

        Raises:
            IdentityError: with the first rule that it breaks; see `check_uscc`.

        >>> found = Uscc.parse("9144 0300 pdy00001-x 3")
        >>> found.category_zh, found.division, found.organisation_code
        ('企业', '440300', 'PDY00001X')
        """
        code = normalise_code(text)
        check_uscc(code)
        department_zh, department_en = DEPARTMENTS[code[0]]
        category_zh, category_en = CATEGORIES[code[:2]]
        return cls(
            code=code, department_zh=department_zh, department_en=department_en, category=code[:2],
            category_zh=category_zh, category_en=category_en, division=code[2:8], organisation_code=code[8:17],
        )  # fmt: skip


def uscc_check(body: str) -> str:
    """Check character of the first 17 characters (GB 32100: weights 3^(i-1) mod 31).

    >>> uscc_check("91350100M000100Y4")
    '3'
    """
    return ALPHABET[-sum(map(mul, body.encode().translate(_VALUES), _WEIGHTS)) % 31]


def check_uscc(code: str) -> None:
    """Refuse what is not a valid USCC in its standard form; costs about a microsecond and a half.

    Raises:
        IdentityError: `uscc_length`, `uscc_alphabet`, `uscc_category`, `uscc_division`, `uscc_check_digit` or
            `organisation_code_check_digit`.
    """
    if _SHAPE.fullmatch(code):
        raw = code.encode()
        inner = sum(map(mul, raw[8:17].translate(_BODY_VALUES), _BODY_WEIGHTS))
        # X in the check character's place counts 10, not 33: 23 less, which is one less modulo 11.
        if not sum(map(mul, raw.translate(_VALUES), _WEIGHTS)) % 31 and not (inner - (code[16] == "X")) % 11:
            return
    raise _explain(code)


def _explain(code: str) -> IdentityError:
    """The first rule that a wrong code breaks, in the order in which a reader would look."""
    if len(code) != 18:
        return IdentityError("uscc_length", "18 characters (GB 32100)", code)
    if set(code) - set(ALPHABET):
        return IdentityError("uscc_alphabet", "digits and capitals without I O Z S V (GB 32100)", code)
    if code[:2] not in CATEGORIES:
        return IdentityError("uscc_category", "registration department and category of GB 32100, table 1", code)
    if not is_division(code[2:8]):
        return IdentityError("uscc_division", "characters 3 to 8 are a division of GB/T 2260", code)
    if uscc_check(code[:17]) != code[17]:
        return IdentityError("uscc_check_digit", "weights 3^(i-1) mod 31 (GB 32100)", code)
    expected = organisation_check(code[8:16])
    return IdentityError(
        "organisation_code_check_digit",
        f"characters 9 to 17 are an organisation code ending {expected} (GB 11714)",
        code,
    )
