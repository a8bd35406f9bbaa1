"""Intervals of rows that belong together hold the truth in 95 % of the runs; where they do not, the figure stands here.

The figures below 95 % were measured in 1,000 runs or more, and are what to expect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtri

from pytest_mlops.statistics import dependence
from pytest_mlops.statistics.linear import Linear
from pytest_mlops.verdict.estimate import Estimate

from .worlds import at_least, at_most

Floats = NDArray[np.float64]
Draw = Callable[[Generator], tuple[Floats, dict[str, Any]]]

RUNS = 300
NOMINAL = 0.95
CORRELATION = 0.5
"""Of two rows of one cluster."""


@dataclass(frozen=True)
class Design:
    """Rows of a mean that is known, and how often its interval holds it."""

    name: str
    draw: Draw
    coverage: float = NOMINAL
    share: float | None = None
    doubt: bool = False

    def estimates(self, runs: int = RUNS) -> Iterator[Estimate]:
        generator = np.random.default_rng(20_261)
        for _ in range(runs):
            rows, how = self.draw(generator)
            yield self.estimate(rows, how)

    def estimate(self, rows: Floats, how: dict[str, Any]) -> Estimate:
        weight = how.get("weight", np.ones(rows.size))
        value = float((weight * rows).mean())
        linear = Linear(value, weight * (rows - value))
        if self.share is None:
            return dependence.estimate(linear, confidence=NOMINAL, **how)
        return dependence.share(min(max(value, 0.0), 1.0), linear, confidence=NOMINAL, **how)

    def held(self, estimates: list[Estimate]) -> int:
        truth = self.share or 0.0
        return sum(found.low <= truth <= found.high for found in estimates)


def clustered(sizes: Any, shape: Callable[[Floats], Floats] = lambda rows: rows) -> Draw:
    labels = np.repeat(np.arange(len(sizes)), sizes)

    def draw(generator: Generator) -> tuple[Floats, dict[str, Any]]:
        common, own = generator.normal(size=len(sizes)), generator.normal(size=labels.size)
        rows = math.sqrt(CORRELATION) * common[labels] + math.sqrt(1 - CORRELATION) * own
        return shape(rows), {"clusters": labels}

    return draw


def right_in_clusters(count: int, size: int, share: float, correlation: float) -> Draw:
    """Each cluster has a share of its own, from a beta distribution."""
    labels, strength = np.repeat(np.arange(count), size), 1 / correlation - 1

    def draw(generator: Generator) -> tuple[Floats, dict[str, Any]]:
        own = generator.beta(share * strength, (1 - share) * strength, size=count)
        return (generator.random(labels.size) < own[labels]).astype(float), {"clusters": labels}

    return draw


def series(n: int, memory: float, shape: Callable[[Floats], Floats] = lambda rows: rows) -> Draw:
    """AR(1), of variance 1."""

    def draw(generator: Generator) -> tuple[Floats, dict[str, Any]]:
        steps = generator.normal(size=n + 300) * math.sqrt(1 - memory**2)
        return shape(lfilter([1.0], [1.0, -memory], steps)[300:]), {"time": np.arange(n)}

    return draw


def weighted(n: int, shape: Callable[[Generator, int], Floats], design_effect: float = 10.0) -> Draw:
    def draw(generator: Generator) -> tuple[Floats, dict[str, Any]]:
        weight = np.exp(math.sqrt(math.log(design_effect)) * generator.normal(size=n))
        return shape(generator, n), {"weight": weight / weight.mean()}

    return draw


def normal(generator: Generator, n: int) -> Floats:
    return generator.normal(size=n)


def exponential(generator: Generator, n: int) -> Floats:
    return generator.exponential(size=n) - 1


def right(share: float) -> Callable[[Generator, int], Floats]:
    return lambda generator, n: (generator.random(n) < share).astype(float)


def below(share: float) -> Callable[[Floats], Floats]:
    return lambda rows: (rows < ndtri(share)).astype(float)


def _clusters() -> Iterator[Design]:
    for count in (3, 5, 6, 10, 50):
        few = count < 6
        yield Design(f"{count} equal clusters", clustered(np.full(count, 20)), doubt=few)
        shrinking = np.maximum(1, 200 * 0.6 ** np.arange(count)).astype(int)
        yield Design(f"{count} clusters, each .6 of the one before", clustered(shrinking), doubt=few)
        one_large = np.append(20 * (count - 1), np.full(count - 1, 20))
        yield Design(f"{count} clusters, one has half of the rows", clustered(one_large), doubt=few)
    yield Design("10 clusters, lognormal", clustered(np.full(10, 20), lambda x: np.exp(x) - math.exp(0.5)), 0.927)


def _shares() -> Iterator[Design]:
    for count in (6, 10, 50):
        for share in (0.5, 0.9, 0.98):
            for correlation in (0.05, 0.5):
                name = f"share {share}, {count} clusters, correlation {correlation}"
                yield Design(name, right_in_clusters(count, 20, share, correlation), share=share)
    yield Design("share 0.9, 20 large clusters", right_in_clusters(20, 400, 0.9, 0.5), 0.908, share=0.9)


def _time() -> Iterator[Design]:
    for n in (500, 5_000):
        for memory in (0.0, 0.8, 0.95):
            yield Design(f"AR({memory}), n = {n}", series(n, memory))
        yield Design(f"share 0.95, AR(0.8), n = {n}", series(n, 0.8, below(0.95)), share=0.95)
    yield Design("AR(0), n = 50", series(50, 0.0))
    yield Design("AR(0.5), n = 50", series(50, 0.5), 0.94)
    yield Design("AR(0.8), n = 50", series(50, 0.8), 0.90)
    yield Design("AR(0.95), n = 50", series(50, 0.95), 0.63)
    # Right or wrong for long stretches, in 50 rows: what was not seen once cannot be known, nor doubted.
    yield Design("share 0.5, AR(0.95), n = 50", series(50, 0.95, below(0.5)), 0.67, share=0.5)
    yield Design("AR(0.95), n = 200", series(200, 0.95), 0.88)


def _weights() -> Iterator[Design]:
    for n in (50, 500):
        yield Design(f"weights of design effect 10, n = {n}", weighted(n, normal))
        yield Design(f"weights of design effect 10, exponential, n = {n}", weighted(n, exponential), 0.92)
        for share in (0.5, 0.9, 0.99):
            name = f"share {share}, weights of design effect 10, n = {n}"
            yield Design(name, weighted(n, right(share)), share=share)


@pytest.mark.parametrize("design", [*_clusters(), *_shares(), *_time(), *_weights()], ids=lambda design: design.name)
def test_the_interval_holds_the_truth(design: Design) -> None:
    estimates = list(design.estimates())
    assert design.held(estimates) >= at_least(design.coverage, RUNS)
    if design.doubt:
        assert all(found.doubt for found in estimates)


@pytest.mark.parametrize(
    ("n", "memory", "least", "most"),
    [
        (50, 0.95, 1.0, 1.0),  # fewer than 60 moments always are
        (50, 0.0, 1.0, 1.0),
        (60, 0.8, 0.6, 1.0),
        (60, 0.0, 0.0, 0.01),
        (200, 0.95, 0.85, 1.0),
        (500, 0.95, 0.0, 0.35),
        (5_000, 0.95, 0.0, 0.005),
    ],
)
def test_a_series_too_short_for_its_memory_is_in_doubt(n: int, memory: float, least: float, most: float) -> None:
    doubted = sum(found.doubt is not None for found in Design("", series(n, memory)).estimates())
    assert at_least(least, RUNS) <= doubted <= at_most(most, RUNS)


@pytest.mark.parametrize("memory", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("n", [50, 200, 500])
def test_an_interval_that_is_not_in_doubt_and_misses_is_rare(memory: float, n: int) -> None:
    """What the gate would believe although it is wrong; .056 at AR(.8), n = 50, of which half are false greens."""
    design = Design("", series(n, memory))
    believed = [found for found in design.estimates() if found.doubt is None]
    assert len(believed) - design.held(believed) <= at_most(0.06, RUNS)


@pytest.mark.parametrize(
    "draw",
    [clustered(np.full(6, 20)), clustered(np.full(50, 20)), series(500, 0.8), weighted(500, normal)],
    ids=["6 clusters", "50 clusters", "time", "weights"],
)
def test_no_harm_is_seen_where_there_is_none(draw: Draw) -> None:
    seen = sum((found.p_value or 0.0) < 0.025 for found in Design("", draw).estimates())
    assert seen <= at_most(0.03, RUNS)
