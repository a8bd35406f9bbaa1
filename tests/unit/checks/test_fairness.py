"""Are groups of people served alike?"""

from __future__ import annotations

import math
from typing import Any

import fairlearn.metrics
import numpy as np
import pytest

from pytest_mlops import CheckResult, Evaluation, Gate, MlopsUsageError, Verdict
from pytest_mlops.evidence import fairness_metrics
from pytest_mlops.evidence.fairness_metrics import fairness_metric_named

DISPARITIES = [name for name, metric in fairness_metrics._REGISTRY.items() if metric.is_disparity]
WORST = [name for name, metric in fairness_metrics._REGISTRY.items() if not metric.is_disparity]
OF_LABELS = [*DISPARITIES, *(name for name in WORST if fairness_metric_named(name).needs != "quantities")]
OF_QUANTITIES = [name for name in WORST if name not in OF_LABELS]

Counts = dict[str, tuple[int, int]]


def called(counts: Counts, **known: Any) -> Evaluation:
    """Of each group, how many rows are called positive, of how many; half of either are right."""
    who, said, truth = [], [], []
    for group, (positive, n) in counts.items():
        who += [group] * n
        said += [1] * positive + [0] * (n - positive)
        truth += [place % 2 for place in range(n)]
    return Evaluation(truth, said, sensitive_features={"sex": who}, labels=[0, 1], **known)


def hit(counts: Counts) -> Evaluation:
    """Of each group, how many of how many rows, of which half are positive, are predicted rightly."""
    who, said, truth = [], [], []
    for group, (right, n) in counts.items():
        labels = [place % 2 for place in range(n)]
        who += [group] * n
        truth += labels
        said += [label if place < right else 1 - label for place, label in enumerate(labels)]
    return Evaluation(truth, said, sensitive_features={"sex": who}, labels=[0, 1])


def random(n: int = 600, seed: int = 0, labels: tuple[Any, Any] = (0, 1), **known: Any) -> Evaluation:
    generator = np.random.default_rng(seed)
    truth, sex = generator.random(n) < 0.4, generator.choice(["F", "M"], n)
    said = generator.random(n) < np.where(truth, 0.7, 0.2) + 0.1 * (sex == "F")
    features = {"sex": sex, "age": generator.choice(["old", "young", "child"], n)}
    names = np.array(labels)
    known = {"positive_label": labels[1], "sensitive_features": features, **known}
    return Evaluation(names[truth.astype(int)], names[said.astype(int)], **known)


def measured(n: int = 400, seed: int = 0) -> Evaluation:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=n)
    return Evaluation(
        truth, truth + generator.normal(size=n) / 2, sensitive_features={"sex": generator.choice(["F", "M"], n)}
    )


def fair(evaluation: Evaluation, metric: str = "demographic_parity_difference", **known: Any) -> CheckResult:
    known = {"by": "sex", **({} if {"at_most", "at_least"} & set(known) else limit(metric)), **known}
    return Gate(challenger=evaluation).fairness(metric, **known)


def limit(metric: str) -> dict[str, float]:
    return {"at_least": 0.5} if fairness_metric_named(metric).greater_is_better else {"at_most": 0.5}


def value(result: CheckResult) -> float:
    assert result.estimate is not None, result.message
    return result.estimate.value


# --- the metrics are fairlearn's


def test_every_derived_metric_of_fairlearn_is_known_or_refused_with_a_reason() -> None:
    theirs = {
        name
        for name in dir(fairlearn.metrics)
        if name.endswith(("_difference", "_ratio", "_group_min", "_group_max")) and not name.startswith("_")
    }
    assert theirs == {*fairness_metrics._REGISTRY, *fairness_metrics._REFUSED}


