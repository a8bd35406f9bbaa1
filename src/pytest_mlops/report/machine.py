"""For machines: `gate.json`, and the schema it keeps."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from pytest_mlops.verdict.result import GateReport


def render(report: GateReport) -> str:
    """JSON text, ASCII only, which `GateReport.from_json` reads back."""
    return report.to_json(indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of `gate.json`."""
    text = resources.files("pytest_mlops.report").joinpath("gate.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
