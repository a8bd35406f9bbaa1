"""A metric by windows of time, measured: what a performance drift check compares."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.evidence.evaluation import Evaluation
from pytest_mlops.evidence.metrics import Metric
from pytest_mlops.evidence.rows import Rows, rows_of
from pytest_mlops.evidence.windows import windows_of
from pytest_mlops.statistics import means
from pytest_mlops.statistics.noise_floor import Memory, memory
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .estimation import How, estimate, of_both_classes
from .influence import linear, scaled_weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_mlops.evidence.sources import Sources

_WITH_INFLUENCE = ("share", "cells", "ranks", "mean", "of_means", "median")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of the rows, and the metric of them.

    Parameters
    ----------
    name : str
        From when to when.
    rows : int
    found : Estimate or None
    why : str
        There is none.
    """

    name: str
    rows: int
    found: Estimate | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """How a metric went.

    Parameters
    ----------
    of : str
        Whose rows these are, for people.
    baseline : Stretch
        What all windows are compared with; it has an estimate.
    windows : tuple of Stretch
        Oldest first, without the baseline.
    estimated : bool
        Is nothing of the windows measured?
    in_line : bool
        Is the baseline the window before the first one?
    notes : tuple of str
        What is to be said of it.
    """

    of: str
    baseline: Stretch
    windows: tuple[Stretch, ...]
    estimated: bool = False
    in_line: bool = False
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Stretch, ...]:
        """The windows in a row, the baseline among them where it is one."""
        return (self.baseline, *self.windows) if self.in_line else self.windows


@dataclass(frozen=True, slots=True)
class Asking:
    """How windows are estimated.

    Parameters
    ----------
    metric : Metric
    windows : int or str
    confidence : float
    seed : tuple of int
    tell : callable or None
    """

    metric: Metric
    windows: int | str | None
    confidence: float
    seed: tuple[int, ...]
    tell: Callable[[str, float], object] | None = None

    def generator(self, name: str) -> np.random.Generator:
        """One for each window: none moves another's random numbers."""
        return np.random.default_rng([*self.seed, zlib.crc32(name.encode())])


def measured(asking: Asking, sources: Sources) -> Course:
    """The metric of each window of rows that have labels.

    Raises
    ------
    EvidenceError
        There is no evaluation with time, or no baseline.
    """
    whose, current = _dated(sources)
    reference = sources.evaluated("reference") if sources.has("reference") else None
    rows = rows_of(current)
    assert current.time is not None  # `_dated` has seen to it
    assert asking.windows is not None  # `PerformanceDrift.ask` has seen to it
    found = windows_of(current.time, asking.windows)
    stretches = [(window.name, rows.take(window.rows)) for window in found]
    if isinstance(reference, Evaluation):
        stretches.insert(0, ("mlops_reference", rows_of(reference)))
    baseline, *windows = _estimated(asking, stretches)
    if baseline.found is None:
        raise EvidenceError(f"{baseline.name}, which is the baseline, cannot be assessed: {baseline.why}")
    return Course(whose, baseline, tuple(windows), in_line=reference is None, notes=current.notes)


def _dated(sources: Sources) -> tuple[str, Evaluation]:
    """mlops_current, if it is an evaluation; else the challenger. An evaluation without time is not passed over."""
    current = sources.evaluated("current") if sources.has("current") else None
    whose = "mlops_current"
    if current is None and sources.has("challenger"):
        whose, current = "the challenger", sources.challenger()
    if current is None:
        raise EvidenceError(
            "performance over time needs labels: let mlops_current be an Evaluation with time=, or ask for "
            'method="estimated_performance" where labels are not there yet'
        )
    if current.time is None:
        raise EvidenceError(f"{whose} has no time=, so there are no windows of time: say when each row happened")
    return whose, current


def _estimated(asking: Asking, stretches: Sequence[tuple[str, Rows]]) -> list[Stretch]:
    """Each with its interval, lengthened by what all of them show of their memory."""
    found = []
    for place, (name, rows) in enumerate(stretches):
        if asking.tell is not None:
            asking.tell(f"{asking.metric.name}, {name}", place / len(stretches))
        found.append(_alone(asking, name, rows))
    known = [(stretch, rows) for stretch, (_, rows) in zip(found, stretches, strict=True) if stretch.found]
    shared = _shared_memory(asking, [rows for _, rows in known if _shares_memory(asking.metric, rows)])
    return [
        replace(stretch, found=_remembered(stretch.found, shared, asking.metric))
        if stretch.found and _shares_memory(asking.metric, rows)
        else stretch
        for stretch, (_, rows) in zip(found, stretches, strict=True)
    ]


def _alone(asking: Asking, name: str, rows: Rows) -> Stretch:
    if not rows.n:
        return Stretch(name, 0, why="it has no rows")
    how = How(asking.confidence, asking.generator(name), None)
    try:
        found = estimate(asking.metric, of_both_classes(asking.metric, _followed(asking.metric, rows)), how)
    except EvidenceError as error:
        return Stretch(name, rows.n, why=str(error))
    return Stretch(name, rows.n, found)


def _shares_memory(metric: Metric, rows: Rows) -> bool:
    return rows.time is not None and rows.clusters is None and metric.route in _WITH_INFLUENCE


def _followed(metric: Metric, rows: Rows) -> Rows:
    """Clusters say which rows belong together; else all windows together do, or, of a function, its own times."""
    if rows.clusters is not None or _shares_memory(metric, rows):
        return replace(rows, time=None, season=None)
    return rows


def _shared_memory(asking: Asking, windows: Sequence[Rows]) -> Memory:
    if not windows:
        return Memory()
    pieces = []
    for rows in windows:
        assert rows.time is not None  # they share their memory
        pieces.append((_influence(asking.metric, _followed(asking.metric, rows)), rows.time))
    return memory(pieces, confidence=asking.confidence)


def _influence(metric: Metric, rows: Rows) -> NDArray[np.float64]:
    if metric.of == "hamming_loss" and rows.true.ndim == 1:  # one label a row: the share of wrong rows
        return means.mean((rows.true != rows.pred).astype(np.float64), scaled_weight(rows)).influence
    return linear(metric, rows).influence


def _remembered(found: Estimate, shared: Memory, metric: Metric) -> Estimate:
    return replace(
        found,
        low=max(metric.lowest, found.value - shared.factor * (found.value - found.low)),
        high=min(metric.highest, found.value + shared.factor * (found.high - found.value)),
        standard_error=None if found.standard_error is None else shared.factor * found.standard_error,
        doubt=found.doubt or shared.doubt,
    )
