"""The pictures of the page, one at a time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import CheckResult, Estimate, Limits, Verdict
from pytest_mlops.report import pictures, plots, timeline
from pytest_mlops.report.svg import Scale, markup, scale, tag

from .conftest import CALIBRATION, FAIRNESS, HISTOGRAM, NOT_DRAWABLE, PICTURES, RESULTS, check, estimate, group, reign

COORDINATE = re.compile(r"-?\d+(?:\.\d+)?")


def judged(found: Estimate | None, limits: Limits | None = None) -> CheckResult:
    return check("performance_threshold:roc_auc", Verdict.PASS, estimate=found, limits=limits)


def drawn(figure: plots.Figure | None) -> ET.Element:
    assert figure is not None
    assert figure.drawing is not None
    return ET.fromstring(figure.drawing)


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in root.iter() if name in each.attrib.get("class", "").split()]


def texts(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter("text")]


@pytest.mark.parametrize(
    ("found", "limits", "words"),
    [
        (estimate(0.7, 0.6, 0.8), Limits(at_least=0.5), "inside the limit"),
        (estimate(0.7, 0.6, 0.8), Limits(at_least=0.65), "inside the limit, but the interval crosses it"),
        (estimate(0.7, 0.6, 0.8), Limits(at_least=0.9), "beyond the limit"),
        (estimate(0.7, 0.6, 0.8), Limits(at_most=0.65), "beyond the limit, but the interval crosses it"),
        (estimate(0.7, 0.6, 0.8), Limits(at_least=0.6), "inside the limit, but the interval ends on it"),
        (estimate(0.7, 0.7, 0.7, exact=True), Limits(at_least=0.7), "the limit itself"),
        (estimate(0.7, 0.7, 0.7, exact=True), Limits(at_least=0.6), "inside the limit"),
        (NOT_DRAWABLE["no number"], Limits(at_least=0.9), ""),
        (NOT_DRAWABLE["infinite"], Limits(at_least=0.9), ""),
        (None, Limits(at_least=0.9), ""),
        (estimate(0.7, 0.6, 0.8), None, ""),
    ],
)  # fmt: skip
def test_the_place_is_said_in_words(found: Estimate | None, limits: Limits | None, words: str) -> None:
    assert plots.place(judged(found, limits)) == words


@pytest.mark.parametrize(
    ("limits", "side"), [(Limits(at_least=0.5), "left"), (Limits(at_most=0.9), "right")], ids=["at least", "at most"]
)
def test_the_forbidden_side_is_hatched(limits: Limits, side: str) -> None:
    root = ET.fromstring(plots.interval(judged(estimate(0.7, 0.6, 0.8), limits)))
    left, _, right, *_ = map(float, COORDINATE.findall(of_class(root, "no")[0].attrib["d"]))
    limit = float(COORDINATE.findall(of_class(root, "limit")[0].attrib["d"])[0])
    assert (left, right) == ((2, limit) if side == "left" else (limit, 148))


def test_a_value_beyond_its_limit_has_another_shape() -> None:
    inside, beyond = (
        ET.fromstring(plots.interval(judged(estimate(0.7, 0.6, 0.8), Limits(at_least=bound)))) for bound in (0.5, 0.75)
    )
    assert (len(of_class(inside, "dot")), len(of_class(inside, "gem"))) == (1, 0)
    assert (len(of_class(beyond, "dot")), len(of_class(beyond, "gem"))) == (0, 1)


def test_the_warn_bound_is_drawn_where_there_is_one() -> None:
    with_one = plots.interval(judged(estimate(0.7, 0.6, 0.8), Limits(at_least=0.5, warn_below=0.65)))
    without = plots.interval(judged(estimate(0.7, 0.6, 0.8), Limits(at_least=0.5)))
    assert len(of_class(ET.fromstring(with_one), "warns")) == 1
    assert not of_class(ET.fromstring(without), "warns")


@pytest.mark.parametrize("found", NOT_DRAWABLE.values(), ids=NOT_DRAWABLE)
def test_what_no_line_can_hold_is_not_drawn(found: Estimate) -> None:
    limits = Limits(at_least=0.9)
    assert plots.interval(judged(found, limits)) == ""
    assert plots.large_interval(judged(found, limits)) == ""


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4))
def test_any_interval_stays_within_its_picture(numbers: list[float]) -> None:
    value, low, high, bound = numbers
    try:
        limits = Limits(at_most=bound)
    except ValueError:
        limits = Limits(at_most=0.0)
    found = plots.interval(judged(estimate(value, low, high), limits))
    for path in ET.fromstring(found or "<svg/>").iter("path"):
        assert all(-6 <= float(x) <= 156 for x in COORDINATE.findall(path.attrib["d"]))


def test_differences_are_drawn_in_margins() -> None:
    one = replace(RESULTS[0], estimate=estimate(-0.02, -0.06, 0.02))
    other = replace(RESULTS[2], estimate=estimate(-200.0, -600.0, 200.0))
    root = drawn(plots.forest([("a", one), ("b", other)]))
    first, second = (re.findall(r"M(\S+) \d+H(\S+?)M", each.attrib["d"]) for each in of_class(root, "ci"))
    assert first == second
    limits = {each.attrib["d"].split(" ")[0] for each in of_class(root, "limit")}
    assert len(limits) == 1
    assert "-1" in texts(root)


def test_where_better_is_asked_the_limit_is_at_zero() -> None:
    result = replace(RESULTS[0], limits=Limits(at_least=0.0))
    root = drawn(plots.forest([("a", result)]))
    limit, zero = (COORDINATE.findall(of_class(root, name)[0].attrib["d"])[0] for name in ("limit", "zero"))
    assert limit == zero


def test_what_is_far_out_is_an_arrow_and_said_so() -> None:
    far = replace(RESULTS[0], estimate=estimate(-0.34, -0.4, -0.28))
    near, beyond = (plots.forest([("a", result)]) for result in (RESULTS[0], far))
    assert near is not None
    assert beyond is not None
    assert "arrow" not in near.says
    assert "An arrow points to what lies farther out" in beyond.says
    assert (len(of_class(drawn(near), "gem")), len(of_class(drawn(beyond), "gem"))) == (1, 0)
    assert of_class(drawn(beyond), "ci")[0].attrib["d"].count("l-5 4 5 4") == 2


def test_of_a_loss_too_the_better_side_is_called_improvement() -> None:
    figure = plots.forest([("log_loss", RESULTS[1])])
    assert figure is not None
    assert figure.title == "Improvement over the champion, in margins"


def test_the_bounds_are_named_where_there_is_room() -> None:
    apart, close = (
        ET.fromstring(plots.large_interval(judged(estimate(0.7, 0.6, 0.8), Limits(at_least=0.5, warn_below=warn))))
        for warn in (0.75, 0.52)
    )
    assert {"limit ≥ 0.5", "warns from 0.75"} <= set(texts(apart))
    assert "limit ≥ 0.5" in texts(close)
    assert "warns from 0.52" not in texts(close)


def test_a_difference_without_a_margin_is_counted_and_not_drawn() -> None:
    figure = plots.forest([("a", RESULTS[0]), ("b", replace(RESULTS[0], details={})), ("c", judged(None))])
    assert figure is not None
    assert "2 not drawn" in figure.says
    assert plots.forest([("b", judged(None))]) is None


def test_groups_are_drawn_from_the_lowest() -> None:
    figures = plots.groups(RESULTS[8], "parity")
    assert [figure.title for figure in figures] == ["selection rate by group"]
    assert [text for text in texts(drawn(figures[0])) if text in ("Black", "White")] == ["Black", "White"]
    assert "Black 0.520 of 396 rows, White 0.760 of 1,092 rows" in figures[0].says


def test_groups_of_two_columns_have_both_names() -> None:
    parts = tuple(group(FAIRNESS, f"{sex}:18%2F29", 0.5, 50) for sex in ("f", "m"))
    result = replace(RESULTS[8], parts=parts, details={"asked": {"by": ["sex", "age"]}})
    (figure,) = plots.groups(result, "parity")
    assert figure.title == "selection rate by sex and age"
    assert {"f: 18/29", "m: 18/29"} <= set(texts(drawn(figure)))


def test_of_many_groups_the_extremes_are_drawn() -> None:
    many = replace(RESULTS[8], parts=tuple(group(FAIRNESS, f"g{i:02}", 0.3 + i / 100, 50) for i in range(30)))
    figure = plots.groups(many, "parity")[0]
    named = [text for text in texts(drawn(figure)) if text.startswith("g")]
    assert named == [f"g{i:02}" for i in (*range(6), *range(24, 30))]
    assert "18 not drawn" in figure.says


@pytest.mark.parametrize("kind", PICTURES)
def test_each_kind_of_picture_is_drawn(kind: str) -> None:
    figure = pictures.figure(PICTURES[kind], "roc_auc", "0.7 (0.6 to 0.8)")
    root = drawn(figure)
    series = PICTURES[kind].get("shares") or PICTURES[kind]["lines"]
    assert set(series) <= set(texts(root))
    assert all(of_class(root, f"s{i}") for i in range(len(series)))
    assert "0.7 (0.6 to 0.8)" in root.attrib["aria-label"]


def test_a_wide_bin_is_lower_for_the_same_share() -> None:
    picture = {"kind": "histogram", "edges": [0, 1, 3], "shares": {"current": [0.5, 0.5]}}
    (outline,) = [
        each for each in of_class(drawn(pictures.figure(picture, "a", "")), "area") if "V" in each.attrib["d"]
    ][:1]
    floor, first, _, second, *_ = map(float, COORDINATE.findall(outline.attrib["d"])[1:])
    assert (floor - first) == pytest.approx(2 * (floor - second), abs=0.2)


def test_both_models_keep_their_style_in_any_order() -> None:
    lines = PICTURES["roc"]["lines"]
    turned = {"kind": "roc", "lines": dict(reversed(lines.items()))}
    assert pictures.figure(turned, "a", "") == pictures.figure(PICTURES["roc"], "a", "")


def test_labels_of_large_numbers_stay_within_the_picture() -> None:
    picture = {"kind": "histogram", "edges": [0, 1e9, 2e9, 3e9], "shares": {"current": [0.5, 0.4, 0.1]}}
    root = drawn(pictures.figure(picture, "a", ""))
    (last,) = [each for each in root.iter("text") if each.text == "3,000,000,000"]
    assert float(last.attrib["x"]) + 3.4 * len(last.text or "") <= plots.WIDTH


def test_calibration_has_its_bars() -> None:
    root = drawn(pictures.figure(CALIBRATION, "log_loss", ""))
    assert of_class(root, "whisker")[0].attrib["d"].count("V") == 10
    assert len(of_class(root, "mark")) == 10
    assert of_class(root, "diagonal")


NOT_TOGETHER: dict[str, dict[str, Any]] = {
    "one share too few": {**HISTOGRAM, "shares": {"current": [1.0]}},
    "edges that fall": {"kind": "histogram", "edges": [1, 0, 2], "shares": {"current": [0.5, 0.5]}},
    "no edges": {"kind": "histogram", "edges": [], "shares": {"current": []}},
    "one edge": {"kind": "histogram", "edges": [1.0], "shares": {"current": []}},
    "no shares": {**HISTOGRAM, "shares": {}},
    "all zero": {"kind": "bars", "labels": ["a"], "shares": {"current": [0]}},
    "negative": {"kind": "bars", "labels": ["a"], "shares": {"current": [-1]}},
    "a label too many": {"kind": "bars", "labels": ["a", "b"], "shares": {"current": [1]}},
    "labels that are numbers": {"kind": "bars", "labels": [1], "shares": {"current": [1]}},
    "infinite": {"kind": "roc", "lines": {"a": {"x": [0, float("inf")], "y": [0, 1]}}},
    "a point without height": {"kind": "roc", "lines": {"a": {"x": [0, 1], "y": [0]}}},
    "no heights": {"kind": "roc", "lines": {"a": {"x": [0, 1]}}},
    "no lines": {"kind": "roc", "lines": {}},
    "too many points": {"kind": "roc", "lines": {"a": {"x": [0] * 999, "y": [0] * 999}}},
    "text": {"kind": "roc", "lines": "x"},
    "nothing": {"kind": "calibration"},
}


@pytest.mark.parametrize("picture", NOT_TOGETHER.values(), ids=NOT_TOGETHER)
def test_numbers_that_do_not_fit_together_are_not_drawn_and_said_so(picture: dict[str, Any]) -> None:
    figure = pictures.figure(picture, "a", "0.7")
    assert figure is not None
    assert figure.drawing is None
    assert "cannot be drawn" in figure.html()


@pytest.mark.parametrize("picture", [None, {}, [], "roc", {"kind": "pie"}, {"kind": ["roc"]}])
def test_an_unknown_kind_is_no_figure(picture: object) -> None:
    assert pictures.figure(picture, "a", "") is None


HISTORY = [reign("2026-03-02", 0.66), reign("2026-06-15", 0.69)]
THRESHOLD = RESULTS[4]


def test_history_ends_with_the_challenger() -> None:
    figure = timeline.history(THRESHOLD, "roc_auc", HISTORY)
    root = drawn(figure)
    assert figure is not None
    assert "2 champions since 2026-03-02, then the challenger: 0.684" in figure.says
    (first, low), (second, high) = (
        [float(each.attrib[key]) for key in ("cx", "cy")] for each in of_class(root, "open")
    )
    last, between = map(float, COORDINATE.findall(of_class(root, "dot")[0].attrib["d"])[:2])
    assert first < second < last
    assert low > between > high  # 0.66, 0.684 and 0.69: drawings count downwards


def test_reigns_that_were_not_asked_this_are_left_out() -> None:
    asked_otherwise: list[Any] = [{"time": "2026-01-01", "values": {"drift:auto": {"value": 1}}}, {}, None, "x"]
    assert timeline.history(THRESHOLD, "roc_auc", asked_otherwise) is None
    figure = timeline.history(THRESHOLD, "roc_auc", [*asked_otherwise, *HISTORY])
    assert len(of_class(drawn(figure), "open")) == 2


@pytest.mark.parametrize(
    ("digests", "now", "threads", "words"),
    [
        (("a", "a"), "a", 1, None),
        (("a", "b"), "b", 1, "have changed once"),
        (("a", "b"), "c", 0, "have changed 2 times"),
        (("a", None), "c", 1, None),
        ((None, "a"), "b", 1, "have changed once"),
    ],
)
def test_history_has_a_gap_where_the_test_rows_have_changed(
    digests: tuple[str | None, ...], now: str, threads: int, words: str | None
) -> None:
    known = [{**each, "data": digest} for each, digest in zip(HISTORY, digests, strict=True)]
    figure = timeline.history(THRESHOLD, "roc_auc", known, now)
    assert figure is not None
    assert len(of_class(drawn(figure), "thread")) == threads
    assert ("have changed" in figure.says) == (words is not None)
    assert (words or "") in figure.says


def test_no_challenger_no_history() -> None:
    for found in (None, NOT_DRAWABLE["no number"]):
        assert timeline.history(replace(THRESHOLD, estimate=found), "roc_auc", HISTORY) is None


def test_text_is_escaped_in_one_place_and_markup_is_kept() -> None:
    assert tag("b", '<i> & "', title='"x"') == '<b title="&quot;x&quot;">&lt;i&gt; &amp; &quot;</b>'
    assert tag("p", tag("b", "x")) == "<p><b>x</b></p>"
    assert markup("x" * 900, longest=10) == f"{'x' * 9}…"


def test_ticks_are_round_and_within() -> None:
    assert Scale(0.0, 1.0, 0, 1).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert Scale(11_300.0, 15_100.0, 0, 1).ticks(4) == [12_000, 13_000, 14_000, 15_000]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=9))
def test_every_scale_has_few_ticks_and_holds_its_numbers(numbers: list[float]) -> None:
    found = scale(numbers, 0.0, 100.0)
    if found is not None:
        assert len(found.ticks()) <= 7
        places = [found.at(x) for x in sorted(numbers)]
        assert places == sorted(places)
        assert 0 <= places[0] <= places[-1] <= 100
