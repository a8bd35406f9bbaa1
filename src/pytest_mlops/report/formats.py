"""All that a report can be turned into, by name: a file of the report directory, or lines for a CI's log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pytest_mlops.verdict.result import GateReport

from . import azure, badge, codequality, github, html, junit, machine, markdown, openmetrics, terminal


@dataclass(frozen=True, slots=True)
class Format:
    """One reader.

    Parameters
    ----------
    render : callable
        From the report to text.
    file : str or None
        Its name in the report directory; None for what goes to a log.
    mark : str
        Stands in the first lines of such a file of ours, and of no other.
    """

    render: Callable[[GateReport], str]
    file: str | None = None
    mark: str = ""


FORMATS: Mapping[str, Format] = {
    "json": Format(machine.render, "gate.json", '"schema_version"'),
    "markdown": Format(markdown.render, "summary.md", "## Model gate:"),
    "html": Format(html.render, "report.html", "pytest-mlops"),
    "junit": Format(junit.render, "junit.xml", '<testsuites name="model gate"'),
    "codequality": Format(codequality.render, "codequality.json", '"engine_name": "pytest-mlops"'),
    "openmetrics": Format(openmetrics.render, "metrics.txt", "mlops_"),
    "badge": Format(badge.render, "badge.json", '"label": "model gate"'),
    "terminal": Format(terminal.render),
    "github": Format(lambda report: _lines(github.render(report))),
    "azure": Format(lambda report: _lines(azure.render(report))),
}
ALWAYS = ("json", "markdown", "html")
"""What every run leaves."""
OPTIONAL = tuple(name for name in FORMATS if name not in (*ALWAYS, "terminal"))
"""What is written where somebody asks for it, or a CI reads it."""

_READ_BY = {
    "GITHUB_ACTIONS": ("github",),
    "GITLAB_CI": ("junit", "codequality", "openmetrics"),
    "TF_BUILD": ("azure", "junit"),
    "JENKINS_URL": ("junit",),
}
"""By a variable that the CI sets."""


def detected(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the CI at hand reads."""
    return tuple(
        name
        for variable, names in _READ_BY.items()
        if environment.get(variable, "").lower() not in ("", "false")
        for name in names
    )


def files(names: Iterable[str] = FORMATS) -> dict[str, str]:
    """Of these formats, those that are files: the file's name by the format's, `gate.json` first."""
    return {name: form.file for name, form in FORMATS.items() if form.file is not None and name in set(names)}


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
