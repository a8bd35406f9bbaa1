"""The pieces of the page below its summary: cards, tables, and the figures of a family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from pytest_mlops.verdict.decision import worst_first
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits, Verdict
from pytest_mlops.verdict.result import CheckResult, GateReport
from pytest_mlops.verdict.wording import count, number, percent

from . import phrases, pictures, plots, timeline
from .plots import Figure, mapping
from .svg import SPACE, Markup, breakable, join, markup, tag

MOST_ROWS = 200
MOST_CARDS = 15
_ROOM_FOR_FIGURES = 28_000
_MOST_FIGURES = 100
_MOST_EXPLAINED = 45
_LONGEST_WHY = 300
_ROOM_FOR_MESSAGES = 7_500
_MOST_DECIDING = 16
_MOST_DECIDING_EACH = 8
_MOST_PARTS = 40
_MOST_PARTS_EACH = 20
_MOST_PICTURES_EACH = 6
_NAME = 80
"""All together: a page of 200 checks with long names stays below 300 kB, and of fewer checks it shows more."""

_EXPECTED = {"champion_challenger": "improvement of ", "drift": "drift of "}
_EXPECTED_OF_DRIFT = {
    "domain_classifier": "AUC of ",
    "mmd": "distance of ",
    "performance": "drop of ",
    "estimated_performance": "estimated drop of ",
}
"""By method, where it is not one of columns."""
_FAMILIES = {
    "performance_threshold": "Performance against thresholds",
    "champion_challenger": "Challenger against champion",
    "drift": "Drift of the data",
    "fairness": "Fairness between groups",
    "reproducibility": "Reproducibility",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page has room for, chosen once: the worst first."""

    report: GateReport
    blocking: list[CheckResult]
    review: list[CheckResult]
    rows: dict[str, list[CheckResult]]
    hidden: int
    explained: frozenset[int]
    parts: Mapping[int, int]
    figures: dict[str, list[Markup]]
    more_figures: bool

    @classmethod
    def of(cls, report: GateReport) -> Shown:
        """Choose."""
        results = worst_first(report.results)
        blocking, rest = phrases.parted(report, results)
        review = phrases.needs_words(rest)
        checks = phrases.checks(results)
        spare = max(0, MOST_ROWS - len(checks))
        figures_of_all = (figure for each in checks for figure in _drawn(report, each))
        drawn, more_figures = _room_for(figures_of_all, _ROOM_FOR_FIGURES + 150 * spare)
        rows: dict[str, list[CheckResult]] = {}
        for result in checks[:MOST_ROWS]:
            rows.setdefault(result.family, []).append(result)
        figures: dict[str, list[Markup]] = {}
        for family, figure in drawn:
            figures.setdefault(family, []).append(figure)
        shown = checks[:MOST_ROWS]
        return cls(
            report=report, blocking=blocking, review=review, rows=rows, hidden=len(checks) - len(shown),
            explained=_explained(shown, blocking, review),
            parts=_rooms(shown, {id(each): each.parts for each in shown}, _MOST_PARTS + spare // 2, _MOST_PARTS_EACH),
            figures=figures,
            more_figures=more_figures,
        )  # fmt: skip

    def families(self) -> Iterator[tuple[str, list[CheckResult]]]:
        """In the order of the table of families, others after them."""
        known = [family for family in _FAMILIES if family in self.rows]
        for family in [*known, *sorted(set(self.rows) - set(known))]:
            yield family, self.rows[family]


def verdict(result: CheckResult) -> Markup:
    """Symbol and word."""
    return tag("span", phrases.verdict(result), class_=f"v {result.verdict.lower()}")


def tally(results: Iterable[CheckResult]) -> list[tuple[Verdict, int]]:
    """How many of each, worst first."""
    found = list(results)
    counts = Counter(result.verdict for result in found)
    return list({result.verdict: counts[result.verdict] for result in worst_first(found)}.items())


def more(hidden: int, what: str) -> Markup:
    """That there is more than the page shows."""
    return tag("p", f"{hidden:,} more {what} in gate.json.", class_="more") if hidden > 0 else Markup()


def cards(report: GateReport, results: Sequence[CheckResult]) -> Markup:
    """A card for each: what was expected, what was found, in words and as a picture."""
    carded = results[:MOST_CARDS]
    deciding = {id(result): _deciding(result) for result in carded}
    rooms = _rooms(carded, deciding, _MOST_DECIDING, _MOST_DECIDING_EACH)
    longest = min(_ROOM_FOR_MESSAGES // max(len(carded), 1), 1_500)
    shown = join(_card(report, each, deciding[id(each)], rooms[id(each)], longest) for each in carded)
    return join([shown, more(len(results) - MOST_CARDS, "like these")])


def _deciding(result: CheckResult) -> Sequence[CheckResult]:
    """The slices, guardrails and columns that would give the verdict alone; groups have a say only together."""
    reasons = {Verdict.FAIL, Verdict.ERROR, result.verdict} - {Verdict.PASS}
    return [part for part in worst_first(result.parts) if part.verdict in reasons and part.limits]


def _card(report: GateReport, result: CheckResult, deciding: Sequence[CheckResult], room: int, longest: int) -> Markup:
    heading = tag("h3", verdict(result), SPACE, name(report, result))
    facts = [(term, text) for term, text in _facts(result) if text]
    listed = tag("dl", *(tag("div", tag("dt", term), tag("dd", text)) for term, text in facts)) if facts else ""
    message = tag("p", markup(result.message, longest=longest))
    return tag(
        "article",
        heading,
        tag("div", tag("div", message, listed), plots.large_interval(result), class_="sides"),
        _decided_by(report, result, deciding, room) if deciding else "",
        class_=f"card {result.verdict.lower()}",
    )


def _decided_by(report: GateReport, result: CheckResult, deciding: Sequence[CheckResult], room: int) -> Markup:
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in tally(deciding))
    caption = f"{verdicts} of {count(len(result.parts), 'part')}"
    if not room:
        return tag("p", f"{caption}, in gate.json.", class_="more")
    table, label = _listed_parts(result, deciding, room, caption), f"Parts that decide: {report.name(result)}"
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def _facts(result: CheckResult) -> Iterator[tuple[str, str]]:
    """What was expected, and what was found."""
    estimate, limits = result.estimate, result.limits
    if limits is not None:
        yield "Expected", _expected(result, limits)
    if estimate is not None:
        yield "Found", phrases.value(result).partition(" (")[0]
        if not estimate.exact:
            yield f"{percent(estimate.confidence)} interval", phrases.value(result).partition(" (")[2].rstrip(")")
        yield "Method", _method(estimate)
    yield "Test", _test(result)


def _expected(result: CheckResult, limits: Limits) -> str:
    if result.family == "champion_challenger" and limits.at_least == 0:
        return "improvement above 0"
    warn = "" if limits.warn_bound is None else f", warns from {number(limits.warn_bound)}"
    expected = _EXPECTED.get(result.family, "")
    if result.family == "drift":
        expected = _EXPECTED_OF_DRIFT.get(str(mapping(result.details.get("asked")).get("subject")), expected)
    return f"{expected}{limits.words()}{warn}"


def _method(estimate: Estimate) -> str:
    return f"{estimate.method}, {count(estimate.n, 'row')}"


def _test(result: CheckResult) -> str:
    test = mapping(result.details.get("test"))
    if not test:
        return ""
    line = "" if test.get("line") is None else f":{test['line']}"
    return f"{test.get('file', '')}{line}"


def name(report: GateReport, result: CheckResult) -> Markup:
    """Its end tells two alike apart: what is too long is cut in the middle."""
    return _breakable(report.name(result))


def _short(report: GateReport, result: CheckResult) -> str:
    """Without its family, which is the heading above."""
    return report.name(result).replace(f"{result.family}:", "", 1)


def _breakable(text: str) -> Markup:
    cut = text if len(text) <= _NAME else f"{text[: _NAME // 2]}…{text[1 - _NAME // 2 :]}"
    return tag("code", breakable(cut))


def family(shown: Shown, family: str, results: Sequence[CheckResult], place: int) -> Markup:
    """All of one family: its table, and its figures."""
    title = _FAMILIES.get(family, family.replace("_", " ").capitalize())
    figures = list(shown.figures.get(family, []))
    if family == "champion_challenger":
        forest = plots.forest([(_short(shown.report, result), result) for result in results])
        figures[:0] = [forest.html()] if forest else []
    return tag(
        "section",
        tag("h3", title, id=f"f{place}"),
        _table(shown, results, f"{title}: {count(len(results), 'check')}", place),
        tag("div", *figures, class_="figures") if figures else "",
        aria_labelledby=f"f{place}",
    )


def _table(shown: Shown, results: Sequence[CheckResult], caption: str, place: int) -> Markup:
    titles = ("check", "verdict", phrases.value_title(shown.report), "limit", "against the limit")
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles))),
            *(_row(shown, result) for result in results),
        ),
        class_="scroll", tabindex=0, role="region", aria_label=f"Table {place}: {caption}",
    )  # fmt: skip


