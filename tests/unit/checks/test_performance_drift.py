"""Does the model get worse over time?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import accuracy_score, make_scorer

from pytest_mlops import CheckResult, Estimate, Evaluation, EvidenceError, Gate, GateReport, MlopsUsageError, Verdict
from pytest_mlops.checks import performance_words
from pytest_mlops.checks.performance_drift import PerformanceDrift
from pytest_mlops.checks.spec import Settings
from pytest_mlops.evidence.metrics import metric_of
from pytest_mlops.evidence.samples import Sample, sample_of
from pytest_mlops.report import html, machine
from pytest_mlops.verdict.decision import decide

HOUR = np.timedelta64(1, "h")
N = 6_000


@dataclass
class Given:
    """Sources that are there already."""

    challenger_: Any = None
    reference: Any = None
    current_: Any = None
    told: list[str] = field(default_factory=list)

    def tell(self, words: str, share: float) -> None:
        self.told.append(words)

    def _of(self, role: str) -> Any:
        return {"challenger": self.challenger_, "reference": self.reference, "current": self.current_}[role]

    def has(self, role: str) -> bool:
        return self._of(role) is not None

    def evaluated(self, role: str) -> Evaluation | None:
        return self._of(role) if isinstance(self._of(role), Evaluation) else None

    def challenger(self) -> Evaluation:
        return self.challenger_  # type: ignore[no-any-return]

    def current(self) -> Sample:
        return self.current_  # type: ignore[no-any-return]


def times(n: int = N) -> Any:
    return np.datetime64("2026-01-01", "h") + np.arange(n) * HOUR


def labelled(n: int = N, *, right: float = 0.9, drop: float = 0.0, seed: int = 0, **known: Any) -> Evaluation:
    """Of the last quarter of the rows fewer are right."""
    generator = np.random.default_rng(seed)
    truth = generator.random(n) < 0.4
    hit = generator.random(n) < right - drop * (np.arange(n) >= 0.75 * n)
    return Evaluation(truth.astype(int), np.where(hit, truth, ~truth).astype(int), **{"time": times(n), **known})


def ask(method: str = "performance", **known: Any) -> PerformanceDrift:
    windows = 8 if method == "performance" else None
    return PerformanceDrift.ask(method, **{"metric": "accuracy", "windows": windows, "at_most": 0.1, **known})


def measure(given: Given, **known: Any) -> CheckResult:
    return ask(**known).answer(given, Settings())  # type: ignore[arg-type]


def verdicts(result: CheckResult) -> list[str]:
    return [part.verdict.value for part in result.parts]


# --- the arguments


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"metric": None}, "say metric="),
        ({"metric": "acuracy"}, "did you mean 'accuracy'"),
        ({"at_most": None}, "0.05 is a usual start"),
        ({"at_most": 0}, "above 0"),
        ({"at_most": 1.0}, "lets pass any drop"),
        ({"at_most": 5}, "did you mean 0.05"),
        ({"warn_above": 0.2}, "never warn"),
        ({"windows": None}, "how many windows"),
        ({"windows": 1}, "from 2 to 500"),
        ({"windows": 501}, "from 2 to 500"),
        ({"windows": True}, "no windows of time"),
        ({"windows": ""}, "no windows of time"),
        ({"windows": 2.5}, "no windows of time"),
        ({"proof": "show"}, "did you mean 'shown'"),
        ({"max_blind": 0}, "max_blind"),
        ({"score": "score"}, "score= is for samples without labels"),
        ({"time": "when"}, "time= is for samples without labels"),
        ({"method": "estimated_performance", "metric": "average_precision"}, "choose one of accuracy"),
        ({"method": "estimated_performance", "metric": accuracy_score, "prediction": 3}, "no name of a column"),
        ({"method": "estimated_performance", "windows": 3}, "go together"),
        ({"method": "estimated_performance", "time": "when"}, "go together"),
        ({"method": "perform"}, "did you mean 'performance'"),
    ],
)
def test_a_wrong_question_is_refused(known: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        ask(**known)


def test_each_metric_is_a_check_of_its_own() -> None:
    assert ask().spec.id == "drift:performance:accuracy"
    assert ask(metric="f1", name="late").spec.id == "drift:performance:f1:late"
    assert ask("estimated_performance").spec.id == "drift:estimated_performance:accuracy"


def test_losses_of_any_size_have_limits_of_any_size() -> None:
    assert ask(metric="mean_absolute_error", at_most=500).limits.bound == 500


# --- labels arrive later


def test_a_model_that_stays_as_it_is_passes() -> None:
    result = measure(Given(labelled()))
    assert result.verdict is Verdict.PASS
    assert verdicts(result) == ["PASS"] * 7
    assert result.details["change"] is None


def test_a_model_that_gets_worse_fails_and_since_when_is_told() -> None:
    result = measure(Given(labelled(drop=0.3)))
    assert result.verdict is Verdict.FAIL
    assert verdicts(result) == ["PASS"] * 5 + ["FAIL"] * 2
    change = result.details["change"]
    assert change["window"] == result.parts[5].details["window"]
    assert change["before"] == pytest.approx(0.9, abs=0.02)
    assert change["after"] == pytest.approx(0.6, abs=0.04)
    assert f"The first change is at {change['window']}" in result.message


def test_a_loss_that_rises_is_as_bad_as_a_share_that_falls() -> None:
    shares, losses = (measure(Given(labelled(drop=0.3)), metric=metric) for metric in ("accuracy", "zero_one_loss"))
    assert verdicts(shares) == verdicts(losses)
    assert losses.parts[-1].estimate is not None
    assert losses.parts[-1].estimate.value > 0.2


def test_a_model_that_gets_better_passes() -> None:
    result = measure(Given(labelled(right=0.7, drop=-0.2)))
    assert result.verdict is Verdict.PASS
    assert result.details["change"]["after"] > result.details["change"]["before"]


def test_windows_have_a_length_where_one_is_said() -> None:
    result = measure(Given(labelled()), windows="30 days")
    assert result.details["baseline"]["window"] == "2026-01-01 to 2026-01-30"
    assert result.parts[0].details["window"] == "2026-01-31 to 2026-03-01"
    assert result.parts[0].details["rows"] == 720


def test_the_reference_is_the_baseline_where_it_has_labels() -> None:
    result = measure(Given(labelled(right=0.7), reference=labelled(seed=1, time=None)))
    assert result.details["baseline"]["window"] == "mlops_reference"
    assert verdicts(result) == ["FAIL"] * 8


def test_a_reference_without_labels_is_no_baseline() -> None:
    result = measure(Given(labelled(), reference=pd.DataFrame({"age": [1]})))
    assert "the first window" in result.message


def test_the_current_evaluation_is_asked_before_the_challenger() -> None:
    assert "mlops_current" in measure(Given(labelled(drop=0.3), current_=labelled())).message


def test_numbers_are_times_too() -> None:
    result = measure(Given(labelled(time=np.arange(N))), windows="1000")
    assert [part.details["window"] for part in result.parts][:2] == ["1,000 to 2,000", "2,000 to 3,000"]


@pytest.mark.parametrize(
    "metric", ["f1", "balanced_accuracy", "roc_auc", "log_loss", "matthews_corrcoef", "recall", "hamming_loss"]
)
def test_any_metric_has_windows(metric: str) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=N)
    truth = (generator.random(N) < expit(2 * x)).astype(int)
    found = Evaluation(truth, (x > 0).astype(int), expit(2 * x), time=times())
    assert measure(Given(found), metric=metric, at_most=0.3).verdict is Verdict.PASS


def share_right(y_true: Any, y_pred: Any) -> float:
    return float(np.mean(y_true == y_pred))


def test_a_function_says_which_way_is_better() -> None:
    with pytest.raises(MlopsUsageError, match="make_scorer"):
        ask(metric=share_right)


def test_a_function_of_ones_own_is_asked_of_each_window() -> None:
    result = measure(Given(labelled(800)), metric=make_scorer(share_right), windows=2, at_most=0.3)
    assert verdicts(result) == ["PASS"]


def test_quantities_have_windows() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=N)
    found = Evaluation(truth, truth + generator.normal(size=N), time=times(), task="regression")
    assert measure(Given(found), metric="mean_absolute_error", at_most=0.3).verdict is Verdict.PASS


def test_clusters_say_which_rows_belong_together() -> None:
    result = measure(Given(labelled(clusters=np.arange(N) // 10)))
    assert result.parts[0].estimate is not None
    assert "clusters" in result.parts[0].estimate.method


def test_rows_that_follow_each_other_make_less_sure() -> None:
    right = np.repeat(np.random.default_rng(0).random(N // 20) < 0.8, 20)
    alike, mixed = (
        Evaluation(
            np.tile([0, 1], N // 2), np.where(hit, np.tile([0, 1], N // 2), np.tile([1, 0], N // 2)), time=times()
        )
        for hit in (right, np.random.default_rng(0).permutation(right))
    )
    widths = [
        part.estimate.high - part.estimate.low  # type: ignore[union-attr]
        for part in (measure(Given(each)).parts[0] for each in (alike, mixed))
    ]
    assert widths[0] > 2.5 * widths[1]


def test_days_of_many_rows_are_enough_moments() -> None:
    days = np.datetime64("2026-01-01") + np.arange(N) // 24
    assert measure(Given(labelled(time=days)), windows="30 days").verdict is Verdict.PASS


def test_short_windows_are_blind() -> None:
    result = measure(Given(labelled()), windows=60, at_most=0.02)
    assert result.verdict is Verdict.ERROR
    assert "too short to see a loss of 0.04" in result.message
    assert "at_most=0.1" in result.message


def test_the_limit_that_is_offered_is_one_that_sees() -> None:
    blind = measure(Given(labelled()), windows=12, at_most=0.005)
    offered = float(blind.message.split("at_most=")[1].split(" ")[0])
    assert measure(Given(labelled()), windows=12, at_most=offered * 1.05).verdict is not Verdict.ERROR


def test_one_short_window_among_long_ones_is_not_known() -> None:
    time = times()
    time[-5:] += 365 * 24 * HOUR
    result = measure(Given(labelled(time=time)), windows="100 days")
    assert verdicts(result)[-1] == "INCONCLUSIVE"
    assert result.parts[-1].details["rows"] == 5


def test_a_window_without_rows_is_named_and_no_pass() -> None:
    time = np.where(np.arange(N) < N // 2, times(), times() + 60 * 24 * HOUR)
    result = measure(Given(labelled(time=time)), windows="30 days")
    empty = [part for part in result.parts if part.details["rows"] == 0]
    assert [part.verdict for part in empty] == [Verdict.INCONCLUSIVE]
    assert "no rows" in empty[0].message
    assert empty[0].details["window"] in result.message


def test_a_window_of_one_class_is_no_pass() -> None:
    truth = np.random.default_rng(0).integers(0, 2, N)
    truth[-N // 8 :] = 1
    result = measure(Given(Evaluation(truth, truth, time=times())), metric="balanced_accuracy")
    assert result.parts[-1].verdict is Verdict.INCONCLUSIVE
    assert "one class only" in result.parts[-1].message


def test_what_is_not_shown_fails_where_it_must_be_shown() -> None:
    truth = np.random.default_rng(0).integers(0, 2, N)
    truth[-N // 8 :] = 1
    result = measure(Given(Evaluation(truth, truth, time=times())), metric="balanced_accuracy", proof="shown")
    assert result.verdict is Verdict.FAIL


def test_the_warn_bound_warns() -> None:
    assert measure(Given(labelled(drop=0.12)), at_most=0.3, warn_above=0.05).verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Given(), "let mlops_current be an Evaluation with time="),
        (Given(current_=pd.DataFrame({"age": [1]})), "estimated_performance"),
        (Given(labelled(time=None)), "the challenger has no time="),
        (Given(labelled(), current_=labelled(time=None)), "mlops_current has no time="),
        (Given(labelled(time=np.zeros(N))), "one window of time"),
    ],
)
def test_evidence_without_a_course_is_refused(given: Given, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        measure(given)


@pytest.mark.parametrize(
    ("windows", "message"),
    [("a while", "windows='a while' is no duration"), ("1 s", "nobody reads more than 500"), ("7", "no duration")],
)
def test_a_length_that_is_none_is_refused(windows: str, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        measure(Given(labelled()), windows=windows)


def test_a_baseline_of_one_class_is_no_baseline() -> None:
    truth = np.random.default_rng(0).integers(0, 2, N)
    truth[: N // 8] = 1
    with pytest.raises(EvidenceError, match="which is the baseline, cannot be assessed"):
        measure(Given(Evaluation(truth, truth, time=times())), metric="balanced_accuracy")


def test_the_order_of_the_rows_does_not_matter() -> None:
    order = np.random.default_rng(5).permutation(N)
    plain = labelled(drop=0.1)
    mixed = Evaluation(plain.y_true[order], plain.y_pred[order], time=times()[order])
    one, other = (measure(Given(each), metric="f1").to_dict() for each in (plain, mixed))
    assert json.dumps(one) == json.dumps(other)


def test_the_answer_is_made_of_builtins() -> None:
    result = measure(Given(labelled(drop=0.3)))
    assert CheckResult.from_json(result.to_json()) == result


def test_how_far_it_is_is_told() -> None:
    given = Given(labelled())
    measure(given)
    assert len(given.told) == 8


# --- in words


def test_few_windows_are_blamed_briefly_and_the_others_counted() -> None:
    message = measure(Given(labelled(drop=0.3)), windows=24).message
    assert message.startswith("accuracy in 23 windows of the challenger, 5,750 rows: 6 FAIL, 17 PASS. The baseline, ")
    assert message.count("a loss of 0.") == 3
    assert ", and 3 more. The first change is at " in message
    assert message.count("at most 0.1") == 1
    assert "significant" not in message


def test_the_worst_is_named_where_none_is_to_blame() -> None:
    message = measure(Given(labelled())).message
    assert "7 PASS. The baseline, the first window, 2026-01-01 to 2026-02-01, has 0.9" in message
    assert message.count("Worst: ") == 1


def test_a_part_says_what_is_lost_against_the_baseline() -> None:
    part = measure(Given(labelled(drop=0.3))).parts[-1]
    assert part.message.startswith(f"{part.details['window']}: accuracy is 0.")
    assert " on 750 rows, a loss of 0.3" in part.message
    assert part.message.endswith(") against the baseline, the limit is at most 0.1: the harm is significant.")


def moved(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="by hand", n=100)


@pytest.mark.parametrize(
    ("metric", "worse", "words"),
    [
        ("accuracy", (0.1, 0.05, 0.15), "a loss of 0.100 (0.050 to 0.150)"),
        ("log_loss", (0.1, 0.05, 0.15), "a rise of 0.100 (0.050 to 0.150)"),
        ("accuracy", (-0.01, -0.03, 0.01), "no loss (between a gain of 0.030 and a loss of 0.010)"),
        ("log_loss", (-0.01, -0.03, 0.01), "no rise (between a fall of 0.030 and a rise of 0.010)"),
        ("accuracy", (-0.03, -0.05, -0.01), "no loss (a gain of 0.010 to 0.050)"),
        ("accuracy", (0.0, 0.0, 0.0), "no loss"),
        ("accuracy", (float("nan"),) * 3, "a loss of not a number (not a number to not a number)"),
    ],
)
def test_what_is_lost_is_said_in_plain_words(metric: str, worse: tuple[float, float, float], words: str) -> None:
    assert performance_words.lost(metric_of(metric), moved(*worse)) == words


def test_a_level_that_changes_again_is_not_so_since() -> None:
    truth = np.tile([0, 1], N // 2)
    wrong = np.random.default_rng(0).random(N) < np.repeat([0.1, 0.2, 0.5], N // 3)
    twice = Evaluation(truth, np.where(wrong, 1 - truth, truth), time=times())
    again, once = measure(Given(twice), windows=9), measure(Given(labelled(drop=0.3)))
    assert again.details["change"]["lasts"] is False
    assert again.message.endswith(" from 0.895 before it to 0.793 at first.")
    assert once.details["change"]["lasts"] is True
    assert " since." in once.message


def test_blind_windows_are_told_once() -> None:
    message = measure(Given(labelled()), windows=60, at_most=0.02).message
    assert message.startswith("49 of 59 windows are too short to see a loss of 0.04.")
    assert "too small" not in message


def test_a_last_window_that_is_not_known_is_told_once_beside_a_blind_one() -> None:
    truth = np.random.default_rng(0).integers(0, 2, N)
    time = times()
    truth[-N // 8 :] = 1
    time[:5] -= 40 * 24 * HOUR
    time[5:] += 20 * 24 * HOUR
    given = Given(Evaluation(truth, truth, time=time), reference=Evaluation(truth[:3000], truth[:3000]))
    result = measure(given, metric="balanced_accuracy", windows="31 days")
    name = result.parts[-1].details["window"]
    assert result.message.count(name) == 1
    assert "Not known: " in result.message


def test_why_windows_are_not_known_is_said_by_reason() -> None:
    time = np.where(np.arange(N) < N // 2, times(), times() + 300 * 24 * HOUR)
    message = measure(Given(labelled(time=time)), windows="30 days").message
    (unknown,) = [said for said in message.split(". ") if said.startswith("Not known")]
    assert ", and 6 more (it has no rows)" in unknown
    assert unknown.count(" to ") == 3


def test_the_warn_bound_stands_beside_the_limit() -> None:
    message = measure(Given(labelled(drop=0.12)), at_most=0.3, warn_above=0.05).message
    assert "a loss of at most 0.3 is allowed, and above 0.05 it warns. " in message
    assert "warn bound" not in message


def test_why_a_small_loss_fails_is_said() -> None:
    message = measure(Given(labelled()), windows=24, proof="shown", at_most=0.02, max_blind=1).message
    assert ": not shown" in message


# --- as a picture


def test_the_picture_holds_the_baseline_and_each_window() -> None:
    result = measure(Given(labelled(drop=0.3)))
    drawn, baseline = result.details["picture"], result.details["baseline"]
    stretches = [baseline, *(part.details for part in result.parts)]
    assert drawn["kind"] == "windows"
    assert drawn["names"] == [each["window"] for each in stretches]
    for key, numbers in (("value", "values"), ("low", "low"), ("high", "high")):
        assert drawn[numbers] == [round(each[key], 4) for each in stretches]
    assert drawn["beyond"] == [False] * 6 + [True] * 2
    assert drawn["limit"] == round(baseline["value"] - 0.1, 4)
    assert drawn["first"] is True
    assert "estimated" not in drawn


def test_of_a_loss_the_limit_lies_above() -> None:
    result = measure(Given(labelled(drop=0.3)), metric="zero_one_loss")
    assert result.details["picture"]["limit"] == round(result.details["baseline"]["value"] + 0.1, 4)
    assert result.details["picture"]["beyond"][-1] is True


def test_another_sample_is_not_the_window_before() -> None:
    drawn = measure(Given(labelled(), reference=labelled(seed=1, time=None))).details["picture"]
    assert drawn["names"][0] == "mlops_reference"
    assert drawn["first"] is False


def test_a_window_without_an_estimate_is_null() -> None:
    time = np.where(np.arange(N) < N // 2, times(), times() + 60 * 24 * HOUR)
    drawn = measure(Given(labelled(time=time)), windows="30 days").details["picture"]
    places = [place for place, value in enumerate(drawn["values"]) if value is None]
    assert len(places) == 1
    assert drawn["low"][places[0]] is drawn["high"][places[0]] is None
    assert drawn["beyond"][places[0]] is False


def test_the_newest_of_many_windows_are_drawn() -> None:
    result = measure(Given(labelled(drop=0.8)), windows=80, at_most=0.5)
    drawn = result.details["picture"]
    assert len(drawn["names"]) == 60
    assert drawn["names"][0] == result.details["baseline"]["window"]
    assert drawn["names"][1:] == [part.details["window"] for part in result.parts[-59:]]
    assert drawn["beyond"] == [False] * 40 + [True] * 20
    assert drawn["first"] is False


def test_a_fine_limit_has_finer_numbers() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=N)
    found = Evaluation(truth, truth + generator.normal(0, 1e-3, N), time=times(), task="regression")
    drawn = measure(Given(found), metric="mean_squared_error", at_most=1e-6).details["picture"]
    assert drawn["limit"] > drawn["values"][0] > 5e-7


def test_the_report_shows_the_picture_and_a_machine_reads_it() -> None:
    result = measure(Given(labelled(drop=0.3)))
    report = GateReport(decision=decide([result]), results=(result,))
    page = html.render(machine.read(machine.render(report)))
    assert page.count("<figure>") == 1
    assert "2 beyond the limit of 0.8" in page


# --- labels are not there yet


def scored(n: int = N, *, shift: float = 0.0, seed: int = 0) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    x = generator.normal(shift, 1.3, n)
    return expit(x), (generator.random(n) < expit(1.5 * x - 0.5)).astype(int)


def known(**more: Any) -> Evaluation:
    score, truth = scored(seed=1)
    return Evaluation(truth, (score >= 0.5).astype(int), score, **more)


def estimate(columns: dict[str, Any], reference: Evaluation | None = None, **asked: Any) -> CheckResult:
    given = Given(reference=reference or known(), current_=sample_of(columns, "current"))
    return ask("estimated_performance", **asked).answer(given, Settings())  # type: ignore[arg-type]


def test_scores_as_before_pass_by_estimate() -> None:
    result = estimate({"score": scored()[0]})
    assert result.verdict is Verdict.PASS
    assert "estimated, not measured: labels are not there yet" in result.message
    assert "by estimate" in result.message
    assert "p(y | score) is unchanged" in result.message
    assert result.details["estimated"] is True
    assert result.parts[0].details["estimated"] is True
    assert result.details["picture"]["estimated"] is True


def test_unsure_scores_fail() -> None:
    score = 0.5 + (scored()[0] - 0.5) / 3
    assert estimate({"score": score}).verdict is Verdict.FAIL


def test_windows_of_scores_are_told_apart() -> None:
    score = scored()[0]
    score[-N // 4 :] = 0.5 + (score[-N // 4 :] - 0.5) / 4
    result = estimate({"p": score, "when": times()}, score="p", time="when", windows=8)
    assert verdicts(result) == ["PASS"] * 6 + ["FAIL"] * 2
    assert result.details["change"]["window"] == result.parts[6].details["window"]


@pytest.mark.parametrize("metric", ["balanced_accuracy", "precision", "recall", "specificity", "f1", "roc_auc"])
def test_what_is_estimated_is_what_will_be_measured(metric: str) -> None:
    score, truth = scored(shift=0.4)
    later = Evaluation(truth, (score >= 0.5).astype(int), score)
    found = estimate({"score": score}, metric=metric, at_most=0.2).parts[0].details
    measured = Gate(challenger=later).performance_threshold(metric, at_least=0.01).estimate
    assert measured is not None
    assert found["low"] < measured.value < found["high"]


def test_predictions_of_another_threshold_are_a_column() -> None:
    score, truth = scored(seed=1)
    reference = Evaluation(truth, (score >= 0.3).astype(int), score)
    other = scored()[0]
    with pytest.raises(EvidenceError, match="prediction="):
        estimate({"score": other}, reference)
    assert estimate({"score": other, "said": other >= 0.3}, reference, prediction="said").verdict is Verdict.PASS


@pytest.mark.parametrize("said", [["no", "yes"], np.array(["no", "yes"], dtype=object)])
def test_predictions_are_labels(said: Any) -> None:
    score, truth = scored(seed=1)
    names = np.array(["no", "yes"])
    reference = Evaluation(names[truth], names[(score >= 0.5).astype(int)], score, positive_label="yes")
    other = scored()[0]
    predictions = np.asarray(said)[(other >= 0.5).astype(int)]
    result = estimate({"score": other, "said": predictions}, reference, prediction="said", metric="precision")
    assert result.verdict is Verdict.PASS


def test_scores_that_no_reference_had_are_a_doubt() -> None:
    score, truth = scored(seed=1)
    inside = np.abs(score - 0.5) < 0.3
    reference = Evaluation(truth[inside], (score >= 0.5).astype(int)[inside], score[inside])
    result = estimate({"score": scored()[0]}, reference)
    assert result.verdict is not Verdict.PASS
    assert "lie beyond all scores of the reference" in str(result.parts[0].estimate.doubt)  # type: ignore[union-attr]


def test_predictions_that_know_more_than_their_scores_are_a_doubt() -> None:
    score, truth = scored(seed=1)
    reference = Evaluation(truth, truth, score)
    result = estimate({"score": score, "said": truth}, reference, prediction="said")
    assert result.verdict is not Verdict.PASS
    assert "of the reference itself" in str(result.parts[0].estimate.doubt)  # type: ignore[union-attr]


def test_a_doubt_is_said_beside_a_loss_that_is_seen() -> None:
    score, truth = scored(seed=1)
    reference = Evaluation(truth, truth, score)
    result = estimate({"score": score, "said": 1 - truth}, reference, prediction="said", proof="shown")
    assert result.verdict is Verdict.FAIL
    assert ": not shown: of the reference itself" in result.message


def test_an_estimate_without_an_interval_is_an_error() -> None:
    result = estimate({"score": np.full(N, 0.4)}, metric="precision")
    assert result.verdict is Verdict.ERROR
    assert "0 / 0" in result.message


def test_a_reference_of_clusters_leaves_more_open() -> None:
    score, truth = scored(N // 20, seed=1)
    rows = np.repeat(np.arange(N // 20), 20)
    said = (score >= 0.5).astype(int)
    plain = Evaluation(truth[rows], said[rows], score[rows])
    grouped = Evaluation(truth[rows], said[rows], score[rows], clusters=rows)
    few, many = (estimate({"score": scored()[0]}, each).parts[0].details for each in (grouped, plain))
    assert few["high"] - few["low"] > 3 * (many["high"] - many["low"])


@pytest.mark.parametrize(
    ("columns", "asked", "message"),
    [
        ({"scores": [0.1]}, {}, "did you mean 'scores'"),
        ({"score": [0.1, np.nan]}, {}, "missing or infinite"),
        ({"score": [0.1, 1.7]}, {}, "from 0.1 to 1.7"),
        ({"score": ["a", "b"]}, {}, "no numbers"),
        ({"score": []}, {}, "no rows"),
        ({"score": [0.1, 0.2], "said": [0, 2]}, {"prediction": "said"}, "holds '2', and the labels"),
        ({"score": [0.1, 0.2], "when": [1.0, np.nan]}, {"time": "when", "windows": 2}, "time"),
    ],
)
def test_samples_without_scores_are_refused(columns: dict[str, Any], asked: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        estimate(columns, **asked)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (labelled(100), "with the probability of one of them"),
        (Evaluation([1.5, 2.5], [1.5, 2.5], task="regression"), "two classes"),
        (Evaluation([0, 1] * 50, [0, 1] * 50, [-3.0, 3.0] * 50), "from -3 to 3"),
        (Evaluation([0, 1] * 10, [0, 1] * 10, [0.1, 0.9] * 10), "10 rows of the rarer class"),
    ],
)
def test_a_reference_that_cannot_be_calibrated_is_refused(reference: Evaluation, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        estimate({"score": scored()[0]}, reference)


def test_without_a_reference_nothing_can_be_estimated() -> None:
    with pytest.raises(EvidenceError, match="let mlops_reference be an Evaluation with y_score="):
        ask("estimated_performance").answer(Given(current_=sample_of({"score": [0.5]}, "current")), Settings())  # type: ignore[arg-type]
