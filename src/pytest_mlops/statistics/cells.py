"""Functions of paired confusion counts: what no single share of the same rows expresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 20_000
PRIOR = 1 / 2

Confusion = tuple[Any, Any, Any]
"""True positives, false positives, false negatives: counts, or arrays of shares."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A metric that divides one weighted sum of the confusion counts by another.

    Parameters
    ----------
    upper, lower : tuple of three floats
        The weights of (tp, fp, fn) in its numerator and in its denominator.
    """

    upper: tuple[float, float, float]
    lower: tuple[float, float, float]

    def __call__(self, cells: Confusion) -> Any:
        """The metric of counts, or of arrays of shares."""
        return _weighted(self.upper, cells) / _weighted(self.lower, cells)


precision = Ratio(upper=(1, 0, 0), lower=(1, 1, 0))
"""tp / (tp + fp)."""

f1 = Ratio(upper=(2, 0, 0), lower=(2, 1, 1))
"""2 tp / (2 tp + fp + fn)."""


def improvement(
    positive: NDArray[np.bool_],
    champion: NDArray[np.bool_],
    challenger: NDArray[np.bool_],
    *,
    metric: Ratio,
    confidence: float,
    generator: np.random.Generator,
) -> Estimate:
    """How much larger a metric of the challenger's confusion counts is, on the same rows.

    Parameters
    ----------
    positive, champion, challenger : bool arrays of shape (n,)
        Rows of the positive class, and rows that each model calls positive.
    metric : Ratio
    confidence : float
        In (0, 1).
    generator : numpy.random.Generator
        For 20,000 draws.

    Returns
    -------
    Estimate
        In [-1, 1]. The interval comes from the eight cells (truth × champion × challenger) under a Dirichlet
        distribution with counts + 1/2, which adds four rows in all [1]_. The p-value is the larger one of two tests,
        because each is too eager where the other is not. The sign-flip test (on each row where the models differ they
        swap their predictions with probability 1/2; mid-p; for accuracy that is McNemar's) holds its level however
        few rows differ, but only for models that are interchangeable: two that are equally precise while one calls
        far fewer rows positive are not. For those there is the score test [2]_, which needs more rows. (The share of
        draws without a loss is not used: with 30 rows it rejects two true nulls for every one that it may.) The
        standard error is that of the draws, or that of equal models if it is larger: rows that happen to agree are no
        proof that the next ones will.

    Raises
    ------
    EvidenceError
        The metric is not defined for one of the models (0 / 0).

    References
    ----------
    .. [1] H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proceedings of the
       Royal Society A 186, 1946. (One row in all, 1/8 for each cell, leaves the interval too short: the 95 % interval
       of precision then covers 86 % on 50 rows, where two or three rows of a cell decide.)
    .. [2] A. S. Kosinski, "A weighted generalized score statistic for comparison of predictive values of diagnostic
       tests", Statistics in Medicine 32, 2013.
    """
    counts = np.bincount(4 * positive + 2 * champion + challenger, minlength=8).astype(np.float64)
    value = _difference(counts, metric)
    if not np.isfinite(value):
        raise EvidenceError("the metric is 0 / 0: a model calls no row positive, or no row is")
    drawn = _difference(generator.dirichlet(counts + PRIOR, size=DRAWS).T, metric)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    by_score, under_equality = _score(counts, metric)
    return Estimate(
        value=float(value),
        low=min(float(low), float(value)),
        high=max(float(high), float(value)),
        confidence=confidence,
        method="Dirichlet(counts + 1/2) over paired cells",
        n=int(positive.size),
        null=0.0,
        p_value=max(_sign_flip(counts.astype(np.int64), float(value), metric, generator), by_score),
        standard_error=max(float(drawn.std()), under_equality),
    )


def _sign_flip(counts: NDArray[np.int64], observed: float, metric: Ratio, generator: np.random.Generator) -> float:
    """How often a difference at most as large comes up when the models are interchangeable; ties count half.

    Swaps that leave a model without a metric (0 / 0) do not count.
    """
    flipped = np.repeat(counts.reshape(2, 4, 1), DRAWS, axis=2).astype(np.float64)
    for truth in (0, 1):
        only_challenger, only_champion = counts[4 * truth + 1], counts[4 * truth + 2]
        swapped = generator.binomial(only_challenger + only_champion, 0.5, size=DRAWS)
        flipped[truth, 1] = swapped
        flipped[truth, 2] = only_challenger + only_champion - swapped
    drawn = _difference(flipped.reshape(8, DRAWS), metric)
    tied = np.abs(drawn - observed) <= 1e-12
    lower = np.count_nonzero((drawn < observed) & ~tied)
    defined = np.count_nonzero(np.isfinite(drawn))
    return float((lower + np.count_nonzero(tied) / 2 + 0.5) / (defined + 1))


def _score(counts: NDArray[np.float64], metric: Ratio) -> tuple[float, float]:
    """P(a difference at most as large), and its standard error, where the models have one metric in common.

    With v for that metric, the difference is exactly the sum over rows of (upper - v lower) / Σ lower for the
    challenger minus the same for the champion, whatever v is; its variance is the sum of their squares. The standard
    error has one row more on which the models differ, the one that counts most: as `paired_difference` has.
    """
    table = counts.reshape(2, 2, 2)
    champion, challenger = table.sum(axis=2), table.sum(axis=1)
    contrast = _by_cell(metric.upper) - metric(_confusion(champion + challenger)) * _by_cell(metric.lower)
    by_champion, by_challenger = (contrast / _weighted(metric.lower, _confusion(one)) for one in (champion, challenger))
    rows = by_challenger[:, None, :] - by_champion[:, :, None]
    variance = float((table * rows**2).sum())
    one_more = float(np.square(rows[:, [0, 1], [1, 0]]).max())
    p_value = float(ndtr((table * rows).sum() / np.sqrt(variance))) if variance else 0.5
    return p_value, float(np.sqrt(variance + one_more))


def _difference(cells: NDArray[np.float64], metric: Ratio) -> Any:
    """Challenger minus champion. Axis 0 of `cells`, of length 8, runs over truth, champion, challenger."""
    table = cells.reshape(2, 2, 2, *cells.shape[1:])
    by_champion, by_challenger = table.sum(axis=2), table.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return metric(_confusion(by_challenger)) - metric(_confusion(by_champion))


def _confusion(table: NDArray[np.float64]) -> Confusion:
    """From truth × prediction."""
    return table[1, 1], table[0, 1], table[1, 0]


def _by_cell(weights: tuple[float, float, float]) -> NDArray[np.float64]:
    """The weight of each cell of truth × prediction; true negatives have none."""
    tp, fp, fn = weights
    return np.array([[0.0, fp], [fn, tp]])


def _weighted(weights: tuple[float, float, float], cells: Confusion) -> Any:
    return sum(weight * cell for weight, cell in zip(weights, cells, strict=True))
