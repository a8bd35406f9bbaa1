"""Metrics of two classes from confusion counts, alone and paired: what no share of the same rows expresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .confusion import RATIOS, Average, Formula, Gradient, Ratio, Shares, formula
from .power import quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.bool_]

DRAWS = 20_000
PRIOR = 1 / 2
_POSITIVE = 1


@dataclass(frozen=True, slots=True)
class CellMetric:
    """A metric of the four cells of truth × prediction.

    Parameters
    ----------
    of : callable
        From shares to value and slopes: `confusion.formula`.
    ratio : Ratio or None
        What it divides by what, where it is a ratio of the positive class: the score test of two is then exact.
    """

    of: Formula
    ratio: Ratio | None = None

    def __call__(self, table: Floats) -> Gradient:
        """Of counts or shares whose first two axes are truth and prediction."""
        table = table / table.sum(axis=(0, 1))
        return self.of(Shares(np.stack([table[0, 0], table[1, 1]]), table.sum(axis=1), table.sum(axis=0)))


def metric_of(name: str, average: Average | None = "positive") -> CellMetric:
    """The metric of this name: see `confusion.formula`."""
    return CellMetric(formula(name, average, _POSITIVE), RATIOS.get(name) if average == "positive" else None)


precision = metric_of("precision")
"""tp / (tp + fp)."""

f1 = metric_of("f1")
"""2 tp / (2 tp + fp + fn)."""


def alone(
    positive: Rows, said: Rows, *, metric: CellMetric, confidence: float, generator: np.random.Generator
) -> Estimate:
    """A metric of one model's confusion counts.

    Parameters
    ----------
    positive, said : bool arrays of shape (n,)
        Rows of the positive class, and rows that the model calls positive.
    metric : CellMetric
    confidence : float
        In (0, 1).
    generator : numpy.random.Generator
        For 20,000 draws.

    Returns
    -------
    Estimate
        The interval is that of the four cells under a Dirichlet distribution with counts + 1/2 [1]_, so it has a width
        where no row is wrong.

    Raises
    ------
    EvidenceError
        The metric is not defined (0 / 0).

    References
    ----------
    .. [1] H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proceedings of the
       Royal Society A 186, 1946.
    """
    both, positives, called = (int(np.count_nonzero(rows)) for rows in (positive & said, positive, said))
    counts = np.array(
        [positive.size - positives - called + both, called - both, positives - both, both], dtype=np.float64
    )
    value = _defined(metric(counts.reshape(2, 2)).value)
    drawn = metric(generator.dirichlet(counts + PRIOR, size=DRAWS).T.reshape(2, 2, -1)).value
    low, high = _around(value, drawn, confidence)
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        method="Dirichlet(counts + 1/2) over cells",
        n=int(positive.size),
        standard_error=(high - low) / (2 * quantile(confidence)),
    )


def improvement(
    positive: Rows,
    champion: Rows,
    challenger: Rows,
    *,
    metric: CellMetric,
    confidence: float,
    generator: np.random.Generator,
) -> Estimate:
    """How much larger a metric of the challenger's confusion counts is, on the same rows.

    Parameters
    ----------
    positive, champion, challenger : bool arrays of shape (n,)
        Rows of the positive class, and rows that each model calls positive.
    metric : CellMetric
    confidence : float
        In (0, 1).
    generator : numpy.random.Generator
        For 20,000 draws.

    Returns
    -------
    Estimate
        The interval comes from the eight cells (truth × champion × challenger) under a Dirichlet
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
    counts = _paired_counts(positive, champion, challenger)
    value = _defined(float(_difference(counts, metric)))
    drawn = _difference(generator.dirichlet(counts + PRIOR, size=DRAWS).T, metric)
    low, high = _around(value, drawn, confidence)
    by_score, under_equality = _score(counts, metric)
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        method="Dirichlet(counts + 1/2) over paired cells",
        n=int(positive.size),
        null=0.0,
        p_value=max(_sign_flip(counts.astype(np.int64), value, metric, generator), by_score),
        standard_error=max((high - low) / (2 * quantile(confidence)), under_equality),
    )


