"""What a campaign has found: each fault with how long the bus was away, and by kind as people and programs read it."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from tests.faults.campaign.oracle import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """One fault that was injected and healed.

    Attributes:
        away: seconds that a record had to wait for its notice at most, from the fault on; for faults of the dispatcher until
            it was pushed.
        after: seconds from when it was healed until records of every partition came through again.
        settled: seconds until everything was whole again.
    """

    number: int
    kind: str
    detail: str
    lasted: float
    away: float
    after: float
    settled: float


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Of a whole campaign."""

    seed: int
    faults: list[Injected] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)
    seconds: float = 0.0
    sent_again: int = 0
    ended: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing failed and nothing differs."""
        return not self.failure and all(one.is_good for one in self.checks)

    def by_kind(self) -> dict[str, dict[str, float]]:
        """Kind to number of faults, and seconds away: p50, p95 and longest; and after it was healed: p95 and longest."""
        found: dict[str, list[Injected]] = defaultdict(list)
        for one in self.faults:
            found[one.kind].append(one)
        return {
            kind: {
                "faults": len(of_kind), "away_p50_s": percentile([one.away for one in of_kind], 50),
                "away_p95_s": percentile([one.away for one in of_kind], 95), "away_max_s": max(one.away for one in of_kind),
                "after_p95_s": percentile([one.after for one in of_kind], 95), "after_max_s": max(one.after for one in of_kind),
            }
            for kind, of_kind in sorted(found.items())
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        last = asdict(self.checks[-1]) if self.checks else {}
        return {
            "campaign": "faults", "good": self.is_good, "failure": self.failure, "seed": self.seed, "faults": len(self.faults),
            "seconds": round(self.seconds, 1), "checks": len(self.checks), **last, "sent_again": self.sent_again,
            "ended_by_themselves": self.ended,
            "kinds": self.by_kind(),
        }  # fmt: skip

    def table(self) -> Table:
        """By kind, for people."""
        table = Table(title=f"faults of seed {self.seed}: seconds until a record came through")
        for name in ("kind", "faults", "p50", "p95", "longest", "after healing p95", "longest"):
            table.add_column(name, justify="left" if name == "kind" else "right")
        for kind, of_kind in self.by_kind().items():
            table.add_row(kind, f"{of_kind['faults']:.0f}", *(f"{of_kind[name]:.1f}" for name in list(of_kind)[1:]))
        return table


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile.

    >>> percentile([4, 1, 3, 2], 50), percentile([1], 95)
    (2, 1)
    """
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
