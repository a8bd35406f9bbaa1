"""With many rows a clearly worse challenger FAILs, and the gate does not hide behind being blind."""

from __future__ import annotations

import pytest

from pytest_mlops.verdict.limits import Verdict

from .worlds import METRICS, at_most, mixed

pytestmark = pytest.mark.usefixtures("few_draws")

RUNS = 100
HARMS = {"r2": 0.02, "mean_absolute_error": 0.05, "root_mean_squared_error": 0.06}
"""About four standard errors of 5,000 rows; for the others 0.04."""


@pytest.mark.parametrize("metric", METRICS)
def test_a_clearly_worse_challenger_fails(metric: str) -> None:
    harm = HARMS.get(metric, 0.04)
    verdicts = mixed(metric, 5_000, harm=harm).verdicts(margin=harm / 3, runs=RUNS, seed=6)
    assert verdicts[Verdict.FAIL] > 0.9 * RUNS, verdicts
    assert verdicts[Verdict.ERROR] == 0


@pytest.mark.parametrize("metric", METRICS)
def test_more_rows_see_more(metric: str) -> None:
    harm = HARMS.get(metric, 0.04)
    caught = [
        mixed(metric, n, harm=harm).verdicts(margin=harm / 3, runs=RUNS, seed=7)[Verdict.FAIL]
        for n in (100, 500, 2_500)
    ]
    assert caught == sorted(caught)
    assert caught[0] <= at_most(0.6, RUNS) < caught[-1]
