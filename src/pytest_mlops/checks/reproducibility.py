"""Does the same training give the same model? It is run again in fresh processes, and the predictions are compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.retraining import RetrainingError, hash_seed, retrain
from pytest_mlops.evidence.storage import to_arrays
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits, Verdict, judge
from pytest_mlops.verdict.wording import count, number

from .spec import CheckSpec, Settings, positive_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.evaluation import Evaluation
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

FAMILY = "reproducibility"
_RUNS = range(2, 21)
_CAUSES = (
    "Usual causes: a random generator that is not given the seed; an order that comes from a set or from hash(); "
    "sums over threads, which add in any order (allow them atol=); files that an earlier run has left."
)


@dataclass(frozen=True, slots=True)
class Reproducibility:
    """A validated question. `Gate.reproducibility` documents the arguments.

    The runs are compared with one another, and not with the challenger: the loaded artifact may have been trained on
    another machine. Runs that hand something to the next one through files (a cache) cannot be told from runs that are
    equal by themselves. -0.0 equals 0.0. Rows with an identity may come in any order.

    More runs see more: the order of a set of two texts differs between two runs in 47 % of cases, between five in 92 %;
    of six texts, in all (300 random sets each).
    """

    runs: int
    atol: float
    rtol: float
    timeout: float
    name: str | None

    @classmethod
    def ask(cls, *, runs: int, atol: float, rtol: float, timeout: float, name: str | None) -> Reproducibility:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        if not isinstance(runs, int) or isinstance(runs, bool) or runs not in _RUNS:
            raise MlopsUsageError(f"runs={runs!r} must be an integer from {_RUNS.start} to {_RUNS.stop - 1}")
        seconds = positive_number(timeout, "timeout")
        if not math.isfinite(seconds):
            raise MlopsUsageError(f"timeout={timeout!r} must be finite: how many seconds one training may take")
        relative = _tolerance(rtol, "rtol")
        if relative >= 1:
            raise MlopsUsageError(f"rtol={rtol!r} lets a prediction of 0 pass for any other: give less than 1")
        return cls(runs, _tolerance(atol, "atol"), relative, seconds, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        names = ("runs", "atol", "rtol", "timeout")
        arguments = {name: getattr(self, name) for name in names}
        return CheckSpec(family=FAMILY, subject="predictions", name=self.name, arguments=arguments)

    @property
    def limits(self) -> Limits:
        """On the number of rows that differ."""
        return Limits(at_most=0.0)

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Train, and compare each run with the first."""
        try:
            evaluations = retrain(
                sources.train(), seed=settings.seed, runs=self.runs, timeout=self.timeout, tell=sources.tell
            )
        except RetrainingError as error:
            return self._untrained(error, settings)
        return self._compared(evaluations, settings)

    def _untrained(self, error: RetrainingError, settings: Settings) -> CheckResult:
        details = {"traceback": error.traceback}  # not what it printed, which may be rows of data
        return self.spec.result(
            settings,
            Verdict.ERROR,
            f"predictions cannot be judged: {str(error).rstrip('.')}.",
            limits=self.limits,
            details={name: text for name, text in details.items() if text},
        )

    def _compared(self, evaluations: Sequence[Evaluation], settings: Settings) -> CheckResult:
        runs = [Run.of(evaluation) for evaluation in evaluations]
        first = runs[0]
        self._refuse_a_tolerance_for_anything(first)
        differences = [compare(first, run, atol=self.atol, rtol=self.rtol) for run in runs[1:]]
        differing = int(np.logical_or.reduce([difference.rows for difference in differences]).sum())
        found = Estimate(
            value=float(differing),
            low=float(differing),
            high=float(differing),
            confidence=settings.confidence,
            method="comparison of all runs with the first",
            n=first.n,
            exact=True,
        )
        judgement = judge(found, self.limits)
        return self.spec.result(
            settings,
            judgement.verdict,
            self._different(differences, first.n) if differing else self._equal(first),
            estimate=found,
            limits=self.limits,
            details={
                "runs": [
                    {"PYTHONHASHSEED": hash_seed(place), "predictions": evaluation.prediction_digest}
                    for place, evaluation in enumerate(evaluations)
                ]
            },
        )

    def _refuse_a_tolerance_for_anything(self, first: Run) -> None:
        """Where all that was predicted lies within the tolerance, any model would be the same model."""
        quantities = first.quantities
        if quantities is None or not (self.atol or self.rtol):
            return
        with np.errstate(over="ignore"):
            spread = float(np.ptp(quantities))
        allowed = self.atol + self.rtol * float(np.abs(quantities).max())
        if 0 < spread <= allowed:
            raise EvidenceError(
                f"all predictions lie within {number(spread)} of one another, and atol={number(self.atol)}, "
                f"rtol={number(self.rtol)} allow differences of {number(allowed)}: any model would pass; allow less"
            )

    def _equal(self, first: Run) -> str:
        how = "within the tolerance" if self.atol or self.rtol else "bit for bit"
        message = f"predictions are equal {how} in {self.runs} fresh processes, on {count(first.n, 'row')}."
        if first.quantities is None:
            message += " Only labels were compared: with y_score smaller differences would show."
        return message

    def _different(self, differences: Sequence[Difference], n: int) -> str:
        worst = max(range(len(differences)), key=lambda place: int(differences[place].rows.sum()))
        difference = differences[worst]
        others = sum(bool(other.rows.any()) for other in differences) - 1
        as_well = f" {count(others, 'other run')} of {self.runs} differ{'s' if others == 1 else ''} as well."
        return (
            f"predictions differ in {int(difference.rows.sum()):,} of {count(n, 'row')} between run 1 "
            f"(PYTHONHASHSEED={hash_seed(0)}) and run {worst + 2} (PYTHONHASHSEED={hash_seed(worst + 1)}): "
            f"{difference.how}.{as_well if others else ''} {_CAUSES}"
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What one training predicted, as plain arrays in an order that all runs share.

    Parameters
    ----------
    arrays : mapping of arrays of n rows
    facts : mapping
        What must be the same in all runs.
    """

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, evaluation: Evaluation) -> Run:
        """Rows with an identity are put into the order of their keys; anonymous ones stay where they are."""
        arrays, facts = to_arrays(evaluation)
        facts = {name: fact for name, fact in facts.items() if name != "notes"}
        facts["columns of y_score"] = len(_by_column(arrays.get("y_score")))
        if "row_keys" in arrays:
            order = _canonical_order(arrays)
            arrays = {name: array[order] for name, array in arrays.items()}
        return cls(arrays, facts)

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.arrays["y_true"])

    @property
    def quantities(self) -> NDArray[np.float64] | None:
        """What the tolerance is for: quantities or scores. Labels have none."""
        return self.arrays["y_pred"] if self.facts["task"] == "regression" else self.arrays.get("y_score")


@dataclass(frozen=True, slots=True)
class Difference:
    """Between two runs.

    Parameters
    ----------
    rows : boolean array of shape (n,)
        Which rows of the first run are not the same in the other.
    how : str
        In words.
    """

    rows: NDArray[np.bool_]
    how: str


def compare(first: Run, other: Run, *, atol: float, rtol: float) -> Difference:
    """Which rows of the first run are not the same in the other.

    Parameters
    ----------
    first, other : Run
    atol, rtol : float
        Quantities and scores may differ by ``atol + rtol * abs(first)``; labels may not differ.

    Returns
    -------
    Difference
        Where the runs are not about the same rows, or not of the same kind, no row is the same.
    """
    why = _incomparable(first, other)
    if why:
        return Difference(np.ones(first.n, dtype=np.bool_), why)
    rows = np.zeros(first.n, dtype=np.bool_)
    how = []
    for name in ("y_pred", "y_score"):
        if name not in first.arrays:
            continue
        one, two = first.arrays[name], other.arrays[name]
        if one.dtype.kind == "f":
            apart, size = _apart(one, two, atol=atol, rtol=rtol)
        else:
            apart, size = np.logical_or.reduce(_by_column(one != two)), None
        if apart.any():
            by = "" if size is None else f", by up to {number(size)}"
            how.append(f"{name} in {count(int(apart.sum()), 'row')}{by}")
            rows |= apart
    return Difference(rows, "; ".join(how))


def _incomparable(first: Run, other: Run) -> str | None:
    if first.n != other.n:
        return f"the evaluations have {first.n:,} and {count(other.n, 'row')}, so the test rows are not the same"
    for name, fact in first.facts.items():
        if other.facts[name] != fact:
            return f"{name} is {_shown(fact)} in the one and {_shown(other.facts[name])} in the other"
    if "row_keys" in first.arrays and not np.array_equal(first.arrays["row_keys"], other.arrays["row_keys"]):
        common = int(np.isin(first.arrays["row_keys"], other.arrays["row_keys"]).sum())
        return f"the test rows are not the same, only {common:,} of {first.n:,} are in both"
    other_truth = _by_column(first.arrays["y_true"] != other.arrays["y_true"])
    unlike = int(np.logical_or.reduce(other_truth).sum())
    return f"y_true is not the same in {count(unlike, 'row')}, so the test rows are not the same" if unlike else None


def _apart(
    one: NDArray[np.float64], two: NDArray[np.float64], *, atol: float, rtol: float
) -> tuple[NDArray[np.bool_], float]:
    """Rows in which any value is further off than allowed, and the largest difference of all."""
    with np.errstate(over="ignore"):
        size = np.abs(two - one)
        apart = ~(size <= atol + rtol * np.abs(one))  # what is not a number is not within anything
    return np.logical_or.reduce(_by_column(apart)), float(size.max())


def _canonical_order(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.intp]:
    """By row key; rows with equal features by truth, then by what was said of them."""
    said = [column for name in ("y_score", "y_pred", "y_true") for column in _by_column(arrays.get(name))]
    return np.lexsort((*said, arrays["row_keys"]))


def _by_column(scores: NDArray[Any] | None) -> list[NDArray[Any]]:
    return [] if scores is None else list(scores.reshape(len(scores), -1).T)


def _shown(fact: Any) -> str:
    text = repr(fact)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _tolerance(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise MlopsUsageError(f"{what}={value!r} must be a finite number, 0 or more")
    return float(value)
