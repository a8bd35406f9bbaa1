"""Training in fresh processes: that the function is found, that trouble is told, and that nobody is left behind."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation, EvidenceError
from pytest_mlops.evidence.retraining import RetrainingError, find, retrain

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals are POSIX's")

GOOD = """
from pytest_mlops import Evaluation

def train(seed):
    import numpy as np
    random = np.random.default_rng(seed)
    y = np.arange(60) % 2
    return Evaluation(y, y, random.random(60), row_ids=[f"row {k}" for k in range(60)], sensitive_features={"s": y})
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory of its own, and the modules of others as they were."""
    monkeypatch.chdir(tmp_path)
    known = dict(sys.modules)
    yield
    for name, found in list(sys.modules.items()):
        if found is not known.get(name) and str(tmp_path) in str(getattr(found, "__spec__", "")):
            del sys.modules[name]
            sys.modules.update({name: known[name]} if name in known else {})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Write a module and import it."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(text: str) -> ModuleType:
        (tmp_path / "trainer.py").write_text(textwrap.dedent(text), encoding="utf-8")
        return importlib.import_module("trainer")

    return made


def loaded(name: str, file: Path, text: str) -> Any:
    """As pytest's import mode importlib does it: `sys.path` does not lead there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def once(function: Callable[..., Any], timeout: float = 60, **known: Any) -> Evaluation:
    (evaluation,) = retrain(function, **{"seed": 0, "runs": 1, "timeout": timeout, **known})
    return evaluation


def failing(function: Callable[..., Any], timeout: float = 60) -> RetrainingError:
    with pytest.raises(RetrainingError) as caught:
        once(function, timeout)
    return caught.value


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and ") Z " in status.read_text())  # a zombie is dead


def gone(pid: int, within: float = 10) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def written(file: Path, within: float = 20) -> str:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if file.exists() and file.read_text():
            return file.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{file} was not written")


def test_an_evaluation_comes_back_whole(module: Callable[[str], Any]) -> None:
    train = module(GOOD).train
    evaluation = once(train, seed=3)
    here = train(3)
    assert (evaluation.data_digest, evaluation.prediction_digest) == (here.data_digest, here.prediction_digest)
    assert evaluation.prediction_digest != train(4).prediction_digest


def test_what_a_run_sees(module: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("KEPT", "yes")
    (tmp_path / "trainer_good.py").write_text(GOOD)
    train = module(
        """
        import json, os, sys
        from trainer_good import train as good
        def train(seed):
            names = ("PYTHONHASHSEED", "MLOPS_RETRAINING", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "KEPT")
            seen = {name: os.environ.get(name) for name in names}
            seen |= {"cwd": os.getcwd(), "argv": len(sys.argv), "pytest": "pytest" in sys.modules, "seed": seed}
            seen["input"] = sys.stdin.read()
            with open("seen", "a") as file:
                print(json.dumps(seen), file=file)
            return good(seed)
        """
    ).train
    told: list[str] = []
    retrain(train, seed=5, runs=3, timeout=60, tell=lambda words, _: told.append(words))
    assert told == ["training run 1 of 3", "training run 2 of 3", "training run 3 of 3"]
    seen = [json.loads(line) for line in Path("seen").read_text().splitlines()]
    for run, run_seen in enumerate(seen):
        assert run_seen == {
            "PYTHONHASHSEED": str(run),
            "MLOPS_RETRAINING": "1",
            "PYTEST_CURRENT_TEST": None,
            "PYTEST_XDIST_WORKER": None,
            "KEPT": "yes",
            "cwd": str(tmp_path),
            "argv": 1,
            "pytest": False,
            "seed": 5,
            "input": "",
        }


# Which functions a fresh process finds


def test_two_conftests_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in pytest's import mode prepend: the last one is in sys.modules, and its folder is first on sys.path."""
    both = []
    for folder in ("one", "two"):
        monkeypatch.syspath_prepend(tmp_path / folder)
        text = GOOD + f"\nwith open('imported', 'a') as file: file.write('{folder} ')\n"
        both.append(loaded("conftest", tmp_path / folder / "conftest.py", text))
    for conftest in both:
        Path("imported").unlink(missing_ok=True)
        once(conftest.train)
        assert Path("imported").read_text().split() == [Path(conftest.__file__).parent.name]


@pytest.mark.parametrize("package", [True, False], ids=["package", "namespace"])
@pytest.mark.parametrize("stray", [True, False], ids=["with a stray namesake", "alone"])
def test_relative_imports_of_a_dotted_conftest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: bool, stray: bool
) -> None:
    root = tmp_path / "root"
    (root / "tests/arrests").mkdir(parents=True)
    (root / "tests/arrests/data.py").write_text("ROWS = 60")
    if package:
        for folder in ("tests", "tests/arrests"):
            (root / folder / "__init__.py").touch()
    if stray:
        (tmp_path / "site/tests").mkdir(parents=True)
        (tmp_path / "site/tests/__init__.py").touch()
        monkeypatch.syspath_prepend(tmp_path / "site")
    text = GOOD.replace("def train(seed):", "def train(seed):\n    from . import data; assert data.ROWS == 60")
    conftest = loaded("tests.arrests.conftest", root / "tests/arrests/conftest.py", text)
    assert once(conftest.train).n == 60


