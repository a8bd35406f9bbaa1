"""Does the same training give the same model?"""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_mlops import CheckResult, Evaluation, MlopsUsageError, Verdict
from pytest_mlops.checks import reproducibility
from pytest_mlops.checks.answering import answer
from pytest_mlops.checks.reproducibility import Reproducibility
from pytest_mlops.checks.spec import Settings
from pytest_mlops.evidence.sources import Sources

N = 50
TRUTH = np.arange(N) % 2
SCORES = np.random.default_rng(0).random(N)


def scored(scores: Any = SCORES, *, wrong: int = 0, **known: Any) -> Evaluation:
    said = np.where(np.arange(N) < wrong, 1 - TRUTH, TRUTH)
    return Evaluation(TRUTH, said, scores, **{"row_ids": range(N), **known})


def measured(said: Any, **known: Any) -> Evaluation:
    return Evaluation(np.arange(N) / 7, said, **{"row_ids": range(N), **known})


def check(
    train: Callable[..., Any] | None = None,
    settings: Settings | None = None,
    tell: Callable[[str, float], object] | None = None,
    **known: Any,
) -> CheckResult:
    asked = Reproducibility.ask(**{"runs": 2, "atol": 0.0, "rtol": 0.0, "timeout": 60.0, "name": None, **known})
    return answer(asked, Sources(None, train=train, tell=tell), settings or Settings(), None)


@pytest.fixture
def of_runs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CheckResult]:
    """Judge runs that have given these evaluations."""

    def judged(*evaluations: Evaluation, **known: Any) -> CheckResult:
        monkeypatch.setattr(reproducibility, "retrain", lambda *_, **__: evaluations)
        result = check(print, runs=len(evaluations), **known)
        assert CheckResult.from_json(result.to_json()) == result
        return result

    return judged


