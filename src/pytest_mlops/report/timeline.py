"""What the champions of a model were worth in one check, and what the challenger is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pytest_mlops.verdict.limits import Limits
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import count

from .plots import WIDTH, Figure, diamond, ends_of, finding, finite, is_beyond, mapping
from .svg import Markup, Scale, box, coordinate, dot, drawing, join, levels, line, scale, tag, tick_label, words

_MOST_REIGNS = 20
_LEFT, _RIGHT = 44.0, WIDTH - 4.0

_Ends = tuple[float, ...]
"""Low, value, high."""


def history(result: CheckResult, name: str, reigns: Sequence[Any], data: str | None = None) -> Figure | None:
    """One point for each champion, the oldest first, and the challenger last; None where no champion was asked this.

    Where the test rows have changed, by the digests of the reigns and of the challenger's `data`, the line has a gap.
    """
    past = [each for reign in reigns[-_MOST_REIGNS:] for each in _reign(mapping(reign), result.id)]
    estimate = result.estimate
    if not past or estimate is None or not finite(estimate):
        return None
    since = past[0][0]
    rows = [*(digest for _, _, digest in past), data]
    gaps = [
        place
        for place in range(1, len(rows))
        if None not in rows[place - 1 : place + 1] and rows[place] != rows[place - 1]
    ]
    title = f"{name} over promotions"
    says = f"{count(len(past), 'champion')} since {since}, then the challenger: {finding(result)}.{_changed(len(gaps))}"
    now = (estimate.low, estimate.value, estimate.high)
    return Figure(title, says, _drawn(result, [*(ends for _, ends, _ in past), now], gaps, since, f"{title}: {says}"))


def _changed(times: int) -> str:
    if not times:
        return ""
    how_often = "once" if times == 1 else f"{times} times"
    return f" The test rows have changed {how_often}: values across a gap are of other rows."


def _reign(reign: Mapping[str, Any], check: str) -> list[tuple[str, _Ends, str | None]]:
    """Its date, its interval, if it has one, and the digest of its test rows, if that is known."""
    ends = ends_of(mapping(mapping(reign.get("values")).get(check)))
    return [(str(reign.get("time", ""))[:10], ends, reign.get("data"))] if ends else []


def _drawn(result: CheckResult, points: Sequence[_Ends], gaps: Sequence[int], since: str, says: str) -> Markup | None:
    bounds = [result.limits.bound] if result.limits else []
    up = scale([*(x for ends in points for x in ends), *bounds], 160, 10)
    if up is None:
        return None
    along = Scale(0, len(points) - 1, 70, WIDTH - 30)
    places = [along.at(i) for i in range(len(points))]
    return drawing(
        WIDTH, 186, says,
        _grid(up),
        _limit(result.limits, up) if result.limits else "",
        *(line(thread, "thread") for thread in _threads(places, [up.at(value) for _, value, _ in points], gaps)),
        *(_champion(x, ends, up) for x, ends in zip(places, points[:-1], strict=False)),
        _challenger(places[-1], points[-1], up, beyond=is_beyond(result)),
        words(places[0], 178, since, "m"),
        words(_RIGHT, 178, "challenger", "e"),
    )  # fmt: skip


def _threads(xs: Sequence[float], ys: Sequence[float], gaps: Sequence[int]) -> list[list[tuple[float, float]]]:
    """Lines between the gaps; a point alone has none."""
    along = list(zip(xs, ys, strict=True))
    pieces = [along[first:last] for first, last in pairwise([0, *gaps, len(along)])]
    return [piece for piece in pieces if len(piece) > 1]


def _champion(x: float, ends: _Ends, up: Scale) -> Markup:
    circle = tag("circle", cx=x, cy=up.at(ends[1]), r=3.5, class_="open")
    return join([_whisker(x, ends, up, "ci past"), circle])


def _challenger(x: float, ends: _Ends, up: Scale, *, beyond: bool) -> Markup:
    value = up.at(ends[1])
    return join([_whisker(x, ends, up, "ci"), diamond(x, value) if beyond else dot(x, value, "dot")])


def _whisker(x: float, ends: _Ends, up: Scale, class_: str) -> Markup:
    at, left, low, high = map(coordinate, (x, x - 3, up.at(ends[0]), up.at(ends[2])))
    return tag("path", class_=class_, d=Markup(f"M{at} {low}V{high}M{left} {low}h6M{left} {high}h6"))


def _grid(up: Scale) -> Markup:
    labels = (words(_LEFT - 4, up.at(y) + 4, tick_label(y), "e") for y in up.ticks(4))
    return join([levels(map(up.at, up.ticks(4)), _LEFT, _RIGHT, "grid"), *labels])


def _limit(limits: Limits, up: Scale) -> Markup:
    y = up.at(limits.bound)
    edge = up.start if limits.at_least is not None else up.end
    return join([box(_LEFT, min(y, edge), _RIGHT - _LEFT, abs(edge - y), "no"), levels([y], _LEFT, _RIGHT, "limit")])
