"""What ranks say: ROC AUC, the share of pairs in the right order, and average precision; for any task."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .linear import Linear, combined
from .power import quantile
from .sums import mean, moments, total, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Codes = NDArray[np.integer[Any]]
    Floats = NDArray[np.float64]

_FEW = 50
_HIGH = 0.9
_ONE_ROW_HALF_WAY = 0.5**2


@dataclass(frozen=True, slots=True)
class _Steps:
    """Rows gathered by equal scores, from the lowest score to the highest.

    Parameters
    ----------
    of : integer array of shape (n,)
        Which step each row is on.
    positives, negatives : arrays of shape (steps,)
        How many rows of each class a step has, or how much they weigh.
    """

    of: NDArray[np.integer[Any]]
    positives: Floats
    negatives: Floats

    @classmethod
    def by(cls, positive: Booleans, score: Floats, weight: Floats | None = None) -> _Steps:
        """O(n log n)."""
        # Weights are added up in an order that the contents decide, so that no order of the rows rounds otherwise.
        order = np.argsort(score) if weight is None else np.lexsort((weight, positive, score))
        ordered = score[order]
        begins = np.empty(ordered.size, dtype=bool)
        begins[:1] = True
        np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
        starts = np.flatnonzero(begins)
        of: NDArray[np.integer[Any]] = np.empty(ordered.size, dtype=np.int32 if ordered.size < 2**31 else np.int64)
        of[order] = np.cumsum(begins, dtype=of.dtype) - 1
        counted = positive[order] if weight is None else np.where(positive[order], weight[order], 0.0)
        whole = np.diff(np.r_[starts, ordered.size]) if weight is None else np.add.reduceat(weight[order], starts)
        positives = np.add.reduceat(counted, starts, dtype=np.float64)
        return cls(of, positives, whole - positives)

    @property
    def sizes(self) -> tuple[float, float]:
        """How many rows of each class there are, or how much they weigh."""
        return float(self.positives.sum()), float(self.negatives.sum())

    def placements(self) -> tuple[Floats, Floats]:
        """For a positive row on each step the share of negatives below it, for a negative that of positives above it.

        Ties count half.
        """
        of_positives, of_negatives = self.sizes
        below = np.cumsum(self.negatives) - self.negatives / 2
        above = of_positives - np.cumsum(self.positives) + self.positives / 2
        return below / of_negatives, above / of_positives


def _both_classes(positive: Booleans) -> None:
    if not positive.any() or positive.all():
        raise EvidenceError("ROC AUC needs rows of both classes, and y_true holds one class only")


@dataclass(frozen=True, slots=True)
class _Placements:
    """For each positive row the share of negatives below it, and for each negative the share of positives above."""

    positives: Floats
    negatives: Floats

    @classmethod
    def of(cls, positive: Booleans, score: Floats) -> _Placements:
        """In the order of the rows."""
        _both_classes(positive)
        steps = _Steps.by(positive, score)
        below, above = steps.placements()
        return cls(below[steps.of[positive]], above[steps.of[~positive]])

    @classmethod
    def unordered(cls, positive: Booleans, score: Floats) -> _Placements:
        """From the lowest score to the highest, which takes half the time: numbers sort faster than places."""
        _both_classes(positive)
        above, below = np.sort(score[positive]), np.sort(score[~positive])
        return cls(_share_below(above, below), 1 - _share_below(below, above))

    @property
    def auc(self) -> float:
        return mean(self.positives)

    def __sub__(self, other: _Placements) -> _Placements:
        return _Placements(self.positives - other.positives, self.negatives - other.negatives)


def _share_below(scores: Floats, others: Floats) -> Floats:
    """The share of the others below each score; both are sorted, and ties count half."""
    twice = np.searchsorted(others, scores, side="left")
    twice += np.searchsorted(others, scores, side="right")
    return np.asarray(twice / (2 * others.size))


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.float64], *, confidence: float) -> Estimate:
    """ROC AUC with its interval.

    Parameters
    ----------
    positive : bool array of shape (n,)
        Rows of the positive class.
    score : array of shape (n,)
        Higher is more positive; any scale.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        In [0, 1]. DeLong's interval [1]_ by mid-ranks [2]_; where the AUC is beyond 0.9 (or 0.1), or a class has
        fewer than 50 rows, method 5 of Newcombe [3]_, which does not collapse at 1.

    Raises
    ------
    EvidenceError
        One class only.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated
       receiver operating characteristic curves", Biometrics 44, 1988.
    .. [2] X. Sun and W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, 2014.
    .. [3] R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann–Whitney statistic.
       Part 2", Statistics in Medicine 25, 2006.
    """
    placements = _Placements.unordered(positive, score)
    auc = placements.auc
    n_positive, n_negative = placements.positives.size, placements.negatives.size
    if min(n_positive, n_negative) < _FEW or not 1 - _HIGH <= auc <= _HIGH:
        method, (low, high) = "Newcombe method 5", _newcombe(auc, n_positive, n_negative, quantile(confidence))
        se = (high - low) / (2 * quantile(confidence))
    else:
        method, se = "DeLong", math.sqrt(_variance(placements)[0])
        low, high = auc - quantile(confidence) * se, auc + quantile(confidence) * se
    return Estimate(
        value=auc, low=max(low, 0.0), high=min(high, 1.0), confidence=confidence, method=method,
        n=positive.size, standard_error=se,
    )  # fmt: skip


def _newcombe(auc: float, n_positive: int, n_negative: int, z: float) -> tuple[float, float]:
    """The areas θ with |AUC - θ| <= z √V(θ), V being Hanley and McNeil's with both class sizes at their mean."""
    mean_size = (n_positive + n_negative) / 2

    def variance(theta: float) -> float:
        spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
        return theta * (1 - theta) * (1 + (mean_size - 1) * spread) / (n_positive * n_negative)

    def excess(theta: float) -> float:
        return abs(auc - theta) - z * math.sqrt(variance(theta))

    if auc in (0, 1):
        return _newcombe_at_an_end(auc, variance, z)
    return float(brentq(excess, 0.0, auc, xtol=1e-14)), float(brentq(excess, auc, 1.0, xtol=1e-14))