@pytest.mark.parametrize("by", ["sex", "age", ["sex", "age"]])
@pytest.mark.parametrize("metric", OF_LABELS)
def test_values_are_fairlearns(metric: str, by: str | list[str]) -> None:
    evaluation = random()
    names = [by] if isinstance(by, str) else by
    features = np.stack([evaluation.sensitive_features[name] for name in names], axis=1)
    expected = getattr(fairlearn.metrics, metric)(evaluation.y_true, evaluation.y_pred, sensitive_features=features)
    assert value(fair(evaluation, metric, by=by)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", OF_QUANTITIES)
def test_values_of_quantities_are_fairlearns(metric: str) -> None:
    evaluation = measured()
    expected = getattr(fairlearn.metrics, metric)(
        evaluation.y_true, evaluation.y_pred, sensitive_features=evaluation.sensitive_features["sex"]
    )
    assert value(fair(evaluation, metric)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("labels", [("no", "yes"), ("yes", "no"), ("1", "0"), (2, 1)])
@pytest.mark.parametrize("metric", OF_LABELS)
def test_the_names_of_the_labels_do_not_matter(metric: str, labels: tuple[Any, Any]) -> None:
    assert fair(random(labels=labels), metric).estimate == fair(random(), metric).estimate


@pytest.mark.parametrize("metric", ["accuracy_score_difference", "zero_one_loss_ratio", "accuracy_score_group_min"])
def test_many_classes(metric: str) -> None:
    generator = np.random.default_rng(0)
    truth, sex = generator.integers(0, 3, 300), generator.choice(["F", "M"], 300)
    said = np.where(generator.random(300) < 0.7, truth, 0)
    expected = getattr(fairlearn.metrics, metric)(truth, said, sensitive_features=sex)
    evaluation = Evaluation(truth, said, sensitive_features={"sex": sex})
    assert value(fair(evaluation, metric)) == pytest.approx(expected, abs=1e-12)


# --- verdicts


@pytest.mark.parametrize(
    ("counts", "known", "verdict"),
    [
        ({"F": (500, 1000), "M": (500, 1000)}, {"at_most": 0.1}, "PASS"),
        ({"F": (500, 1000), "M": (540, 1000)}, {"at_most": 0.1, "warn_above": 0.03}, "WARN"),
        ({"F": (500, 1000), "M": (580, 1000)}, {"at_most": 0.1}, "INCONCLUSIVE"),
        ({"F": (500, 1000), "M": (700, 1000)}, {"at_most": 0.1}, "FAIL"),
        ({"F": (50, 100), "M": (61, 100)}, {"at_most": 0.1, "max_blind": 1.0}, "INCONCLUSIVE"),
        ({"F": (15, 30), "M": (15, 30)}, {"at_most": 0.1}, "ERROR"),
        ({"F": (0, 1000), "M": (0, 1000)}, {"at_most": 0.1}, "PASS"),
        ({"F": (1000, 1000), "M": (1000, 1000)}, {"at_most": 0.1}, "PASS"),
        ({"F": (500, 1000), "M": (500, 1000)}, {"at_most": 0.1, "proof": "shown"}, "PASS"),
        ({"F": (500, 1000), "M": (580, 1000)}, {"at_most": 0.1, "proof": "shown"}, "FAIL"),
    ],
)
def test_verdicts_on_differences(counts: Counts, known: dict[str, Any], verdict: str) -> None:
    result = fair(called(counts), **known)
    assert result.verdict == verdict, result.message


@pytest.mark.parametrize(
    ("counts", "known", "verdict"),
    [
        ({"F": (500, 1000), "M": (500, 1000)}, {}, "PASS"),
        ({"F": (500, 1000), "M": (590, 1000)}, {}, "INCONCLUSIVE"),
        ({"F": (300, 1000), "M": (590, 1000)}, {}, "FAIL"),
        ({"F": (0, 1000), "M": (500, 1000)}, {}, "FAIL"),
        ({"F": (0, 1000), "M": (0, 1000)}, {}, "INCONCLUSIVE"),
        ({"F": (0, 1000), "M": (0, 1000)}, {"proof": "shown"}, "FAIL"),
        ({"F": (3, 30), "M": (3, 30)}, {}, "ERROR"),
    ],
)
def test_verdicts_on_ratios(counts: Counts, known: dict[str, Any], verdict: str) -> None:
    result = fair(called(counts), "demographic_parity_ratio", at_least=0.8, **known)
    assert result.verdict == verdict, result.message


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"F": (900, 1000), "M": (950, 1000)}, "PASS"),
        ({"F": (810, 1000), "M": (950, 1000)}, "INCONCLUSIVE"),
        ({"F": (790, 1000), "M": (950, 1000)}, "FAIL"),
        ({"F": (20, 20), "M": (950, 1000)}, "INCONCLUSIVE"),
        ({"F": (15, 20), "M": (950, 1000)}, "INCONCLUSIVE"),
        ({"F": (2, 20), "M": (950, 1000)}, "FAIL"),
        ({"F": (15, 20), "M": (790, 1000)}, "FAIL"),
    ],
)
def test_verdicts_on_the_worst_group(counts: Counts, verdict: str) -> None:
    """Also of a small group: it may FAIL where its few rows are clear, and may not PASS."""
    for metric, known in (
        ("accuracy_score_group_min", {"at_least": 0.8}),
        ("zero_one_loss_group_max", {"at_most": 0.2}),
    ):
        result = fair(hit(counts), metric, **known)
        assert result.verdict == verdict, result.message


