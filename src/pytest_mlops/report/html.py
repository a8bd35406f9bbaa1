"""For the reviewer: `report.html`, one page that needs no script, no network, and nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

from pytest_mlops.verdict.decision import sentence
from pytest_mlops.verdict.result import SESSION, CheckResult, Decision, GateReport
from pytest_mlops.verdict.wording import count

from . import html_parts as parts
from . import phrases
from .plots import mapping
from .svg import SPACE, Markup, join, markup, tag

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STAMPS = {Decision.MERGE: "✓ MERGE", Decision.REVIEW: "! REVIEW", Decision.BLOCK: "✗ BLOCKED"}
_MOST_LINES = 40
_LONGEST_LINE = 300
_FINGERPRINT = 12
_LEGEND = "Hatched: beyond the limit, where the value is a diamond. Dashed: the warn bound. Each row has its own scale."
_HATCHING = Markup(
    '<svg width="0" height="0" aria-hidden="true" class="defs"><defs><pattern id="hatch" width="6" height="6" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="h0"/>'
    '<rect width="2" height="6" class="h1"/></pattern></defs></svg>'
)


def render(report: GateReport) -> str:
    """The whole page. What it has no room for it counts: it stays a page, however many checks there are."""
    shown = parts.Shown.of(report)
    sections = [section for section in _sections(report, shown) if section[2]]
    body = [
        tag("a", "Skip to the report", href="#report", class_="skip"),
        _HATCHING,
        _header(report, sections),
        tag("main", *(_section(*section) for section in sections), id="report", tabindex=-1),
        tag("footer", _footer(report)),
    ]
    head, body_html = _head(report), tag("body", Markup("\n"), join(body, between="\n"), Markup("\n"))
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{body_html}\n</html>\n'


def _head(report: GateReport) -> Markup:
    lines = [
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'),
        tag("meta", name="generator", content="pytest-mlops"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"Model gate: {sentence(report.decision, report.results)}"),
        Markup(f"<style>{_css()}</style>"),
    ]
    return tag("head", Markup("\n"), join(map(Markup, lines), between="\n"), Markup("\n"))


def _css() -> str:
    text = resources.files("pytest_mlops.report").joinpath("html.css").read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _header(report: GateReport, sections: Iterable[tuple[str, str, Markup]]) -> Markup:
    links = (tag("li", tag("a", title.partition(" (it ")[0], href=f"#{anchor}")) for anchor, title, _ in sections)
    time = str(report.provenance.get("time", ""))
    return tag(
        "header",
        tag("p", "Model gate", tag("span", time.replace("T", " ")) if time else "", class_="eyebrow"),
        tag(
            "div",
            tag("span", _STAMPS[report.decision], class_="stamp"),
            tag("h1", sentence(report.decision, report.results)),
            class_=f"verdict {report.decision.value}",
        ),
        _counts(report),
        tag("nav", tag("ul", *links), aria_label="Sections"),
    )


def _counts(report: GateReport) -> Markup:
    counts = [tag("li", tag("b", n), SPACE, f"{phrases.SYMBOLS[verdict]} {verdict}", class_=f"v {verdict.lower()}")
              for verdict, n in parts.tally(phrases.checks(report.results))]  # fmt: skip
    return tag("ul", *counts, class_="counts", aria_label="Checks by verdict") if counts else Markup()


def _sections(report: GateReport, shown: parts.Shown) -> Iterator[tuple[str, str, Markup]]:
    """Anchor, title, content; the verdict's reasons first, the environment last."""
    yield "compared", "What was compared", _compared(report)
    yield "blocking", f"What blocks the merge ({len(shown.blocking)})", _cards(report, shown.blocking)
    yield "review", f"What asks for a look ({len(shown.review)})", _cards(report, shown.review)
    yield "everything", "Everything, by family", _families(shown)
    yield "policy", phrases.POLICY, _lines(phrases.policy_diff(report))
    yield "unseen", phrases.UNSEEN, _lines(phrases.unseen(report))
    yield "environment", "Environment", _environment(report)


