"""Metrics of labels from three shares a class: right, true and said; and how much each row moves them.

A confusion matrix of 1,000 classes has a million cells; these metrics need 3,000 numbers of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .linear import Linear
from .sums import worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer[Any]]

Average = Literal["positive", "macro", "micro", "weighted"]


@dataclass(frozen=True, slots=True)
class Shares:
    """Of all rows, for each of K classes: predicted rightly, truly of it, said to be of it.

    Parameters
    ----------
    right, true, said : arrays of shape (K,) or (K, draws)
    exclusive : bool
        Is a row of one class (True), or does it have several labels?
    """

    right: Floats
    true: Floats
    said: Floats
    exclusive: bool = True


@dataclass(frozen=True, slots=True)
class Ratio:
    """A metric of one class that divides one weighted sum of (1, right, true, said) by another."""

    upper: tuple[float, float, float, float]
    lower: tuple[float, float, float, float]


RATIOS = {
    "precision": Ratio((0, 1, 0, 0), (0, 0, 0, 1)),
    "recall": Ratio((0, 1, 0, 0), (0, 0, 1, 0)),
    "specificity": Ratio((1, 1, -1, -1), (1, 0, -1, 0)),
    "f1": Ratio((0, 2, 0, 0), (0, 0, 1, 1)),
    "jaccard": Ratio((0, 1, 0, 0), (0, -1, 1, 1)),
}


@dataclass(frozen=True, slots=True)
class Gradient:
    """A metric's value, and how it moves with each class's shares; arrays of the shape of these."""

    value: Any
    right: Any
    true: Any
    said: Any


Formula = Callable[[Shares], Gradient]


def formula(name: str, average: Average | None, positive: int | None = None) -> Formula:
    """The metric of this name as a function of shares.

    Parameters
    ----------
    name : str
        ``"precision"``, ``"recall"``, ``"specificity"``, ``"f1"``, ``"jaccard"``; ``"balanced_accuracy"``,
        ``"matthews_corrcoef"`` [1]_, ``"cohen_kappa"``; ``"positive_likelihood_ratio"``,
        ``"negative_likelihood_ratio"``.
    average : {"positive", "macro", "micro", "weighted"} or None
        As in scikit-learn; a class that is 0 / 0 counts as 0 there, and so it does here.
    positive : int, optional
        The place of the positive class.

    References
    ----------
    .. [1] J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
       Computational Biology and Chemistry 28, 2004.
    """
    if name in _WHOLE:
        return _WHOLE[name]
    if name in _LIKELIHOODS:
        return lambda shares: _LIKELIHOODS[name](shares, positive)
    ratio = RATIOS[name]
    if average == "positive":
        return lambda shares: _of_one(ratio, shares, positive)
    average_of = {"macro": _macro, "micro": _micro, "weighted": _weighted}[str(average)]
    return lambda shares: average_of(ratio, shares)


# --- counting


def counted(true: Codes, said: Codes, classes: int, weight: Floats | None = None) -> Shares:
    """The shares of K classes.

    Parameters
    ----------
    true, said : integer arrays of shape (n,) with codes below `classes`; or of 0 and 1 of shape (n, classes)
    classes : int
    weight : array of shape (n,), of mean 1, optional
    """
    if true.ndim == 2:
        both = [(true & said).astype(bool), true.astype(bool), said.astype(bool)]
        columns = [np.array([_summed(column, weight) for column in rows.T]) for rows in both]
        return _divided(columns, len(true), exclusive=False)
    if weight is None and classes == 2:
        return _counted_pairs(true.astype(bool), said.astype(bool))
    right = true == said
    sums = [
        _binned(codes, classes, at) for codes, at in ((true[right], _at(weight, right)), (true, weight), (said, weight))
    ]
    return _divided(sums, len(true), exclusive=True)


def _divided(sums: Sequence[Floats], n: int, *, exclusive: bool) -> Shares:
    right, true, said = (each / n for each in sums)
    return Shares(right, true, said, exclusive)


def _counted_pairs(true: NDArray[np.bool_], said: NDArray[np.bool_]) -> Shares:
    """Two classes need no more than three counts, and counting truth values is the fastest thing there is."""
    n = true.size
    both, positives, called = (int(np.count_nonzero(rows)) for rows in (true & said, true, said))
    neither = n - positives - called + both
    return Shares(
        np.array([neither, both]) / n, np.array([n - positives, positives]) / n, np.array([n - called, called]) / n
    )


def _at(weight: Floats | None, rows: NDArray[np.bool_]) -> Floats | None:
    return None if weight is None else weight[rows]


def _binned(codes: Codes, classes: int, weight: Floats | None) -> Floats:
    if weight is None:
        return np.bincount(codes, minlength=classes).astype(np.float64)
    # Sorted, so that the sums do not depend on the order of the rows.
    order = np.lexsort((weight, codes))
    return np.asarray(np.bincount(codes[order], weight[order], minlength=classes), dtype=np.float64)


def _summed(rows: NDArray[np.bool_], weight: Floats | None) -> float:
    return float(np.count_nonzero(rows)) if weight is None else float(np.sort(weight[rows]).sum())


# --- from shares to rows


def linear(of: Formula, true: Codes, said: Codes, classes: int, weight: Floats | None = None) -> Linear:
    """A metric of labels, and how much each row moves it.

    Parameters
    ----------
    of : callable
        See `formula`.
    true, said, classes, weight
        See `counted`.

    Returns
    -------
    Linear
        Its floor is what two rows more could bring that hurt, or help, the most: rows that happen to be right are no
        proof that the next ones will. (Where no row is wrong the interval is then about as long as Wilson's.)

    Raises
    ------
    EvidenceError
        The metric is 0 / 0.
    """
    shares = counted(true, said, classes, weight)
    found = defined(of(shares))
    influence = _influence(found, shares, true, said)
    if weight is not None:
        influence *= weight
    floor = 2 * _one_row_more(found, shares) / worth(weight, len(true))
    return Linear(float(found.value), influence, floor, "influence of each row")


def defined(found: Gradient) -> Gradient:
    """The metric, unless it is 0 / 0."""
    if not math.isfinite(found.value):
        raise EvidenceError("it is 0 / 0 or divides by 0: a model calls no row (or no wrong one) positive, or none is")
    return found


def _influence(found: Gradient, shares: Shares, true: Codes, said: Codes) -> Floats:
    centre = float((found.right * shares.right + found.true * shares.true + found.said * shares.said).sum())
    if shares.exclusive:
        rows = found.true[true] + found.said[said]
        rows += np.where(true == said, found.right[true], 0.0)
        return np.asarray(rows - centre)
    rows = np.zeros(len(true))
    for label in range(true.shape[1]):  # one by one: each row's sum is taken in the same order
        t, s = true[:, label], said[:, label]
        rows += found.right[label] * (t & s) + found.true[label] * t + found.said[label] * s
    return rows - centre


def _one_row_more(found: Gradient, shares: Shares) -> float:
    """The largest influence that a row could have: of a class that there is, called rightly or any other way."""
    there = shares.true > 0
    if not shares.exclusive:
        by_label = np.stack([np.zeros_like(found.true), found.true, found.said, found.right + found.true + found.said])
        centre = (found.right * shares.right + found.true * shares.true + found.said * shares.said).sum()
        return float(max(abs(by_label.max(axis=0).sum() - centre), abs(by_label.min(axis=0).sum() - centre)))
    centre = (found.right * shares.right + found.true * shares.true + found.said * shares.said).sum()
    right = (found.right + found.true + found.said)[there]
    wrong = [found.true[there].max() + found.said.max(), found.true[there].min() + found.said.min()]
    return float(max(abs(right.max() - centre), abs(right.min() - centre), *(abs(one - centre) for one in wrong)))


# --- formulas


def _weights(weights: tuple[float, float, float, float], shares: Shares) -> Any:
    constant, right, true, said = weights
    return constant + right * shares.right + true * shares.true + said * shares.said


def _each(ratio: Ratio, shares: Shares) -> tuple[Gradient, Any]:
    """The ratio of every class and its gradient, 0 where it is 0 / 0; and where it is defined."""
    upper, lower = _weights(ratio.upper, shares), _weights(ratio.lower, shares)
    known = lower > 1e-15
    safe = np.where(known, lower, 1.0)
    value = np.where(known, upper / safe, 0.0)

    def slope(part: int) -> Any:
        return np.where(known, (ratio.upper[part] - value * ratio.lower[part]) / safe, 0.0)

    return Gradient(value, slope(1), slope(2), slope(3)), known


def _of_one(ratio: Ratio, shares: Shares, positive: int | None) -> Gradient:
    each, known = _each(ratio, shares)
    place = np.zeros(len(shares.true), dtype=bool)
    place[positive] = True
    alone = place.reshape(-1, *[1] * (np.ndim(each.right) - 1))
    value = np.where(known[positive], each.value[positive], np.nan)
    return Gradient(value, each.right * alone, each.true * alone, each.said * alone)


def _macro(ratio: Ratio, shares: Shares) -> Gradient:
    """Over the classes that are in the truth or were said: scikit-learn knows no others. Of labels, over all."""
    each, _ = _each(ratio, shares)
    there = (shares.true > 0) | (shares.said > 0) | (not shares.exclusive)
    share = there / there.sum(axis=0)
    return Gradient((each.value * share).sum(axis=0), each.right * share, each.true * share, each.said * share)


def _micro(ratio: Ratio, shares: Shares) -> Gradient:
    there = (shares.true > 0) | (shares.said > 0) | (not shares.exclusive)
    upper = (_weights(ratio.upper, shares) * there).sum(axis=0)
    lower = (_weights(ratio.lower, shares) * there).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(lower > 1e-15, upper / lower, np.nan)
        slopes = [(ratio.upper[part] - value * ratio.lower[part]) / lower * there for part in (1, 2, 3)]
    return Gradient(value, *slopes)


def _weighted(ratio: Ratio, shares: Shares) -> Gradient:
    each, _ = _each(ratio, shares)
    whole = shares.true.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = shares.true / whole
        value = np.where(whole > 0, (each.value * share).sum(axis=0), np.nan)
        true = each.true * share + (each.value - value) / whole
    return Gradient(value, each.right * share, true, each.said * share)


def _balanced_accuracy(shares: Shares) -> Gradient:
    """The mean recall of the classes that are in the truth."""
    each, known = _each(RATIOS["recall"], shares)
    share = known / known.sum(axis=0)
    return Gradient((each.value * share).sum(axis=0), each.right * share, each.true * share, each.said * share)


def _matthews(shares: Shares) -> Gradient:
    right = shares.right.sum(axis=0)
    chance = (shares.true * shares.said).sum(axis=0)
    of_true, of_said = (1 - (part * part).sum(axis=0) for part in (shares.true, shares.said))
    scale = np.sqrt(np.maximum(of_true * of_said, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(scale > 1e-15, (right - chance) / scale, np.nan)
        return Gradient(
            value,
            np.ones_like(shares.right) / scale,
            -shares.said / scale + value * shares.true / of_true,
            -shares.true / scale + value * shares.said / of_said,
        )


def _kappa(shares: Shares) -> Gradient:
    right = shares.right.sum(axis=0)
    chance = (shares.true * shares.said).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(chance < 1 - 1e-15, (right - chance) / (1 - chance), np.nan)
        slope = (right - 1) / (1 - chance) ** 2
        return Gradient(value, np.ones_like(shares.right) / (1 - chance), shares.said * slope, shares.true * slope)


def _likelihood(shares: Shares, positive: int | None, *, said_so: bool) -> Gradient:
    """How much likelier the positive class makes a row to be called so (LR+), or not called so (LR-)."""
    place = np.zeros_like(shares.right)
    place[positive] = 1.0
    right, true, said = shares.right[positive], shares.true[positive], shares.said[positive]
    of_positive, of_negative = (right, said - right) if said_so else (true - right, 1 - true - said + right)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(of_negative > 1e-15, of_positive / true / (of_negative / (1 - true)), np.nan)
        # Of the logarithm: each part's own share of the change.
        to_positive, to_negative = 1 / of_positive, 1 / of_negative
        to_true = -1 / true - 1 / (1 - true)
        if said_so:
            slopes = to_positive + to_negative, to_true, -to_negative
        else:
            slopes = -to_positive - to_negative, to_true + to_positive + to_negative, to_negative
        return Gradient(value, *(value * slope * place for slope in slopes))


_WHOLE: dict[str, Formula] = {
    "balanced_accuracy": _balanced_accuracy,
    "matthews_corrcoef": _matthews,
    "cohen_kappa": _kappa,
}
_LIKELIHOODS: dict[str, Callable[[Shares, int | None], Gradient]] = {
    "positive_likelihood_ratio": lambda shares, positive: _likelihood(shares, positive, said_so=True),
    "negative_likelihood_ratio": lambda shares, positive: _likelihood(shares, positive, said_so=False),
}
