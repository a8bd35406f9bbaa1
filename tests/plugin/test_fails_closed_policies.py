"""Every way we know to fool a policy, a marker, a champion's record or one of two models: the gate blocks and says why.

With and without xdist; with one model, and with two of which the other one is healthy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pytest_mlops.cli import main

from .conftest import Project
from .test_policy import POLICY, WAIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A project that must be blocked; `says` must be read somewhere.

    The model lies in the folder `credit`; `promoted` says that a healthy one was promoted before.
    """

    says: str
    policy: str = POLICY
    tests: str = ""
    conftest: str = ""
    options: tuple[str, ...] = ()
    promoted: bool = False
    spoil: Callable[[Project], object] = lambda project: None


def fixture(name: str, made: str) -> str:
    return f"\n@pytest.fixture\ndef {name}():\n    import numpy as np\n    return {made}\n"


def marked(arguments: str, family: str = "performance_threshold", before: str = "") -> str:
    return f"import pytest\n{before}@pytest.mark.mlops_{family}({arguments})\ndef test_marked(): pass\n"


def asks(call: str) -> str:
    return f"def test_asks(mlops):\n    mlops.{call}\n"


def table(family: str, **arguments: object) -> str:
    lines = (f"{name} = {json.dumps(value)}" for name, value in arguments.items())
    return f"[[{family}]]\n" + "\n".join(lines) + "\n"


def loosened(family: str, policy: dict[str, object], call: str) -> Broken:
    return Broken(policy=table(family, **policy), tests=asks(f"{family}({call})"), says="loosens the policy")


SECOND = table("performance_threshold", metric="recall", at_least=0.5)
REQUIRES = "[gate]\nrequired = ['performance_threshold:recall']\n" + POLICY
RECALL = "'recall', at_least=0.5"
COMPARES = table("champion_challenger", metric="accuracy", margin=0.05)
DRIFT = table("drift", at_most=0.1)
FAIR = table("fairness", metric="demographic_parity_difference", by="sex", at_most=0.2)
AGAIN = table("reproducibility", timeout=20)
SAMPLES = """
def sample(seed, shift=0.0):
    import numpy as np
    return {"age": np.random.default_rng(seed).normal(shift, 1, 2000)}

@pytest.fixture
def mlops_reference():
    return sample(0)

@pytest.fixture
def mlops_current():
    return sample(1)
"""
PEOPLE = """
@pytest.fixture
def mlops_challenger():
    import numpy as np
    made = model(5)
    sex = {}
    return Evaluation(made.y_true, made.y_pred, row_ids=np.arange(400), sensitive_features={{"sex": sex}})
"""


def people(sex: str) -> str:
    return PEOPLE.format(sex).replace("{{", "{").replace("}}", "}")


def train(body: str) -> str:
    return f"\ndef train(seed):\n    import numpy as np\n    {body}\n" + fixture("mlops_train", "train")


def drop(name: str) -> str:
    return (
        "\ndef pytest_collection_modifyitems(items):\n"
        f"    items[:] = [item for item in items if {name!r} not in item.name]\n"
    )


def skip(name: str) -> str:
    return (
        "\ndef pytest_collection_modifyitems(items):\n    for item in items:\n"
        f"        if {name!r} in item.name:\n            item.add_marker(pytest.mark.skip)\n"
    )


def _rewrite(old: str, new: str) -> Callable[[Project], object]:
    def spoil(project: Project) -> None:
        path = project.path / "credit/.mlops/champion/record.json"
        path.write_text(path.read_text().replace(old, new, 1))

    return spoil


def _without_predictions(project: Project) -> None:
    for file in (project.path / "credit/.mlops/champion").glob("*.npz"):
        file.unlink()


