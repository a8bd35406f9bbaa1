"""How a metric went by windows of time, and how far it may fall, or rise, from its baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlops.verdict.limits import Limits
from pytest_mlops.verdict.wording import count, number

from .plots import WIDTH, Figure, all_finite, mapping, shortened
from .svg import Markup, Scale, drawing, scale, words
from .timeline import BOTTOM, LEFT, RIGHT, TOP, Ends, grid, limit, mark, past, threads, whisker

KIND = "windows"

_MOST = 60
_CROWDED = 30
_LONGEST = 20
_TO = " to "


def figure(picture: Any, name: str, says: str) -> Figure:
    """The figure of one picture of this kind.

    Parameters
    ----------
    picture : object
        From wherever: numbers that do not fit together give a figure without a drawing.
    name : str
        Of the check.
    says : str
        What the check found of its worst window.
    """
    title, found = f"{name} by window", _Course.of(mapping(picture))
    if found is None:
        return Figure(title, f"{says}.", None)
    told = found.told(says)
    return Figure(title, told, found.drawn(f"{title}. {told}"))


@dataclass(frozen=True, slots=True)
class _Course:
    """Numbers that fit together.

    Parameters
    ----------
    names : list of str
        The baseline's, then those of the windows, oldest first.
    points : list of (low, value, high), or of None where there is no estimate
        The baseline has one.
    beyond : list of bool
        Did it lose more than it may?
    limits : Limits
        Of the metric itself.
    first : bool
        Is the baseline the window right before the others?
    estimated : bool
        Is nothing of the windows measured?
    """

    names: Sequence[str]
    points: Sequence[Ends | None]
    beyond: Sequence[bool]
    limits: Limits
    first: bool
    estimated: bool

    @classmethod
    def of(cls, picture: Mapping[str, Any]) -> _Course | None:
        """None where it is no course."""
        names, beyond = _list(picture, "names", _is_text), _list(picture, "beyond", _is_flag)
        bound, flags = all_finite([picture.get("limit")]), [picture.get("first"), picture.get("estimated", False)]
        points = _points(picture)
        fit = len(names) == len(beyond) == len(points) and bound and all(map(_is_flag, flags))
        if not fit or not points or points[0] is None or points[0][1] == bound[0]:
            return None
        falls = bound[0] < points[0][1]
        limits = Limits(at_least=bound[0]) if falls else Limits(at_most=bound[0])
        return cls(names, points, beyond, limits, *flags)

    def told(self, says: str) -> str:
        """What there is to see, in words."""
        harm = "loss" if self.limits.at_least is not None else "rise"
        windows = len(self.names) - 1
        newest = "the newest " if len(self.names) == _MOST and not self.first else ""
        unknown = self.points.count(None)
        gaps = f", {unknown} without an estimate" if unknown else ""
        estimated = " The windows are estimated, not measured." if self.estimated else ""
        return (
            f"Open circle: the baseline, {self.names[0]}; then {newest}{count(windows, 'window')}: "
            f"{sum(self.beyond) or 'none'} beyond the limit of {self._bound()}{gaps}. Worst {harm}: {says}.{estimated}"
        )

    def _bound(self) -> str:
        """In the digits of the baseline, which it is made of."""
        low, _, high = self.points[0] or (0.0, 0.0, 0.0)
        return number(self.limits.bound, resolution=(high - low) / 2)

    def drawn(self, says: str) -> Markup | None:
        """The baseline on the left, the newest window on the right."""
        up = scale([*(x for ends in self.points if ends for x in ends), self.limits.bound], BOTTOM, TOP)
        if up is None:
            return None
        known = [place for place, ends in enumerate(self.points) if ends]
        along = Scale(0, max(len(self.points) - 1, 1), 56, WIDTH - 16)
        shown = [(along.at(place), ends) for place, ends in enumerate(self.points) if ends]
        xs, points = [x for x, _ in shown], [ends for _, ends in shown]
        beyond = [self.beyond[place] for place in known]
        style = "ci past" if len(shown) > _CROWDED else "ci"
        return drawing(
            WIDTH, 186, says,
            grid(up),
            limit(self.limits, up),
            threads(xs, points, self._gaps(known), up),
            *(whisker(x, ends, up, style) for x, ends in shown[1:]),
            past(xs[0], points[0], up),
            *(mark(x, ends, up, beyond=each) for (x, ends), each in zip(shown[1:], beyond[1:], strict=True)),
            *self._ends(),
        )  # fmt: skip

    def _gaps(self, known: Sequence[int]) -> list[int]:
        """No line over a window without an estimate, and none from a baseline that is not the window before."""
        return [i for i in range(1, len(known)) if known[i] - known[i - 1] > 1 or (i == 1 and not self.first)]

    def _ends(self) -> list[Markup]:
        """Of the first and the last name no more than there is room for: ``2026-01-01 to 2026-01-30`` begins then."""
        first, last = self.names[0].partition(_TO)[0], self.names[-1].rpartition(_TO)[2]
        shown = [words(LEFT, 178, shortened(first, _LONGEST)), words(RIGHT, 178, shortened(last, _LONGEST), "e")]
        return shown[: len(self.names)]


def _points(picture: Mapping[str, Any]) -> list[Ends | None]:
    """None of them where one has not all of its three numbers, or all of them in the wrong order."""
    rows = [_list(picture, key, _is_number_or_none) for key in ("low", "values", "high")]
    if len({len(row) for row in rows}) > 1:
        return []
    points = [None if ends == (None, None, None) else all_finite(ends) for ends in zip(*rows, strict=True)]
    fit = all(ends is None or (ends and ends[0] <= ends[2]) for ends in points)
    return points if fit else []


def _list(picture: Mapping[str, Any], key: str, fits: Callable[[Any], bool]) -> list[Any]:
    found = picture.get(key)
    return found if isinstance(found, list) and len(found) <= _MOST and all(map(fits, found)) else []


def _is_text(found: Any) -> bool:
    return isinstance(found, str)


def _is_flag(found: Any) -> bool:
    return isinstance(found, bool)


def _is_number_or_none(found: Any) -> bool:
    return found is None or bool(all_finite([found]))
