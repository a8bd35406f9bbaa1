"""The pen: tags whose text is escaped in one place, and scales from numbers to coordinates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from pytest_mlops.verdict.wording import number

from .text import plain

_LONGEST = 500
_CLOSED_IN_ITSELF = frozenset({"circle", "link", "meta", "path"})


class Markup(str):
    """Text that is HTML already. Any other text is somebody's, and is escaped when it meets a `tag`."""

    __slots__ = ()


SPACE = Markup(" ")


def markup(text: object, *, longest: int = _LONGEST) -> Markup:
    """The one place where text of others becomes HTML: shown letter by letter, in text and in attributes."""
    if isinstance(text, Markup):
        return text
    return Markup(escape(plain(str(text)[: 4 * longest], longest=longest), quote=True))


def breakable(text: object) -> Markup:
    """It may break after a colon, and after an underscore where that is some letters away from the last break."""
    return Markup(re.sub(r"(?:[:/]|\w{9,}?_)(?=\w)", r"\g<0><wbr>", markup(text)))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """``tag("td", "a < b", class_="x")`` is ``<td class="x">a &lt; b</td>``; an attribute that is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{markup(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _CLOSED_IN_ITSELF:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def join(children: Iterable[object], *, between: str = "") -> Markup:
    """All of them, each escaped where it is not yet HTML."""
    return Markup(between.join(map(markup, children)))


def _short(value: object) -> object:
    return coordinate(value) if isinstance(value, float) else value


def coordinate(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Scale:
    """From the numbers `low` to `high` to the coordinates `start` to `end`; what lies outside is drawn at the end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, x: float) -> float:
        """The coordinate of a number."""
        share = (x - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def ticks(self, most: int = 5) -> list[float]:
        """Round numbers in between: steps of 1, 2 or 5."""
        step = _round_step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def scale(numbers: Sequence[float], start: float, end: float, *, padding: float = 0.08) -> Scale | None:
    """One that all of the numbers fit in; None where no line can hold them."""
    if not numbers or not all(map(math.isfinite, numbers)):
        return None
    low, high = min(numbers), max(numbers)
    room = (high - low) * padding
    low, high = low - room, high + room
    span = high - low
    if not math.isfinite(span) or span <= 1e-12 * max(abs(low), abs(high), 1e-280):
        return None
    return Scale(low, high, start, end)


def drawing(width: int, height: int, says: str, *shapes: object, class_: str | None = None) -> Markup:
    """A picture that says in words what it shows."""
    return tag("svg", *shapes, class_=class_, viewBox=f"0 0 {width} {height}", role="img", aria_label=says)


def line(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """From point to point."""
    return tag("path", class_=class_, d=Markup("M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)))


def uprights(xs: Iterable[float], top: float, bottom: float, class_: str) -> Markup:
    """Lines from top to bottom, in one stroke of the pen."""
    ends = f" {coordinate(top)}V{coordinate(bottom)}"
    return tag("path", class_=class_, d=Markup("".join(f"M{coordinate(x)}{ends}" for x in xs)))


def levels(ys: Iterable[float], left: float, right: float, class_: str) -> Markup:
    """Lines from left to right, likewise."""
    return tag(
        "path", class_=class_, d=Markup("".join(f"M{coordinate(left)} {coordinate(y)}H{coordinate(right)}" for y in ys))
    )


def dot(x: float, y: float, class_: str) -> Markup:
    """As wide as the stroke of its class."""
    return tag("path", class_=class_, d=Markup(f"M{coordinate(x)} {coordinate(y)}h0"))


def box(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A rectangle; one without an area is not there."""
    if width <= 0 or height <= 0:
        return Markup()
    left, top, right, below = map(coordinate, (x, y, x + width, y + height))
    return tag("path", class_=class_, d=Markup(f"M{left} {top}H{right}V{below}H{left}z"))


def words(x: float, y: float, text: object, class_: str | None = None) -> Markup:
    """Text at a place; class ``m`` has its middle there, ``e`` its end."""
    return tag("text", text, x=x, y=y, class_=class_)


def tick_label(x: float) -> str:
    """A round number, without the dust of its binary form."""
    return number(float(f"{x:.6g}"))
