"""Scale-out: the same records by more and more processors, each with a partition or several.

    python -m tests.bench.scale [--records 100000] [--subjects 20000] [--shapes 1x1,2x2,4x4,8x8,8x1] [--json]

A shape is partitions x processors. On a machine with few cores the rate stops rising where they are all busy; what scales further is
told by the CPU time of a record: `efficiency` is that of the first shape's processors to this shape's.
"""

import argparse
import sys

from tests.bench.measured import bench_bus, machine, print_result, timed
from tests.bench.throughput import feed


def measure(partitions: int, processors: int, records: int, subjects: int) -> dict[str, float]:
    """Records a second, and CPU microseconds of a record in all processors, the broker and Redis."""
    with bench_bus(partitions=partitions) as bench:
        feed(bench, records, subjects, everything=False)
        command = [sys.executable, "-m", "deploy.cli.main", "run", "standing"]
        with timed(bench, command, bench.environment(), bench.taken_in, records, count=processors) as run:
            return {"events_per_s": round(run.rate)} | {f"{who}_cpu_us": us for who, us in run.cpu_us.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--subjects", type=int, default=20_000)
    parser.add_argument("--shapes", default="1x1,2x2,4x4,8x8,8x1")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, object] = {
        "bench": "scale", "records": arguments.records, "subjects": arguments.subjects, **machine()
    }  # fmt: skip
    first = 0.0
    for shape in arguments.shapes.split(","):
        partitions, processors = map(int, shape.split("x"))
        found = measure(partitions, processors, arguments.records, arguments.subjects)
        first = first or found["app_cpu_us"]
        found["efficiency"] = round(first / found["app_cpu_us"], 2)
        result |= {f"{name}_{shape}": value for name, value in found.items()}
        sys.stderr.write(f"{shape}: {found['events_per_s']:,.0f} events/s\n")
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
