"""Rows that a comparison needs: held against statsmodels, published formulas, and the gate itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower, normal_sample_size_one_tail

from pytest_mlops import Estimate, MlopsUsageError
from pytest_mlops.statistics import power
from pytest_mlops.statistics.planning import (
    KNOWN,
    Level,
    Noise,
    Plan,
    bennett_rows,
    hoeffding_rows,
    noise_of,
)
from pytest_mlops.statistics.proportions import paired_difference

MARGINS = st.floats(0.001, 0.09)
SPREADS = st.floats(0.05, 2)
CONFIDENCES = st.floats(0.5, 0.999)
ACCURACY = noise_of("accuracy", {"disagreement": 0.1})


# --- the level -------------------------------------------------------------------------------------------------------


@given(CONFIDENCES, st.integers(1, 40))
def test_many_looks_share_the_error(confidence: float, looks: int) -> None:
    z = Level(confidence=confidence, looks=looks).z
    assert z == pytest.approx(norm.isf((1 - confidence) / 2 / looks), rel=1e-9)
    adaptive = Level(confidence=confidence, looks=looks, adaptive=True)
    options = 1 if looks == 1 else 2**looks
    assert adaptive.z == pytest.approx(norm.isf((1 - confidence) / 2 / options), rel=1e-9)


def test_a_thousand_adaptive_looks_do_not_underflow() -> None:
    level = Level(looks=10_000, adaptive=True)
    assert math.exp(level.log_error) == 0
    assert level.one_look is None
    assert norm.logsf(level.z) == pytest.approx(level.log_error - math.log(2), rel=1e-9)


def test_the_confidence_of_one_look() -> None:
    assert Level().one_look == 0.95
    assert Level(looks=10).one_look == pytest.approx(0.995, rel=1e-12)
    assert Level(looks=10, adaptive=True).one_look == pytest.approx(1 - 0.05 / 1024, rel=1e-12)


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        ({"confidence": 1.0}, "--confidence"),
        ({"confidence": math.nan}, "--confidence"),
        ({"confidence": 0.0}, "--confidence"),
        ({"power": 0.4}, "--power"),
        ({"power": 1.0}, "--power"),
        ({"power": math.nan}, "--power"),
        ({"looks": 0}, "--looks"),
        ({"looks": 10**400}, "--looks"),
    ],
)
def test_a_level_that_cannot_be(mistake: dict[str, Any], word: str) -> None:
    with pytest.raises(MlopsUsageError, match=word):
        Level(**mistake)


# --- rows ------------------------------------------------------------------------------------------------------------


@given(SPREADS, MARGINS, CONFIDENCES, st.floats(0.5, 0.99))
def test_an_equal_challenger_is_shown(spread: float, margin: float, confidence: float, wanted: float) -> None:
    plan = Plan(Noise(spread**2), margin, Level(confidence=confidence, power=wanted))
    needed = norm.isf((1 - confidence) / 2) + norm.ppf(wanted)
    assert plan.shows_equal() == max(2, math.ceil((needed * spread / margin) ** 2 * (1 - 1e-12)))


@pytest.mark.parametrize("spread", [0.1, 0.3, 1.7])
def test_an_equal_challenger_as_statsmodels_has_it(spread: float) -> None:
    rows = NormalIndPower(ddof=0).solve_power(
        effect_size=0.01 / spread, alpha=0.025, power=0.8, ratio=0, alternative="larger"
    )
    assert Plan(Noise(spread**2), 0.01, Level()).shows_equal() == math.ceil(rows)


def test_a_harm_as_statsmodels_has_it() -> None:
    """Connor's size of McNemar's test takes the smaller variance under the harm: ours are a few rows more."""
    discordant, harm = 0.1, 0.05
    rows = normal_sample_size_one_tail(
        harm, 0.8, 0.025, std_null=math.sqrt(discordant), std_alternative=math.sqrt(discordant - harm**2)
    )
    ours = Plan(ACCURACY, 0.01, Level()).catches(harm)
    assert ours is not None
    assert rows <= ours <= 1.05 * rows


@given(SPREADS, MARGINS, CONFIDENCES)
def test_not_blind_is_what_the_gate_calls_so(spread: float, margin: float, confidence: float) -> None:
    rows = Plan(Noise(spread**2), margin, Level(confidence=confidence)).not_blind()
    found = Estimate(
        value=0, low=0, high=0, confidence=confidence, method="", n=rows, null=0.0,
        standard_error=spread / math.sqrt(rows),
    )  # fmt: skip
    spot = power.with_blind_spot(found, -margin).blind_spot
    assert spot is not None
    assert spot <= 3 * margin * (1 + 1e-12)
    assert rows in (2, power.rows_needed(found, margin, 3.0), power.rows_needed(found, margin, 3.0) + 1)


@given(st.floats(0.01, 1), st.floats(0.1, 0.9))
def test_not_blind_counts_the_row_more_of_paired_shares(disagreement: float, share: float) -> None:
    margin = share * disagreement / 3
    rows = Plan(noise_of("accuracy", {"disagreement": disagreement}), margin, Level()).not_blind()
    blind = [
        power.with_blind_spot(
            Estimate(
                value=0, low=0, high=0, confidence=0.95, method="", n=n, null=0.0,
                standard_error=math.sqrt(n * disagreement + 1) / n,
            ),
            -margin,
        ).blind_spot
        for n in (rows, rows - 1)
    ]  # fmt: skip
    assert blind[0] is not None
    assert blind[1] is not None
    assert blind[0] <= 3 * margin * (1 + 1e-9)
    assert blind[1] > 3 * margin or rows == 2


@given(SPREADS, MARGINS, st.floats(1.1, 5), st.floats(0.5, 0.95))
def test_what_is_caught_is_caught_with_the_power(spread: float, margin: float, margins: float, wanted: float) -> None:
    harm = margins * margin
    rows = Plan(Noise(spread**2), margin, Level(power=wanted)).catches(harm)
    assert rows is not None
    se = spread / math.sqrt(rows)
    assert norm.cdf((harm - max(margin, norm.isf(0.025) * se)) / se) >= wanted - 1e-9


def test_a_harm_beyond_the_disagreement_cannot_be() -> None:
    plan = Plan(noise_of("accuracy", {"disagreement": 0.025}), 0.01, Level())
    assert plan.catches(0.02) is not None
    assert plan.catches(0.03) is None
    with pytest.raises(MlopsUsageError, match=r"disagree on a share of 0\.025"):
        Plan(plan.noise, 0.025, Level())


def test_a_harm_within_the_margin_is_allowed() -> None:
    with pytest.raises(MlopsUsageError, match="is not beyond the margin"):
        Plan(ACCURACY, 0.01, Level()).catches(0.01)


@pytest.mark.parametrize("margin", [0.0, -0.01, math.nan, math.inf])
def test_a_margin_is_positive(margin: float) -> None:
    with pytest.raises(MlopsUsageError, match="give a positive number"):
        Plan(ACCURACY, margin, Level())


def test_a_margin_as_wide_as_the_metric() -> None:
    with pytest.raises(MlopsUsageError, match="spans 1"):
        Plan(Noise(1.0), 1.0, Level(), reach=1.0)


@pytest.mark.parametrize("margin", [5e-324, 1e-300, 1e-160, 1e-12])
def test_more_rows_than_there_are(margin: float) -> None:
    plan = Plan(ACCURACY, margin, Level())
    for ask in (plan.not_blind, plan.shows_equal, plan.guaranteed, plan.guaranteed_without_disagreement):
        with pytest.raises(MlopsUsageError, match="no test set is large enough"):
            ask()


# --- planned rows, lived ---------------------------------------------------------------------------------------------


def lived(rows: int, harm: float, *, disagreement: float, runs: int) -> list[Estimate]:
    shares = [(disagreement - harm) / 2, (disagreement + harm) / 2, 1 - disagreement]
    counts = np.random.default_rng(0).multinomial(rows, shares, size=runs)
    return [paired_difference(int(gains), int(losses), rows, confidence=0.95) for gains, losses, _ in counts]


def test_the_planned_rows_catch_the_harm() -> None:
    """Measured with 10,000 runs: FAIL in 82.0 % of them."""
    rows = Plan(ACCURACY, 0.02, Level()).catches(0.04)
    assert rows is not None
    found = lived(rows, 0.04, disagreement=0.1, runs=2_000)
    caught = sum(each.value < -0.02 and (each.p_value or 1) < 0.025 for each in found) / len(found)
    assert 0.8 - 3 * 0.009 < caught < 0.8 + 0.04


def test_the_planned_rows_show_an_equal_challenger() -> None:
    """Measured with 10,000 runs: the interval lies above -margin in 79.3 % of them."""
    rows = Plan(ACCURACY, 0.02, Level()).shows_equal()
    found = lived(rows, 0.0, disagreement=0.1, runs=2_000)
    shown = sum(each.low > -0.02 for each in found) / len(found)
    assert 0.8 - 3 * 0.009 < shown < 0.8 + 0.03


# --- guarantees ------------------------------------------------------------------------------------------------------


def test_the_setting_of_renggli_et_al() -> None:
    """ε = .01, d < .1, δ = 1e-4, 32 looks; half of δ watches d, and both sides count: about 29,000 and 68,000 rows."""
    one_of_four, exponent = math.log(1e-4 / 4), 0.1 * (1.1 * math.log(1.1) - 0.1)
    assert bennett_rows(0.1, 0.01, one_of_four - math.log(32)) == pytest.approx(math.log(32 * 4e4) / exponent)
    assert bennett_rows(0.1, 0.01, one_of_four - 32 * math.log(2)) == pytest.approx(math.log(2**32 * 4e4) / exponent)


@given(st.floats(1e-3, 1), st.floats(1e-4, 0.5))
def test_bennett_beside_bernstein(disagreement: float, distance: float) -> None:
    """Bennett's inequality implies Bernstein's, and cannot need fewer rows than the normal approximation's exponent."""
    rows = bennett_rows(disagreement, distance, -1.0)
    assert rows <= 2 * (disagreement + distance / 3) / distance**2 * (1 + 1e-9)
    assert rows >= 2 * disagreement / distance**2 * (1 - 1e-9)


