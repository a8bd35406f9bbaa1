"""What every contender of `benchmarks/drift.py` shares: two Parquet files in, one line of JSON out.

A contender is run in this folder's parent as `python -m drift_peers.NAME REFERENCE CURRENT`, in whatever environment it
needs. Here is only what all of those have: the standard library, pandas and pyarrow.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import io
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM_ROWS = 1_000
ENOUGH_RUNS = 5

Frame = Any
Compare = Callable[[Frame, Frame], int]
"""From the two samples to the number of columns that are called drifted."""


def main(
    compare: Compare, read: Callable[[str], Frame] | None = None, size: Callable[[Frame], int] | None = None
) -> None:
    """Time a contender: the best of several, after a first run on few rows that loads whatever is loaded lazily.

    Parameters
    ----------
    compare : callable
    read : callable, optional
        From a path to a frame that has `head`; by default pandas'.
    size : callable, optional
        Bytes that a frame holds; by default pandas'.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("reference")
    parser.add_argument("current")
    parser.add_argument("--seconds", type=float, default=10.0, help="no further run begins after that long")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    read, size = read or _pandas, size or _pandas_size
    reference, current = read(asked.reference), read(asked.current)
    with contextlib.redirect_stdout(io.StringIO()):
        compare(_few(reference), _few(current))
        found = _measured(lambda: compare(reference, current), asked.seconds)
    print(json.dumps({**found, "frames": sum(map(size, (reference, current)))}))


def _pandas(path: str) -> Frame:
    import pandas as pd

    return pd.read_parquet(path)


def _pandas_size(frame: Frame) -> int:
    return 0 if isinstance(frame, str) else int(frame.memory_usage(deep=True).sum())


def _few(frame: Frame) -> Frame:
    """A path, of a profile, stands for itself."""
    return frame if isinstance(frame, str) else frame.head(WARM_ROWS)


def _measured(run: Callable[[], int], budget: float) -> dict[str, float]:
    times: list[float] = []
    busy: list[float] = []
    before = _settled()
    while len(times) < ENOUGH_RUNS and sum(times) < budget:
        started, worked = time.perf_counter(), time.process_time()
        called = int(run())
        times.append(time.perf_counter() - started)
        busy.append(time.process_time() - worked)
    return {"seconds": min(times), "cpu": min(busy), "called": called, "extra": max(0, _peak() - before)}


# --- memory


def _settled() -> int:
    """Bytes in memory once what reading has left behind is given back; the peak is counted from here on."""
    gc.collect()
    with contextlib.suppress(ImportError):
        import pyarrow

        pyarrow.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):  # Linux only: elsewhere the peak of reading stays in
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS") or _peak()


def _peak() -> int:
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _status(name: str) -> int:
    """A figure of Linux about this process, in bytes; 0 where there is none."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0
