"""How much each row moves a metric: where a registry's row meets its formula. One `Linear` for all that has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics import calibration, confusion, losses, means, order, ranks, sums
from pytest_mlops.statistics.linear import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.rows import Rows

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

ROOTS = ("root_mean_squared_error", "root_mean_squared_log_error")


def linear(metric: Metric, rows: Rows) -> Linear:
    """The metric of these rows, with the influence of each.

    Raises
    ------
    EvidenceError
        The metric has no value on these rows.
    """
    return {
        "share": _of_share,
        "cells": _of_cells,
        "ranks": _of_ranks,
        "mean": _of_mean,
        "of_means": _of_means,
        "median": _of_median,
    }[metric.route](metric, rows)


def value(metric: Metric, rows: Rows) -> float:
    """The metric of these rows alone, without the influence of each where that saves time."""
    weight = scaled_weight(rows)
    if metric.route == "mean":
        return means.weighted_mean(loss(metric, rows), weight)
    if metric.route == "cells" or metric.average == "positive":
        shares = confusion.counted(rows.true, rows.pred, len(rows.labels), weight)
        return float(confusion.defined(cell_formula(metric, rows)(shares)).value)
    return linear(metric, rows).value


def scaled_weight(rows: Rows) -> Floats | None:
    """The weights, of mean 1."""
    return None if rows.weight is None else rows.weight / sums.mean(rows.weight)


def right(metric: Metric, rows: Rows) -> Booleans:
    """Rows whose label, or whose whole set of labels, is right; for top-k accuracy, whose class is among the best."""
    if metric.of == "top_k_accuracy":
        return losses.within_top(rows.true, _scores(rows))
    hit = rows.true == rows.pred
    return np.asarray(hit.all(axis=1) if hit.ndim == 2 else hit)


def is_positive(rows: Rows) -> tuple[Booleans, Booleans]:
    """Rows of the positive class, and rows that are called so."""
    return rows.true == rows.positive, rows.pred == rows.positive


def cell_formula(metric: Metric, rows: Rows) -> confusion.Formula:
    """The metric as a function of shares by class."""
    average = None if metric.average == "samples" else metric.average
    return confusion.formula(metric.of, average, rows.positive)


def _of_share(metric: Metric, rows: Rows) -> Linear:
    if metric.average == "positive":
        return _of_cells(metric, rows)
    hit = right(metric, rows)
    return means.mean((~hit if metric.of == "zero_one_loss" else hit).astype(np.float64), scaled_weight(rows))


def _of_cells(metric: Metric, rows: Rows) -> Linear:
    return confusion.linear(
        cell_formula(metric, rows), rows.true, rows.pred, len(rows.labels), scaled_weight(rows)
    )  # fmt: skip


def _of_ranks(metric: Metric, rows: Rows) -> Linear:
    score, weight = _scores(rows), scaled_weight(rows)
    of = ranks.average_precision if metric.of == "average_precision" else ranks.auc
    if rows.task == "binary":
        return of(rows.true == rows.positive, score, weight)
    if rows.task == "multilabel":
        return ranks.mean_over_labels(rows.true.astype(bool), score, of, weight)
    if metric.of == "average_precision":
        return ranks.mean_over_labels(rows.true[:, None] == np.arange(len(rows.labels)), score, of, weight)
    together = ranks.one_vs_one if "ovo" in metric.of else ranks.one_vs_rest
    return together(
        rows.true, score, len(rows.labels), by_prevalence=metric.of.endswith("weighted"), weight=weight,
        names=rows.labels,
    )  # fmt: skip


def loss(metric: Metric, rows: Rows) -> Floats:
    """What each row loses, or gains, for a metric that is their mean."""
    if rows.task == "regression":
        return losses.of_quantities(metric.of, rows.true, rows.pred)
    if metric.average == "samples":
        return losses.of_label_sets(metric.of, rows.true, rows.pred)
    if metric.of == "hamming_loss":
        return losses.of_labels(rows.true, rows.pred)
    of: Any = losses.log_loss if metric.of == "log_loss" else losses.brier
    return of(rows.true, _scores(rows), rows.positive)  # type: ignore[no-any-return]


def surprise(metric: Metric, rows: Rows) -> Floats | None:
    """How much more each row would lose if its label were another; None where no label decides.

    A model that is sure of itself loses next to nothing on rows that are right, and all of it on the first one that
    is not: rows without an error say how sure it is, not how good.
    """
    if rows.task == "regression":
        return None
    if metric.average == "samples":
        return np.ones(rows.n)
    if metric.of == "hamming_loss":
        return np.ones(rows.n)  # the labels of one row go wrong together
    of = "log_loss" if "log_loss" in metric.of else "brier"
    score = _scores(rows)
    own: Any = losses.log_loss if of == "log_loss" else losses.brier
    more = losses.of_another_class(of, rows.true, score, rows.positive) - own(rows.true, score, rows.positive)
    return np.asarray(2 * more if metric.of == "d2_brier_score" and score.ndim == 1 else more)


def floor(metric: Metric, *models: Rows) -> float:
    """The standard error that two rows more with another label would bring, to a metric or a difference of two."""
    if metric.route not in ("mean", "of_means"):
        return 0.0
    more = [surprise(metric, rows) for rows in models]
    if more[0] is None or more[-1] is None:
        return 0.0
    moved = np.abs(more[0] if len(more) == 1 else more[0] - more[-1])
    weight = scaled_weight(models[-1])
    return 2 * means.weighted_mean(moved, weight) / sums.worth(weight, moved.size)


def _of_mean(metric: Metric, rows: Rows) -> Linear:
    return replace(means.mean(loss(metric, rows), scaled_weight(rows)), floor=floor(metric, rows))


def _of_means(metric: Metric, rows: Rows) -> Linear:
    if metric.of in ROOTS:
        return means.root(left(metric, rows))
    return explained(metric, rows).linear


def left(metric: Metric, rows: Rows) -> Linear:
    """The mean loss that a function of means is a function of: two models differ by it or not at all."""
    if metric.of not in ROOTS:
        return explained(metric, rows).left
    return means.mean(squares(metric, rows), scaled_weight(rows))


def squares(metric: Metric, rows: Rows) -> Floats:
    """The squared errors of which a root is taken."""
    of = "mean_squared_error" if metric.of == ROOTS[0] else "mean_squared_log_error"
    return losses.of_quantities(of, rows.true, rows.pred)


def explained(metric: Metric, rows: Rows) -> means.Explained:
    """R² and its relatives."""
    weight = scaled_weight(rows)
    if rows.task != "regression":
        return _explained_classes(metric, rows, weight)
    of = {
        "r2": means.r2,
        "explained_variance": means.explained_variance,
        "d2_absolute_error_score": means.d2_absolute_error,
    }[metric.of]
    return of(rows.true, rows.pred, weight)


def _explained_classes(metric: Metric, rows: Rows, weight: Floats | None) -> means.Explained:
    log = metric.of == "d2_log_loss_score"
    score = _scores(rows)
    if log:
        lost = losses.log_loss(rows.true, score, rows.positive)
    else:
        lost = losses.brier(rows.true, score, rows.positive) * (2 if score.ndim == 1 else 1)
    found = means.d2_of_classes(lost, rows.true, len(rows.labels), weight, log=log)
    return replace(found, left=replace(found.left, floor=floor(metric, rows)))


def _of_median(metric: Metric, rows: Rows) -> Linear:
    return order.median(absolute_errors(rows), scaled_weight(rows))


def absolute_errors(rows: Rows) -> Floats:
    """How far each prediction is off."""
    return losses.of_quantities("mean_absolute_error", rows.true, rows.pred)


def calibrated(rows: Rows, generator: np.random.Generator) -> calibration.Calibration:
    """Of the probability of the positive class; of many classes, that of the most probable one."""
    score = _scores(rows)
    if score.ndim == 1:
        happened, given = rows.true == rows.positive, score
    else:
        best = score.argmax(axis=1)
        happened, given = best == rows.true, score[np.arange(rows.n), best]
    return calibration.calibration(happened, np.clip(given, 0.0, 1.0), scaled_weight(rows), generator=generator)


def _scores(rows: Rows) -> Floats:
    assert rows.score is not None  # Metric.demand has seen to it
    return rows.score
