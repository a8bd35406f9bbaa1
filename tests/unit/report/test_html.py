"""The page for the reviewer: its order, its bounds, and that nobody's name is more than a name in it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import Decision, GateReport, Limits, Verdict
from pytest_mlops.report import html

from .conftest import (
    BLOCKED,
    FAIRNESS,
    MERGED,
    PROVENANCE,
    RESULTS,
    check,
    column,
    estimate,
    hostile,
    large,
    long_winded,
    renamed,
)

HOSTILE = {
    "script": "<!-- --> <script>alert(1)</script> <details>",
    "attribute": '" onload="alert(1)" x=\'y',
    "style": "</style><style>*{display:none}</style>",
    "entity": "&lt;b&gt; &#60;",
    "link": "javascript:alert(1) https://example.com <a href=//example.com>",
    "new lines": "a\r\n::error::b",
    "ANSI": "\x1b[31mred\x1b[0m",
    "bidi": "\u202eright\u2066left\u200b",
    "surrogate": "\ud800",
    "long": "x" * 10_000,
    "empty": "",
}
OURS = frozenset(
    re.findall(
        r"\w+",
        """html head meta link title style body a header main section nav article footer h1 h2 h3 p ul li b span div dl
        dt dd table caption thead tbody tr th td code wbr details summary figure figcaption svg defs pattern rect path
        circle text""",
    )
)
VOID = frozenset({"meta", "link", "wbr"})
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Page(HTMLParser):
    """What a browser would make of the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return Counter(name for name, _ in self.tags)[tag]


def check_inert(name: str) -> None:
    text = html.render(hostile(name))
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= OURS
    assert page.count("style") == page.count("h1") == 1
    assert page.count("a") == len(re.findall('<a href="#', text))
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith(("on", "style"))]
    assert not CONTROL.search(text)
    text.encode()


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    check_inert(name)


@given(name=st.one_of(st.text(max_size=40), st.lists(st.sampled_from([*HOSTILE.values(), "<", '"', "&"])).map("".join)))
def test_any_name_is_only_a_name(name: str) -> None:
    check_inert(name)


def test_a_name_is_shown_letter_by_letter() -> None:
    assert "<b>&lt; is not <b>&lt;." in Page(html.render(hostile("<b>&lt;"))).text


