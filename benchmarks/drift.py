"""What a drift check costs: ours, the floor, a scipy loop and four peers, side by side in one run.

    python benchmarks/drift.py --peers DIR                  # 10,000, 100,000 and 1,000,000 rows a side: half an hour
    python benchmarks/drift.py 10_000                       # other sizes, no peers: seconds
    python benchmarks/drift.py --peers DIR --limit 600      # more patience with peers than 300 seconds a run

Two samples of 50 columns, 40 of numbers and 10 of text; 5 of them have drifted. Every contender is a child process that
reads the same Parquet files and takes the time of the comparison alone: the best of several, after a first one of 1,000
rows that loads what is loaded lazily. The floor is one `np.sort` of every numeric column and one `value_counts` of
every string column. Ours, the floor and scipy are run twice, in turns, so that a slow moment of the machine hits all.

Peers live in environments of their own under DIR; those that are not there are made, by `venv` and `pip`. CPU seconds
are of all threads: where others use the machine too, compare those. Memory is the peak of the process in sizes of the
two frames: 1.0 is no more than the frames themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SIZES = (10_000, 100_000, 1_000_000)
PROMISED = 1_000_000
LIMIT = 300.0
ROUNDS = 2
NUMBERS, TEXTS = 40, 10
DRIFTED = {"number_00": 0.3, "number_01": 0.4, "number_02": 0.5, "text_00": 0.3, "text_01": 0.4}
"""By how many standard deviations; of text, which share of the rows becomes the first category."""

QUIET = {
    "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "1",
    "DISABLE_LATEST_VERSION_CHECK": "1",
    "DO_NOT_TRACK": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "PYTHONWARNINGS": "ignore",
}
"""What keeps the peers from phoning home."""

EVIDENTLY_PINS = ("evidently==0.7.23", "pandas<3", "pyarrow")
DEEPCHECKS_PINS = (
    *("deepchecks==0.19.1", "scikit-learn==1.3.2", "pandas>=2.1,<2.4", "numpy==1.26.4"),
    *("setuptools<82", "plotly<6", "pyarrow<20"),
)
ALIBI_PINS = ("alibi-detect==0.13.0", "pyarrow<20")
NANNYML_PINS = ("nannyml==0.13.1", "statsmodels", "pyarrow")
"""What each peer needs beside its own pin to run at all on a current Python."""

FLOOR, OURS, SCIPY, EVIDENTLY = "floor: sort and count", "ours, pandas", "scipy loop", "Evidently, preset"


@dataclass(frozen=True)
class Contender:
    """Whom to run: a script of `drift_peers`, with a profile file as its reference or not, and what it needs."""

    name: str
    script: str
    environment: str = ""
    needs: tuple[str, ...] = ()
    from_profile: bool = False


HOUSE = (
    Contender(FLOOR, "floor"),
    Contender(OURS, "ours"),
    Contender("ours, Polars", "ours_polars"),
    Contender("ours, from a profile", "ours", from_profile=True),
    Contender(SCIPY, "scipy_loop"),
)
PEERS = (
    Contender(EVIDENTLY, "evidently_preset", "evidently", EVIDENTLY_PINS),
    Contender("deepchecks, FeatureDrift", "deepchecks_feature_drift", "deepchecks", DEEPCHECKS_PINS),
    Contender("alibi-detect, TabularDrift", "alibi_tabular_drift", "alibi-detect", ALIBI_PINS),
    Contender("NannyML, univariate", "nannyml_univariate", "nannyml", NANNYML_PINS),
)


@dataclass(frozen=True)
class Found:
    """What a child has said; seconds are infinite where it was stopped, and `why` says so or what else went wrong."""

    seconds: float = float("inf")
    cpu: float = float("inf")
    memory: float = float("nan")
    called: int = 0
    why: str = ""

    def better(self, other: Found) -> Found:
        """The faster of two runs of one contender, with the larger memory."""
        fast = min(self, other, key=lambda found: found.seconds)
        return Found(fast.seconds, min(self.cpu, other.cpu), max(self.memory, other.memory), fast.called, fast.why)


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument(
        "--peers", metavar="DIR", type=Path, help="where the environments of the peers are, or shall be"
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds after which a child is stopped")
    asked = parser.parse_args()
    pythons = {peer.name: _environment(asked.peers, peer) for peer in PEERS} if asked.peers else {}
    for n in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            _write_samples(Path(folder), n)
            found = _run_all(Path(folder), pythons, asked.limit)
        print(f"\n{n:,} rows a side, {NUMBERS} columns of numbers and {TEXTS} of text; {len(DRIFTED)} have drifted\n")
        print("\n".join([*_lines(found), "", *(_targets(found, asked.limit) if n >= PROMISED else ())]), flush=True)


# --- the samples


def _write_samples(folder: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    _sample(rng, n, {}).to_parquet(folder / "reference.parquet", index=False)
    _sample(rng, n, DRIFTED).to_parquet(folder / "current.parquet", index=False)


def _sample(rng: np.random.Generator, n: int, drifted: Mapping[str, float]) -> pd.DataFrame:
    """Normal, lognormal, half zeros, rounded; text of 3 to 48 categories, some rare."""
    shapes = (lambda x: x, np.exp, lambda x: np.maximum(x, 0), lambda x: np.round(x, 2))
    columns: dict[str, Any] = {}
    for place in range(NUMBERS):
        name = f"number_{place:02}"
        columns[name] = shapes[place // 10](rng.normal(size=n) + drifted.get(name, 0.0))
    for place in range(TEXTS):
        name, many = f"text_{place:02}", 3 + 5 * place
        weights = 1 / np.arange(1, many + 1)
        drawn = rng.choice(many, n, p=weights / weights.sum())
        drawn[rng.random(n) < drifted.get(name, 0.0)] = 0
        columns[name] = np.array([f"category {code}" for code in range(many)], dtype=object)[drawn]
    return pd.DataFrame(columns)


# --- the children


def _run_all(folder: Path, pythons: Mapping[str, str | Found], limit: float) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for _ in range(ROUNDS):
        for contender in HOUSE:
            once = _run(contender, sys.executable, folder, limit)
            found[contender.name] = once.better(found.get(contender.name, once))
    for peer in PEERS:
        if python := pythons.get(peer.name):
            found[peer.name] = python if isinstance(python, Found) else _run(peer, python, folder, limit)
    return found


def _run(contender: Contender, python: str, folder: Path, limit: float) -> Found:
    reference = folder / "reference.parquet"
    if contender.from_profile:
        reference = reference.with_suffix(".profile.json")
        if why := _profiled(reference):
            return Found(why=why)
    command = [python, "-m", f"drift_peers.{contender.script}", str(reference), str(folder / "current.parquet")]
    try:
        child = subprocess.run(
            command, cwd=HERE, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return Found(why=f"stopped after {limit:.0f} s")
    if child.returncode:
        return Found(why=f"failed: {_last_line(child.stderr)}")
    said = json.loads(child.stdout.splitlines()[-1])
    return Found(said["seconds"], said["cpu"], 1 + said["extra"] / said["frames"], said["called"])


def _profiled(profile: Path) -> str:
    """Make the file that stands in for the reference, once; why not, if not."""
    if profile.exists():
        return ""
    data = profile.with_name("reference.parquet")
    command = [
        sys.executable,
        "-c",
        "from pytest_mlops.cli import main; raise SystemExit(main())",
        "profile",
        str(data),
    ]
    child = subprocess.run([*command, "-o", str(profile)], capture_output=True, text=True, check=False)
    return f"no profile: {_last_line(child.stderr)}" if child.returncode else ""


def _environment(folder: Path, peer: Contender) -> str | Found:
    """The Python in which a peer is installed; made where it is not there."""
    home = folder.resolve() / peer.environment
    python, ready = home / "bin" / "python", home / "ready"
    if not ready.exists():
        print(f"installing {peer.environment} into {home}", file=sys.stderr, flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True, text=True)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.needs]
            subprocess.run(install, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            return Found(why=f"not available: {_last_line(error.stderr)}")
        ready.touch()
    return str(python)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing was said"])[-1][:100]


# --- the table


def _lines(found: Mapping[str, Found]) -> Iterator[str]:
    floor = found[FLOOR].seconds
    yield f"{'':28}{'seconds':>10}{'/ floor':>10}{'CPU s':>10}{'memory':>10}{'called':>10}"
    for name, each in found.items():
        if each.why:
            yield f"{name:28}{each.why}"
        else:
            called = "" if name == FLOOR else each.called
            times = f"{each.seconds:10.2f}{each.seconds / floor:10.1f}{each.cpu:10.2f}"
            yield f"{name:28}{times}{each.memory:10.2f}{called:>10}"


def _targets(found: Mapping[str, Found], limit: float) -> Iterator[str]:
    """Beside what is promised of so many rows."""
    ours, floor = found[OURS], found[FLOOR].seconds
    if ours.why:
        return
    yield f"ours / floor           {ours.seconds / floor:8.1f}   at most 2"
    yield f"memory / two frames    {ours.memory:8.2f}   at most 1.25"
    yield f"scipy loop / ours      {found[SCIPY].seconds / ours.seconds:8.1f}   at least 3"
    evidently = found.get(EVIDENTLY)
    if evidently and evidently.why.startswith("stopped"):
        yield f"Evidently / ours      > {limit / ours.seconds:7.1f}   at least 50"
    elif evidently and not evidently.why:
        yield f"Evidently / ours       {evidently.seconds / ours.seconds:8.1f}   at least 50"


if __name__ == "__main__":
    main()
