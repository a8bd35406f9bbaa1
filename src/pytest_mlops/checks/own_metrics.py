"""Metrics of one's own: any function of truth and predictions, resampled row by row."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.intake import decode
from pytest_mlops.statistics import dependence, resampling
from pytest_mlops.verdict.errors import EvidenceError

from .influence import scaled_weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.rows import Rows
    from pytest_mlops.verdict.estimate import Estimate

    from .estimation import How

    Of = Callable[[NDArray[np.intp]], float]


def estimate(metric: Metric, rows: Rows, how: How) -> Estimate:
    """The function's value, with the interval of a bootstrap of rows, or of clusters or stretches of time."""
    (rows,) = _in_canonical_order(rows)
    return _resampled(_function_of(metric, rows), rows, how)


def improvement(metric: Metric, champion: Rows, challenger: Rows, how: How) -> Estimate:
    """How much better the challenger's value is; both are asked about the same resampled rows."""
    champion, challenger = _in_canonical_order(champion, challenger)
    theirs, ours = _function_of(metric, champion), _function_of(metric, challenger)
    sign = 1.0 if metric.greater_is_better else -1.0
    return _resampled(lambda places: sign * (ours(places) - theirs(places)), challenger, how)


def value(metric: Metric, rows: Rows) -> float:
    """What the function says of all rows."""
    (rows,) = _in_canonical_order(rows)
    return _function_of(metric, rows)(np.arange(rows.n))


def _resampled(of: Of, rows: Rows, how: How) -> Estimate:
    found = resampling.bootstrap(
        of, rows.n, confidence=how.confidence, generator=how.generator, units=_units(rows), tell=how.tell
    )
    _refuse_a_lottery(of, found.value, np.arange(rows.n))
    _refuse_a_lottery(of, found.value, np.random.default_rng(0).permutation(rows.n))
    return replace(found, doubt=found.doubt or (None if rows.time is None else dependence.too_short(rows.time)))


def _refuse_a_lottery(of: Of, said: float, places: NDArray[np.intp]) -> None:
    """The same rows, once more and in another order, must have the same value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was asked before, and answered
        again = of(places)
    if not abs(again - said) <= _ROUNDING * max(abs(again), abs(said)):
        raise EvidenceError(
            f"the function says {said!r} and then {again!r} of the same rows: it must give the same answer each time, "
            f"and in any order of the rows"
        )


_ROUNDING = 1e-9
"""What adding up in another order may change."""


def _units(rows: Rows) -> resampling.Units | None:
    """What is drawn as a whole: clusters, or stretches of time."""
    if rows.clusters is None and rows.time is None:
        return None
    return resampling.Units.of(dependence.units(clusters=rows.clusters, time=rows.time, season=rows.season))


def _function_of(metric: Metric, rows: Rows) -> Of:
    function, truth = metric.function, _as_given(rows, rows.true)
    assert function is not None  # only functions of one's own come here
    said = rows.score if metric.scores else _as_given(rows, rows.pred)
    assert said is not None  # Metric.demand has seen to it
    weight = scaled_weight(rows)
    if weight is None:
        return lambda places: _number(metric, function(truth[places], said[places]))
    if not _takes_weights(function):
        raise EvidenceError(
            f"the rows have sample_weight, and the function {metric.name!r} takes none: give it a parameter "
            f"sample_weight"
        )
    return lambda places: _number(metric, function(truth[places], said[places], sample_weight=weight[places]))


def _as_given(rows: Rows, codes: NDArray[Any]) -> NDArray[Any]:
    """Labels as their owner wrote them."""
    return decode(codes, rows.labels) if rows.task in ("binary", "multiclass") else codes


def _takes_weights(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of what is written in C
        return False
    return any(each.name == "sample_weight" for each in parameters)  # **anything may be swallowed unread


def _number(metric: Metric, found: Any) -> float:
    """One real number, or an error: NaN is for `resampling` to count."""
    if isinstance(found, bool | np.bool_) or not isinstance(found, int | float | np.number) or np.iscomplexobj(found):
        raise EvidenceError(f"the function {metric.name!r} returned a {type(found).__name__}, expected one number")
    return float(found)


def _in_canonical_order(*models: Rows) -> list[Rows]:
    """In an order that the contents decide: rows with equal contents are interchangeable."""
    first = models[0]
    keys: list[NDArray[Any]] = [*_columns(first.true)]
    for rows in models:
        keys += [*_columns(rows.pred), *(() if rows.score is None else _columns(rows.score))]
    last = models[-1]
    keys += [array for array in (last.weight, last.time) if array is not None]
    if last.clusters is not None:
        keys.append(np.unique(last.clusters.astype(str), return_inverse=True)[1])
    order = np.lexsort(keys)
    return [rows.take(order) for rows in models]


def _columns(values: NDArray[Any]) -> list[NDArray[Any]]:
    return [values] if values.ndim == 1 else list(values.T)
