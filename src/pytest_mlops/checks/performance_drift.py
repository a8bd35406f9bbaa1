"""Does the model get worse over time? A metric by windows of time, measured or estimated, beside a baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from pytest_mlops.evidence.metrics import Metric, metric_of
from pytest_mlops.evidence.windows import asked_windows
from pytest_mlops.statistics.change_point import FEWEST, ChangePoint, first_change, pooled
from pytest_mlops.statistics.multiplicity import benjamini_hochberg
from pytest_mlops.statistics.power import quantile, with_blind_spot
from pytest_mlops.verdict.errors import MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import number

from . import performance_words
from .drift_arguments import asked_of_all
from .drift_rule import FAMILY, LIMITS_UNSEEN, OVER_TIME
from .parts import combined
from .performance_estimates import Columns, estimated, refuse_what_cannot_be_estimated
from .performance_picture import of_course
from .performance_threshold import own_function
from .performance_windows import Asking, Course, Stretch, measured
from .spec import CheckSpec, Settings, one_of, positive_number

if TYPE_CHECKING:
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult


@dataclass(frozen=True, slots=True)
class PerformanceDrift:
    """A validated question. `Gate.drift` documents the arguments."""

    method: str
    metric: Metric
    windows: int | str | None
    limits: Limits
    proof: Proof
    max_blind: float
    columns: Columns
    name: str | None

    @classmethod
    def ask(
        cls,
        method: str,
        *,
        metric: str | Callable[..., Any] | None,
        windows: int | str | None,
        at_most: float | None,
        warn_above: float | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        score: str | None = None,
        prediction: str | None = None,
        time: str | None = None,
        name: str | None = None,
    ) -> PerformanceDrift:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        one_of(method, OVER_TIME, "method")
        if metric is None:
            raise MlopsUsageError(
                f'say metric=: which one may not get worse, e.g. drift("{method}", metric="accuracy")'
            )
        if at_most is None:
            raise MlopsUsageError(
                "say at_most=: how much worse than the baseline a window may be; 0.05 is a usual start"
            )
        found = _metric_of(metric)
        limits = Limits(at_most=positive_number(at_most, "at_most"), warn_above=warn_above)
        _within_range(found, limits)
        one_of(proof, get_args(Proof), "proof")
        columns = _columns(method, found, windows, score=score, prediction=prediction, time=time)
        asked = None if windows is None else asked_windows(windows)
        cap = LIMITS_UNSEEN * limits.bound if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(method, found, asked, limits, proof, cap, columns, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {
            "metric": self.metric.name,
            "windows": self.windows,
            **asked_of_all(self),
            **own_function(self.metric),
            **(self._named_columns if self.method == "estimated_performance" else {}),
        }
        return CheckSpec(
            family=FAMILY, subject=self.method, slice=self.metric.name, name=self.name, arguments=arguments
        )  # fmt: skip

    @property
    def _named_columns(self) -> dict[str, str | None]:
        return {"score": self.columns.score, "prediction": self.columns.prediction, "time": self.columns.time}

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Compare each window with the baseline."""
        asking = Asking(
            self.metric, self.windows, settings.confidence, self.spec.seed(settings.seed), sources.tell
        )  # fmt: skip
        course = self._course(asking, sources)
        parts = self._parts(course, settings)
        change = self._change(course, settings)
        verdict, blind = self._verdict(parts)
        worst = performance_words.worst(parts)
        return self.spec.result(
            settings,
            verdict,
            performance_words.message(self.metric, self.limits, course, parts, change, blind=blind),
            estimate=worst.estimate,
            limits=self.limits,
            parts=tuple(parts),
            details={
                "metric": self.metric.name,
                "estimated": course.estimated,
                "baseline": _of_stretch(course.baseline),
                "change": change,
                "notes": list(course.notes),
                "picture": of_course(self.metric, self.limits, course, parts),
            },
        )

    # --- the windows

    def _course(self, asking: Asking, sources: Sources) -> Course:
        if self.method == "performance":
            return measured(asking, sources)
        return estimated(asking, self.columns, sources)

    def _parts(self, course: Course, settings: Settings) -> list[CheckResult]:
        assert course.baseline.found is not None  # it could not be a baseline
        worse = [
            worsening(self.metric, course.baseline.found, window.found) if window.found else None
            for window in course.windows
        ]
        known = [each for each in worse if each is not None]
        corrected = iter(benjamini_hochberg([each.p_value or 0.0 for each in known]))
        return [
            self._unassessed(window, course, settings)
            if each is None
            else self._part(window, self._corrected(each, next(corrected), len(known)), course, settings)
            for window, each in zip(course.windows, worse, strict=True)
        ]

    def _corrected(self, found: Estimate, p_value: float, comparisons: int) -> Estimate:
        return with_blind_spot(replace(found, p_value=p_value), self.limits.bound, comparisons=comparisons)

    def _part(self, window: Stretch, found: Estimate, course: Course, settings: Settings) -> CheckResult:
        judgement = judge(found, self.limits, proof=self.proof, max_blind=self.max_blind)
        if judgement.because == BLIND:  # of one window: whether too many are blind is asked of all of them
            judgement = Judgement(Verdict.INCONCLUSIVE, judgement.because)
        return self.spec.part(
            settings,
            (window.name,),
            judgement.verdict,
            performance_words.of_window(self.metric, self.limits, course, window, found, judgement.because),
            estimate=found,
            limits=self.limits,
            details={**_of_stretch(window), "estimated": course.estimated, "because": judgement.because},
        )

    def _unassessed(self, window: Stretch, course: Course, settings: Settings) -> CheckResult:
        """Nothing to see is no proof of anything; an estimate without an interval is an error."""
        verdict = Verdict.ERROR if course.estimated and window.rows else Verdict.INCONCLUSIVE
        if self.proof == "shown" and verdict is Verdict.INCONCLUSIVE:
            verdict = Verdict.FAIL
        return self.spec.part(
            settings,
            (window.name,),
            verdict,
            f"{window.name} cannot be assessed: {window.why}.",
            limits=self.limits,
            details={**_of_stretch(window), "estimated": course.estimated, "because": window.why},
        )

    def _verdict(self, parts: Sequence[CheckResult]) -> tuple[Verdict, str]:
        """A few short windows may be blind; where half of them are, nobody looked: with what would be seen.

        The others may be missing as well, but for the last one: what the model is worth now is what was asked.
        """
        blind = [part for part in parts if part.details["because"] == BLIND]
        found, last = combined(parts), parts[-1]
        if found is Verdict.PASS and last.estimate is None:
            return Verdict.INCONCLUSIVE, f"How the model does now is not known: {last.message}"
        if 2 * len(blind) < len(parts) or found is Verdict.FAIL:
            return found, ""
        return Verdict.ERROR, performance_words.ways_out(
            self.metric, blind, len(parts), self.max_blind, self.limits
        )  # fmt: skip

    def _change(self, course: Course, settings: Settings) -> dict[str, Any] | None:
        """From which window on the metric is another one."""
        known = [(each, each.found) for each in course.all if each.found and not each.found.doubt]
        if len(known) < FEWEST:
            return None
        values = np.array([found.value for _, found in known])
        errors = pooled(
            np.array([standard_error(found) for _, found in known]), np.array([each.rows for each, _ in known])
        )
        generator = np.random.default_rng(self.spec.seed(settings.seed))
        change = first_change(values, errors, level=1 - settings.confidence, generator=generator)
        if change is None:
            return None
        since = np.average(values[change.place :], weights=errors[change.place :] ** -2.0)
        return _told(change, known[change.place][0].name, lasts=math.isclose(since, change.after))