def differing(result: CheckResult) -> float:
    assert result.estimate is not None
    assert result.estimate.exact
    assert result.estimate.low == result.estimate.value == result.estimate.high
    return result.estimate.value


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[..., Any]]:
    """The function train(seed) of a module, whose body is given."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def made(body: str) -> Callable[..., Any]:
        text = "from pytest_mlops import Evaluation\nimport numpy as np\ny = np.arange(40) % 2\n\ndef train(seed):\n"
        (tmp_path / "reproduced.py").write_text(text + "".join(f"    {line}\n" for line in body.splitlines()))
        monkeypatch.delitem(sys.modules, "reproduced", raising=False)
        found: Callable[..., Any] = importlib.import_module("reproduced").train
        return found

    return made


# In processes


def test_a_seeded_training_passes(train: Callable[[str], Any]) -> None:
    told: list[tuple[str, float]] = []
    seeded = train("return Evaluation(y, y, np.random.default_rng(seed).random(40))")
    result = check(seeded, Settings(seed=3), lambda words, share: told.append((words, share)), runs=3)
    assert told == [(f"training run {run + 1} of 3", run / 3) for run in range(3)]
    assert result.verdict is Verdict.PASS
    assert result.message == "predictions are equal bit for bit in 3 fresh processes, on 40 rows."
    assert (result.id, differing(result)) == ("reproducibility:predictions", 0)
    assert [run["PYTHONHASHSEED"] for run in result.details["runs"]] == ["0", "1", "2"]
    here = Evaluation(TRUTH[:40], TRUTH[:40], np.random.default_rng(3).random(40))
    assert {run["predictions"] for run in result.details["runs"]} == {here.prediction_digest}


@pytest.mark.parametrize(
    "body",
    [
        "return Evaluation(y, y, np.random.default_rng().random(40))",
        "return Evaluation(y, y, np.random.random(40))",
        "import os; return Evaluation(y, y, y + os.getpid())",
        "return Evaluation(y, y, [hash(f'{k}') for k in range(40)])",
        "order = list({f'{k}' for k in range(40)}); return Evaluation(y, y, [order.index(f'{k}') for k in range(40)])",
        "kept = list({f'{k}' for k in range(80)})[:40]; return Evaluation(y, y, y + .1, row_ids=kept)",
        "import time; return Evaluation(y, y, y + time.time())",
        "import os; return Evaluation(y, y ^ (np.arange(40) == int(os.environ['PYTHONHASHSEED'])))",
        "import os; os.mkdir('a' * len(os.listdir())); return Evaluation(y, y, y * len(os.listdir()))",
    ],
)
def test_what_depends_on_more_than_the_seed_fails(train: Callable[[str], Any], body: str) -> None:
    result = check(train(body))
    assert result.verdict is Verdict.FAIL
    assert differing(result) > 0
    assert "between run 1 (PYTHONHASHSEED=0) and run 2 (PYTHONHASHSEED=1)" in result.message
    assert "Usual causes: a random generator that is not given the seed" in result.message


def test_a_training_that_raises(train: Callable[[str], Any]) -> None:
    result = check(train("print('epoch 1')\nraise ValueError('no convergence.')"))
    assert result.verdict is Verdict.ERROR
    assert result.message == "predictions cannot be judged: training run 1 of 2 raised ValueError: no convergence."
    assert "in train\n    raise ValueError" in result.details["traceback"]
    assert "output" not in result.details  # it may be rows of data
    json.dumps(result.to_dict())


def test_a_training_that_hangs(train: Callable[[str], Any]) -> None:
    result = check(train("import time; time.sleep(60)"), timeout=1.5)
    assert result.verdict is Verdict.ERROR
    assert "took longer than 1.5 s and was stopped (raise timeout=" in result.message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "there is no mlops_train: define a fixture mlops_train that returns a function train(seed)"),
        (3, "mlops_train is a int, expected a function train(seed)"),
        (lambda seed: seed, "mlops_train is a lambda, which a fresh process cannot find"),
    ],
)
def test_no_function(given: Any, message: str) -> None:
    result = check(given)
    assert result.verdict is Verdict.ERROR
    assert message in result.message
    assert result.limits is not None


# The comparison


@pytest.mark.parametrize(
    ("given", "known", "rows", "how"),
    [
        (scored(SCORES + 1e-15), {}, None, "y_score in"),
        (scored(SCORES + 1e-6), {"atol": 1e-6 * 0.99}, None, "y_score in"),
        (scored(SCORES * (1 + 1e-6)), {"rtol": 0.99e-6}, 50, "y_score in 50 rows, by up to"),
        (scored(np.where(np.arange(N) == 7, 9.0, SCORES)), {"atol": 1e-3}, 1, "y_score in 1 row, by up to 8."),
        (scored(wrong=3), {}, 3, "y_pred in 3 rows"),
        (scored(wrong=3), {"atol": 0.01, "rtol": 0.01}, 3, "y_pred in 3 rows"),
        (scored(None), {}, 50, "columns of y_score is 1 in the one and 0 in the other"),
        (scored(row_ids=range(1, N + 1)), {}, 50, "the test rows are not the same, only 49 of 50 are in both"),
        (scored(row_ids=None), {}, 50, "identity is 'row_ids' in the one and 'anonymous' in the other"),
        (scored(positive_label=0), {}, 50, "positive_label is 1 in the one and 0 in the other"),
        (scored(None, labels=[1, 0]), {}, 50, "labels is [0, 1] in the one and [1, 0] in the other"),
        (measured(SCORES), {}, 50, "task is 'binary' in the one and 'regression' in the other"),
        (Evaluation(TRUTH[:40], TRUTH[:40], SCORES[:40]), {}, 50, "the evaluations have 50 and 40 rows"),
        (Evaluation(1 - TRUTH, TRUTH, SCORES, row_ids=range(N)), {}, 50, "y_true is not the same in 50 rows"),
    ],
)  # fmt: skip
def test_differences(
    of_runs: Callable[..., CheckResult], given: Evaluation, known: dict[str, Any], rows: int | None, how: str
) -> None:
    result = of_runs(scored(), given, **known)
    assert result.verdict is Verdict.FAIL
    assert differing(result) == rows or (rows is None and differing(result) > 40)
    assert how in result.message


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (scored(SCORES + 0.9e-6), {"atol": 1e-6}),
        (scored(SCORES * (1 + 0.9e-6)), {"rtol": 1e-6}),
        (scored(SCORES * (1 + 0.9e-6) - 0.9e-6), {"rtol": 1e-6, "atol": 1e-6}),
    ],
)
def test_within_the_tolerance(of_runs: Callable[..., CheckResult], given: Evaluation, known: dict[str, Any]) -> None:
    assert of_runs(scored(), given).verdict is Verdict.FAIL
    result = of_runs(scored(), given, **known)
    assert result.verdict is Verdict.PASS
    assert "equal within the tolerance in 2 fresh processes" in result.message


def test_quantities(of_runs: Callable[..., CheckResult]) -> None:
    said = np.arange(N) / 7 + 0.1
    result = of_runs(measured(said), measured(said + 1e-9))
    assert result.verdict is Verdict.FAIL
    assert "y_pred in 50 rows, by up to 1e-09" in result.message
    assert of_runs(measured(said), measured(said + 1e-9), atol=1e-8).verdict is Verdict.PASS
    assert of_runs(measured(said), measured(said * 1e300), atol=1e-8).verdict is Verdict.FAIL


def test_probabilities_of_many_classes(of_runs: Callable[..., CheckResult]) -> None:
    truth, chances = np.arange(N) % 3, np.random.default_rng(0).dirichlet([1, 1, 1], N)
    other = chances.copy()
    other[4] = np.roll(other[4], 1)
    first, second = (Evaluation(truth, truth, scores) for scores in (chances, other))
    assert of_runs(first, first).verdict is Verdict.PASS
    result = of_runs(first, second)
    assert (result.verdict, differing(result)) == (Verdict.FAIL, 1)


def test_the_order_of_named_rows_means_nothing(of_runs: Callable[..., CheckResult]) -> None:
    order = np.random.default_rng(1).permutation(N)
    features = np.stack([np.arange(N) // 10, TRUTH], axis=1)  # each row five times, with scores of its own
    named: list[dict[str, Any]] = [{"row_ids": np.arange(N)}, {"features": features, "row_ids": None}]
    for names in named:
        shuffled: dict[str, Any] = {name: None if names[name] is None else names[name][order] for name in names}
        other = Evaluation(TRUTH[order], TRUTH[order], SCORES[order], **shuffled)
        assert of_runs(scored(**names), other).verdict is Verdict.PASS
    assert of_runs(scored(row_ids=None), Evaluation(TRUTH, TRUTH, SCORES[order])).verdict is Verdict.FAIL


def test_text_labels(of_runs: Callable[..., CheckResult]) -> None:
    def said(*places: int) -> Evaluation:
        labels = np.array(["no", "yes"])
        return Evaluation(labels[TRUTH], labels[TRUTH ^ np.isin(np.arange(N), places)], positive_label="yes")

    equal = of_runs(said(1), said(1))
    assert equal.verdict is Verdict.PASS
    assert "Only labels were compared" in equal.message
    assert differing(of_runs(said(1), said(2))) == 2


def test_all_runs_count(of_runs: Callable[..., CheckResult]) -> None:
    result = of_runs(scored(), scored(), scored(wrong=2), scored(wrong=5))
    assert (result.verdict, differing(result)) == (Verdict.FAIL, 5)
    assert "differ in 5 of 50 rows between run 1 (PYTHONHASHSEED=0) and run 4 (PYTHONHASHSEED=3)" in result.message
    assert "1 other run of 4 differs as well" in result.message
    result = of_runs(scored(), *[scored(SCORES + 1)] * 3)
    assert "2 other runs of 4 differ as well" in result.message


@pytest.mark.parametrize("known", [{"atol": 1.0}, {"rtol": 0.9999999}, {"atol": 0.6, "rtol": 0.6}])
def test_a_tolerance_that_any_model_would_meet(of_runs: Callable[..., CheckResult], known: dict[str, Any]) -> None:
    result = of_runs(scored(0.2 + SCORES / 2), scored(0.7 - SCORES / 2), **known)
    assert result.verdict is Verdict.ERROR
    assert "any model would pass" in result.message


def test_constant_predictions(of_runs: Callable[..., CheckResult]) -> None:
    """A baseline may say the same of all rows; it is the same model if it says so again."""
    first, other = measured(np.full(N, 3.5)), measured(np.full(N, 3.6))
    assert of_runs(first, first).verdict is Verdict.PASS
    assert of_runs(first, first, atol=1e-9).verdict is Verdict.PASS
    assert of_runs(first, other, atol=1e-9).verdict is Verdict.FAIL


# The question


def test_all_arguments_are_in_the_spec() -> None:
    asked = Reproducibility.ask(runs=3, atol=1, rtol=0.5, timeout=5, name="again")
    assert asked.spec.id == "reproducibility:predictions:again"
    assert asked.spec.asked == {"subject": "predictions", "runs": 3, "atol": 1.0, "rtol": 0.5, "timeout": 5.0}


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"runs": 1}, "runs=1 must be an integer from 2 to 20"),
        ({"runs": 21}, "runs=21 must be an integer from 2 to 20"),
        ({"runs": 2.0}, "runs=2.0 must be an integer"),
        ({"runs": True}, "runs=True must be an integer"),
        ({"runs": "2"}, "runs='2' must be an integer"),
        ({"atol": -1e-9}, "atol=-1e-09 must be a finite number, 0 or more"),
        ({"atol": math.nan}, "atol=nan must be a finite number"),
        ({"atol": math.inf}, "atol=inf must be a finite number"),
        ({"rtol": "0"}, "rtol='0' must be a finite number"),
        ({"rtol": False}, "rtol=False must be a finite number"),
        ({"rtol": 1}, "rtol=1 lets a prediction of 0 pass for any other"),
        ({"timeout": 0}, "timeout=0 must be a number above 0"),
        ({"timeout": math.nan}, "timeout=nan must be a number above 0"),
        ({"timeout": math.inf}, "timeout=inf must be finite"),
        ({"timeout": "9"}, "timeout='9' must be a number above 0"),
        ({"name": ""}, "name='' is not a name"),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(known: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        check(None, **known)
