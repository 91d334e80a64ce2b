"""Who lives in the synthetic province: organisations and persons, each a function of the seed and its number."""

import random
from datetime import date, timedelta
from typing import NamedTuple

from exchange.domain.synthetic import (
    BODIES,
    synthetic_citizen_id,
    synthetic_organisation,
    synthetic_organisation_code,
    synthetic_registration_number,
)
from exchange.pseudonym import PersonKeys, person_subject

_KINDS = {
    "91": ("ENTERPRISE", "有限公司"),
    "92": ("SELF_EMPLOYED", "商店"),
    "93": ("COOPERATIVE", "专业合作社"),
    "12": ("INSTITUTION", "服务中心"),
    "51": ("SOCIAL_ORGANISATION", "协会"),
    "52": ("SOCIAL_ORGANISATION", "培训学校"),
    "53": ("SOCIAL_ORGANISATION", "基金会"),
    "N2": ("RURAL_COLLECTIVE", "经济合作社"),
    "31": ("OTHER", "律师事务所"),
}
FIRST = 1_000
"""Number of the first synthetic body; those before it are the sample files' (`producers.samples`)."""
OLDER_SHARE = 0.02
"""Organisations that departments first know by their registration number."""
PERSONS_PER_ORGANISATION = 0.6
"""So that some persons stand for several organisations."""
_FIRST_ESTABLISHED = date(2000, 1, 1)


class Organisation(NamedTuple):
    """One organisation; `older` is the subject id it was first known by, or ""."""

    subject: str
    name: str
    kind: str
    division: str
    aliases: tuple[dict[str, str], ...]
    older: str
    representative: str
    officer: str
    established_on: date


class Population:
    """Everybody in the province; made when first met, then kept.

    Args:
        seed: the same seed gives the same population.
        size: number of organisations; there are fewer persons.
        keys: that persons' pseudonyms are made with.
    """

    def __init__(self, seed: int, size: int, keys: PersonKeys) -> None:
        self.size = size
        self._seed = seed
        self._keys = keys
        self._organisations: list[Organisation | None] = [None] * size
        self.registered: set[str] = set()
        """Organisations whose registration is on the bus; the others may still be known by an older code."""
        self._persons: list[str] = [""] * max(1, int(size * PERSONS_PER_ORGANISATION))

    def organisation(self, number: int) -> Organisation:
        """The organisation of a number from 0 to `size - 1`."""
        known = self._organisations[number]
        if known is None:
            known = self._organisations[number] = self._make(number)
        return known

    def person(self, number: int) -> str:
        """The subject id of a person; any number will do."""
        number %= len(self._persons)
        if not self._persons[number]:
            self._persons[number] = person_subject(synthetic_citizen_id(number), self._keys)
        return self._persons[number]

    def _make(self, number: int) -> Organisation:
        draw = random.Random(self._seed * 1_000_003 + number)  # noqa: S311 # a simulation, no secret
        body = FIRST + number
        code = synthetic_organisation(body)
        kind, ending = _KINDS.get(code[:2], ("OTHER", "机构"))
        aliases: list[dict[str, str]] = []
        older = ""
        if draw.random() < OLDER_SHARE:
            registered = synthetic_registration_number(body)
            older = f"reg:{registered}"
            aliases.append({"kind": "REGISTRATION_NUMBER", "code": registered})
            if body < BODIES:  # beyond it, several organisations share a body
                aliases.append({"kind": "ORGANISATION_CODE", "code": synthetic_organisation_code(body + 1)})
        return Organisation(
            f"org:{code}", f"合成第{body + 1:05d}号{ending}", kind, code[2:8], tuple(aliases), older,
            self.person(draw.getrandbits(30)), self.person(draw.getrandbits(30)),
            _FIRST_ESTABLISHED + timedelta(days=int(draw.random() * 9000)),
        )  # fmt: skip
