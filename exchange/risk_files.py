"""The risk model's file: `schemas/policy/risk.toml` becomes the dated model of the domain, each row checked as it is read.

Points and per cent are whole numbers there; the domain counts hundredths.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from exchange.catalogue import Catalogue
from exchange.domain.bodies import RATING_SCHEMES
from exchange.domain.risk.model import CLASSES, GROUPS, SCHEME, Indicator, Method, Rate, RiskModel, Threshold
from exchange.domain.risk.occurrences import COUNTED, KINDS
from exchange.policy_lists import Placed, read_basis, report_gaps, report_overlaps
from exchange.rows import DataError, Problem, Row, read_rows

_TABLES = ("method", "indicator", "threshold", "rate")
_LATEST_DAY = 28
"""Every month has it."""
_WHOLE = 10_000
_MOST = 1000
"""Points of one occurrence, at most."""
HUNDREDTHS = 100


def load_risk(schemas: Path, catalogue: Catalogue) -> RiskModel:
    """Read the model.

    Args:
        schemas: the folder of the contracts, with `policy/` in it, or the folder of the policy files itself.
        catalogue: who may publish ratings.

    Raises:
        DataError: naming the first problem, and how many more there are.
    """
    model, problems = read_risk(schemas, catalogue)
    if problems:
        raise DataError(problems)
    return model


def read_risk(schemas: Path, catalogue: Catalogue) -> tuple[RiskModel, list[Problem]]:
    """The model as far as it can be read, and every problem in it."""
    folder = schemas / "policy" if (schemas / "policy").is_dir() else schemas
    problems: list[Problem] = []
    rows = read_rows(folder / "risk.toml", _TABLES, problems)
    model = RiskModel(
        version="",
        methods=_read_methods(rows["method"], catalogue),
        indicators=_read_indicators(rows["indicator"]),
        thresholds=_read_thresholds(rows["threshold"]),
        rates=_read_rates(rows["rate"]),
    )
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line))
    text = json.dumps(asdict(model), sort_keys=True, ensure_ascii=False, default=sorted)
    return replace(model, version=hashlib.sha256(text.encode()).hexdigest()[:12]), ordered


def _read_methods(rows: list[Row], catalogue: Catalogue) -> tuple[Method, ...]:
    found = []
    for row in rows:
        code = row.name = row.text("code", pattern="[a-z0-9]+(-[a-z0-9]+)*")
        department = row.text("department")
        if department not in catalogue.departments:
            row.report("unknown_department", "department", department, "is a department of the catalogue")
        elif "rating" not in catalogue.grants(department):
            row.report("not_granted", "department", department, "the catalogue lets it publish ratings")
        kinds = row.texts("kinds", required=True)
        for kind in kinds:
            if kind not in KINDS:
                row.report("bad_value", "kinds", kind, f"is one of {', '.join(KINDS)}")
        day = row.number("month_day", least=1)
        if day > _LATEST_DAY:
            row.report("bad_value", "month_day", day, f"is a day that every month has, up to {_LATEST_DAY}")
        start, end = row.validity()
        basis = read_basis(row)
        found.append(
            Method(
                code=code, department=department, kinds=frozenset(kinds), month_day=day, material=_points(row, "material"),
                basis=basis, effective_from=start, effective_to=end,
            )
        )  # fmt: skip
        row.close()
    report_overlaps((Placed(row, one) for row, one in zip(rows, found, strict=True)), "the method")
    return tuple(found)


def _read_indicators(rows: list[Row]) -> tuple[Indicator, ...]:
    found: defaultdict[str, list[Placed]] = defaultdict(list)
    indicators = []
    for row in rows:
        code = row.name = row.text("code", pattern="[a-z0-9]+(_[a-z0-9]+)*")
        record = row.choice("record", (*COUNTED, "rating"))
        states = row.texts("states", required=True)
        for state in states:
            _check_state(row, record, state)
        points, cap = _points(row, "points", least=-_MOST), _points(row, "cap")
        if abs(points) > cap or not points:
            row.report(
                "bad_value", "cap", row.values.get("cap"), "points are not 0, and one occurrence is within the cap"
            )
        start, end = row.validity()
        indicator = Indicator(
            code=code, group=row.choice("group", GROUPS), name_zh=row.text("name_zh"), name_en=row.text("name_en"),
            record=record, states=frozenset(states), points=points, cap=cap, term_months=row.number("term_months"),
            basis=read_basis(row), effective_from=start, effective_to=end, confidence=row.confidence(),
        )  # fmt: skip
        row.close()
        indicators.append(indicator)
        found[code].append(Placed(row, indicator))
    for code, placed in found.items():
        report_overlaps(placed, f"indicator {code}")
    return tuple(indicators)


def _check_state(row: Row, record: str, state: str) -> None:
    if record == "rating":
        scheme, _, grade = state.partition(":")
        if scheme not in RATING_SCHEMES or not grade or scheme == SCHEME:
            row.report(
                "bad_value", "states", state, f"is scheme:grade, and never {SCHEME}: a class must not feed on itself"
            )
    elif state not in COUNTED.get(record, frozenset()):
        row.report("bad_value", "states", state, f"is one of {', '.join(sorted(COUNTED.get(record, ())))}")


def _read_thresholds(rows: list[Row]) -> tuple[Threshold, ...]:
    found = []
    for row in rows:
        letter = row.name = row.choice("class", CLASSES[1:])
        start, end = row.validity()
        found.append(
            Threshold(
                letter=letter, points=_points(row, "points"), basis=read_basis(row), effective_from=start,
                effective_to=end, confidence=row.confidence(),
            )
        )  # fmt: skip
        row.close()
    placed = [Placed(row, one) for row, one in zip(rows, found, strict=True)]
    _check_dates(placed, (one.letter for one in found), "the threshold")
    for row, one in zip(rows, found, strict=True):
        lower = [
            o
            for o in found
            if o.letter < one.letter and o.effective_from < one.effective_to and one.effective_from < o.effective_to
        ]
        if any(other.points >= one.points for other in lower):
            row.report("bad_value", "points", row.values.get("points"), "is above the thresholds of better classes")
    return tuple(found)


def _read_rates(rows: list[Row]) -> tuple[Rate, ...]:
    found = []
    for row in rows:
        letter = row.name = row.choice("class", CLASSES)
        start, end = row.validity()
        share = _points(row, "percent")
        if share > _WHOLE:
            row.report("bad_value", "percent", row.values.get("percent"), "is at most 100")
        found.append(
            Rate(
                letter=letter, share=share, basis=read_basis(row), effective_from=start, effective_to=end,
                confidence=row.confidence(),
            )
        )  # fmt: skip
        row.close()
    _check_dates(
        [Placed(row, one) for row, one in zip(rows, found, strict=True)], (one.letter for one in found), "the rate"
    )
    return tuple(found)


def _check_dates(placed: list[Placed], letters: Iterable[str], what: str) -> None:
    by_letter: defaultdict[str, list[Placed]] = defaultdict(list)
    for one, letter in zip(placed, letters, strict=True):
        by_letter[letter].append(one)
    for letter, ones in by_letter.items():
        report_overlaps(ones, f"{what} of {letter}")
        report_gaps(ones, f"{what} of {letter}")


def _points(row: Row, name: str, *, least: int = 0) -> int:
    """Hundredths, of whole points or per cent."""
    return row.number(name, least=least) * HUNDREDTHS
