"""Training again, as people define it in their conftests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import WITHOUT, Project

TRAIN = """
def train(seed):
    import numpy as np
    random = np.random.default_rng(seed)
    y = np.arange(80) % 2
    return Evaluation(y, y, random.random(80), row_ids=np.arange(80))

@pytest.fixture
def mlops_train():
    return train
"""
ASKS = "def test_again(mlops): mlops.reproducibility()"


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_a_function_of_the_conftest(project: Project, mode: str, workers: int) -> None:
    project.conftest(TRAIN)
    project.tests(test_it=ASKS)
    run = project.run(f"--import-mode={mode}", "--mlops-seed=4", workers=workers)
    assert (run.status, run.decision) == (0, "merge"), run.out
    assert run.messages == "predictions are equal bit for bit in 2 fresh processes, on 80 rows."


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("package", [True, False], ids=["package", "folder"])
def test_two_models_in_two_folders(project: Project, mode: str, package: bool) -> None:
    """Their conftests bear one name, and only one of them can be the module of that name."""
    head = "import pytest\nfrom pytest_mlops import Evaluation\n"
    for name, seed in (("good", "seed"), ("bad", "None")):
        folder = project.path / name
        folder.mkdir()
        (folder / "conftest.py").write_text(head + TRAIN.replace("default_rng(seed)", f"default_rng({seed})"))
        (folder / f"test_{name}.py").write_text(ASKS)
        (folder / "mlops.toml").write_text(f'[gate]\nmodel = "{name}"\n')
        if package:
            (folder / "__init__.py").touch()
    run = project.run(f"--import-mode={mode}", apart=True)
    assert (run.status, run.decision) == (1, "block"), run.out
    assert {result.model: result.verdict for result in run.results} == {"good": "PASS", "bad": "FAIL"}


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("def train(seed): return model(5)", None),
        ("", "there is no mlops_train"),
        ("def train(seed): import os; return model(os.getpid() % 300)", "y_pred in"),
        ("def train(seed): return model(len({'a', 'b', 'c', 'd'}) + hash('a') % 300)", "y_pred in"),
        ("def train(seed): 1 / 0", "raised ZeroDivisionError: division by zero"),
        ("def train(seed): return 0.9", "returned a float, expected an Evaluation"),
        ("def train(): return model(5)", "cannot be called with a seed alone"),
        ("train = lambda seed: model(5)", "mlops_train is a lambda"),
        ("import functools; train = functools.partial(model, n=100)", "mlops_train is a functools.partial"),
        ("@pytest.fixture\ndef train(seed): return model(5)", "is a pytest fixture itself"),
        ("@pytest.fixture\ndef mlops_train(mlops_seed): return model(5)", "mlops_train is a Evaluation, expected"),
        ("@pytest.fixture\ndef mlops_train(seed): return model(5)", "mlops_train asks for 'seed', which is no fixture"),
        ("@pytest.fixture\ndef mlops_train():\n    def fit(seed): return model(5)\n    return fit", "defined inside"),
    ],
)  # fmt: skip
def test_trainings(project: Project, train: str, message: str | None) -> None:
    given = "" if not train or "mlops_train" in train else "\n@pytest.fixture\ndef mlops_train(): return train\n"
    project.conftest(f"{train}\n{given}")
    project.tests(test_it=ASKS)
    run = project.run()
    assert run.decision == ("block" if message else "merge"), run.out
    assert run.status == (1 if message else 0)
    assert message is None or message in run.messages + run.out


@pytest.mark.skipif(sys.platform == "win32", reason="an interrupt is a POSIX signal here")
def test_an_interrupt_leaves_no_training_behind(project: Project) -> None:
    train = """
import os, time
def train(seed):
    with open("staged", "w") as file: file.write(str(os.getpid()))
    os.rename("staged", "pid")
    time.sleep(60)

@pytest.fixture
def mlops_train(): return train
"""
    project.conftest(train)
    project.tests(test_it=ASKS)
    command = [sys.executable, "-m", "pytest", "--mlops", *WITHOUT]
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.PIPE, text=True) as run:
        pid = project.path / "pid"
        assert _soon(pid.is_file)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=20)
    assert run.returncode == 2, out
    assert _soon(lambda: not _alive(int(pid.read_text())))


def _soon(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and ") Z " in status.read_text())
