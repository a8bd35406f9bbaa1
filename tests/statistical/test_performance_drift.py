"""How often a model that stays as it is is said to get worse, how often a loss is found, and what estimates cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import expit, ndtr
from sklearn import metrics

from pytest_mlops import Evaluation
from pytest_mlops.checks.performance_drift import PerformanceDrift
from pytest_mlops.checks.spec import Settings
from pytest_mlops.statistics import expected_performance
from pytest_mlops.statistics.calibrator import Calibrator
from pytest_mlops.statistics.change_point import first_change, pooled
from pytest_mlops.statistics.expected_performance import expected
from pytest_mlops.verdict.limits import Verdict

from .worlds import at_least, at_most

if TYPE_CHECKING:
    from numpy.random import Generator

RUNS = 200
NOMINAL = 0.025


class Given:
    """A challenger, and nothing else."""

    tell = None

    def __init__(self, challenger: Evaluation) -> None:
        self.challenger = lambda: challenger

    def has(self, role: str) -> bool:
        return role == "challenger"


def labelled(generator: Generator, n: int, *, memory: float = 0.0, drop: float = 0.0, right: float = 0.9) -> Evaluation:
    """Rows that are right where a normal series, with or without a memory, is below a level."""
    series = lfilter([np.sqrt(1 - memory**2)], [1, -memory], generator.normal(size=n + 200))[200:]
    hit = ndtr(series) < right - drop * (np.arange(n) >= n / 2)
    truth = generator.random(n) < 0.4
    return Evaluation(truth.astype(int), np.where(hit, truth, ~truth).astype(int), time=np.arange(n))


def verdicts(metric: str, draw: Any, *, windows: int, at_most: float, runs: int = RUNS) -> list[Verdict]:
    check = PerformanceDrift.ask("performance", metric=metric, windows=windows, at_most=at_most, max_blind=1.0)
    return [check.answer(Given(draw(np.random.default_rng(run))), Settings()).verdict for run in range(runs)]  # type: ignore[arg-type]


@pytest.mark.parametrize("memory", [0.0, 0.6])
@pytest.mark.parametrize(("n", "windows"), [(2_400, 12), (6_000, 6), (1_000, 4)])
@pytest.mark.parametrize("metric", ["accuracy", "recall"])
def test_a_model_that_stays_as_it_is_seldom_fails(metric: str, n: int, windows: int, memory: float) -> None:
    found = verdicts(metric, lambda g: labelled(g, n, memory=memory), windows=windows, at_most=1e-6)
    assert found.count(Verdict.FAIL) <= at_most(NOMINAL, RUNS)


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_a_loss_beyond_the_limit_is_found(memory: float) -> None:
    found = verdicts("accuracy", lambda g: labelled(g, 6_000, memory=memory, drop=0.15), windows=6, at_most=0.05)
    assert found.count(Verdict.FAIL) >= at_least(0.95, RUNS)


def test_a_loss_of_the_limit_never_passes_more_often_than_it_may() -> None:
    found = verdicts("accuracy", lambda g: labelled(g, 6_000, drop=0.05), windows=2, at_most=0.05)
    assert found.count(Verdict.PASS) <= at_most(NOMINAL, RUNS)


@pytest.mark.parametrize("rows", [60, 1_000])
def test_a_share_that_does_not_change_seldom_has_a_change(rows: int) -> None:
    generator = np.random.default_rng(0)
    found = 0
    for _ in range(RUNS):
        values = generator.binomial(rows, 0.9, size=12) / rows
        errors = np.sqrt(np.maximum(values * (1 - values), 0.5 / rows) / rows)
        errors = pooled(errors, np.full(12, rows))
        found += first_change(values, errors, level=0.05, generator=generator) is not None
    assert found <= at_most(0.05, RUNS)


# --- labels are not there yet

OF = {
    "accuracy": lambda y, s: metrics.accuracy_score(y, s >= 0.5),
    "balanced_accuracy": lambda y, s: metrics.balanced_accuracy_score(y, s >= 0.5),
    "precision": lambda y, s: metrics.precision_score(y, s >= 0.5),
    "recall": lambda y, s: metrics.recall_score(y, s >= 0.5),
    "specificity": lambda y, s: metrics.recall_score(~y, s < 0.5),
    "f1": lambda y, s: metrics.f1_score(y, s >= 0.5),
    "roc_auc": metrics.roc_auc_score,
    "brier_score_loss": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
}


def scored(generator: Generator, n: int, shift: float = 0.0) -> tuple[Any, Any]:
    """Scores that are too timid and too high, by a line that is bent."""
    x = generator.normal(shift, 1.3, n)
    return expit(x), generator.random(n) < expit(1.5 * x - 1 - 0.3 * np.abs(x))


@pytest.mark.parametrize(("reference", "current", "shift"), [(400, 400, 0.0), (1_000, 1_000, 0.5), (2_000, 500, -0.5)])
def test_the_interval_covers_what_the_labels_will_say(
    monkeypatch: pytest.MonkeyPatch, reference: int, current: int, shift: float
) -> None:
    runs = 60
    monkeypatch.setattr(expected_performance, "DRAWS", 300)
    covered = dict.fromkeys(OF, 0)
    for run in range(runs):
        generator = np.random.default_rng([run, reference])
        calibrator = Calibrator.of(*scored(generator, reference))
        score, happened = scored(generator, current, shift)
        for metric, of in OF.items():
            found = expected(metric, score, score >= 0.5, calibrator, confidence=0.95, generator=generator)
            covered[metric] += found.low <= of(happened, score) <= found.high
    assert min(covered.values()) >= at_least(0.95, runs)
