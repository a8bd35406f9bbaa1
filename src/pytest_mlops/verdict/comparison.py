"""Two ways of asking one question: which of them is the stricter?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NEUTRAL = frozenset({"timeout"})
_READ_BY_ESTIMATES = frozenset({"time", "prediction", "score"})
"""Where nobody knows the labels, these columns are all that there is: others make another question."""
_ORDERS = {
    "proof": ("table", "shown"),
    "require": ("not_worse", "non_inferior", "better"),
}
"""From lenient to strict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The arguments in which a later question differs from an earlier one, each in words.

    Parameters
    ----------
    loosened, tightened : tuple of str
    other : tuple of str
        Neither: it is another question.
    """

    loosened: tuple[str, ...] = ()
    tightened: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


def compare(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Change:
    """How the arguments of a check have changed.

    Parameters
    ----------
    earlier, later : mapping
        What was asked: `CheckSpec.asked`.
    """
    found: dict[str, list[str]] = {"loosened": [], "tightened": [], "other": []}
    for name in sorted({*earlier, *later} - _NEUTRAL):
        before, after = earlier.get(name), later.get(name)
        if before == after:
            continue
        found[_kind(name, earlier, later)].append(f"{name} {_words(before)} → {_words(after)}")
    return Change(**{kind: tuple(words) for kind, words in found.items()})


def _kind(name: str, earlier: Mapping[str, Any], later: Mapping[str, Any]) -> str:
    if name == "limits":
        return _kind_of_limits(earlier, later)
    if earlier.get("subject") == "estimated_performance" and name in _READ_BY_ESTIMATES:
        return "other"
    before, after = earlier.get(name), later.get(name)
    if name in _KINDS:
        return _KINDS[name](before, after)
    if name not in _STRICTNESS:
        return "other"
    strictness = _STRICTNESS[name]
    return "loosened" if strictness(after) < strictness(before) else "tightened"


def _kind_of_columns(before: Any, after: Any) -> str:
    """All of them is the strictest; one that is left out is loosened, whatever comes in its stead."""
    if after is None:
        return "tightened"
    return "tightened" if before is not None and set(before) <= set(after) else "loosened"


def _kind_of_slices(before: Sequence[str] | None, after: Sequence[str] | None) -> str:
    """One that is left out is loosened, whatever comes in its stead."""
    return "tightened" if set(before or ()) <= set(after or ()) else "loosened"


def _kind_of_guardrails(before: Mapping[str, float] | None, after: Mapping[str, float] | None) -> str:
    """So is one that is gone, or may lose more than before."""
    guarded = after or {}
    kept = all(name in guarded and guarded[name] <= margin for name, margin in (before or {}).items())
    return "tightened" if kept else "loosened"


def _kind_of_limits(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> str:
    """Of single columns: one that may drift further than before is loosened, be it by the limit of all columns."""
    own = [asked.get("limits") or {} for asked in (earlier, later)]
    of_all = [math.inf if asked.get("at_most") is None else asked["at_most"] for asked in (earlier, later)]
    columns = {*own[0], *own[1]}
    kept = all(own[1].get(name, of_all[1]) <= own[0].get(name, of_all[0]) for name in columns)
    return "tightened" if kept else "loosened"


def _kind_of_time(before: str | None, after: str | None) -> str:
    """Without an order of rows there is no season that excuses a drift."""
    if before is not None and after is not None:
        return "other"
    return "tightened" if after is None else "loosened"


def _kind_of_role(before: str | None, after: str | None) -> str:
    """Labels, predictions and scores must be there, and their drift is never tolerated."""
    if before is not None and after is not None:
        return "other"
    return "tightened" if before is None else "loosened"


def _number(value: Any) -> float:
    return math.inf if value == "inf" else float(value)


def _more_is_stricter(value: Any) -> float:
    return -math.inf if value is None else _number(value)


def _less_is_stricter(value: Any) -> float:
    return -math.inf if value is None else -_number(value)


def _none_is_strictest(value: Any) -> float:
    """Where nothing is said, nothing is tolerated."""
    return -_number(value or 0.0)


def _place_in(order: tuple[str, ...]) -> Callable[[Any], float]:
    return lambda value: order.index(value) if value in order else -1


_STRICTNESS: dict[str, Callable[[Any], float]] = {
    "at_least": _more_is_stricter,
    "at_most": _less_is_stricter,
    "warn_below": _more_is_stricter,
    "warn_above": _less_is_stricter,
    "margin": _less_is_stricter,
    "max_blind": _less_is_stricter,
    "tolerate": _none_is_strictest,
    "min_slice_size": _more_is_stricter,
    "atol": _less_is_stricter,
    "rtol": _less_is_stricter,
    "runs": _more_is_stricter,
    **{name: _place_in(order) for name, order in _ORDERS.items()},
}


_KINDS: dict[str, Callable[[Any, Any], str]] = {
    "columns": _kind_of_columns,
    "slices": _kind_of_slices,
    "guardrails": _kind_of_guardrails,
    "time": _kind_of_time,
    **dict.fromkeys(("label", "prediction", "score"), _kind_of_role),
}


def _words(value: Any) -> str:
    return "none" if value is None else f"{value}"
