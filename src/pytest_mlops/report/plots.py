"""Intervals as pictures: against their limits, of two models, and of groups of people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import count, number

from . import phrases
from .svg import (
    Markup,
    Scale,
    box,
    coordinate,
    dot,
    drawing,
    join,
    scale,
    tag,
    tick_label,
    uprights,
    words,
)

WIDTH = 320
MOST_LINES = 25
_MOST_GROUPS = 12
_FARTHEST = 6.0
"""In margins: what is farther away is drawn at the edge."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, and what it shows in a title and a sentence. None is drawn where the numbers do not fit together."""

    title: str
    says: str
    drawing: Markup | None

    def html(self) -> Markup:
        """As a figure with its caption."""
        shown = self.drawing or tag("p", "Its numbers cannot be drawn: they are in gate.json.", class_="none")
        return tag("figure", tag("figcaption", tag("b", self.title), Markup(" "), self.says), shown)


def place(result: CheckResult) -> str:
    """Where the estimate stands: ``beyond the limit``; empty where there is no telling."""
    estimate, limits = result.estimate, result.limits
    if estimate is None or limits is None or not finite(estimate):
        return ""
    beyond = [limits.beyond(x, limits.bound) for x in (estimate.value, estimate.low, estimate.high)]
    side = "beyond the limit" if beyond[0] else "inside the limit"
    return side if len(set(beyond)) == 1 else f"{side}, but the interval crosses it"


def finding(result: CheckResult) -> str:
    """``-0.034 (-0.061 to -0.006); limit ≥ -0.02: beyond the limit``."""
    where = place(result)
    return f"{phrases.value(result)}; limit {phrases.limit(result)}: {where}" if where else phrases.value(result)


def interval(result: CheckResult) -> Markup:
    """For a row of a table: the limit with its forbidden side hatched, the warn bound dashed, value and interval."""
    across = _across(result, 2.0, 148.0)
    if across is None:
        return Markup()
    assert result.estimate is not None
    assert result.limits is not None
    return drawing(
        150, 20, place(result),
        _limits(result.limits, across, 2, 18), _interval(result.estimate, across, 10, beyond=is_beyond(result)),
        class_="row",
    )  # fmt: skip


def large_interval(result: CheckResult) -> Markup:
    """The same with its numbers, for a check that somebody must look at."""
    across = _across(result, 6.0, WIDTH - 6.0)
    if across is None:
        return Markup()
    estimate, limits = result.estimate, result.limits
    assert estimate is not None
    assert limits is not None
    return drawing(
        WIDTH, 66, finding(result),
        _limits(limits, across, 18, 46),
        _interval(estimate, across, 32, beyond=is_beyond(result)),
        _beside(across.at(limits.bound), 12, f"limit {phrases.limit(result)}"),
        _beside(across.at(estimate.value), 61, phrases.value(result)),
    )  # fmt: skip


def forest(named: Sequence[tuple[str, CheckResult]]) -> Figure | None:
    """Differences between the models, each in units of its margin, so that one line is every margin."""
    scaled = [(name, result, in_margins) for name, result in named if (in_margins := _in_margins(result))]
    drawn = scaled[:MOST_LINES]
    if not drawn:
        return None
    ends = [x for _, _, (estimate, _) in drawn for x in (estimate.low, estimate.high)]
    across = Scale(max(min([*ends, -1.4]), -_FARTHEST) - 0.2, min(max([*ends, 1.0]), _FARTHEST) + 0.2, 4, WIDTH - 4)
    bottom = 36 * len(drawn) + 4
    says = "; ".join(f"{name} {finding(result)}" for name, result, _ in drawn[:3])
    return Figure(
        "Challenger minus champion, in margins",
        f"Right of 0 the challenger is better. Hatched: worse than allowed.{left_out(len(named), drawn)}",
        drawing(
            WIDTH, bottom + 36, f"Differences with intervals. {says}",
            *(_forest_line(36 * i, *each, across) for i, each in enumerate(drawn)),
            *(words(across.at(x), bottom + 14, _signed(x), "m") for x in across.ticks(6)),
            words(WIDTH / 2, bottom + 30, "improvement; the margin of each check is 1", "m"),
        ),
    )  # fmt: skip


def _forest_line(
    top: float, name: str, result: CheckResult, in_margins: tuple[Estimate, Limits], across: Scale
) -> Markup:
    value = phrases.value(result)
    estimate, limits = in_margins
    return join(
        [
            words(4, top + 13, shortened(name, max(8, 44 - len(value)))),
            words(WIDTH - 4, top + 13, value, "e"),
            _limits(limits, across, top + 18, top + 32),
            uprights([across.at(0)], top + 17, top + 33, "zero"),
            _interval(estimate, across, top + 25, beyond=is_beyond(result)),
        ]
    )


def _in_margins(result: CheckResult) -> tuple[Estimate, Limits] | None:
    """The improvement and its limit over the margin; None without a margin to divide by."""
    estimate, limits = result.estimate, result.limits
    if estimate is None or limits is None or limits.at_least is None:
        return None
    margin = result.details.get("margin", mapping(result.details.get("asked")).get("margin"))
    if not isinstance(margin, int | float) or not margin > 0:
        return None
    scaled = all_finite(x / margin for x in (estimate.low, estimate.value, estimate.high, limits.at_least))
    if not scaled:
        return None
    low, value, high, bound = scaled
    return replace(estimate, low=low, value=value, high=high), Limits(at_least=bound)


