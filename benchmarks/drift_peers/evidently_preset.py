"""Evidently's DataDriftPreset with its defaults; its report is made, not rendered."""

from __future__ import annotations

from typing import Any

from evidently import Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]

from .stopwatch import main


def compare(reference: Any, current: Any) -> int:
    """How many columns Evidently counts as drifted."""
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    return int(next(each["value"]["count"] for each in found["metrics"] if "DriftedColumns" in each["metric_name"]))


if __name__ == "__main__":
    main(compare)
