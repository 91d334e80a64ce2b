"""The archive killed so often, while departments publish and the standing processor answers; afterwards topics and tables are compared.

python -m tests.bench.archive_kills [--kills 100] [--records 300] [--seed 1] [--json]
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.archive_bus import ArchiveBeside
from tests.bench.measured import bench_bus, machine, print_result
from tests.faults.bus import BusUnderFault
from tests.faults.records import province


def main() -> None:
    """Kill, finish, compare and print; exit code 1 when anything is lost or twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--records", type=int, default=300, help="published before each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    each = arguments.records
    records = province(seed=arguments.seed, count=arguments.kills * each)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="creditbus-bench-") as made,
        bench_bus() as bench,
        BusUnderFault(bench.settings) as bus,
        ArchiveBeside(bus, Path(made) / "archive") as archive,
    ):
        bus.start("one")
        working = archive.kill_at_random(
            arguments.kills, seed=arguments.seed, between=lambda number: bus.feed(records[number * each :][:each])
        )
        bus.wait_quiet()
        bus.stop_all()
        process = archive.start()
        archive.wait_read()
        archive.stop(process)
        verdict = archive.verify()
    result = {
        "bench": "archive_kills", **machine(), "kills": arguments.kills, "kills_at_work": working, "published": bus.fed,
        "messages": verdict.messages, "rows": verdict.rows, "places_that_differ": len(verdict.differing),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
