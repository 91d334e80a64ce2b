"""Back-test of the risk classes on provinces with known truth, beside peers in the same run, and the speed of working all out anew.

    python -m tests.bench.risk [--firms 5000] [--fit] [--json]

Points and thresholds of `schemas/policy/risk.toml` were chosen on the training provinces and days alone (`--fit` shows what those give
now). Everything reported is of other provinces (other seeds) and later days. What happens in the year after a day is the truth; what is
known on the day, by decision and arrival, is all that anybody sees of it.

A latent risk, rates and delays are assumptions (`producers/simulator/latent.py`): the figures say how well the method finds what is there
to be found, and not how a real province would come out. The bound is what knowing the latent risk itself would give.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from river import linear_model, optim

from consumers.risk.classing import Classer
from exchange.catalogue import load_catalogue
from exchange.domain.calendar import to_date, to_day
from exchange.domain.record import Entry
from exchange.domain.risk.assess import assess
from exchange.domain.risk.known import entries_on
from exchange.domain.risk.model import CLASSES, RiskModel, Rules
from exchange.domain.terms import add_months
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.risk_files import load_risk
from exchange.standing_store import Commit
from producers.simulator.latent import LatentFirm, LatentProvince
from producers.simulator.mix import RISK_CLASS
from tests.bench.measured import bench_bus, machine, print_result
from tests.bench.risk_statistics import Bounds, auc, caught, chances, highest, logistic, reliability

TRAINING_SEEDS, TEST_SEEDS = (1, 2, 3), (101, 102, 103)
TRAINING_DAYS = (to_day(date(2023, 1, 1)), to_day(date(2024, 1, 1)))
TEST_DAYS = (to_day(date(2025, 7, 1)), to_day(date(2025, 12, 31)))
"""At least a year after the last training day: its truth is of days before the first test day."""
STABLE_MONTHS = 12
DOUBLING = 10.0
"""Points that double the odds, when points are fitted."""

POLICY = load_policy(SCHEMAS, load_catalogue(SCHEMAS))
MODEL: RiskModel = load_risk(SCHEMAS, load_catalogue(SCHEMAS))


class Seen(NamedTuple):
    """What anybody can know of firms on a day, a row a firm, and the truth that nobody can.

    shares: of each indicator in full occurrences. penalties: known so far.
    """

    points: np.ndarray
    letters: list[str]
    shares: np.ndarray
    penalties: np.ndarray
    risk: np.ndarray
    violates: np.ndarray


@lru_cache
def rules_on(day: int) -> Rules:
    found = MODEL.on(day)
    assert found is not None
    return found


def known(province: LatentProvince, firm: LatentFirm, day: int) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Entries of a firm and of its representative as known on a day."""
    return entries_on(firm.facts, day), entries_on(province.related(firm.representative), day)


def see(province: LatentProvince, day: int) -> Seen:
    """All firms of a province that are classed on a day."""
    rules = rules_on(day)
    place = {indicator.code: number for number, indicator in enumerate(rules.indicators)}
    points, letters, shares, penalties, risk, violates = [], [], [], [], [], []
    for firm in province.firms:
        entries, related = known(province, firm, day)
        found = assess(firm.subject, entries, related, POLICY, rules)
        if found is None:
            continue
        row = np.zeros(len(place))
        for share in found.shares:
            row[place[share.indicator.code]] = share.points / share.indicator.points
        points.append(found.total / 100)
        letters.append(found.letter)
        shares.append(row)
        penalties.append(sum(key.startswith("penalty/") for key in entries))
        risk.append(firm.risk_on(day))
        violates.append(firm.violates(day))
    return Seen(
        np.array(points), letters, np.array(shares), np.array(penalties, float), np.array(risk), np.array(violates)
    )  # fmt: skip


def joined(found: Sequence[Seen]) -> Seen:
    """Several provinces or days as one."""
    letters = [letter for one in found for letter in one.letters]
    return Seen(*(
        letters if name == "letters" else np.concatenate([getattr(one, name) for one in found]) for name in Seen._fields
    ))  # type: ignore[arg-type] # each field in its place # fmt: skip


def learn_online(training: Seen) -> Any:
    """river's logistic regression on the same shares, in three passes over the training firms in a shuffled order."""
    peer = linear_model.LogisticRegression(optimizer=optim.SGD(0.05))  # the best of five set-ups that we tried
    for turn in range(3):
        for number in np.random.default_rng(turn).permutation(len(training.violates)):
            peer.learn_one(dict(enumerate(training.shares[number])), bool(training.violates[number]))
    return peer


