"""Series: what early warning counts, one signal along one dimension, such as penalties in one city.

>>> Series.parse("penalty.region.440100")
Series(signal='penalty', dimension='region', value='440100')
>>> Series("listing", "department", "gd.tax").id
'listing.department.gd.tax'
"""

import re
from typing import NamedTuple

from exchange.domain.codes import IdentityError

SIGNALS = ("penalty", "complaint", "abnormal_entry", "listing")
"""What is counted: penalties decided, complaints and reports of society, entries on the abnormal list, listings."""

DIMENSIONS: dict[str, re.Pattern[str]] = {
    "region": re.compile(r"[1-9][0-9]{5}"),
    "industry": re.compile(r"[A-T]"),
    "department": re.compile(r"[a-z]{2,8}\.[a-z][a-z0-9]{0,30}"),
    "ground": re.compile(r"[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){0,3}"),
}
"""Along what: a division of GB/T 2260, a section of GB/T 4754, a department's slug, a list code or the number of a ground."""


class Series(NamedTuple):
    """One signal along one dimension. Make one of foreign values with `Series.of` or `Series.parse`, which check them."""

    signal: str
    dimension: str
    value: str

    @property
    def id(self) -> str:
        """Its name, as in the subject `series:<id>`."""
        return f"{self.signal}.{self.dimension}.{self.value}"

    @classmethod
    def of(cls, signal: str, dimension: str, value: str) -> "Series | None":
        """The series, or None where the value is not one of its dimension: empty, or free text."""
        shape = DIMENSIONS.get(dimension)
        if signal not in SIGNALS or shape is None or not shape.fullmatch(value):
            return None
        return cls(signal, dimension, value)

    @classmethod
    def parse(cls, text: str) -> "Series":
        """The series of an id.

        Raises:
            IdentityError: `series_shape`.
        """
        found = cls.of(*text.split(".", 2)) if text.count(".") >= 2 else None
        if found is None:
            raise IdentityError("series_shape", "signal.dimension.value, such as penalty.region.440100", text)
        return found
