"""A fresh process that trains once: a program, run by its path, which leaves its evaluation as plain arrays.

`retraining` starts it. Only the standard library is imported here: what else the process holds, the user's own module
has brought. It must be free of side effects when imported, because multiprocessing imports the main program again.
"""

from __future__ import annotations

import faulthandler
import importlib
import importlib.util
import io
import json
import os
import signal
import sys
import threading
import time
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

REQUEST = "request.json"
ARRAYS = "arrays.npz"
ANSWER = "answer.json"
"""Written last: where it is, the rest is whole."""
STACK = "stack.txt"
"""Where each thread was when the process crashed, or was asked."""

_LONGEST_LINE = 500
_PATIENCE = 3.0
"""Seconds that the process has to end when its answer is given."""


def main(folder: Path) -> None:
    """Do what the request in `folder` says, and leave the answer there."""
    _end_with_the_parent()
    stack = (folder / STACK).open("w")  # open for as long as the process lives
    _say_where(stack)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # nothing said is lost in a crash
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    sys.argv[1:] = []
    sys.path[:] = request["path"]
    try:
        answer = _trained(request, folder)
    except BaseException as error:  # sys.exit() as well
        answer = {"raised": _words(error), "traceback": _traceback(error)}
    staged = folder / f"{ANSWER}.staged"
    staged.write_text(json.dumps(answer), encoding="utf-8")
    staged.replace(folder / ANSWER)
    _leave_soon()


def _end_with_the_parent() -> None:
    """The parent holds the other end of our standard input. It closes when the parent ends, whatever ends it."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # training code may read its standard input, and give it to its own children
    os.close(nothing)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()


def _say_where(stack: io.TextIOBase) -> None:
    """In a crash, and when the parent asks where we hang."""
    faulthandler.enable(stack)
    if sys.platform != "win32":
        faulthandler.register(signal.SIGUSR1, stack, all_threads=True)


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _trained(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    function: Any = find_module(request["module"], request["file"])
    for name in request["qualname"].split("."):
        function = getattr(function, name)
    evaluation = function(request["seed"])

    import numpy as np

    from pytest_mlops.evidence.evaluation import Evaluation
    from pytest_mlops.evidence.storage import to_arrays

    if not isinstance(evaluation, Evaluation):
        kind = type(evaluation)
        return {"returned": kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"}
    arrays, facts = to_arrays(evaluation)
    np.savez(folder / ARRAYS, **arrays)  # type: ignore[arg-type]  # of its other argument
    return {"facts": facts}


def find_module(name: str, file: str | None) -> ModuleType:
    """The module of that name, from that very file.

    Several files may bear one name (each folder's ``conftest``), and which of them an import finds depends on
    `sys.path`. So no other file is ever run; and where an import does not lead to `file`, it is loaded from its place.
    """
    if file is None:
        return importlib.import_module(name)
    root = _root(name, Path(file))
    if root is not None and not _leads_to(name, file, root):
        sys.path.insert(0, str(root))
    if root is None or not _leads_to(name, file, root):
        return _loaded_from(name, Path(file))
    module = importlib.import_module(name)
    return module if _same(module.__file__, file) else _loaded_from(name, Path(file))


def _root(name: str, file: Path) -> Path | None:
    """The folder from which the dotted name leads to the file."""
    place = file.parent if file.stem == "__init__" else file.with_suffix("")
    parts = tuple(name.split("."))
    return place.parents[len(parts) - 1] if place.parts[-len(parts) :] == parts else None


def _leads_to(name: str, file: str, root: Path) -> bool:
    """Would an import begin in the right place? Nothing is run to find out."""
    top, *below = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return False
    if not below:
        return _same(spec.origin, file)
    places = list(spec.submodule_search_locations or ())
    return bool(places) and _same(places[0], root / top)


def _same(one: str | None, other: str | Path) -> bool:
    try:
        return one is not None and os.path.samefile(one, other)
    except OSError:
        return False


def _loaded_from(name: str, file: Path) -> ModuleType:
    """As pytest's import mode ``importlib`` does it; its packages are made first, so that relative imports work."""
    folder = file.parent.parent if file.stem == "__init__" else file.parent
    parts = name.split(".")
    for depth in range(1, len(parts)):
        package, place = ".".join(parts[:depth]), folder
        for _ in range(len(parts) - 1 - depth):
            place = place.parent
        if package not in sys.modules:
            _executed(_package(package, place))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise ImportError(f"{file} is no Python module", name=name, path=str(file))
    return _executed(spec)


def _package(name: str, place: Path) -> ModuleSpec:
    init = place / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(place)])
    if spec is None or not init.is_file():
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
    return spec


def _executed(spec: ModuleSpec) -> ModuleType:
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if spec.loader is not None:
        spec.loader.exec_module(module)
    return module


def _words(error: BaseException) -> str:
    """Type and message, on one line."""
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code!r})"[:_LONGEST_LINE]
    try:
        message = str(error)
    except Exception:
        message = ""
    name = type(error).__name__
    return f"raised {name}: {' '.join(message.split())}"[:_LONGEST_LINE] if message else f"raised {name}"


def _traceback(error: BaseException) -> str:
    """Without our own frames, which tell the reader nothing."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _leave_soon() -> None:
    """The usual end tidies up (shared memory, helpers). But a thread left behind would put it off for ever."""

    def leave() -> None:
        time.sleep(_PATIENCE)
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
