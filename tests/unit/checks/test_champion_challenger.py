"""Is the challenger at least as good as the champion?"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from pytest_mlops import CheckResult, Evaluation, Gate, MlopsUsageError, Verdict

CLASSIFIED = ["accuracy", "precision", "recall", "specificity", "f1"]
MEASURED = ["mean_absolute_error", "root_mean_squared_error", "r2"]


def with_errors(n: int, wrong: int, *, scored: bool = False, shift: int = 0) -> Evaluation:
    """Rows of two classes, of which so many are predicted wrongly."""
    truth = np.arange(n) % 2
    said = np.where(np.roll(np.arange(n) < wrong, shift), 1 - truth, truth)
    return Evaluation(truth, said, 0.5 * said + 0.1 * truth + 0.2 if scored else None, row_ids=range(n))


def measured(n: int, noise: float, seed: int = 0) -> Evaluation:
    truth = np.random.default_rng(0).normal(size=n)
    return Evaluation(truth, truth + noise * np.random.default_rng(seed).normal(size=n), row_ids=range(n))


def compare(champion: Evaluation, challenger: Evaluation, metric: str = "accuracy", **known: Any) -> CheckResult:
    known = {"margin": 0.01, **known}
    return Gate(challenger=challenger, champion=champion).champion_challenger(metric, **known)


@pytest.mark.parametrize(
    ("champion", "challenger", "known", "verdict"),
    [
        (200, 200, {}, "PASS"),
        (200, 100, {}, "PASS"),
        (200, 203, {"margin": 0.02}, "PASS"),
        (200, 215, {"max_blind": 1.0}, "INCONCLUSIVE"),
        (200, 300, {}, "FAIL"),
        (200, 100, {"require": "non_inferior"}, "PASS"),
        (200, 215, {"require": "non_inferior", "margin": 0.001}, "FAIL"),
        (200, 100, {"require": "better"}, "PASS"),
        (200, 100, {"require": "better", "margin": None}, "PASS"),
        (200, 199, {"require": "better"}, "FAIL"),
        (200, 200, {"require": "better"}, "FAIL"),
    ],
)
def test_verdicts(champion: int, challenger: int, known: dict[str, Any], verdict: str) -> None:
    n = 2000
    result = compare(with_errors(n, champion), with_errors(n, challenger, shift=0), **known)
    assert result.verdict == verdict
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx((champion - challenger) / n)


@pytest.mark.parametrize("metric", [*CLASSIFIED, "roc_auc", *MEASURED])
@pytest.mark.parametrize("require", ["not_worse", "non_inferior"])
def test_an_identical_challenger_passes_exactly(metric: str, require: str) -> None:
    def model() -> Evaluation:
        return measured(50, 0.5) if metric in MEASURED else with_errors(50, 9, scored=True)

    result = compare(model(), model(), metric, require=require)
    assert result.verdict is Verdict.PASS
    assert result.estimate is not None
    assert (result.estimate.low, result.estimate.high, result.estimate.exact) == (0, 0, True)
    assert "the predictions equal the champion's on all 50 rows" in result.message


@pytest.mark.parametrize("require", ["not_worse", "non_inferior"])
@pytest.mark.parametrize(("n", "verdict"), [(20, "ERROR"), (52, "ERROR"), (56, "PASS"), (500, "PASS")])
def test_equal_labels_on_few_rows_prove_nothing(n: int, verdict: str, require: str) -> None:
    """Of 53 rows one in 33 may differ (three margins) and stay unseen one time in five."""
    result = compare(with_errors(n, 5), with_errors(n, 5), require=require)
    assert result.verdict == verdict
    assert ("test set too small" in result.message) == (verdict == "ERROR")


@pytest.mark.parametrize("metric", ["accuracy", "recall", "roc_auc"])
def test_scores_that_say_no_more_than_labels_prove_no_more(metric: str) -> None:
    y_true = [0, 1] * 10

    def model() -> Evaluation:
        return Evaluation(y_true, y_true, y_true, row_ids=range(20))

    assert compare(model(), model(), metric).verdict is Verdict.ERROR


@pytest.mark.parametrize("metric", CLASSIFIED)
def test_a_few_rows_are_blind(metric: str) -> None:
    result = compare(with_errors(30, 3), with_errors(30, 4, shift=8), metric)
    assert result.verdict is Verdict.ERROR
    assert "test set too small for this limit" in result.message


@pytest.mark.parametrize("metric", MEASURED)
def test_a_challenger_with_larger_errors_fails(metric: str) -> None:
    assert compare(measured(500, 0.1), measured(500, 0.4, seed=1), metric).verdict is Verdict.FAIL
    assert compare(measured(500, 0.4), measured(500, 0.1, seed=1), metric).verdict is Verdict.PASS


def compared(**known: Any) -> CheckResult:
    return compare(with_errors(300, 30), with_errors(300, 33, shift=20), **known)


def test_the_margin_that_is_advised_is_not_blind() -> None:
    blind = compared(margin=0.001)
    advised = re.search(r"Use margin=([\d.]+) or more", blind.message)
    assert advised
    assert compared(margin=float(advised[1])).verdict is not Verdict.ERROR
    assert compared(margin=float(advised[1]) * 0.9).verdict is Verdict.ERROR


def test_a_blind_spot_of_ones_own_is_advised_by_its_own_name() -> None:
    blind = compared(margin=0.01, max_blind=0.02)
    assert "margin=" not in blind.message
    advised = re.search(r"Use max_blind=([\d.]+) or more", blind.message)
    assert advised
    assert compared(margin=0.01, max_blind=float(advised[1])).verdict is not Verdict.ERROR


def test_no_margin_is_advised_that_lets_anything_pass() -> None:
    result = compare(with_errors(2, 0), with_errors(2, 1, shift=1), "recall")  # of one positive row
    assert result.verdict is Verdict.ERROR
    assert "No margin is supported by so few rows: judge on about" in result.message


@pytest.mark.parametrize(
    ("metric", "known", "message"),
    [
        ("accuracy", {"margin": None}, "say margin="),
        ("accuracy", {"margin": 0}, "margin=0 must be a number above 0"),
        ("accuracy", {"margin": -0.1}, "margin=-0.1 must be a number above 0"),
        ("accuracy", {"margin": math.nan}, "margin=nan must be a number above 0"),
        ("accuracy", {"margin": "0.1"}, "margin='0.1' must be a number above 0"),
        ("accuracy", {"margin": 2}, "margin=2 lets any challenger pass: accuracy spans 1; did you mean 0.02"),
        ("mae", {"margin": math.inf}, "margin=inf lets any challenger pass"),
        ("accuracy", {"require": "not_wrose"}, "unknown require='not_wrose': did you mean 'not_worse'"),
        ("accuracy", {"paired_by": "ordre"}, "unknown paired_by='ordre': did you mean 'order'"),
        ("accuracy", {"max_blind": -1}, "max_blind=-1 must be a number above 0"),
        ("acuracy", {}, "unknown metric 'acuracy': did you mean 'accuracy"),
        ("accuracy", {"margins": 0.1}, "champion_challenger has no argument 'margins': did you mean 'margin'"),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(metric: str, known: dict[str, Any], message: str) -> None:
    model = with_errors(10, 1)
    with pytest.raises(MlopsUsageError, match=message):
        compare(model, model, metric, **known)


def fast(y_true: Any, y_pred: Any) -> float:
    return float(np.mean(y_true == y_pred))


@pytest.mark.parametrize(
    ("metric", "known", "message"),
    [
        (fast, {}, "which way is better cannot be told from the function 'fast'"),
        (lambda y, p: 1.0, {"greater_is_better": True}, "a lambda has no name"),
        ("accuracy", {"greater_is_better": True}, "greater_is_better= is for a function of your own"),
        ("neg_log_loss", {}, "ask for 'log_loss', without the sign"),
        ("rand_score", {}, "it compares clusterings"),
        ("accuracy", {"slices": "sex"}, "must be a list"),
        ("accuracy", {"slices": []}, "asks for no slice"),
        ("accuracy", {"guardrails": {"accuracy": 0.1}}, "accuracy is asked about twice"),
        ("accuracy", {"guardrails": {"f1": -0.1}}, "margin=-0.1 must be a number above 0"),
    ],
)
def test_new_questions_that_make_no_sense(metric: Any, known: dict[str, Any], message: str) -> None:
    model = with_errors(10, 1)
    with pytest.raises(MlopsUsageError, match=message):
        compare(model, model, metric, **known)


@pytest.mark.parametrize("require", ["not_worse", "non_inferior", "better"])
def test_few_clusters_never_pass(require: str) -> None:
    """Better by 10 points on 2,000 rows, which are four patients."""
    patients = np.repeat(np.arange(4), 500)
    champion, challenger = with_errors(2000, 300), with_errors(2000, 100)
    assert compare(champion, challenger, require=require).verdict is Verdict.PASS
    clustered = Evaluation(challenger.y_true, challenger.y_pred, row_ids=range(2000), clusters=patients)
    result = compare(champion, clustered, require=require)
    assert result.verdict is not Verdict.PASS
    assert result.estimate is not None
    assert result.estimate.doubt == "it rests on 4 clusters, and 6 are needed"


def test_who_is_blind_and_in_doubt_is_told_of_both() -> None:
    """A wider margin or more rows of the same four patients will not help."""
    patients = np.repeat(np.arange(4), 500)
    challenger = with_errors(2000, 100)
    clustered = Evaluation(challenger.y_true, challenger.y_pred, row_ids=range(2000), clusters=patients)
    result = compare(with_errors(2000, 300), clustered)
    assert result.verdict is Verdict.ERROR
    assert "it rests on 4 clusters, and 6 are needed" in result.message


@pytest.mark.parametrize("metric", [*CLASSIFIED, "roc_auc", "f1_macro", "matthews_corrcoef", "average_precision"])
def test_swapped_models_turn_the_answer_round(metric: str) -> None:
    """The improvement changes its sign, and its interval is mirrored: but for the noise of draws, where it is drawn."""
    models = with_errors(600, 60, scored=True), with_errors(600, 90, scored=True, shift=25)
    there, back = (compare(*pair, metric, margin=0.1).estimate for pair in (models, models[::-1]))
    assert there is not None
    assert back is not None
    noise = 0.03 * (there.high - there.low) if "Dirichlet" in there.method else 1e-9
    assert there.value == pytest.approx(-back.value)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=noise)
    assert there.standard_error == pytest.approx(back.standard_error, rel=0.03 if noise > 1e-9 else 1e-6)


def test_the_rows_that_would_settle_it_settle_it() -> None:
    """The same two models on as many rows as advised: no longer INCONCLUSIVE; on a third of them it still is."""
    open_one = compare(with_errors(1000, 100), with_errors(1000, 105, shift=30), margin=0.02)
    assert open_one.verdict is Verdict.INCONCLUSIVE
    advised = re.search(r"About ([\d,]+) rows would settle it", open_one.message)
    assert advised
    wanted = int(advised[1].replace(",", ""))
    for n, verdict in ((wanted, Verdict.PASS), (wanted // 3, Verdict.INCONCLUSIVE)):
        champion, challenger = with_errors(n, n // 10), with_errors(n, round(0.105 * n), shift=round(0.03 * n))
        assert compare(champion, challenger, margin=0.02).verdict is verdict
