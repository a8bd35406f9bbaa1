"""A report in which everything happens that a page has to show, and large ones."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.verdict.decision import decide

SHARES = [0.02, 0.05, 0.09, 0.14, 0.2, 0.2, 0.14, 0.09, 0.05, 0.02]
FINE = [i / 80 for i in range(81)]
RISING = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
HISTOGRAM = {
    "kind": "histogram",
    "unit": "years",
    "edges": [float(20 + 5 * i) for i in range(11)],
    "shares": {"reference": SHARES, "current": [0.01, 0.02, 0.05, 0.09, 0.14, 0.2, 0.2, 0.15, 0.09, 0.05]},
}
BARS = {
    "kind": "bars",
    "labels": ["employed", "unemployed", "2 others"],
    "shares": {"reference": [0.7, 0.25, 0.05], "current": [0.6, 0.32, 0.08]},
}
ROC = {
    "kind": "roc",
    "lines": {
        "champion": {"x": FINE, "y": [round(x**0.4, 4) for x in FINE]},
        "challenger": {"x": FINE, "y": [round(x**0.55, 4) for x in FINE]},
    },
}
RECALLS = {
    "kind": "precision_recall",
    "lines": {"challenger": {"x": RISING, "y": [1 - 0.6 * x * x for x in RISING]}},
}
CALIBRATION = {
    "kind": "calibration",
    "lines": {
        "challenger": {
            "x": RISING[1:], "y": [x**1.2 for x in RISING[1:]], "n": [100] * 10,
            "low": [max(0.0, x**1.2 - 0.06) for x in RISING[1:]], "high": [min(1.0, x**1.2 + 0.06) for x in RISING[1:]],
        }
    },
}  # fmt: skip
PICTURES: dict[str, dict[str, Any]] = {
    "histogram": HISTOGRAM, "bars": BARS, "roc": ROC, "precision_recall": RECALLS, "calibration": CALIBRATION,
}  # fmt: skip


def estimate(value: float, low: float, high: float, **known: Any) -> Estimate:
    facts: dict[str, Any] = {"confidence": 0.95, "method": "by hand", "n": 1488, "standard_error": 0.01, **known}
    return Estimate(value=value, low=low, high=high, **facts)


def check(id_: str, verdict: Verdict, message: str = "It is so.", **known: Any) -> CheckResult:
    test = {"nodeid": "tests/test_model.py::test_it", "file": "tests/test_model.py", "line": 12}
    details = {"test": test, **known.pop("details", {})}
    facts: dict[str, Any] = {"model": "credit", "family": id_.split(":")[0], **known}
    return CheckResult(id=id_, verdict=verdict, message=message, details=details, **facts)


def column(name: str, verdict: Verdict, value: float, picture: dict[str, Any]) -> CheckResult:
    return check(
        f"drift:auto:{name}", verdict, f"{name} drifted.", limits=Limits(at_most=0.1),
        estimate=estimate(value, max(0.0, value - 0.03), value + 0.03, null=0.0, p_value=0.001, blind_spot=0.1),
        details={"column": name, "picture": picture},
    )  # fmt: skip


def group(of: str, name: str, value: float, n: int) -> CheckResult:
    rate = {"value": value, "low": value - 0.04, "high": value + 0.04, "n": n}
    return check(
        f"{of}:{name}", Verdict.PASS, estimate=estimate(value, value - 0.04, value + 0.04, n=n),
        details={"rates": {"selection_rate": rate, "false_positive_rate": None}},
    )  # fmt: skip


FAIRNESS = "fairness:demographic_parity_difference:colour"
RESULTS = (
    check(
        "champion_challenger:roc_auc", Verdict.FAIL,
        "roc_auc: challenger 0.6842 against champion 0.7178, improvement -0.034 (-0.061 to -0.006) on 1,488 paired "
        "rows. Asked: not worse by more than 0.02. Answer: the harm is significant.",
        estimate=estimate(-0.0336, -0.0607, -0.0064, null=0.0, p_value=0.008, blind_spot=0.0386),
        limits=Limits(at_least=-0.02), details={"asked": {"margin": 0.02}, "picture": ROC},
    ),
    check(
        "champion_challenger:log_loss", Verdict.PASS,
        estimate=estimate(0.012, -0.004, 0.028, null=0.0, p_value=0.9, blind_spot=0.03),
        limits=Limits(at_least=-0.03), details={"asked": {"margin": 0.03}, "picture": CALIBRATION},
    ),
    check(
        "champion_challenger:mean_absolute_error", Verdict.INCONCLUSIVE, "Looks bad, may be noise.",
        estimate=estimate(-210.0, -640.0, 215.0, null=0.0, p_value=0.2, blind_spot=700.0),
        limits=Limits(at_least=-200.0), details={"asked": {"margin": 200.0}},
    ),
    check("champion_challenger:f1:women", Verdict.PASS, "Equal.", limits=Limits(at_least=-0.02),
          estimate=estimate(0.0, 0.0, 0.0, null=0.0, exact=True),
          details={"notes": ["constant predictions"], "asked": {"margin": 0.02}}),
    check("performance_threshold:roc_auc", Verdict.INCONCLUSIVE, "roc_auc is 0.684 (0.648 to 0.721): not proven.",
          estimate=estimate(0.6842, 0.648, 0.7209, blind_spot=0.015), limits=Limits(at_least=0.66, warn_below=0.7)),
    check("performance_threshold:average_precision", Verdict.PASS, estimate=estimate(0.81, 0.78, 0.84, blind_spot=0.01),
          limits=Limits(at_least=0.7), details={"picture": RECALLS}),
    check("performance_threshold:root_mean_squared_error", Verdict.WARN, "Inside the limit, but near it.",
          estimate=estimate(12345.6, 11800.2, 12910.4, blind_spot=231.0),
          limits=Limits(at_most=15000, warn_above=12000)),
    check("drift:auto", Verdict.FAIL, "1 FAIL, 1 PASS of 2 parts. age: the harm is significant.",
          estimate=estimate(0.152, 0.123, 0.183, null=0.0, p_value=0.0001, blind_spot=0.11), limits=Limits(at_most=0.1),
          parts=(column("age", Verdict.FAIL, 0.152, HISTOGRAM), column("employed", Verdict.PASS, 0.06, BARS))),
    check(FAIRNESS, Verdict.WAIVED, "FAIL, but waived until 2999-12-31, owner model-risk: agreed.",
          estimate=estimate(0.24, 0.18, 0.3, null=0.0, p_value=0.001, blind_spot=0.22), limits=Limits(at_most=0.2),
          parts=(group(FAIRNESS, "Black", 0.52, 396), group(FAIRNESS, "White", 0.76, 1092))),
    check("reproducibility:predictions", Verdict.MISSING, "The policy asks it, and no test gave its answer."),
    CheckResult(id="session:incomplete", model="session", family="session", verdict=Verdict.ERROR,
                message="1 test of the gate gave no complete answer: tests/test_model.py::test_27 was skipped."),
)  # fmt: skip


def reign(date: str, value: float) -> dict[str, Any]:
    interval = {"value": value, "low": value - 0.03, "high": value + 0.03}
    return {"time": f"{date}T08:00:00+00:00", "commit": "c" * 40, "values": {"performance_threshold:roc_auc": interval}}


PROVENANCE: dict[str, Any] = {
    "pytest_mlops": "0.1.0", "python": "3.11.7", "platform": "linux",
    "packages": {"pytest": "9.2.0", "numpy": "2.4.6", "scikit-learn": "1.9.1"},
    "git": {"commit": "0123456789abcdef0123", "dirty": False},
    "time": "2026-11-24T11:52:24+00:00", "seed": 0,
    "models": {
        "credit": {
            "challenger": {"rows": 1488, "data": "d" * 64, "predictions": "a" * 64},
            "champion": {"rows": 1488, "data": "d" * 64, "predictions": "b" * 64},
            "reference": {"rows": 3246, "data": "e" * 64},
        }
    },
    "policies": {"credit": {"file": "mlops.toml", "digest": "f" * 64, "confidence": 0.95, "inconclusive": "warn"}},
    "champions": {
        "credit": {
            "promoted": {"time": "2026-11-11T08:00:00+00:00", "first": False},
            "git": {"commit": "fedcba9876543210fedc", "dirty": True},
            "history": [reign("2026-03-02", 0.66), reign("2026-06-15", 0.69), reign("2026-09-01", 0.705),
                        reign("2026-11-11", 0.718)],
        }
    },
    "policy_diff": {"credit": ["loosened: performance_threshold:recall: at_least 0.8 → 0.7", "added: drift:auto"]},
}  # fmt: skip
BLOCKED = GateReport(decision=decide(RESULTS), results=RESULTS, provenance=PROVENANCE)
MERGED = GateReport(decision=Decision.MERGE, results=RESULTS[1:2], provenance=PROVENANCE)


def renamed(result: CheckResult, name: str) -> CheckResult:
    parts = tuple(replace(part, id=part.id.replace(result.id, name)) for part in result.parts)
    return replace(result, id=name, parts=parts, message=(result.message * 20)[:200])


def large(checks: int = 200) -> GateReport:
    """A whole company's gate: of every check above many, with their parts and pictures."""
    lasting = RESULTS[:-2]
    results = tuple(renamed(lasting[i % 9], f"{lasting[i % 9].id}:slice_{i}") for i in range(checks))
    return GateReport(decision=decide(results), results=results, provenance=PROVENANCE)


