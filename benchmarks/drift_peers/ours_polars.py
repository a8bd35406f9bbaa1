"""`Gate.drift` on two Polars frames."""

from __future__ import annotations

import polars as pl

from .ours import compare
from .stopwatch import main

if __name__ == "__main__":
    main(compare, pl.read_parquet, lambda frame: int(frame.estimated_size()))
