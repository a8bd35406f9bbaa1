"""The floor: one sort of every numeric column and one count of every string column, of both samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from .stopwatch import main


def compare(reference: Any, current: Any) -> int:
    """Read all that has to be read, and decide nothing."""
    for frame in (reference, current):
        for name in frame.columns:
            if frame[name].dtype == np.float64:
                np.sort(frame[name].to_numpy())
            else:
                frame[name].value_counts()
    return 0


if __name__ == "__main__":
    main(compare)
