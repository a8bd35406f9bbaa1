"""Intervals as pictures: against their limits, of two models, and of groups of people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import count, number

from . import phrases
from .svg import (
    SPACE,
    Markup,
    Scale,
    box,
    breakable,
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
_LETTER = 6.8
"""How wide one is, at most times."""
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
        return tag("figure", tag("figcaption", tag("b", breakable(self.title)), SPACE, breakable(self.says)), shown)


def place(result: CheckResult) -> str:
    """Where the estimate stands: ``beyond the limit``; empty where there is no telling."""
    estimate, limits = result.estimate, result.limits
    if estimate is None or limits is None or not finite(estimate):
        return ""
    beyond = [limits.beyond(x, limits.bound) for x in (estimate.value, estimate.low, estimate.high)]
    if estimate.exact and estimate.value == limits.bound:
        return "the limit itself"
    side = "beyond the limit" if beyond[0] else "inside the limit"
    if len(set(beyond)) > 1:
        return f"{side}, but the interval crosses it"
    touches = not estimate.exact and limits.bound in (estimate.low, estimate.high)
    return f"{side}, but the interval ends on it" if touches else side


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
        _named_bounds(f"limit {phrases.limit(result)}", limits, across),
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
    far = any(not across.low <= x <= across.high for x in ends)
    return Figure(
        "Improvement over the champion, in margins",
        "Right of 0 the challenger is better. Hatched: worse than allowed."
        f"{' An arrow points to what lies farther out.' if far else ''}{left_out(len(named), drawn)}",
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
    rates = [(part_name(result, part), mapping(part.details.get("rates"))) for part in result.parts]
    found = [(group, mapping(numbers.get(rate))) for group, numbers in rates]
    known = [(group, numbers) for group, numbers in found if ends_of(numbers)]
    shown = _extremes(sorted(known, key=lambda each: (each[1]["value"], each[0])))
    across = scale([x for _, numbers in shown for x in ends_of(numbers)], 4, WIDTH - 4)
    title = f"{rate.replace('_', ' ')} by {_asked_by(result)}"
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
        f"{says}.{left_out(len(found), shown)}",
        drawing(WIDTH, bottom + 20, f"{title}: {says}", *shapes),
    )


def _asked_by(result: CheckResult) -> str:
    """``sex and age_group``."""
    by = mapping(result.details.get("asked")).get("by")
    columns = [str(column) for column in (by if isinstance(by, list | tuple) else [by]) if column]
    return " and ".join(columns) or "group"


def part_name(result: CheckResult, part: CheckResult) -> str:
    """What the part adds to the check: ``guardrail: recall``, ``Male: 18 to 29``."""
    return ": ".join(map(unquote, part.id.removeprefix(f"{result.id}:").split(":")))


def _group(top: float, group: str, numbers: Mapping[str, Any], across: Scale) -> Markup:
    low, value, high = ends_of(numbers)
    return join(
        [
            words(4, top + 15, shortened(group, 30), "halo"),
            words(WIDTH - 4, top + 15, _of(numbers), "e halo"),
            _whisker(low, high, across, top + 25),
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
    return words(within(x, text), y, text, "m")


def within(x: float, text: str) -> float:
    """Where the middle of a text is to stand for all of it to be within the drawing."""
    half = _LETTER * len(text) / 2
    return min(max(x, half + 2), WIDTH - half - 2)


def _named_bounds(limit: str, limits: Limits, across: Scale) -> Markup:
    """The limit by its name, and the warn bound where there is room beside it."""
    at = across.at(limits.bound)
    if limits.warn_bound is None:
        return _beside(at, 12, limit)
    warn_at, warn = across.at(limits.warn_bound), f"warns from {number(limits.warn_bound)}"
    apart = abs(within(at, limit) - within(warn_at, warn))
    beside = apart > _LETTER * (len(limit) + len(warn)) / 2 + 8
    return join([_beside(at, 12, limit), _beside(warn_at, 12, warn) if beside else ""])


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
    held = across.low <= estimate.value <= across.high
    return join([_whisker(estimate.low, estimate.high, across, y), shape if held else ""])


def _whisker(low: float, high: float, across: Scale, y: float) -> Markup:
    """From end to end; an arrow where an end lies outside of the drawing."""
    ends = "".join(_end(x, across, y) for x in (low, high))
    first, last, at = map(coordinate, (across.at(low), across.at(high), y))
    return tag("path", class_="ci", d=Markup(f"M{first} {at}H{last}{ends}"))


def _end(x: float, across: Scale, y: float) -> str:
    at, top = coordinate(across.at(x)), coordinate(y - 4)
    if across.low <= x <= across.high:
        return f"M{at} {top}v8"
    inwards = 5 if x < across.low else -5
    return f"M{coordinate(across.at(x) + inwards)} {top}l{-inwards} 4 {inwards} 4"


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


def _signed(x: float) -> str:
    return f"+{tick_label(x)}" if x > 0 else tick_label(x)
