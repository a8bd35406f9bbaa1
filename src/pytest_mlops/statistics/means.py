"""Means of what each row loses, and functions of such means: RMSE, R² and its relatives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from . import sums
from .linear import Linear, enough, interval
from .order import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]


def mean(rows: Floats, weight: Floats | None = None) -> Linear:
    """The mean of rows of shape (n,), or their weighted mean.

    Parameters
    ----------
    rows : array of shape (n,)
    weight : array of shape (n,), of mean 1, optional
    """
    value = weighted_mean(enough(rows), weight)
    return Linear(value, rows - value if weight is None else weight * (rows - value))


def weighted_mean(rows: Floats, weight: Floats | None) -> float:
    """The mean, the same in any order of the rows."""
    return sums.mean(rows) if weight is None else sums.total(rows * weight) / sums.total(weight)


def variance(rows: Floats, weight: Floats | None = None) -> Linear:
    """The mean squared distance from the mean (n in its denominator)."""
    return mean(np.square(rows - weighted_mean(rows, weight)), weight)


def rooted(square: Estimate) -> Estimate:
    """The square root of an estimate that is not below 0: its interval, mapped."""
    assert square.standard_error is not None  # every estimate of a mean has one
    value = math.sqrt(square.value)
    return replace(
        square,
        value=value,
        low=math.sqrt(max(square.low, 0.0)),
        high=math.sqrt(max(square.high, 0.0)),
        standard_error=square.standard_error / (2 * value) if value else 0.0,
    )


def root(square: Linear) -> Linear:
    """The square root of a mean. At 0 it has no slope, and nothing but zeros to put there."""
    value = math.sqrt(square.value)
    return replace(square, value=value, influence=square.influence / (2 * value) if value else square.influence)


def roots_apart(champion: Floats, challenger: Floats, *, confidence: float) -> Estimate:
    """How much smaller the root of the challenger's mean square is; both arrays of squares are overwritten."""
    roots = [math.sqrt(sums.mean(squares)) for squares in (champion, challenger)]
    for squares, root_ in zip((champion, challenger), roots, strict=True):
        if root_:
            squares /= 2 * root_
    influence = np.subtract(champion, challenger, out=champion)
    return interval(Linear(roots[0] - roots[1], influence), confidence=confidence)


@dataclass(frozen=True, slots=True)
class Explained:
    """How much of a loss that knows nothing a model avoids: 1 - left / unexplained, in (-∞, 1].

    Parameters
    ----------
    left : Linear
        What the model loses.
    unexplained : Linear
        What the best constant answer loses on the same rows, whatever the model.
    """

    left: Linear
    unexplained: Linear

    def __post_init__(self) -> None:
        if not self.unexplained.value > 0:
            raise EvidenceError("it is not defined where y_true is constant: it divides by the variance of y_true")

    @property
    def linear(self) -> Linear:
        """The metric."""
        ratio, whole = self.left.value / self.unexplained.value, self.unexplained.value
        influence = (ratio * self.unexplained.influence - self.left.influence) / whole
        return Linear(1 - ratio, influence, self.left.floor / whole)


def r2(true: Floats, said: Floats, weight: Floats | None = None) -> Explained:
    """R² (coefficient of determination): against the mean of y_true."""
    unexplained = variance(_varied(true), weight)
    return Explained(mean(np.square(said - true), weight), unexplained)


def explained_variance(true: Floats, said: Floats, weight: Floats | None = None) -> Explained:
    """The same, but a constant bias costs nothing."""
    unexplained = variance(_varied(true), weight)
    return Explained(variance(said - true, weight), unexplained)


def d2_absolute_error(true: Floats, said: Floats, weight: Floats | None = None) -> Explained:
    """The same by absolute errors, against the median of y_true."""
    centre = median(_varied(true), weight).value
    return Explained(mean(np.abs(said - true), weight), mean(np.abs(true - centre), weight))


def d2_of_classes(loss: Floats, true: Codes, classes: int, weight: Floats | None = None, *, log: bool) -> Explained:
    """The same for classes: log loss or Brier score, against the shares of the classes.

    Parameters
    ----------
    loss : array of shape (n,)
        What the model loses, on all classes: of two, twice the usual Brier score.
    true : integer array of shape (n,)
    log : bool
        Log loss (True) or Brier score.
    """
    shares = np.array([weighted_mean((true == code).astype(np.float64), weight) for code in range(classes)])
    given = shares[true]
    unexplained = -np.log(given) if log else 1 - 2 * given + np.square(shares).sum()
    return Explained(mean(loss, weight), mean(unexplained, weight))


def _varied(true: Floats) -> Floats:
    if true.size < 2 or bool((true == true[0]).all()):
        raise EvidenceError("it is not defined where y_true is constant: it divides by the variance of y_true")
    return true
