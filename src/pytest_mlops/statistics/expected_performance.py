"""How good a model is likely to be where nobody knows the truth yet: from how often its scores were right before.

Confidence-based performance estimation, as NannyML calls it [1]_: a calibrated score says how often such a row is
positive, so rows that are called positive tell how many of them are rightly so. It rests on one assumption, which no
score can show: that a score still means what it meant in the reference, that is, p(y | score) is unchanged.

References
----------
.. [1] W. Kuberski et al., "Confidence-based estimators for predictive performance in model monitoring", J. Artificial
   Intelligence Research 83, 2025.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .calibrator import Calibrator, cells_of

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

DRAWS = 1_000
CELLS = 200
"""Of scores that are alike, where more of them differ."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows of like scores that are called alike, from the lowest score on.

    Parameters
    ----------
    rows, score : arrays of shape (cells,)
        How many there are, and their mean score.
    said : bool array of shape (cells,)
        Are they called positive?
    of_positive, of_negative : arrays of shape (2, cells)
        The mean squared error and the mean log loss of a row, if it is positive, and if it is not.
    steps : integer array
        Where another score begins: up to two cells have the same one.
    """

    rows: NDArray[np.int64]
    score: Floats
    said: Booleans
    of_positive: Floats
    of_negative: Floats
    steps: NDArray[np.intp]

    @classmethod
    def of(cls, score: Floats, said: Booleans) -> _Cells:
        order = np.lexsort((said, score))
        score, said = score[order], said[order]
        cell = cells_of(score, CELLS)
        place, group = np.unique(2 * cell + said, return_inverse=True)
        rows = np.bincount(group)
        sure = np.clip(score, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)

        def mean(values: Floats) -> Floats:
            return np.asarray(np.bincount(group, values) / rows)

        return cls(
            rows.astype(np.int64),
            mean(score),
            place % 2 == 1,
            np.stack([mean((1 - score) ** 2), mean(-np.log(sure))]),
            np.stack([mean(score**2), mean(-np.log1p(-sure))]),
            np.flatnonzero(np.diff(place // 2, prepend=-1)),
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What may have happened: how many rows of each cell there are, and how many of them are positive."""

    cells: _Cells
    positive: Floats
    negative: Floats

    @property
    def confusion(self) -> tuple[Floats, Floats, Floats, Floats]:
        """True positives, false positives, false negatives, true negatives; each of shape (…)."""
        said = self.cells.said
        return (
            self.positive[..., said].sum(axis=-1),
            self.negative[..., said].sum(axis=-1),
            self.positive[..., ~said].sum(axis=-1),
            self.negative[..., ~said].sum(axis=-1),
        )


def _accuracy(outcome: _Outcome) -> Floats:
    tp, fp, fn, tn = outcome.confusion
    return (tp + tn) / (tp + fp + fn + tn)


def _precision(outcome: _Outcome) -> Floats:
    tp, fp, _, _ = outcome.confusion
    return tp / (tp + fp)


def _recall(outcome: _Outcome) -> Floats:
    tp, _, fn, _ = outcome.confusion
    return tp / (tp + fn)


def _specificity(outcome: _Outcome) -> Floats:
    _, fp, _, tn = outcome.confusion
    return tn / (tn + fp)


def _balanced_accuracy(outcome: _Outcome) -> Floats:
    return (_recall(outcome) + _specificity(outcome)) / 2


def _f1(outcome: _Outcome) -> Floats:
    tp, fp, fn, _ = outcome.confusion
    return 2 * tp / (2 * tp + fp + fn)


def _roc_auc(outcome: _Outcome) -> Floats:
    """Rows of one cell are in no order: such pairs count half."""
    positive, negative = (
        np.add.reduceat(each, outcome.cells.steps, axis=-1) for each in (outcome.positive, outcome.negative)
    )
    below = np.cumsum(negative, axis=-1) - negative / 2
    return np.asarray((positive * below).sum(axis=-1) / (positive.sum(axis=-1) * negative.sum(axis=-1)))


def _mean_loss(place: int) -> Callable[[_Outcome], Floats]:
    def loss(outcome: _Outcome) -> Floats:
        cells = outcome.cells
        lost = outcome.positive @ cells.of_positive[place] + outcome.negative @ cells.of_negative[place]
        return np.asarray(lost / (outcome.positive + outcome.negative).sum(axis=-1))

    return loss


_FORMULAS: dict[str, Callable[[_Outcome], Floats]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _precision,
    "recall": _recall,
    "specificity": _specificity,
    "f1": _f1,
    "roc_auc": _roc_auc,
    "brier_score_loss": _mean_loss(0),
    "log_loss": _mean_loss(1),
}
METRICS = tuple(_FORMULAS)
"""What can be estimated, by the names of the registry."""


def expected(
    metric: str,
    score: Floats,
    said: Booleans,
    calibrator: Calibrator,
    *,
    confidence: float,
    generator: Generator,
    factor: float = 1.0,
) -> Estimate:
    """A metric of rows without labels.

    Parameters
    ----------
    metric : str
        One of `METRICS`.
    score : array of shape (n,), in [0, 1]
    said : bool array of shape (n,)
        Rows that are called positive.
    calibrator : Calibrator
    confidence : float
        In (0, 1).
    generator : numpy.random.Generator
    factor : float
        By which the interval of independent rows is too short, at least 1.

    Returns
    -------
    Estimate
        The metric of the expected counts. Its interval is that of simulated samples, each with a calibration that the
        reference would as well have shown, other rows, and other labels: it covers the metric of these very rows once
        their labels come, and that of more rows of their kind, where p(y | score) is unchanged.

    Raises
    ------
    EvidenceError
        There are no rows, or the metric has no value in some of the samples.
    """
    if not score.size:
        raise EvidenceError("there are no rows")
    cells = _Cells.of(score, said)
    n = int(cells.rows.sum())
    drawn = calibrator.probability(cells.score, calibrator.drawn(DRAWS, generator))
    rows = generator.multinomial(n, cells.rows / n, size=DRAWS)
    positive = generator.binomial(rows, drawn).astype(np.float64)
    likely = calibrator.probability(cells.score)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(_FORMULAS[metric](_Outcome(cells, cells.rows * likely, cells.rows * (1 - likely))))
        found = _FORMULAS[metric](_Outcome(cells, positive, rows - positive))
    if not (math.isfinite(value) and np.isfinite(found).all()):
        raise EvidenceError(f"{metric} is 0 / 0 in some of the samples that are likely: so few rows have no interval")
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(
        value=value,
        low=value - factor * max(0.0, value - float(low)),
        high=value + factor * max(0.0, float(high) - value),
        confidence=confidence,
        method="estimated from calibrated scores, not measured",
        n=n,
        standard_error=factor * float(found.std()),
    )
