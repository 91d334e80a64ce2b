"""How good scores are that should tell who will violate: ranking, precision and recall, calibration, and the regression that is compared with."""

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

RIDGE = 3.0
RELIABILITY_BINS = 10
Bounds = list[tuple[float | None, float | None]]
"""Least and most of each weight."""


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """The chance that a firm that violates has the higher score; ties count half."""
    ranks, good = rankdata(scores), truth.sum()
    return float((ranks[truth].sum() - good * (good + 1) / 2) / (good * (len(truth) - good)))


def caught(flagged: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Precision and recall."""
    hits = float((flagged & truth).sum())
    return hits / max(1, flagged.sum()), hits / max(1, truth.sum())


def highest(scores: np.ndarray, count: int) -> np.ndarray:
    """The firms with the highest scores, ties broken by chance: as many as the classes flag, so that peers are compared fairly."""
    order = np.lexsort((np.random.default_rng(1).random(len(scores)), -scores))
    flagged = np.zeros(len(scores), bool)
    flagged[order[:count]] = True
    return flagged


def logistic(features: np.ndarray, truth: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Weights of a logistic regression, the constant last; ridge on the others."""
    whole = np.hstack([features, np.ones((len(features), 1))])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = whole @ weights
        chance = 1 / (1 + np.exp(-logits))
        value = np.logaddexp(0, logits).sum() - logits[truth].sum() + RIDGE / 2 * (weights[:-1] ** 2).sum()
        return value, whole.T @ (chance - truth) + RIDGE * np.append(weights[:-1], 0)

    start = np.append(np.zeros(features.shape[1]), np.log(truth.mean() / (1 - truth.mean())))
    found = minimize(loss, start, jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B")
    weights: np.ndarray = found.x
    return weights


def chances(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The chance of each firm by a logistic regression."""
    found: np.ndarray = 1 / (1 + np.exp(-(features @ weights[:-1] + weights[-1])))
    return found


def reliability(chance: np.ndarray, truth: np.ndarray) -> list[tuple[float, float, int]]:
    """By tenths of the firms in the order of their chance: what was said, what came, how many."""
    order = np.argsort(chance, kind="stable")
    return [
        (float(chance[part].mean()), float(truth[part].mean()), len(part))
        for part in np.array_split(order, RELIABILITY_BINS)
    ]
