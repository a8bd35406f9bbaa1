"""What an installed but unused plugin costs: CPU time added to `pytest --collect-only` of one trivial test.

    python benchmarks/startup.py [rounds]

Each round runs all variants one after another, so that a busy machine slows them alike; the best of all rounds,
the least disturbed one, is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 20
CONFTEST = "from pytest_mlops import Evaluation, Gate\n"
VARIANTS = {
    "no plugin": ([], ""),
    "an empty plugin": (["-p", "empty_plugin"], ""),
    "pytest-mlops": (["-p", "pytest_mlops.plugin"], ""),
    "pytest-mlops, imported in a conftest": (["-p", "pytest_mlops.plugin"], CONFTEST),
    "numpy imported in a conftest": ([], "import numpy\n"),
}


def main(rounds: int) -> None:
    """Print a line for each variant."""
    with tempfile.TemporaryDirectory() as folder:
        projects = {name: _project(Path(folder, str(place)), name) for place, name in enumerate(VARIANTS)}
        for name, project in projects.items():
            _cpu_seconds(project, VARIANTS[name][0])  # warm the byte code
        times: dict[str, list[float]] = {name: [] for name in VARIANTS}
        for _ in range(rounds):
            for name, project in projects.items():
                times[name].append(_cpu_seconds(project, VARIANTS[name][0]))
    best = {name: min(values) * 1000 for name, values in times.items()}
    empty = best["an empty plugin"]
    print(f"CPU ms of pytest --collect-only, best of {rounds} rounds, and beside an empty plugin:")
    for name, ms in best.items():
        print(f"  {name:<38} {ms:7.1f} ms  {ms - empty:+7.1f} ms  × {ms / empty:.2f}")


def _project(folder: Path, name: str) -> Path:
    folder.mkdir()
    (folder / "test_trivial.py").write_text("def test_nothing():\n    pass\n")
    (folder / "empty_plugin.py").write_text('"""Nothing."""\n')
    (folder / "pytest.ini").write_text("[pytest]\n")
    if VARIANTS[name][1]:
        (folder / "conftest.py").write_text(VARIANTS[name][1])
    return folder


def _cpu_seconds(project: Path, options: list[str]) -> float:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(project)}
    child = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