def _newcombe_at_an_end(auc: float, variance: Callable[[float], float], z: float) -> tuple[float, float]:
    """At 1 (and 0) the equation also has the area itself for a root, which would be an interval of width 0.

    Squared and divided by 1 - θ, it has only the other root. V is the same at θ and at 1 - θ.
    """

    def excess(gap: float) -> float:
        return gap - z * z * variance(gap) / gap

    gap = float(brentq(excess, 1e-300, 1.0, xtol=1e-14))
    return (1 - gap, 1.0) if auc == 1 else (0.0, gap)


def roc_auc_improvement(
    positive: NDArray[np.bool_],
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    *,
    confidence: float,
) -> Estimate:
    """How much larger the challenger's ROC AUC is on the same rows.

    Parameters
    ----------
    positive : bool array of shape (n,)
    champion, challenger : arrays of shape (n,)
        The two scores; each on its own scale.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        In [-1, 1]: DeLong's paired comparison, at Student's quantiles with Welch's degrees of freedom. Rows that
        happen to be ordered alike by both models are no proof that the next ones will be: the variance is at least
        what one row of each class, moved past half of the other class, would give.

    Raises
    ------
    EvidenceError
        A class has fewer than two rows.
    """
    difference = _Placements.of(positive, challenger) - _Placements.of(positive, champion)
    if min(difference.positives.size, difference.negatives.size) < 2:
        raise EvidenceError("comparing two ROC AUCs needs at least two rows of each class")
    variance, degrees = _variance(difference, floor=_ONE_ROW_HALF_WAY)
    se = math.sqrt(variance)
    reach = float(stdtrit(degrees, (1 + confidence) / 2)) * se
    return Estimate(
        value=difference.auc,
        low=max(difference.auc - reach, -1.0),
        high=min(difference.auc + reach, 1.0),
        confidence=confidence,
        method="paired DeLong, Welch t",
        n=positive.size,
        null=0.0,
        p_value=float(stdtr(degrees, difference.auc / se)),
        standard_error=se,
    )


def _variance(placements: _Placements, *, floor: float = 0.0) -> tuple[float, float]:
    """DeLong's variance and Welch's degrees of freedom. No class contributes less than `floor` / rows²."""
    parts, sizes = [], []
    for rows in (placements.positives, placements.negatives):
        spread = moments(rows).deviation ** 2 if rows.size > 1 else 0.0
        parts.append(max(spread, floor / rows.size) / rows.size)
        sizes.append(rows.size)
    variance = sum(parts)
    if not variance:
        return 0.0, 1.0
    return variance, variance**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))


# --- with the influence of each row


