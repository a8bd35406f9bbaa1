"""What a score means: how often rows of that score were positive, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from pytest_mlops.verdict.errors import EvidenceError

from .sums import worth

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

FEWEST = 20
"""Rows of each class that a calibration needs."""

_CELLS = 1_000
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
    cell = cells_of(at)

    def summed(values: Floats) -> Floats:
        return np.bincount(cell, values).astype(np.float64)

    return summed(at) / np.bincount(cell), summed(np.where(positive, counted, 0.0)), summed(counted)


def cells_of(ordered: Floats, most: int = _CELLS) -> NDArray[np.intp]:
    """The cell of each of some sorted values, of shape (n,): equal values share one, and no more of them than needed.

    Parameters
    ----------
    ordered : array of shape (n,), rising
    most : int
        Cells, where more values differ.
    """
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
