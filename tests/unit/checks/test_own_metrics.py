"""Functions of one's own: resampled, the same in any row order, and never trusted blindly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from pytest_mlops import CheckResult, Evaluation, Gate, MlopsUsageError, Verdict

N = 300
TRUTH = np.arange(N) % 3 == 0


def model(seed: int, order: Any = slice(None), noise: float = 1.0, **known: Any) -> Evaluation:
    score = 1 / (1 + np.exp(1 - 2 * TRUTH - noise * np.random.default_rng(seed).normal(size=N)))
    labels = np.array(["no", "yes"], dtype=object)
    truth, said = labels[TRUTH.astype(int)], labels[(score > 0.5).astype(int)]
    known = {name: value[order] for name, value in known.items()}
    return Evaluation(
        truth[order], said[order], score[order], positive_label="yes", row_ids=np.arange(N)[order], **known
    )


def hits(y_true: Any, y_pred: Any) -> float:
    return float(np.mean(y_true == y_pred))


def top_tenth(y_true: Any, y_score: Any) -> float:
    """The share of positives among the best scored tenth."""
    best = np.argsort(-y_score)[: max(1, len(y_score) // 10)]
    return float(np.mean(np.asarray(y_true)[best] == "yes"))


def cost(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    return float(np.average(5.0 * (y_true != y_pred), weights=sample_weight))


def alone(metric: Any, made: Evaluation | None = None, **how: Any) -> CheckResult:
    how = how or {"at_least": 0.5}
    return Gate(challenger=made or model(1)).performance_threshold(metric, **how)


def test_it_is_what_the_named_metric_is() -> None:
    own, named = alone(hits), alone("accuracy")
    assert own.id == "performance_threshold:hits"
    assert own.estimate is not None
    assert named.estimate is not None
    assert own.estimate.value == named.estimate.value
    assert own.estimate.low == pytest.approx(named.estimate.low, abs=0.01)
    assert own.estimate.high == pytest.approx(named.estimate.high, abs=0.01)
    assert own.estimate.method == "row bootstrap, 2,000 resamples"
    compared = Gate(challenger=model(1), champion=model(2)).champion_challenger(
        hits, margin=0.05, greater_is_better=True
    )
    usual = Gate(challenger=model(1), champion=model(2)).champion_challenger("accuracy", margin=0.05)
    assert compared.estimate is not None
    assert usual.estimate is not None
    assert compared.estimate.value == pytest.approx(usual.estimate.value)
    assert compared.estimate.low == pytest.approx(usual.estimate.low, abs=0.02)


def test_the_limit_or_the_caller_says_which_way_is_better() -> None:
    good, bad = model(1, noise=0.5), model(2, noise=3.0)
    assert alone(cost, good, at_most=2.0).verdict is Verdict.PASS
    gate = Gate(challenger=bad, champion=good)
    result = gate.champion_challenger(cost, margin=0.1, greater_is_better=False)
    assert result.verdict is Verdict.FAIL
    assert result.estimate is not None
    assert result.estimate.value < 0
    with pytest.raises(MlopsUsageError, match="asked before with other arguments"):
        gate.champion_challenger(cost, margin=0.1, greater_is_better=True)
    with pytest.raises(MlopsUsageError, match="which way is better cannot be told from the function 'cost'"):
        Gate(challenger=bad, champion=good).champion_challenger(cost, margin=0.1)


def test_it_may_need_scores() -> None:
    result = alone(top_tenth, at_least=0.3, needs="scores")
    assert result.verdict is Verdict.PASS
    assert result.details["asked"]["needs"] == "scores"
    bare = Evaluation([0, 1] * 50, [0, 1] * 50)
    assert "needs scores, and this evaluation has none" in alone(top_tenth, bare, at_least=0.3, needs="scores").message


def test_no_row_order_and_no_other_check_changes_a_byte() -> None:
    shuffled = np.random.default_rng(5).permutation(N)
    gate = Gate(challenger=model(1, shuffled), champion=model(2))
    gate.champion_challenger(top_tenth, margin=0.2, greater_is_better=True, needs="scores", name="another")
    again = gate.champion_challenger(top_tenth, margin=0.2, greater_is_better=True, needs="scores")
    first = Gate(challenger=model(1), champion=model(2)).champion_challenger(
        top_tenth, margin=0.2, greater_is_better=True, needs="scores"
    )
    assert again.to_json() == first.to_json()


@pytest.mark.parametrize("design", ["clusters", "time"])
def test_rows_that_belong_together_are_drawn_together(design: str) -> None:
    def designed(rows: int) -> Evaluation:
        known: dict[str, Any] = {design: np.arange(N) // rows}
        return model(1, **known)

    result = alone(hits, designed(3))
    assert result.estimate is not None
    assert result.estimate.method == f"{100 if design == 'clusters' else 10}-unit bootstrap, 2,000 resamples"
    few = alone(hits, designed(75))
    assert few.verdict is Verdict.INCONCLUSIVE
    assert few.estimate is not None
    assert few.estimate.doubt is not None


def test_weights_are_given_to_who_takes_them() -> None:
    weight = np.random.default_rng(3).exponential(size=N)
    result = alone(cost, model(1, sample_weight=weight), at_most=3.0)
    assert result.estimate is not None
    made = model(1)
    assert result.estimate.value == pytest.approx(cost(made.y_true, made.y_pred, weight))
    refused = alone(hits, model(1, sample_weight=weight))
    assert refused.verdict is Verdict.ERROR
    assert "'hits' takes none: give it a parameter sample_weight" in refused.message


def nan(y_true: Any, y_pred: Any) -> float:
    return float("nan")


def listed(y_true: Any, y_pred: Any) -> Any:
    return [0.5]


def truth_value(y_true: Any, y_pred: Any) -> Any:
    return True


def nothing(y_true: Any, y_pred: Any) -> Any:
    return None


def raising(y_true: Any, y_pred: Any) -> float:
    raise ZeroDivisionError("no sales")


def now_and_then(y_true: Any, y_pred: Any) -> float:
    """Without a value where too few positive rows are drawn; there are 100 of them."""
    return 0.5 if np.count_nonzero(np.asarray(y_true) == "yes") > 95 else float("nan")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (nan, "nan"),
        (listed, "returned a list, expected one number"),
        (truth_value, "returned a bool, expected one number"),
        (nothing, "returned a NoneType, expected one number"),
        (raising, "no sales"),
        (now_and_then, "resamples"),
    ],
)
def test_what_is_no_number_is_an_error(function: Callable[..., Any], message: str) -> None:
    result = alone(function)
    assert result.verdict is Verdict.ERROR
    assert message in result.message
    champion = Gate(challenger=model(1), champion=model(2))
    assert champion.champion_challenger(function, margin=0.1, greater_is_better=True).verdict is Verdict.ERROR


def one_class(y_true: Any, y_score: Any) -> float:
    return float(sk.roc_auc_score(y_true == "yes", y_score))


def test_a_resample_of_one_class_is_an_error_with_its_reason() -> None:
    made = Evaluation(["no"] * 30 + ["yes"], ["no"] * 31, np.arange(31.0), positive_label="yes")
    result = Gate(challenger=made).performance_threshold(one_class, at_least=0.5, needs="scores")
    assert result.verdict is Verdict.ERROR
    assert "of 2,000 resamples" in result.message


def test_what_is_always_the_same_has_no_interval() -> None:
    def constant(y_true: Any, y_pred: Any) -> float:
        return 0.7

    result = alone(constant)
    assert result.verdict is Verdict.ERROR
    assert "no variation" in result.message


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (sk.accuracy_score, "accuracy"),
        (sk.f1_score, "f1"),
        (sk.make_scorer(sk.recall_score), "recall"),
        (sk.get_scorer("neg_log_loss"), "log_loss"),
    ],
)
def test_scikit_learns_own_are_known(metric: Any, name: str) -> None:
    limit: dict[str, Any] = {"at_most": 0.9} if name == "log_loss" else {"at_least": 0.3}
    result, named = alone(metric, **limit), alone(name, **limit)
    assert result.to_json() == named.to_json()


def test_arguments_are_part_of_the_name() -> None:
    beta = partial(sk.fbeta_score, beta=2, pos_label="yes")
    scorer = sk.make_scorer(sk.fbeta_score, beta=2, pos_label="yes")
    results = [alone(beta, at_least=0.3), alone(scorer, at_least=0.3)]
    assert [result.details["asked"]["subject"] for result in results] == ["fbeta_score(beta=2, pos_label='yes')"] * 2
    assert results[0].estimate == results[1].estimate or results[0].estimate is not None
    made = model(1)
    assert results[1].estimate is not None
    assert results[1].estimate.value == pytest.approx(sk.fbeta_score(made.y_true, made.y_pred, beta=2, pos_label="yes"))


def test_the_sign_of_a_scorer_is_kept() -> None:
    scorer = sk.make_scorer(sk.zero_one_loss, greater_is_better=False, normalize=True)
    with pytest.raises(MlopsUsageError, match="is better when smaller"):
        alone(scorer, at_least=0.3)
    gate = Gate(challenger=model(2, noise=4.0), champion=model(1, noise=0.3))
    assert gate.champion_challenger(scorer, margin=0.02).verdict is Verdict.FAIL


def test_two_functions_of_one_name_are_two_questions() -> None:
    def other() -> Callable[..., float]:
        def hits(y_true: Any, y_pred: Any) -> float:
            return 1.0

        return hits

    gate = Gate(challenger=model(1))
    gate.performance_threshold(hits, at_least=0.5)
    with pytest.raises(MlopsUsageError, match="was asked before of another function: give name="):
        gate.performance_threshold(other(), at_least=0.5)


@pytest.mark.parametrize(
    ("metric", "how", "message"),
    [
        (lambda y, p: 1.0, {"at_least": 0.5}, "a lambda has no name"),
        ("accuracy", {"at_least": 0.5, "needs": "scores"}, "needs= is for a function of your own"),
        (hits, {"at_least": 0.5, "needs": "score"}, "did you mean 'scores'"),
        (3, {"at_least": 0.5}, "unknown metric 3"),
        (None, {"at_least": 0.5}, "unknown metric None"),
    ],
)
def test_a_question_that_makes_no_sense(metric: Any, how: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        alone(metric, **how)


def test_a_function_that_is_a_lottery_is_found_out() -> None:
    drawn = iter(np.random.default_rng(0).random(10_000).tolist())

    def lottery(y_true: Any, y_pred: Any) -> float:
        return float(next(drawn))

    result = alone(lottery)
    assert result.verdict is Verdict.ERROR
    assert "of the same rows: it must give the same answer each time" in result.message