def _section(anchor: str, title: str, content: Markup) -> Markup:
    return tag("section", tag("h2", title, id=anchor), content, aria_labelledby=anchor)


def _cards(report: GateReport, results: list[CheckResult]) -> Markup:
    return parts.cards(report, results) if results else Markup()


def _families(shown: parts.Shown) -> Markup:
    families = [parts.family(shown, *each, place) for place, each in enumerate(shown.families(), start=1)]
    note = tag("p", "There are more pictures: their numbers are in gate.json.", class_="more")
    legend = tag("p", _LEGEND, class_="quiet") if families else ""
    return join([legend, *families, parts.more(shown.hidden, "checks"), note if shown.more_figures else ""])


def _compared(report: GateReport) -> Markup:
    """Who was judged, against whom, and on which rows: a sentence and a table."""
    return join([_lines(phrases.compared(report)), _evidence(report), _lines(_origins(report), class_="quiet")])


def _evidence(report: GateReport) -> Markup:
    rows = [
        tag("tr", tag("th", f"{model[:_LONGEST_LINE]}, {role}", scope="row"), *_fingerprints(mapping(found)))
        for model, roles in _by_model(report, "models")
        for role, found in roles.items()
    ]  # fmt: skip
    if not rows:
        return Markup()
    titles = (tag("th", title, scope="col") for title in ("evidence", "rows", "data", "predictions"))
    return tag(
        "div",
        tag(
            "table",
            tag("caption", "Rows, and the first letters of the fingerprints"),
            tag("thead", tag("tr", *titles)),
            tag("tbody", *rows[:_MOST_LINES]),
        ),
        parts.more(len(rows) - _MOST_LINES, "rows"),
        class_="scroll", tabindex=0, role="region", aria_label="Table of the evidence",
    )  # fmt: skip


def _fingerprints(found: Mapping[str, Any]) -> Iterator[Markup]:
    rows = found.get("rows")
    yield tag("td", f"{rows:,}" if isinstance(rows, int) else "–", class_="n")
    for what in ("data", "predictions"):
        yield tag("td", tag("code", str(found[what])[:_FINGERPRINT]) if found.get(what) else "–")


def _origins(report: GateReport) -> Iterator[str]:
    for model, policy in _by_model(report, "policies"):
        yield f"{model}, policy: {policy.get('file', 'no file')}, digest {str(policy.get('digest'))[:_FINGERPRINT]}"
    yield from filter(None, [_commit(report), _seed(report)])


def _by_model(report: GateReport, what: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(model, mapping(found)) for model, found in sorted(mapping(report.provenance.get(what)).items())]


def _commit(report: GateReport) -> str:
    """For a run that judged no model: else the comparison names it."""
    git = mapping(report.provenance.get("git"))
    return f"commit {str(git.get('commit'))[:_FINGERPRINT]}" if git and not report.provenance.get("models") else ""


def _seed(report: GateReport) -> str:
    known = [("seed", "seed"), ("pytest-mlops", "pytest_mlops")]
    return ", ".join(
        f"{words} {report.provenance[key]}" for words, key in known if report.provenance.get(key) is not None
    )


def _lines(lines: Iterable[str], class_: str | None = None) -> Markup:
    found = list(lines)
    shown = (tag("li", markup(line, longest=_LONGEST_LINE)) for line in found[:_MOST_LINES])
    listed = tag("ul", *shown, class_=class_) if found else Markup()
    return join([listed, parts.more(len(found) - _MOST_LINES, "lines")])


def _environment(report: GateReport) -> Markup:
    facts = {key: report.provenance.get(key) for key in ("pytest_mlops", "python", "platform")}
    facts |= mapping(report.provenance.get("packages"))
    known = [(key, value) for key, value in facts.items() if value][:_MOST_LINES]
    rows = (tag("div", tag("dt", key), tag("dd", value)) for key, value in known)
    return tag("dl", *rows, class_="environment") if known else Markup()


def _footer(report: GateReport) -> Markup:
    troubles = sum(result.family == SESSION for result in report.results)
    checks = count(len(report.results) - troubles, "check")
    return tag("p", f"Rendered from gate.json: {checks}.")
