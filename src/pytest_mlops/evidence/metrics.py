"""The metrics: what each needs, which way is better, where its values lie, and which statistics answer for it.

Standard library only. A function of one's own is a metric as well: see `metric_of`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.wording import did_you_mean

if TYPE_CHECKING:
    from .evaluation import Task
    from .rows import Rows

Route = Literal[
    "share", "cells", "ranks", "mean", "of_means", "median", "largest", "calibration", "bootstrap"
]  # fmt: skip
"""Which statistics answer: see `checks.estimation`."""

Scores = Literal["scores", "probabilities"]
Average = Literal["positive", "macro", "micro", "weighted", "samples"]

_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_LABELS: tuple[Task, ...] = ("binary", "multiclass", "multilabel")
_WORDS: dict[str, str] = {
    "binary": "two classes",
    "multiclass": "more than two classes",
    "multilabel": "several labels a row (multilabel)",
    "regression": "a regression",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the registry.

    Parameters
    ----------
    name : str
        scikit-learn's own name, without the sign that its scorers put before a loss.
    route : str
        Which statistics answer for it.
    tasks : tuple of {"binary", "multiclass", "multilabel", "regression"}
        Kinds of evaluations that it is defined for.
    of : str
        Which formula of its route; default: its name.
    average : {"positive", "macro", "micro", "weighted", "samples"} or None
        Over classes, labels or rows, as scikit-learn's argument of this name; "positive": the positive class alone.
    scores : {"scores", "probabilities"} or None
        What it needs besides labels.
    lowest, highest : float
        Where its values lie.
    greater_is_better : bool
    function : callable or None
        Of one's own: ``(y_true, y_pred or y_score) -> float``.
    """

    name: str
    route: Route
    tasks: tuple[Task, ...]
    of: str = ""
    average: Average | None = None
    scores: Scores | None = None
    lowest: float = 0.0
    highest: float = 1.0
    greater_is_better: bool = True
    function: Callable[..., Any] | None = None

    def demand(self, rows: Rows) -> None:
        """Raise an `EvidenceError` where these rows cannot answer this metric."""
        if rows.task not in self.tasks:
            raise EvidenceError(self._other_task(rows))
        if rows.task == "binary" and (self.average == "positive" or self.scores) and rows.positive is None:
            first, second = rows.labels
            raise EvidenceError(
                f"{self.name} needs to know which of {first!r} and {second!r} is the positive class: "
                f"say positive_label= when making the Evaluation"
            )
        if self.scores and rows.score is None:
            raise EvidenceError(f"{self.name} needs scores, and this evaluation has none: give y_score=")
        if self.scores == "probabilities":
            self._demand_probabilities(rows)

    def _other_task(self, rows: Rows) -> str:
        if self.tasks[0] == "binary" and rows.task == "multiclass":
            return (
                f"{self.name} needs two classes, and this evaluation has {len(rows.labels)}: use "
                f"{_FOR_MANY.get(self.name, 'accuracy')}"
            )
        kinds = {"regression" if task == "regression" else "classification" for task in self.tasks}
        if len(kinds) == 1 and (rows.task == "regression") != (kinds == {"regression"}):
            return (
                f"{self.name} is a metric of {kinds.pop()}, and this evaluation is {rows.task}: "
                f"choose another metric, or say task= when making the Evaluation"
            )
        wanted = " or ".join(_WORDS[task] for task in self.tasks)
        return f"{self.name} is a metric of {wanted}, and this evaluation is {rows.task}: choose another metric"

    def _demand_probabilities(self, rows: Rows) -> None:
        assert rows.score is not None  # `demand` has seen to it
        low, high = float(rows.score.min()), float(rows.score.max())
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            raise EvidenceError(
                f"{self.name} needs probabilities, and y_score goes from {low:.4g} to {high:.4g}: give what "
                f"predict_proba says, not a decision function's values"
            )


_ROUNDING = 1e-6  # of 32-bit floats: a softmax may give 1.0000001
_FOR_MANY = {
    "precision": "precision_macro",
    "recall": "recall_macro",
    "specificity": "specificity_macro",
    "f1": "f1_macro",
    "jaccard": "jaccard_macro",
    "roc_auc": "roc_auc_ovr",
}


def _rows() -> Iterator[Metric]:
    yield from _of_labels()
    yield from _of_scores()
    yield from _of_quantities()


def _of_labels() -> Iterator[Metric]:
    yield Metric("accuracy", "share", _LABELS)
    yield Metric("zero_one_loss", "share", _LABELS, greater_is_better=False)
    yield Metric("hamming_loss", "mean", _LABELS, greater_is_better=False)
    for name in ("precision", "recall", "specificity"):
        yield Metric(name, "share", ("binary",), average="positive")
    for name in ("f1", "jaccard"):
        yield Metric(name, "cells", ("binary",), average="positive")
    for name in ("precision", "recall", "specificity", "f1", "jaccard"):
        for average in ("macro", "micro", "weighted"):
            yield Metric(f"{name}_{average}", "cells", _LABELS, name, average)
        if name != "specificity":
            yield Metric(f"{name}_samples", "mean", ("multilabel",), name, "samples")
    yield Metric("balanced_accuracy", "cells", _CLASSES)
    yield Metric("matthews_corrcoef", "cells", _CLASSES, lowest=-1.0)
    yield Metric("cohen_kappa", "cells", _CLASSES, lowest=-1.0)
    yield Metric("positive_likelihood_ratio", "cells", ("binary",), average="positive", highest=math.inf)
    yield Metric(
        "negative_likelihood_ratio", "cells", ("binary",), average="positive", highest=math.inf, greater_is_better=False
    )


