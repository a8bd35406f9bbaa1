"""fairlearn's metrics of fairness: which rates each compares, and how. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.wording import did_you_mean

from .metrics import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation, Task

Needs = Literal["labels", "positive", "quantities"]
_TASKS: dict[Needs, tuple[Task, ...]] = {
    "labels": ("binary", "multiclass"),
    "positive": ("binary",),
    "quantities": ("regression",),
}
Form = Literal["difference", "ratio", "group_min", "group_max"]


@dataclass(frozen=True, slots=True)
class FairnessMetric:
    """One row of the registry.

    Parameters
    ----------
    name : str
        fairlearn's own.
    of : tuple of str
        What is taken of each group: of several, the worst counts.
    form : {"difference", "ratio", "group_min", "group_max"}
        The largest difference of two groups, the smallest ratio, the smallest or the largest value of any group.
    needs : {"labels", "positive", "quantities"}
        As a `Metric` does.
    """

    name: str
    of: tuple[str, ...]
    form: Form
    needs: Needs

    @property
    def greater_is_better(self) -> bool:
        """Which way the limit stands."""
        return self.form in ("ratio", "group_min")

    @property
    def is_disparity(self) -> bool:
        """Does it compare groups with each other, or each group with the limit?"""
        return self.form in ("difference", "ratio")

    @property
    def lowest(self) -> float:
        """Of its values."""
        return -math.inf if self.of == ("r2_score",) else 0.0

    @property
    def highest(self) -> float:
        """Of its values."""
        return math.inf if self.needs == "quantities" and self.form == "group_max" else 1.0

    @property
    def metric(self) -> Metric:
        """What it demands of an evaluation."""
        return Metric(
            self.name, "share", _TASKS[self.needs], average="positive" if self.needs == "positive" else None,
            lowest=self.lowest, highest=self.highest, greater_is_better=self.greater_is_better,
        )  # fmt: skip

    def demand(self, evaluation: Evaluation) -> None:
        """Raise an `EvidenceError` where the evaluation has too many classes: here another metric is the way out."""
        if self.needs == "positive" and evaluation.task == "multiclass":
            raise EvidenceError(
                f"{self.name} needs two classes, and this evaluation has {len(evaluation.labels)}: use an "
                f"accuracy_score_… or zero_one_loss_… metric"
            )


_RATES = ("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate", "selection_rate")
_NAMED: dict[str, tuple[str, ...]] = {
    "demographic_parity": ("selection_rate",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
    "equal_opportunity": ("true_positive_rate",),
    **{rate: (rate,) for rate in _RATES},
}
_WORST: tuple[tuple[str, Form, Needs], ...] = (
    ("accuracy_score", "group_min", "labels"),
    ("zero_one_loss", "group_max", "labels"),
    ("precision_score", "group_min", "positive"),
    ("recall_score", "group_min", "positive"),
    ("f1_score", "group_min", "positive"),
    ("mean_absolute_error", "group_max", "quantities"),
    ("mean_squared_error", "group_max", "quantities"),
    ("r2_score", "group_min", "quantities"),
)
_APART: tuple[Form, ...] = ("difference", "ratio")
_REGISTRY = {
    metric.name: metric
    for metric in (
        *(FairnessMetric(f"{name}_{form}", of, form, "positive") for name, of in _NAMED.items() for form in _APART),
        *(
            FairnessMetric(f"{name}_{form}", (name,), form, "labels")
            for name in ("accuracy_score", "zero_one_loss")
            for form in _APART
        ),
        *(FairnessMetric(f"{name}_{form}", (name,), form, needs) for name, form, needs in _WORST),
    )
}
_REFUSED = {
    "roc_auc_score_group_min": "it needs scores, and this version judges the labels of groups only",
    "log_loss_group_max": "it needs probabilities, and this version judges the labels of groups only",
    "balanced_accuracy_score_group_min": (
        "it is a mean of two rates, for which this version has no interval; ask for recall_score_group_min, and for "
        "true_negative_rate_difference"
    ),
}


def fairness_metric_named(name: str) -> FairnessMetric:
    """The metric of this name.

    Raises
    ------
    MlopsUsageError
        There is none, or none yet; the message names the nearest.
    """
    if isinstance(name, str) and name in _REFUSED:
        raise MlopsUsageError(f"{name} cannot be judged yet: {_REFUSED[name]}")
    found = _REGISTRY.get(name) if isinstance(name, str) else None
    if found is None:
        raise MlopsUsageError(f"unknown fairness metric {name!r}: {did_you_mean(str(name), _REGISTRY)}")
    return found
