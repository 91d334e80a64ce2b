"""Every bench still runs, if on little, and prints the figures that README has of it."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from tests.bench.measured import ROOT

SMALL: Mapping[str, Sequence[str]] = {
    "throughput": ("--records", "30000", "--subjects", "5000"),
    "scale": ("--records", "30000", "--subjects", "5000", "--shapes", "1x1,2x2"),
    "latency": ("--rates", "500", "--seconds", "8", "--warm-up", "3"),
    "growth": ("--burst", "2000"),
    "job": ("--records", "4000", "--subjects", "500", "--batch", "500"),
    "inbox": ("--departments", "2", "--polls", "2", "--notices", "20"),
    "delivery": ("--notices", "600", "--rate", "50", "--seconds", "4"),
    "bridge": ("--rates", "50", "--seconds", "4", "--backlog", "500"),
    "ledger": ("--records", "30000", "--subjects", "2000"),
    "portal": ("--standings", "2000", "--names", "2000", "--load", "50", "--seconds", "2"),
    "directory": ("--names", "2000", "--searches", "50", "--records", "30000"),
    "risk": ("--firms", "600"),
    "archive": ("--records", "600000", "--naive", "500", "--rows", "3000"),
    "simulate": ("--standings", "2000"),
    "early-warning": ("--records", "6000", "--per-second", "100", "--seconds", "3"),
    "footprint": ("--records", "2000", "--subjects", "500"),
    "warnings": ("--seeds", "201", "--tuning", "1"),
}
KEY = re.compile(r"`([a-z][a-z0-9]*_[a-z0-9_]+)`")


def keys_in_readme(bench: str) -> set[str]:
    """The figures of a bench in README's table, a number in a name being any."""
    keys, of = set(), ""
    for line in (ROOT / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and line.startswith("|"):
            named = re.match(r"`creditbus bench ([a-z-]+)", cells[1])
            of = named[1] if named else of if not cells[1] else ""
            keys |= {re.sub(r"\d+", "#", key) for key in KEY.findall(cells[2]) if of == bench}
    return keys


@pytest.mark.drawn
@pytest.mark.servers
@pytest.mark.timeout(600)
@pytest.mark.parametrize("bench", SMALL)
def test_it_runs_and_prints_what_readme_says(bench: str) -> None:
    if bench == "throughput":
        subprocess.run(["make", ".venv-peers/ready"], cwd=ROOT, check=True)
    command = [sys.executable, "-m", "deploy.cli.main", "bench", bench, "--json", "--", *SMALL[bench]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert all(not isinstance(value, dict | list) for value in figures.values()), "one flat object"
    printed = {re.sub(r"\d+", "#", key) for key in figures}
    lacking = {key for key in keys_in_readme(bench) if not any(f"{one}_".startswith(f"{key}_") for one in printed)}
    assert not lacking, f"README has figures that the bench does not print; it prints {sorted(figures)}"
