"""That a person had another pseudonym before.

Mirror of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass

from exchange.records.header import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymChange(Record):
    """假名换钥: The pseudonym that a person had under an older key; what was said under it is said about the subject."""

    former: str
