"""How well a score tells two samples apart, and whether chance alone would do as well."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.verdict.estimate import Estimate

from .power import quantile
from .ranks import roc_auc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

NOTHING = 0.5
"""The ROC AUC of a score that tells nothing apart."""


def separation(current: Booleans, score: Floats, *, confidence: float) -> Estimate:
    """ROC AUC against ½, one-sided: a score that is wrong oftener than right has found nothing.

    Parameters
    ----------
    current : bool array of shape (n,)
        Which rows are of the current sample; the others are of the reference. Neither was seen when the score was made.
    score : array of shape (n,)
        Higher speaks for the current sample.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        The interval is that of `ranks.roc_auc`; where all scores are equal it is that of the null, as DeLong's would
        have width 0. It never ends below the null's: samples that agree better than chance are no better evidence than
        samples that agree as chance would have it. The p-value is that of Mann and Whitney [1]_ with ties, whose
        variance is known under the null. The standard error is that of the null as well, without ties: the observed
        separation has no say in what could have been seen.

    Raises
    ------
    EvidenceError
        One sample only.

    References
    ----------
    .. [1] H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger
       than the other", Ann. Math. Statist. 18, 1947.
    """
    found = roc_auc(current, score, confidence=confidence)
    n, m = int(np.count_nonzero(~current)), int(np.count_nonzero(current))
    error = math.sqrt((n + m + 1) / (12 * n * m))
    reach = quantile(confidence) * error
    if found.high <= found.low:
        found = replace(found, low=max(0.0, found.value - reach))
    found = replace(found, high=max(found.high, min(1.0, NOTHING + reach)))
    p_value = _p_value(found.value, error * _shrunk_by_ties(score))
    return replace(found, null=NOTHING, p_value=p_value, standard_error=error, method=f"{found.method}, Mann–Whitney")


def _shrunk_by_ties(score: Floats) -> float:
    """By which factor equal scores make the standard error smaller."""
    tied = np.unique(score, return_counts=True)[1].astype(np.float64)
    size = float(score.size)
    return math.sqrt(max(0.0, 1 - float((tied**3 - tied).sum()) / (size**3 - size)))


def _p_value(auc: float, error: float) -> float:
    if not error:
        return 1.0  # all scores are equal
    return NormalDist().cdf((NOTHING - auc) / error)
