"""A pytest plugin and CI quality gate that decides whether a machine-learning model may be merged.

The public names are loaded when they are first used: importing this package imports no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evidence.evaluation import Evaluation
    from .gate import Gate
    from .statistics.retraining import Folds
    from .verdict.errors import EvidenceError, MlopsCheckFailed, MlopsUsageError
    from .verdict.estimate import Estimate
    from .verdict.limits import Limits, Verdict
    from .verdict.policy import Policy
    from .verdict.result import CheckResult, Decision, GateReport

_HOMES = {
    "CheckResult": "verdict.result",
    "Decision": "verdict.result",
    "Estimate": "verdict.estimate",
    "Evaluation": "evidence.evaluation",
    "EvidenceError": "verdict.errors",
    "Folds": "statistics.retraining",
    "Gate": "gate",
    "GateReport": "verdict.result",
    "Limits": "verdict.limits",
    "MlopsCheckFailed": "verdict.errors",
    "MlopsUsageError": "verdict.errors",
    "Policy": "verdict.policy",
    "Verdict": "verdict.limits",
}

__all__ = [
    "CheckResult",
    "Decision",
    "Estimate",
    "Evaluation",
    "EvidenceError",
    "Folds",
    "Gate",
    "GateReport",
    "Limits",
    "MlopsCheckFailed",
    "MlopsUsageError",
    "Policy",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-mlops")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
