"""What a metric is computed from: arrays of the same rows, of one model, of which some may be taken."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .evaluation import Evaluation, Task


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one evaluation.

    Parameters
    ----------
    task : {"binary", "multiclass", "multilabel", "regression"}
    labels : tuple
        All classes; of a multilabel evaluation, the names of its labels. Empty for a regression.
    positive : int or None
        The place of the positive class in `labels`.
    true, pred : arrays of shape (n,), or (n, labels) for multilabel
        Codes: places in `labels`; 0 and 1 for multilabel; quantities for a regression.
    score : array of shape (n,) or (n, labels), or None
    weight : array of shape (n,), or None
        Not negative; None where all rows count alike.
    clusters, time : arrays of shape (n,), or None
    season : float, timedelta or None
        How long a batch of `time` must be at least, in its unit.
    """

    task: Task
    labels: tuple[Any, ...]
    positive: int | None
    true: NDArray[Any]
    pred: NDArray[Any]
    score: NDArray[np.float64] | None
    weight: NDArray[np.float64] | None = None
    clusters: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    season: Any = None

    @property
    def n(self) -> int:
        """How many."""
        return len(self.true)

    @property
    def independent(self) -> bool:
        """Are the rows independent of each other, and do they count alike?"""
        return self.weight is None and self.clusters is None and self.time is None

    def take(self, which: NDArray[Any]) -> Rows:
        """Those of a mask, or at places, in that order."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        taken = {name: array[which] for name, array in arrays.items() if isinstance(array, np.ndarray)}
        return replace(self, **taken)


def rows_of(evaluation: Evaluation) -> Rows:
    """All rows of an evaluation, in its own order."""
    positive = evaluation.positive_label
    return Rows(
        task=evaluation.task,
        labels=evaluation.labels,
        positive=None if positive is None else evaluation.labels.index(positive),
        true=evaluation.true_codes,
        pred=evaluation.pred_codes,
        score=evaluation.y_score,
        weight=evaluation.sample_weight,
        clusters=evaluation.clusters,
        time=evaluation.time,
        season=evaluation.season,
    )