def test_bennett_is_smooth_where_its_formula_changes() -> None:
    assert bennett_rows(1.0, 0.99999e-4, -1.0) == pytest.approx(bennett_rows(1.0, 1.00001e-4, -1.0), rel=1e-4)
    u = 0.99999e-4
    assert bennett_rows(1.0, u, -1.0) == pytest.approx(1 / ((1 + u) * math.log1p(u) - u), rel=1e-7)


def test_the_guarantee_holds() -> None:
    plan = Plan(ACCURACY, 0.03, Level())
    rows = plan.guaranteed()
    assert rows is not None
    found = lived(rows, 0.0, disagreement=0.1, runs=2_000)
    assert sum(abs(each.value) >= 0.03 for each in found) <= 0.05 * len(found)


def test_who_knows_nothing_of_the_disagreement() -> None:
    plan = Plan(noise_of("accuracy", {"disagreement": 1.0}), 0.01, Level())
    assert plan.guaranteed() == plan.guaranteed_without_disagreement()
    assert plan.guaranteed() == math.ceil(hoeffding_rows(0.01, math.log(0.025)))
    assert plan.guaranteed() == math.ceil(2 * math.log(2 / 0.05) / 0.01**2)


@pytest.mark.parametrize(
    ("metric", "known"),
    [
        ("roc_auc", {"value": 0.8, "correlation": 0.5, "prevalence": 0.3}),
        ("precision", {"disagreement": 0.1, "selection-rate": 0.2}),
        ("log_loss", {"spread": 0.3}),
        ("accuracy", {"spread": 0.3}),
    ],
)
def test_what_is_no_share_has_no_guarantee(metric: str, known: dict[str, float]) -> None:
    plan = Plan(noise_of(metric, known), 0.01, Level())
    assert plan.guaranteed() is None
    assert plan.guaranteed_without_disagreement() is None