@pytest.mark.parametrize("name", ["my_project.tests.conftest", "quite.another"])
def test_a_name_that_no_path_leads_to(tmp_path: Path, name: str) -> None:
    """pytest replaces dots in folders' names."""
    home = tmp_path / "my.project/tests"
    home.mkdir(parents=True)
    (home / "data.py").write_text("ROWS = 60")
    text = GOOD.replace("def train(seed):", "def train(seed):\n    from . import data; assert data.ROWS == 60")
    assert once(loaded(name, home / "conftest.py", text).train).n == 60


def test_the_function_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src/credit").mkdir(parents=True)
    (tmp_path / "src/credit/__init__.py").write_text(GOOD)
    monkeypatch.syspath_prepend(tmp_path / "src")
    assert once(importlib.import_module("credit").train).n == 60


def test_other_callables_of_a_module(module: Callable[[str], Any]) -> None:
    found = module(
        GOOD
        + textwrap.dedent(
            """
            import functools
            def logged(function):
                @functools.wraps(function)
                def wrapper(*args):
                    return function(*args)
                return wrapper
            wrapped = logged(train)
            wrapped.__qualname__ = "wrapped"
            @functools.cache
            def cached(seed):
                return train(seed)
            class Trainer:
                @staticmethod
                def train(seed):
                    return train(seed)
            """
        )
    )
    for function in (found.wrapped, found.cached, found.Trainer.train):
        assert once(function).n == 60


class Trainer:
    def train(self, seed: int) -> None: ...
    @classmethod
    def build(cls, seed: int) -> None: ...
    def __call__(self, seed: int) -> None: ...


def plain(seed: int) -> None: ...
def seedless() -> None: ...
def greedy(seed: int, rows: int) -> None: ...


@pytest.fixture
def as_fixture() -> None: ...


def nested() -> Callable[[int], None]:
    def train(seed: int) -> None: ...

    return train


rebound = plain
assigned = lambda seed: None  # noqa: E731


def doubled(seed: int) -> None: ...


first_doubled = doubled


def doubled(seed: int) -> None: ...  # type: ignore[no-redef]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (functools.partial(greedy, rows=3), "is a functools.partial, which a fresh process cannot find"),
        (assigned, "is a lambda"),
        (nested(), "is defined inside nested"),
        (Trainer().train, "is a method, Trainer.train"),
        (Trainer.build, "is a method, Trainer.build"),
        (Trainer(), "is an object of the class Trainer"),
        (as_fixture, "is a pytest fixture itself"),
        (as_fixture.__wrapped__, "is not the function that mlops_train gave, but another object of that name"),  # type: ignore[attr-defined]
        (first_doubled, "is not the function that mlops_train gave"),
        (seedless, "seedless cannot be called with a seed alone"),
        (greedy, "define train(seed: int)"),
    ],
)  # fmt: skip
def test_functions_that_are_refused(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=r"(?s)^(mlops_train|tests)") as caught:
        find(function)
    assert message in str(caught.value)


