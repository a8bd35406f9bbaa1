"""What an interval costs: ours, scikit-learn's metric alone, and the bootstrap, side by side in one run.

    python benchmarks/intervals.py            # 10,000, 100,000 and 1,000,000 rows: about three minutes
    python benchmarks/intervals.py 10_000     # other sizes

Each time is the best of several, in milliseconds, with all threads of the libraries as they come. The last columns are
ratios to scikit-learn's metric in the same run: those are what to compare between machines. Labels are encoded when an
`Evaluation` is made; that is timed apart. A bootstrap of 1,000 resamples is timed with a few and extrapolated.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics as sk

from pytest_mlops import Evaluation
from pytest_mlops.checks.estimation import How, estimate, estimate_improvement
from pytest_mlops.evidence.metrics import metric_named
from pytest_mlops.evidence.pairing import pair
from pytest_mlops.evidence.rows import Rows

SIZES = (10_000, 100_000, 1_000_000)
RESAMPLES = 1_000
HEADS = (
    ("ours", "paired", "sklearn", "bootstrap", "ours/", "paired/", "bootstrap/", "memory"),
    ("ms", "ms", "ms", "ms", "sklearn", "sklearn", "ours", "× input"),
)
OF_LABELS: dict[str, Callable[..., float]] = {
    "accuracy": sk.accuracy_score,
    "f1": sk.f1_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
}
OF_SCORES: dict[str, Callable[..., float]] = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "log_loss": sk.log_loss,
}
OF_QUANTITIES: dict[str, Callable[..., float]] = {
    "mean_absolute_error": sk.mean_absolute_error,
    "root_mean_squared_error": sk.root_mean_squared_error,
}


@dataclass(frozen=True)
class Case:
    """One metric on one pair of models."""

    name: str
    theirs: Callable[..., float]
    said: np.ndarray[Any, Any]
    truth: np.ndarray[Any, Any]
    champion: Rows
    challenger: Rows


def main(sizes: list[int]) -> None:
    """Print the tables."""
    warnings.simplefilter("ignore")
    for n in sizes:
        classified, measured, made = _evaluations(n)
        print(f"\n{n:,} rows. Making an Evaluation: {made:.1f} ms of integers, {_of_text(n):.1f} ms of text")
        for heads in HEADS:
            print(f"{'':24}" + "".join(f"{head:>10}" for head in heads))
        for case in _cases(classified, measured):
            print(_line(case))


def _evaluations(n: int) -> tuple[list[Evaluation], list[Evaluation], float]:
    rng = np.random.default_rng(0)
    truth = (rng.random(n) < 0.3).astype(np.int64)
    scores = [1 / (1 + np.exp(1 - 2 * truth - rng.normal(size=n))) for _ in range(2)]
    started = time.perf_counter()
    classified = [Evaluation(truth, (score > 0.5).astype(np.int64), score) for score in scores]
    made = (time.perf_counter() - started) / 2 * 1e3
    target = rng.normal(size=n)
    measured = [Evaluation(target, target + rng.normal(size=n), task="regression") for _ in range(2)]
    return classified, measured, made


def _of_text(n: int) -> float:
    rng = np.random.default_rng(1)
    labels = np.array(["no", "yes"], dtype=object)
    truth, said = labels[rng.integers(0, 2, n)], labels[rng.integers(0, 2, n)]
    started = time.perf_counter()
    Evaluation(truth, said, positive_label="yes")
    return (time.perf_counter() - started) * 1e3


def _cases(classified: list[Evaluation], measured: list[Evaluation]) -> list[Case]:
    found = []
    for models, metrics in ((classified, OF_LABELS), (classified, OF_SCORES), (measured, OF_QUANTITIES)):
        champion, challenger = pair(*models, paired_by="order").rows()
        for name, theirs in metrics.items():
            said = models[1].y_score if metrics is OF_SCORES else models[1].y_pred
            assert said is not None
            found.append(Case(name, theirs, said, models[1].y_true, champion, challenger))
    return found


def _line(case: Case) -> str:
    metric, how = metric_named(case.name), How(0.95, np.random.default_rng(0))
    value = estimate(metric, case.challenger, how).value
    assert abs(value - case.theirs(case.truth, case.said)) < 1e-9, case.name
    ours, paired, theirs = _side_by_side(
        lambda: estimate(metric, case.challenger, how),
        lambda: estimate_improvement(metric, case.champion, case.challenger, how),
        lambda: case.theirs(case.truth, case.said),
    )
    loop = _bootstrap(case)
    return (
        f"{case.name:24}{ours:10.2f}{paired:10.2f}{theirs:10.2f}{loop:10.0f}"
        f"{ours / theirs:10.2f}{paired / theirs:10.2f}{loop / ours:10.0f}{_memory(case):10.1f}"
    )


def _side_by_side(*runs: Callable[[], object]) -> list[float]:
    """The best of several of each, in turns, so that a slow moment of the machine hits all of them."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(7):
        for run, taken in zip(runs, times, strict=True):
            started = time.perf_counter()
            run()
            taken.append((time.perf_counter() - started) * 1e3)
    return [min(taken) for taken in times]


def _bootstrap(case: Case) -> float:
    """A loop of 1,000 resamples around scikit-learn's metric, from three of them."""
    rng, n, few = np.random.default_rng(0), case.truth.size, 3
    started = time.perf_counter()
    for _ in range(few):
        rows = rng.integers(0, n, n)
        case.theirs(case.truth[rows], case.said[rows])
    return (time.perf_counter() - started) * 1e3 / few * RESAMPLES


def _memory(case: Case) -> float:
    """The peak of a paired comparison, in sizes of what it is given."""
    metric, how = metric_named(case.name), How(0.95, np.random.default_rng(0))
    given = 2 * (case.truth.nbytes + case.said.nbytes)
    tracemalloc.start()
    estimate_improvement(metric, case.champion, case.challenger, how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / given


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
