"""What people read, letter by letter.

After a wanted change: ``REGENERATE_GOLDEN=1 pytest tests/golden``, then read the difference before you commit it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report import (
    azure,
    badge,
    codequality,
    github,
    html,
    junit,
    machine,
    markdown,
    openmetrics,
    terminal,
)
from pytest_mlops.verdict.decision import decide

HERE = Path(__file__).parent


def estimate(value: float, low: float, high: float, **known: object) -> Estimate:
    facts: dict[str, object] = {"confidence": 0.95, "method": "by hand", "n": 1488, "standard_error": 0.01, **known}
    return Estimate(value=value, low=low, high=high, **facts)  # type: ignore[arg-type]


def result(family: str, subject: str, verdict: Verdict, message: str, line: int, **known: object) -> CheckResult:
    test = {"nodeid": f"tests/test_model.py::test_{line}", "file": "tests/test_model.py", "line": line}
    details = {"test": test, "notes": known.pop("notes", [])}
    facts: dict[str, object] = {"model": "credit", "details": details, **known}
    return CheckResult(id=f"{family}:{subject}", family=family, verdict=verdict, message=message, **facts)  # type: ignore[arg-type]


RESULTS = (
    result(
        "performance_threshold", "roc_auc", Verdict.PASS, "roc_auc is fine.", 3,
        estimate=estimate(0.7178, 0.6872, 0.7513, blind_spot=0.0138), limits=Limits(at_least=0.66),
    ),
    result(
        "performance_threshold", "root_mean_squared_error", Verdict.WARN, "Inside the limit, but near it.", 7,
        estimate=estimate(12345.6, 11800.2, 12910.4, blind_spot=231.0), limits=Limits(at_most=15000, warn_above=12000),
    ),
    result(
        "performance_threshold", "recall", Verdict.INCONCLUSIVE, "Looks fine, not proven.", 11,
        estimate=estimate(0.71, 0.66, 0.76, blind_spot=0.021), limits=Limits(at_least=0.7),
    ),
    result(
        "champion_challenger", "roc_auc", Verdict.FAIL, "The harm is significant: worse by more than the margin.", 15,
        estimate=estimate(-0.0336, -0.0607, -0.0064, null=0.0, p_value=0.008, blind_spot=0.0386),
        limits=Limits(at_least=-0.02),
    ),
    result(
        "champion_challenger", "mean_absolute_error", Verdict.ERROR, "There is no champion.", 19,
        limits=Limits(at_least=-0.5),
    ),
    result(
        "champion_challenger", "f1:women", Verdict.PASS, "The predictions equal the champion's.", 23,
        estimate=estimate(0.0, 0.0, 0.0, null=0.0, p_value=1.0, exact=True, blind_spot=0.0, standard_error=None),
        limits=Limits(at_least=-0.02), notes=["the predictions are constant: every row is 'no'"],
    ),
    result(
        "drift", "auto", Verdict.FAIL, "1 FAIL, 4 PASS of 5 parts. citizen: the harm is significant.", 31,
        estimate=estimate(0.102, 0.073, 0.133, null=0.0, p_value=0.0001, blind_spot=0.11), limits=Limits(at_most=0.1),
    ),
    result(
        "fairness", "demographic_parity_difference:colour", Verdict.WAIVED, "FAIL, but waived until 2999-12-31.", 35,
        estimate=estimate(0.24, 0.18, 0.3, null=0.0, p_value=0.001, blind_spot=0.22), limits=Limits(at_most=0.2),
    ),
    result("reproducibility", "predictions", Verdict.MISSING, "The policy asks it, and no test gave its answer.", 39),
    CheckResult(
        id="session:incomplete", model="session", family="session", verdict=Verdict.ERROR,
        message="1 test of the gate gave no complete answer: tests/test_model.py::test_27 was skipped.",
    ),
)  # fmt: skip
PROVENANCE = {
    "git": {"commit": "0123456789abcdef0123", "dirty": False},
    "seed": 0,
    "time": "2026-11-24T09:00:00+00:00",
    "models": {
        "credit": {
            "challenger": {"rows": 1488, "data": "d" * 64, "predictions": "a" * 64},
            "champion": {"rows": 1488, "data": "d" * 64, "predictions": "b" * 64},
            "reference": {"rows": 3246, "data": "e" * 64},
        }
    },
    "policies": {"credit": {"file": "mlops.toml", "digest": "f" * 64, "confidence": 0.95}},
    "champions": {
        "credit": {
            "promoted": {"time": "2026-11-11T08:00:00+00:00", "first": False},
            "git": {"commit": "fedcba9876543210fedc", "dirty": True},
        }
    },
    "policy_diff": {"credit": ["loosened: performance_threshold:recall: at_least 0.8 → 0.7", "added: drift:auto"]},
}  # fmt: skip
BLOCKED = GateReport(decision=decide(RESULTS), results=RESULTS, provenance=PROVENANCE)
TWO = tuple(replace(result, model=model) for model in ("churn", "credit") for result in RESULTS[:4:3])
TWO_MODELS = GateReport(decision=decide(TWO), results=TWO, provenance={})
MERGED = GateReport(decision=Decision.MERGE, results=RESULTS[:1], provenance=PROVENANCE)

READERS: dict[str, Callable[[], str]] = {
    "terminal-80.txt": lambda: terminal.render(BLOCKED, width=80, written=".mlops/report/gate.json"),
    "terminal-140.txt": lambda: terminal.render(BLOCKED, width=140, written=".mlops/report/gate.json"),
    "terminal-brief.txt": lambda: terminal.render(BLOCKED, width=80, brief=True),
    "terminal-merge.txt": lambda: terminal.render(MERGED, width=80),
    "terminal-verbose.txt": lambda: terminal.render(BLOCKED, width=80, verbose=True),
    "terminal-two-models.txt": lambda: terminal.render(TWO_MODELS, width=80),
    "summary.md": lambda: markdown.render(BLOCKED),
    "annotations.txt": lambda: "\n".join(github.render(BLOCKED, prefix="ml/")) + "\n",
    "azure.txt": lambda: "\n".join(azure.render(BLOCKED, prefix="ml/")) + "\n",
    "gate.json": lambda: machine.render(BLOCKED),
    "report.html": lambda: html.render(BLOCKED),
    "junit.xml": lambda: junit.render(BLOCKED),
    "codequality.json": lambda: codequality.render(BLOCKED),
    "metrics.txt": lambda: openmetrics.render(BLOCKED),
    "badge.json": lambda: badge.render(BLOCKED),
}


OLDER_RICH = int(version("rich").split(".")[0]) < 15  # its columns are a character wider


@pytest.mark.parametrize("name", READERS)
def test_each_reader_gets_what_was_reviewed(name: str) -> None:
    if OLDER_RICH and name.startswith("terminal"):
        pytest.skip("the golden terminals are drawn by rich 15")
    path, text = HERE / name, READERS[name]()
    if os.environ.get("REGENERATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    lines = terminal.render(BLOCKED, width=width, written="a/very/long/" * 20).splitlines()
    assert max(map(len, lines)) <= width


def test_color_adds_nothing_but_color() -> None:
    from rich.text import Text

    colored = Text.from_ansi(terminal.render(BLOCKED, color=True)).plain
    assert colored.split() == terminal.render(BLOCKED).split()