# --- what cannot be assessed is never a PASS


def test_a_small_group_may_not_pass() -> None:
    result = fair(called({"F": (500, 1000), "M": (500, 1000), "X": (14, 29)}), at_most=0.5)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "Too few rows to pass (min_group_size=30): X (29)." in result.message
    assert result.details["too_small"] == ["X"]
    assert fair(called({"F": (500, 1000), "M": (500, 1000), "X": (15, 30)}), at_most=0.5).verdict is Verdict.PASS


def test_a_small_group_may_fail() -> None:
    result = fair(called({"F": (500, 1000), "M": (500, 1000), "X": (0, 20)}), at_most=0.1)
    assert result.verdict is Verdict.FAIL
    assert result.parts[2].verdict is Verdict.FAIL


def test_a_small_group_is_not_shown() -> None:
    assert (
        fair(called({"F": (500, 1000), "M": (500, 1000), "X": (14, 29)}), at_most=0.5, proof="shown").verdict == "FAIL"
    )


def test_small_groups_alone_are_no_way_around_blindness() -> None:
    counts = {"F": (500, 1000), "M": (10, 20)}
    for size in (30, 10**6):
        result = fair(called(counts), at_most=0.1, min_group_size=size)
        assert result.verdict is Verdict.ERROR
        assert "test set too small for this limit" in result.message


def test_a_tiny_group_makes_the_check_blind_and_the_message_says_the_ways_out() -> None:
    evaluation = called({"F": (500, 1000), "M": (500, 1000), "X": (20, 40)})
    result = fair(evaluation, at_most=0.1)
    assert result.verdict is Verdict.ERROR
    assert "test set too small for this limit" in result.message
    assert "rows of each group (X has 40)" in result.message
    words = result.message.replace(";", " ").replace(",", " ").replace(":", " ").split()
    said = {word.split("=")[0]: float(word.split("=")[1]) for word in words if "=" in word}
    for name, number in said.items():
        ways: dict[str, Any] = {"at_most": 0.1, name: int(number) if name == "min_group_size" else number}
        assert fair(evaluation, **ways).verdict is not Verdict.ERROR, name
    assert fair(evaluation, at_most=said["at_most"] - 0.011).verdict is Verdict.ERROR
    assert set(said) == {"at_most", "max_blind", "min_group_size"}