def auc(positive: Booleans, score: Floats, weight: Floats | None = None) -> Linear:
    """ROC AUC, and how much each row moves it [1]_.

    Parameters
    ----------
    positive : bool array of shape (n,)
    score : array of shape (n,)
        Higher is more positive; any scale.
    weight : array of shape (n,), of mean 1, optional

    Returns
    -------
    Linear
        In [0, 1]. Its floor is what one row of each class, moved past half of the other class, would bring.

    Raises
    ------
    EvidenceError
        One class only.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated
       receiver operating characteristic curves", Biometrics 44, 1988.
    """
    _both_classes(positive)
    steps = _Steps.by(positive, score, weight)
    if not min(steps.sizes) > 0:
        raise EvidenceError("ROC AUC needs rows of both classes with a weight above 0")
    n = positive.size
    shares = [size / n for size in steps.sizes]
    below, above = steps.placements()
    value = float((below * steps.positives).sum() / steps.sizes[0])
    below -= value
    below /= shares[0]
    above -= value
    above /= shares[1]
    influence = above[steps.of]
    influence[positive] = below[steps.of[positive]]
    if weight is not None:
        influence *= weight
    floor = math.sqrt(sum(_ONE_ROW_HALF_WAY / _worth(rows, weight) ** 2 for rows in (positive, ~positive)))
    return Linear(value, influence, floor, "DeLong")


def average_precision(positive: Booleans, score: Floats, weight: Floats | None = None) -> Linear:
    """Average precision as scikit-learn has it: the mean, over the positive rows, of the precision down to their score.

    Parameters
    ----------
    positive : bool array of shape (n,)
    score : array of shape (n,)
        Higher is more positive; any scale.
    weight : array of shape (n,), of mean 1, optional

    Returns
    -------
    Linear
        In (0, 1]. Its floor is what one positive row, moved from the first place to the last, would bring.

    Raises
    ------
    EvidenceError
        No row is positive.

    Notes
    -----
    With A(s) and B(s) the shares of rows that are positive, and of all rows, with a score of s or more, and π that of
    positive rows, it is N/π with N = E[y A/B]. A row moves N by y A/B + y G - H - N, where G and H are the means of
    y/B and of y A/B² over the rows with a score of its own or less: it is counted in their A and B (the derivative
    towards a point mass [1]_).

    References
    ----------
    .. [1] F. R. Hampel, "The influence curve and its role in robust estimation", JASA 69, 1974.
    """
    steps = _Steps.by(positive, score, weight)
    n = positive.size
    mass, called = steps.positives / n, (steps.positives + steps.negatives) / n
    prevalence = float(mass.sum())
    if not prevalence > 0:
        raise EvidenceError("average precision needs positive rows, and there is none")
    precision = np.cumsum(mass[::-1])[::-1]
    np.cumsum(called[::-1], out=called[::-1])
    np.maximum(called, 1e-300, out=called)  # rows of no weight on top
    precision /= called
    weighed = float((mass * precision).sum())
    value = weighed / prevalence
    mass /= called
    counted_in = np.cumsum(mass)
    mass *= precision
    of_negative = np.cumsum(mass, out=mass)
    np.subtract(value * prevalence - weighed, of_negative, out=of_negative)
    of_positive = np.add(precision, counted_in, out=precision)
    of_positive += of_negative - value
    influence = of_negative[steps.of]
    influence[positive] = of_positive[steps.of[positive]]
    influence /= prevalence
    if weight is not None:
        influence *= weight
    return Linear(value, influence, 1 / _worth(positive, weight), "influence on average precision")


def _worth(rows: Booleans, weight: Floats | None) -> float:
    return worth(None if weight is None else weight[rows], int(np.count_nonzero(rows)))


def mean_over_labels(
    truth: Booleans,
    scores: Floats,
    of: Callable[..., Linear],
    weight: Floats | None = None,
    *,
    names: Sequence[object] | None = None,
) -> Linear:
    """The mean of a metric over several labels, each with its own score.

    Parameters
    ----------
    truth : bool array of shape (n, labels)
    scores : array of shape (n, labels)
    of : callable
        `auc` or `average_precision`.
    weight : array of shape (n,), of mean 1, optional
    names : sequence, optional
        Of the labels, for messages.

    Raises
    ------
    EvidenceError
        A label that no row has, or that every row has.
    """
    labels = truth.shape[1]
    parts = (_of_label(truth[:, label], scores[:, label], of, weight, _name(label, names)) for label in range(labels))
    return _mean_of(parts, labels, len(truth), sum)  # the labels of one row go wrong together


def _name(place: int, names: Sequence[object] | None) -> object:
    return place if names is None else names[place]


def _of_label(truth: Booleans, score: Floats, of: Callable[..., Linear], weight: Floats | None, name: object) -> Linear:
    try:
        return of(truth, np.ascontiguousarray(score), weight)
    except EvidenceError as error:
        raise EvidenceError(f"of {name!r}: {error}") from None


