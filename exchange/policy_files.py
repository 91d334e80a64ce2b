"""Policy files: lists, memoranda, measures, repair and disclosure of `schemas/policy/` become the one dated policy of the domain.

Every process that judges reads them once at its start and refuses to run by a policy with a problem in it.
"""

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

from exchange.catalogue import Catalogue
from exchange.domain.policy import OPEN, ListRule, MeasureRule, Policy
from exchange.policy_disclosure import read_disclosure
from exchange.policy_lists import read_lists, read_memoranda, read_process, read_publicity, read_ratings
from exchange.policy_measures import read_matters, read_measures
from exchange.policy_warnings import read_signals, read_warnings
from exchange.rows import DataError, Problem, read_rows

VERSION_DIGITS = 12


def load_policy(schemas: Path, catalogue: Catalogue) -> Policy:
    """Read the policy.

    Args:
        schemas: the folder of the contracts, with `policy/` in it, or the folder of the policy files itself.
        catalogue: who the departments are.

    Raises:
        DataError: naming file, line, row, field, value and rule of the first problem, and how many more there are.
    """
    policy, problems = read_policy(schemas, catalogue)
    if problems:
        raise DataError(problems)
    return policy


def check_policy(schemas: Path, catalogue: Catalogue) -> list[Problem]:
    """Every problem of the policy files, in the order of files and lines."""
    return read_policy(schemas, catalogue)[1]


def read_policy(schemas: Path, catalogue: Catalogue) -> tuple[Policy, list[Problem]]:
    """The policy as far as it can be read, and every problem in it."""
    folder = schemas / "policy" if (schemas / "policy").is_dir() else schemas
    problems: list[Problem] = []
    list_rows = read_rows(folder / "lists.toml", ("list", "rating"), problems)
    memorandum_rows = read_rows(folder / "memoranda.toml", ("memorandum",), problems)
    measure_rows = read_rows(folder / "measures.toml", ("matter", "measure"), problems)
    repair_rows = read_rows(folder / "repair.toml", ("publicity", "process"), problems)
    disclosure_rows = read_rows(folder / "disclosure.toml", ("disclosure",), problems)
    warning_rows = read_rows(folder / "warnings.toml", ("list", "warning", "measure", "signal"), problems)

    lists = read_lists(list_rows["list"] + warning_rows["list"], catalogue)
    ratings = read_ratings(list_rows["rating"], lists)
    memoranda = read_memoranda(memorandum_rows["memorandum"], lists)
    matters = read_matters(measure_rows["matter"])
    rules = read_measures(measure_rows["measure"] + warning_rows["measure"], lists, memoranda, matters, catalogue)
    warnings = read_warnings(warning_rows["warning"], lists, catalogue)
    ours = [rule for rule in rules if not rule.region or rule.region in catalogue.regions]
    policy = Policy(
        version="",
        lists=lists,
        rules_by_list=_by_list(ours),
        rating_lists=ratings,
        publicity=read_publicity(repair_rows["publicity"]),
        edges=_edges(ours, lists),
        matters=matters,
        memoranda=memoranda,
        repair_process=read_process(repair_rows["process"]),
        disclosure=read_disclosure(disclosure_rows["disclosure"]),
        warning_lists={one.domain: one.list_code for one in warnings},
        warning_rules=warnings,
        signal_rules=read_signals(warning_rows["signal"]),
        rules_elsewhere=tuple(rule for rule in rules if rule.region and rule.region not in catalogue.regions),
    )
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line))
    return replace(policy, version=_version(policy)), ordered


def _by_list(rules: list[MeasureRule]) -> dict[str, tuple[MeasureRule, ...]]:
    """Rules by list, expired ones too: the judge counts those that have no basis in force."""
    found: defaultdict[str, list[MeasureRule]] = defaultdict(list)
    for rule in rules:
        found[rule.list_code].append(rule)

    def place(rule: MeasureRule) -> tuple[str, str, str, str, int]:
        return rule.measure, rule.department, rule.role, rule.target, rule.effective_from

    return {code: tuple(sorted(of_list, key=place)) for code, of_list in sorted(found.items())}


def _edges(rules: list[MeasureRule], lists: dict[str, ListRule]) -> tuple[int, ...]:
    """The days on which a judgement may change because the policy does."""
    days = {day for rule in rules for day in (rule.effective_from, rule.effective_to)}
    days |= {one.joint_requires_serious_from for one in lists.values() if one.joint_requires_serious_from is not None}
    return tuple(sorted(days - {OPEN}))


def _version(policy: Policy) -> str:
    """A checksum of what the files say: comments and layout do not change it."""
    facts = asdict(policy) | {"rating_lists": sorted(policy.rating_lists.items())}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=sorted)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]
