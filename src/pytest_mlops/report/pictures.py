"""What a check has put in its ``details["picture"]``: histograms, bars, curves, and the course of a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pytest_mlops.verdict.wording import percent

from . import course
from .plots import WIDTH, Figure, all_finite, mapping, shortened, within
from .svg import (
    Markup,
    Scale,
    box,
    coordinate,
    dot,
    drawing,
    join,
    levels,
    line,
    scale,
    tag,
    tick_label,
    uprights,
    words,
)

_MOST_SERIES = 4
_MOST_BARS = 12
_MOST_POINTS = 200
_NAMED = {"challenger": 0, "current": 0, "champion": 1, "reference": 1}
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, WIDTH - 8.0, 46.0, 212.0
_ABOUT = {
    "roc": ("ROC curve", "false positive rate", "true positive rate"),
    "precision_recall": ("Precision and recall", "recall", "precision"),
    "calibration": ("Calibration", "mean predicted probability", "observed share"),
}

_Series = dict[str, tuple[float, ...]]


def figure(picture: Any, name: str, says: str) -> Figure | None:
    """The figure of one picture.

    Parameters
    ----------
    picture : object
        From wherever: a kind that is not known gives None, numbers that do not fit together a figure without a drawing.
    name : str
        Of what the picture is: a column, a check.
    says : str
        What the check found.
    """
    kind = mapping(picture).get("kind")
    if kind == course.KIND:
        return course.figure(picture, name, says)
    if not isinstance(kind, str) or kind not in _DRAWN:
        return None
    title = f"{name}: {_ABOUT[kind][0]}" if kind in _ABOUT else name
    return Figure(title, f"{says}.", _DRAWN[kind](picture, f"{title}. {says}"))


def _histogram(picture: Mapping[str, Any], says: str) -> Markup | None:
    edges = _row(picture.get("edges"))
    series = _series(picture.get("shares"), len(edges) - 1)
    if not series or not all(left < right for left, right in pairwise(edges)):
        return None
    series = {name: _heights(shares, edges) for name, shares in series.items()}
    across = scale(edges, _LEFT, _RIGHT, padding=0)
    up = scale([0.0, *(x for heights in series.values() for x in heights)], _BOTTOM, _TOP, padding=0)
    if across is None or up is None:
        return None
    unit = picture.get("unit")
    shapes = [
        *(_outline(edges, heights, across, up, style) for style, heights in _styled(series)),
        *_bottom(across),
        words(WIDTH / 2, _BOTTOM + 34, unit if isinstance(unit, str) else "", "m"),
        words(2, _TOP - 14, "areas are shares; what lies beyond is in the end bins"),
        _legend(series, area=True),
    ]
    return drawing(WIDTH, 250, f"Histogram of {_listed(series)}. {says}", *shapes)


def _heights(shares: Sequence[float], edges: Sequence[float]) -> tuple[float, ...]:
    """Areas are shares, so that a wide bin does not look like many values."""
    widest = max(right - left for left, right in pairwise(edges))
    bins = zip(shares, pairwise(edges), strict=True)
    return tuple(share * (widest / (right - left)) for share, (left, right) in bins)


def _outline(edges: Sequence[float], heights: Sequence[float], across: Scale, up: Scale, style: int) -> Markup:
    steps = "".join(
        f"V{coordinate(up.at(height))}H{coordinate(across.at(right))}"
        for height, right in zip(heights, edges[1:], strict=True)
    )
    return tag(
        "path",
        class_=f"s{style} area",
        d=Markup(f"M{coordinate(across.start)} {coordinate(up.start)}{steps}V{coordinate(up.start)}"),
    )


def _bars(picture: Mapping[str, Any], says: str) -> Markup | None:
    labels = picture.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        return None
    series = _series(picture.get("shares"), len(labels))
    most = max((x for shares in series.values() for x in shares), default=0)
    if not most > 0:
        return None
    across, high = Scale(0, most, 116, WIDTH - 50), 13 * len(series) + 8
    rows = [
        _category(30 + high * i, label, [(style, shares[i]) for style, shares in _styled(series)], across)
        for i, label in enumerate(labels[:_MOST_BARS])
    ]
    hidden = len(labels) - len(rows)
    bottom = 30 + high * len(rows)
    more = words(110, bottom + 12, f"{hidden} more", "e") if hidden else ""
    return drawing(
        WIDTH, bottom + (20 if hidden else 4), f"Shares of {_listed(series)}. {says}", *rows, more,
        _legend(series, area=True),
    )  # fmt: skip


def _category(top: float, label: str, shares: Sequence[tuple[int, float]], across: Scale) -> Markup:
    bars = [
        join(
            [
                box(across.start, top + 13 * i, across.at(share) - across.start, 10, f"s{style} area"),
                words(across.at(share) + 5, top + 13 * i + 9, percent(share)),
            ]
        )
        for i, (style, share) in enumerate(shares)
    ]
    middle = top + 13 * len(shares) / 2 + 3
    return join([words(110, middle, shortened(label, 16), "e"), *bars])


def _curves(picture: Mapping[str, Any], says: str) -> Markup | None:
    lines = _lines(picture)
    if not lines:
        return None
    kind = str(picture["kind"])
    _, below, beside = _ABOUT[kind]
    across, up = Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, _BOTTOM, _TOP)
    diagonal = line([(_LEFT, _BOTTOM), (_RIGHT, _TOP)], "grid diagonal") if kind != "precision_recall" else ""
    shapes = [
        *_bottom(across),
        *_left(up),
        diagonal,
        *(_curve(drawn, across, up, style) for style, drawn in reversed(_styled(lines))),
        words(WIDTH / 2, _BOTTOM + 34, below, "m"),
        words(2, _TOP - 14, beside),
        _legend(lines),
    ]
    return drawing(WIDTH, 250, f"{_ABOUT[kind][0]} of {_listed(lines)}. {says}", *shapes)


def _lines(picture: Mapping[str, Any]) -> dict[str, _Series]:
    """Empty where a line has not as many of one as of another."""
    found = {
        str(name): {key: _row(numbers) for key, numbers in mapping(drawn).items()}
        for name, drawn in list(mapping(picture.get("lines")).items())[:_MOST_SERIES]
    }
    whole = all(
        drawn.get("x") and all(len(drawn[key]) == len(drawn["x"]) for key in ("y", "low", "high") if key in drawn)
        for drawn in found.values()
    )
    return found if whole and all("y" in drawn for drawn in found.values()) else {}


def _curve(drawn: _Series, across: Scale, up: Scale, style: int) -> Markup:
    points = [(across.at(x), up.at(y)) for x, y in zip(drawn["x"], drawn["y"], strict=True)]
    whiskers = "".join(
        f"M{coordinate(across.at(x))} {coordinate(up.at(low))}V{coordinate(up.at(high))}"
        for x, low, high in zip(drawn["x"], drawn.get("low", ()), drawn.get("high", ()), strict=False)
    )
    marks = [dot(x, y, f"s{style} mark") for x, y in points] if whiskers else []
    bars = tag("path", class_=f"s{style} whisker", d=Markup(whiskers)) if whiskers else ""
    return join([bars, line(points, f"s{style}"), *marks])


def _bottom(across: Scale) -> Iterator[Markup]:
    ticks = across.ticks(5)
    yield levels([_BOTTOM], across.start, across.end, "axis")
    yield uprights(map(across.at, ticks), _BOTTOM, _BOTTOM + 4, "axis")
    yield from (words(within(across.at(x), tick_label(x)), _BOTTOM + 17, tick_label(x), "m") for x in ticks)


def _left(up: Scale) -> Iterator[Markup]:
    ticks = up.ticks(5)
    yield levels(map(up.at, ticks), _LEFT, _RIGHT, "grid")
    yield from (words(_LEFT - 6, up.at(y) + 4, tick_label(y), "e") for y in ticks)


def _legend(series: Mapping[str, object], *, area: bool = False) -> Markup:
    """In the top line: how each series is drawn, and its name."""
    room = WIDTH / max(2, len(series))
    samples = (_sample(room * i + 2, style, area=area) for i, (style, _) in enumerate(_styled(series)))
    longest = int(room / 6.8) - 5
    names = (words(room * i + 30, 13, shortened(name, longest)) for i, name in enumerate(_in_order(series)))
    return join([*samples, *names])


def _sample(x: float, style: int, *, area: bool) -> Markup:
    return box(x, 4, 20, 10, f"s{style} area") if area else levels([9], x, x + 22, f"s{style}")


def _styled(series: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Each in the style of its role, the judged one first: two pictures of one run look alike."""
    return [(style, series[name]) for style, name in enumerate(_in_order(series))]


def _in_order(series: Mapping[str, Any]) -> list[str]:
    return sorted(series, key=lambda name: (_NAMED.get(name, 2), name))


def _series(found: Any, length: int) -> _Series:
    """Empty where one has not the length of the others, or a share below 0."""
    rows = {str(name): _row(shares) for name, shares in list(mapping(found).items())[:_MOST_SERIES]}
    return rows if all(len(row) == length > 0 and min(row) >= 0 for row in rows.values()) else {}


def _row(found: Any) -> tuple[float, ...]:
    return all_finite(found) if isinstance(found, list | tuple) and len(found) <= _MOST_POINTS else ()


def _listed(series: Mapping[str, Any]) -> str:
    return " and ".join(_in_order(series))


_DRAWN: Mapping[str, Callable[[Mapping[str, Any], str], Markup | None]] = {
    "histogram": _histogram,
    "bars": _bars,
    "roc": _curves,
    "precision_recall": _curves,
    "calibration": _curves,
}
