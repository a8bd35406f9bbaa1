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
from scipy.special import expit, logit

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .sums import worth

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

DRAWS = 1_000
CELLS = 200
"""Of scores that are alike, where more of them differ."""

FEWEST = 20
"""Rows of each class that a calibration needs."""

_KNOTS = 7
_ROWS_PER_KNOT = 10
_IMAGINED = 0.5
_NEAR = 1e-6
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Calibrator:
    """How often a row of some score is positive: log-odds that are a broken line over the score's own.

    Parameters
    ----------
    knots, log_odds : arrays of shape (k,)
        Between the knots the log-odds are straight, beyond them constant. With two knots it is Platt's sigmoid.
    covariance : array of shape (k, k)
        Of the log-odds.
    """

    knots: Floats
    log_odds: Floats
    covariance: Floats

    @classmethod
    def of(cls, score: Floats, positive: Booleans, weight: Floats | None = None) -> Calibrator:
        """Fitted by maximum likelihood, each knot with half an imagined row of the average kind.

        Parameters
        ----------
        score : array of shape (n,), in [0, 1]
        positive : bool array of shape (n,)
        weight : array of shape (n,), of mean 1, optional

        Raises
        ------
        EvidenceError
            Fewer than 20 rows of a class, or all scores are equal.
        """
        rarer = int(min(positive.sum(), (~positive).sum()))
        if rarer < FEWEST:
            raise EvidenceError(
                f"{rarer} rows of the rarer class are too few to calibrate scores: the reference needs {FEWEST} of each"
            )
        at = _log_odds(score)
        knots = np.unique(np.quantile(at, _places(rarer), method="inverted_cdf"))
        if knots.size < 2:
            raise EvidenceError("all scores of the reference are equal: they say nothing of what will happen")
        place, positives, rows = _gathered(at, positive, weight)
        share = positives.sum() / rows.sum()
        basis = np.vstack([_hats(place, knots), np.eye(knots.size)])
        positives = np.append(positives, np.full(knots.size, _IMAGINED * share))
        rows = np.append(rows, np.full(knots.size, _IMAGINED))
        return cls(knots, *_fitted(basis, positives, rows))

    def probability(self, score: Floats, log_odds: Floats | None = None) -> Floats:
        """Of a row of each score to be positive, of shape (…, n); by other log-odds of shape (…, k), if they are given.

        Parameters
        ----------
        score : array of shape (n,), in [0, 1]
        log_odds : array of shape (…, k), optional
        """
        known = self.log_odds if log_odds is None else log_odds
        return np.asarray(expit(known @ _hats(_log_odds(score), self.knots).T))

    def drawn(self, draws: int, generator: Generator) -> Floats:
        """Log-odds that the reference would as well have shown, of shape (draws, k)."""
        return generator.multivariate_normal(self.log_odds, self.covariance, size=draws, method="eigh")

    def share_beyond(self, score: Floats) -> float:
        """The share of scores lower or higher than all of the reference, of which it says nothing."""
        at = _log_odds(score)
        return float(np.mean((at < self.knots[0]) | (at > self.knots[-1])))


def _log_odds(score: Floats) -> Floats:
    return np.asarray(logit(np.clip(score, _NEAR, 1 - _NEAR)), dtype=np.float64)


def _places(rarer: int) -> Floats:
    """Of the knots, as shares of the rows: as many as the rarer class supports."""
    return np.linspace(0, 1, int(np.clip(rarer // _ROWS_PER_KNOT, 2, _KNOTS)))


def _hats(at: Floats, knots: Floats) -> Floats:
    """How much of each knot there is at each place, of shape (n, knots): 1 in all."""
    return np.stack([np.interp(at, knots, row) for row in np.eye(knots.size)], axis=1)


def _gathered(at: Floats, positive: Booleans, weight: Floats | None) -> tuple[Floats, Floats, Floats]:
    """By cells of scores: where they are, how many rows are positive, and how many there are in all.

    Weighted rows are as many as they are worth.
    """
    counted = np.ones(at.size) if weight is None else weight * (worth(weight, at.size) / at.size)
    order = np.lexsort((counted, positive, at))
    at, positive, counted = at[order], positive[order], counted[order]
    cell = _cells(at)

    def summed(values: Floats) -> Floats:
        return np.bincount(cell, values).astype(np.float64)

    return summed(at) / np.bincount(cell), summed(np.where(positive, counted, 0.0)), summed(counted)


def _cells(ordered: Floats, most: int = 5 * CELLS) -> NDArray[np.intp]:
    """The cell of each of some sorted values: equal values share one, and no more of them than needed."""
    begins = np.append(True, np.diff(ordered) > 0)
    distinct = np.cumsum(begins) - 1
    if distinct[-1] < most:
        return distinct
    first = np.flatnonzero(begins)
    _, cell = np.unique(first * most // ordered.size, return_inverse=True)
    return np.asarray(cell[distinct], dtype=np.intp)


def _fitted(basis: Floats, positives: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Newton's steps to the largest likelihood, each halved until it is one upwards; the covariance there."""

    def likelihood(beta: Floats) -> float:
        at = basis @ beta
        return float(positives @ at - rows @ np.logaddexp(0, at))

    beta: Floats = np.full(basis.shape[1], logit(positives.sum() / rows.sum()))
    for _ in range(_STEPS):
        p = expit(basis @ beta)
        step = np.linalg.solve(_information(basis, rows, p), basis.T @ (positives - rows * p))
        while likelihood(beta + step) < likelihood(beta) - 1e-9 and np.abs(step).max() > _NEAR:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < _NEAR:
            break
    return beta, np.asarray(np.linalg.inv(_information(basis, rows, expit(basis @ beta))), dtype=np.float64)


def _information(basis: Floats, rows: Floats, p: Floats) -> Floats:
    return np.asarray((basis.T * (rows * p * (1 - p))) @ basis)


# --- what is expected of rows without labels


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
        cell = _cells(score, CELLS)
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
