"""Door 3: `mlops.toml` as tests, and what it settles for its model."""

from __future__ import annotations

import json

import pytest

from pytest_mlops import Verdict

from .conftest import PASSES, Project

POLICY = """
[[performance_threshold]]
metric = "accuracy"
at_least = 0.8
"""


def test_each_check_of_the_policy_is_a_test(project: Project, workers: int) -> None:
    project.policy(POLICY + '[[champion_challenger]]\nmetric = "accuracy"\nmargin = 0.05\n')
    run = project.run("-v", workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    assert "mlops.toml::performance_threshold:accuracy" in run.out
    assert [result.id for result in run.results] == ["champion_challenger:accuracy", "performance_threshold:accuracy"]
    assert run.result("performance_threshold:accuracy").details["test"]["line"] == 2


def test_without_the_flag_it_is_not_collected(project: Project) -> None:
    project.policy(POLICY)
    project.tests(test_it="def test_plain(): pass")
    assert project.run(flag="").count() == {"passed": 1}


@pytest.mark.parametrize("asked", ["tests", "tests/test_deep.py", "tests/test_deep.py::test_plain"])
def test_it_is_found_above_what_was_asked_for(project: Project, asked: str, workers: int) -> None:
    project.policy(POLICY)
    project.write("tests/test_deep.py", "def test_plain(): pass")
    run = project.run(asked, workers=workers)
    assert (run.status, run.decision, len(run.results)) == (0, "merge", 1)


def test_confidence(project: Project) -> None:
    project.policy("[gate]\nconfidence = 0.8\n" + POLICY)
    estimate = project.run().result("performance_threshold:accuracy").estimate
    assert estimate is not None
    assert estimate.confidence == 0.8


@pytest.mark.parametrize(("said", "status"), [("warn", 0), ("block", 1)])
def test_inconclusive_and_warn_may_block(project: Project, said: str, status: int, workers: int) -> None:
    inconclusive = f'[gate]\ninconclusive = "{said}"\n' + POLICY.replace("0.8", "0.89")
    project.policy(inconclusive)
    run = project.run(workers=workers)
    assert (run.status, run.result("performance_threshold:accuracy").verdict) == (status, Verdict.INCONCLUSIVE)
    project.policy(f'[gate]\nwarn = "{said}"\n{POLICY}warn_below = 0.95\n')
    run = project.run(workers=workers)
    assert (run.status, run.result("performance_threshold:accuracy").verdict) == (status, Verdict.WARN)
    assert [result.family for result in run.results] == ["performance_threshold"]


@pytest.mark.parametrize("required", ["drift", "performance_threshold:recall"])
def test_what_is_required_and_absent_is_missing(project: Project, required: str, workers: int) -> None:
    project.policy(f'[gate]\nrequired = ["{required}"]\n{POLICY}')
    run = project.run(workers=workers)
    assert run.status == 1
    assert [r.verdict for r in run.results] == [Verdict.PASS, Verdict.MISSING]
    assert f"{required} is missing: the policy mlops.toml requires" in run.messages


def test_what_is_required_and_asked_by_a_test_is_there(project: Project, workers: int) -> None:
    project.policy('[gate]\nrequired = ["performance_threshold", "performance_threshold:recall"]\n')
    project.tests(test_it=PASSES.replace("accuracy", "recall"))
    assert project.run(workers=workers).decision == "merge"


# Waivers

TOO_HIGH = POLICY.replace("0.8", "0.99")
WAIVER = """
[[waiver]]
check = "performance_threshold:accuracy"
until = 2999-12-31
owner = "model-risk"
reason = "the new labels come in January"
"""


def test_a_waiver_lets_one_check_fail(project: Project, workers: int) -> None:
    project.policy(TOO_HIGH + WAIVER)
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, "review")
    waived = run.result("performance_threshold:accuracy")
    assert waived.verdict is Verdict.WAIVED
    assert waived.message.startswith(
        "FAIL, but waived until 2999-12-31, owner model-risk: the new labels come in January. accuracy is 0.9"
    )


def test_a_waiver_of_a_check_in_a_test(project: Project, workers: int) -> None:
    project.policy(WAIVER)
    project.tests(test_it=PASSES.replace("0.8", "0.99"))
    assert project.run(workers=workers).decision == "review"


def test_a_waiver_of_what_is_missing(project: Project, workers: int) -> None:
    project.policy(
        '[gate]\nrequired = ["performance_threshold:recall"]\n' + POLICY + WAIVER.replace("accuracy", "recall")
    )
    run = project.run(workers=workers)
    assert (run.status, run.result("performance_threshold:recall").verdict) == (0, Verdict.WAIVED)


