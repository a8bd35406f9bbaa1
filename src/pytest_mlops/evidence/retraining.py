"""The same training again, each time in a fresh process, so that nothing but the seed and the data is shared."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import number

from . import retrain_child as child_program
from .evaluation import Evaluation

MARK = "MLOPS_RETRAINING"
"""Environment variable that is 1 in the processes that train, so that a conftest may know."""

_NOT_HANDED_ON = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_XDIST_", "COV_CORE_", "COVERAGE_PROCESS_")
_LAST_LINES = 40
_LONGEST_TEXT = 8_000
_GRACE = 1.0
"""Seconds that helpers of the training code have to end by themselves, when it has ended."""

_PLACE = "define it at the top level of a module, e.g. conftest.py, and let the fixture mlops_train return it"


class RetrainingError(EvidenceError):
    """A training left no evaluation.

    Parameters
    ----------
    message : str
    traceback : str
        Of the exception in the process that trained; may be empty.
    output : str
        The last lines that it printed; may be empty.
    """

    def __init__(self, message: str, *, traceback: str = "", output: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
        self.output = output


@dataclass(frozen=True, slots=True)
class Address:
    """Where a fresh process finds a function.

    Parameters
    ----------
    module, qualname : str
    file : str or None
        Of the module; None where it has none.
    """

    module: str
    qualname: str
    file: str | None


def hash_seed(run: int) -> str:
    """The ``PYTHONHASHSEED`` of a run, which counts from 0."""
    return str(run)


def retrain(
    function: Callable[..., Any],
    *,
    seed: int,
    runs: int,
    timeout: float,
    tell: Callable[[str, float], object] | None = None,
) -> tuple[Evaluation, ...]:
    """Train in fresh processes, one after another, each under another ``PYTHONHASHSEED``.

    Parameters
    ----------
    function : callable
        ``train(seed) -> Evaluation``, at the top level of a module.
    seed : int
        The same in all runs.
    runs : int
    timeout : float
        Seconds for each run.
    tell : callable, optional
        Is told what is at work, and the share that is done: ``"training run 2 of 2", 0.5``.

    Returns
    -------
    tuple of Evaluation
        Without sensitive features, clusters, time and weights.

    Raises
    ------
    EvidenceError
        A fresh process cannot find the function, or a run left no evaluation (a `RetrainingError`). Whatever is
        raised, also by the user's interrupt, no process is left behind.
    """
    address = find(function)
    if os.environ.get(MARK):
        raise EvidenceError(
            f"it was asked for in a process that trains ({MARK} is set): importing the module of mlops_train must not "
            f"ask the gate; put that code under if __name__ == '__main__'"
        )
    found = []
    for run in range(runs):
        what = f"training run {run + 1} of {runs}"
        if tell is not None:
            tell(what, run / runs)
        found.append(_train(address, seed=seed, run=run, timeout=timeout, what=what))
    return tuple(found)


def find(function: Callable[..., Any]) -> Address:
    """Where a fresh process will find the function.

    Raises
    ------
    EvidenceError
        It will not, or the function cannot be called with a seed.
    """
    why = _unnamed(function)
    if why:
        raise EvidenceError(f"mlops_train is {why}, which a fresh process cannot find: {_PLACE}")
    names = _globals(function)
    module, qualname = names.get("__name__") or function.__module__, function.__qualname__
    if module == "__main__":
        raise EvidenceError(
            f"mlops_train is a function of the program that is running, which a fresh process cannot import: {_PLACE}"
        )
    if _lookup(names, qualname) is not function:
        raise EvidenceError(
            f"{module}.{qualname} is not the function that mlops_train gave, but another object of that name: is it "
            f"decorated or defined twice? Leave the training function as it is, and let a fixture of another name "
            f"return it"
        )
    _takes_a_seed(function, f"{module}.{qualname}")
    file = names.get("__file__")
    return Address(module, qualname, None if file is None else str(Path(file).absolute()))


def _unnamed(function: Any) -> str | None:
    """What is wrong with a callable that no module holds under its own name."""
    if isinstance(function, partial):
        return "a functools.partial"
    if inspect.ismethod(function):
        return f"a method, {function.__qualname__}"
    if hasattr(function, "_fixture_function"):
        return "a pytest fixture itself (take @pytest.fixture off the training function)"
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str) or not isinstance(getattr(function, "__module__", None), str):
        return f"an object of the class {type(function).__name__}"
    if "<lambda>" in name:
        return "a lambda"
    if "<locals>" in name:
        outer = name.rpartition(".<locals>")[0]
        return f"defined inside {outer} (if that is a decorator, it needs functools.wraps)"
    return None


def _globals(function: Any) -> Mapping[str, Any]:
    """Of the function's own module; `sys.modules` may hold another one of the same name, e.g. ``conftest``."""
    own = getattr(inspect.unwrap(function), "__globals__", None)
    return own if own is not None else vars(sys.modules.get(function.__module__, object))


def _lookup(names: Mapping[str, Any], qualname: str) -> Any:
    first, *rest = qualname.split(".")
    found = names.get(first)
    for name in rest:
        found = getattr(found, name, None)
    return found


