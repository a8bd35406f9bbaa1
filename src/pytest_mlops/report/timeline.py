"""Values by time: what the champions of a model were worth in one check, and what the challenger is worth."""

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
LEFT, RIGHT, TOP, BOTTOM = 44.0, WIDTH - 4.0, 10.0, 160.0
"""Between these, values are drawn."""

Ends = tuple[float, ...]
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


def _reign(reign: Mapping[str, Any], check: str) -> list[tuple[str, Ends, str | None]]:
    """Its date, its interval, if it has one, and the digest of its test rows, if that is known."""
    ends = ends_of(mapping(mapping(reign.get("values")).get(check)))
    return [(str(reign.get("time", ""))[:10], ends, reign.get("data"))] if ends else []


def _drawn(result: CheckResult, points: Sequence[Ends], gaps: Sequence[int], since: str, says: str) -> Markup | None:
    bounds = [result.limits.bound] if result.limits else []
    up = scale([*(x for ends in points for x in ends), *bounds], BOTTOM, TOP)
    if up is None:
        return None
    along = Scale(0, len(points) - 1, 70, WIDTH - 30)
    places = [along.at(i) for i in range(len(points))]
    return drawing(
        WIDTH, 186, says,
        grid(up),
        limit(result.limits, up) if result.limits else "",
        threads(places, points, gaps, up),
        *(past(x, ends, up) for x, ends in zip(places, points[:-1], strict=False)),
        whisker(places[-1], points[-1], up, "ci"),
        mark(places[-1], points[-1], up, beyond=is_beyond(result)),
        words(places[0], 178, since, "m"),
        words(RIGHT, 178, "challenger", "e"),
    )  # fmt: skip


def threads(xs: Sequence[float], points: Sequence[Ends], gaps: Sequence[int], up: Scale) -> Markup:
    """Lines from value to value, parted before each place of `gaps`; a point alone has none."""
    along = [(x, up.at(value)) for x, (_, value, _) in zip(xs, points, strict=True)]
    pieces = [along[first:last] for first, last in pairwise([0, *gaps, len(along)])]
    return join(line(piece, "thread") for piece in pieces if len(piece) > 1)


def past(x: float, ends: Ends, up: Scale) -> Markup:
    """What others are compared with: an open circle."""
    circle = tag("circle", cx=x, cy=up.at(ends[1]), r=3.5, class_="open")
    return join([whisker(x, ends, up, "ci past"), circle])


def whisker(x: float, ends: Ends, up: Scale, class_: str) -> Markup:
    """From the low end to the high one."""
    at, left, low, high = map(coordinate, (x, x - 3, up.at(ends[0]), up.at(ends[2])))
    return tag("path", class_=class_, d=Markup(f"M{at} {low}V{high}M{left} {low}h6M{left} {high}h6"))


def mark(x: float, ends: Ends, up: Scale, *, beyond: bool) -> Markup:
    """A dot, or a diamond where the value lies beyond the limit."""
    value = up.at(ends[1])
    return diamond(x, value) if beyond else dot(x, value, "dot")


def grid(up: Scale) -> Markup:
    """Round values, with their labels on the left."""
    labels = (words(LEFT - 4, up.at(y) + 4, tick_label(y), "e") for y in up.ticks(4))
    return join([levels(map(up.at, up.ticks(4)), LEFT, RIGHT, "grid"), *labels])


def limit(limits: Limits, up: Scale) -> Markup:
    """The bound, and its forbidden side hatched."""
    y = up.at(limits.bound)
    edge = up.start if limits.at_least is not None else up.end
    return join([box(LEFT, min(y, edge), RIGHT - LEFT, abs(edge - y), "no"), levels([y], LEFT, RIGHT, "limit")])
