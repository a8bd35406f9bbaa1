"""The picture of a metric by windows of time."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import EvidenceError, GateReport, Limits, Verdict
from pytest_mlops.report import html, machine, pictures, plots
from pytest_mlops.verdict.decision import decide

from .conftest import check, estimate

NAMES = ["2026-01-01 to 2026-01-30", "2026-01-31 to 2026-03-01", "2026-03-02 to 2026-03-31", "2026-04-01 to 2026-04-30"]
WINDOWS: dict[str, Any] = {
    "kind": "windows",
    "names": NAMES,
    "values": [0.91, 0.92, 0.88, 0.7],
    "low": [0.89, 0.9, 0.85, 0.66],
    "high": [0.93, 0.94, 0.9, 0.74],
    "beyond": [False, False, False, True],
    "limit": 0.86,
    "first": True,
}
GAP = {**WINDOWS, **{key: [*WINDOWS[key][:2], None, WINDOWS[key][3]] for key in ("values", "low", "high")}}
SAYS = "0.21 (0.16 to 0.26); limit ≤ 0.05: beyond the limit"


def figure(picture: Any) -> plots.Figure:
    found = pictures.figure(picture, "performance:accuracy", SAYS)
    assert found is not None
    return found


def drawn(picture: Any) -> ET.Element:
    drawing = figure(picture).drawing
    assert drawing is not None
    return ET.fromstring(drawing)


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in root.iter() if name in each.attrib.get("class", "").split()]


def points(root: ET.Element) -> list[int]:
    """Of each line, how many it joins."""
    return [1 + each.attrib["d"].count("L") for each in of_class(root, "thread")]


def heights(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"[ V](\d+(?:\.\d+)?)", path)]


def many(windows: int, **known: Any) -> dict[str, Any]:
    rows = {key: [WINDOWS[key][0]] * windows for key in ("values", "low", "high", "beyond")}
    return {**WINDOWS, **rows, "names": [f"w{i}" for i in range(windows)], **known}


def test_each_window_has_its_whisker_and_its_mark() -> None:
    root = drawn(WINDOWS)
    assert len(of_class(root, "ci")) == 4
    assert len(of_class(root, "open")) == 1
    assert len(of_class(root, "dot")) == 2
    assert len(of_class(root, "gem")) == 1


def test_a_line_joins_the_windows() -> None:
    assert points(drawn(WINDOWS)) == [4]


def test_the_line_has_a_gap_where_nothing_is_known() -> None:
    assert points(drawn(GAP)) == [2]
    assert len(of_class(drawn(GAP), "ci")) == 3
    assert len(of_class(drawn(GAP), "dot")) == len(of_class(drawn(GAP), "gem")) == 1


def test_no_line_comes_from_another_sample() -> None:
    assert points(drawn({**WINDOWS, "first": False})) == [3]


@pytest.mark.parametrize(("limit", "side"), [(0.86, "below"), (0.95, "above")])
def test_the_forbidden_side_is_hatched(limit: float, side: str) -> None:
    root = drawn({**WINDOWS, "limit": limit})
    (line,), (hatched,) = of_class(root, "limit"), of_class(root, "no")
    (at,) = heights(line.attrib["d"])
    middle = sum(heights(hatched.attrib["d"])) / 2
    assert (middle > at) == (side == "below")


def test_time_goes_from_the_first_moment_to_the_last() -> None:
    texts = [each.text for each in drawn(WINDOWS).iter("text")]
    assert texts[-2:] == ["2026-01-01", "2026-04-30"]


def test_the_caption_says_what_there_is_to_see() -> None:
    assert figure(WINDOWS).title == "performance:accuracy by window"
    assert figure(WINDOWS).says == (
        f"Open circle: the baseline, 2026-01-01 to 2026-01-30; then 3 windows: 1 beyond the limit of 0.860. "
        f"Worst loss: {SAYS}."
    )
    assert ", 1 without an estimate." in figure(GAP).says
    assert (
        "none beyond the limit of 0.950. Worst rise: " in figure({**WINDOWS, "beyond": [False] * 4, "limit": 0.95}).says
    )


def test_what_is_estimated_is_said() -> None:
    said = {**WINDOWS, "estimated": True}
    assert figure(said).says.endswith("estimated, not measured.")
    assert "estimated, not measured" in drawn(said).attrib["aria-label"]
    assert "estimated" not in figure(WINDOWS).says


def test_many_windows_are_the_newest() -> None:
    assert "then the newest 59 windows: " in figure(many(60, first=False)).says
    assert "then 59 windows: " in figure(many(60)).says
    assert len(of_class(drawn(many(60)), "past")) == 60


def test_a_baseline_alone_is_drawn() -> None:
    root = drawn(many(1))
    assert len(of_class(root, "open")) == 1
    assert [each.text for each in root.iter("text")][-1] == "w0"


NOT_TOGETHER: dict[str, dict[str, Any]] = {
    "a value too few": {"values": [0.91, 0.92, 0.88]},
    "a name too many": {"names": [*NAMES, "later"]},
    "a flag too few": {"beyond": [False] * 3},
    "a low end too few": {"low": [0.89, 0.9, 0.85]},
    "half an interval": {"high": [0.93, 0.94, None, 0.74]},
    "an interval without a value": {"values": [0.91, 0.92, None, 0.7]},
    "no baseline": {key: [None, *WINDOWS[key][1:]] for key in ("values", "low", "high")},
    "not a number": {"values": [0.91, math.nan, 0.88, 0.7]},
    "infinite": {"high": [0.93, math.inf, 0.9, 0.74]},
    "text": {"values": ["0.91", 0.92, 0.88, 0.7]},
    "a flag for a number": {"values": [True, 0.92, 0.88, 0.7]},
    "a number for a flag": {"beyond": [0, 0, 0, 1]},
    "null for a flag": {"beyond": [None, False, False, True]},
    "names that are numbers": {"names": [1, 2, 3, 4]},
    "ends in the wrong order": {"low": WINDOWS["high"], "high": WINDOWS["low"]},
    "no limit": {"limit": None},
    "a limit that is no number": {"limit": math.nan},
    "a limit at the baseline": {"limit": 0.91},
    "first of nothing": {"first": None},
    "estimated by a word": {"estimated": "no"},
    "nothing": {key: [] for key in ("names", "values", "low", "high", "beyond")},
    "no list": {"values": {"0": 0.91}},
    "too many": many(61),
    "too far apart": {"low": [-1.7e308] * 4, "high": [1.7e308] * 4},
}


@pytest.mark.parametrize("wrong", NOT_TOGETHER.values(), ids=NOT_TOGETHER)
def test_numbers_that_do_not_fit_together_are_not_drawn_and_said_so(wrong: dict[str, Any]) -> None:
    assert figure({**WINDOWS, **wrong}).drawing is None
    assert "cannot be drawn" in figure({**WINDOWS, **wrong}).html()


@pytest.mark.parametrize("left_out", sorted(WINDOWS.keys() - {"kind"}))
def test_what_is_left_out_is_missed(left_out: str) -> None:
    assert figure({key: value for key, value in WINDOWS.items() if key != left_out}).drawing is None


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=5,
)


@given(st.sampled_from(sorted(WINDOWS.keys() - {"kind"})), anything)
def test_no_picture_is_an_exception(key: str, value: object) -> None:
    assert "<figure>" in figure({**WINDOWS, key: value}).html()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=5))
def test_any_course_stays_within_its_picture(numbers: list[float]) -> None:
    *values, limit = numbers
    picture = {**WINDOWS, "values": values, "low": values, "high": values, "limit": limit}
    drawing = figure(picture).drawing
    if drawing is not None:
        places = [y for each in of_class(ET.fromstring(drawing), "ci") for y in heights(each.attrib["d"])]
        assert all(10 <= y <= 160 for y in places)


def test_names_are_escaped() -> None:
    page = figure({**WINDOWS, "names": ["<b> to <i>"] * 4}).html()
    assert "<i>" not in page
    assert "&lt;i&gt;" in page


def report(picture: dict[str, Any]) -> GateReport:
    result = check(
        "drift:performance:accuracy", Verdict.FAIL, limits=Limits(at_most=0.05),
        estimate=estimate(0.21, 0.16, 0.26, null=0.0, p_value=0.001, blind_spot=0.07), details={"picture": picture},
    )  # fmt: skip
    return GateReport(decision=decide([result]), results=(result,))


@pytest.mark.parametrize("picture", [WINDOWS, GAP, {**WINDOWS, "estimated": True}, many(60)])
def test_gate_json_takes_it(picture: dict[str, Any]) -> None:
    (found,) = machine.read(machine.render(report(picture))).results
    assert found.details["picture"] == picture


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": None},
        {"first": 1},
        {"estimated": 0},
        {"beyond": [None] * 4},
        {"names": [1, 2, 3, 4]},
        {"values": ["x"] * 4},
        {"values": []},
        many(61),
    ],
)
def test_gate_json_takes_no_other(wrong: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match="that can be trusted"):
        machine.read(machine.render(report({**WINDOWS, **wrong})))


def test_the_page_shows_it_beside_the_table_of_its_family() -> None:
    page = html.render(report(WINDOWS))
    family = page[page.index("Drift of the data</h3>") :]
    assert family.count("<figure>") == 1
    assert "1 beyond the limit of 0.860" in family
