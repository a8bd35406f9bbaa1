"""Every way we know to fool the gate: it blocks, says why, and never says "may merge". With and without xdist."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from .conftest import PASSES, Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A project that must be blocked.

    `says` must stand in the messages of gate.json; `apart` runs it in a process of its own.
    """

    says: str
    tests: str = ""
    conftest: str = ""
    more: str = ""
    options: tuple[str, ...] = ()
    apart: bool = False


SECOND = """
def test_second(mlops):
    mlops.performance_threshold("recall", at_least=0.5)
"""


def challenger(made: str) -> str:
    return f"\n@pytest.fixture\ndef mlops_challenger():\n    import numpy as np\n    return {made}\n"


def champion(made: str) -> str:
    return challenger(made).replace("mlops_challenger", "mlops_champion")


UNITTEST = """
import unittest
import pytest

class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _keep(self, mlops):
        self.mlops = mlops

    def test_it(self):
        self.mlops.performance_threshold("accuracy", at_least=0.8)
"""
# What plugins that rerun failures do. The second model is a better one.
RUNS_TWICE = """
MODELS = [model(5, errors=200), model(5)]

@pytest.fixture
def mlops_challenger():
    return MODELS.pop(0)

def pytest_runtest_protocol(item, nextitem):
    from _pytest.runner import runtestprotocol
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        report.outcome = "rerun" if report.failed else report.outcome
        item.ihook.pytest_runtest_logreport(report=report)
    item._initrequest()
    runtestprotocol(item, nextitem=nextitem)
    return True
"""
TOO_HIGH = 'def test_x(mlops): mlops.performance_threshold("recall", at_least=0.99)'
COMPARES = """
def test_compares(mlops):
    mlops.champion_challenger("accuracy", margin=0.05)
"""
REGRESSION = "Evaluation([0.5, 1.5, 2.5, 3.5], [1.0, 2.0, 3.0, 4.0], row_ids=range(4))"

