"""Shares against statsmodels and published tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from pytest_mlops import EvidenceError
from pytest_mlops.statistics.power import quantile
from pytest_mlops.statistics.proportions import (
    _tango_score,
    f1_from_jaccard,
    harm_hidden_by_equality,
    paired_difference,
    share,
)

COUNTS = [(0, 1), (1, 1), (0, 30), (30, 30), (1, 30), (15, 30), (799, 1000), (999_999, 1_000_000)]


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "beta")])
@pytest.mark.parametrize(("successes", "n"), COUNTS)
def test_intervals_of_a_share_are_those_of_statsmodels(
    successes: int, n: int, method: str, theirs: str, confidence: float
) -> None:
    ours = share(successes, n, confidence=confidence, method=method)
    expected = proportion_confint(successes, n, alpha=1 - confidence, method=theirs)
    assert (ours.low, ours.high) == pytest.approx(expected, abs=1e-9)
    assert ours.value == successes / n
    assert ours.low < ours.high
    assert ours.standard_error


@pytest.mark.parametrize("n", [0, -1])
def test_no_rows_no_share(n: int) -> None:
    with pytest.raises(EvidenceError, match="no row"):
        share(0, n, confidence=0.95)
    with pytest.raises(EvidenceError, match="no row"):
        paired_difference(0, 0, n, confidence=0.95)


@st.composite
def paired_counts(draw: st.DrawFn) -> tuple[int, int, int]:
    n = draw(st.integers(1, 40) | st.integers(1, 10**6))
    gains = draw(st.integers(0, n))
    return gains, draw(st.integers(0, n - gains)), n


@given(paired_counts(), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_score_statistic_at_the_ends_of_tango_is_the_quantile(
    counts: tuple[int, int, int], confidence: float
) -> None:
    estimate = paired_difference(*counts, confidence=confidence)
    assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high
    for end in (estimate.low, estimate.high):
        if abs(end) < 1:
            assert abs(_tango_score(*counts, end)) == pytest.approx(quantile(confidence), rel=1e-6)


def test_published_tango_and_mcnemar() -> None:
    """Airway hyper-responsiveness, 21 children: Fagerland, Lydersen, Laake, Statistics in Medicine 33, 2014."""
    estimate = paired_difference(1, 7, 21, confidence=0.95)
    assert (estimate.low, estimate.high) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert estimate.p_value is not None
    assert 2 * estimate.p_value == pytest.approx(0.0391, abs=5e-5)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_mid_p_is_that_of_the_binomial(gains: int, losses: int) -> None:
    ours = paired_difference(gains, losses, 1000, confidence=0.95).p_value
    law = binom(gains + losses, 0.5)
    assert ours == pytest.approx(float(law.cdf(gains) - law.pmf(gains) / 2), abs=1e-12)


@given(paired_counts())
def test_swapping_the_models_mirrors_the_difference(counts: tuple[int, int, int]) -> None:
    gains, losses, n = counts
    ours = paired_difference(gains, losses, n, confidence=0.95)
    theirs = paired_difference(losses, gains, n, confidence=0.95)
    assert (ours.low, ours.high) == pytest.approx((-theirs.high, -theirs.low), abs=1e-9)
    assert ours.p_value is not None
    assert theirs.p_value is not None
    assert ours.p_value + theirs.p_value == pytest.approx(1)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_is_a_function_of_the_jaccard_share(tp: int, fp: int, fn: int) -> None:
    n = tp + fp + fn
    if n == 0:
        return
    jaccard = share(tp, n, confidence=0.95)
    f1 = f1_from_jaccard(jaccard)
    assert f1.value == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-15)
    assert (f1.low, f1.high) == pytest.approx([2 * end / (1 + end) for end in (jaccard.low, jaccard.high)])


@pytest.mark.parametrize("n", [1, 2, 30, 10_000])
def test_rows_that_all_agree_hide_this_share_of_differing_rows(n: int) -> None:
    hidden = harm_hidden_by_equality(n)
    assert (1 - hidden) ** n == pytest.approx(0.2)
    assert hidden == pytest.approx(-math.log(0.2) / n, rel=1 / n)


def test_counts_may_be_large() -> None:
    estimate = paired_difference(40_000_000, 40_100_000, 10**9, confidence=0.95)
    assert estimate.p_value is not None
    assert 0 < estimate.p_value < 0.5
    assert estimate.low < estimate.value < estimate.high
