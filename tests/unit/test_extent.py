"""What a run of the suites leaves out."""

from dataclasses import dataclass

import pytest

from tests.extent import left_out


@dataclass(frozen=True)
class Case:
    """As much of a test as matters."""

    nodeid: str
    number: int | None

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        found: pytest.Mark | None = None if self.number is None else getattr(pytest.mark, name)(self.number).mark
        return found


MANY = [Case(f"a.py::test_many[{step}]", 2) for step in range(5)]
FEW = [Case(f"a.py::test_few[{step}]", 3) for step in range(2)]
ALONE = Case("a.py::test_alone", None)


def done(cases: list[Case], seed: int) -> set[str]:
    out = {item.nodeid for item in left_out(cases, seed)}  # type: ignore[arg-type] # no more of an item is used
    return {case.nodeid for case in cases} - out


def test_of_many_cases_so_many_are_done_and_of_few_all() -> None:
    found = done([*MANY, *FEW, ALONE], seed=1)
    assert len(found & {case.nodeid for case in MANY}) == 2
    assert found >= {case.nodeid for case in [*FEW, ALONE]}


def test_the_seed_alone_decides_and_runs_together_do_all() -> None:
    assert done(MANY, seed=7) == done(MANY[::-1], seed=7)
    assert set.union(*(done(MANY, seed) for seed in range(30))) == {case.nodeid for case in MANY}