def _by_itself(floors: list[float]) -> float:
    return math.hypot(*floors)


def _mean_of(parts: Iterable[Linear], count: int, n: int, add: Callable[[list[float]], float] = _by_itself) -> Linear:
    """The mean of parts, added up as they come: a thousand influences at once would fill the memory.

    Its floor is what one row moved in each of the parts would bring: at once (their sum), or each by itself (hypot).
    """
    values, floors, influence, method = [], [], np.zeros(n), ""
    for part in parts:
        influence += part.influence
        values.append(part.value)
        floors.append(part.floor)
        method = part.method
    influence /= count
    return Linear(math.fsum(values) / count, influence, add(floors) / count, method)


def one_vs_rest(
    true: Codes,
    scores: Floats,
    classes: int,
    *,
    by_prevalence: bool,
    weight: Floats | None = None,
    names: Sequence[object] | None = None,
) -> Linear:
    """The mean ROC AUC of each class against all others.

    Parameters
    ----------
    true : integer array of shape (n,), codes below `classes`
    scores : array of shape (n, classes)
    by_prevalence : bool
        Weigh classes by how often they occur.
    weight : array of shape (n,), of mean 1, optional
    names : sequence, optional
        Of the classes, for messages.

    Raises
    ------
    EvidenceError
        A class without a row.
    """
    parts = (
        (inside := true == label, _of_label(inside, scores[:, label], auc, weight, _name(label, names)))
        for label in range(classes)
    )
    if by_prevalence:
        return _by_prevalence(parts, weight, 1.0, true.size)
    return _mean_of((part for _, part in parts), classes, true.size)


def one_vs_one(
    true: Codes,
    scores: Floats,
    classes: int,
    *,
    by_prevalence: bool,
    weight: Floats | None = None,
    names: Sequence[object] | None = None,
) -> Linear:
    """The mean ROC AUC of all pairs of classes [1]_: of each pair the mean of both ways round.

    Parameters
    ----------
    true, scores, classes, by_prevalence, weight, names
        As of `one_vs_rest`.

    Raises
    ------
    EvidenceError
        A class without a row.

    References
    ----------
    .. [1] D. J. Hand and R. J. Till, "A simple generalisation of the area under the ROC curve for multiple class
       classification problems", Machine Learning 45, 2001.
    """
    _every_class(true, classes, names)
    parts = _pairs(true, scores, classes, weight)
    if by_prevalence:
        return _by_prevalence(parts, weight, classes - 1.0, true.size)
    return _mean_of((part for _, part in parts), classes * (classes - 1) // 2, true.size)


def _pairs(true: Codes, scores: Floats, classes: int, weight: Floats | None) -> Iterator[tuple[Booleans, Linear]]:
    for pair in combinations(range(classes), 2):
        inside = (true == pair[0]) | (true == pair[1])
        yield inside, _one_pair(true, scores, inside, pair, weight)


def _every_class(true: Codes, classes: int, names: Sequence[object] | None) -> None:
    absent = np.flatnonzero(np.bincount(true, minlength=classes) == 0)
    if absent.size:
        name = _name(int(absent[0]), names)
        raise EvidenceError(f"of {name!r}: ROC AUC needs rows of every class, and y_true has none of this one")


def _one_pair(true: Codes, scores: Floats, inside: Booleans, pair: tuple[int, int], weight: Floats | None) -> Linear:
    within = None if weight is None else weight[inside] / mean(weight[inside])
    both = [auc(true[inside] == one, scores[inside, one], within) for one in pair]
    found = combined(both, [0.5, 0.5])
    influence = np.zeros(inside.size)
    influence[inside] = found.influence * (inside.size / np.count_nonzero(inside))  # the others move nothing
    return replace(found, influence=influence)


def _by_prevalence(parts: Iterable[tuple[Booleans, Linear]], weight: Floats | None, whole: float, n: int) -> Linear:
    """The mean of parts, weighed by the share of rows that belong to each: these shares are estimated too."""
    values, floors, influence, method = [], [], np.zeros(n), ""
    for inside, part in parts:
        held = inside.astype(np.float64) if weight is None else inside * weight
        share = total(held) / n
        influence += (share / whole) * part.influence
        held -= share if weight is None else share * weight
        held *= part.value / whole
        influence += held
        values.append(share / whole * part.value)
        floors.append(share / whole * part.floor)
        method = part.method
    return Linear(math.fsum(values), influence, _by_itself(floors), method)