def test_a_waiver_of_what_passes_changes_nothing(project: Project) -> None:
    project.policy(POLICY + WAIVER)
    assert project.run().decision == "merge"


# Test code and the policy


def test_a_test_may_tighten_what_the_policy_asks(project: Project, workers: int) -> None:
    project.policy(POLICY)
    project.tests(test_it=PASSES.replace("0.8", "0.85"))
    run = project.run(workers=workers)
    assert (run.status, run.decision, len(run.results)) == (0, "merge", 1)
    project.tests(test_it=PASSES.replace("0.8", "0.95"))
    run = project.run(workers=workers)
    assert (run.status, run.result("performance_threshold:accuracy").verdict) == (1, Verdict.FAIL)


@pytest.mark.parametrize(
    ("tests", "says"),
    [
        (PASSES.replace("0.8", "0.7"), "loosens the policy mlops.toml (at_least 0.8 → 0.7)"),
        (
            "import pytest\n@pytest.mark.mlops_performance_threshold('accuracy', at_least=0.7)\ndef test_it(): pass",
            "loosens the policy mlops.toml (at_least 0.8 → 0.7)",
        ),
    ],
    ids=["fixture", "marker"],
)
def test_a_test_may_not_loosen_it(project: Project, tests: str, says: str, workers: int) -> None:
    project.policy(POLICY)
    project.tests(test_it=tests)
    run = project.run(workers=workers)
    assert run.status != 0
    assert run.decision == "block"
    assert says in run.out


# Mistakes in it