BROKEN = {
    # Nothing was asked, or not all of it
    "no test at all": Broken(says="no test asked the gate"),
    "no check asked": Broken(tests="def test_plain(): pass", says="no test asked the gate"),
    "the gate asked nothing": Broken(tests=PASSES + "def test_idle(mlops): pass", says="test_idle asked for no check"),
    "marked skip": Broken(
        tests=PASSES + "import pytest\n@pytest.mark.skip\n" + SECOND.lstrip(), says="test_second was skipped"
    ),
    "skipped after a check that passes": Broken(
        tests="import pytest\n" + PASSES + "    pytest.skip('enough')", says="test_passes stopped before its end"
    ),
    "the body raises after a check that passes": Broken(
        tests=PASSES + "    raise ValueError('boo')", says="test_passes stopped before its end"
    ),
    "the body raises under xfail": Broken(
        tests="import pytest\n@pytest.mark.xfail\n" + PASSES.lstrip() + "    raise ValueError('boo')",
        says="test_passes stopped before its end",
    ),
    "xfail(run=False)": Broken(
        tests=PASSES + "import pytest\n@pytest.mark.xfail(run=False)\n" + SECOND.lstrip(),
        says="test_second was skipped",
    ),
    "-k": Broken(tests=PASSES + SECOND, options=("-k", "passes"), says="deselected: test_broken.py::test_second"),
    "-m": Broken(tests=PASSES + "def test_plain(): pass", options=("-m", "not mlops"), says="deselected"),
    "--deselect": Broken(
        tests=PASSES + SECOND, options=("--deselect", "test_broken.py::test_second"), says="test_second"
    ),
    "--lf": Broken(tests=PASSES, options=("--lf", "-p", "cacheprovider"), says="--lf leaves out"),
    "--maxfail": Broken(
        tests="def test_a(): assert False\n" + PASSES, options=("--maxfail=1",), says="stopped early"
    ),
    "-x": Broken(tests="def test_a(): assert False\n" + PASSES, options=("-x",), says="stopped early"),
    "a conftest drops the tests": Broken(
        tests=PASSES, conftest="def pytest_collection_modifyitems(items): items.clear()", says="1 test of the gate"
    ),
    "a conftest drops one test": Broken(
        tests=PASSES + SECOND,
        conftest="def pytest_collection_modifyitems(items): del items[1]",
        says="deselected: test_broken.py::test_second",
    ),
    "no parameters": Broken(
        tests=PASSES + "import pytest\n@pytest.mark.parametrize('x', [])\ndef test_none(mlops, x): pass",
        says="test_none[NOTSET] was skipped",
    ),
    "a file of checks skips itself": Broken(
        tests=PASSES,
        more="import pytest\npytest.importorskip('no_such_module')\n" + SECOND,
        says="test_more.py was skipped as a whole",
    ),
    "a unittest skips after a check that passes": Broken(
        tests=UNITTEST + "        self.skipTest('later')", says="test_it stopped before its end"
    ),
    "a subtest skips": Broken(
        tests=PASSES.replace("(mlops)", "(mlops, subtests)") + "    with subtests.test(): __import__('pytest').skip()",
        says="test_passes skipped a part of itself",
    ),
    "the gate is another's": Broken(
        tests=PASSES, conftest="@pytest.fixture\ndef mlops():\n    from unittest.mock import Mock\n    return Mock()",
        says="test_passes was skipped, or did not run",
    ),
    "a file that cannot be collected": Broken(tests=PASSES, more="def (", says="test_more.py could not be collected"),
    "the same, gone on": Broken(
        tests=PASSES, more="def (", options=("--continue-on-collection-errors",), says="could not be collected"
    ),
    "keyboard interrupt": Broken(
        tests=PASSES + "def test_stop(): raise KeyboardInterrupt", says="stopped early", apart=True
    ),
    "pytest.exit with status 0": Broken(
        tests=PASSES + "import pytest\ndef test_stop(): pytest.exit('bye', returncode=0)",
        says="stopped early",
        apart=True,
    ),
    "pytest.exit with status 0 in a fixture": Broken(
        tests=PASSES,
        conftest="@pytest.fixture(autouse=True)\ndef stop(): pytest.exit('bye', returncode=0)",
        says="stopped early",
        apart=True,
    ),
    "pytest.exit with status 0 in a hook": Broken(
        tests=PASSES,
        conftest="def pytest_collection(): pytest.exit('bye', returncode=0)",
        says="no test asked the gate",
    ),
    "pytest.exit with status 0 at collection": Broken(
        tests=PASSES, more="import pytest\npytest.exit('bye', returncode=0)", says="test_more.py could not be collected"
    ),
    "a file that is not there": Broken(
        tests=PASSES, options=("test_broken.py", "test_gone.py"), says="no test asked the gate"
    ),
    # Something else failed
    "an ordinary test failed": Broken(tests=PASSES + "def test_other(): assert False", says="1 test failed"),
    "a teardown failed": Broken(
        tests=PASSES.replace("(mlops)", "(mlops, torn)"),
        conftest="@pytest.fixture\ndef torn():\n    yield\n    raise ValueError",
        says="1 test failed",
    ),
    "a subtest failed": Broken(
        tests=PASSES.replace("(mlops)", "(mlops, subtests)") + "    with subtests.test(): assert False",
        says="1 test failed",
    ),
    "a unittest fails after a check that passes": Broken(
        tests=UNITTEST + "        self.assertEqual(1, 2)", says="test_it stopped before its end"
    ),
    "a strict xfail passes": Broken(
        tests="import pytest\n@pytest.mark.xfail(strict=True)\n" + PASSES.lstrip(), says="1 test failed"
    ),
    # A check failed, and something hides it
    "a check fails under xfail": Broken(
        tests="import pytest\n@pytest.mark.xfail\n" + TOO_HIGH,
        says="requirement not met",
    ),
    "a check fails under strict xfail": Broken(
        tests="import pytest\n@pytest.mark.xfail(strict=True, raises=AssertionError)\n" + TOO_HIGH,
        says="requirement not met",
    ),
    "a conftest turns failures into passes": Broken(
        tests=TOO_HIGH,
        conftest="@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_runtest_makereport():\n"
        "    report = yield\n    report.outcome, report.longrepr = 'passed', None\n    return report",
        says="requirement not met",
    ),
    "a conftest sets exit status 0": Broken(
        tests=TOO_HIGH,
        conftest="@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session): session.exitstatus = 0",
        says="requirement not met",
    ),
    "a conftest sets exit status 0, late": Broken(
        tests=TOO_HIGH,
        conftest="@pytest.hookimpl(wrapper=True)\ndef pytest_sessionfinish(session):\n"
        "    yield\n    session.exitstatus = 0",
        says="requirement not met",
    ),
    "a check asked in a teardown": Broken(
        tests=PASSES.replace("(mlops)", "(mlops, late)"),
        conftest="@pytest.fixture\ndef late(mlops):\n    yield\n"
        "    mlops.performance_threshold('recall', at_least=0.99)",
        says="1 test failed",
    ),
    "a check asked of another test's gate": Broken(
        tests=f"KEPT = []\n{PASSES}    KEPT.append(mlops)\n\n"
        "def test_later(): KEPT[0].performance_threshold('recall', at_least=0.99)",
        options=("--dist=loadfile",),
        says="1 test failed",
    ),
    "a test that runs until it passes": Broken(tests=PASSES, conftest=RUNS_TWICE, says="got different answers"),
    # The evidence
    "the challenger raises": Broken(
        tests=PASSES, conftest=challenger("1 / 0"), says="a ZeroDivisionError: division by zero was raised"
    ),
    "no challenger": Broken(
        tests=PASSES, conftest="del mlops_challenger", says="there is no challenger: define a fixture mlops_challenger"
    ),
    "the challenger is no evaluation": Broken(
        tests=PASSES, conftest=challenger("(1, 2)"), says="the challenger is a tuple, expected an Evaluation"
    ),
    "no champion": Broken(tests=COMPARES, conftest="del mlops_champion", says="there is no champion"),
    "the champion raises": Broken(tests=COMPARES, conftest=champion("1 / 0"), says="ZeroDivisionError"),
    "the champion skips": Broken(tests=COMPARES, conftest=champion("pytest.skip('none')"), says="before its end"),
    "other rows": Broken(tests=COMPARES, conftest=champion("model(0, n=300)"), says="test rows differ"),
    "other labels": Broken(
        tests=COMPARES,
        conftest=champion("Evaluation([0, 1] * 199 + [1, 0], [0, 1] * 200, row_ids=range(400))"),
        says="test rows differ from the champion's: y_true is another in 2 rows of 400",
    ),
    "anonymous rows": Broken(
        tests=COMPARES,
        conftest=champion("Evaluation([0, 1] * 200, [0, 1] * 200)"),
        says="the rows are anonymous",
    ),
    "too few rows to see a loss": Broken(
        tests=COMPARES.replace("0.05", "0.01"),
        conftest=challenger("model(5, n=60, errors=6)") + champion("model(0, n=60, errors=6)"),
        says="test set too small for this limit",
    ),
    "the champion is no evaluation": Broken(
        tests=COMPARES, conftest=champion("(1, 2)"), says="the champion is a tuple, expected an Evaluation"
    ),
    "the champion raises what cannot be shown": Broken(
        tests=COMPARES,
        conftest="class Bad(Exception):\n    def __str__(self): raise ValueError\n"
        "def bad(): raise Bad\n" + champion("bad()"),
        says="test_compares",
    ),
    "no variation": Broken(
        tests='def test_x(mlops): mlops.performance_threshold("mean_absolute_error", at_most=1)',
        conftest=challenger(REGRESSION),
        says="width 0",
    ),
    "an exception inside a check": Broken(
        tests=PASSES,
        conftest="@pytest.fixture(autouse=True)\ndef broken(monkeypatch):\n"
        "    from pytest_mlops.statistics import proportions\n"
        "    monkeypatch.setattr(proportions, 'share', None)",
        says="a TypeError",
    ),
    "evaluations that change from test to test": Broken(
        tests=PASSES + SECOND,
        conftest=challenger("model(np.random.default_rng().integers(300))"),
        says="different evaluations",
    ),
    "one name, two questions": Broken(
        tests=PASSES + 'def test_second(mlops): mlops.performance_threshold("accuracy", at_least=0.7)',
        says="give one of them name=",
    ),
    "a misspelt metric": Broken(
        tests='def test_x(mlops): mlops.performance_threshold("acuracy", at_least=0.7)', says="test_x stopped before"
    ),
}  # fmt: skip
BAD_EVIDENCE = {
    "NaN label": "Evaluation([0.0, 1.0, np.nan], [0, 1, 1])",
    "infinite prediction": "Evaluation([0.5, 1.5, 2.5], [0.5, 1.5, np.inf])",
    "NaN score": "Evaluation([0, 1, 1], [0, 1, 1], [0.1, 0.9, np.nan])",
    "a label never seen": "Evaluation(['a', 'b', 'b'], ['a', 'b', 'c'])",
    "one class only": "Evaluation([1, 1, 1], [1, 1, 1])",
    "empty": "Evaluation([], [])",
    "lengths": "Evaluation([0, 1, 1], [0, 1])",
}
BROKEN |= {
    name: Broken(tests=PASSES, conftest=challenger(made), says="accuracy cannot be judged: y_")
    for name, made in BAD_EVIDENCE.items()
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_project_is_blocked(project: Project, broken: Broken, workers: int) -> None:
    project.conftest(broken.conftest)
    files = {"test_broken": broken.tests, "test_more": broken.more}
    project.tests(**{name: text for name, text in files.items() if text})
    run = project.run(*broken.options, workers=workers, apart=broken.apart)
    assert run.status != 0
    assert run.decision == "block"
    assert broken.says in run.messages
    assert "may merge" not in run.out
    # xdist has no summary where a worker is told to exit.
    assert any(said in run.out for said in ("Merge blocked", "Partial run: not a gate", "INTERNALERROR"))


@pytest.mark.parametrize("options", [(), ("--max-worker-restart=0",)], ids=["replaced", "not replaced"])
@pytest.mark.parametrize("death", ["os.kill(os.getpid(), 9)", "os._exit(0)"])
def test_a_worker_that_dies_blocks(project: Project, death: str, options: tuple[str, ...]) -> None:
    project.tests(test_it=f"import os\n{PASSES}\ndef test_dies(): {death}\n")
    run = project.run(*options, workers=2)
    assert run.status != 0
    assert run.decision == "block"
    assert "a worker crashed" in run.messages


def test_workers_that_judge_the_same_test_must_agree(project: Project) -> None:
    """``--dist=each`` runs every test on every worker: the last answer is not the only one."""
    project.conftest(
        challenger("model(5, errors=40 if __import__('os').environ['PYTEST_XDIST_WORKER'] == 'gw0' else 1)")
    )
    project.tests(test_it=PASSES)
    run = project.run("--dist=each", workers=2)
    assert (run.status, run.decision) == (1, "block")
    assert "tests or workers saw 2 different evaluations of model's challenger" in run.messages


def test_a_killed_run_leaves_no_report_of_an_earlier_one(project: Project) -> None:
    project.tests(test_it=PASSES)
    assert project.run().decision == "merge"
    project.tests(test_it=PASSES + "import os\ndef test_dies(): os.kill(os.getpid(), 9)\n")
    run = project.run(apart=True)
    assert run.status != 0
    assert run.report is None
    assert not (project.path / ".mlops/report/summary.md").exists()


def test_a_report_that_cannot_be_written_blocks_and_damages_nothing(project: Project, workers: int) -> None:
    project.tests(test_it=PASSES)
    precious = project.path / "precious"
    precious.write_text("data")
    run = project.run("--mlops-report=precious", workers=workers)
    assert run.status != 0
    assert "Merge blocked" in run.out
    assert "the report cannot be written" in run.out
    assert precious.read_text() == "data"


def test_the_job_summary_hears_nothing_of_a_decision_that_could_not_be_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = project.path / "step_summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    project.tests(test_it=PASSES + "    __import__('pathlib').Path('.mlops/report/gate.json').mkdir(parents=True)")
    run = project.run()
    assert run.status != 0
    assert "the report cannot be written" in run.out
    assert not summary.exists()


@pytest.mark.parametrize("option", ["--mlops-policy", "--mlops-champion"])
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_base_branch_that_stands_alone_does_not_become_pytests_root(
    project: Project, option: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policies beside the tests would not be seen, and nothing be asked of a model that is as good as a coin."""
    project.write(project.base / "mlops.toml", '[[performance_threshold]]\nmetric = "accuracy"\nat_least = 0.99')
    project.write(project.base / "pytest.ini", "[pytest]")
    project.policy('[[performance_threshold]]\nmetric = "accuracy"\nat_least = 0.99')
    project.tests(test_it=PASSES)
    words = [option, str(project.base)]
    if by == "environment":
        monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(words))
    run = project.run(*(words if by == "argument" else []), apart=True)
    assert run.status == 4
    assert f"write {option}=PATH, with an equals sign" in run.out


def test_a_root_elsewhere_is_refused(project: Project) -> None:
    project.policy('[[performance_threshold]]\nmetric = "accuracy"\nat_least = 0.99')
    project.tests(test_it=PASSES)
    project.write(project.base / "pytest.ini", "[pytest]")
    run = project.run(f"--rootdir={project.base}", str(project.path), apart=True)
    assert run.status == 4
    assert "lies outside of pytest's root" in run.out