def test_it_says_first_what_a_reader_needs_first() -> None:
    page = html.render(BLOCKED)
    assert page.index("Merge blocked: 2 FAIL") < page.index("<h1>") < page.index("<main")
    text = Page(page[page.index("<main") : page.index("<footer")]).text
    order = [
        "What was compared",
        "13 days before",
        "dddddddddddd",
        "What blocks the merge (4)",
        "What asks for a look (5)",
        "Everything, by family",
        "Asked otherwise than the champion was",
        "What this gate cannot see",
        "scikit-learn",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_it_needs_nothing_from_elsewhere() -> None:
    text = html.render(BLOCKED)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert not re.search(r"https?:|<script|<img|@import|url\((?!#)", text)


def test_headings_have_an_order_and_links_a_goal() -> None:
    page = Page(html.render(BLOCKED))
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    goals = [str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"]
    assert len(ids) == len(set(ids))
    assert set(goals) <= set(ids)


def test_every_table_has_a_caption_and_every_region_its_own_name() -> None:
    page = Page(html.render(BLOCKED))
    assert page.count("table") == page.count("caption") > 5
    regions = [attributes for _, attributes in page.tags if attributes.get("role") == "region"]
    assert len({attributes["aria-label"] for attributes in regions}) == len(regions) > 4
    assert all(attributes["tabindex"] == "0" for attributes in regions)
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")


@pytest.mark.parametrize("report", [BLOCKED, hostile(HOSTILE["attribute"])], ids=["ordinary", "hostile"])
def test_every_drawing_is_well_formed_and_says_what_it_shows(report: GateReport) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html.render(report), re.DOTALL)[1:]
    assert drawings
    for drawing in drawings:
        root = ET.fromstring(drawing)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"]


def test_a_blocking_card_says_what_was_expected_and_found() -> None:
    page = html.render(BLOCKED)
    card = re.findall(r"<article.*?</article>", page)[0]
    text = Page(card).text
    assert "✗ FAIL champion_challenger:roc_auc" in text.replace("_ ", "_").replace(": ", ":")
    assert "Expected improvement of at least -0.02 Found -0.034 95 % interval -0.061 to -0.006" in text
    assert "tests/test_model.py:12" in text
    assert "-0.034 (-0.061 to -0.006); limit ≥ -0.02: beyond the limit, but the interval crosses it" in card


def test_what_the_policy_blocks_stands_among_what_blocks() -> None:
    strict = {**PROVENANCE, "policies": {"credit": {"file": "mlops.toml", "digest": "f", "inconclusive": "block"}}}
    page = Page(html.render(replace(BLOCKED, provenance=strict)))
    assert "What blocks the merge (6)" in page.text
    assert "What asks for a look (3)" in page.text


def test_a_merge_has_nothing_that_blocks() -> None:
    text = Page(html.render(MERGED)).text
    assert "The challenger may merge: its one check passed." in text
    assert "✓ MERGE" in text
    assert "What blocks" not in text


def test_two_models_are_told_apart() -> None:
    two = tuple(replace(result, model=model) for model in ("churn", "credit") for result in RESULTS[:2])
    text = Page(html.render(GateReport(decision=Decision.BLOCK, results=two))).text.replace("/ ", "/")
    assert "churn/roc_auc: ROC curve" in text
    assert "credit/roc_auc: ROC curve" in text


def test_what_has_no_card_says_why_in_its_row() -> None:
    failed = tuple(check(f"drift:c{i:02}", Verdict.FAIL, f"Because of {i:02}.") for i in range(50))
    text = html.render(GateReport(decision=Decision.BLOCK, results=failed))
    assert text.count("<article") == 15
    assert text.count("<summary>Why</summary>") == 35
    assert all(text.count(f"Because of {i:02}.") == 1 for i in range(50))


def test_parts_are_shown_worst_first_and_the_rest_is_counted() -> None:
    parts = tuple(column(f"c{i:02}", Verdict.FAIL if i == 29 else Verdict.PASS, 0.2, {}) for i in range(30))
    report = GateReport(decision=Decision.BLOCK, results=(replace(RESULTS[7], parts=parts),))
    page = html.render(report)
    shown = re.findall(r"<code>(c\d\d)</code>", page[page.index('id="everything"') :])
    assert shown == ["c29", *(f"c{i:02}" for i in range(19))]
    assert "10 more parts in gate.json" in page
    assert "30 parts: 1 FAIL, 29 PASS" in page


def test_what_decides_is_never_folded_away() -> None:
    """Nor cut from the end of a long message."""
    limits, found = Limits(at_least=-0.02), estimate(-0.09, -0.12, -0.06)
    parts = tuple(
        check(f"{RESULTS[0].id}:{name}", verdict, estimate=found, limits=limits)
        for name, verdict in (("guardrail:recall", Verdict.FAIL), ("sex:Male", Verdict.PASS), ("a:b%3Ac", Verdict.FAIL))
    )
    whole = replace(RESULTS[0], parts=parts, estimate=estimate(0.01, 0.0, 0.02), message="Decided by its parts. " * 90)
    page = html.render(GateReport(decision=Decision.BLOCK, results=(whole,)))
    card = Page(re.findall(r"<article.*?</article>", page)[0])
    assert "2 FAIL of 3 parts" in card.text
    assert "guardrail: recall ✗ FAIL -0.090 (-0.120 to -0.060) ≥ -0.02" in card.text
    assert "a: b:c ✗ FAIL" in re.sub(r"(?<=b:) ", "", card.text)
    assert "Male" not in card.text
    assert card.count("details") == 0


def test_of_very_many_parts_a_card_says_at_least_how_many_decide() -> None:
    parts = tuple(column(f"c{i:02}", Verdict.FAIL, 0.2, {}) for i in range(30))
    failed = tuple(replace(RESULTS[7], id=f"drift:auto:{i}", parts=parts) for i in range(9))
    page = html.render(GateReport(decision=Decision.BLOCK, results=failed))
    cards = [Page(card).text for card in re.findall(r"<article.*?</article>", page)]
    assert all("30 FAIL of 30 parts" in card for card in cards)
    assert "30 FAIL of 30 parts, in gate.json" in cards[-1]


def test_better_is_more_than_equal() -> None:
    equal = replace(RESULTS[0], estimate=estimate(0.0, 0.0, 0.0, exact=True), limits=Limits(at_least=0.0))
    text = Page(html.render(GateReport(decision=Decision.BLOCK, results=(equal,)))).text
    assert "Expected improvement above 0 Found 0 exactly" in text
    assert "inside the limit" not in text


def test_two_questions_about_the_same_rates_have_one_figure() -> None:
    other = renamed(RESULTS[8], FAIRNESS.replace("difference", "ratio"))
    page = html.render(GateReport(decision=Decision.BLOCK, results=(RESULTS[8], other)))
    assert page.count("selection rate by group</b>") == 1


def test_a_long_name_keeps_its_end() -> None:
    name = f"drift:{'a' * 200}:the_end"
    page = Page(html.render(GateReport(decision=Decision.MERGE, results=(check(name, Verdict.PASS),))))
    assert "the_end" in page.text


@pytest.mark.parametrize("left_out", PROVENANCE)
def test_anything_may_be_missing_from_the_provenance(left_out: str) -> None:
    known = {key: value for key, value in PROVENANCE.items() if key != left_out}
    assert Page(html.render(replace(BLOCKED, provenance=known))).count("h1") == 1


def test_an_empty_report_is_a_page() -> None:
    page = Page(html.render(GateReport(decision=Decision.BLOCK, results=())))
    assert "Merge blocked: no check has run." in page.text


def test_a_family_that_is_not_known_has_its_table() -> None:
    report = GateReport(decision=Decision.MERGE, results=(check("serving_latency:p99", Verdict.PASS),))
    assert "Serving latency: 1 check" in Page(html.render(report)).text


def test_it_is_the_same_whenever_it_is_rendered() -> None:
    again = GateReport.from_json(BLOCKED.to_json())
    assert html.render(again) == html.render(BLOCKED)


def test_a_gate_of_200_checks_is_small() -> None:
    page = html.render(large())
    assert len(page.encode()) <= 300_000
    assert Page(page).count("figure") > 5
    assert "There are more pictures" in page
    assert "more like these in gate.json" in page


def test_so_is_one_whose_names_and_messages_are_long() -> None:
    assert len(html.render(long_winded()).encode()) <= 300_000


@pytest.mark.parametrize(
    "name", ['"' * 10_000, "\N{PILE OF POO}" * 10_000, "x" * 10_000], ids=["quotes", "wide", "long"]
)
def test_any_gate_is_bounded(name: str) -> None:
    page = html.render(hostile(name, checks=2_000))
    assert len(page.encode()) <= 1_500_000
    assert "1,801 more checks in gate.json" in page
