"""The threat model: each boundary has all six kinds of threat, each threat the tests that show how it is held, or a reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
BOUNDARIES = {part.splitlines()[0]: part for part in re.split(r"^## (?=\d)", TEXT, flags=re.MULTILINE)[1:]}
ROWS = [
    pytest.param([cell.strip() for cell in line.strip("|").split("|")], id=f"{name[:1]}{line[2]}-{number}")
    for name, part in BOUNDARIES.items()
    for number, line in enumerate(part.splitlines())
    if re.match(r"\| [STRIDE] \|", line)
]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_each_boundary_has_all_six_kinds(boundary: str) -> None:
    assert set(re.findall(r"^\| ([A-Z]) \|", BOUNDARIES[boundary], re.MULTILINE)) == set("STRIDE")


@pytest.mark.parametrize("row", ROWS)
def test_each_threat_has_tests_that_exist_or_a_reason(row: list[str]) -> None:
    _, threat, held, shown = row
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    assert named or held.startswith("reason: "), threat
    assert len(named) == shown.count("`") / 2, "nothing but tests is named there"
    for file, test in named:
        assert re.search(rf"^ *(async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), (
            f"{file}::{test}"
        )


def test_every_boundary_is_there() -> None:
    assert [name[0] for name in BOUNDARIES] == list("12345678")
