"""Predictions that were made elsewhere: columns of a file or a frame, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .frames import columns, pick, read


def gather(
    source: str | Path | Any,
    *,
    y_score: str | Sequence[str] | None,
    sensitive_features: str | Sequence[str] | None,
    features: Sequence[str] | None,
    **single: str | None,
) -> dict[str, Any]:
    """The arguments of `Evaluation` that are columns of `source`."""
    frame = columns(read(source) if isinstance(source, str | Path) else source, "predictions")
    found: dict[str, Any] = {what: pick(frame, name, what) for what, name in single.items() if name is not None}
    if y_score is None and "y_score" in frame:
        y_score = "y_score"
    if y_score is not None:
        picked = [pick(frame, name, "y_score") for name in _names(y_score)]
        if not picked:
            raise EvidenceError("y_score=[] names no column: name at least one, or leave it out")
        found["y_score"] = picked[0] if len(picked) == 1 else np.column_stack(picked)
    for what, names in (("sensitive_features", sensitive_features), ("features", features)):
        if names is not None:
            found[what] = {name: pick(frame, name, what) for name in _names(names)}
    return found


def _names(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names
