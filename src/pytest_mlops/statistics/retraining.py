"""Would the challenger still be better, trained on other rows? Two models' scores on the same train/test splits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.wording import count, did_you_mean

from .power import quantile
from .proportions import harm_hidden_by_equality
from .sums import moments

_ROUNDING = 1e-12
"""Scores of 0.8 that differ by less than this share of themselves differ by rounding only."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Scores of champion and challenger, each trained anew for every one of the same train/test splits.

    Parameters
    ----------
    champion, challenger : sequences of J numbers, J at least 2
        The metric itself, as scikit-learn's function gives it: a loss is not negated. Splits in the same order; k folds
        repeated r times are J = k·r splits.
    n_train, n_test : int
        Rows of the training and of the test part of a split.

    Raises
    ------
    MlopsUsageError
        Not two equally long sequences of at least two finite numbers, or a size that is not a positive whole number.
    """

    champion: Sequence[float]
    challenger: Sequence[float]
    n_train: int
    n_test: int

    def __post_init__(self) -> None:
        for name in ("champion", "challenger"):
            object.__setattr__(self, name, _scores(getattr(self, name), name))
        for name in ("n_train", "n_test"):
            object.__setattr__(self, name, _size(getattr(self, name), name))
        lengths = len(self.champion), len(self.challenger)
        if lengths[0] != lengths[1]:
            raise MlopsUsageError(
                f"folds: {lengths[0]} scores of the champion and {lengths[1]} of the challenger: "
                f"score both on the same splits, in the same order"
            )
        if lengths[0] < 2:
            raise MlopsUsageError(f"folds: {count(lengths[0], 'split')}, and a variance needs at least 2")

    @classmethod
    def of(cls, value: Folds | Mapping[str, Any]) -> Folds:
        """From a mapping with these names, as a policy or a marker gives it.

        Raises
        ------
        MlopsUsageError
            It is no mapping, or a name is missing or unknown.

        Examples
        --------
        >>> Folds.of({"champion": [0.8, 0.9], "challenger": [0.9, 0.9], "n_train": 90, "n_test": 10}).n_test
        10
        """
        if isinstance(value, cls):
            return value
        names = [field.name for field in fields(cls)]
        if not isinstance(value, Mapping):
            raise MlopsUsageError(f"folds={value!r}: give a mapping of {', '.join(names)}")
        for name in value:
            if name not in names:
                raise MlopsUsageError(f"folds: unknown key {name!r}: {did_you_mean(str(name), names)}")
        missing = [name for name in names if name not in value]
        if missing:
            raise MlopsUsageError(f"folds: {', '.join(missing)} missing; it needs {', '.join(names)}")
        return cls(**value)


def improvement(folds: Folds, *, greater_is_better: bool, confidence: float) -> Estimate:
    """How much better the challenger is on average over training sets: positive is better.

    Parameters
    ----------
    folds : Folds
    greater_is_better : bool
        False for a loss.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        With Nadeau and Bengio's corrected standard error [1]_, Student's t with J - 1 degrees of freedom, and the
        one-sided p-value of "it is not below 0"; `n` is J, the number of splits. Exactly 0 where the scores of both
        models are identical on every split.

    Raises
    ------
    EvidenceError
        The J differences are all equal, but not 0: scores that do not vary say nothing about other training sets.

    Notes
    -----
    The splits share rows, so their differences are correlated, and s²/J is far too small a variance for their mean:
    an uncorrected t-test rejects more than half of true nulls after 10 × 10-fold cross-validation. With the
    correlation taken to be n_test / (n_test + n_train), the variance is s² (1/J + n_test / n_train) [1]_. Models that
    follow single training rows (nearest neighbours) correlate more: there it still rejects 10–12 % where 5 % are
    allowed; a straight line's null is rejected in 1–6 % (`tests/statistical/test_retraining.py`).

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003.
    """
    champion, challenger = np.asarray(folds.champion), np.asarray(folds.challenger)
    splits = champion.size
    if np.array_equal(champion, challenger):
        return _identical(splits, splits * folds.n_test, confidence)
    found = moments(challenger - champion if greater_is_better else champion - challenger)
    _demand_variation(found.deviation, float(np.abs([champion, challenger]).max()), splits)
    se = found.deviation * math.sqrt(1 / splits + folds.n_test / folds.n_train)
    reach = float(stdtrit(splits - 1, (1 + confidence) / 2)) * se
    return Estimate(
        value=found.mean,
        low=found.mean - reach,
        high=found.mean + reach,
        confidence=confidence,
        method="Nadeau–Bengio corrected t over retrainings",
        n=splits,
        null=0.0,
        p_value=float(stdtr(splits - 1, found.mean / se)),
        standard_error=reach / quantile(confidence),
    )


def _identical(splits: int, rows: int, confidence: float) -> Estimate:
    """Exactly 0. Scores of few rows are easily equal by coincidence: they keep a blind spot, as equal labels do."""
    return Estimate(
        value=0.0, low=0.0, high=0.0, confidence=confidence, method="identical scores", n=splits, null=0.0,
        p_value=1.0, blind_spot=harm_hidden_by_equality(rows), exact=True,
    )  # fmt: skip


def _demand_variation(deviation: float, largest: float, splits: int) -> None:
    """Rounding alone must not pass for variation."""
    if deviation <= _ROUNDING * largest:
        raise EvidenceError(
            f"folds: all {splits} differences between challenger and champion are equal (but for rounding), so they "
            f"show no variation between training sets: give the scores of splits that were trained and tested apart"
        )


def _scores(value: object, name: str) -> tuple[float, ...]:
    if isinstance(value, str | bytes | Mapping | Set) or not hasattr(value, "__iter__"):
        raise MlopsUsageError(f"folds: {name}={value!r} is no list of scores: give one number for each split")
    scores = tuple(value)
    for place, score in enumerate(scores):
        if not _is_finite_number(score):
            raise MlopsUsageError(f"folds: {name}[{place}]={score!r} is not a finite number")
    return tuple(map(float, scores))


def _is_finite_number(score: object) -> bool:
    if isinstance(score, bool) or not isinstance(score, Real):
        return False
    try:
        return math.isfinite(score)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _size(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise MlopsUsageError(f"folds: {name}={value!r} is not a number of rows: give a whole number of at least 1")
    return int(value)
