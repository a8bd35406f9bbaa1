"""Where the time of `pytest --mlops examples/arrests` goes, beside the import of its libraries.

    python benchmarks/example.py

Each part runs in a fresh process, so that none finds warm what another has loaded. The last one trains twice more, in
fresh processes of its own: that is what `reproducibility` asks for.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROUNDS = 5
LIBRARIES = (
    "import pytest, numpy, pandas, scipy.optimize, scipy.special, narwhals, rich.console, rich.table, sklego.datasets"
)
MODELS = "import examples.arrests.models, examples.arrests.data"
DATA = f"{MODELS}; arrests = examples.arrests.data.load()"
FIT = f"{DATA}; models = examples.arrests.models; models.ReleasedAtBaseRate(models.splines(0), arrests.train)"
PARTS = {
    "python": [sys.executable, "-c", "pass"],
    "… and its libraries": [sys.executable, "-c", f"{LIBRARIES}; {MODELS}"],
    "… and the data": [sys.executable, "-c", f"{LIBRARIES}; {DATA}"],
    "… and the model fitted": [sys.executable, "-c", f"{LIBRARIES}; {FIT}"],
    "pytest --mlops examples/arrests": [
        sys.executable, "-m", "pytest", "--mlops", "-q", "-p", "no:cacheprovider", "examples/arrests",
    ],
}  # fmt: skip


def main() -> None:
    """Print the best of five rounds for each part."""
    best = dict.fromkeys(PARTS, float("inf"))
    for _ in range(ROUNDS):
        for name, command in PARTS.items():
            started = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            best[name] = min(best[name], time.perf_counter() - started)
    libraries = best["… and its libraries"]
    print(f"Seconds, best of {ROUNDS} rounds, and beyond importing the libraries:")
    for name, seconds in best.items():
        print(f"  {name:<34} {seconds:6.2f} s  {seconds - libraries:+6.2f} s")


if __name__ == "__main__":
    main()
