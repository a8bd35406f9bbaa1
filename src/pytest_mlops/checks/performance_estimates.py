"""A metric by windows of time, estimated: labels are not there yet, and calibrated scores stand in for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.engines.base import refuse_absent
from pytest_mlops.evidence.evaluation import Evaluation
from pytest_mlops.evidence.moments import when
from pytest_mlops.evidence.rows import Rows, rows_of
from pytest_mlops.evidence.values import name_of
from pytest_mlops.evidence.windows import Window, windows_of
from pytest_mlops.statistics import dependence, sums
from pytest_mlops.statistics.calibrator import Calibrator
from pytest_mlops.statistics.expected_performance import METRICS, expected
from pytest_mlops.statistics.linear import Linear, interval
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.wording import number, percent, with_interval

from .estimation import How, estimate, value
from .influence import scaled_weight
from .performance_windows import Asking, Course, Stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.sources import Sources

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

MOST_ROWS = 1_000_000
"""Of the current sample: more of them add nothing to what the reference leaves open."""

_BEYOND = 0.05
_HALF = 0.5
_ASSUMPTION = "This assumes that a score means what it meant in the reference: p(y | score) is unchanged"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the current sample has what.

    Parameters
    ----------
    score : str
        The probability of the positive class.
    prediction : str or None
        What the model said; None where that is whether the score is at least 0.5.
    time : str or None
        When a row happened.
    """

    score: str = "score"
    prediction: str | None = None
    time: str | None = None

    @property
    def names(self) -> list[str]:
        """Those that there are."""
        return [name for name in (self.score, self.prediction, self.time) if name is not None]


def refuse_what_cannot_be_estimated(metric: Metric) -> None:
    """Scores say how often rows are positive, and no more."""
    if metric.function is not None or metric.name not in METRICS:
        raise MlopsUsageError(
            f"{metric.name} cannot be estimated from scores without labels: choose one of {', '.join(METRICS)}"
        )


def estimated(asking: Asking, columns: Columns, sources: Sources) -> Course:
    """The metric that each window of rows without labels is likely to have.

    Raises
    ------
    EvidenceError
        The reference is no evaluation of two classes with probabilities; the current sample has no such columns, or
        they hold something else.
    """
    reference = sources.evaluated("reference") if sources.has("reference") else None
    rows = _calibrating(reference)
    asking.metric.demand(rows)
    calibration = _Calibration.of(asking, rows)
    said = _Said.of(sources, columns, rows, asking.seed)
    windows = [calibration.of_window(asking, window, said) for window in said.windows(asking.windows)]
    baseline = Stretch("mlops_reference", rows.n, calibration.measured)
    return Course("mlops_current", baseline, tuple(windows), estimated=True, notes=(_ASSUMPTION,))


def _calibrating(reference: Evaluation | None) -> Rows:
    if reference is None:
        raise EvidenceError(
            "performance without labels is estimated from scores that had some: let mlops_reference be an Evaluation "
            "with y_score="
        )
    rows = rows_of(reference)
    if rows.task != "binary" or rows.positive is None or rows.score is None or rows.score.ndim != 1:
        raise EvidenceError(
            f"performance can be estimated of two classes with the probability of one of them, and mlops_reference is "
            f"{reference!r}: give y_score=, and positive_label= where labels are not 0 and 1"
        )
    _probabilities(rows.score, "y_score of mlops_reference")
    return rows


def _probabilities(score: Floats, what: str) -> Floats:
    if not np.isfinite(score).all():
        raise EvidenceError(f"{what} has missing or infinite values: every row needs a probability")
    low, high = float(score.min()), float(score.max())
    if not 0 <= low <= high <= 1:
        raise EvidenceError(
            f"{what} goes from {number(low)} to {number(high)}, and probabilities go from 0 to 1: give what "
            f"predict_proba says"
        )
    return score


