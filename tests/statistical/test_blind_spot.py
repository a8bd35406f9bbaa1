"""The gate says what it cannot see, and that is true: a harm as large as the blind spot FAILs four times in five."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops.verdict.limits import Verdict

from .worlds import METRICS, mixed

pytestmark = pytest.mark.usefixtures("few_draws")

RUNS = 200


@pytest.mark.parametrize("metric", METRICS)
def test_a_harm_as_large_as_the_blind_spot_is_caught(metric: str) -> None:
    """1,000 rows; the blind spot as reported when the models are equally good."""
    blind_spot = _reported(metric, harm=0.0)
    verdicts = mixed(metric, 1_000, harm=blind_spot).verdicts(margin=blind_spot / 3, runs=RUNS, seed=4)
    assert 0.7 <= verdicts[Verdict.FAIL] / RUNS <= 0.92, verdicts


@pytest.mark.parametrize("metric", METRICS)
def test_the_blind_spot_does_not_depend_on_the_harm(metric: str) -> None:
    """It comes from the standard error: a model that is worse by all of it sees its own blind spot about as large."""
    blind_spot = _reported(metric, harm=0.0)
    assert _reported(metric, harm=blind_spot) == pytest.approx(blind_spot, rel=0.1)


def _reported(metric: str, *, harm: float) -> float:
    generator, world = np.random.default_rng(5), mixed(metric, 1_000, harm=harm)
    estimates = [world.compare(generator, margin=0.0001).estimate for _ in range(50)]
    return float(np.mean([estimate.blind_spot for estimate in estimates if estimate and estimate.blind_spot]))
