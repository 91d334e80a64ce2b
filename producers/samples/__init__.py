"""Sample files in the real layouts, with bad rows among them, about organisations and persons that do not exist.

`python -m producers.samples.generate` makes them anew, the same every time.
"""

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "files"


class Sample(NamedTuple):
    """A sample file: its name, who publishes it, and the layout it is in."""

    name: str
    department: str
    layout: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return FOLDER / self.name


SAMPLES = (
    Sample("penalties-2016.csv", "gd.amr", "penalty-2016"),
    Sample("registrations.csv", "gd.amr", "registration"),
    Sample("licences-2018.xlsx", "gd.eco", "licence-2018"),
    Sample("penalties-2018.csv", "gd.em", "penalty-2018"),
    Sample("abnormal.csv", "gd.amr", "abnormal"),
    Sample("tax-list.csv", "gd.tax", "tax-list"),
    Sample("wage-list.csv", "gd.hrss", "wage-list"),
    Sample("court-list.csv", "gd.court", "court-list"),
    Sample("safety-list.csv", "gd.em", "list"),
    Sample("red-list.csv", "gd.tax", "list"),
    Sample("repairs.csv", "gd.tax", "repair"),
    Sample("withdrawals.csv", "gd.em", "withdrawal"),
)
"""In the order in which a demonstration publishes them: what is known first, then what changes it."""
