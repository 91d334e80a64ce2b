"""Sightings: what early warning sees in a record, and in which series it counts; the subject's registration says the rest.

A penalty, complaint, entry on the abnormal list or listing counts once, at its first arrival; revisions say nothing new here, and a
withdrawal does not uncount it: what is measured is how much comes, not what still holds.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from exchange.domain.policy import Policy
from exchange.domain.series import Series

Plain = Mapping[str, Any]
SIGNAL_OF = {
    "penalty": "penalty", "social_report": "complaint", "abnormal_entry": "abnormal_entry", "listing": "listing",
}  # fmt: skip
"""Record type to its signal."""
_ENTERED = 0
REWARDING = "red"
"""Colour of the lists that do not count."""
_DIVISIONS = (
    ("A", 1, 5), ("B", 6, 12), ("C", 13, 43), ("D", 44, 46), ("E", 47, 50), ("F", 51, 52), ("G", 53, 60), ("H", 61, 62),
    ("I", 63, 65), ("J", 66, 69), ("K", 70, 70), ("L", 71, 72), ("M", 73, 75), ("N", 76, 79), ("O", 80, 82), ("P", 83, 83),
    ("Q", 84, 85), ("R", 86, 90), ("S", 91, 96), ("T", 97, 97),
)  # fmt: skip
"""Sections of GB/T 4754-2017 with their first and last division."""
_INDUSTRY = re.compile(r"([A-T])?(\d{2})?\d{0,2}")


class Sighting(NamedTuple):
    """A record that counts, as far as it says itself.

    Attributes:
        signal: of `exchange.domain.series.SIGNALS`.
        department: who published it.
        ground: why, as a code; "" where it gives none.
        region: prefecture, six digits; "" where it names no place.
    """

    signal: str
    department: str
    ground: str
    region: str

    def series(self) -> tuple[Series, ...]:
        """Every series that it counts in by itself."""
        found = (("department", self.department), ("ground", self.ground), ("region", self.region))
        return tuple(one for name, value in found if (one := Series.of(self.signal, name, value)))


class Enrolment(NamedTuple):
    """What a registration says that other records do not.

    Attributes:
        industry: section of GB/T 4754; "" where it gives none.
        region: prefecture, six digits; "" where it gives none.
    """

    industry: str = ""
    region: str = ""

    def series(self, signal: str) -> tuple[Series, ...]:
        """The series that a record of the subject counts in by its registration."""
        found = (("industry", self.industry), ("region", self.region))
        return tuple(one for name, value in found if (one := Series.of(signal, name, value)))


class Looker:
    """Sees what counts.

    Args:
        policy: says which lists reward.
        origins: symbols of the origin of a report from society.
    """

    def __init__(self, policy: Policy, origins: tuple[str, ...]) -> None:
        self._rewarding = frozenset(code for code, rule in policy.lists.items() if rule.colour == REWARDING)
        self._origins = tuple(origin.replace("_", "-") for origin in origins)

    def sighting(self, record_type: str, value: Plain) -> Sighting | None:
        """What a valid plain record counts as; None for those that do not count."""
        signal = SIGNAL_OF.get(record_type)
        match record_type:
            case "penalty":
                ground = value["violation"]
            case "social_report":
                ground = self._origins[value["origin"]]
            case "abnormal_entry" if value["state"] == _ENTERED:
                ground = value["grounds"]
            case "listing" if value["list_code"] not in self._rewarding:
                ground = value["list_code"]
            case _:
                return None
        return Sighting(signal or "", value["department"], ground, prefecture(value["division"]))


def enrolment(value: Plain) -> Enrolment:
    """What a valid plain registration says."""
    return Enrolment(section_of(value["industry"]), prefecture(value["division"]))


def prefecture(division: str) -> str:
    """The prefecture of a division, "" of none.

    >>> prefecture("440106"), prefecture("")
    ('440100', '')
    """
    return division[:4] + "00" if division else ""


def section_of(industry: str) -> str:
    """The section of GB/T 4754 that a code lies in; "" where the text is none.

    >>> section_of("F5111"), section_of("5111"), section_of("F"), section_of("batteries"), section_of("")
    ('F', 'F', 'F', '', '')
    """
    found = _INDUSTRY.fullmatch(industry)
    if found is None:
        return ""
    if found[1]:
        return found[1]
    division = int(found[2] or 0)
    return next((letter for letter, first, last in _DIVISIONS if first <= division <= last), "")