BROKEN = {
    # What the policy asks, and nobody answers
    "a required family is absent": Broken(policy="[gate]\nrequired = ['drift']\n" + POLICY, says="drift is missing"),
    "a required id is absent": Broken(policy=REQUIRES, says="performance_threshold:recall is missing"),
    "a required id is skipped": Broken(
        policy=REQUIRES, tests=marked(RECALL, before="@pytest.mark.skip\n"), says="recall is missing"
    ),
    "a required id is xfailed and not run": Broken(
        policy=REQUIRES, tests=marked(RECALL, before="@pytest.mark.xfail(run=False)\n"), says="recall is missing"
    ),
    "a required id skips in its body": Broken(
        policy=REQUIRES,
        tests=f"import pytest\ndef test_it(mlops):\n    pytest.skip()\n    mlops.performance_threshold({RECALL})\n",
        says="recall is missing",
    ),
    "a required id fails under xfail": Broken(
        policy=REQUIRES,
        tests=marked("'recall', at_least=0.99", before="@pytest.mark.xfail\n"),
        says="requirement not met",
    ),
    "a check is deselected": Broken(
        policy=POLICY + SECOND,
        options=("--deselect=credit/mlops.toml::performance_threshold:recall",),
        says="Partial run: not a gate",
    ),
    "-k": Broken(policy=POLICY + SECOND, options=("-k", "accuracy"), says="Partial run: not a gate"),
    "-m": Broken(policy=POLICY + DRIFT, conftest=SAMPLES, options=("-m", "not mlops_drift"), says="Partial run"),
    "a hook drops a check": Broken(
        policy=POLICY + SECOND, conftest=drop("recall"), says="credit/mlops.toml::performance_threshold:recall"
    ),
    "a hook skips a check": Broken(
        policy=POLICY + SECOND, conftest=skip("recall"), says="performance_threshold:recall is missing"
    ),
    "the policy is ignored": Broken(
        policy=POLICY + SECOND,
        tests=marked("'f1', at_least=0.5"),
        options=("--ignore=credit/mlops.toml",),
        says="the policy credit/mlops.toml asks it",
    ),
    "a conftest ignores the policy": Broken(
        policy=POLICY, conftest="\ncollect_ignore_glob = ['*.toml', 'credit/*.toml']\n", says="the policy credit/mlops"
    ),
    "a policy without a check": Broken(
        policy="[gate]\nmodel = 'credit'\nrequired = ['drift']\n", says="drift is missing"
    ),
    # Mistakes in it
    "an unknown key": Broken(policy=POLICY + "at_lest = 0.1\n", says="has no argument 'at_lest'"),
    "an unknown table": Broken(policy=POLICY + "[[fariness]]\n", says="did you mean 'fairness'?"),
    "a waiver without owner": Broken(policy=POLICY + WAIVER.replace("owner", "# owner"), says="a waiver needs owner ="),
    "a waiver without reason": Broken(policy=POLICY + WAIVER.replace("reason", "# "), says="a waiver needs reason ="),
    "a waiver that has expired": Broken(policy=POLICY + WAIVER.replace("2999", "2020"), says="expired on 2020-12-31"),
    "an expired waiver of what fails": Broken(
        policy=POLICY.replace("0.8", "0.99") + WAIVER.replace("2999", "2020"), says="requirement not met"
    ),
    "a waiver that matches nothing": Broken(policy=POLICY + WAIVER.replace("accuracy", "f1"), says="matches no check"),
    "a waiver of an error": Broken(
        policy=POLICY + WAIVER, conftest=fixture("mlops_challenger", "1 / 0"), says="ZeroDivisionError"
    ),
    # Looser than the policy
    "at_least": loosened("performance_threshold", {"metric": "accuracy", "at_least": 0.8}, "'accuracy', at_least=0.79"),
    "at_least, by a marker": Broken(tests=marked("'accuracy', at_least=0.79"), says="loosens the policy"),
    "warn_below": loosened(
        "performance_threshold",
        {"metric": "accuracy", "at_least": 0.8, "warn_below": 0.95},
        "'accuracy', at_least=0.8",
    ),
    "proof": loosened(
        "performance_threshold",
        {"metric": "accuracy", "at_least": 0.8, "proof": "shown"},
        "'accuracy', at_least=0.8",
    ),
    "margin": loosened("champion_challenger", {"metric": "accuracy", "margin": 0.05}, "'accuracy', margin=0.1"),
    "require": loosened(
        "champion_challenger",
        {"metric": "accuracy", "margin": 0.05, "require": "non_inferior"},
        "'accuracy', margin=0.05",
    ),
    "max_blind": loosened(
        "champion_challenger", {"metric": "accuracy", "margin": 0.05}, "'accuracy', margin=0.05, max_blind=0.9"
    ),
    "at_most": loosened("drift", {"at_most": 0.1}, "at_most=0.2, max_blind=0.2"),
    "columns": loosened("drift", {"at_most": 0.1}, "at_most=0.1, columns=['age']"),
    "min_group_size": Broken(
        policy=FAIR,
        tests=asks("fairness('demographic_parity_difference', by='sex', at_most=0.2, min_group_size=99)"),
        says="is another question in the policy",
    ),
    "atol": loosened("reproducibility", {"runs": 3}, "runs=3, atol=0.1"),
    "runs": loosened("reproducibility", {"runs": 3}, "runs=2"),
    "another question under its name": Broken(
        policy=COMPARES,
        tests=asks("champion_challenger('accuracy', margin=0.05, paired_by='order')"),
        says="is another question in the policy",
    ),
    # Drift
    "no reference": Broken(policy=DRIFT, says="there is no mlops_reference"),
    "no current sample": Broken(
        policy=DRIFT, conftest=fixture("mlops_reference", "{'a': [1]}"), says="no mlops_current"
    ),
    "no common column": Broken(
        policy=DRIFT, conftest=SAMPLES + fixture("mlops_current", "{'b': np.arange(9)}"), says="no column in common"
    ),
    "an empty sample": Broken(
        policy=DRIFT, conftest=SAMPLES + fixture("mlops_current", "{'age': []}"), says="mlops_current has no rows"
    ),
    "no value in a column": Broken(
        policy=DRIFT,
        conftest=SAMPLES + fixture("mlops_current", "{'age': np.full(2000, np.nan)}"),
        says="missing values",
    ),
    "a column has gone": Broken(
        policy=DRIFT,
        conftest=SAMPLES + fixture("mlops_reference", "{**sample(0), 'b': np.arange(2000)}"),
        says="the current sample has no such column",
    ),
    "a column has drifted": Broken(
        policy=DRIFT, conftest=SAMPLES + fixture("mlops_current", "sample(1, 0.5)"), says="age: KS distance 0."
    ),
    "too few rows to see a drift": Broken(
        policy=DRIFT,
        conftest=SAMPLES + fixture("mlops_current", "{'age': sample(1)['age'][:30]}"),
        says="too small for this limit",
    ),
    # Fairness
    "an unknown feature": Broken(
        policy=FAIR, conftest=people("np.arange(400) % 2").replace('"sex"', '"sx"'), says="'sex'"
    ),
    "one group only": Broken(policy=FAIR, conftest=people("np.zeros(400)"), says="one group"),
    "an unfair model": Broken(policy=FAIR, conftest=people("made.y_pred"), says="the harm is significant"),
    "a tiny group": Broken(
        policy=FAIR.replace("0.2", "0.1"), conftest=people("np.arange(400) < 9"), says="too small for this limit"
    ),
    # Reproducibility
    "no training": Broken(policy=AGAIN, says="there is no mlops_train"),
    "a closure": Broken(policy=AGAIN, conftest=fixture("mlops_train", "lambda seed: model(seed)"), says="lambda"),
    "a training that raises": Broken(policy=AGAIN, conftest=train("raise ValueError('boo')"), says="ValueError: boo"),
    "a training that hangs": Broken(
        policy=AGAIN.replace("20", "2"), conftest=train("__import__('time').sleep(60)"), says="timeout"
    ),
    "a training that gives nothing": Broken(policy=AGAIN, conftest=train("return None"), says="NoneType"),
    "an unseeded training": Broken(
        policy=AGAIN,
        conftest=train("return Evaluation(np.arange(40) % 2, np.arange(40) % 2, np.random.default_rng().random(40))"),
        says="PYTHONHASHSEED",
    ),
    # The champion
    "no champion": Broken(policy=COMPARES, conftest="\ndel mlops_champion\n", says="there is no champion"),
    "a worse challenger": Broken(
        policy=COMPARES, promoted=True, conftest=fixture("mlops_challenger", "model(0, errors=150)"), says="significant"
    ),
    "an altered record": Broken(
        policy=COMPARES, promoted=True, spoil=_rewrite('"margin": 0.05', '"margin": 0.5'), says="altered"
    ),
    "a newer record": Broken(
        policy=COMPARES, promoted=True, spoil=_rewrite('"schema_version": 1', '"schema_version": 2'), says="version"
    ),
    "a corrupt record": Broken(policy=COMPARES, promoted=True, spoil=_rewrite("{", ""), says="cannot be used"),
    "no predictions beside the record": Broken(
        policy=COMPARES, promoted=True, spoil=_without_predictions, says="restore it from version control"
    ),
    "a record of other rows": Broken(
        policy=COMPARES,
        promoted=True,
        conftest=fixture("mlops_challenger", "model(5, n=300)"),
        says="test rows differ from the champion's",
    ),
    "a check that the champion had": Broken(
        policy=COMPARES + POLICY,
        promoted=True,
        spoil=lambda project: project.policy(COMPARES, "credit"),
        says="the champion was judged by it",
    ),
    "another champion by a fixture": Broken(
        policy=COMPARES,
        promoted=True,
        conftest=fixture("mlops_champion", "model(0, errors=150)"),
        says="gave another champion than the promoted one",
    ),
    # The evidence
    "duplicate ids": Broken(
        conftest=fixture("mlops_challenger", "Evaluation([0, 1], [0, 1], row_ids=['a', 'a'])"), says="row_ids repeat"
    ),
    "a marker whose fixture raises": Broken(
        tests=marked(RECALL, before="@pytest.mark.usefixtures('gone')\n"), says="failed before its body ran"
    ),
    "an unknown metric in a marker": Broken(tests=marked("'recal', at_least=0.5"), says="did you mean 'recall'?"),
}


