"""Which statistics answer for which metric: the one place where evidence meets formulas.

Independent rows that count alike get the best formula there is for their metric. Rows that belong together, follow
each other or are weighted get the one that knows only how much each row moves the metric: see `influence`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics import calibration, cells, dependence, means, order, proportions, ranks, sums
from pytest_mlops.statistics.linear import Linear, interval, mean_interval
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from . import influence, own_metrics
from .influence import is_positive, linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.rows import Rows

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class How:
    """How to estimate.

    Parameters
    ----------
    confidence : float
        Of every interval, in (0.5, 1).
    generator : numpy.random.Generator
        For what is drawn or resampled.
    tell : callable, optional
        Is told in words how far long work is, and the share that is done.
    """

    confidence: float
    generator: np.random.Generator
    tell: Callable[[str, float], object] | None = None


def estimate(metric: Metric, rows: Rows, how: How) -> Estimate:
    """A metric of one model, with its interval.

    Raises
    ------
    EvidenceError
        The rows cannot answer this metric.
    """
    metric.demand(rows)
    metric = _of_one_label(metric, rows)
    if metric.route == "bootstrap":
        found = own_metrics.estimate(metric, rows, how)
    elif metric.route == "largest":
        found = _largest(rows, how)
    elif metric.route == "calibration":
        found = _of_calibration(rows, how)
    elif rows.independent:
        found = _ALONE.get(metric.route, _by_influence)(metric, rows, how)
    else:
        found = _of_dependent(metric, rows, how)
    return _within(metric, _not_of_few(metric, rows, replace(found, null=None, p_value=None)))


def estimate_improvement(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    """The paired improvement of the challenger over the champion: positive is better, whatever the metric.

    Parameters
    ----------
    metric : Metric
    champion, challenger : Rows
        The same rows in the same order.
    how : How

    Raises
    ------
    EvidenceError
        The rows cannot answer this metric.
    """
    for role, rows in (("champion", champion), ("challenger", challenger)):
        try:
            metric.demand(rows)
        except EvidenceError as error:
            raise EvidenceError(f"of the {role}: {error}") from None
    metric = _of_one_label(metric, challenger)
    if _same(metric, champion, challenger):
        return _no_difference(metric, challenger, how)
    return _not_of_few(metric, challenger, _improvement(metric, champion, challenger, how))


def _improvement(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    if metric.route == "bootstrap":
        return own_metrics.improvement(metric, champion, challenger, how)
    if metric.route == "largest":
        return _largest_improvement(champion, challenger, how)
    if metric.route == "calibration":
        return _paired_calibration(champion, challenger, how)
    if challenger.independent:
        return _PAIRED.get(metric.route, _paired_by_influence)(metric, champion, challenger, how)
    return _paired_by_influence(metric, champion, challenger, how)


def value(metric: Metric, rows: Rows, how: How) -> float:
    """The metric without its interval, for words.

    Raises
    ------
    EvidenceError
        The rows cannot answer this metric.
    """
    metric.demand(rows)
    if metric.route == "bootstrap":
        return own_metrics.value(metric, rows)
    if metric.route == "largest":
        return float(max(_worst_of_units(rows)[0]))
    if metric.route == "calibration":
        return estimate(metric, rows, how).value
    return influence.value(metric, rows)


def of_both_classes(metric: Metric, rows: Rows) -> Rows:
    """The rows of a slice, unless they are of one class and the metric is about telling classes apart.

    Among positive rows alone everything that is called positive is right: a precision of 1, whatever the model.
    """
    apart = metric.route in ("cells", "ranks") or metric.of == "precision"
    if apart and rows.true.ndim == 1 and rows.n and (rows.true == rows.true[0]).all():
        raise EvidenceError(f"y_true holds one class only, and {metric.name} is about telling classes apart")
    return rows


def _of_one_label(metric: Metric, rows: Rows) -> Metric:
    """Of one label a row, the share of wrong labels is the share of wrong rows."""
    if metric.of == "hamming_loss" and rows.true.ndim == 1:
        return replace(metric, route="share", of="zero_one_loss")
    return metric


def _not_of_few(metric: Metric, rows: Rows, found: Estimate) -> Estimate:
    """What a handful of rows lose tells nothing of what others would: two that are near each other are soon found."""
    known = sums.worth(rows.weight, rows.n)
    if known >= dependence.FEWEST or metric.route not in _OF_ANY_SIZE:
        return found
    many = f"{rows.n} rows" if rows.weight is None else f"rows worth {known:.1f}"
    return replace(found, doubt=found.doubt or f"it rests on {many}, and {dependence.FEWEST} are needed")


_OF_ANY_SIZE = ("mean", "of_means", "median", "largest", "bootstrap")
"""Losses and functions may be of any size. Shares and ranks are not: their intervals know how few rows there are."""


def _within(metric: Metric, found: Estimate) -> Estimate:
    """No value of a metric lies outside its range."""
    return replace(found, low=max(found.low, metric.lowest), high=min(found.high, metric.highest))


# --- one model, rows that belong together


def _of_dependent(metric: Metric, rows: Rows, how: How) -> Estimate:
    if metric.route == "share":
        counted, among = _share(metric, rows)
        rows, counted = rows.take(among), counted[among]
        found = means.mean(counted.astype(np.float64), influence.scaled_weight(rows))
        return dependence.share(found.value, found, confidence=how.confidence, **_design(rows))
    if metric.of in influence.ROOTS:
        return means.rooted(_sure(influence.left(metric, rows), rows, how))
    return _sure(linear(metric, rows), rows, how)


def _sure(found: Linear, rows: Rows, how: How) -> Estimate:
    if rows.independent:
        return interval(found, confidence=how.confidence)
    return dependence.estimate(found, confidence=how.confidence, **_design(rows))


def _design(rows: Rows) -> dict[str, Any]:
    return {
        "clusters": rows.clusters,
        "time": rows.time,
        "season": rows.season,
        "weight": influence.scaled_weight(rows),
    }


# --- one model, independent rows


def _by_influence(metric: Metric, rows: Rows, how: How) -> Estimate:
    if metric.of in influence.ROOTS:
        return means.rooted(mean_interval(influence.squares(metric, rows), confidence=how.confidence))
    return interval(linear(metric, rows), confidence=how.confidence)


def _of_mean(metric: Metric, rows: Rows, how: How) -> Estimate:
    floor = influence.floor(metric, rows)
    return mean_interval(influence.loss(metric, rows), confidence=how.confidence, floor=floor)


def _of_share(metric: Metric, rows: Rows, how: How) -> Estimate:
    counted, among = _share(metric, rows)
    n = int(np.count_nonzero(among))
    if not n:
        raise EvidenceError(f"{metric.name} is 0 / 0: the model calls no row positive, or no row is")
    return proportions.share(int(np.count_nonzero(counted & among)), n, confidence=how.confidence)


def _share(metric: Metric, rows: Rows) -> tuple[Booleans, Booleans]:
    """Which rows count, among which."""
    if metric.average == "positive":
        positive, said = is_positive(rows)
        return {
            "precision": (positive, said),
            "recall": (said, positive),
            "specificity": (~said, ~positive),
            "f1": (positive & said, positive | said),
            "jaccard": (positive & said, positive | said),
        }[metric.of]
    hit = influence.right(metric, rows)
    return (~hit if metric.of == "zero_one_loss" else hit), np.ones_like(hit)


def _of_cells(metric: Metric, rows: Rows, how: How) -> Estimate:
    if metric.of in ("f1", "jaccard") and metric.average == "positive":
        jaccard = _of_share(metric, rows, how)
        return proportions.f1_from_jaccard(jaccard) if metric.of == "f1" else jaccard
    if rows.task != "binary":
        return _by_influence(metric, rows, how)
    return cells.alone(
        *_two_classes(rows), metric=_cell_metric(metric), confidence=how.confidence, generator=how.generator
    )


def _two_classes(rows: Rows) -> tuple[Booleans, Booleans]:
    """Which class is called positive does not matter to metrics of both."""
    positive = 1 if rows.positive is None else rows.positive
    return rows.true == positive, rows.pred == positive


def _cell_metric(metric: Metric) -> cells.CellMetric:
    return cells.metric_of(metric.of, None if metric.average == "samples" else metric.average)


def _of_ranks(metric: Metric, rows: Rows, how: How) -> Estimate:
    if rows.task != "binary" or metric.of == "average_precision":
        return _by_influence(metric, rows, how)
    assert rows.score is not None  # Metric.demand has seen to it
    return ranks.roc_auc(rows.true == rows.positive, rows.score, confidence=how.confidence)


def _of_median(metric: Metric, rows: Rows, how: How) -> Estimate:
    return order.median_interval(influence.absolute_errors(rows), confidence=how.confidence)


_ALONE: dict[str, Callable[[Metric, Rows, How], Estimate]] = {
    "share": _of_share,
    "cells": _of_cells,
    "ranks": _of_ranks,
    "mean": _of_mean,
    "median": _of_median,
}


def _of_calibration(rows: Rows, how: How) -> Estimate:
    found = influence.calibrated(rows, how.generator)
    return calibration.without_noise(found, _sure(found.raw, rows, how))


def _largest(rows: Rows, how: How) -> Estimate:
    (worst,) = _worst_of_units(rows)
    found = order.largest(worst, confidence=how.confidence)
    return replace(found, n=rows.n, doubt=_of_few_units(worst.size, rows))


# --- two models, the same predictions


def _same(metric: Metric, champion: Rows, challenger: Rows) -> bool:
    """Do both say the same of every row, as far as this metric looks?"""
    looks_at_labels = not metric.scores or metric.route == "bootstrap"
    theirs, ours = champion.score, challenger.score
    same_scores = theirs is ours if theirs is None or ours is None else np.array_equal(theirs, ours)
    return same_scores and (not looks_at_labels or np.array_equal(champion.pred, challenger.pred))


def _no_difference(metric: Metric, rows: Rows, how: How) -> Estimate:
    """Exactly 0. Equal labels alone, of few rows, do not prove an equal model: they keep a blind spot."""
    n = int(np.count_nonzero(_share(metric, rows)[1])) if _of_some_rows(metric) else rows.n
    numbers = _told_apart_by_numbers(rows)
    return Estimate(
        value=0.0,
        low=0.0,
        high=0.0,
        confidence=how.confidence,
        method="identical predictions",
        n=rows.n,
        null=0.0,
        p_value=1.0,
        blind_spot=0.0 if numbers else proportions.harm_hidden_by_equality(max(_units(rows, n), 1)),
        exact=True,
        doubt=None if numbers or rows.task != "regression" else "equal predictions of so few values prove nothing",
    )


def _of_some_rows(metric: Metric) -> bool:
    return metric.average == "positive" and metric.of in ("precision", "recall", "specificity", "f1", "jaccard")


def _units(rows: Rows, n: int) -> int:
    """Rows of one cluster are one witness."""
    return n if rows.clusters is None else min(n, len(set(rows.clusters.tolist())))


def _told_apart_by_numbers(rows: Rows) -> bool:
    """Two models seldom give the same numbers. Scores of no more values than there are labels are but labels."""
    if rows.task == "regression":
        return np.unique(rows.pred).size >= dependence.FEWEST
    if rows.score is None or rows.n < dependence.FEWEST:
        return False
    return np.unique(rows.score).size > len(rows.labels)


# --- two models


def _paired_by_influence(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    better = linear(metric, challenger).better_than(
        linear(metric, champion), greater_is_better=metric.greater_is_better
    )
    if metric.route not in ("mean", "of_means"):
        return _sure(better, challenger, how)
    # A label that is another one is so for both models: less of it is left in their difference.
    floor = influence.floor(metric, champion, challenger)
    if metric.route == "mean":
        return _sure(replace(better, floor=floor), challenger, how)
    # The mean losses differ if and only if the metrics do, and need no approximation.
    tested = influence.left(metric, challenger).better_than(influence.left(metric, champion), greater_is_better=False)
    scale = 1.0 if metric.of in influence.ROOTS else influence.explained(metric, challenger).unexplained.value
    found = _sure(replace(better, floor=floor / scale), challenger, how)
    return replace(found, p_value=_sure(replace(tested, floor=floor), challenger, how).p_value)


def _of_the_same_rows(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    """Accuracy, recall, specificity: the share that is right among rows that the truth alone chooses."""
    if metric.of == "precision":
        return _paired_cells(metric, champion, challenger, how)
    if metric.average == "positive":
        among = is_positive(champion)[0] == (metric.of == "recall")
        champion, challenger = champion.take(among), challenger.take(among)
        theirs, ours = (rows.true == rows.pred for rows in (champion, challenger))
    else:
        theirs, ours = (influence.right(metric, rows) for rows in (champion, challenger))
    gains, losses = int(np.count_nonzero(ours & ~theirs)), int(np.count_nonzero(theirs & ~ours))
    return proportions.paired_difference(gains, losses, theirs.size, confidence=how.confidence)


def _paired_cells(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    """What is no share of the same rows: the models' denominators differ."""
    if challenger.task != "binary":
        return _paired_by_influence(metric, champion, challenger, how)
    if not metric.greater_is_better:
        champion, challenger = challenger, champion
    truth, before = _two_classes(champion)
    return cells.improvement(
        truth, before, _two_classes(challenger)[1], metric=_cell_metric(metric), confidence=how.confidence,
        generator=how.generator,
    )  # fmt: skip


