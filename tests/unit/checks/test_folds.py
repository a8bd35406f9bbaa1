"""Two ways of training, compared on the same splits: champion_challenger(folds=…)."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mlops import Folds, Gate, MlopsUsageError, Verdict

CHAMPION = [0.80, 0.81, 0.79, 0.82, 0.80, 0.78, 0.81, 0.80, 0.79, 0.80]
BETTER = [0.83, 0.85, 0.83, 0.85, 0.84, 0.82, 0.84, 0.83, 0.83, 0.84]


def asked(challenger: Any, champion: Any = CHAMPION, metric: str = "accuracy", **how: Any) -> Any:
    folds = {"champion": champion, "challenger": challenger, "n_train": 900, "n_test": 100}
    return Gate(challenger=None).champion_challenger(metric, **{"margin": 0.02, **how}, folds=folds)


def test_it_needs_no_evaluation_and_has_an_id_of_its_own() -> None:
    result = asked(BETTER)
    assert result.id == "champion_challenger:accuracy:retraining"
    assert result.verdict is Verdict.PASS
    assert result.estimate.method == "Nadeau–Bengio corrected t over retrainings"
    assert "on 10 trainings of each" in result.message
    assert result.details["folds"]["n_train"] == 900


def test_the_champions_place_is_not_the_challengers() -> None:
    result = asked(CHAMPION, BETTER)
    assert result.verdict is Verdict.FAIL
    assert asked(BETTER, metric="log_loss").verdict is Verdict.FAIL  # a loss


def test_what_is_not_proven_names_no_rows() -> None:
    noisy = [score + (0.05 if place % 2 else -0.05) for place, score in enumerate(CHAMPION)]
    result = asked(noisy, max_blind=1.0)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "would settle it" not in result.message


def test_identical_scores_of_few_rows_prove_nothing() -> None:
    many = asked(CHAMPION, CHAMPION)
    assert (many.verdict, many.estimate.exact) == (Verdict.PASS, True)
    few = Gate(challenger=None).champion_challenger(
        "accuracy", margin=0.02, folds=Folds([0.5, 0.5], [0.5, 0.5], n_train=8, n_test=2)
    )
    assert few.verdict is Verdict.ERROR


def test_differences_that_never_vary_are_no_evidence() -> None:
    result = asked([score + 0.01 for score in CHAMPION])
    assert result.verdict is Verdict.ERROR
    assert "no variation between training sets" in result.message


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"challenger": BETTER, "guardrails": {"recall": 0.1}}, "have no slices and no guardrails"),
        ({"challenger": BETTER, "slices": ["sex"]}, "have no slices and no guardrails"),
        ({"challenger": [-0.3] * 10, "metric": "log_loss"}, "give the metric itself, not a scorer's negative of it"),
        ({"challenger": [80.0] * 10}, "80.0 is no value of accuracy"),
        ({"challenger": BETTER[:9]}, "10 scores of the champion and 9 of the challenger"),
        ({"challenger": [float("nan")] * 10}, "is not a finite number"),
    ],
)
def test_a_question_that_makes_no_sense(how: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        asked(**how)