def long_winded(checks: int = 200) -> GateReport:
    """As large a gate, of two models whose people like long names, many slices, and much to say."""
    name, lasting = "the_quarterly_net_revenue_per_customer_segment", RESULTS[:-2]
    results = tuple(_long(lasting[i % 9], f"{name}:segment_{i:03}_of_the_federal_states", i) for i in range(checks))
    return GateReport(decision=decide(results), results=results, provenance=PROVENANCE)


def _long(result: CheckResult, name: str, i: int) -> CheckResult:
    new, limits = f"{result.family}:{name}", Limits(at_most=0.1)
    parts = tuple(
        replace(
            part,
            id=f"{new}:sex and age_group:female and older than {j:02} years, living alone",
            verdict=result.verdict,
            limits=limits,
        )
        for j, part in enumerate((result.parts or (column("age", Verdict.FAIL, 0.2, HISTOGRAM),)) * 12)
    )
    model = ("the_retail_credit_risk_model", "the_small_business_credit_risk_model")[i % 2]
    return replace(result, id=new, parts=parts, message=f"{result.message} " * 40, model=model)


def hostile(name: str, checks: int = 1) -> GateReport:
    """Everything that others may name has this name."""
    picture = {
        "kind": "bars", "labels": [name, "b"], "shares": {name: [0.5, 0.5], "current": [0.1, 0.9]}, "unit": name,
    }  # fmt: skip
    one = CheckResult(
        id=f"fairness:{name}", model=name, family="fairness", verdict=Verdict.FAIL, message=f"{name} is not {name}.",
        estimate=estimate(0.7, 0.6, 0.8, method=name, blind_spot=0.04), limits=Limits(at_least=0.9),
        parts=(group(f"fairness:{name}", name, 0.5, 9), replace(column("a", Verdict.FAIL, 0.2, picture), id=name)),
        details={"test": {"nodeid": name, "file": name, "line": 1}, "notes": [name], "picture": picture},
    )  # fmt: skip
    other = replace(one, id=name, family=name, verdict=Verdict.WARN)
    session = CheckResult(id=f"session:{name}", model="session", family="session", verdict=Verdict.ERROR, message=name)
    provenance = {
        "models": {name: {"challenger": {"rows": 1, "data": name, "predictions": name}}},
        "policies": {name: {"file": name, "digest": name}},
        "champions": {name: {"promoted": {"time": name}, "git": None}},
        "policy_diff": {name: [name]}, "packages": {name: name}, "git": {"commit": name, "dirty": True}, "seed": 0,
    }  # fmt: skip
    results = (*(replace(one, id=f"{one.id}:{i}") for i in range(checks)), other, session)
    return GateReport(decision=Decision.BLOCK, results=results, provenance=provenance)


NOT_DRAWABLE = {
    "no number": estimate(math.nan, math.nan, math.nan),
    "infinite": estimate(0.5, -math.inf, math.inf),
    "all the same": estimate(0.9, 0.9, 0.9),
    "too far apart": estimate(0.0, -1.7e308, 1.7e308),
}
