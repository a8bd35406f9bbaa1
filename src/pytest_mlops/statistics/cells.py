"""Functions of paired confusion counts: what no single share of the same rows expresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 20_000
PRIOR = 1 / 8

Confusion = tuple[Any, Any, Any]
"""True positives, false positives, false negatives: counts, or arrays of shares."""


def precision(cells: Confusion) -> Any:
    """tp / (tp + fp)."""
    tp, fp, _ = cells
    return tp / (tp + fp)


def f1(cells: Confusion) -> Any:
    """2 tp / (2 tp + fp + fn)."""
    tp, fp, fn = cells
    return 2 * tp / (2 * tp + fp + fn)


def improvement(
    positive: NDArray[np.bool_],
    champion: NDArray[np.bool_],
    challenger: NDArray[np.bool_],
    *,
    metric: Callable[[Confusion], Any],
    confidence: float,
    generator: np.random.Generator,
) -> Estimate:
    """How much larger a metric of the challenger's confusion counts is, on the same rows.

    Parameters
    ----------
    positive, champion, challenger : bool arrays of shape (n,)
        Rows of the positive class, and rows that each model calls positive.
    metric : callable
        Of (tp, fp, fn), vectorised.
    confidence : float
        In (0, 1).
    generator : numpy.random.Generator
        For 20,000 draws.

    Returns
    -------
    Estimate
        In [-1, 1]. The interval comes from the eight cells (truth × champion × challenger) under a Dirichlet
        distribution with counts + 1/8, which adds one row in all [1]_. The p-value is that of the sign-flip test: on
        each row where the models differ they swap their predictions with probability 1/2; mid-p. For accuracy that
        is McNemar's test. (The share of draws without a loss is not used: with 30 rows it rejects two true
        nulls for every one that it may.)

    Raises
    ------
    EvidenceError
        The metric is not defined for one of the models (0 / 0).

    References
    ----------
    .. [1] W. Perks, "Some observations on inverse probability including a new indifference rule", Journal of the
       Institute of Actuaries 73, 1947: a prior of one observation shared among the cells.
    """
    counts = np.bincount(4 * positive + 2 * champion + challenger, minlength=8).astype(np.float64)
    value = _difference(counts, metric)
    if not np.isfinite(value):
        raise EvidenceError("the metric is 0 / 0: a model calls no row positive, or no row is")
    drawn = _difference(generator.dirichlet(counts + PRIOR, size=DRAWS).T, metric)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(
        value=float(value),
        low=float(low),
        high=float(high),
        confidence=confidence,
        method="Dirichlet(counts + 1/8) over paired cells",
        n=int(positive.size),
        null=0.0,
        p_value=_sign_flip(counts.astype(np.int64), float(value), metric, generator),
        standard_error=float(drawn.std()),
    )


def _sign_flip(
    counts: NDArray[np.int64], observed: float, metric: Callable[[Confusion], Any], generator: np.random.Generator
) -> float:
    """How often a difference at most as large comes up when the models are interchangeable; ties count half."""
    flipped = np.repeat(counts.reshape(2, 4, 1), DRAWS, axis=2).astype(np.float64)
    for truth in (0, 1):
        only_challenger, only_champion = counts[4 * truth + 1], counts[4 * truth + 2]
        swapped = generator.binomial(only_challenger + only_champion, 0.5, size=DRAWS)
        flipped[truth, 1] = swapped
        flipped[truth, 2] = only_challenger + only_champion - swapped
    drawn = _difference(flipped.reshape(8, DRAWS), metric)
    tied = np.abs(drawn - observed) <= 1e-12
    lower = np.count_nonzero((drawn < observed) & ~tied)
    return float((lower + np.count_nonzero(tied) / 2 + 0.5) / (DRAWS + 1))


def _difference(cells: NDArray[np.float64], metric: Callable[[Confusion], Any]) -> Any:
    """Challenger minus champion. Axis 0 of `cells`, of length 8, runs over truth, champion, challenger."""
    table = cells.reshape(2, 2, 2, *cells.shape[1:])
    by_champion, by_challenger = table.sum(axis=2), table.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return metric(_confusion(by_challenger)) - metric(_confusion(by_champion))


def _confusion(table: NDArray[np.float64]) -> Confusion:
    """From truth × prediction."""
    return table[1, 1], table[0, 1], table[1, 0]
