"""`Gate.drift` on two pandas frames, or on a profile and a frame."""

from __future__ import annotations

from typing import Any

from pytest_mlops import Gate, Verdict

from .stopwatch import main

LIMIT = 0.1


def compare(reference: Any, current: Any) -> int:
    """How many columns FAIL; the report's pictures are drawn as well. What was not judged was not timed."""
    found = Gate(challenger=None, reference=reference, current=current).drift(at_most=LIMIT, max_blind=1.0)
    if found.verdict is Verdict.ERROR:
        raise SystemExit(found.message)
    return sum(part.verdict is Verdict.FAIL for part in found.parts)


def read(path: str) -> Any:
    """A profile is given as its path."""
    import pandas as pd

    return path if path.endswith(".profile.json") else pd.read_parquet(path)


if __name__ == "__main__":
    main(compare, read)
