"""Means of a per-row loss, and functions of such means: MAE, RMSE, R²."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .power import quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHOD = "delta method, skewness-adjusted t"


def mean(rows: NDArray[np.float64], *, confidence: float) -> Estimate:
    """The mean of independent rows, with an interval that a few heavy rows lengthen on their own side.

    Parameters
    ----------
    rows : array of shape (n,)
        n at least 2.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        With `null` 0 and the one-sided p-value of "the mean is not below 0" that the interval implies.

    Raises
    ------
    EvidenceError
        Fewer than two rows.

    Notes
    -----
    With T = √n (mean - μ) / s and a = skewness / (6 √n), g(T) = ((1 + 2aT)³ - 1) / (6a) + a is nearer to normal than
    T is [1]_; inverting g at Student's quantiles gives the interval [2]_. Only the side that this lengthens is taken:
    the skewness of a few heavy rows is itself uncertain, and must not shorten the other side. The standard error is
    that of a normal interval as long as the longer side, so that the blind spot knows of the heavy rows as well.

    References
    ----------
    .. [1] P. Hall, "On the removal of skewness by transformation", JRSS B 54, 1992.
    .. [2] R. Willink, "A confidence interval and test for the mean of an asymmetric distribution",
       Communications in Statistics 34, 2005.
    """
    return _around(float(rows.mean()), rows, confidence) if rows.size else _too_few(0)


def _around(value: float, influence: NDArray[np.float64], confidence: float) -> Estimate:
    """An estimate at `value` whose sampling error is that of the mean of `influence`."""
    n = influence.size
    if n < 2:
        return _too_few(n)
    centred = influence - influence.mean()
    squares = centred * centred
    deviation = math.sqrt(squares.sum() / (n - 1))
    # Rounding alone must not pass for variation: equal rows have none.
    if deviation <= 1e-12 * float(np.abs(influence).max()):
        deviation = 0.0
    se = deviation / math.sqrt(n)
    a = _skewness(centred, squares, deviation) / (6 * math.sqrt(n))
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    below, above = max(t, _untransform(t, a)), max(t, -_untransform(-t, a))
    observed = value / se if se else math.nan
    return Estimate(
        value=value,
        low=value - below * se,
        high=value + above * se,
        confidence=confidence,
        method=METHOD,
        n=n,
        null=0.0,
        p_value=float(stdtr(n - 1, max(observed, _transform(observed, a)))) if se else None,
        standard_error=max(below, above) * se / quantile(confidence),
    )


def _too_few(n: int) -> Estimate:
    raise EvidenceError(f"an interval needs at least two rows, and there is {n}")


def _skewness(centred: NDArray[np.float64], squares: NDArray[np.float64], deviation: float) -> float:
    n = centred.size
    if n < 3 or not deviation:
        return 0.0
    return float(np.dot(squares, centred)) * n / ((n - 1) * (n - 2)) / deviation**3


def _transform(t: float, a: float) -> float:
    """g(T), multiplied out: the quotient would lose every digit of T where the skewness is mere rounding."""
    return t + a * (2 * t * t + 1) + 4 / 3 * a * a * t**3


def _untransform(g: float, a: float) -> float:
    return g if abs(a) < 1e-9 else float(np.cbrt(1 + 6 * a * (g - a)) - 1) / (2 * a)


def _plain(estimate: Estimate) -> Estimate:
    """A metric has no value under no effect."""
    return replace(estimate, null=None, p_value=None)


def mean_absolute_error(errors: NDArray[np.float64], *, confidence: float) -> Estimate:
    """MAE of errors of shape (n,), in their unit."""
    estimate = mean(np.abs(errors), confidence=confidence)
    return replace(_plain(estimate), low=max(estimate.low, 0.0))


def root_mean_squared_error(errors: NDArray[np.float64], *, confidence: float) -> Estimate:
    """RMSE of errors of shape (n,), in their unit: the interval of the mean square, mapped by the square root."""
    squared = mean(np.square(errors), confidence=confidence)
    value = math.sqrt(squared.value)
    assert squared.standard_error is not None  # `mean` gives one
    return replace(
        _plain(squared),
        value=value,
        low=math.sqrt(max(squared.low, 0.0)),
        high=math.sqrt(max(squared.high, 0.0)),
        standard_error=squared.standard_error / (2 * value) if value else 0.0,
    )


def r2(y_true: NDArray[np.float64], errors: NDArray[np.float64], *, confidence: float) -> Estimate:
    """R² of targets and errors of shape (n,): one minus a ratio of two means, in (-∞, 1].

    Raises
    ------
    EvidenceError
        y_true is constant: R² divides by its variance.
    """
    spread = _spread(y_true)
    value = 1 - float(np.square(errors).mean() / spread.mean())
    influence = ((1 - value) * spread - np.square(errors)) / spread.mean()
    estimate = _plain(_around(value, influence, confidence))
    return replace(estimate, high=min(estimate.high, 1.0))


def mae_improvement(champion: NDArray[np.float64], challenger: NDArray[np.float64], *, confidence: float) -> Estimate:
    """How much smaller the challenger's MAE is, from both models' errors on the same rows."""
    return mean(np.abs(champion) - np.abs(challenger), confidence=confidence)


def rmse_improvement(champion: NDArray[np.float64], challenger: NDArray[np.float64], *, confidence: float) -> Estimate:
    """How much smaller the challenger's RMSE is, from both models' errors on the same rows.

    Its p-value is that of the mean squares, whose difference has the same sign and needs no approximation.
    """
    squares = np.square(champion), np.square(challenger)
    roots = math.sqrt(squares[0].mean()), math.sqrt(squares[1].mean())
    # A perfect model has no slope at 0, and nothing but zeros to put there.
    influence = [square / (2 * root) if root else square for square, root in zip(squares, roots, strict=True)]
    estimate = _around(roots[0] - roots[1], influence[0] - influence[1], confidence)
    return replace(estimate, p_value=mean(squares[0] - squares[1], confidence=confidence).p_value)


def r2_improvement(
    y_true: NDArray[np.float64],
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    *,
    confidence: float,
) -> Estimate:
    """How much larger the challenger's R² is, from the targets and both models' errors on the same rows.

    Its p-value is that of the mean squares, as for the RMSE.
    """
    spread = _spread(y_true)
    gain = np.square(champion) - np.square(challenger)
    value = float(gain.mean() / spread.mean())
    estimate = _around(value, (gain - value * spread) / spread.mean(), confidence)
    return replace(estimate, p_value=mean(gain, confidence=confidence).p_value)


def _spread(y_true: NDArray[np.float64]) -> NDArray[np.float64]:
    if y_true.size < 2 or bool((y_true == y_true[0]).all()):
        raise EvidenceError("R² is not defined where y_true is constant")
    return np.asarray(np.square(y_true - y_true.mean()))
