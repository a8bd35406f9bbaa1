"""For what draws numbers over time: OpenMetrics, as Prometheus and GitLab's metrics reports read it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from pytest_mlops.verdict.result import CheckResult, Decision, GateReport

from .text import plain

_DECISIONS = {Decision.MERGE: 0, Decision.REVIEW: 1, Decision.BLOCK: 2}
_LONGEST = 200
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "#": "%23"})
"""GitLab takes a # for the begin of a comment, wherever it stands."""

_Labels = Mapping[str, str]
_Sample = tuple[_Labels, float]


def render(report: GateReport) -> str:
    """Gauges: the decision, and of each check its verdict, its value with its interval, and its limit."""
    checks = _labelled(report.results)
    families = (
        _family("decision", "0 merge, 1 review, 2 block", [({}, _DECISIONS[report.decision])]),
        _family("check_verdict", "1 for the verdict at hand", _verdicts(checks)),
        _family("check_value", "what was estimated", _ends(checks, "value")),
        _family("check_low", "the low end of its interval", _ends(checks, "low")),
        _family("check_high", "the high end of its interval", _ends(checks, "high")),
        _family("check_limit", "the fail bound", _limits(checks)),
    )
    return "\n".join([*chain.from_iterable(families), "# EOF\n"])


def _labelled(results: Sequence[CheckResult]) -> list[tuple[_Labels, CheckResult]]:
    """Each with the labels of its own: a series that stands there twice is refused with all the others."""
    found: dict[tuple[str, str], CheckResult] = {}
    alike: Counter[tuple[str, str]] = Counter()
    for result in sorted(results, key=lambda result: (result.model, result.id)):
        model, check = (plain(name, longest=_LONGEST) or "?" for name in (result.model, result.id))
        key = (model, check)
        while key in found:
            alike[model, check] += 1
            key = (model, f"{check} ({alike[model, check] + 1})")
        found[key] = result
    return [({"model": model, "check": check}, result) for (model, check), result in found.items()]


def _verdicts(checks: Sequence[tuple[_Labels, CheckResult]]) -> Iterator[_Sample]:
    for labels, result in checks:
        yield {**labels, "verdict": result.verdict.value}, 1


def _ends(checks: Sequence[tuple[_Labels, CheckResult]], which: str) -> Iterator[_Sample]:
    for labels, result in checks:
        if result.estimate is not None:
            yield labels, getattr(result.estimate, which)


def _limits(checks: Sequence[tuple[_Labels, CheckResult]]) -> Iterator[_Sample]:
    for labels, result in checks:
        if result.limits is not None:
            side = "at_most" if result.limits.at_least is None else "at_least"
            yield {**labels, "bound": side}, result.limits.bound


def _family(name: str, words: str, samples: Iterable[_Sample]) -> list[str]:
    """What is not finite was not measured: there is no sample of it."""
    head = [f"# HELP mlops_{name} {words}", f"# TYPE mlops_{name} gauge"]
    lines = [f"mlops_{name}{_listed(labels)} {value!r}" for labels, value in samples if math.isfinite(value)]
    return [*head, *lines] if lines else []


def _listed(labels: _Labels) -> str:
    inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""