def test_a_function_under_another_name_is_found() -> None:
    assert find(rebound).qualname == "plain"


def test_a_function_of_the_running_program() -> None:
    program = """
from pytest_mlops.evidence.retraining import retrain
def train(seed): ...
try: retrain(train, seed=0, runs=1, timeout=9)
except ValueError as error: print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "is a function of the program that is running, which a fresh process cannot import" in done.stdout
    assert "define it at the top level of a module, e.g. conftest.py" in done.stdout


def test_a_training_does_not_train_again(module: Callable[[str], Any]) -> None:
    """A module that asks the gate when it is imported would start processes for ever."""
    found = module(
        GOOD
        + textwrap.dedent(
            """
            import os
            from pytest_mlops.evidence.retraining import retrain
            if os.environ.get("MLOPS_RETRAINING"):
                retrain(train, seed=0, runs=1, timeout=60)
            """
        )
    )
    assert "importing the module of mlops_train must not ask the gate" in str(failing(found.train))


# Trouble in the process that trains


def test_an_exception(module: Callable[[str], Any]) -> None:
    error = failing(
        module(
            """
            def fit(): raise ValueError("no convergence\\nat all")
            def train(seed):
                print("epoch 1")
                fit()
            """
        ).train
    )
    assert str(error) == "training run 1 of 1 raised ValueError: no convergence at all"
    assert "in train\n    fit()\n" in error.traceback
    assert "retrain_child" not in error.traceback
    assert error.output == "epoch 1"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "training run 1 of 1 returned a int, expected an Evaluation"),
        ("return None", "returned a NoneType"),
        ("import decimal; return decimal.Decimal(1)", "returned a decimal.Decimal"),
        ("import sys; sys.exit(0)", "called sys.exit(0)"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("raise Exception", "raised Exception"),
        ("raise Exception('x' * 10_000)", "raised Exception: xxx"),
        ("import os; os._exit(0)", "ended with exit status 0 before train returned"),
        ("import os; print('bye'); os._exit(3)", "exit status 3 before train returned; it printed last: bye"),
        ("import no_such_module", "raised ModuleNotFoundError: No module named 'no_such_module'"),
        ("from pytest_mlops import Evaluation as E; return E([0, 1], [0, float('nan')])", "y_pred has 1 missing value"),
    ],
)  # fmt: skip
def test_no_evaluation(module: Callable[[str], Any], body: str, message: str) -> None:
    error = failing(module(f"def train(seed):\n    {body}").train)
    assert message in str(error)
    assert len(str(error)) < 1000


def test_a_module_that_imports_only_here(module: Callable[[str], Any]) -> None:
    error = failing(module("import os\nif 'MLOPS_RETRAINING' in os.environ: 1 / 0\ndef train(seed): ...").train)
    assert "raised ZeroDivisionError" in str(error)


@POSIX
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_signal(module: Callable[[str], Any], name: str) -> None:
    error = failing(module(f"import os, signal\ndef train(seed): os.kill(os.getpid(), signal.{name})").train)
    assert f"was killed by {name}" in str(error)


def test_a_crash_says_where(module: Callable[[str], Any]) -> None:
    error = failing(module("import faulthandler\ndef train(seed):\n    faulthandler._sigsegv()").train)
    assert "trainer.py" in str(error)
    assert "line 3 in train" in error.traceback


def test_output_is_bounded_and_harmless(module: Callable[[str], Any]) -> None:
    error = failing(
        module(
            """
            import sys, os
            def train(seed):
                sys.stdout.buffer.write(b"\\xff\\xfe" * 10)
                for k in range(20_000): print("line", k, "x" * 50)
                os._exit(1)
            """
        ).train
    )
    assert len(error.output) < 10_000
    assert "line 19999" in error.output
    assert "line 0 " not in error.output


# Time, and what is left behind

HANGS = """
import os, subprocess, sys, time
from pathlib import Path
def train(seed):
    kin = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path("staged").write_text(f"{os.getpid()} {kin.pid}")
    os.replace("staged", "pids")
    time.sleep(60)