def worsening(metric: Metric, baseline: Estimate, window: Estimate) -> Estimate:
    """How much worse a window is than the baseline, other rows: positive is worse, whatever the metric's direction.

    The interval is made of both by the method of variance estimates recovery [1]_, and the p-value is the one that it
    implies.

    References
    ----------
    .. [1] R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
       Medicine 17, 1998 (method 10); G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008.
    """
    above, below = (baseline, window) if metric.greater_is_better else (window, baseline)
    value = above.value - below.value
    low = value - math.hypot(above.value - above.low, below.high - below.value)
    high = value + math.hypot(above.high - above.value, below.value - below.low)
    error = max(
        math.hypot(standard_error(baseline), standard_error(window)), (value - low) / quantile(window.confidence)
    )
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence=window.confidence,
        method=f"difference of two samples, {window.method}",
        n=window.n,
        null=0.0,
        p_value=NormalDist().cdf(-value / error) if error else None,
        standard_error=error or None,
        doubt=window.doubt or (baseline.doubt and f"of the baseline, {baseline.doubt}"),
    )


def standard_error(found: Estimate) -> float:
    """Its own, and never less than its interval implies."""
    return max(found.standard_error or 0.0, (found.high - found.low) / 2 / quantile(found.confidence))


def _of_stretch(stretch: Stretch) -> dict[str, Any]:
    found = stretch.found
    ends = {key: None if found is None else getattr(found, key) for key in ("value", "low", "high")}
    return {"window": stretch.name, "rows": stretch.rows, **ends}


def _told(change: ChangePoint, window: str, *, lasts: bool) -> dict[str, Any]:
    """`lasts`: no other change was found after it, so that all that follows is what is `after` it."""
    return {
        "window": window, "p_value": change.p_value, "before": change.before, "after": change.after, "lasts": lasts,
    }  # fmt: skip


# --- the arguments


def _metric_of(metric: str | Callable[..., Any]) -> Metric:
    try:
        return metric_of(metric)
    except MlopsUsageError as error:
        if "greater_is_better" not in str(error):
            raise
        name = getattr(metric, "__name__", repr(metric))
        raise MlopsUsageError(
            f"which way is better cannot be told from the function {name!r}: wrap it, "
            f"metric=sklearn.metrics.make_scorer({name}, greater_is_better=True), or False for a loss"
        ) from None


def _within_range(metric: Metric, limits: Limits) -> None:
    whole = metric.highest - metric.lowest
    if limits.bound >= whole:
        hint = f"; did you mean {number(limits.bound / 100)}?" if 1 < limits.bound < 100 else ""
        raise MlopsUsageError(
            f"{metric.name} lies between {number(metric.lowest)} and {number(metric.highest)}: "
            f"at_most={limits.bound!r} lets pass any drop{hint}"
        )


def _columns(method: str, metric: Metric, windows: object, **named: str | None) -> Columns:
    given = {key: value for key, value in named.items() if value is not None}
    for key, value in given.items():
        if not (isinstance(value, str) and value):
            raise MlopsUsageError(f"{key}={value!r} is no name of a column: give a text")
    if method == "performance":
        if given:
            raise MlopsUsageError(
                f"{next(iter(given))}= is for samples without labels: an Evaluation has its own, so leave it out"
            )
        if windows is None:
            raise MlopsUsageError("say windows=: how many windows of time, e.g. 12, or how long, e.g. '30 days'")
        return Columns()
    refuse_what_cannot_be_estimated(metric)
    if (windows is None) != (named["time"] is None):
        raise MlopsUsageError("windows= and time= go together: time= names the column that says when a row happened")
    return Columns(**given)
