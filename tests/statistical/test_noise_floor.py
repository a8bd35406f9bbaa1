"""How often a season, or a memory, is called drift, and how often a shift beyond them is found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.signal import lfilter

from pytest_mlops.checks.drift import Drift
from pytest_mlops.checks.spec import Settings
from pytest_mlops.evidence.sources import Sources
from pytest_mlops.statistics import divergence, two_sample
from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.statistics.noise_floor import against_blocks
from pytest_mlops.statistics.steps import Steps
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.limits import Verdict

from .worlds import at_least, at_most

if TYPE_CHECKING:
    from numpy.random import Generator

    from pytest_mlops.verdict.estimate import Estimate

RUNS = 200
NOMINAL = 0.025
ROWS = 200
STAKES = Stakes(0.95, 1, 0.02)

Series = Callable[["Generator", int], Any]


def remembering(memory: float, generator: Generator, n: int) -> Any:
    return lfilter([np.sqrt(1 - memory**2)], [1, -memory], generator.normal(size=n + 500))[500:]


def seasonal(period: int, swing: float, generator: Generator, n: int) -> Any:
    return generator.normal(size=n) + swing * np.sin(2 * np.pi * np.arange(n) / period)


def december(generator: Generator, n: int) -> Any:
    """One stretch in twelve differs, and the current one is one of those."""
    stretch = (np.arange(n) // ROWS)[::-1]
    return generator.normal(size=n) + 0.8 * (stretch % 12 == 0)


SERIES: dict[str, Series] = {
    "independent": partial(remembering, 0.0),
    "memory .8": partial(remembering, 0.8),
    "memory .95": partial(remembering, 0.95),
    "weeks": partial(seasonal, 140, 1.0),
    "years": partial(seasonal, 12 * ROWS, 1.0),
    "december": december,
}


def judged(series: Any, blocks: int, method: str, longer: int = 1) -> Estimate:
    """The last 200 rows against all before them, beside stretches of those."""
    reference, current = series[:-ROWS], series[-ROWS:]
    size = ROWS * longer
    stretches = [(start, reference[start : start + size]) for start in range(0, blocks * size, size)]
    moved = [
        _plain(np.concatenate([reference[:start], reference[start + size :]]), stretch, method)
        for start, stretch in stretches
    ]
    found, plain = _found(reference, current, method)
    return against_blocks(found, plain, moved, STAKES, square=method == "psi", longer=longer)


def _steps(reference: Any, current: Any) -> Steps:
    return Steps.of(Distribution.of(reference), Distribution.of(current))


def _plain(reference: Any, current: Any, method: str) -> float:
    steps = _steps(reference, current)
    if method == "psi":
        return divergence.plain("psi", two_sample.binned(steps))
    return two_sample.plain_distance("ks", steps)


def _found(reference: Any, current: Any, method: str) -> tuple[Estimate, float]:
    steps, generator = _steps(reference, current), np.random.default_rng(0)
    if method == "psi":
        counts = two_sample.binned(steps)
        return divergence.psi(counts, stakes=STAKES, generator=generator), divergence.plain("psi", counts)
    found = two_sample.kolmogorov_smirnov(steps, stakes=STAKES, generator=generator)
    return found, two_sample.plain_distance("ks", steps)


def significant(found: Estimate) -> bool:
    return found.p_value is not None and found.p_value <= NOMINAL


def drawn(series: str, run: int, blocks: int, longer: int = 1, shift: float = 0.0) -> Any:
    found = SERIES[series](np.random.default_rng(run), (blocks * longer + 1) * ROWS)
    found[-ROWS:] += shift
    return found


@pytest.mark.parametrize("method", ["ks", "psi"])
@pytest.mark.parametrize("blocks", [6, 12])
@pytest.mark.parametrize("series", SERIES)
def test_what_the_reference_does_itself_is_seldom_drift(series: str, blocks: int, method: str) -> None:
    if blocks < 12 and series in ("years", "december"):
        pytest.skip("the reference has not seen the season")
    alarms = sum(significant(judged(drawn(series, run, blocks), blocks, method)) for run in range(RUNS))
    assert alarms <= at_most(NOMINAL, RUNS)


def test_stretches_that_are_longer_than_the_sample_are_no_excuse() -> None:
    alarms = sum(significant(judged(drawn("memory .8", run, 8, 4), 8, "ks", 4)) for run in range(RUNS))
    assert alarms <= at_most(NOMINAL, RUNS)


@pytest.mark.parametrize("days", [6, 50])
def test_an_hour_beside_days_is_no_drift(days: int) -> None:
    """Stretches as long as days know nothing of night and day: all of 10 samples beside 50 days were a FAIL."""
    day, generator, asked = 2_000, np.random.default_rng(days), Drift.ask("ks", at_most=0.1, time="time")

    def rows(first: int, n: int) -> dict[str, Any]:
        time = np.arange(first, first + n)
        return {"time": time, "x": generator.normal(size=n) + np.sin(2 * np.pi * time / day)}

    for hour in range(10):
        sources = Sources(None, reference=rows(0, days * day), current=rows(days * day + 200 * hour, 200))
        assert asked.answer(sources, Settings()).verdict is not Verdict.FAIL


def test_without_a_floor_a_memory_is_drift_in_every_other_run() -> None:
    found = [
        _found(series[:-ROWS], series[-ROWS:], "ks")[0]
        for series in (drawn("memory .8", run, 12) for run in range(100))
    ]
    assert sum(map(significant, found)) > 30


@pytest.mark.parametrize(
    ("series", "shift"), [("independent", 1.0), ("memory .8", 2.0), ("weeks", 1.0), ("december", 1.0)]
)
@pytest.mark.parametrize("method", ["ks", "psi"])
def test_a_shift_beyond_the_seasons_is_found(series: str, shift: float, method: str) -> None:
    found = sum(significant(judged(drawn(series, run, 12, shift=shift), 12, method)) for run in range(RUNS))
    assert found >= at_least(0.9, RUNS)
