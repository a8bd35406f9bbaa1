"""The metrics: what each needs, which way is better, and where its values lie. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.wording import did_you_mean

if TYPE_CHECKING:
    from .evaluation import Evaluation

Needs = Literal["labels", "positive", "scores", "quantities"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the registry.

    Parameters
    ----------
    name : str
        scikit-learn's own name, without the sign that its scorers put before a loss.
    needs : {"labels", "positive", "scores", "quantities"}
        Class labels; two classes of which one is positive; a score of the positive class; numbers.
    lowest, highest : float
        Where its values lie.
    greater_is_better : bool
    """

    name: str
    needs: Needs
    lowest: float = 0.0
    highest: float = 1.0
    greater_is_better: bool = True

    def demand(self, evaluation: Evaluation) -> None:
        """Raise an `EvidenceError` where the evaluation cannot answer this metric."""
        wanted = "regression" if self.needs == "quantities" else "classification"
        if (evaluation.task == "regression") != (wanted == "regression"):
            raise EvidenceError(
                f"{self.name} is a metric of {wanted}, and this evaluation is {evaluation.task}: "
                f"choose another metric, or say task= when making the Evaluation"
            )
        if self.needs in ("positive", "scores"):
            self._demand_positive(evaluation)
        if self.needs == "scores" and evaluation.y_score is None:
            raise EvidenceError(f"{self.name} needs scores, and this evaluation has none: give y_score=")

    def _demand_positive(self, evaluation: Evaluation) -> None:
        if evaluation.task != "binary":
            raise EvidenceError(
                f"{self.name} needs two classes, and this evaluation has {len(evaluation.labels)}: use accuracy"
            )
        if evaluation.positive_label is None:
            first, second = evaluation.labels
            raise EvidenceError(
                f"{self.name} needs to know which of {first!r} and {second!r} is the positive class: "
                f"say positive_label= when making the Evaluation"
            )


_REGISTRY = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "labels"),
        Metric("precision", "positive"),
        Metric("recall", "positive"),
        Metric("specificity", "positive"),
        Metric("f1", "positive"),
        Metric("roc_auc", "scores"),
        Metric("mean_absolute_error", "quantities", highest=math.inf, greater_is_better=False),
        Metric("root_mean_squared_error", "quantities", highest=math.inf, greater_is_better=False),
        Metric("r2", "quantities", lowest=-math.inf),
    )
}
_ALIASES = {
    "mae": "mean_absolute_error",
    "rmse": "root_mean_squared_error",
    "auc": "roc_auc",
    "sensitivity": "recall",
    **{f"{name}_score": name for name in ("accuracy", "precision", "recall", "f1", "roc_auc", "r2")},
}


def metric_named(name: str) -> Metric:
    """The metric of this name.

    Raises
    ------
    MlopsUsageError
        There is none; the message names the nearest.
    """
    found = _REGISTRY.get(_ALIASES.get(name, name)) if isinstance(name, str) else None
    if found is None:
        raise MlopsUsageError(f"unknown metric {name!r}: {did_you_mean(str(name), {*_REGISTRY, *_ALIASES})}")
    return found
