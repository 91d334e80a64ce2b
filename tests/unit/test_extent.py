"""What a run of the suites leaves out."""

from dataclasses import dataclass

import pytest

from tests.extent import left_out


@dataclass(frozen=True)
class Case:
    """As much of a test as matters."""

    nodeid: str
    marks: tuple[str, ...] = ()

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


KILLS = [Case(f"tests/faults/test_{step}.py::test_killed", ("servers",)) for step in range(7)]
PURE = [Case(f"tests/faults/test_a.py::test_words[{number}]") for number in range(4)]
LIFE = [Case(f"tests/integration/test_b.py::test_life[{number}]", ("servers", "drawn")) for number in range(3)]
PLAIN = [Case(f"tests/integration/test_c.py::test_plain[{number}]", ("servers",)) for number in range(3)]


def done(cases: list[Case], seed: int) -> set[str]:
    out = {item.nodeid for item in left_out(cases, seed)}  # type: ignore[arg-type] # no more of an item is used
    return {case.nodeid for case in cases} - out


def names(cases: list[Case]) -> set[str]:
    return {case.nodeid for case in cases}


@pytest.mark.parametrize("seed", range(5))
def test_a_quarter_is_done_where_servers_are_killed_and_elsewhere_all(seed: int) -> None:
    found = done([*KILLS, *PURE, *LIFE, *PLAIN], seed)
    assert len(found & names(KILLS)) == 2
    assert len(found & names(LIFE)) == 1
    assert found >= names(PURE) | names(PLAIN)


def test_the_seed_alone_decides_and_runs_together_do_all() -> None:
    assert done(KILLS, seed=7) == done(KILLS[::-1], seed=7)
    assert set.union(*(done(KILLS, seed) for seed in range(30))) == names(KILLS)