@dataclass(frozen=True, slots=True)
class _Calibration:
    """What the reference says of scores, and how far it is to be believed."""

    of_scores: Calibrator
    measured: Estimate
    factor: float
    doubt: str | None

    @classmethod
    def of(cls, asking: Asking, rows: Rows) -> _Calibration:
        assert rows.score is not None  # `_calibrating` has seen to it
        positive, weight = rows.true == rows.positive, scaled_weight(rows)
        calibrator = Calibrator.of(rows.score, positive, weight)
        how = How(asking.confidence, asking.generator("mlops_reference"))
        factor, doubt = _alike(positive - calibrator.probability(rows.score), rows, asking.confidence)
        found = cls(calibrator, estimate(asking.metric, rows, how), factor, doubt)
        if found.doubt is None and weight is None:
            return cls(calibrator, found.measured, factor, found._disagreement(asking, rows))
        return found

    def of_window(self, asking: Asking, window: Window, said: _Said) -> Stretch:
        rows = window.rows.size
        if not rows:
            return Stretch(window.name, 0, why="it has no rows")
        score = said.score[window.rows]
        try:
            found = self._expected(asking, window.name, score, said.positive[window.rows])
        except EvidenceError as error:
            return Stretch(window.name, rows, why=str(error))
        beyond = self.of_scores.share_beyond(score)
        doubt = self.doubt
        if doubt is None and beyond > _BEYOND:
            doubt = f"{percent(beyond)} of its scores lie beyond all scores of the reference"
        return Stretch(window.name, rows, replace(found, doubt=doubt))

    def _expected(self, asking: Asking, name: str, score: Floats, positive: Booleans) -> Estimate:
        return expected(
            asking.metric.name,
            score,
            positive,
            self.of_scores,
            confidence=asking.confidence,
            generator=asking.generator(name),
            factor=self.factor,
        )

    def _disagreement(self, asking: Asking, rows: Rows) -> str | None:
        """The estimate must be right where the truth is known: of the reference itself."""
        assert rows.score is not None
        found = self._expected(asking, "mlops_reference", rows.score, rows.pred == rows.positive)
        truth = value(asking.metric, rows, How(asking.confidence, asking.generator("mlops_reference")))
        if found.low <= truth <= found.high:
            return None
        return (
            f"of the reference itself {with_interval(found)} is estimated, and {number(truth)} was measured: its "
            f"scores do not tell how good its predictions are"
        )


def _alike(residual: Floats, rows: Rows, confidence: float) -> tuple[float, str | None]:
    """By how much rows that belong together, or follow each other, make the reference less sure than it looks."""
    if rows.clusters is None and rows.time is None:
        return 1.0, None
    moves = Linear(0.0, residual - sums.mean(residual))
    time = None if rows.clusters is not None else rows.time
    season = None if time is None else rows.season
    known = dependence.estimate(moves, confidence=confidence, clusters=rows.clusters, time=time, season=season)
    independent = interval(moves, confidence=confidence)
    if not (known.standard_error and independent.standard_error):
        return 1.0, known.doubt
    return max(1.0, known.standard_error / independent.standard_error), known.doubt


# --- the rows without labels


@dataclass(frozen=True, slots=True)
class _Said:
    """What the model said of rows whose labels nobody knows."""

    score: Floats
    positive: Booleans
    time: NDArray[Any] | None

    @classmethod
    def of(cls, sources: Sources, columns: Columns, reference: Rows, seed: tuple[int, ...]) -> _Said:
        sample = sources.current()
        refuse_absent(sample, columns.names)
        taken = sample.take(columns.names, MOST_ROWS, seed[0])
        score = _probabilities(_numbers(taken[columns.score], columns.score), f"the column {columns.score!r}")
        if columns.prediction is None:
            _refuse_another_threshold(reference)
            positive = score >= _HALF
        else:
            positive = _called_positive(taken[columns.prediction], columns.prediction, reference)
        time = None if columns.time is None else when(taken[columns.time], None, score.size)["time"]
        return cls(score, positive, time)

    def windows(self, windows: int | str | None) -> list[Window]:
        if windows is None:
            return [Window("all rows", np.arange(self.score.size))]
        assert self.time is not None  # `PerformanceDrift.ask` has seen to it
        return windows_of(self.time, windows)


def _numbers(values: NDArray[Any], name: str) -> Floats:
    try:
        found = np.asarray(values).astype(np.float64)
    except (TypeError, ValueError):
        raise EvidenceError(
            f"the column {name!r} holds no numbers: give the probability of the positive class"
        ) from None
    if not found.size:
        raise EvidenceError("mlops_current has no rows: give a table of at least one row")
    return found


def _refuse_another_threshold(reference: Rows) -> None:
    assert reference.score is not None
    other = float(np.mean((reference.score >= _HALF) != (reference.pred == reference.positive)))
    if other:
        raise EvidenceError(
            f"{percent(other)} of the predictions of mlops_reference are not whether the score is at least 0.5: name "
            f"the column of the current sample that holds predictions, prediction="
        )


def _called_positive(values: NDArray[Any], name: str, reference: Rows) -> Booleans:
    """Labels as they are, or as text where a table made text of them."""
    names = {str(label): place == reference.positive for place, label in enumerate(reference.labels)}
    names |= {name_of(label): positive for label, positive in zip(reference.labels, list(names.values()), strict=True)}
    distinct, place = np.unique(np.array([name_of(label) for label in values.tolist()]), return_inverse=True)
    unknown = [label for label in distinct.tolist() if label not in names]
    if unknown:
        labels = " and ".join(map(repr, reference.labels))
        raise EvidenceError(f"the column {name!r} holds {unknown[0]!r}, and the labels of mlops_reference are {labels}")
    return np.array([names[label] for label in distinct.tolist()], dtype=bool)[place.reshape(-1)]
