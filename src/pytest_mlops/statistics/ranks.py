"""ROC AUC: the share of pairs, one positive and one negative row, that the score puts in the right order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .power import quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_FEW = 50
_HIGH = 0.9
_ONE_ROW_HALF_WAY = 0.5**2


@dataclass(frozen=True, slots=True)
class _Placements:
    """For each positive row the share of negatives below it, and for each negative the share of positives above."""

    positives: NDArray[np.float64]
    negatives: NDArray[np.float64]

    @property
    def auc(self) -> float:
        return float(self.positives.mean())

    def __sub__(self, other: _Placements) -> _Placements:
        return _Placements(self.positives - other.positives, self.negatives - other.negatives)


def _placements(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> _Placements:
    """O(n log n), from mid-ranks; ties count half."""
    above, below = score[positive], score[~positive]
    if not above.size or not below.size:
        raise EvidenceError("ROC AUC needs rows of both classes, and y_true holds one class only")
    ranks = _midranks(score)
    return _Placements(
        positives=(ranks[positive] - _midranks(above)) / below.size,
        negatives=1 - (ranks[~positive] - _midranks(below)) / above.size,
    )


def _midranks(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, ties at their mean. Our own, because scipy.stats takes most of a second to import."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, score.size])
    ranks = np.empty(score.size)
    ranks[order] = np.repeat(starts + (lengths + 1) / 2, lengths)
    return ranks


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.float64], *, confidence: float) -> Estimate:
    """ROC AUC with its interval.

    Parameters
    ----------
    positive : bool array of shape (n,)
        Rows of the positive class.
    score : array of shape (n,)
        Higher is more positive; any scale.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        In [0, 1]. DeLong's interval [1]_ by mid-ranks [2]_; where the AUC is beyond 0.9 (or 0.1), or a class has
        fewer than 50 rows, method 5 of Newcombe [3]_, which does not collapse at 1.

    Raises
    ------
    EvidenceError
        One class only.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated
       receiver operating characteristic curves", Biometrics 44, 1988.
    .. [2] X. Sun and W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, 2014.
    .. [3] R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann–Whitney statistic.
       Part 2", Statistics in Medicine 25, 2006.
    """
    placements = _placements(positive, score)
    auc = placements.auc
    n_positive, n_negative = placements.positives.size, placements.negatives.size
    if min(n_positive, n_negative) < _FEW or not 1 - _HIGH <= auc <= _HIGH:
        method, (low, high) = "Newcombe method 5", _newcombe(auc, n_positive, n_negative, quantile(confidence))
        se = (high - low) / (2 * quantile(confidence))
    else:
        method, se = "DeLong", math.sqrt(_variance(placements)[0])
        low, high = auc - quantile(confidence) * se, auc + quantile(confidence) * se
    return Estimate(
        value=auc, low=max(low, 0.0), high=min(high, 1.0), confidence=confidence, method=method,
        n=positive.size, standard_error=se,
    )  # fmt: skip


def _newcombe(auc: float, n_positive: int, n_negative: int, z: float) -> tuple[float, float]:
    """The areas θ with |AUC - θ| <= z √V(θ), V being Hanley and McNeil's with both class sizes at their mean."""
    mean_size = (n_positive + n_negative) / 2

    def variance(theta: float) -> float:
        spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
        return theta * (1 - theta) * (1 + (mean_size - 1) * spread) / (n_positive * n_negative)

    def excess(theta: float) -> float:
        return abs(auc - theta) - z * math.sqrt(variance(theta))

    if auc in (0, 1):
        return _newcombe_at_an_end(auc, variance, z)
    return float(brentq(excess, 0.0, auc, xtol=1e-14)), float(brentq(excess, auc, 1.0, xtol=1e-14))


def _newcombe_at_an_end(auc: float, variance: Callable[[float], float], z: float) -> tuple[float, float]:
    """At 1 (and 0) the equation also has the area itself for a root, which would be an interval of width 0.

    Squared and divided by 1 - θ, it has only the other root. V is the same at θ and at 1 - θ.
    """

    def excess(gap: float) -> float:
        return gap - z * z * variance(gap) / gap

    gap = float(brentq(excess, 1e-300, 1.0, xtol=1e-14))
    return (1 - gap, 1.0) if auc == 1 else (0.0, gap)


def roc_auc_improvement(
    positive: NDArray[np.bool_],
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    *,
    confidence: float,
) -> Estimate:
    """How much larger the challenger's ROC AUC is on the same rows.

    Parameters
    ----------
    positive : bool array of shape (n,)
    champion, challenger : arrays of shape (n,)
        The two scores; each on its own scale.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        In [-1, 1]: DeLong's paired comparison, at Student's quantiles with Welch's degrees of freedom. Rows that
        happen to be ordered alike by both models are no proof that the next ones will be: the variance is at least
        what one row of each class, moved past half of the other class, would give.

    Raises
    ------
    EvidenceError
        A class has fewer than two rows.
    """
    difference = _placements(positive, challenger) - _placements(positive, champion)
    if min(difference.positives.size, difference.negatives.size) < 2:
        raise EvidenceError("comparing two ROC AUCs needs at least two rows of each class")
    variance, degrees = _variance(difference, floor=_ONE_ROW_HALF_WAY)
    se = math.sqrt(variance)
    reach = float(stdtrit(degrees, (1 + confidence) / 2)) * se
    return Estimate(
        value=difference.auc,
        low=max(difference.auc - reach, -1.0),
        high=min(difference.auc + reach, 1.0),
        confidence=confidence,
        method="paired DeLong, Welch t",
        n=positive.size,
        null=0.0,
        p_value=float(stdtr(degrees, difference.auc / se)),
        standard_error=se,
    )


def _variance(placements: _Placements, *, floor: float = 0.0) -> tuple[float, float]:
    """DeLong's variance and Welch's degrees of freedom. No class contributes less than `floor` / rows²."""
    parts, sizes = [], []
    for rows in (placements.positives, placements.negatives):
        parts.append(max(float(rows.var(ddof=1)), floor / rows.size) / rows.size)
        sizes.append(rows.size)
    variance = sum(parts)
    if not variance:
        return 0.0, 1.0
    return variance, variance**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
