"""The page as a browser shows it: no sideways scroll, nothing fetched, readable for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mlops import Decision, GateReport, Limits, Verdict
from pytest_mlops.report import html

from ..unit.report.conftest import BLOCKED, MERGED, check, estimate, hostile, large, long_winded  # noqa: TID252

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_SLICE = check(
    "champion_challenger:roc_auc:sex and age_group:female and 65 or older", Verdict.INCONCLUSIVE,
    estimate=estimate(-0.0123, -0.1234, 0.1234), limits=Limits(at_least=-0.0123),
)  # fmt: skip
_SLICED = replace(_SLICE, id="champion_challenger:roc_auc", parts=(_SLICE,))
WIDTHS = (360, 800, 1400)
SCHEMES = ("light", "dark")
REPORTS: dict[str, Callable[[], GateReport]] = {
    "blocked": lambda: BLOCKED,
    "merged": lambda: MERGED,
    "hostile": lambda: hostile("<script>alert(1)</script><b>" + "x" * 10_000),
    "large": large,
    "long-winded": long_winded,
    "slices": lambda: GateReport(decision=Decision.REVIEW, results=(_SLICED,)),
}

Open = Callable[..., "Page"]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """A report in a window; what it asked for, said or opened beside itself fails the test."""
    seen: list[str] = []
    pages: list[Page] = []

    def open_(report: str = "blocked", width: int = 1400, scheme: Any = "light") -> Page:
        file = tmp_path / "report.html"
        file.write_text(html.render(REPORTS[report]()), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.on("request", lambda request: seen.append(request.url))
        page.goto(file.as_uri())
        assert seen.pop(0) == file.as_uri()
        return page

    yield open_
    for page in pages:
        page.close()
    assert [each for each in seen if each != "data:,"] == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", REPORTS)
def test_the_page_never_scrolls_sideways(opened: Open, report: str, width: int, scheme: str) -> None:
    page = opened(report, width, scheme)
    _unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", ["blocked", "merged"])
def test_the_verdict_is_seen_without_scrolling(opened: Open, report: str, width: int) -> None:
    box = opened(report, width).locator("h1").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_of_it_shuts_anybody_out(opened: Open, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened("blocked", width, scheme)
    _unfold(page)
    found = axe.run(page)
    assert found.response["violations"] == [], found.generate_report()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_in_pictures_is_dark_enough(opened: Open, scheme: str) -> None:
    """What axe does not measure: text of drawings, and the lines that carry the data."""
    contrasts = opened("blocked", 1400, scheme).evaluate(_CONTRASTS)
    assert {name: ratio for name, ratio in contrasts.items() if ratio < (4.5 if name == "text" else 3)} == {}
    assert {"text", "s0", "s1", "limit", "ci", "dot", "gem"} <= set(contrasts)


def test_the_colours_follow_the_reader(opened: Open) -> None:
    light, dark = (_background(opened(scheme=scheme)) for scheme in SCHEMES)
    assert light != dark


def test_it_is_printed_with_its_details(opened: Open) -> None:
    page = opened()
    assert not page.evaluate("document.querySelector('details p').checkVisibility()")
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('details p').checkVisibility()")
    assert page.locator("nav").is_hidden()
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 2


@pytest.mark.parametrize("report", ["blocked", "slices"])
def test_no_table_is_cut_on_paper(opened: Open, report: str) -> None:
    width = 718  # A4 with a browser's own margins
    page = opened(report, width)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_every_fold_and_every_table(opened: Open) -> None:
    page = opened()
    wanted = page.locator("summary, [role=region], nav a").count()
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    goals = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap((e, i) => e.matches('summary, [role=region], nav a') ? [i] : [])"
    )
    assert set(goals) <= reached


def test_a_fold_opens_at_a_key(opened: Open) -> None:
    page = opened()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1


def test_the_first_key_skips_to_the_report(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "report"


def test_what_is_focused_is_seen(opened: Open) -> None:
    page = opened()
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_no_script_runs_and_no_name_is_a_tag(opened: Open) -> None:
    page = opened("hostile")
    assert page.locator("script").count() == 0
    assert page.locator("main b").count() == page.locator("figcaption > b").count()


def _unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def _background(page: Page) -> Any:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


_CONTRASTS = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).slice(0, 3).map(x => x / 255)
      .map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + .05) / (low + .05);
  };
  const card = getComputedStyle(document.querySelector('figure')).backgroundColor;
  const found = {text: ratio(getComputedStyle(document.querySelector('svg text')).fill, card)};
  for (const name of ['s0', 's1', 'limit', 'warns', 'ci', 'dot', 'thread', 'gem']) {
    const each = document.querySelector(`svg .${name}`);
    if (each) found[name] = ratio(getComputedStyle(each)[name === 'gem' ? 'fill' : 'stroke'], card);
  }
  return found;
}"""