def fit(training: Seen) -> list[str]:
    """Points and thresholds that the training provinces give, for whoever sets those of the file."""
    indicators = rules_on(TRAINING_DAYS[-1]).indicators
    bounds: Bounds = [(0.0, None)] * len(indicators)
    # Signs are the file's: a share is in full occurrences of it.
    signs = np.array([1.0 if one.points > 0 else -1.0 for one in indicators])
    weights = logistic(training.shares * signs, training.violates, bounds)
    points = np.round(weights[:-1] * signs / np.log(2) * DOUBLING)
    lines = [
        f"{one.code:22} {one.points / 100:6.0f} -> {new:4.0f}  seen {int((row > 0).sum())}"
        for one, new, row in zip(indicators, points, training.shares.T, strict=True)
    ]
    shares = np.cumsum([RISK_CLASS[letter] for letter in CLASSES[:-1]]) / sum(RISK_CLASS.values())
    for what, scores in (("of the file's points", training.points), ("of these points", training.shares @ points)):
        lines += [
            f"threshold {one} {np.quantile(scores, upto):.1f} {what}" for one, upto in zip("BCD", shares, strict=True)
        ]
    return lines


def changes_a_month(province: LatentProvince, firms: int) -> tuple[float, float]:
    """Shares of firms whose class changes from one month to the next, and by more than one class."""
    months = [add_months(TEST_DAYS[0], number) for number in range(STABLE_MONTHS)]
    changed = jumped = total = 0
    for firm in province.firms[:firms]:
        letters = []
        for day in months:
            found = assess(firm.subject, *known(province, firm, day), POLICY, rules_on(day))
            letters.append(CLASSES.index(found.letter) if found is not None else -1)
        for before, after in pairwise(letters):
            total += 1
            changed += before != after
            jumped += abs(before - after) > 1
    return changed / total, jumped / total


def speed(province: LatentProvince) -> float:
    """Assessments a second of CPU, entries at hand."""
    day = TEST_DAYS[-1]
    rules = rules_on(day)
    ready = [(firm.subject, *known(province, firm, day)) for firm in province.firms[:2000]]
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for subject, entries, related in ready:
            assess(subject, entries, related, POLICY, rules)
        best = min(best, time.process_time() - began)
    return len(ready) / best


def speed_from_store(province: LatentProvince) -> tuple[float, float]:
    """Firms a second, by the clock and of CPU, as the monthly round does them: read from the real store, and the records made."""
    day, pieces = TEST_DAYS[-1], 500
    with bench_bus() as bench:
        store, count = bench.store(), bench.settings.partitions
        by_partition: dict[int, list[str]] = {number: [] for number in range(count)}
        commits: dict[int, Commit] = {
            number: Commit(partition=number, expected="", token="t") for number in range(count)
        }
        told: set[str] = set()
        for firm in province.firms:
            entries, related = known(province, firm, day)
            by_partition[partition_of(firm.subject, count)].append(firm.subject)
            both = [(firm.subject, entries)] + (
                [(firm.representative, related)] if firm.representative not in told else []
            )
            told.add(firm.representative)
            for subject, found in both:
                commits[partition_of(subject, count)].entries += [(subject, key, entry) for key, entry in found.items()]
        assert store.commit(list(commits.values())) == [None] * count
        catalogue = load_catalogue(SCHEMAS)
        classer = Classer(store, POLICY, MODEL, catalogue, count)
        now = (day * 24 + 4) * 3_600_000
        began, cpu, computed = time.perf_counter(), time.process_time(), 0
        for number, subjects in by_partition.items():
            for first in range(0, len(subjects), pieces):
                computed += classer.work_out(number, subjects[first : first + pieces], now).computed
        return computed / (time.perf_counter() - began), computed / (time.process_time() - cpu)


def report(name: str, scores: np.ndarray, test: Seen, flagged: dict[str, int]) -> dict[str, float]:
    """How well some scores find the firms that violate, flagging as many as the classes do."""
    flat = {f"{name}_auc": auc(scores, test.violates)}
    for what, count in flagged.items():
        precision, recall = caught(highest(scores, count), test.violates)
        flat |= {f"{name}_precision_{what}": precision, f"{name}_recall_{what}": recall}
    return flat


