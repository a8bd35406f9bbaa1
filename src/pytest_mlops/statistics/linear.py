"""From how much each row moves a metric to how sure we are of it: the delta method, once for all metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .power import quantile
from .sums import Moments, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


ROUNDING = 1e-12
"""Rows that differ by less than this share of the metric differ by rounding alone: that is no variation."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A metric of some rows, and how much each row moves it.

    Parameters
    ----------
    value : float
    influence : array of shape (n,)
        To first order the metric of fresh rows is `value` plus the mean of their influence. Sample weights, scaled to
        a mean of 1, are part of it. Its mean is 0 (but for rounding) on the rows it was made of.
    floor : float
        The smallest standard error to believe in: what one more row could bring. 0 where the formula needs none.
    method : str
        How value and influence were found, for the `method` of an `Estimate`.
    """

    value: float
    influence: Floats
    floor: float = 0.0
    method: str = "delta method"

    def better_than(self, other: Linear, *, greater_is_better: bool = True) -> Linear:
        """The improvement over another model on the same rows: positive is better."""
        sign = 1.0 if greater_is_better else -1.0
        return Linear(
            sign * (self.value - other.value),
            sign * (self.influence - other.influence),
            max(self.floor, other.floor),
            f"paired {self.method}",
        )


def combined(parts: Sequence[Linear], shares: Sequence[float]) -> Linear:
    """The weighted sum of several metrics of the same rows, with known weights."""
    return Linear(
        math.fsum(share * part.value for share, part in zip(shares, parts, strict=True)),
        np.sum([share * part.influence for share, part in zip(shares, parts, strict=True)], axis=0),
        max(part.floor for part in parts),
        parts[0].method,
    )


def interval(linear: Linear, *, confidence: float) -> Estimate:
    """The estimate from independent rows, with an interval that a few heavy rows lengthen on their own side.

    Parameters
    ----------
    linear : Linear
        Of at least two rows.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        With `null` 0 and the one-sided p-value of "it is not below 0" that the interval implies: see `plain` for a
        metric that has no null.

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
    found = moments(enough(linear.influence))
    return _around(linear.value, found, linear.influence.size, linear.floor, linear.method, confidence)


def mean_interval(rows: Floats, *, confidence: float, floor: float = 0.0) -> Estimate:
    """`interval` of the mean of rows of shape (n,), without a second array of them."""
    found = moments(enough(rows))
    return _around(found.mean, found, rows.size, floor, "delta method", confidence)


def enough(rows: Floats) -> Floats:
    """The rows, if there are two of them."""
    if rows.size < 2:
        raise EvidenceError(f"an interval needs at least two rows, and there is {rows.size}")
    return rows


def _around(value: float, found: Moments, n: int, floor: float, method: str, confidence: float) -> Estimate:
    if found.deviation <= ROUNDING * abs(value):
        found = Moments(found.mean, 0.0, 0.0)
    return with_skewness(
        value,
        math.hypot(found.deviation / math.sqrt(n), floor),
        found.skewness / (6 * math.sqrt(n)),
        degrees=n - 1,
        n=n,
        method=method,
        confidence=confidence,
    )


def with_skewness(
    value: float,
    se: float,
    a: float,
    *,
    degrees: float,
    n: int,
    method: str,
    confidence: float,
    doubt: str | None = None,
) -> Estimate:
    """The estimate of `interval`, from its standard error and `a`, its skewness / (6 √n).

    Parameters
    ----------
    value, se, a : float
    degrees : float
        Of Student's t.
    n : int
        Rows.
    method, doubt : str
        Of the `Estimate`.
    confidence : float
        In (0, 1).
    """
    t = float(stdtrit(degrees, (1 + confidence) / 2))
    below, above = max(t, _untransform(t, a)), max(t, -_untransform(-t, a))
    observed = value / se if se else math.nan
    return Estimate(
        value=value,
        low=value - below * se,
        high=value + above * se,
        confidence=confidence,
        method=f"{method}, skewness-adjusted t",
        n=n,
        null=0.0,
        p_value=float(stdtr(degrees, max(observed, _transform(observed, a)))) if se else None,
        standard_error=max(below, above) * se / quantile(confidence),
        doubt=doubt,
    )


def _transform(t: float, a: float) -> float:
    """g(T), multiplied out: the quotient would lose every digit of T where the skewness is mere rounding."""
    return t + a * (2 * t * t + 1) + 4 / 3 * a * a * t**3


def _untransform(g: float, a: float) -> float:
    return g if abs(a) < 1e-9 else float(np.cbrt(1 + 6 * a * (g - a)) - 1) / (2 * a)