"""


@POSIX
def test_a_training_that_hangs_is_stopped_with_its_kin(module: Callable[[str], Any]) -> None:
    error = failing(module(HANGS).train, timeout=2)
    assert "took longer than 2 s and was stopped (raise timeout=" in str(error)
    assert "trainer.py" in str(error)
    assert "line 8 in train" in str(error)
    assert all(gone(int(pid)) for pid in Path("pids").read_text().split())


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_the_end_of_the_parent_is_the_end_of_all(tmp_path: Path, name: str) -> None:
    (tmp_path / "trainer.py").write_text(HANGS)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import trainer; "
    program += "from pytest_mlops.evidence.retraining import retrain as r; "
    program += "r(trainer.train, seed=0, runs=2, timeout=600)"
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE) as parent:
        pids = [int(pid) for pid in written(tmp_path / "pids").split()]
        assert all(alive(pid) for pid in pids)
        parent.send_signal(getattr(signal, name))
        _, said = parent.communicate(timeout=20)
    assert all(gone(pid) for pid in pids)
    if name == "SIGINT":
        assert b"KeyboardInterrupt" in said
        assert not list(folder.iterdir())


@POSIX
def test_what_is_left_running_by_a_training_that_ended_is_stopped(module: Callable[[str], Any]) -> None:
    train = module(
        GOOD.replace(
            "def train(seed):",
            "def train(seed):\n"
            "    import subprocess, sys, threading, time\n"
            "    kin = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            "    with open('pid', 'w') as file: file.write(str(kin.pid))\n"
            "    threading.Thread(target=time.sleep, args=(60,)).start()",
        )
    ).train
    started = time.monotonic()
    assert once(train).n == 60
    assert time.monotonic() - started < 10
    assert gone(int(Path("pid").read_text()))


@pytest.mark.parametrize("body", [GOOD, "def train(seed): 1 / 0"])
def test_no_file_is_left_behind(
    module: Callable[[str], Any], body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    try:
        once(module(body).train)
    except RetrainingError:
        assert "1 / 0" in body
    assert not list((tmp_path / "temporary").iterdir())


def test_processes_of_the_training_itself(module: Callable[[str], Any]) -> None:
    """A started process imports the main program again, which is ours: nothing may happen then."""
    train = module(
        GOOD.replace(
            "def train(seed):",
            "def square(x):\n    return x * x\n\n"
            "def train(seed):\n"
            "    import multiprocessing\n"
            "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
            "        assert pool.map(square, range(5)) == [0, 1, 4, 9, 16]",
        )
    ).train
    assert once(train).n == 60


def test_a_training_may_tidy_up_behind_itself(module: Callable[[str], Any]) -> None:
    body = "def train(seed):\n    import atexit, os; os.mkdir('shared'); atexit.register(os.rmdir, 'shared')"
    assert once(module(GOOD.replace("def train(seed):", body)).train).n == 60
    assert not Path("shared").exists()


def test_a_crash_behind_the_answer_changes_nothing(module: Callable[[str], Any]) -> None:
    body = "def train(seed):\n    import atexit, os; atexit.register(os.abort)"
    assert once(module(GOOD.replace("def train(seed):", body)).train).n == 60


def test_answers_that_cannot_be_read(module: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise ValueError("no such header")

    monkeypatch.setattr(np, "load", refused)
    assert "left predictions that cannot be read (no such header)" in str(failing(module(GOOD).train))