def _row(shown: Shown, result: CheckResult) -> Markup:
    cells = tag("tr", tag("th", _breakable(_short(shown.report, result)), scope="row"), *_cells(result))
    details = _details(shown, result)
    return tag("tbody", cells, tag("tr", tag("td", details, colspan=5), class_="why") if details else "")


def _cells(result: CheckResult) -> Iterator[Markup]:
    yield tag("td", verdict(result))
    yield tag("td", phrases.value(result), class_="n")
    yield tag("td", phrases.limit(result), class_="n")
    yield tag("td", plots.interval(result))


def _details(shown: Shown, result: CheckResult) -> Markup:
    """Why, for a check without a card, and its parts."""
    room, explained = shown.parts[id(result)], id(result) in shown.explained
    summary = _summary(result, explained=explained)
    if not (explained or room):
        return tag("p", f"{summary}, in gate.json.", class_="more") if result.parts else Markup()
    parts = _parts(result, room)
    source = f"{_method(result.estimate)}. {_test(result)}" if result.estimate else _test(result)
    why = [
        tag("p", markup(result.message, longest=_LONGEST_WHY)),
        tag("p", markup(source, longest=_NAME), class_="quiet"),
    ]
    return tag("details", tag("summary", summary), *(why if explained else []), parts)


def _summary(result: CheckResult, *, explained: bool) -> str:
    listed = ", ".join(f"{n} {verdict}" for verdict, n in tally(result.parts))
    parts = f"{count(len(result.parts), 'part')}: {listed}" if listed else ""
    return "; ".join(filter(None, ["Why" if explained else "", parts]))