# --- noise of a metric -----------------------------------------------------------------------------------------------


def test_recall_counts_the_positive_rows_only() -> None:
    few = Plan(noise_of("recall", {"disagreement": 0.1, "prevalence": 0.05}), 0.01, Level())
    many = Plan(noise_of("specificity", {"disagreement": 0.1, "prevalence": 0.05}), 0.01, Level())
    all_rows = Plan(ACCURACY, 0.01, Level())
    for ask in (Plan.not_blind, Plan.shows_equal, Plan.guaranteed):
        assert ask(few) == pytest.approx((ask(all_rows) or 0) / 0.05, abs=21)
        assert ask(many) == pytest.approx((ask(all_rows) or 0) / 0.95, abs=2)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.integers(20, 10_000))
def test_the_variance_of_an_area_is_hanley_and_mcneils(auc: float, prevalence: float, n: int) -> None:
    noise = noise_of("roc_auc", {"value": auc, "correlation": 0.5, "prevalence": prevalence})
    positives, negatives = n * prevalence, n * (1 - prevalence)
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    published = (
        auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    ) / (positives * negatives)  # fmt: skip
    assert noise.row / n + noise.pair / n**2 == pytest.approx(published, rel=1e-9)
    assert noise.pair >= 0


def test_precision_is_no_noisier_than_planned() -> None:
    """Two precisions of the same rows: calls that differ in 4 % of rows, of 20 % called."""
    generator = np.random.default_rng(1)
    n, runs = 2_000, 400
    true = generator.random((runs, n)) < 0.15
    sure = true & (generator.random((runs, n)) < 0.8) | (generator.random((runs, n)) < 0.06)
    flips = generator.random((2, runs, n)) < 0.02
    calls = sure ^ flips
    precisions = (calls & true).sum(2) / calls.sum(2)
    selected = calls.mean()
    known = {"disagreement": (calls[0] != calls[1]).mean() / selected, "selection-rate": selected}
    noise = noise_of("precision", known)
    assert np.std(precisions[0] - precisions[1]) <= math.sqrt(noise.row / n)