def measure(training: Seen, test: Seen) -> dict[str, Any]:
    """Everything about the test provinces."""
    letters = np.array(test.letters)
    counts = Counter(test.letters)
    flat: dict[str, Any] = {"firms": len(letters), "violates_share": float(test.violates.mean())}
    for letter in CLASSES:
        flat[f"mix_{letter}"] = 100 * counts[letter] / len(letters)
        flat[f"mix_real_{letter}"] = RISK_CLASS[letter]
        flat[f"violates_{letter}"] = float(test.violates[letters == letter].mean())
    groups = {"d": letters == "D", "cd": (letters == "C") | (letters == "D")}
    flat["auc"] = auc(test.points, test.violates)
    for what, flagged in groups.items():
        flat[f"precision_{what}"], flat[f"recall_{what}"] = caught(flagged, test.violates)
    flagged_counts = {what: int(flagged.sum()) for what, flagged in groups.items()}
    peer = learn_online(training)
    of_peer = np.array([peer.predict_proba_one(dict(enumerate(row)))[True] for row in test.shares])
    free: Bounds = [(None, None)] * training.shares.shape[1]
    of_regression = chances(test.shares, logistic(training.shares, training.violates, free))
    flat |= report("river", of_peer, test, flagged_counts)
    flat |= report("regression", of_regression, test, flagged_counts)
    flat |= report("penalties", test.penalties, test, flagged_counts)
    flat |= report("bound", test.risk, test, flagged_counts)
    scale = logistic(training.points[:, None], training.violates, [(None, None)])
    chance = chances(test.points[:, None], scale)
    table = reliability(chance, test.violates)
    base = training.violates.mean()
    flat["brier"] = float(((chance - test.violates) ** 2).mean())
    flat["brier_base"] = float(((base - test.violates) ** 2).mean())
    flat["brier_regression"] = float(((of_regression - test.violates) ** 2).mean())
    flat["brier_river"] = float(((of_peer - test.violates) ** 2).mean())
    flat["calibration_error"] = sum(abs(said - came) * count for said, came, count in table) / len(chance)
    print("reliability, tenths of the firms by chance: said, came, firms")
    for said, came, count in table:
        print(f"  {said:.4f}  {came:.4f}  {count}")
    return flat


def main(arguments: Sequence[str]) -> int:
    """Run the back-test."""
    parser = argparse.ArgumentParser(description="Back-test of the risk classes.")
    parser.add_argument("--firms", type=int, default=5000, help="firms of each province")
    parser.add_argument(
        "--fit", action="store_true", help="show what points and thresholds the training gives, and end"
    )
    parser.add_argument("--json", action="store_true", help="print one flat JSON object as the last line")
    options = parser.parse_args(arguments)
    assert TRAINING_DAYS[-1] + 365 <= TEST_DAYS[0]
    assert not set(TRAINING_SEEDS) & set(TEST_SEEDS)
    training = joined(list(look(TRAINING_SEEDS, options.firms, TRAINING_DAYS)))
    if options.fit:
        print("\n".join(fit(training)))
        return 0
    province = LatentProvince(TEST_SEEDS[0], options.firms)
    test = joined(list(look(TEST_SEEDS, options.firms, TEST_DAYS)))
    flat = machine() | {
        "model": MODEL.version, "river_version": version("river"), "scipy_version": version("scipy"),
        "training_seeds": " ".join(map(str, TRAINING_SEEDS)), "test_seeds": " ".join(map(str, TEST_SEEDS)),
        "training_days": " ".join(to_date(day).isoformat() for day in TRAINING_DAYS),
        "test_days": " ".join(to_date(day).isoformat() for day in TEST_DAYS),
    }  # fmt: skip
    flat |= {
        name: round(value, 4) if isinstance(value, float) else value for name, value in measure(training, test).items()
    }
    changed, jumped = changes_a_month(province, min(2000, options.firms))
    rate = speed(province)
    flat |= {
        "changed_a_month": round(changed, 4), "jumped_a_month": round(jumped, 4),
        "assessments_per_cpu_s": round(rate), "million_cpu_s": round(1e6 / rate, 1),
    }  # fmt: skip
    by_clock, of_cpu = speed_from_store(province)
    flat |= {"store_firms_per_s": round(by_clock), "store_firms_per_cpu_s": round(of_cpu)}
    print_result(flat, as_json=options.json)
    return 0


def look(seeds: Iterable[int], firms: int, days: Iterable[int]) -> Iterable[Seen]:
    """Provinces on days."""
    wanted = tuple(days)
    for seed in seeds:
        province = LatentProvince(seed, firms)
        for day in wanted:
            yield see(province, day)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
