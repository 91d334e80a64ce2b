"""Verdict: what `verify` compared, and what it found to differ."""

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 20
"""Problems named one by one; the rest is counted."""


@dataclass(slots=True)
class Verdict:
    """What was compared, and every difference found."""

    records: int = 0
    rejected: int = 0
    subjects: int = 0
    standings: int = 0
    measures: int = 0
    notices: int = 0
    waiting: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether everything agrees."""
        return not self.problems

    def wrong(self, kind: str, detail: str) -> None:
        """Something differs."""
        self.problems[kind] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"{kind}: {detail}")
