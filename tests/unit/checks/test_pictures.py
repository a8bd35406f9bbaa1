"""What a report may draw: the right picture beside the right verdict, and never a row of the data."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import fbeta_score, roc_auc_score

from pytest_mlops import CheckResult, Evaluation, Gate
from pytest_mlops.checks import pictures
from pytest_mlops.evidence.profile import Categories, ColumnProfile
from pytest_mlops.evidence.profile_pair import ProfilePair

Picture = dict[str, Any]
N = 1_000
CURVES = {
    "roc_auc": "roc",
    "roc_auc_ovr": "roc",
    "average_precision": "precision_recall",
    "log_loss": "calibration",
    "brier_score_loss": "calibration",
    "d2_log_loss_score": "calibration",
    "d2_brier_score": "calibration",
    "expected_calibration_error": "calibration",
}
LOSSES = ("log_loss", "brier_score_loss", "expected_calibration_error")


def evaluation(seed: int = 0, *, order: Any = slice(None), n: int = N, **known: Any) -> Evaluation:
    """Of the same rows, and with other scores for another seed."""
    happened = np.arange(n) % 3 == 0
    score = (1 / (1 + np.exp(np.random.default_rng(seed).normal(size=n) - happened))).round(3)
    columns = {name: values[order] for name, values in {"row_ids": np.arange(n), **known}.items()}
    return Evaluation(happened[order], score[order] > 0.6, score[order], **columns)


def threshold(challenger: Evaluation, metric: Any = "roc_auc", **known: Any) -> CheckResult:
    limit: dict[str, Any] = {"at_most": 0.9} if metric in LOSSES else {"at_least": 0.1}
    return Gate(challenger=challenger).performance_threshold(metric, **limit, **known)


def comparison(metric: str = "roc_auc", challenger: Evaluation | None = None, **known: Any) -> CheckResult:
    gate = Gate(challenger=challenger or evaluation(), champion=evaluation(1))
    return gate.champion_challenger(metric, margin=0.3, **known)


def drift(reference: Any, current: Any, **known: Any) -> CheckResult:
    gate = Gate(challenger=evaluation(n=30), reference=pd.DataFrame(reference), current=pd.DataFrame(current))
    return gate.drift("auto", at_most=0.2, **known)


def picture(result: CheckResult) -> Picture:
    found: Picture = result.details["picture"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def of_column(reference: Any, current: Any = None) -> Picture:
    (part,) = drift({"x": reference}, {"x": reference if current is None else current}).parts
    return picture(part)


def drawn(result: CheckResult) -> list[str]:
    return [part.id.rpartition(":")[2] for part in result.parts if "picture" in part.details]


def normal(shift: float = 0.0, *, seed: int = 0, n: int = 400) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(shift, size=n)


# --- of scores


@pytest.mark.parametrize(("metric", "kind"), CURVES.items())
def test_each_metric_has_the_curve_that_explains_it(metric: str, kind: str) -> None:
    assert picture(threshold(evaluation(), metric))["kind"] == kind
    assert picture(comparison(metric))["kind"] == kind


def test_a_threshold_shows_the_challenger_and_a_comparison_both_models() -> None:
    alone, both = picture(threshold(evaluation()))["lines"], picture(comparison())["lines"]
    assert list(alone) == ["challenger"]
    assert list(both) == ["challenger", "champion"]
    assert both["challenger"] == alone["challenger"]
    assert both["champion"] == picture(threshold(evaluation(1)))["lines"]["challenger"]


def test_the_area_is_the_auc_beside_it() -> None:
    result = threshold(evaluation())
    line = picture(result)["lines"]["challenger"]
    assert result.estimate
    assert np.trapezoid(line["y"], line["x"]) == pytest.approx(result.estimate.value, abs=0.005)


def test_a_calibration_curve_has_intervals_and_rows() -> None:
    line = picture(threshold(evaluation(), "log_loss"))["lines"]["challenger"]
    assert list(line) == ["x", "y", "low", "high", "n"]
    assert sum(line["n"]) == N
    assert all(low <= y <= high for low, y, high in zip(line["low"], line["y"], line["high"], strict=True))


def test_a_surer_interval_is_a_longer_one() -> None:
    lows = []
    for confidence in (0.8, 0.99):
        gate = Gate(challenger=evaluation(), confidence=confidence)
        lows.append(picture(gate.performance_threshold("log_loss", at_most=0.9))["lines"]["challenger"]["low"])
    assert all(shorter > longer for shorter, longer in zip(*lows, strict=True))


def test_numbers_have_four_decimals() -> None:
    numbers = [
        x for line in picture(comparison("log_loss"))["lines"].values() for values in line.values() for x in values
    ]
    assert all(round(x, 4) == x for x in numbers)


def test_weighted_rows_have_a_weighted_curve() -> None:
    weighted = evaluation(sample_weight=np.where(np.arange(N) % 2, 3.0, 0.5))
    line = picture(threshold(weighted))["lines"]["challenger"]
    wanted = roc_auc_score(weighted.y_true, weighted.y_score, sample_weight=weighted.sample_weight)
    assert np.trapezoid(line["y"], line["x"]) == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize("design", ["sample_weight", "clusters", "time"])
def test_rows_that_are_not_independent_have_no_honest_interval_to_draw(design: str) -> None:
    known: dict[str, Any] = {design: np.arange(N) % 100 + 1.0}
    dependent = evaluation(**known)
    assert "picture" not in threshold(dependent, "log_loss").details
    assert "picture" in threshold(dependent, "roc_auc").details


def test_labels_alone_have_no_curve() -> None:
    assert "picture" not in threshold(evaluation(), "accuracy").details
    assert "picture" not in threshold(evaluation(), of_scores).details


def of_scores(y_true: Any, y_score: Any) -> float:
    return float(fbeta_score(y_true, np.asarray(y_score) > 0.5, beta=2))


def test_three_classes_have_no_curve() -> None:
    true = np.arange(300) % 3
    scores = np.eye(3)[true] * 0.4 + 0.2
    assert "picture" not in threshold(Evaluation(true, true, scores), "roc_auc_ovr").details


def test_slices_and_guardrails_have_no_pictures_of_their_own() -> None:
    sliced = evaluation(slice_features=pd.Series(np.arange(N) % 2, name="half"))
    result = comparison(challenger=sliced, slices=["half"], guardrails={"log_loss": 0.5})
    assert "picture" in result.details
    assert len(result.parts) == 3
    assert drawn(result) == []


@pytest.mark.parametrize("metric", CURVES)
def test_a_shuffled_evaluation_has_the_same_picture(metric: str) -> None:
    weight: Any = {"sample_weight": np.random.default_rng(3).exponential(size=N)} if metric == "roc_auc" else {}
    order = np.random.default_rng(2).permutation(N)
    one, other = (threshold(evaluation(order=by, **weight), metric) for by in (slice(None), order))
    assert json.dumps(one.details) == json.dumps(other.details)


def test_probabilities_of_few_rows_are_not_told() -> None:
    few = evaluation(n=12)
    assert "picture" not in threshold(few, "log_loss").details


# --- of columns


def test_numbers_have_a_histogram_and_categories_bars() -> None:
    assert of_column(normal())["kind"] == "histogram"
    assert of_column(["a", "b"] * 200)["kind"] == "bars"


@pytest.mark.parametrize("yes_or_no", [[True, False, False], [1, 0, 0], [1.0, 0.0, 0.0]])
def test_yes_or_no_has_two_bars(yes_or_no: list[Any]) -> None:
    shares = [0.6667, 0.3333]
    assert of_column(yes_or_no * 100) == {
        "kind": "bars", "labels": ["0", "1"], "shares": {"reference": shares, "current": shares},
    }  # fmt: skip


@pytest.mark.parametrize("method", ["cramers_v", "psi", "jensen_shannon", "ks", "wasserstein"])
def test_what_is_drawn_depends_on_the_column_and_not_on_the_method(method: Any) -> None:
    frame = pd.DataFrame({"x": normal()})
    gate = Gate(challenger=evaluation(n=30), reference=frame, current=frame)
    assert picture(gate.drift(method, at_most=0.2).parts[0]) == of_column(normal())


def test_missing_values_have_no_picture() -> None:
    values = np.where(np.arange(400) % 7 == 0, np.nan, normal())
    result = drift({"x": values}, {"x": values})
    assert [part.id for part in result.parts if "picture" in part.details] == ["drift:auto:x"]


def test_the_check_itself_has_no_picture() -> None:
    assert "picture" not in drift({"x": normal()}, {"x": normal()}).details


def test_six_columns_are_drawn_those_that_drift_first_then_by_effect_then_by_name() -> None:
    shifts = {"c": 0.0, "f": 0.0, "b": 0.0, "a": 0.0, "far": 2.0, "gone": 9.0, "d": 0.0, "near": 0.2, "e": 0.0}
    reference = {name: normal() for name in shifts}
    result = drift(reference, {name: normal(shift) for name, shift in shifts.items()})
    assert drawn(result) == ["c", "b", "a", "far", "gone", "near"]
    assert [part.id.rpartition(":")[2] for part in result.parts] == list(shifts)


def test_a_column_without_a_picture_takes_no_place_of_another() -> None:
    odd = np.array([1e17, 1e17 + 16] * 200)  # too close together for edges between them
    same = {name: normal() for name in "abcdef"}
    assert drawn(drift({"odd": odd, **same}, {"odd": odd.clip(max=1e17), **same})) == list("abcdef")


def test_dates_are_days_from_a_new_year() -> None:
    days = pd.date_range("2024-03-01", periods=100, freq="D")
    found = of_column(days)
    assert found["unit"] == "days from 2024-01-01"
    assert 50 <= found["edges"][0] <= 60
    assert 155 <= found["edges"][-1] <= 165


@pytest.mark.parametrize(
    ("seconds", "unit"), [(0.002, "ms"), (3, "s"), (600, "min"), (9_000, "h"), (9e5, "days"), (1e-5, "ms")]
)
def test_durations_have_the_unit_they_are_said_in(seconds: float, unit: str) -> None:
    found = of_column(pd.to_timedelta(np.linspace(0.8, 1.2, 200) * seconds, unit="s"))
    assert found["unit"] == unit


def test_ancient_dates_are_dates() -> None:
    days = [datetime.date(1, 1, 1) + datetime.timedelta(days=day) for day in range(200)]
    assert of_column(np.array(days, dtype="datetime64[D]"))["unit"] == "days from 0001-01-01"


def test_the_others_are_counted() -> None:
    found = of_column([f"c{place:02}" for place in range(20) for _ in range(place + 5)])
    assert found["labels"] == [f"c{place:02}" for place in range(19, 8, -1)] + ["9 others"]


def test_a_rare_category_is_among_the_others() -> None:
    found = of_column(["usual"] * 198 + ["his name"] * 2)
    assert found["labels"] == ["usual", "1 other"]


def test_long_names_are_cut() -> None:
    long, longer = of_column(["x" * 60, "y" * 61] * 100)["labels"]
    assert long == "x" * 60
    assert longer == "y" * 59 + "…"


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        pytest.param([1, "a"], ["1", "a"], id="text and numbers"),
        pytest.param([94103, "a", 94103.0], ["94103", "a"], id="equal numbers"),
        pytest.param([pd.Interval(0, 1), pd.Interval(1, 2)], ["(0, 1]", "(1, 2]"], id="intervals"),
        pytest.param([Decimal(1), "a"], ["1", "a"], id="decimals"),
    ],
)
def test_categories_are_called_by_their_text(values: list[Any], labels: list[str]) -> None:
    column = np.empty(60 * len(values), dtype=object)
    column[:] = values * 60
    assert sorted(of_column(column)["labels"]) == labels


def test_the_tail_of_very_many_categories_is_one_bar() -> None:
    rows = np.arange(1_520, 20, -1) // 10
    column = np.repeat([f"c{place:04}" for place in range(1_500)], rows)
    found = of_column(column.astype(object))
    assert (found["labels"][0], found["labels"][-1]) == ("c0000", "others")
    assert found["shares"]["reference"][-1] == pytest.approx(1 - rows[:11].sum() / rows.sum(), abs=1e-4)


def test_hashed_names_are_not_drawn() -> None:
    categories = Categories({"a": 50, "b": 50}, 0, 2).hidden("salt")
    hashed = ColumnProfile("text", 100, 0, categories=categories)
    assert pictures.of_column(ProfilePair.of(hashed, hashed)) is None


def test_very_many_values_are_drawn_from_their_cells() -> None:
    found = of_column(normal(n=200_000))
    width = found["edges"][1] - found["edges"][0]
    assert found["edges"][0] <= -2.5
    assert max(found["shares"]["reference"]) == pytest.approx(NormalDist().cdf(width) - 0.5, rel=0.02)


def test_infinite_values_lie_in_the_end_bins() -> None:
    values = np.where(np.arange(400) % 10 == 0, np.inf, normal())
    found = of_column(values)
    assert found["shares"]["reference"][-1] >= 0.1
    assert np.isfinite(found["edges"]).all()


@given(st.integers(0, 2**32))
def test_shuffled_samples_have_the_same_pictures(seed: int) -> None:
    size = 60
    frame = {
        "n": normal(n=size).round(1),
        "c": np.array(list("abcdef") * 10, dtype=object),
        "m": np.array([1, "a", 1.0, True, "b", 0] * 10, dtype=object),
        "t": np.datetime64("2024-01-01", "s") + np.arange(size) ** 3,
    }
    orders = [np.random.default_rng(seed + place).permutation(size) for place in (0, 1)]
    frames = [{name: values[order] for name, values in frame.items()} for order in orders]
    one, other = drift(frame, frame), drift(*frames)
    assert [json.dumps(part.details) for part in one.parts] == [json.dumps(part.details) for part in other.parts]
    assert len(drawn(one)) == len(frame)


# --- a picture beside a verdict


def test_a_picture_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = {"x": normal(), "y": ["a", "b"] * 200}
    asked: list[Callable[[], CheckResult]] = [
        lambda: threshold(evaluation(), "log_loss"), comparison, lambda: drift(frame, {**frame, "x": normal(0.3)}),
    ]  # fmt: skip
    drawn_results = [_without_pictures(ask()) for ask in asked]
    monkeypatch.setattr(pictures, "of_scores", lambda *_, **__: {})
    monkeypatch.setattr(pictures, "illustrated", lambda parts, _: parts)
    assert [ask().to_dict() for ask in asked] == drawn_results


def _without_pictures(result: CheckResult) -> dict[str, Any]:
    found = result.to_dict()
    for each in (found, *found["parts"]):
        each["details"].pop("picture", None)
    return found
