"""What the report costs: each format of a gate of 200 checks with parts and pictures, beside writing its `gate.json`.

    python benchmarks/report.py

All are rendered in one process, one after another; the best of several rounds is printed.
"""

from __future__ import annotations

import time

from pytest_mlops import CheckResult, Estimate, GateReport, Limits, Verdict
from pytest_mlops.report.formats import FORMATS
from pytest_mlops.verdict.decision import decide

CHECKS = 200
ROUNDS = 3
FAMILIES = ("performance_threshold", "champion_challenger", "drift", "fairness", "reproducibility")
CURVE = {"x": [step / 79 for step in range(80)], "y": [(step / 79) ** 0.4 for step in range(80)]}
PICTURES = {
    "performance_threshold": {"kind": "precision_recall", "lines": {"challenger": CURVE}},
    "champion_challenger": {"kind": "roc", "lines": {"challenger": CURVE, "champion": CURVE}},
    "drift": {
        "kind": "histogram", "unit": "", "edges": list(range(25)),
        "shares": {"reference": [1 / 24] * 24, "current": [step / 276 for step in range(24)]},
    },
}  # fmt: skip


def main() -> None:
    """Print a line for each format."""
    report = _report()
    seconds, sizes = {}, {}
    for name, form in FORMATS.items():
        form.render(report)  # what it imports is loaded
        taken = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            text = form.render(report)
            taken.append(time.perf_counter() - started)
        seconds[name], sizes[name] = min(taken), len(text.encode())
    print(f"{CHECKS} checks, best of {ROUNDS} rounds")
    print(f"{'format':<12} {'ms':>7} {'KB':>7}  beside json")
    for name, taken_at_best in seconds.items():
        ratio = taken_at_best / seconds["json"]
        print(f"{name:<12} {taken_at_best * 1000:>7.1f} {sizes[name] / 1000:>7.1f}  {ratio:.1f} ×")


def _report() -> GateReport:
    results = tuple(_check(place) for place in range(CHECKS))
    provenance = {"seed": 0, "models": {"credit": {"challenger": {"rows": 1488, "data": "d" * 64}}}}
    return GateReport(decision=decide(results), results=results, provenance=provenance)


def _check(place: int) -> CheckResult:
    family = FAMILIES[place % len(FAMILIES)]
    parts = tuple(_result(f"{family}:check_{place}:part_{part}", family, part) for part in range(8))
    return _result(f"{family}:check_{place}", family, place, parts=parts)


def _result(name: str, family: str, place: int, parts: tuple[CheckResult, ...] = ()) -> CheckResult:
    value = 0.7 + place % 7 / 100
    known = {"value": value, "low": value - 0.03, "high": value + 0.03, "n": 1488}
    picture = {"picture": PICTURES[family]} if family in PICTURES else {"rates": {"selection_rate": known}}
    return CheckResult(
        id=name,
        model="credit",
        family=family,
        verdict=list(Verdict)[place % len(Verdict)],
        message=f"{name} is {value:.3f} on 1,488 rows, the limit is at least 0.7: it is what it is, as so often.",
        estimate=Estimate(**known, confidence=0.95, method="by hand", blind_spot=0.02),  # type: ignore[arg-type]
        limits=Limits(at_least=0.7),
        parts=parts,
        details={"test": {"nodeid": f"t.py::test_{place}", "file": "t.py", "line": place + 1}, **picture},
    )


if __name__ == "__main__":
    main()
