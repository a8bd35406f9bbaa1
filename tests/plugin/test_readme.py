"""Every snippet of the README runs, and does what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlops.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

MY_PROJECT = """
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
model_in_production = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
new_model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X_train, y_train)
"""


def _block(mark: str) -> str:
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```", README, flags=re.DOTALL)
    assert found, f"the README has no block marked {mark!r}"
    return found.group(1)


def test_every_python_snippet_is_marked_and_so_runs_here() -> None:
    marked = set(re.findall(r"<!-- (\S+) -->\n```python", README))
    assert marked == {
        "conftest.py", "test_model.py", "test_markers.py", "test_profit.py", "test_slices.py", "test_drift.py",
        "reference.py", "notebook",
    }  # fmt: skip
    assert README.count("```python") == len(marked)


def _project(pytester: pytest.Pytester, *names: str) -> None:
    pytester.makepyfile(my_project=MY_PROJECT)
    for name in ("conftest.py", *names):
        (pytester.path / name).write_text(_block(name), encoding="utf-8")


def test_the_fixture_and_the_checks(pytester: pytest.Pytester) -> None:
    _project(pytester, "test_model.py")
    assert pytester.runpytest_subprocess("-q").parseoutcomes() == {"skipped": 1}
    judged = pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    judged.assert_outcomes(passed=1)
    judged.stdout.fnmatch_lines(["The challenger may merge: all 2 checks passed."])


def test_the_other_doors(pytester: pytest.Pytester) -> None:
    _project(pytester, "test_markers.py", "mlops.toml")
    judged = pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    judged.assert_outcomes(passed=3)
    judged.stdout.fnmatch_lines(["The challenger may merge after a review: 1 WAIVED and 2 PASS of 3 checks."])


CHAMPION = """

@pytest.fixture
def mlops_champion():
    from my_project import model_in_production, X_test, y_test

    return Evaluation.from_model(model_in_production, X_test, y_test)
"""
PEOPLE = """
people = {"sex": ["f", "m"] * (len(y_test) // 2) + ["f"], "age_group": ["young", "old", "older"] * (len(y_test) // 3)}
"""


@pytest.mark.parametrize(("snippet", "checks"), [("test_profit.py", 2), ("test_slices.py", 1)])
def test_a_champion_beside_it(pytester: pytest.Pytester, snippet: str, checks: int) -> None:
    _project(pytester, snippet)
    pytester.makepyfile(my_project=MY_PROJECT + PEOPLE)
    given = _block("conftest.py").replace(
        "new_model, X_test, y_test)", "new_model, X_test, y_test, slice_features=people)"
    )
    given = given.replace("import new_model,", "import people, new_model,")
    (pytester.path / "conftest.py").write_text(given + CHAMPION, encoding="utf-8")
    judged = pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    judged.assert_outcomes(passed=1)
    what = "its one check" if checks == 1 else f"all {checks} checks"
    judged.stdout.fnmatch_lines([f"The challenger may merge: {what} passed."])


PROFILE = "profile train.parquet -o reference.profile.json"
CURRENT = """

@pytest.fixture(scope="session")
def mlops_current():
    from my_project import X_test

    return X_test
"""


def test_the_drift(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pytester.path)
    _project(pytester, "test_drift.py")
    reference = CURRENT.replace("mlops_current", "mlops_reference").replace("X_test", "X_train")
    (pytester.path / "conftest.py").write_text(f"import pytest\n{reference}{CURRENT}", encoding="utf-8")
    judged = pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    judged.stdout.fnmatch_lines(["The challenger may merge*: *2 checks*"])
    judged.assert_outcomes(passed=1)


def test_a_profile_stands_in_for_the_reference(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pytester.path)
    pytester.makepyfile(my_project=MY_PROJECT + "X_train.to_parquet('train.parquet')\n")
    pytester.run(sys.executable, "my_project.py")
    assert main(PROFILE.split()) == 0
    (pytester.path / "conftest.py").write_text(_block("reference.py") + CURRENT, encoding="utf-8")
    pytester.makepyfile("def test_it(mlops): mlops.drift(at_most=0.25)")
    judged = pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    judged.assert_outcomes(passed=1)


REPORTS = [
    "report .mlops/report/gate.json --format html --output report.html",
    "report .mlops/report/gate.json --decision",
]


def test_the_promotion(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pytester.path)
    _project(pytester, "test_model.py")
    pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    found = re.findall(r"^pytest-mlops (.*?)(?:  +#.*)?$", README, flags=re.MULTILINE)
    profile, plan, *commands = found
    assert profile == PROFILE
    assert main(plan.split()) == 0
    assert commands == ["promote --first", "champion", *REPORTS]
    assert [main(command.split()) for command in commands] == [0] * len(commands)
    assert (pytester.path / "report.html").read_text() == (pytester.path / ".mlops/report/report.html").read_text()
    (pytester.path / "test_more.py").write_text(
        "def test_it(mlops): mlops.champion_challenger('roc_auc', margin=0.02)", encoding="utf-8"
    )
    judged = pytester.runpytest_subprocess("--mlops", "-p", "no:cacheprovider")
    judged.stdout.fnmatch_lines(["The challenger may merge: all 3 checks passed."])


def test_the_gate_without_pytest(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(_block("notebook"), "README.md", "exec"), {})
    verdict, decision = capsys.readouterr().out.splitlines()
    assert verdict.startswith("PASS accuracy: challenger 0.95 against champion 0.9, ")
    assert decision == "merge"


def test_every_option_is_in_the_table(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_subprocess("--help").stdout.str()
    options = set(re.findall(r"(--mlops[\w-]*)", shown))
    assert options == set(re.findall(r"^\| `(--mlops[\w-]*)", README, flags=re.MULTILINE))


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize(
    ("challenger", "status", "sentence"),
    [
        ("splines", 0, "The challenger may merge after a review: 1 WARN and 7 PASS of 8 checks."),
        ("boosting", 1, "Merge blocked: 1 FAIL, 1 INCONCLUSIVE, 1 WARN and 5 PASS of 8 checks."),
    ],
)
def test_the_example(workers: str, challenger: str, status: int, sentence: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--mlops", "examples/arrests", "--challenger", challenger, workers]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", f"--mlops-report={tmp_path}"], cwd=ROOT, capture_output=True, text=True
    )
    assert sentence in done.stdout.splitlines(), done.stdout + done.stderr
    assert done.returncode == status
