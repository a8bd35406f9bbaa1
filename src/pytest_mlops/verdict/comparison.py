"""Two ways of asking one question: which of them is the stricter?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NEUTRAL = frozenset({"timeout"})
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
        found[_kind(name, before, after)].append(f"{name} {_words(before)} → {_words(after)}")
    return Change(**{kind: tuple(words) for kind, words in found.items()})


def _kind(name: str, before: Any, after: Any) -> str:
    if name == "columns":
        return _kind_of_columns(before, after)
    if name == "slices":
        return _kind_of_slices(before or (), after or ())
    if name == "guardrails":
        return _kind_of_guardrails(before or {}, after or {})
    if name not in _STRICTNESS:
        return "other"
    strictness = _STRICTNESS[name]
    return "loosened" if strictness(after) < strictness(before) else "tightened"


def _kind_of_columns(before: Any, after: Any) -> str:
    """All of them is the strictest; one that is left out is loosened, whatever comes in its stead."""
    if after is None:
        return "tightened"
    return "tightened" if before is not None and set(before) <= set(after) else "loosened"


def _kind_of_slices(before: Sequence[str], after: Sequence[str]) -> str:
    """One that is left out is loosened, whatever comes in its stead."""
    return "tightened" if set(before) <= set(after) else "loosened"


def _kind_of_guardrails(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """So is one that is gone, or may lose more than before."""
    kept = all(name in after and after[name] <= margin for name, margin in before.items())
    return "tightened" if kept else "loosened"


def _number(value: Any) -> float:
    return math.inf if value == "inf" else float(value)


def _more_is_stricter(value: Any) -> float:
    return -math.inf if value is None else _number(value)


def _less_is_stricter(value: Any) -> float:
    return -math.inf if value is None else -_number(value)


def _place_in(order: tuple[str, ...]) -> Callable[[Any], float]:
    return lambda value: order.index(value) if value in order else -1


_STRICTNESS: dict[str, Callable[[Any], float]] = {
    "at_least": _more_is_stricter,
    "at_most": _less_is_stricter,
    "warn_below": _more_is_stricter,
    "warn_above": _less_is_stricter,
    "margin": _less_is_stricter,
    "max_blind": _less_is_stricter,
    "min_slice_size": _more_is_stricter,
    "atol": _less_is_stricter,
    "rtol": _less_is_stricter,
    "runs": _more_is_stricter,
    **{name: _place_in(order) for name, order in _ORDERS.items()},
}


def _words(value: Any) -> str:
    return "none" if value is None else f"{value}"
