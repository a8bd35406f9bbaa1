"""Predictions that were made elsewhere: columns of a file or a frame, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .frames import columns, pick, read

if TYPE_CHECKING:
    from numpy.typing import NDArray


def gather(
    source: str | Path | Any,
    *,
    y_score: str | Sequence[str] | None,
    sensitive_features: str | Sequence[str] | None,
    slice_features: str | Sequence[str] | None,
    features: Sequence[str] | None,
    labels: Sequence[Any] | None,
    **single: str | Sequence[str] | None,
) -> dict[str, Any]:
    """The arguments of `Evaluation` that are columns of `source`."""
    frame = columns(read(source) if isinstance(source, str | Path) else source, "predictions")
    if y_score is None and "y_score" in frame:
        y_score = "y_score"
    wanted = {**single, "y_score": y_score}
    found: dict[str, Any] = {what: _joined(frame, names, what) for what, names in wanted.items() if names is not None}
    found["labels"] = _several(single["y_true"]) if labels is None else labels
    several = (("sensitive_features", sensitive_features), ("slice_features", slice_features), ("features", features))
    for what, names in several:
        if names is not None:
            found[what] = {name: pick(frame, name, what) for name in _names(names)}
    return found


def _joined(frame: dict[str, NDArray[Any]], names: str | Sequence[str], what: str) -> NDArray[Any]:
    """One column, or several side by side."""
    picked = [pick(frame, name, what) for name in _names(names)]
    if not picked:
        raise EvidenceError(f"{what}=[] names no column: name at least one, or leave it out")
    return picked[0] if len(picked) == 1 else np.column_stack(picked)


def _several(names: str | Sequence[str] | None) -> Sequence[str] | None:
    """The names of several columns, which are those of labels."""
    return None if names is None or len(_names(names)) < 2 else _names(names)


def _names(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names
