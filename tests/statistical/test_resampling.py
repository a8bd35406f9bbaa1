"""How often the intervals of the row bootstrap, of medians and of largest errors hold the truth."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from pytest_mlops.statistics import dependence, order
from pytest_mlops.statistics.linear import interval
from pytest_mlops.statistics.resampling import Units, bootstrap
from pytest_mlops.verdict.estimate import Estimate

from .worlds import at_least, at_most

Floats = NDArray[np.float64]
Draw = Callable[[Generator, int], Floats]

RUNS = 200
NOMINAL = 0.95


def normal(generator: Generator, n: int) -> Floats:
    return np.abs(generator.normal(size=n))


def exponential(generator: Generator, n: int) -> Floats:
    return generator.exponential(size=n)


def student_3(generator: Generator, n: int) -> Floats:
    return np.abs(generator.standard_t(3, size=n))


def held(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def mean_of(rows: Floats, generator: Generator, units: Units | None = None) -> Estimate:
    return bootstrap(
        lambda places: float(rows[places].mean()),
        rows.size,
        confidence=NOMINAL,
        generator=generator,
        resamples=300,
        units=units,
    )


@pytest.mark.parametrize(("n", "coverage"), [(50, 0.93), (500, NOMINAL)])
def test_means_of_independent_rows(n: int, coverage: float) -> None:
    generator = np.random.default_rng(n)
    hits = sum(held(mean_of(exponential(generator, n), generator), 1.0) for _ in range(RUNS))
    assert hits >= at_least(coverage, RUNS)


@pytest.mark.parametrize("count", [6, 10, 50])
def test_means_of_clusters(count: int) -> None:
    generator, codes = np.random.default_rng(count), np.repeat(np.arange(count), 10)

    def drawn() -> Floats:
        return generator.normal(size=count)[codes] + generator.normal(size=codes.size)

    hits = sum(held(mean_of(drawn(), generator, Units.of(codes)), 0.0) for _ in range(RUNS))
    assert hits >= at_least(NOMINAL, RUNS)


@pytest.mark.parametrize(
    ("memory", "n", "coverage"), [(0.0, 500, NOMINAL), (0.8, 500, NOMINAL), (0.95, 500, 0.90), (0.95, 5_000, NOMINAL)]
)
def test_means_of_a_series(memory: float, n: int, coverage: float) -> None:
    """Ten batches that are drawn as a whole are a little alike where the memory is as long as a batch."""
    generator = np.random.default_rng(n)
    units = Units.of(dependence.units(time=np.arange(n)))
    hits = sum(held(mean_of(series(generator, memory, n), generator, units), 0.0) for _ in range(RUNS))
    assert hits >= at_least(coverage, RUNS)


def series(generator: Generator, memory: float, n: int) -> Floats:
    shocks = generator.normal(size=n) * math.sqrt(1 - memory**2)
    rows, last = np.empty(n), generator.normal()
    for place, shock in enumerate(shocks):
        rows[place] = last = memory * last + shock
    return rows


@pytest.mark.parametrize("n", [50, 500])
@pytest.mark.parametrize(("draw", "truth"), [(normal, 0.67449), (exponential, math.log(2)), (student_3, 0.76489)])
def test_medians(draw: Draw, truth: float, n: int) -> None:
    generator, runs = np.random.default_rng(n), 1_000
    samples = [draw(generator, n) for _ in range(runs)]
    binomial = sum(held(order.median_interval(sample, confidence=NOMINAL), truth) for sample in samples)
    woodruff = sum(held(interval(order.median(sample), confidence=NOMINAL), truth) for sample in samples)
    assert min(binomial, woodruff) >= at_least(NOMINAL, runs)


@pytest.mark.parametrize("n", [50, 500])
@pytest.mark.parametrize(("draw", "coverage"), [(normal, 0.97), (exponential, NOMINAL), (student_3, 0.79)])
def test_largest_errors(draw: Draw, coverage: float, n: int) -> None:
    generator, runs = np.random.default_rng(n), 1_000
    truth = float(np.mean([draw(generator, n).max() for _ in range(10_000)]))
    hits = sum(held(order.largest(draw(generator, n), confidence=NOMINAL), truth) for _ in range(runs))
    assert hits >= at_least(coverage, runs)


@pytest.mark.parametrize(("n", "coverage"), [(50, 0.90), (500, 0.885)])
def test_largest_errors_of_equal_models(n: int, coverage: float) -> None:
    generator, runs = np.random.default_rng(n), 100
    found = [
        order.largest_improvement(normal(generator, n), normal(generator, n), confidence=NOMINAL, generator=generator)
        for _ in range(runs)
    ]
    assert sum(held(estimate, 0.0) for estimate in found) >= at_least(coverage, runs)
    assert sum(estimate.p_value is not None and estimate.p_value <= 0.025 for estimate in found) <= at_most(
        0.0275, runs
    )