@pytest.mark.parametrize(
    ("metric", "known", "message"),
    [
        ("accuracy", {}, "accuracy needs --disagreement"),
        ("recall", {"disagreement": 0.1}, "recall needs --prevalence"),
        ("log_loss", {}, "log_loss needs --spread"),
        ("log_loss", {"disagreement": 0.1}, "log_loss needs --spread"),
        ("accuracy", {"disagreement": 0.1, "value": 0.8}, "--value says nothing about accuracy"),
        ("accuracy", {"disagreement": 0.1, "spread": 0.8}, "--spread says nothing about accuracy"),
        ("accuracy", {"disagreement": 0.0}, "above 0 and at most 1"),
        ("accuracy", {"disagreement": math.nan}, "above 0 and at most 1"),
        ("log_loss", {"spread": math.inf}, "a positive number"),
        ("roc_auc", {"value": 1.0, "correlation": 0.5, "prevalence": 0.5}, "above 0 and below 1"),
        ("roc_auc", {"value": 0.9, "correlation": 1.0, "prevalence": 0.5}, "above -1 and below 1"),
    ],
)
def test_what_must_be_known(metric: str, known: dict[str, float], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        noise_of(metric, known)


def test_everything_to_know_has_words() -> None:
    assert all(known.what for known in KNOWN.values())