def _of_scores() -> Iterator[Metric]:
    yield Metric("roc_auc", "ranks", ("binary", "multilabel"), scores="scores")
    for way in ("ovr", "ovr_weighted", "ovo", "ovo_weighted"):
        yield Metric(f"roc_auc_{way}", "ranks", _CLASSES, scores="scores")
    yield Metric("average_precision", "ranks", _LABELS, scores="scores")
    yield Metric("top_k_accuracy", "share", ("multiclass",), scores="scores")
    yield Metric(
        "log_loss", "mean", _CLASSES, scores="probabilities", highest=math.inf, greater_is_better=False
    )  # fmt: skip
    yield Metric("brier_score_loss", "mean", _CLASSES, scores="probabilities", highest=2.0, greater_is_better=False)
    for name in ("d2_log_loss_score", "d2_brier_score"):
        yield Metric(name, "of_means", _CLASSES, scores="probabilities", lowest=-math.inf)
    yield Metric("expected_calibration_error", "calibration", _CLASSES, scores="probabilities", greater_is_better=False)


def _of_quantities() -> Iterator[Metric]:
    only: tuple[Task, ...] = ("regression",)
    losses = (
        "mean_absolute_error",
        "mean_squared_error",
        "mean_absolute_percentage_error",
        "mean_squared_log_error",
        "mean_pinball_loss",
        "mean_poisson_deviance",
        "mean_gamma_deviance",
    )
    for name in losses:
        yield Metric(name, "mean", only, highest=math.inf, greater_is_better=False)
    for name in ("root_mean_squared_error", "root_mean_squared_log_error"):
        yield Metric(name, "of_means", only, highest=math.inf, greater_is_better=False)
    for name in ("r2", "explained_variance", "d2_absolute_error_score"):
        yield Metric(name, "of_means", only, lowest=-math.inf)
    yield Metric("median_absolute_error", "median", only, highest=math.inf, greater_is_better=False)
    yield Metric("max_error", "largest", only, highest=math.inf, greater_is_better=False)


_REGISTRY = {metric.name: replace(metric, of=metric.of or metric.name) for metric in _rows()}
_ALIASES = {
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "auc": "roc_auc",
    "sensitivity": "recall",
    "mcc": "matthews_corrcoef",
    "ece": "expected_calibration_error",
    "brier_score": "brier_score_loss",
    "mean_tweedie_deviance": "mean_squared_error",  # its default power, 0
    "d2_tweedie_score": "r2",
    "d2_pinball_score": "d2_absolute_error_score",  # its default quantile, the median
    **{
        f"{name}_score": name
        for name in (
            "accuracy", "precision", "recall", "f1", "jaccard", "roc_auc", "r2", "average_precision",
            "balanced_accuracy", "top_k_accuracy", "explained_variance", "cohen_kappa",
        )
    },
}  # fmt: skip
_CLUSTERINGS = frozenset(
    {
        "adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score", "fowlkes_mallows_score",
        "homogeneity_score", "mutual_info_score", "normalized_mutual_info_score", "rand_score", "v_measure_score",
    }
)  # fmt: skip


def metric_named(name: str) -> Metric:
    """The metric of this name.

    Raises
    ------
    MlopsUsageError
        There is none; the message names the nearest.
    """
    found = _REGISTRY.get(_ALIASES.get(name, name)) if isinstance(name, str) else None
    if found is None:
        raise MlopsUsageError(f"unknown metric {name!r}: {_hint(str(name))}")
    return found


def _hint(name: str) -> str:
    if name in _CLUSTERINGS:
        return "it compares clusterings, which have no right answer for each row; choose a supervised metric"
    loss = name.removeprefix("neg_")
    loss = _ALIASES.get(loss, loss)
    if name.startswith("neg_") and loss in _REGISTRY:
        return f"ask for {loss!r}, without the sign; its limit is at_most="
    return did_you_mean(name, {*_REGISTRY, *_ALIASES})


