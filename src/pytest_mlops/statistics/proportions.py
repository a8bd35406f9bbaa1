"""Shares of rows: accuracy, recall, precision, specificity, and what is a function of one share."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import bdtr, betaincinv

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .power import quantile


def share(successes: int, n: int, *, confidence: float, method: str = "wilson") -> Estimate:
    """A share of rows with its interval.

    Parameters
    ----------
    successes, n : int
        Rows that count, of how many.
    confidence : float
        In (0, 1).
    method : {"wilson", "clopper-pearson"}
        The score interval [1]_, or the exact one [2]_.

    Returns
    -------
    Estimate
        In [0, 1]. The standard error is that of Agresti and Coull [3]_: not 0 where no row, or every row, counts.

    Raises
    ------
    EvidenceError
        There is no row to take a share of.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    .. [2] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934.
    .. [3] A. Agresti and B. A. Coull, "Approximate is better than 'exact'", The American Statistician 52, 1998.
    """
    if n <= 0:
        raise EvidenceError("there is no row to take a share of (0 of 0)")
    z = quantile(confidence)
    size = n + z * z
    centre = (successes + z * z / 2) / size
    standard_error = math.sqrt(centre * (1 - centre) / size)
    low, high = _wilson(successes, n, z) if method == "wilson" else _clopper_pearson(successes, n, confidence)
    return Estimate(
        value=successes / n,
        low=low,
        high=high,
        confidence=confidence,
        method="Wilson score" if method == "wilson" else "Clopper–Pearson",
        n=n,
        standard_error=standard_error,
    )


def _wilson(successes: int, n: int, z: float) -> tuple[float, float]:
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def _clopper_pearson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def paired_difference(gains: int, losses: int, n: int, *, confidence: float) -> Estimate:
    """Difference of two shares of the same rows.

    Parameters
    ----------
    gains, losses : int
        Rows that count for the challenger only, and for the champion only.
    n : int
        All rows.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        Challenger minus champion, in [-1, 1]; Tango's score interval [1]_; McNemar's mid-p [2]_, one-sided against a
        loss. The standard error is that under no difference, with one discordant row more than was seen: rows that
        happen to agree are no proof that the next ones will.

    References
    ----------
    .. [1] T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
       paired-sample design", Statistics in Medicine 17, 1998.
    .. [2] M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and
       asymptotic are better than exact conditional", BMC Medical Research Methodology 13, 2013.
    """
    if n <= 0:
        raise EvidenceError("there is no row to compare (0 rows)")
    low, high = _tango(gains, losses, n, quantile(confidence))
    return Estimate(
        value=(gains - losses) / n,
        low=low,
        high=high,
        confidence=confidence,
        method="Tango score, McNemar mid-p",
        n=n,
        null=0.0,
        p_value=_mcnemar_midp(gains, losses),
        standard_error=math.sqrt(gains + losses + 1) / n,
    )


def _tango(gains: int, losses: int, n: int, z: float) -> tuple[float, float]:
    """The differences that the score test at this z does not reject: one root on each side of the estimate."""
    observed = (gains - losses) / n

    def excess(delta: float) -> float:
        return abs(_tango_score(gains, losses, n, delta)) - z

    def root(end: float) -> float:
        if observed == end or excess(end) <= 0:
            return end
        return float(brentq(excess, observed, end, xtol=1e-14, rtol=8.9e-16))

    return root(-1.0), root(1.0)


def _tango_score(gains: int, losses: int, n: int, delta: float) -> float:
    """The score statistic for a true difference `delta`, the nuisance cell at its constrained maximum."""
    linear = -gains - losses + (2 * n - gains + losses) * delta
    constant = -losses * delta * (1 - delta)
    loss_share = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * loss_share + delta * (1 - delta))
    distance = gains - losses - n * delta
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def _mcnemar_midp(gains: int, losses: int) -> float:
    """P(fewer gains) + P(as many) / 2, when a discordant row is as likely a gain as a loss."""
    discordant = gains + losses
    at_most = float(bdtr(gains, discordant, 0.5))
    fewer = float(bdtr(gains - 1, discordant, 0.5)) if gains else 0.0
    return (at_most + fewer) / 2


def f1_from_jaccard(jaccard: Estimate) -> Estimate:
    """F1 is 2J / (1 + J), where J = tp / (tp + fp + fn) is a plain share: the interval of J, mapped.

    Parameters
    ----------
    jaccard : Estimate
        In [0, 1].

    Returns
    -------
    Estimate
        In [0, 1]; its standard error by the delta method.
    """

    def f1(share_: float) -> float:
        return 2 * share_ / (1 + share_)

    assert jaccard.standard_error is not None  # `share` gives one
    return Estimate(
        value=f1(jaccard.value),
        low=f1(jaccard.low),
        high=f1(jaccard.high),
        confidence=jaccard.confidence,
        method=f"{jaccard.method} of tp/(tp+fp+fn), mapped",
        n=jaccard.n,
        standard_error=jaccard.standard_error * 2 / (1 + jaccard.value) ** 2,
    )


def harm_hidden_by_equality(n: int) -> float:
    """The blind spot of "no row differs": the smallest share of differing rows that shows with probability 0.8.

    Parameters
    ----------
    n : int
        Rows, all of them equal.

    Returns
    -------
    float
        1 - 0.2 ** (1 / n), about 1.6 / n.
    """
    return float(-np.expm1(math.log(0.2) / n))
