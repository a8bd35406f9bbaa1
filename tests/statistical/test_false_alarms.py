"""A challenger that is exactly as good as the champion, but not the same, FAILs no oftener than promised.

The promise is (1 - confidence) / 2 = 2.5 %. The margins are tiny, so that nothing but significance stands between noise
and a FAIL. Where a bound says more than 2.5 %, it is what was measured in 2,000 runs, and why stands beside it.
"""

from __future__ import annotations

import pytest

from pytest_mlops.verdict.limits import Verdict

from .worlds import (
    ERROR_METRICS,
    LABEL_METRICS,
    LOGNORMAL,
    METRICS,
    NORMAL,
    STUDENT_3,
    Tails,
    World,
    at_most,
    equally_good,
    errors,
    labels,
    mixed,
    scores,
)

pytestmark = pytest.mark.usefixtures("few_draws")

RUNS = 500
NOMINAL = 0.025


def _holds(world: World, share: float = NOMINAL) -> None:
    assert world.improvement == pytest.approx(0)
    verdicts = world.verdicts(margin=0.001, runs=RUNS, seed=1)
    assert verdicts[Verdict.FAIL] <= at_most(share, RUNS), verdicts


@pytest.mark.parametrize("metric", METRICS)
def test_equal_challengers(metric: str) -> None:
    _holds(mixed(metric, 500))


@pytest.mark.parametrize("metric", [*LABEL_METRICS, "roc_auc"])
def test_equal_challengers_on_few_rows(metric: str) -> None:
    _holds(mixed(metric, 30))


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_a_rare_class(metric: str) -> None:
    _holds(labels(metric, 500, prevalence=0.1, rates=(0.7, 0.05)))


def test_a_rare_class_and_scores() -> None:
    _holds(scores(500, prevalence=0.1))


@pytest.mark.parametrize("tails", [STUDENT_3, LOGNORMAL], ids=["student_3", "lognormal"])
@pytest.mark.parametrize("metric", ERROR_METRICS)
def test_heavy_errors(metric: str, tails: Tails) -> None:
    _holds(errors(metric, 500, tails=tails))


@pytest.mark.parametrize("n", [30, 200])
@pytest.mark.parametrize("recall", [0.6, 0.3])
@pytest.mark.parametrize("fewer", ["challenger", "champion"])
def test_as_precise_at_another_operating_point(n: int, recall: float, fewer: str) -> None:
    """One model calls far fewer rows positive. The sign-flip test alone FAILs up to 19 % of these."""
    usual, other = (0.9, 0.1), equally_good("precision", 0.5, (0.9, 0.1), recall=recall)
    champion, challenger = (usual, other) if fewer == "challenger" else (other, usual)
    _holds(labels("precision", n, rates=champion, challenger_rates=challenger, correlation=0.9))


@pytest.mark.parametrize("n", [30, 500])
def test_as_good_an_f1_at_another_operating_point(n: int) -> None:
    other = equally_good("f1", 0.5, (0.85, 0.15), recall=0.95)
    _holds(labels("f1", n, rates=(0.85, 0.15), challenger_rates=other))


@pytest.mark.parametrize(
    ("metric", "champion", "challenger", "measured"),
    [
        ("mean_absolute_error", NORMAL, LOGNORMAL, NOMINAL),
        ("mean_absolute_error", LOGNORMAL, NORMAL, NOMINAL),
        ("mean_absolute_error", STUDENT_3, NORMAL, NOMINAL),
        ("root_mean_squared_error", NORMAL, STUDENT_3, NOMINAL),
        ("root_mean_squared_error", NORMAL, LOGNORMAL, NOMINAL),
        # The champion's rare, huge errors make up most of its RMSE and are seldom among 500 rows: it looks better than
        # it is. No test can know of rows that are not there.
        ("root_mean_squared_error", LOGNORMAL, NORMAL, 0.102),
        ("root_mean_squared_error", STUDENT_3, NORMAL, 0.181),
        ("r2", LOGNORMAL, NORMAL, 0.102),
    ],
)
def test_equal_by_unlike_errors(metric: str, champion: Tails, challenger: Tails, measured: float) -> None:
    """The metric is the same, but for one model it is made of a few huge errors."""
    _holds(errors(metric, 500, tails=champion, challenger_tails=challenger, correlation=0.7), measured)