# Workers cost most of the time: what is blocked there beside another model is blocked there alone.
@pytest.mark.parametrize(("workers", "models"), [(0, 1), (0, 2), (2, 2)], ids=["n0-one", "n0-two", "n2-two"])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_it_is_blocked(
    project: Project, broken: Broken, models: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.path)
    if models == 2:
        project.policy(POLICY, "beside")
    project.policy(broken.policy, "credit")
    if broken.promoted:
        project.conftest("\ndel mlops_champion\n")
        project.run("credit")
        assert main(["promote", "--first", "--model", "credit"]) == 0
    # In the folder of its own: the other model shall not notice.
    own = "import pytest\nfrom pytest_mlops import Evaluation\nfrom shared import model\n"
    project.write("shared.py", project.shared)
    project.write("credit/conftest.py", own + broken.conftest.replace("\ndel mlops_champion\n", ""))
    if broken.promoted or "del mlops_champion" in broken.conftest:
        project.conftest("\ndel mlops_champion\n")
    if broken.tests:
        project.write("credit/test_credit.py", broken.tests)
    broken.spoil(project)
    run = project.run(*broken.options, workers=workers)
    assert run.status not in (0, 3), run.out
    assert run.decision == "block"
    assert "may merge" not in run.out
    assert "INTERNALERROR" not in run.out
    assert broken.says in f"{' '.join(run.out.split())} {run.messages}"
    record = project.path / ".mlops/report/candidate/credit/record.json"
    assert not record.exists() or json.loads(record.read_text())["decision"] == "block"
