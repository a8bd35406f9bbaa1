"""The gate's self-check: for each family a healthy case merges; broken, it is blocked and the cause named."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pytest_mlops import Verdict

from .conftest import Project

HEALTHY = """
import pytest
from pytest_mlops import Evaluation

N = 2000

def people(seed, n=N):
    import numpy as np
    draw = np.random.default_rng(seed)
    return {"age": draw.normal(40, 9, n), "town": draw.choice(["here", "there"], n, p=[0.7, 0.3])}

def evaluate(said, score):
    import numpy as np
    sex = np.where(np.arange(N) % 4 < 2, "F", "M")
    return Evaluation(truth(), said, score, row_ids=np.arange(N), sensitive_features={"sex": sex})

def truth():
    import numpy as np
    return np.arange(N) % 2

def said():
    import numpy as np
    wrong = np.random.default_rng(1).random(N) < 0.1
    return truth() ^ wrong

def score(seed=2):
    import numpy as np
    return said() + np.random.default_rng(seed).normal(0, 0.3, N)

def train(seed):
    return evaluate(said(), score(seed))

@pytest.fixture
def mlops_challenger():
    return evaluate(said(), score())

@pytest.fixture
def mlops_champion():
    return evaluate(said(), score(3))

@pytest.fixture
def mlops_reference():
    return people(0)

@pytest.fixture
def mlops_current():
    return people(1)

@pytest.fixture
def mlops_train():
    return train
"""
POLICY = """
[[performance_threshold]]
metric = "roc_auc"
at_least = 0.85

[[champion_challenger]]
metric = "accuracy"
margin = 0.03

[[drift]]
at_most = 0.1

[[fairness]]
metric = "equalized_odds_difference"
by = "sex"
at_most = 0.15

[[reproducibility]]
timeout = 60
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What is done to the healthy case, which check must see it, and what it must say."""

    old: str
    new: str
    check: str
    says: str


HARMS = {
    "shuffled scores": Harm(
        old="return evaluate(said(), score())",
        new="return evaluate(said(), __import__('numpy').random.default_rng(0).permutation(score()))",
        check="performance_threshold:roc_auc",
        says="requirement not met",
    ),
    "a retrain that quietly got worse": Harm(
        old="return evaluate(said(), score())",
        new="worse = said()\n    worse[:150] ^= 1\n    return evaluate(worse, score())",
        check="champion_challenger:accuracy",
        says="the harm is significant",
    ),
    "one group is served badly": Harm(
        old="return evaluate(said(), score())",
        new="worse = said()\n    worse[0::8] = 1\n    worse[1::8] = 1\n    return evaluate(worse, score())",
        check="fairness:equalized_odds_difference:sex",
        says="false positive rate is furthest apart",
    ),
    "a number has moved": Harm(
        old="return people(1)",
        new="moved = people(1)\n    moved['age'] += 4\n    return moved",
        check="drift:auto",
        says="age: KS distance",
    ),
    "a category has grown": Harm(
        old="return people(1)",
        new="moved = people(1)\n    moved['town'][:600] = 'elsewhere'\n    return moved",
        check="drift:auto",
        says="town: Cramér's V",
    ),
    "values are lost on the way": Harm(
        old="return people(1)",
        new="moved = people(1)\n    moved['age'][:400] = float('nan')\n    return moved",
        check="drift:auto",
        says="age (missing values)",
    ),
    "training without its seed": Harm(
        old="return evaluate(said(), score(seed))",
        new="return evaluate(said(), score(None))",
        check="reproducibility:predictions",
        says="Usual causes: a random generator that is not given the seed",
    ),
    "training that follows a set's order": Harm(
        old="return evaluate(said(), score(seed))",
        new="return evaluate(said(), score(list({f'feature {k}' for k in range(20)}).index('feature 0')))",
        check="reproducibility:predictions",
        says="PYTHONHASHSEED",
    ),
}


def test_the_healthy_case_merges(project: Project, workers: int) -> None:
    project.write("conftest.py", HEALTHY)
    project.policy(POLICY)
    run = project.run(workers=workers)
    assert (run.status, run.decision, len(run.results)) == (0, "merge", 5), run.out


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_is_broken_on_purpose_is_blocked(project: Project, harm: Harm, workers: int) -> None:
    assert HEALTHY.count(harm.old) == 1
    project.write("conftest.py", HEALTHY.replace(harm.old, harm.new))
    project.policy(POLICY)
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (1, "block")
    found = run.result(harm.check)
    assert found.verdict is Verdict.FAIL
    assert harm.says in found.message