def _takes_a_seed(function: Callable[..., Any], name: str) -> None:
    try:
        inspect.signature(function).bind(0)
    except ValueError:  # it does not tell
        return
    except TypeError as error:
        raise EvidenceError(f"{name} cannot be called with a seed alone ({error}): define train(seed: int)") from None


def _train(address: Address, *, seed: int, run: int, timeout: float, what: str) -> Evaluation:
    """One run."""
    with tempfile.TemporaryDirectory(prefix="mlops-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        request = {
            "module": address.module,
            "qualname": address.qualname,
            "file": address.file,
            "seed": seed,
            "path": [os.fspath(entry) for entry in sys.path if isinstance(entry, str | os.PathLike)],
        }
        (folder / child_program.REQUEST).write_text(json.dumps(request), encoding="utf-8")
        with (folder / "output").open("w+b") as output:
            status = _run(folder, _environment(hash_seed(run)), output, timeout)
            said = _last_lines(output)
        if not (folder / child_program.ANSWER).is_file():
            why = _late(timeout) if status is None else _ended(status)
            raise _cut_short(f"{what} {why}", folder, said)
        return _read(folder, said, what)


def _environment(hash_seed: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
    return {**kept, "PYTHONHASHSEED": hash_seed, MARK: "1"}


def _run(folder: Path, environment: Mapping[str, str], output: IO[bytes], timeout: float) -> int | None:
    """The exit status; None where the time was up. When this returns or raises, the process and its kin are gone."""
    if not sys.executable:
        raise EvidenceError("this Python does not know its own program (sys.executable), so it cannot start another")
    program = [sys.executable, "-P", str(child_program.__file__), str(folder)]
    with subprocess.Popen(
        program,
        env=environment,
        stdin=subprocess.PIPE,  # it ends when this end is closed, even if we are killed
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that it can be stopped with all that it started
    ) as process:
        alone = False
        try:
            status = process.wait(timeout)
            alone = _await_kin(process)
            return status
        except subprocess.TimeoutExpired:
            _ask_where(process)
            return None
        finally:
            if not alone:
                _kill(process)


def _await_kin(process: subprocess.Popen[bytes]) -> bool:
    """Is nobody left? Helpers may have to tidy up (shared memory, temporary files) when training has ended."""
    if sys.platform == "win32":
        return True  # there is no telling
    until = time.monotonic() + _GRACE
    while time.monotonic() < until:
        try:
            os.killpg(process.pid, 0)
        except OSError:
            return True
        time.sleep(0.02)
    return False


def _ask_where(process: subprocess.Popen[bytes]) -> None:
    """It prints the lines at which its threads are."""
    if sys.platform == "win32":
        return
    process.send_signal(signal.SIGUSR1)
    try:
        process.wait(0.3)
    except subprocess.TimeoutExpired:
        return


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(OSError):  # there is nobody left
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _cut_short(why: str, folder: Path, said: str) -> RetrainingError:
    """There is no answer: where was it, and what did it say last?"""
    stack = folder / child_program.STACK
    lines = stack.read_text(encoding="utf-8", errors="replace").splitlines() if stack.is_file() else []
    dump = "\n".join(line for line in lines if str(child_program.__file__) not in line)
    place = re.search(r"^Current thread.*\n\s*(File .+)$", dump, re.MULTILINE)
    message = "; ".join([why, *([f"it was at {place[1]}"] if place else []), *_last_words(said)])
    return RetrainingError(message, traceback=_bounded(dump), output=said)


def _read(folder: Path, said: str, what: str) -> Evaluation:
    """The evaluation that a run has left."""
    found = json.loads((folder / child_program.ANSWER).read_text(encoding="utf-8"))
    if "raised" in found:
        raise RetrainingError(f"{what} {found['raised']}", traceback=_bounded(found["traceback"]), output=said)
    if "returned" in found:
        raise RetrainingError(f"{what} returned a {found['returned']}, expected an Evaluation of the trained model")
    try:
        return _restored(folder, found["facts"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RetrainingError(f"{what} left predictions that cannot be read ({error})", output=said) from error


def _restored(folder: Path, facts: Mapping[str, Any]) -> Evaluation:
    import numpy as np

    from .storage import from_arrays

    with np.load(folder / child_program.ARRAYS, allow_pickle=False) as stored:
        return from_arrays({name: stored[name] for name in stored.files}, facts)


def _late(timeout: float) -> str:
    return f"took longer than {number(timeout)} s and was stopped (raise timeout=, or train on less data)"


def _ended(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status} before train returned"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''} before train returned"


def _last_lines(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - 8 * _LONGEST_TEXT))
    lines = output.read().decode("utf-8", errors="replace").splitlines()
    return _bounded("\n".join(lines[-_LAST_LINES:]))


def _bounded(text: str) -> str:
    """The end of it tells most."""
    return text if len(text) <= _LONGEST_TEXT else f"…{text[-_LONGEST_TEXT:]}"


def _last_words(said: str) -> list[str]:
    """For a message, which is one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return [f"it printed last: {' / '.join(lines[-3:])[-300:]}"] if lines else []
