"""Run a campaign.

    python -m tests.faults.campaign [--seed 1] [--faults 1000] [--minutes 60] [--kinds "broker killed"] [--json]

The same seed gives the same faults in the same order. SIGINT and SIGTERM end it as its time does: the fault under way is healed, everything is
compared, and the result is told. When something fails, the folder with all logs stays and is named.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console

from tests.faults.campaign.campaign import run_campaign
from tests.faults.campaign.schedule import draw_schedule, named

DAY_MINUTES = 24 * 60.0


def say(line: str) -> None:
    """Progress, for people."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


def main() -> None:
    """Run it and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="of the faults and the load; the time if not given"
    )
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=DAY_MINUTES, help="no fault is injected after")
    parser.add_argument("--rate", type=float, default=30, help="records a second")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--check-every", type=int, default=50, help="faults between two questions to the oracle")
    parser.add_argument("--kinds", default="", help="only these, with commas between")
    parser.add_argument(
        "--home", type=Path, help="folder for data and logs, kept; else one that is gone if all is well"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    arguments = parser.parse_args()
    kinds = named([one.strip() for one in arguments.kinds.split(",") if one.strip()])
    home = arguments.home or Path(tempfile.mkdtemp(prefix="creditbus-faults-"))
    say(f"seed {arguments.seed}, {arguments.faults} faults, logs in {home}")
    told_to_end, end_at = threading.Event(), time.monotonic() + 60 * arguments.minutes
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_end.set())
    outcome = run_campaign(
        home, draw_schedule(arguments.seed, arguments.faults, kinds), seed=arguments.seed, rate=arguments.rate,
        partitions=arguments.partitions, say=say, check_every=arguments.check_every,
        is_over=lambda: told_to_end.is_set() or time.monotonic() > end_at,
    )  # fmt: skip
    Console().print(outcome.table())
    if outcome.failure:
        say(f"failed: {outcome.failure}\nlogs: {home}; again: --seed {arguments.seed}")
    elif arguments.home is None:
        shutil.rmtree(home)
    if arguments.json:
        sys.stdout.write(json.dumps(outcome.as_json(), ensure_ascii=False) + "\n")
    raise SystemExit(0 if outcome.is_good else 1)


if __name__ == "__main__":
    main()