def groups(result: CheckResult, name: str) -> list[Figure]:
    """Each rate of a fairness check, by group of people, with its intervals."""
    of_parts = [mapping(part.details.get("rates")) for part in result.parts]
    rates = {rate for found in of_parts for rate, numbers in found.items() if mapping(numbers)}
    return [_groups(result, name, rate) for rate in sorted(rates)]


def _groups(result: CheckResult, name: str, rate: str) -> Figure:
    found = [(_last(part.id), mapping(mapping(part.details.get("rates")).get(rate))) for part in result.parts]
    known = [(group, numbers) for group, numbers in found if ends_of(numbers)]
    shown = _extremes(sorted(known, key=lambda each: (each[1]["value"], each[0])))
    across = scale([x for _, numbers in shown for x in ends_of(numbers)], 4, WIDTH - 4)
    title = f"{rate.replace('_', ' ')} by group"
    if across is None:
        return Figure(title, name, None)
    bottom = 36 * len(shown) + 6
    says = ", ".join(f"{group} {_of(numbers)}" for group, numbers in shown[:: max(1, len(shown) - 1)])
    shapes = [
        _axis(across, bottom),
        *(_group(36 * i, group, numbers, across) for i, (group, numbers) in enumerate(shown)),
    ]
    return Figure(
        title,
        f"{name}: {says}.{left_out(len(found), shown)}",
        drawing(WIDTH, bottom + 20, f"{title}: {says}", *shapes),
    )


def _group(top: float, group: str, numbers: Mapping[str, Any], across: Scale) -> Markup:
    low, value, high = ends_of(numbers)
    return join(
        [
            words(4, top + 15, shortened(group, 30), "halo"),
            words(WIDTH - 4, top + 15, _of(numbers), "e halo"),
            _whisker(across.at(low), across.at(high), top + 25),
            dot(across.at(value), top + 25, "dot"),
        ]
    )


def _of(numbers: Mapping[str, Any]) -> str:
    low, value, high = ends_of(numbers)
    near = number(value, resolution=(high - low) / 2)
    return f"{near} of {count(numbers['n'], 'row')}" if isinstance(numbers.get("n"), int) else near


def _axis(across: Scale, bottom: float) -> Markup:
    labels = (_beside(across.at(x), bottom + 15, tick_label(x)) for x in across.ticks(5))
    return join([uprights(map(across.at, across.ticks(5)), 2, bottom, "grid"), *labels])


def _beside(x: float, y: float, text: str) -> Markup:
    """Text at a mark, within the drawing."""
    half = 3.4 * len(text)
    return words(min(max(x, half + 2), WIDTH - half - 2), y, text, "m")


def _across(result: CheckResult, start: float, end: float) -> Scale | None:
    estimate, limits = result.estimate, result.limits
    if estimate is None or limits is None:
        return None
    warn = [] if limits.warn_bound is None else [limits.warn_bound]
    return scale([estimate.value, estimate.low, estimate.high, limits.bound, *warn], start, end)


def _limits(limits: Limits, across: Scale, top: float, bottom: float) -> Markup:
    at = across.at(limits.bound)
    start, end = (across.start, at) if limits.at_least is not None else (at, across.end)
    warn = limits.warn_bound
    dashed = Markup() if warn is None else uprights([across.at(warn)], top, bottom, "warns")
    return join(
        [box(start, top, end - start, bottom - top, "no"), dashed, uprights([at], top - 2, bottom + 2, "limit")]
    )


def _interval(estimate: Estimate, across: Scale, y: float, *, beyond: bool) -> Markup:
    at = across.at(estimate.value)
    shape = diamond(at, y) if beyond else dot(at, y, "dot")
    return join([_whisker(across.at(estimate.low), across.at(estimate.high), y), shape])


def _whisker(start: float, end: float, y: float) -> Markup:
    first, last, at = map(coordinate, (start, end, y))
    caps = f"M{first} {coordinate(y - 4)}v8M{last} {coordinate(y - 4)}v8"
    return tag("path", class_="ci", d=Markup(f"M{first} {at}H{last}{caps}"))


def diamond(x: float, y: float) -> Markup:
    return tag("path", class_="gem", d=Markup(f"M{round(x - 5.5, 1)} {y}l5.5-5.5 5.5 5.5-5.5 5.5z"))


def is_beyond(result: CheckResult) -> bool:
    estimate, limits = result.estimate, result.limits
    return estimate is not None and limits is not None and limits.beyond(estimate.value, limits.bound)


def shortened(text: str, longest: int) -> str:
    """With an ellipsis where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def left_out(all_of_them: int, drawn: Sequence[object]) -> str:
    hidden = all_of_them - len(drawn)
    return f" {hidden:,} not drawn: see the table." if hidden else ""


def _extremes(items: Sequence[Any]) -> list[Any]:
    """The first and the last of many."""
    half = _MOST_GROUPS // 2
    return list(items) if len(items) <= _MOST_GROUPS else [*items[:half], *items[-half:]]


def ends_of(found: Mapping[str, Any]) -> tuple[float, ...]:
    """Low, value, high; nothing where one is not a finite number."""
    numbers = tuple(found.get(key) for key in ("low", "value", "high"))
    return all_finite(numbers)


def all_finite(numbers: Iterable[Any]) -> tuple[float, ...]:
    found = tuple(numbers)
    good = all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in found)
    return found if good else ()


def finite(estimate: Estimate) -> bool:
    return bool(all_finite((estimate.low, estimate.value, estimate.high)))


def mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _last(id_: str) -> str:
    return id_.rsplit(":", 1)[-1]


def _signed(x: float) -> str:
    return f"+{tick_label(x)}" if x > 0 else tick_label(x)