def metric_of(
    metric: str | Callable[..., Any],
    *,
    greater_is_better: bool | None = None,
    needs: str | None = None,
    implied: bool | None = None,
) -> Metric:
    """The metric of this name, or the one that this function computes.

    Parameters
    ----------
    metric : str or callable
        A name; a function of `sklearn.metrics` that has one; a scorer that `sklearn.metrics.make_scorer` made; or any
        ``(y_true, y_pred) -> float``, which may take ``sample_weight=`` as well.
    greater_is_better : bool, optional
        Which way is better. Only a function of one's own needs it.
    needs : {"predictions", "scores"}, optional
        What the function gets behind y_true; default: predictions.
    implied : bool, optional
        Which way a limit says is better, where nobody says it otherwise.

    Raises
    ------
    MlopsUsageError
        The name is unknown, the function has none, or it is not known which way is better.
    """
    if isinstance(metric, str) or not callable(metric):
        _refuse_settings(metric, greater_is_better, needs)
        return metric_named(metric)
    if hasattr(metric, "_score_func"):  # a scorer says all of it itself
        return _of_scorer(metric, greater_is_better, needs)
    known = _same_as(metric)
    if known is not None:
        _refuse_settings(known.name, greater_is_better, needs)
        return known
    if needs not in (None, "predictions", "scores"):
        raise MlopsUsageError(f"unknown needs={needs!r}: {did_you_mean(str(needs), ('predictions', 'scores'))}")
    way = implied if greater_is_better is None else greater_is_better
    _refuse_the_wrong_way(metric, way)
    if not isinstance(way, bool):
        raise MlopsUsageError(
            f"which way is better cannot be told from the function {_name_of(metric)!r}: say greater_is_better=True "
            f"or False"
        )
    return _own(metric, _name_of(metric), way, "scores" if needs == "scores" else None)


def _own(function: Callable[..., Any], name: str, greater_is_better: bool, scores: Scores | None) -> Metric:
    return Metric(
        name, "bootstrap", _LABELS if scores else (*_LABELS, "regression"), of=_place_of(function), scores=scores,
        lowest=-math.inf, highest=math.inf, greater_is_better=greater_is_better, function=function,
    )  # fmt: skip


def _of_scorer(scorer: Any, greater_is_better: bool | None, needs: str | None) -> Metric:
    _refuse_settings(repr(scorer), greater_is_better, needs)
    function, settings = scorer._score_func, dict(scorer._kwargs)
    known = _same_as(function)
    if known is not None and not settings:
        return known

    _refuse_the_wrong_way(function, scorer._sign > 0)

    def score(y_true: Any, said: Any, **weighted: Any) -> Any:
        return function(y_true, said, **settings, **weighted)

    score.__wrapped__ = function  # type: ignore[attr-defined]  # what it takes is asked of the function
    score.of_scorer = (function, sorted(settings.items()))  # type: ignore[attr-defined]  # and which one it is, of this
    told = ", ".join(f"{name}={value!r}" for name, value in sorted(settings.items()))
    name = f"{_name_of(function)}({told})" if told else _name_of(function)
    method = getattr(scorer, "_response_method", "predict")
    return replace(
        _own(score, name, scorer._sign > 0, None if method in ("predict", "default") else "scores"),
        of=f"{_place_of(function)}({told})",
    )


def _same_as(function: Any) -> Metric | None:
    """The registry's row for a function of scikit-learn, whose values ours equal."""
    name, home = getattr(function, "__name__", ""), str(getattr(function, "__module__", ""))
    # A wrapper may bear the name of what it wraps, and say something else.
    original = getattr(sys.modules.get(home), name, None) is function
    known = original and home.startswith("sklearn.metrics.")
    return _REGISTRY.get(_ALIASES.get(name, name)) if known else None


def _refuse_the_wrong_way(function: Any, greater_is_better: bool | None) -> None:
    """A loss of scikit-learn with settings of one's own is still a loss."""
    inner = getattr(function, "func", function)  # of a partial
    name = getattr(inner, "__name__", "")
    known = _same_as(inner)
    from_sklearn = str(getattr(inner, "__module__", "")).startswith("sklearn.metrics.")
    is_loss = not known.greater_is_better if known else from_sklearn and name.endswith(("_loss", "_error", "_deviance"))
    if is_loss and greater_is_better:
        raise MlopsUsageError(
            f"{name} is better when smaller: give it at_most=, or greater_is_better=False (make_scorer takes that, too)"
        )


def _refuse_settings(metric: object, greater_is_better: object, needs: object) -> None:
    for name, given in (("greater_is_better", greater_is_better), ("needs", needs)):
        if given is not None:
            raise MlopsUsageError(f"{name}= is for a function of your own; for {metric!r} it is known: leave it out")


def _name_of(function: Callable[..., Any]) -> str:
    settings = getattr(function, "keywords", {})
    inner = getattr(function, "func", function)  # of a partial
    name = getattr(inner, "__name__", type(inner).__name__)
    if name == "<lambda>":
        raise MlopsUsageError("a lambda has no name to stand in the report: write the metric as a function with def")
    told = ", ".join(f"{key}={value!r}" for key, value in sorted(settings.items()))
    return f"{name}({told})" if told else str(name)


def _place_of(function: Callable[..., Any]) -> str:
    """Where it is defined: two functions of one name are two questions."""
    inner = getattr(function, "func", function)
    return f"{getattr(inner, '__module__', '')}.{getattr(inner, '__qualname__', type(inner).__qualname__)}"
