"""Upkeep: many small files of a month become few large ones, and files that nobody needs any more are removed.

A compaction is one Delta commit that changes no row; if it dies here, its unfinished files are nobody's and vacuum removes them.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable

import pyarrow as pa
from deltalake import DeltaTable

from consumers.archive.keeper import WRITING, ArchiveKeeper
from exchange.archive_columns import ARRIVED_MONTH

LARGE = 256 * 2**20
"""Bytes of a file that is left as it is; 440 million records a year make about a hundred of these."""
SMALL = 64 * 2**20
"""Files below it count as small."""
ORDER = ("subject", "arrived_on")
"""Columns that a month which is over may be sorted by, so that what is asked of one subject reads little."""
VACUUM_EVERY = 24 * 3600.0
"""Seconds between removals of what is no longer needed; Delta's own retention of the table, a week, protects readers."""


class Upkeep:
    """Looks after the tables of a keeper.

    Args:
        keeper: of the archive.
        many: so many small files of a month are made into large ones.
        on_step: told `compact`, `compacted`, `vacuum`.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        keeper: ArchiveKeeper,
        many: int,
        on_step: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keeper = keeper
        self._many = many
        self._on_step = on_step
        self._clock = clock
        self._vacuum_at = clock() + VACUUM_EVERY

    def look(self, names: Iterable[str]) -> int:
        """Compact what has become many small files, and vacuum once a day; the number of files that went.

        Args:
            names: tables that have changed.
        """
        removed = 0
        vacuums = self._clock() >= self._vacuum_at
        if vacuums:
            self._vacuum_at = self._clock() + VACUUM_EVERY
        for name in names:
            table = self._keeper.table(name)
            if table is not None:
                removed += self._compact(table)
                if vacuums:
                    self._vacuum(table)
        return removed

    def sort(self, name: str, month: str) -> int:
        """Write a table's month anew, ordered by subject and day of arrival, so that one subject's rows lie together.

        Worth it once a month is over; the number of files that it has then.
        """
        table = self._keeper.table(name)
        if table is None or month not in _months(table):
            return 0
        self._on_step("compact")
        there = {field.name for field in table.schema().fields}
        done = table.optimize.z_order(
            [name for name in ORDER if name in there],
            [(ARRIVED_MONTH, "=", month)],
            target_size=LARGE,
            writer_properties=WRITING,
        )
        self._on_step("compacted")
        return int(done["numFilesAdded"])

    def _compact(self, table: DeltaTable) -> int:
        removed = 0
        for month, count in _months(table).items():
            if count >= self._many:
                self._on_step("compact")
                chosen = [(ARRIVED_MONTH, "=", month)] if month else None
                done = table.optimize.compact(chosen, target_size=LARGE, writer_properties=WRITING)
                removed += int(done["numFilesRemoved"]) - int(done["numFilesAdded"])
                self._on_step("compacted")
        return removed

    def _vacuum(self, table: DeltaTable) -> None:
        self._on_step("vacuum")
        table.vacuum(dry_run=False, full=True)


def _months(table: DeltaTable) -> Counter[str]:
    """Small files of each month; of a table without months under the empty name."""
    actions = pa.table(table.get_add_actions(flatten=True))
    partition = f"partition.{ARRIVED_MONTH}"
    months = actions[partition].to_pylist() if partition in actions.column_names else [""] * actions.num_rows
    sizes = actions["size_bytes"].to_pylist()
    return Counter(month for month, size in zip(months, sizes, strict=True) if size < SMALL)
