"""Disclosure of the policy files: terms within which decisions must be public, each row checked as it is read."""

from exchange.catalogue_resources import RECORD_TYPES
from exchange.domain.policy import DisclosureTerm
from exchange.policy_lists import Placed, read_basis, report_overlaps
from exchange.rows import Row


def read_disclosure(rows: list[Row]) -> tuple[DisclosureTerm, ...]:
    """The terms of disclosure; of each record type there is one at most on each day."""
    found = []
    for row in rows:
        names = row.texts("record_types", required=True)
        row.name = " ".join(names)
        for name in names:
            if name not in RECORD_TYPES:
                row.report("unknown_record_type", "record_types", name, "is a record type of the bus")
        start, end = row.validity()
        term = DisclosureTerm(
            record_types=frozenset(names),
            within_working_days=row.number("within_working_days", least=1),
            basis=read_basis(row),
            effective_from=start,
            effective_to=end,
            confidence=row.confidence(),
        )
        row.close()
        found.append((row, term))
    for name in sorted({name for _, term in found for name in term.record_types}):
        report_overlaps([Placed(row, term) for row, term in found if name in term.record_types], f"the term of {name}")
    return tuple(term for _, term in found)
