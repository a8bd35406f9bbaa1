"""What a profile costs where the rows do not fit into memory: Parquet of up to 100,000,000 rows, by DuckDB in 1 GB.

    python benchmarks/drift_scale.py DIR                     # 10⁶, 10⁷ and 10⁸ rows: needs 8 GB in DIR, some minutes
    python benchmarks/drift_scale.py DIR 1_000_000           # other sizes
    python benchmarks/drift_scale.py DIR --keep --memory 2GB # the files stay, for the next time

Ten columns, eight of numbers and two of text, written in pieces into DIR; a smaller count where DIR has no room, said
so. Each size is profiled in a process of its own. The ratio is that of the time per row to the first size: 1 is flat.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (1_000_000, 10_000_000, 100_000_000)
COLUMNS = 10
BYTES_PER_ROW = 70
PIECE = 1_000_000
PIECES_PER_FILE = 10
MEMORY = "1GB"
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--memory", default=MEMORY, help="DuckDB's memory_limit")
    parser.add_argument("--keep", action="store_true", help="leave the files where they are")
    parser.add_argument("--profile", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.profile:
        print(json.dumps(_profile(asked.folder, asked.memory)))
    else:
        _measure(asked.folder, asked.sizes, asked.memory, asked.keep)


def _measure(folder: Path, sizes: list[int], memory: str, keep: bool) -> None:
    print(
        f"{'rows':>12}{'seconds':>10}{'ns a value':>12}{'ratio':>8}{'peak MB':>9}{'error':>9}   memory_limit={memory}"
    )
    first = None
    for asked in sizes:
        n = _that_fit(folder, asked)
        data = _written(folder, n)
        found = _in_a_child(data, memory)
        if not keep:
            shutil.rmtree(data)
        each = found["seconds"] / n / COLUMNS * 1e9
        first = first or each
        fewer = "" if n == asked else f"   {asked:,} were asked for: the disk is short"
        print(
            f"{n:12,}{found['seconds']:10.1f}{each:12.1f}{each / first:8.2f}{found['peak'] / 1e6:9.0f}"
            f"{found['error']:9.5f}{fewer}",
            flush=True,
        )


# --- the files


def _that_fit(folder: Path, n: int) -> int:
    """As many rows as leave a quarter of the free disk alone, in powers of ten."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / f"rows_{n}").exists():
        return n
    while n > PIECE and n * BYTES_PER_ROW > shutil.disk_usage(folder).free * 0.75:
        n //= 10
    return n


def _written(folder: Path, n: int) -> Path:
    """A directory of Parquet files; one that is there is used again."""
    data = folder / f"rows_{n}"
    if data.exists():
        return data
    unfinished = folder / f"rows_{n}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for place, pieces in enumerate(_files(n)):
        _write_file(unfinished / f"part_{place:03}.parquet", pieces)
        _tell(f"writing {n:,} rows", min(1.0, (place + 1) * PIECES_PER_FILE * PIECE / n))
    return unfinished.rename(data)


def _files(n: int) -> Iterator[list[tuple[int, int]]]:
    """The seed and the size of each piece, by file."""
    pieces = [(start, min(PIECE, n - start)) for start in range(0, n, PIECE)]
    for first in range(0, len(pieces), PIECES_PER_FILE):
        yield pieces[first : first + PIECES_PER_FILE]


def _write_file(path: Path, pieces: list[tuple[int, int]]) -> None:
    import pyarrow.parquet as pq

    tables = (_piece(*piece) for piece in pieces)
    table = next(tables)
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        for table in tables:
            writer.write_table(table)


def _piece(seed: int, n: int) -> Any:
    """Normal, lognormal, half zeros, cents, counts; text of 12 and of 900 categories."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"normal_{place}": rng.normal(place, size=n) for place in range(4)}
    columns["lognormal"] = rng.lognormal(size=n)
    columns["half_zeros"] = np.maximum(rng.normal(size=n), 0)
    columns["cents"] = np.round(rng.lognormal(3, 1, size=n), 2)
    columns["counts"] = rng.poisson(4, size=n).astype(np.float64)
    for many in (12, 900):
        codes = np.minimum(rng.geometric(3 / many, size=n), many) - 1
        columns[f"text_{many}"] = pa.DictionaryArray.from_arrays(codes, [f"category {code}" for code in range(many)])
    return pa.table(columns)


# --- the profile


def _in_a_child(data: Path, memory: str) -> dict[str, float]:
    command = [sys.executable, __file__, str(data), "--profile", "--memory", memory]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return found


def _profile(data: Path, memory: str) -> dict[str, float]:
    import duckdb

    from pytest_mlops.evidence.samples import sample_of

    config: dict[str, Any] = {
        "memory_limit": memory,
        "temp_directory": str(data.parent / "spilled"),
        "preserve_insertion_order": "false",
    }
    connection = duckdb.connect(config=config)
    started = time.perf_counter()
    sample = sample_of(connection.read_parquet(f"{data}/*.parquet"), "reference", tell=_tell)
    profiles = sample.profiles(sample.names)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT
    return {"seconds": seconds, "peak": peak, "error": max(_error(each, sample.rows) for each in profiles.values())}


def _error(profile: Any, rows: int) -> float:
    """How far off a distribution function may be; a column that could not be read ends the benchmark."""
    if isinstance(profile, Exception):
        raise profile
    if profile.values != rows:
        raise SystemExit(f"{profile.values:,} of {rows:,} values were counted")
    return profile.distribution.error if profile.distribution else 0.0


def _tell(words: str, share: float) -> None:
    print(f"\r{words}: {share:.0%}".ljust(60), end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
