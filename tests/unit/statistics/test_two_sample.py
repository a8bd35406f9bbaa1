"""Two samples of a column, against scipy, brute force, and what must hold for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, chi2_contingency, ks_2samp, ncx2, wasserstein_distance
from scipy.stats.contingency import association

from pytest_mlops import Estimate, EvidenceError
from pytest_mlops.statistics import divergence, two_sample
from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.statistics.kolmogorov import expected_square
from pytest_mlops.statistics.power import with_blind_spot
from pytest_mlops.statistics.steps import Steps
from pytest_mlops.statistics.two_sample import Stakes

Floats = NDArray[np.float64]
Cells = list[list[int]]
NUMERIC = {"ks": two_sample.kolmogorov_smirnov, "wasserstein": two_sample.wasserstein}
OF_CELLS = {
    "cramers_v": divergence.cramers_v,
    "psi": divergence.psi,
    "jensen_shannon": divergence.jensen_shannon,
    "hellinger": divergence.hellinger,
}
COUNTS = st.integers(1, 8).flatmap(
    lambda cells: st.lists(st.lists(st.integers(0, 60), min_size=cells, max_size=cells), min_size=2, max_size=2)
)
SAMPLE = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 1e6]), min_size=1, max_size=25)


def steps(reference: Any, current: Any) -> Steps:
    return Steps.of(Distribution.of(np.asarray(reference)), Distribution.of(np.asarray(current)))


def of_numbers(method: str, reference: Any, current: Any, **stakes: Any) -> Estimate:
    return NUMERIC[method](
        steps(reference, current),
        stakes=Stakes(**{"confidence": 0.95, **stakes}),
        generator=np.random.default_rng(0),
    )


def of_cells(method: str, counts: Any, **stakes: Any) -> Estimate:
    known = {"confidence": 0.95, **stakes}
    return OF_CELLS[method](np.asarray(counts), stakes=Stakes(**known), generator=np.random.default_rng(0))


def normal(n: int, shift: float = 0.0, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(shift, size=n)


def sound(estimate: Estimate) -> None:
    """What the one rule demands of an estimate."""
    assert estimate.low <= estimate.value <= estimate.high
    assert estimate.exact or estimate.low < estimate.high
    assert estimate.null == 0
    assert estimate.p_value is not None
    assert 0 <= estimate.p_value <= 1
    assert estimate.exact or (estimate.standard_error is not None and estimate.standard_error > 0)
    assert all(math.isfinite(x) for x in (estimate.value, estimate.low, estimate.high))


# --- Kolmogorov–Smirnov


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 4), (20, 20), (30, 70), (60, 60), (128, 100)])
@pytest.mark.parametrize("shift", [0.0, 0.4, 5.0])
def test_ks_without_ties_is_that_of_scipy(n: int, m: int, shift: float) -> None:
    reference, current = normal(n), normal(m, shift, seed=1)
    expected = ks_2samp(reference, current, method="exact").pvalue
    assert of_numbers("ks", reference, current).p_value == pytest.approx(expected, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.05, 0.1])
def test_ks_of_many_rows_is_near_that_of_scipy(shift: float) -> None:
    reference, current = normal(4000), normal(5000, shift, seed=1)
    expected = ks_2samp(reference, current, method="asymp").pvalue
    assert of_numbers("ks", reference, current).p_value == pytest.approx(expected, rel=0.05)


@given(
    reference=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    current=st.lists(st.integers(0, 3), min_size=1, max_size=6),
)
def test_ks_with_ties_is_that_of_all_permutations(reference: list[int], current: list[int]) -> None:
    pooled, n = np.array(reference + current), len(reference)

    def lead(chosen: tuple[int, ...]) -> Any:
        mine = np.isin(np.arange(pooled.size), chosen)
        cdf = [[int((pooled[rows] <= v).sum()) for v in range(4)] for rows in (mine, ~mine)]
        return max(abs(a * (pooled.size - n) - b * n) for a, b in zip(*cdf, strict=True))

    seen = lead(tuple(range(n)))
    extreme = [lead(chosen) >= seen for chosen in combinations(range(pooled.size), n)]
    estimate = of_numbers("ks", reference, current)
    assert estimate.p_value == pytest.approx(1.0 if estimate.exact else float(np.mean(extreme)), rel=1e-9, abs=1e-12)


def test_ks_with_ties_sees_more_than_the_limit_that_ignores_them() -> None:
    reference, current = np.repeat([0.0, 1.0], [300, 200]), np.repeat([0.0, 1.0], [255, 245])
    found = of_numbers("ks", reference, current).p_value
    assert found is not None
    assert found < 0.01 < ks_2samp(reference, current).pvalue


def test_ks_of_infinite_values_counts_them_at_the_ends() -> None:
    finite, infinite = [-9.0, 0.0, 1.0, 9.0], [-math.inf, 0.0, 1.0, math.inf]
    current = [0.5, 0.7, 20.0]
    assert of_numbers("ks", finite, current).value == of_numbers("ks", infinite, [0.5, 0.7, math.inf]).value
    sound(of_numbers("ks", infinite, current))


def test_ks_of_far_samples_is_1() -> None:
    estimate = of_numbers("ks", normal(500), normal(500, 100.0))
    assert estimate.value == pytest.approx(1, abs=0.002)
    assert estimate.p_value is not None
    assert estimate.p_value < 1e-50


def test_the_bias_of_ks_is_less_where_values_are_tied() -> None:
    """Of a yes or no the bridge is seen at one point, where its mean square is t(1 - t)."""
    tied = steps(np.repeat([0.0, 1.0], 500), np.repeat([0.0, 1.0], 500))
    assert expected_square(tied, np.random.default_rng(0)) == pytest.approx(0.25, rel=0.2)
    free = steps(normal(2000), normal(2000, seed=1))
    assert expected_square(free, np.random.default_rng(0)) == pytest.approx(math.pi**2 / 12)


# --- Wasserstein


@pytest.mark.parametrize("sizes", [(40, 50), (800, 300)])
def test_wasserstein_is_that_of_scipy_in_spreads_without_its_bias(sizes: tuple[int, int]) -> None:
    reference, current = normal(sizes[0]), normal(sizes[1], 3.0, seed=1)
    spread = np.subtract(*np.quantile(reference, [0.75, 0.25])) / 1.3489795
    plain = wasserstein_distance(reference, current) / spread
    estimate = of_numbers("wasserstein", reference, current)
    assert estimate.value < plain
    assert estimate.value == pytest.approx(plain, rel=0.02)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_wasserstein_has_no_unit(scale: float) -> None:
    plain, scaled = (of_numbers("wasserstein", normal(200) * k, normal(200, 0.3, 1) * k) for k in (1.0, scale))
    assert scaled.value == pytest.approx(plain.value)
    assert (scaled.low, scaled.high) == pytest.approx((plain.low, plain.high))


def test_one_outlier_in_the_reference_hides_no_drift() -> None:
    reference = np.append(normal(500), 1e9)
    assert of_numbers("wasserstein", reference, normal(500, 1.0, seed=1)).value > 0.9


def test_where_the_quartiles_are_equal_the_spread_is_the_standard_deviation() -> None:
    reference = np.repeat([0.0, 10.0], [90, 10])
    estimate = of_numbers("wasserstein", reference, np.repeat([0.0, 10.0], [40, 60]))
    assert estimate.value == pytest.approx(5 / 3, rel=0.05)


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ([1.0, 1.0], [1.0, 2.0], "no spread"),
        ([1.0, 2.0], [1.0, math.inf], "infinite"),
        ([-math.inf, 1], [1], "infinite"),
    ],
)
def test_without_a_unit_there_is_no_wasserstein(reference: list[float], current: list[float], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        of_numbers("wasserstein", reference, current)


# --- cells


def test_hellinger_is_its_formula_without_its_bias() -> None:
    counts = np.array([[2_000, 3_000, 5_000], [2_500, 3_000, 4_500]])
    p, q = counts / 10_000
    square = 1 - float(np.sqrt(p * q).sum())
    assert of_cells("hellinger", counts).value == pytest.approx(math.sqrt(square - 0.5 * 2 / 20_000))


@pytest.mark.parametrize("method", OF_CELLS)
def test_the_plain_effect_of_cells_is_that_before_the_bias(method: str) -> None:
    counts = np.array([[20_000_000, 30_000_000], [25_000_000, 25_000_000]])
    assert divergence.plain(method, counts) == pytest.approx(of_cells(method, counts).value, rel=1e-4)


@pytest.mark.parametrize("counts", [[[30, 20], [25, 25]], [[50, 30, 20], [20, 30, 50]], [[90, 60, 50], [60, 60, 80]]])
def test_v_of_samples_of_one_size_is_that_of_scipy_corrected_by_bergsma(counts: Cells) -> None:
    table = np.array(counts)
    n, cells = table.sum(), table.shape[1]
    square = association(table, method="cramer") ** 2
    corrected = max(0.0, square - (cells - 1) / (n - 1)) / (1 - 1 / (n - 1))
    estimate = of_cells("cramers_v", counts)
    assert estimate.value == pytest.approx(math.sqrt(corrected))
    assert estimate.p_value == pytest.approx(chi2_contingency(table, correction=False).pvalue)


def test_v_does_not_shrink_where_one_sample_is_much_larger() -> None:
    """Plain V does: 0.03 for a drift that is 0.2 among samples of one size."""
    even, uneven = [[5000, 5000], [3000, 7000]], [[500_000, 500_000], [300, 700]]
    assert association(np.array(uneven), method="cramer") < 0.03
    assert of_cells("cramers_v", uneven).value == pytest.approx(of_cells("cramers_v", even).value, rel=0.02)


def test_psi_is_the_formula_of_smoothed_shares_without_its_bias() -> None:
    counts = np.array([[5000, 3000, 2000], [4000, 3000, 3000]])
    p, q = ((row + 0.5) / (row.sum() + 1.5) for row in counts)
    plain = float(((p - q) * np.log(p / q)).sum())
    assert of_cells("psi", counts).value == pytest.approx(plain - 2 / 5000)


def test_jensen_shannon_is_that_of_scipy_without_its_bias() -> None:
    counts = np.array([[5000, 3000, 2000, 0], [4000, 3000, 2900, 100]])
    plain = jensenshannon(counts[0] / 10_000, counts[1] / 10_000, base=2)
    expected = math.sqrt(plain**2 - 3 / math.log(4) / 20_000)
    assert of_cells("jensen_shannon", counts).value == pytest.approx(expected)


@pytest.mark.parametrize("counts", [[[3, 1, 40], [0, 4, 37]], [[2, 2, 2], [5, 0, 1]]])
def test_rare_cells_are_judged_by_permutation(counts: Cells) -> None:
    table = np.array(counts)
    pooled = np.repeat(np.arange(3), table.sum(axis=0))
    n, generator = table[0].sum(), np.random.default_rng(5)
    seen = chi2_contingency(table, correction=False).statistic

    def drawn() -> float:
        mine = np.bincount(generator.permutation(pooled)[:n], minlength=3)
        return float(chi2_contingency(np.stack([mine, table.sum(axis=0) - mine]), correction=False).statistic)

    expected = np.mean([drawn() >= seen - 1e-9 for _ in range(1500)])
    assert of_cells("cramers_v", counts, comparisons=20).p_value == pytest.approx(expected, abs=0.05)


def test_permutations_are_as_fine_as_the_correction_needs() -> None:
    rare = [[4, 0, 996], [0, 30, 970]]
    assert (of_cells("cramers_v", rare, comparisons=50).p_value or 1) <= 0.025 / 50


@pytest.mark.parametrize(
    ("counts", "pooled"),
    [
        ([[500, 300, 2, 1], [300, 500, 1, 2]], [[503, 300], [303, 500]]),
        ([[500, 300, 9, 2], [300, 500, 8, 2]], [[11, 500, 300], [10, 300, 500]]),
        ([[9, 1], [9, 2]], None),
    ],
)
def test_rare_cells_are_pooled_into_one_that_is_not(counts: Cells, pooled: Cells | None) -> None:
    found = divergence._without_rare_cells(np.array(counts))
    assert (None if found is None else found.tolist()) == pooled


@pytest.mark.parametrize("method", OF_CELLS)
def test_the_order_of_cells_does_not_matter(method: str) -> None:
    counts = np.array([[40, 1, 30, 2, 9], [20, 3, 30, 0, 40]])
    assert of_cells(method, counts) == of_cells(method, counts[:, [3, 0, 4, 2, 1]])


@pytest.mark.parametrize("noncentrality", [0.0, 0.5, 4.0, 60.0, 5000.0])
@pytest.mark.parametrize("degrees", [1, 4, 49])
def test_the_noncentral_chi_square_is_near_that_of_scipy(noncentrality: float, degrees: int) -> None:
    for probability in (0.025, 0.5, 0.975):
        x = ncx2.ppf(probability, degrees, noncentrality) if noncentrality else chi2.ppf(probability, degrees)
        found = divergence._noncentral_cdf(float(x), degrees, noncentrality)
        assert found == pytest.approx(probability, abs=0.012)


# --- bins


def test_bins_are_deciles_of_both_samples() -> None:
    counts = two_sample.binned(steps(normal(1000), normal(3000, 0.2, seed=1)))
    assert counts.sum(axis=1).tolist() == [1000, 3000]
    assert counts.sum(axis=0).tolist() == [400] * 10


def test_few_values_are_their_own_bins() -> None:
    counts = two_sample.binned(steps([1.0, 1.0, 2.0], [2.0, 5.0]))
    assert counts.tolist() == [[2, 1, 0], [0, 1, 1]]


def test_a_frequent_value_makes_fewer_bins_and_loses_no_row() -> None:
    many = np.append(np.zeros(700), normal(300))
    counts = two_sample.binned(steps(many, np.append(many, math.inf)))
    assert counts.sum(axis=1).tolist() == [1000, 1001]
    assert 3 <= counts.shape[1] < 10


# --- all of them


@pytest.mark.parametrize("method", NUMERIC)
@given(reference=SAMPLE, current=SAMPLE)
def test_numbers_always_give_a_sound_estimate(method: str, reference: list[float], current: list[float]) -> None:
    if method == "wasserstein" and len(set(reference)) == 1 and set(current) != set(reference):
        with pytest.raises(EvidenceError, match="no spread"):
            of_numbers(method, reference, current)
    else:
        sound(of_numbers(method, reference, current))


@pytest.mark.parametrize("method", OF_CELLS)
@given(counts=COUNTS)
def test_cells_always_give_a_sound_estimate(method: str, counts: Cells) -> None:
    if all(map(sum, counts)):
        sound(of_cells(method, counts))
    else:
        with pytest.raises(EvidenceError, match="no values"):
            of_cells(method, counts)


@pytest.mark.parametrize("confidence", [0.6, 0.99])
@pytest.mark.parametrize("n", [4, 100])
def test_other_confidences_give_sound_estimates(confidence: float, n: int) -> None:
    for shift in (0.0, 0.2, 0.7, 3.0):
        for method in NUMERIC:
            sound(of_numbers(method, normal(n), normal(n, shift, 1), confidence=confidence))
        for method in OF_CELLS:
            sound(of_cells(method, two_sample.binned(steps(normal(n), normal(n, shift, 1))), confidence=confidence))


@pytest.mark.parametrize("method", NUMERIC)
def test_missing_or_no_values_are_refused(method: str) -> None:
    with pytest.raises(EvidenceError, match="missing"):
        of_numbers(method, [1.0, math.nan], [1.0])
    with pytest.raises(EvidenceError, match="no values"):
        of_numbers(method, [1.0], [])


@pytest.mark.parametrize("n", [5, 5000])
def test_a_constant_is_exact_but_not_blind_to_no_harm_at_all(n: int) -> None:
    constants = [of_numbers(method, np.ones(n), np.ones(n)) for method in NUMERIC]
    constants += [of_cells(method, [[n], [n]]) for method in OF_CELLS]
    for estimate in constants:
        assert estimate.exact
        assert (estimate.value, estimate.p_value) == (0, 1)
        assert estimate.blind_spot is not None
        assert estimate.blind_spot > 0
        assert (estimate.blind_spot < 0.1) == (n == 5000)


def test_another_constant_is_no_constant() -> None:
    assert of_numbers("ks", np.ones(50), np.zeros(50)).value == pytest.approx(1, abs=0.02)
    for method in OF_CELLS:
        assert of_cells(method, [[50, 0], [0, 50]]).low > 0.5


@pytest.mark.parametrize("answer", [lambda k: of_numbers("ks", normal(500), normal(500, 0, 1), comparisons=k)])
def test_more_comparisons_see_less(answer: Callable[[int], Estimate]) -> None:
    spots = [with_blind_spot(answer(k), 0.01, comparisons=k).blind_spot for k in (1, 10, 100)]
    assert spots == sorted(spots, key=lambda spot: spot or 0)
    assert len(set(spots)) == 3