def _parts(result: CheckResult, room: int) -> Markup:
    caption = f"Parts of {result.id[:_NAME]}"
    return _listed_parts(result, worst_first(result.parts), room, caption) if result.parts else Markup()


def _listed_parts(result: CheckResult, parts: Sequence[CheckResult], room: int, caption: str) -> Markup:
    rows = (
        tag("tr", tag("th", _breakable(plots.part_name(result, part)), scope="row"), *_cells(part))
        for part in parts[:room]
    )
    table = tag("table", tag("caption", caption), *rows, class_="parts") if room else ""
    return join([table, more(len(parts) - room, "parts")])


def _explained(
    checks: Iterable[CheckResult], blocking: Sequence[CheckResult], review: Sequence[CheckResult]
) -> frozenset[int]:
    """The identities of the checks that say why in their rows: those that have no card, the worst first."""
    carded = {id(result) for result in (*blocking[:MOST_CARDS], *review[:MOST_CARDS])}
    return frozenset([id(result) for result in checks if id(result) not in carded][:_MOST_EXPLAINED])


def _rooms(
    results: Iterable[CheckResult], parts: Mapping[int, Sequence[CheckResult]], left: int, each: int
) -> dict[int, int]:
    """How many parts of each check are shown, by the check's identity: the worst checks take first."""
    rooms: dict[int, int] = {}
    for result in results:
        rooms[id(result)] = min(max(left, 0), each, len(parts[id(result)]))
        left -= rooms[id(result)]
    return rooms


def _room_for(figures: Iterable[tuple[str, Markup]], room: int) -> tuple[list[tuple[str, Markup]], bool]:
    """The first of them, and whether there are more; those that are not shown are never drawn."""
    drawn: list[tuple[str, Markup]] = []
    for place, (family, figure) in enumerate(figures):
        if place == _MOST_FIGURES:
            return drawn, True
        if (family, figure) in drawn:
            continue  # two questions about the same rates
        room -= len(figure)
        if room < 0:
            return drawn, True
        drawn.append((family, figure))
    return drawn, False


def _drawn(report: GateReport, result: CheckResult) -> Iterator[tuple[str, Markup]]:
    for figure in chain(_own(report, result), _of_parts(report, result), _history(report, result)):
        yield result.family, figure.html()


def _own(report: GateReport, result: CheckResult) -> Iterator[Figure]:
    figure = pictures.figure(result.details.get("picture"), _short(report, result), plots.finding(result))
    if figure:
        yield figure
    if result.family == "fairness":
        yield from plots.groups(result, _short(report, result))


def _of_parts(report: GateReport, result: CheckResult) -> Iterator[Figure]:
    with_one = [part for part in worst_first(result.parts) if part.details.get("picture")]
    for part in with_one[:_MOST_PICTURES_EACH]:
        name = f"{_short(report, result)}: {plots.part_name(result, part)}"
        figure = pictures.figure(part.details["picture"], name, plots.finding(part))
        if figure:
            yield figure


def _history(report: GateReport, result: CheckResult) -> Iterator[Figure]:
    champion = mapping(mapping(report.provenance.get("champions")).get(result.model))
    reigns = champion.get("history")
    if isinstance(reigns, list):
        models = mapping(mapping(report.provenance.get("models")).get(result.model))
        data = mapping(models.get("challenger")).get("data")
        figure = timeline.history(result, _short(report, result), reigns, data)
        yield from filter(None, [figure])