def _paired_ranks(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    if challenger.task != "binary" or metric.of == "average_precision":
        return _paired_by_influence(metric, champion, challenger, how)
    assert champion.score is not None  # Metric.demand has seen to both
    assert challenger.score is not None
    return ranks.roc_auc_improvement(
        champion.true == champion.positive, champion.score, challenger.score, confidence=how.confidence
    )


def _paired_mean(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    theirs, ours = (influence.loss(metric, rows) for rows in (champion, challenger))
    better = np.subtract(ours, theirs, out=ours) if metric.greater_is_better else np.subtract(theirs, ours, out=ours)
    return mean_interval(better, confidence=how.confidence, floor=influence.floor(metric, champion, challenger))


def _paired_means(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    """Functions of means. Of roots in as few arrays as it can be done: they are compared as often as plain means."""
    if metric.of not in influence.ROOTS:
        return _paired_by_influence(metric, champion, challenger, how)
    theirs, ours = (influence.squares(metric, rows) for rows in (champion, challenger))
    p_value = mean_interval(theirs - ours, confidence=how.confidence).p_value
    return replace(means.roots_apart(theirs, ours, confidence=how.confidence), p_value=p_value)


_PAIRED: dict[str, Callable[[Metric, Rows, Rows, How], Estimate]] = {
    "share": _of_the_same_rows,
    "cells": _paired_cells,
    "ranks": _paired_ranks,
    "mean": _paired_mean,
    "of_means": _paired_means,
}


def _paired_calibration(champion: Rows, challenger: Rows, how: How) -> Estimate:
    theirs, ours = (influence.calibrated(rows, how.generator) for rows in (champion, challenger))
    sure, kindest = (_sure(each, challenger, how) for each in calibration.apart(theirs, ours))
    return calibration.without_noises(theirs, ours, sure, kindest)


def _largest_improvement(champion: Rows, challenger: Rows, how: How) -> Estimate:
    theirs, ours = _worst_of_units(champion, challenger)
    found = order.largest_improvement(theirs, ours, confidence=how.confidence, generator=how.generator)
    return replace(found, n=challenger.n, doubt=_of_few_units(ours.size, challenger))


def _of_few_units(count: int, rows: Rows) -> str | None:
    if count >= dependence.FEWEST or (rows.clusters is None and rows.time is None):
        return None
    return f"it rests on {count} units of rows, and {dependence.FEWEST} are needed"


def _worst_of_units(*models: Rows) -> list[Floats]:
    """Each model's absolute errors: of each row, or the largest of each cluster or stretch of time.

    A weight makes an error neither larger nor smaller; a row of weight 0 is none.
    """
    design = models[-1]
    if design.weight is not None:
        models = tuple(rows.take(design.weight > 0) for rows in models)
        design = models[-1]
    errors = [influence.absolute_errors(rows) for rows in models]
    if design.clusters is None and design.time is None:
        return errors
    codes = dependence.units(clusters=design.clusters, time=design.time, season=design.season)
    by_unit = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[by_unit]) != 0])
    return [np.maximum.reduceat(each[by_unit], starts) for each in errors]
