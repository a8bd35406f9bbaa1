"""Three doors, one room: the fixture, the marker and the policy ask the same question and get the same answer."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from pytest_mlops import Gate, Verdict
from pytest_mlops.checks import FAMILIES

from .conftest import Project, schema_of_the_policy

FIXTURES = """
@pytest.fixture
def mlops_challenger():
    import numpy as np
    made = model(5)
    return Evaluation(made.y_true, made.y_pred, made.y_score, row_ids=np.arange(400),
                      sensitive_features={"sex": np.where(np.arange(400) // 2 % 2, "F", "M")})

def people(seed):
    import numpy as np
    draw = np.random.default_rng(seed)
    return {"age": draw.normal(40, 9, 2000), "town": draw.choice(["here", "there"], 2000)}

@pytest.fixture
def mlops_reference():
    return people(0)

@pytest.fixture
def mlops_current():
    return people(1)

def train(seed):
    return model(seed)

@pytest.fixture
def mlops_train():
    return train
"""
QUESTIONS: dict[str, dict[str, Any]] = {
    "performance_threshold": {"metric": "roc_auc", "at_least": 0.8, "warn_below": 0.85, "name": "main"},
    "champion_challenger": {"metric": "accuracy", "margin": 0.05, "require": "non_inferior", "max_blind": 0.2},
    "drift": {
        "method": "auto", "columns": ["age"], "at_most": 0.1, "warn_above": 0.05, "proof": "shown", "label": "town",
        "limits": {"age": 0.15}, "weights": {"age": 2.5}, "tolerate": 0.1,
    },
    "fairness": {
        "metric": "equalized_odds_difference", "by": ["sex"], "at_most": 0.2, "warn_above": 0.15, "min_group_size": 20,
    },
    "reproducibility": {"runs": 2, "atol": 0.001, "timeout": 60},
}  # fmt: skip


def _call(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _fixture(project: Project, family: str) -> None:
    project.tests(test_it=f"def test_it(mlops):\n    mlops.{family}({_call(QUESTIONS[family])})\n")


def _marker(project: Project, family: str) -> None:
    marker = f"@pytest.mark.mlops_{family}({_call(QUESTIONS[family])})"
    project.tests(test_it=f"import pytest\n{marker}\ndef test_it(): pass\n")


def _policy(project: Project, family: str) -> None:
    lines = "\n".join(f"{name} = {_toml(value)}" for name, value in QUESTIONS[family].items())
    project.policy(f"[[{family}]]\n{lines}\n")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    return json.dumps(value)


DOORS = {"fixture": _fixture, "marker": _marker, "policy": _policy}


@pytest.mark.parametrize("family", FAMILIES)
def test_all_doors_ask_the_same(project: Project, family: str, workers: int) -> None:
    answers = []
    for open_door in DOORS.values():
        for left in ("test_it.py", "mlops.toml"):
            (project.path / left).unlink(missing_ok=True)
        project.conftest(FIXTURES)
        open_door(project, family)
        run = project.run(workers=workers)
        assert (run.status, len(run.results)) == (0, 1), run.out
        answer = run.results[0].to_dict()
        where = [answer["details"].pop(name) for name in ("test", "of_policy")]
        assert where[0]["file"] in ("test_it.py", "mlops.toml")
        answers.append(answer)
    assert answers[0]["verdict"] in (Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE)
    assert answers[0] == answers[1] == answers[2]


def _parameters(family: str) -> list[str]:
    return list(inspect.signature(getattr(Gate, family)).parameters)[1:]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_markers_say_what_they_take(pytester: pytest.Pytester, family: str) -> None:
    lines = pytester.runpytest_subprocess("--markers").stdout.lines
    (said,) = (line for line in lines if line.startswith(f"@pytest.mark.mlops_{family}("))
    arguments = said.partition("(")[2].partition(")")[0].split(", ")
    assert [name for name in arguments if name != "*"] == _parameters(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_schema_for_editors_knows_the_same_arguments(family: str) -> None:
    table = schema_of_the_policy()["properties"][family]["items"]
    assert sorted(table["properties"]) == sorted(_parameters(family))
    required = [
        name
        for name, parameter in inspect.signature(getattr(Gate, family)).parameters.items()
        if parameter.default is parameter.empty and name != "self"
    ]
    assert set(required) <= set(table.get("required", []))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_misspelt_argument_is_found_at_every_door(project: Project, family: str, workers: int) -> None:
    wrong = {**QUESTIONS[family], "nmae": "x"}
    project.conftest(FIXTURES)
    project.tests(
        test_fixture=f"def test_it(mlops):\n    mlops.{family}({_call(wrong)})\n",
        test_marker=f"import pytest\n@pytest.mark.mlops_{family}({_call(wrong)})\ndef test_it(): pass\n",
    )
    run = project.run("--continue-on-collection-errors", workers=workers)
    assert run.status != 0
    assert run.out.count(f"{family} has no argument 'nmae': did you mean 'name'") >= 2
    assert "ERROR collecting test_marker.py" in run.out
    assert "INTERNALERROR" not in run.out