MISTAKES = {
    "no TOML": ("[gate\n", "mlops.toml:1: is no TOML"),
    "an unknown table": ("[[drfit]]\n", "mlops.toml:1: there is no table 'drfit': did you mean 'drift'?"),
    "an unknown key": ("[gate]\nmodle = 'x'\n", "mlops.toml:2: [gate] has no key 'modle': did you mean 'model'?"),
    "an unknown metric": (POLICY.replace("accuracy", "acuracy"), "mlops.toml:3: unknown metric 'acuracy': did you"),
    "an unknown argument": (POLICY + "at_lest = 1\n", "mlops.toml:5: performance_threshold has no argument 'at_lest'"),
    "the wrong way round": (POLICY.replace("at_least", "at_most"), "mlops.toml:4: accuracy is better when greater"),
    "no metric": ("[[performance_threshold]]\nat_least = 1\n", "mlops.toml:1: performance_threshold: missing a"),
    "one table": (POLICY.replace("[[", "[").replace("]]", "]"), "mlops.toml:2: checks are written as [[performance_"),
    "twice the same": (POLICY + POLICY, "mlops.toml:6: the check performance_threshold:accuracy stands here and in"),
    "an unknown family is required": (
        "[gate]\nrequired = ['drfit']\n" + POLICY, "mlops.toml:2: required names 'drfit', which is no family of checks"
    ),
    "required is no list": ("[gate]\nrequired = 'drift'\n", "mlops.toml:2: required = 'drift' must be a list"),
    "warn is a word": ("[gate]\nwarn = 'ignore'\n", "mlops.toml:2: warn = 'ignore' must be 'warn'"),
    "a confidence of 95": ("[gate]\nconfidence = 95\n", "mlops.toml:2: confidence=95 is out of range"),
    "a waiver without owner": (WAIVER.replace('owner = "model-risk"', ""), "mlops.toml:2: a waiver needs owner ="),
    "a waiver without reason": (
        WAIVER.replace("the new labels come in January", " "), "mlops.toml:6: reason = ' ' must be a text that says it"
    ),
    "a waiver until a text": (WAIVER.replace("2999-12-31", "'soon'"), "mlops.toml:4: until = 'soon' must be a date"),
    "not UTF-8": ("\udcff", "mlops.toml: is not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_blocks_and_names_its_line(project: Project, policy: str, says: str, workers: int) -> None:
    project.policy(policy)
    project.tests(test_it=PASSES)
    run = project.run(workers=workers)
    assert run.status != 0
    assert run.decision == "block"
    assert says in run.messages
    assert says in run.out.replace("\n  ", " ")
    assert "INTERNALERROR" not in run.out


# Several models


def test_two_models_in_two_folders(project: Project, workers: int) -> None:
    project.policy(POLICY, "models/credit")
    project.policy(TOO_HIGH, "models/churn")
    project.write("models/churn/test_churn.py", PASSES.replace("accuracy", "recall"))
    run = project.run(workers=workers)
    assert run.status == 1
    assert [(r.model, r.id, r.verdict) for r in run.results] == [
        ("churn", "performance_threshold:accuracy", Verdict.FAIL),
        ("churn", "performance_threshold:recall", Verdict.PASS),
        ("credit", "performance_threshold:accuracy", Verdict.PASS),
    ]
    assert "FAIL churn/performance_threshold:accuracy" in run.out
    decisions = {
        model: json.loads((project.path / f".mlops/report/candidate/{model}/record.json").read_text())["decision"]
        for model in ("churn", "credit")
    }
    assert decisions == {"churn": "block", "credit": "merge"}


def test_one_model_of_two(project: Project, workers: int) -> None:
    project.policy(POLICY, "models/credit")
    project.policy(TOO_HIGH, "models/churn")
    run = project.run("models/credit", workers=workers)
    assert (run.status, [result.model for result in run.results]) == (0, ["credit"])


def test_two_models_of_one_name(project: Project, workers: int) -> None:
    for folder in ("a", "b"):
        project.policy("[gate]\nmodel = 'credit'\n" + POLICY, folder)
    run = project.run(workers=workers)
    assert run.status == 1
    assert "a/mlops.toml and b/mlops.toml name their model 'credit'" in run.messages


def test_both_may_merge(project: Project, workers: int) -> None:
    for folder in ("a", "b"):
        project.policy(POLICY, folder)
    run = project.run(workers=workers)
    assert (run.status, run.decision) == (0, "merge")
    assert "All 2 challengers may merge: all 2 checks passed." in run.out


# The base branch's


def test_the_base_branchs_policy_counts(project: Project, workers: int) -> None:
    project.policy(POLICY.replace("0.8", "0.1"))
    project.write(project.base / "policy.toml", TOO_HIGH)
    run = project.run(f"--mlops-policy={project.base}/policy.toml", workers=workers)
    assert (run.status, run.result("performance_threshold:accuracy").verdict) == (1, Verdict.FAIL)


def test_a_checkout_of_the_base_branch(project: Project, workers: int) -> None:
    project.policy(POLICY.replace("0.8", "0.1"), "credit")
    project.write(project.base / "credit/mlops.toml", TOO_HIGH)
    run = project.run(f"--mlops-policy={project.base}", workers=workers)
    assert (run.status, run.result("performance_threshold:accuracy").verdict) == (1, Verdict.FAIL)


def test_a_policy_that_was_taken_away(project: Project, workers: int) -> None:
    project.write(project.base / "mlops.toml", TOO_HIGH)
    project.write(project.base / "credit/mlops.toml", TOO_HIGH)
    project.policy(POLICY)
    run = project.run(f"--mlops-policy={project.base}", workers=workers)
    assert run.status == 1
    assert ("credit", Verdict.MISSING) in [(result.model, result.verdict) for result in run.results]
    (project.path / "mlops.toml").unlink()
    project.tests(test_it=PASSES.replace("accuracy", "recall"))
    run = project.run(f"--mlops-policy={project.base}", workers=workers)
    assert ("model", Verdict.FAIL) in [(result.model, result.verdict) for result in run.results]


def test_a_policy_that_is_new_asks_for_a_review(project: Project, workers: int) -> None:
    project.write(project.base / "README", "no policy yet")
    project.policy(POLICY)
    run = project.run(f"--mlops-policy={project.base}", workers=workers)
    assert (run.status, run.decision) == (0, "review")
    assert "mlops.toml is not on the base branch" in run.messages


@pytest.mark.parametrize("option", ["--mlops-policy", "--mlops-champion"])
def test_a_path_that_is_not_there(project: Project, option: str, workers: int) -> None:
    project.policy(POLICY)
    run = project.run(f"{option}=gone", workers=workers)
    assert run.status == 4
    assert f"{option}: there is no" in run.out


def test_one_policy_for_two_models(project: Project) -> None:
    for folder in ("a", "b"):
        project.policy(POLICY, folder)
    project.write(project.base / "policy.toml", POLICY)
    run = project.run(f"--mlops-policy={project.base}/policy.toml")
    assert run.status == 4
    assert "--mlops-policy is one file, but there are 2 policies here (a, b)" in run.out


def test_a_project_behind_a_link(project: Project, workers: int) -> None:
    project.policy(TOO_HIGH, "credit")
    link = project.path / "link"
    link.symlink_to(project.path / "credit")
    run = project.run("link", workers=workers)
    assert (run.status, run.decision) == (1, "block")


def test_a_worker_that_dies_on_a_check_of_the_policy(project: Project) -> None:
    project.policy(POLICY)
    project.conftest("\n@pytest.fixture\ndef mlops_challenger():\n    import os\n    os.kill(os.getpid(), 9)\n")
    run = project.run(workers=2)
    assert (run.status, run.decision) == (1, "block")
    assert ("performance_threshold:accuracy", Verdict.MISSING) in [(r.id, r.verdict) for r in run.results]
