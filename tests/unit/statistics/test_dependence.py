"""Clusters, time and weights against statsmodels, the jackknife written out, and common sense."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from pytest_mlops import EvidenceError, MlopsUsageError
from pytest_mlops.statistics import dependence
from pytest_mlops.statistics.linear import Linear, interval
from pytest_mlops.verdict.estimate import Estimate

Floats = NDArray[np.float64]


def mean_of(rows: Any, weight: Floats | None = None) -> Linear:
    rows = np.asarray(rows, dtype=float)
    scaled = np.ones(rows.size) if weight is None else weight / weight.mean()
    value = float((scaled * rows).mean())
    return Linear(value, scaled * (rows - value))


def estimated(rows: Any, **how: Any) -> Estimate:
    weight = how.get("weight")
    if weight is not None:
        how["weight"] = weight / weight.mean()
    return dependence.estimate(mean_of(rows, weight), confidence=0.95, **how)


def deviation(rows: Any, **how: Any) -> float:
    """The standard error, with neither the quantile nor the skewness in it."""
    spread = dependence._spread(
        mean_of(rows), **{"weight": None, "clusters": None, "time": None, "season": None, **how}
    )
    return math.sqrt(spread.variance)


ROWS = np.random.default_rng(0).normal(size=120)
CLUSTERS = np.repeat(np.arange(12), 10)


def test_equal_clusters_are_those_of_statsmodels() -> None:
    fitted = sm.OLS(ROWS, np.ones(ROWS.size)).fit(cov_type="cluster", cov_kwds={"groups": CLUSTERS})
    # statsmodels multiplies by (n - 1) / (n - k) as well, which is 1 for a constant alone
    assert deviation(ROWS, clusters=CLUSTERS) == pytest.approx(fitted.bse[0], rel=1e-12)


def test_unequal_clusters_are_the_jackknife_over_clusters() -> None:
    clusters = np.repeat([0, 1, 2, 3, 4, 5, 6], [50, 30, 20, 10, 5, 4, 1])
    without = np.array([ROWS[clusters != one].mean() for one in range(7)])
    jackknife = math.sqrt(6 / 7 * ((without - ROWS.mean()) ** 2).sum())
    assert deviation(ROWS, clusters=clusters) == pytest.approx(jackknife, rel=1e-12)


def test_rows_of_their_own_cluster_are_independent_rows() -> None:
    ours, theirs = estimated(ROWS, clusters=np.arange(120)), interval(mean_of(ROWS), confidence=0.95)
    for key in ("value", "low", "high", "p_value", "standard_error"):
        assert getattr(ours, key) == pytest.approx(getattr(theirs, key), rel=1e-9)
    assert estimated(ROWS) == theirs


def test_equal_weights_are_independent_rows() -> None:
    ours, theirs = estimated(ROWS, weight=np.ones(120)), interval(mean_of(ROWS), confidence=0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_weights_have_the_degrees_of_kish() -> None:
    weight = np.random.default_rng(1).exponential(size=120)
    size, degrees = dependence.effective_size(0.5, mean_of(ROWS, weight), weight=weight)
    kish = weight.sum() ** 2 / (weight**2).sum()
    assert degrees == pytest.approx(kish - 1)
    assert size <= kish + 1e-9


def test_degrees_are_those_of_carter() -> None:
    sizes = np.array([50, 30, 20, 10, 5, 4, 1])
    _, degrees = dependence.effective_size(0.5, mean_of(ROWS), clusters=np.repeat(np.arange(7), sizes))
    assert degrees == pytest.approx(7 / (1 + (sizes.std() / sizes.mean()) ** 2) - 1)


@pytest.mark.parametrize("design", ["clusters", "time", "weight", "both"])
def test_the_order_of_the_rows_changes_no_bit(design: str) -> None:
    generator = np.random.default_rng(2)
    rows = generator.normal(size=20_000)
    labels, weight = generator.integers(40, size=20_000), generator.exponential(size=20_000)
    influence = rows - rows.mean()
    designs: dict[str, dict[str, Any]] = {
        "clusters": {"clusters": labels},
        "time": {"time": labels * 0.1},
        "weight": {"weight": weight},
        "both": {"clusters": labels.astype(str), "weight": weight},
    }
    given = designs[design]

    def after(order: NDArray[np.intp]) -> tuple[Estimate, Estimate]:
        found = Linear(0.3, influence[order])
        how: dict[str, Any] = {key: item[order] for key, item in given.items()}
        return (
            dependence.estimate(found, confidence=0.95, **how),
            dependence.share(0.3, found, confidence=0.95, **how),
        )

    as_given = after(np.arange(20_000))
    for _ in range(5):
        assert after(generator.permutation(20_000)) == as_given


@pytest.mark.parametrize(
    "labels", [["a", "b"], [("a", 1), ("b", 2)], [1.5, 2.5], np.array(["2024-01-01", "2024-01-02"], "M8[D]")]
)
def test_any_label_names_a_cluster(labels: Any) -> None:
    codes = np.arange(120) % 2
    named = np.empty(120, dtype=object) if isinstance(labels[0], tuple) else np.asarray(labels)[codes]
    if isinstance(labels[0], tuple):
        named[:] = [labels[code] for code in codes]
    assert estimated(ROWS, clusters=named) == estimated(ROWS, clusters=codes)


@pytest.mark.parametrize(("count", "doubt"), [(2, "it rests on 2 clusters, and 6 are needed"), (5, "5"), (6, None)])
def test_few_clusters_are_in_doubt(count: int, doubt: str | None) -> None:
    found = estimated(ROWS, clusters=np.arange(120) % count).doubt
    assert found is None if doubt is None else doubt in (found or "")


def test_clusters_without_influence_do_not_count() -> None:
    """As in a recall: clusters without a positive row say nothing, however many there are."""
    positive = np.isin(CLUSTERS, [0, 1, 2])
    correct = np.random.default_rng(3).random(120) < 0.7
    recall = correct[positive].mean()
    linear = Linear(recall, np.where(positive, correct - recall, 0.0) / positive.mean())
    among = estimated(correct[positive], clusters=CLUSTERS[positive])
    found = dependence.estimate(linear, confidence=0.95, clusters=CLUSTERS)
    assert (found.low, found.high) == pytest.approx((among.low, among.high), rel=1e-9)
    assert "3 clusters" in (found.doubt or "")


def test_what_one_cluster_alone_bears_is_in_doubt_and_no_error() -> None:
    gains = np.zeros(120)
    gains[0], gains[1] = 1, -1
    found = estimated(gains, clusters=CLUSTERS)
    assert found.doubt == "it rests on 1 cluster, and 6 are needed"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"clusters": np.zeros(120)}, "one cluster"),
        ({"clusters": np.where(np.arange(120) < 3, np.nan, 1.0)}, "no cluster"),
        ({"clusters": np.array([None, *"a" * 119], dtype=object)}, "no cluster"),
        ({"clusters": CLUSTERS, "time": np.arange(120)}, "one of them"),
        ({"time": np.ones(120)}, "same time"),
        ({"time": np.where(np.arange(120) < 3, np.nan, 1.0)}, "no time"),
        ({"time": np.arange(120), "season": 61}, "1.97 seasons"),
        ({"weight": np.append(1.0, np.zeros(119))}, "at least two"),
        ({"clusters": CLUSTERS, "weight": (CLUSTERS == 3) * 1.0}, "one cluster"),
    ],
)
def test_what_cannot_be_known_is_an_error(how: dict[str, Any], said: str) -> None:
    with pytest.raises(EvidenceError, match=said):
        estimated(ROWS, **how)
    with pytest.raises(EvidenceError, match=said):
        dependence.share(0.5, mean_of(ROWS, how.get("weight")), confidence=0.95, **how)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("how", [{"clusters": CLUSTERS}, {"time": np.arange(120)}, {"weight": np.ones(120)}])
def test_an_influence_that_is_no_number_is_an_error(broken: float, how: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match="finite"):
        dependence.estimate(Linear(0.5, np.append(ROWS[:-1], broken)), confidence=0.95, **how)


DAYS = np.arange("2024-01-01", "2024-04-30", dtype="M8[D]")


@pytest.mark.parametrize("time", [np.arange(120), np.arange(120) * 0.25, DAYS, DAYS.astype("M8[ns]"), DAYS - DAYS[0]])
def test_time_has_many_units_and_one_meaning(time: Any) -> None:
    assert estimated(ROWS, time=time) == estimated(ROWS, time=np.arange(120.0))


@pytest.mark.parametrize("season", [timedelta(days=14), np.timedelta64(14, "D"), np.timedelta64(2, "W")])
def test_a_season_may_be_any_length_of_time(season: Any) -> None:
    found = estimated(ROWS, time=DAYS, season=season)
    assert found == estimated(ROWS, time=np.arange(120), season=14)
    assert "8 lugsail batches" in found.method


@pytest.mark.parametrize(
    ("time", "season"),
    [
        (DAYS, 7),
        (DAYS, "7 days"),
        (DAYS, timedelta(0)),
        (DAYS, np.timedelta64("NaT")),
        (DAYS, np.timedelta64(1, "M")),
        (np.arange(120), timedelta(days=7)),
        (np.arange(120), -1),
        (np.arange(120), math.nan),
        (np.arange(120), "week"),
        (None, 7),
    ],
)
def test_a_season_that_is_no_length_is_a_mistake(time: Any, season: Any) -> None:
    with pytest.raises(MlopsUsageError, match="season"):
        estimated(ROWS, time=time, season=season)


def test_no_batch_is_shorter_than_the_season() -> None:
    generator = np.random.default_rng(4)
    time = np.sort(generator.exponential(size=500).cumsum() ** 2)
    codes = dependence.units(time=time, season=time[-1] / 9)
    starts = [time[codes == code].min() for code in range(codes.max() + 1)]
    assert np.diff(starts).min() >= time[-1] / 9 * (1 - 1e-9)


def test_rows_of_one_time_are_never_parted() -> None:
    time = np.random.default_rng(5).integers(25, size=1_000)
    codes = dependence.units(time=time)
    assert all(np.unique(codes[time == moment]).size == 1 for moment in range(25))
    assert np.unique(codes).size == 10


def test_few_batches_are_in_doubt() -> None:
    assert estimated(ROWS, time=np.arange(120) // 30).doubt == "it rests on 4 batches of time, and 6 are needed"
    assert estimated(ROWS, time=np.arange(120)).doubt is None


def test_a_series_too_short_for_its_memory_is_in_doubt() -> None:
    assert "still alike" in (estimated(np.cumsum(ROWS), time=np.arange(120)).doubt or "")


def test_the_lugsail_only_lengthens() -> None:
    generator = np.random.default_rng(6)
    for _ in range(20):
        rows = generator.normal(size=120)
        plain = deviation(rows, clusters=dependence.units(time=np.arange(120)))
        assert deviation(rows, time=np.arange(120)) >= plain * (1 - 1e-12)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(
    ("how", "units"),
    [({"clusters": CLUSTERS}, 12), ({"time": np.arange(120)}, 10), ({"weight": np.ones(120)}, 120)],
)
def test_a_share_without_an_error_is_as_sure_as_there_are_units(p: float, how: dict[str, Any], units: int) -> None:
    linear = mean_of(np.full(120, p))
    assert dependence.effective_size(p, linear, **how) == pytest.approx((units, units - 1))
    found = dependence.share(p, linear, confidence=0.95, **how)
    assert found.low <= p <= found.high
    assert found.high - found.low > 1 / (units + 4)
    assert (found.standard_error or 0) > 0


def test_one_error_makes_a_share_little_surer_than_none() -> None:
    rows = np.ones(10_000)
    clusters = np.repeat(np.arange(10), 1_000)
    none = dependence.share(1.0, mean_of(rows), confidence=0.95, clusters=clusters)
    rows[0] = 0
    one = dependence.share(rows.mean(), mean_of(rows), confidence=0.95, clusters=clusters)
    assert none.low < one.low < 0.9


def test_a_share_of_independent_clusters_of_one_row_is_wilson_with_t() -> None:
    rows = np.arange(120) % 3 == 0
    size, degrees = dependence.effective_size(1 / 3, mean_of(rows), weight=np.ones(120))
    assert (size, degrees) == pytest.approx((120, 119), rel=0.02)


def test_the_floor_counts_the_rows_that_belong_together() -> None:
    perfect = Linear(1.0, np.zeros(120), floor=0.01)
    alone = dependence.estimate(perfect, confidence=0.95, weight=np.ones(120))
    together = dependence.estimate(perfect, confidence=0.95, clusters=CLUSTERS)
    assert (alone.standard_error or 0) >= 0.01
    assert (together.standard_error or 0) >= 0.1


def test_no_variation_is_an_interval_of_width_0_for_the_verdict_to_refuse() -> None:
    rows = np.tile([0.1, 0.7, 0.9, -0.3], 30)
    found = estimated(rows, clusters=np.repeat(np.arange(30), 4))
    assert found.low == found.high
    assert found.p_value is None


def test_the_p_value_is_one_of_harm() -> None:
    worse, better = ROWS - 1, ROWS + 1
    assert (estimated(worse, clusters=CLUSTERS).p_value or 1) < 0.005
    assert (estimated(better, clusters=CLUSTERS).p_value or 0) > 0.995


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_share_is_an_error(p: float) -> None:
    with pytest.raises(EvidenceError, match="between 0 and 1"):
        dependence.share(p, mean_of(ROWS), confidence=0.95, clusters=CLUSTERS)