def _paired_counts(positive: Rows, champion: Rows, challenger: Rows) -> Floats:
    code = positive.astype(np.uint8) << 2
    code |= champion.astype(np.uint8) << 1
    code |= challenger
    return np.bincount(code, minlength=8).astype(np.float64)


def _defined(value: Any) -> float:
    if not np.isfinite(value):
        raise EvidenceError(
            "the metric is 0 / 0 or divides by 0: a model calls no row, or no wrong row, positive, or no row is"
        )
    return float(value)


def _around(value: float, drawn: Floats, confidence: float) -> tuple[float, float]:
    """Draws in which the metric is not defined are the worst ones and the best ones alike: they widen both ends."""
    tail = (1 - confidence) / 2
    low, high = (
        float(np.quantile(np.where(np.isfinite(drawn), drawn, end), share, method="inverted_cdf"))
        for share, end in ((tail, -np.inf), (1 - tail, np.inf))
    )
    return min(low, value), max(high, value)


def _sign_flip(counts: NDArray[np.int64], observed: float, metric: CellMetric, generator: np.random.Generator) -> float:
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


def _score(counts: Floats, metric: CellMetric) -> tuple[float, float]:
    """P(a difference at most as large), and its standard error, where the models have one metric in common.

    The difference is a sum over rows, of which each is what the challenger's prediction brings less what the
    champion's does; its variance is the sum of their squares. The standard error has one row more on which the models
    differ, the one that counts most: as `paired_difference` has.
    """
    table = counts.reshape(2, 2, 2)
    champion, challenger = table.sum(axis=2), table.sum(axis=1)
    if metric.ratio is None:
        by_champion, by_challenger = (_brings(metric(one)) / counts.sum() for one in (champion, challenger))
    else:
        by_champion, by_challenger = _contrasts(metric, metric.ratio, champion, challenger)
    rows = by_challenger[:, None, :] - by_champion[:, :, None]
    if metric.ratio is None:  # the slopes are each model's own: without their means the sum would not be the difference
        rows -= (table * rows).sum() / table.sum()
        difference = float(_difference(counts, metric))
    else:
        difference = float((table * rows).sum())
    variance = float((table * rows**2).sum())
    one_more = float(np.square(rows[:, [0, 1], [1, 0]]).max())
    p_value = float(ndtr(difference / np.sqrt(variance))) if variance else 0.5
    return p_value, float(np.sqrt(variance + one_more))


def _contrasts(metric: CellMetric, ratio: Ratio, champion: Floats, challenger: Floats) -> tuple[Floats, Floats]:
    """With v for the metric that both have: (upper - v lower) / Σ lower, of which the difference is the exact sum."""
    common = float(metric(champion + challenger).value)
    contrast = _by_cell(ratio.upper) - common * _by_cell(ratio.lower)
    first, second = (contrast / float((_by_cell(ratio.lower) * one).sum()) for one in (champion, challenger))
    return first, second


def _brings(found: Gradient) -> Floats:
    """What a row of each cell of truth × prediction brings to first order."""
    truth, said = found.true[:, None], found.said[None, :]
    return np.asarray(truth + said + np.diag(found.right))


def _difference(cells: Floats, metric: CellMetric) -> Any:
    """Challenger minus champion. Axis 0 of `cells`, of length 8, runs over truth, champion, challenger."""
    table = cells.reshape(2, 2, 2, *cells.shape[1:])
    return metric(table.sum(axis=1)).value - metric(table.sum(axis=2)).value


def _by_cell(weights: tuple[float, float, float, float]) -> Floats:
    """The weight of each cell of truth × prediction, for the positive class."""
    constant, right, true, said = weights
    return np.array([[constant, constant + said], [constant + true, constant + right + true + said]])