@pytest.mark.parametrize(
    ("metric", "known"),
    [("demographic_parity_difference", {"at_most": 0.1}), ("demographic_parity_ratio", {"at_least": 0.8})],
)
@pytest.mark.parametrize("large", [40, 2000])
def test_the_rows_that_the_message_asks_for_suffice(metric: str, known: dict[str, float], large: int) -> None:
    def ask(rows: int) -> CheckResult:
        n = max(large, rows)
        return fair(called({"F": (n // 4, n), "M": (rows // 4, rows)}), metric, **known)

    message = ask(30).message
    assert "test set too small" in message
    asked = int(message.split("judge on about ")[1].split()[0].replace(",", ""))
    assert ask(round(asked * 1.1)).verdict is Verdict.INCONCLUSIVE
    assert ask(round(asked * 0.8)).verdict is Verdict.ERROR


def test_a_group_without_positives_is_named_and_keeps_the_check_from_a_pass() -> None:
    n = 2000
    who = np.array(["F"] * n + ["M"] * n + ["X"] * n)
    truth = np.where(who == "X", 0, np.arange(3 * n) % 2)
    evaluation = Evaluation(truth, truth, sensitive_features={"sex": who})
    result = fair(evaluation, "equal_opportunity_difference", at_most=0.1)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "Not assessed: there is no positive row in X." in result.message
    assert result.parts[2].verdict is Verdict.INCONCLUSIVE
    assert fair(evaluation, "equalized_odds_difference", at_most=0.1).verdict is Verdict.INCONCLUSIVE
    two = Evaluation(truth[n:], truth[n:], sensitive_features={"sex": who[n:]})
    lone = fair(two, "equal_opportunity_difference", at_most=0.1)
    assert lone.verdict is Verdict.ERROR
    assert "no two groups of sex can be compared" in lone.message


def test_it_fails_through_the_groups_that_can_be_assessed() -> None:
    n = 2000
    who = np.array(["F"] * n + ["M"] * n + ["X"] * n)
    truth = np.where(who == "X", 0, np.arange(3 * n) % 2)
    said = np.where(who == "F", truth, 0)
    result = fair(Evaluation(truth, said, sensitive_features={"sex": who}), "equal_opportunity_difference", at_most=0.1)
    assert result.verdict is Verdict.FAIL


def test_a_perfect_model_has_no_ratio_of_false_positives() -> None:
    result = fair(hit({"F": (1000, 1000), "M": (1000, 1000)}), "equalized_odds_ratio", at_least=0.8)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the false positive rate is 0 in every group, and the ratio 0 / 0 is not defined" in result.message


def test_a_group_of_constant_errors_has_no_interval() -> None:
    truth = np.arange(200.0) / 7
    who = np.where(np.arange(200) < 100, "F", "M")
    error = np.where(who == "F", 0.5, np.random.default_rng(0).normal(size=200) / 5)
    result = fair(
        Evaluation(truth, truth + error, sensitive_features={"sex": who}), "mean_squared_error_group_max", at_most=2.0
    )
    assert result.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    error[who == "F"] = 0.01
    better = fair(
        Evaluation(truth, truth + error, sensitive_features={"sex": who}), "mean_squared_error_group_max", at_most=2.0
    )
    assert better.verdict is Verdict.INCONCLUSIVE
    assert "F shows no variation at all in 100 rows" in better.message
    exact = Evaluation(truth, truth, sensitive_features={"sex": who}, task="regression")
    assert fair(exact, "mean_squared_error_group_max", at_most=1.0).verdict is Verdict.ERROR


def test_a_group_of_one_row_or_of_equal_targets() -> None:
    truth = np.r_[np.arange(200.0) / 7, 1.0]
    who = np.r_[np.array(["F", "M"] * 100), ["X"]]
    evaluation = Evaluation(truth, truth + np.sin(np.arange(201)) / 3, sensitive_features={"sex": who})
    for metric, known in (
        ("mean_absolute_error_group_max", {"at_most": 9.0}),
        ("r2_score_group_min", {"at_least": 0.1}),
    ):
        result = fair(evaluation, metric, **known)
        assert result.verdict is Verdict.INCONCLUSIVE
        assert "Not assessed: X cannot be assessed" in result.message


@pytest.mark.parametrize("metric", [*OF_LABELS, *OF_QUANTITIES])
@pytest.mark.parametrize("given", ["clusters", "time", "sample_weight"])
def test_rows_that_do_not_count_alike_are_refused(metric: str, given: str) -> None:
    extra: dict[str, Any] = {given: np.arange(60) + 1.0}
    if metric in OF_QUANTITIES:
        truth = np.random.default_rng(0).normal(size=60)
        evaluation = Evaluation(truth, truth + 0.1, sensitive_features={"sex": ["F", "M"] * 30}, **extra)
    else:
        evaluation = called({"F": (10, 30), "M": (12, 30)}, **extra)
    result = fair(evaluation, metric)
    assert result.verdict is Verdict.ERROR
    assert f"the evaluation has {given}" in result.message


@pytest.mark.parametrize(
    ("evaluation", "metric", "message"),
    [
        (measured(), "demographic_parity_difference", "is a metric of classification"),
        (random(), "mean_absolute_error_group_max", "is a metric of regression"),
        (random(labels=("a", "b"), positive_label=None), "equalized_odds_ratio", "needs to know which of 'a' and 'b'"),
        (Evaluation([0, 1, 2], [0, 1, 2]), "selection_rate_ratio", "needs two classes, and this evaluation has 3"),
        (Evaluation([0, 1], [0, 1]), "selection_rate_ratio", "has no sensitive features"),
        (Evaluation([0, 1], [0, 1], sensitive_features={"sx": [0, 1]}), "selection_rate_ratio", "did you mean 'sx'?"),
        (Evaluation([0, 1], [0, 1], sensitive_features={"sex": [0, 0]}), "selection_rate_ratio", "are of one group"),
    ],
)
def test_evidence_that_cannot_answer(evaluation: Evaluation, metric: str, message: str) -> None:
    result = fair(evaluation, metric)
    assert result.verdict is Verdict.ERROR
    assert message in result.message


def test_missing_values_are_a_group_that_is_judged() -> None:
    evaluation = called({"F": (500, 1000), "M": (500, 1000), "?": (0, 300)})
    who = [None if sex == "?" else sex for sex in evaluation.sensitive_features["sex"]]
    result = fair(Evaluation(evaluation.y_true, evaluation.y_pred, sensitive_features={"sex": who}), at_most=0.1)
    assert result.verdict is Verdict.FAIL
    assert "lowest: missing 0.0000 of 300" in result.message


# --- what is asked


@pytest.mark.parametrize("metric", [*OF_LABELS, *OF_QUANTITIES])
def test_a_limit_on_the_wrong_side_is_refused(metric: str) -> None:
    right, wrong = (
        ("at_least", "at_most") if fairness_metric_named(metric).greater_is_better else ("at_most", "at_least")
    )
    with pytest.raises(MlopsUsageError, match=f"its limit is {right}=, not {wrong}="):
        fair(random(), metric, **{wrong: 0.5})


@pytest.mark.parametrize(
    ("metric", "known", "message"),
    [
        ("demographic_parity_diference", {"at_most": 0.1}, "did you mean 'demographic_parity_difference'"),
        ("demographic_parity", {"at_most": 0.1}, "did you mean 'demographic_parity_"),
        ("roc_auc_score_group_min", {"at_least": 0.1}, "cannot be judged yet: it needs scores"),
        ("log_loss_group_max", {"at_most": 0.1}, "it needs probabilities"),
        ("balanced_accuracy_score_group_min", {"at_least": 0.1}, "a mean of two rates"),
        (3, {"at_most": 0.1}, "unknown fairness metric 3"),
        ("demographic_parity_difference", {"at_most": 0.0}, "no rows can show that"),
        ("demographic_parity_ratio", {"at_least": 1.0}, "no rows can show that"),
        ("demographic_parity_difference", {"at_most": 10}, "did you mean 0.1?"),
        ("demographic_parity_ratio", {"at_least": 80}, "did you mean 0.8?"),
        ("demographic_parity_difference", {"at_most": 1.0}, "cannot fail"),
        ("demographic_parity_ratio", {"at_least": 0.0}, "cannot fail"),
        ("demographic_parity_difference", {"at_most": 0.1, "warn_above": 0.2}, "would never warn"),
        ("demographic_parity_difference", {"at_most": 0.1, "by": []}, "names no sensitive feature"),
        ("demographic_parity_difference", {"at_most": 0.1, "by": ""}, "names no sensitive feature"),
        ("demographic_parity_difference", {"at_most": 0.1, "by": None}, "names no sensitive feature"),
        ("demographic_parity_difference", {"at_most": 0.1, "by": [1]}, "names no sensitive feature"),
        ("demographic_parity_difference", {"at_most": 0.1, "by": ["sex", "sex"]}, "twice"),
        ("demographic_parity_difference", {"at_most": 0.1, "min_group_size": 0}, "min_group_size=0"),
        ("demographic_parity_difference", {"at_most": 0.1, "min_group_size": 30.0}, "min_group_size=30.0"),
        ("demographic_parity_difference", {"at_most": 0.1, "min_group_size": True}, "min_group_size=True"),
        ("demographic_parity_difference", {"at_most": 0.1, "max_blind": 0}, "max_blind=0"),
        ("demographic_parity_difference", {"at_most": 0.1, "max_blind": math.nan}, "max_blind=nan"),
        ("demographic_parity_difference", {"at_most": 0.1, "proof": "show"}, "did you mean 'shown'"),
    ],
)
def test_questions_that_make_no_sense(metric: Any, known: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError) as caught:
        fair(random(), metric, **known)
    assert message in str(caught.value)


def test_ids() -> None:
    result = fair(random(), by=["sex", "age"], name="mine")
    assert result.id.startswith("fairness:demographic_parity_difference:sex")
    assert result.id.endswith("age:mine")
    assert [part.id.removeprefix(result.id) for part in result.parts[:2]] == [":F:child", ":F:old"]
    assert len({part.id for part in result.parts}) == 6
    assert result.details["asked"]["by"] == ["sex", "age"]
    assert result.details["asked"]["min_group_size"] == 30


def test_the_usual_cap_never_lets_everything_go_unseen() -> None:
    for bound, cap in ((0.1, 0.2), (0.6, 0.8)):
        assert fair(random(), at_most=bound).details["asked"]["max_blind"] == pytest.approx(cap)
    for bound, cap in ((0.8, 0.4), (0.2, 0.9)):
        asked = fair(random(), "demographic_parity_ratio", at_least=bound).details["asked"]
        assert asked["max_blind"] == pytest.approx(cap)
    assert fair(random(), "accuracy_score_group_min", at_least=0.5).details["asked"]["max_blind"] is None


# --- what is said


def test_the_message() -> None:
    result = fair(called({"Female": (67, 126), "Male": (831, 1362)}), at_most=0.1)
    assert result.message == (
        "demographic_parity_difference by sex is 0.078 (0.000 to 0.169) on 1,488 rows, the limit is at most 0.1: looks "
        "fine, not proven. Highest: Male 0.610 of 1,362; lowest: Female 0.532 of 126."
    )


def test_equalized_odds_says_which_rate() -> None:
    truth = np.arange(4000) % 2
    sex = np.where(np.arange(4000) < 2000, "F", "M")
    said = np.where((sex == "F") & (truth == 0), np.arange(4000) % 3 == 0, truth)
    result = fair(Evaluation(truth, said, sensitive_features={"sex": sex}), "equalized_odds_difference", at_most=0.1)
    assert result.verdict is Verdict.FAIL
    assert "The false positive rate is furthest apart. Highest: F 0.33" in result.message
    assert set(result.parts[0].details["rates"]) == {"true_positive_rate", "false_positive_rate"}
    assert result.parts[0].estimate is not None
    assert result.parts[0].estimate.value == pytest.approx(1 / 3, abs=0.01)


def test_a_fail_through_another_pair_than_the_widest_names_it() -> None:
    result = fair(called({"F": (300, 1000), "M": (700, 1000), "X": (0, 3)}), at_most=0.1)
    assert result.verdict is Verdict.FAIL
    assert "Clearest: M 0.700 of 1,000 against F 0.300 of 1,000." in result.message


def test_parts_and_whole_agree() -> None:
    """A disparity is as bad as that of the worst group."""
    order = [Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.FAIL]
    generator = np.random.default_rng(3)
    for _ in range(40):
        counts = {
            str(g): (int(generator.binomial(n, 0.5)), int(n)) for g, n in enumerate(generator.integers(5, 900, 4))
        }
        result = fair(called(counts), at_most=0.15, max_blind=1.0)
        assert result.verdict is max((part.verdict for part in result.parts), key=order.index)


@pytest.mark.parametrize(
    "metric", ["equalized_odds_ratio", "accuracy_score_group_min", "demographic_parity_difference"]
)
def test_neither_row_order_nor_other_dtypes_matter(metric: str) -> None:
    evaluation = random()
    order = np.random.default_rng(1).permutation(evaluation.n)
    sex = np.where(evaluation.sensitive_features["sex"] == "F", 1, 0)
    results = [
        fair(
            Evaluation(evaluation.y_true[rows], evaluation.y_pred[rows], sensitive_features={"sex": kind[rows]}), metric
        )
        for rows in (slice(None), order)
        for kind in (sex, sex.astype(float), sex.astype(object))
    ]
    assert all(result == results[0] for result in results)


def test_results_are_json() -> None:
    for evaluation, metric in ((random(), "equalized_odds_ratio"), (measured(), "r2_score_group_min")):
        result = fair(evaluation, metric)
        assert CheckResult.from_json(result.to_json()).to_dict() == result.to_dict()
    nothing = fair(called({"F": (0, 50), "M": (0, 50)}), "selection_rate_ratio")
    assert CheckResult.from_json(nothing.to_json()) == nothing
