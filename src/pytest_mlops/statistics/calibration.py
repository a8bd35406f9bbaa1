"""Expected calibration error: how far probabilities are from what happens, and how much of that is noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.verdict.estimate import Estimate

from .linear import Linear
from .power import quantile
from .sums import mean, total, worth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

BINS = 15
"""Of equal width on [0, 1], as is usual."""

_ENOUGH = 25.0
"""A bin of this variance is normal enough to need no simulation."""

_MANY = 5_000
"""Rows of a bin that would take long to simulate one by one."""

_DRAWS = 1_000
_AT_ONCE = 2**20


@dataclass(frozen=True, slots=True)
class Calibration:
    """The error as measured, and what perfectly calibrated probabilities would have shown on the same rows.

    Parameters
    ----------
    raw : Linear
        The measured error, with the influence of each row.
    noise, noise_deviation : float
        Mean and standard deviation of the error of a model whose probabilities are right.
    """

    raw: Linear
    noise: float
    noise_deviation: float

    @property
    def value(self) -> float:
        """The error without the noise, not below 0."""
        return max(0.0, self.raw.value - self.noise)


def calibration(
    happened: Booleans, probability: Floats, weight: Floats | None = None, *, generator: Generator, bins: int = BINS
) -> Calibration:
    """Σ over bins of |Σ (happened - probability)| / n [1]_.

    Parameters
    ----------
    happened : bool array of shape (n,)
        Rows of the positive class; or, of many classes, rows whose most probable class is the true one.
    probability : array of shape (n,), in [0, 1]
        What the model gave that.
    weight : array of shape (n,), of mean 1, optional
    generator : numpy.random.Generator
    bins : int
        Of equal width.

    Returns
    -------
    Calibration
        Noise alone makes the error positive, in bins of few rows above all. What it makes of it is simulated, with
        each row happening as often as its probability says; bins of much variance are normal, and their part is known.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.
    """
    bin_of = np.clip((probability * bins).astype(np.intp), 0, bins - 1)
    signs, parts, noises = np.zeros(bins), [], []
    for place, rows in _filled(bin_of, bins):
        weights = None if weight is None else weight[rows]
        excess = happened[rows] - probability[rows]
        summed = total(excess if weights is None else excess * weights)
        signs[place] = np.sign(summed)
        parts.append(abs(summed))
        noises.append(_noise(probability[rows], weights, generator))
    n = happened.size
    value = math.fsum(parts) / n
    influence = signs[bin_of] * (happened - probability)
    if weight is not None:
        influence = influence * weight - value * (weight - 1)
    return Calibration(
        # The floor is what two rows more could bring.
        Linear(value, influence - value, 2 / worth(weight, n), "binned, less its noise"),
        math.fsum(found[0] for found in noises) / n,
        math.sqrt(math.fsum(found[1] for found in noises)) / n,
    )


def _filled(bin_of: NDArray[np.intp], bins: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The rows of each bin that has any."""
    order = np.argsort(bin_of, kind="stable")
    ends = np.cumsum(np.bincount(bin_of, minlength=bins))
    for place, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > start:
            yield place, order[start:end]


def _noise(probability: Floats, weight: Floats | None, generator: Generator) -> tuple[float, float]:
    """Mean and variance of |Σ w (happened - p)| where each row happens with probability p."""
    known = np.ones(probability.size) if weight is None else weight
    variance = total(np.square(known) * probability * (1 - probability))
    if variance >= _ENOUGH * mean(np.square(known)):
        return math.sqrt(2 * variance / math.pi), variance * (1 - 2 / math.pi)
    if weight is None and probability.size > _MANY:
        drawn = _drawn_rare(probability, generator)
    else:
        drawn = _drawn(probability, known, generator)
    return float(drawn.mean()), float(drawn.var())


def _drawn_rare(probability: Floats, generator: Generator) -> Floats:
    """So little variance in so many rows: all of them are all but certain, and the exceptions are Poisson's."""
    expected = min(total(probability), total(1 - probability))
    return np.asarray(np.abs(generator.poisson(expected, _DRAWS) - expected))


def _drawn(probability: Floats, weight: Floats, generator: Generator) -> Floats:
    order = np.lexsort((weight, probability))  # the draws must not depend on the order of the rows
    probability, weight = probability[order], weight[order]
    drawn = np.empty(_DRAWS)
    step = max(1, _AT_ONCE // probability.size)
    for start in range(0, _DRAWS, step):
        happened = generator.random((min(step, _DRAWS - start), probability.size)) < probability
        drawn[start : start + step] = np.abs(((happened - probability) * weight).sum(axis=1))
    return drawn


def without_noise(found: Calibration, sure: Estimate) -> Estimate:
    """The error of one model.

    Parameters
    ----------
    found : Calibration
    sure : Estimate
        Of its raw error, from `interval` or `dependence.estimate`.

    Returns
    -------
    Estimate
        In [0, 1]. Bins that are off by more than noise are inflated less by it than those that are not, so the truth
        lies between the raw error and the one without noise: the interval reaches from the lower end of the one to
        the upper end of the other.
    """
    reach = max(sure.value - sure.low, sure.high - sure.value, quantile(sure.confidence) * found.noise_deviation)
    assert sure.standard_error is not None  # both ways of making it give one
    return replace(
        sure,
        value=found.value,
        low=max(0.0, found.raw.value - found.noise - reach),
        high=min(1.0, found.raw.value + reach),
        standard_error=max(sure.standard_error, found.noise_deviation),
    )


def apart(champion: Calibration, challenger: Calibration) -> tuple[Linear, Linear]:
    """How much smaller the challenger's error is, as measured, and as kindly to it as the noise allows.

    Two models that are calibrated well differ by noise alone, and no row moves that difference to first order: its
    standard error is at least that of the noise. Nor does a row that is sure of itself, and was right by chance.
    """
    measured = champion.raw.better_than(challenger.raw)
    floor = math.hypot(measured.floor, champion.noise_deviation, challenger.noise_deviation)
    measured = replace(measured, floor=floor)
    return measured, replace(measured, value=measured.value + challenger.noise)


def without_noises(champion: Calibration, challenger: Calibration, sure: Estimate, kindest: Estimate) -> Estimate:
    """The improvement of the challenger.

    Parameters
    ----------
    champion, challenger : Calibration
    sure, kindest : Estimate
        Of both of `apart`.

    Returns
    -------
    Estimate
        In [-1, 1]. Each model's true error lies between its raw one and the one without noise, and the interval holds
        every combination. The p-value is that of the kindest: what noise may have done is no harm.
    """
    low, high = sure.low - champion.noise, sure.high + challenger.noise
    return replace(
        sure,
        value=champion.value - challenger.value,
        low=max(low, -1.0),
        high=min(high, 1.0),
        p_value=kindest.p_value,
        standard_error=(high - low) / (2 * quantile(sure.confidence)),
    )
