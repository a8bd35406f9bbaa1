"""What a check could see, and what it would need to see more."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

from pytest_mlops.verdict.estimate import Estimate

POWER = 0.8
"""The probability with which a harm of the size of the blind spot is caught."""

POWER_QUANTILE = NormalDist().inv_cdf(POWER)
"""How many standard errors beyond what is needed a harm must lie to be caught with that probability."""


def quantile(confidence: float) -> float:
    """The normal quantile of a two-sided interval: 1.96 at 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def with_blind_spot(estimate: Estimate, bound: float, *, comparisons: int = 1) -> Estimate:
    """Add the smallest true harm that FAIL catches with probability 0.8.

    Parameters
    ----------
    estimate : Estimate
        With a standard error, which alone decides: the observed effect has no say.
    bound : float
        The fail bound.
    comparisons : int
        Over how many parts of one call the p-value is corrected: one part alone must meet the level divided by it.

    Returns
    -------
    Estimate
        Its blind spot counts from the null where there is one: FAIL needs an estimate beyond the bound *and* a
        significant harm, so max(distance of the bound, z·SE) + 0.84·SE. Without a null it counts from the bound:
        0.84·SE.
    """
    se = estimate.standard_error
    if se is None or not math.isfinite(se):
        return estimate
    z = quantile(1 - (1 - estimate.confidence) / comparisons)
    needed = 0.0 if estimate.null is None else max(abs(bound - estimate.null), z * se)
    return replace(estimate, blind_spot=needed + POWER_QUANTILE * se)


def error_for(blind_spot: float, distance: float, confidence: float, *, comparisons: int = 1) -> float:
    """The standard error with which an effect has this blind spot: the inverse of `with_blind_spot`.

    Parameters
    ----------
    blind_spot : float
        From the null.
    distance : float
        Of the fail bound from the null; less than the blind spot.
    confidence : float
    comparisons : int
        As of `with_blind_spot`.
    """
    z = quantile(1 - (1 - confidence) / comparisons)
    return min(blind_spot / (z + POWER_QUANTILE), (blind_spot - distance) / POWER_QUANTILE)


def supported_margin(estimate: Estimate, cap: float, *, comparisons: int = 1) -> float:
    """The smallest margin whose blind spot is at most `cap` margins, on this test set.

    Parameters
    ----------
    estimate : Estimate
        A comparison with its standard error.
    cap : float
        How many margins may go unseen; more than 1.
    comparisons : int
        As of `with_blind_spot`.
    """
    se = estimate.standard_error or math.nan
    z = quantile(1 - (1 - estimate.confidence) / comparisons)
    by_significance = (z + POWER_QUANTILE) / cap * se
    by_distance = POWER_QUANTILE / (cap - 1) * se
    return max(by_significance, by_distance)


def rows_needed(estimate: Estimate, margin: float, cap: float) -> int:
    """Rows of the same kind with which `margin` would be supported: the standard error shrinks with √n."""
    return math.ceil(estimate.n * (supported_margin(estimate, cap) / margin) ** 2)


def tail_beyond(estimate: Estimate, bound: float, *, below: bool) -> float | None:
    """P(an estimate at least this far beyond a bound) for a model that just meets it, by the standard error.

    Parameters
    ----------
    estimate : Estimate
    bound : float
    below : bool
        Is it the values below the bound that are harmful?
    """
    se = estimate.standard_error
    if not se or not math.isfinite(se):
        return None
    distance = (estimate.value - bound) / se
    return NormalDist().cdf(distance if below else -distance)


def rows_to_settle(estimate: Estimate, limit: float, *, beyond: bool) -> int | None:
    """Rows of the same kind that would settle, with probability 0.8, what is INCONCLUSIVE if the effect stays so.

    Parameters
    ----------
    estimate : Estimate
        With a standard error.
    limit : float
        The fail bound.
    beyond : bool
        Is the estimate beyond it? Then the harm must become significant; else the interval must come free of the bound.

    Returns
    -------
    int or None
        More than `estimate.n`; None where no number of rows would, because the effect is exactly on the line.
    """
    se = estimate.standard_error
    line = estimate.null if beyond and estimate.null is not None else limit
    distance = abs(estimate.value - line)
    if not se or not math.isfinite(se) or not distance:
        return None
    times = ((quantile(estimate.confidence) + POWER_QUANTILE) * se / distance) ** 2
    rows = estimate.n * max(times, 1.0)
    return math.ceil(rows) if rows < _NEVER else None


_NEVER = 1e12
"""So many rows nobody judges."""
