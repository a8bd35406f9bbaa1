"""What a drift check may be asked, and what makes no sense."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Protocol

from pytest_mlops.verdict.errors import MlopsUsageError
from pytest_mlops.verdict.limits import Limits
from pytest_mlops.verdict.wording import did_you_mean, number

from .drift_rule import OF_ALL_TOGETHER, OF_COLUMNS, OVER_TIME, ROLES
from .spec import positive_number

ALIASES = {"chi2": "cramers_v"}
METHODS = (*OF_COLUMNS, *OF_ALL_TOGETHER, *OVER_TIME)
IMPORTANCE = "importance"

_HEAVIEST = 1e30
"""Heavier ones could not be added up."""

_USES = {
    **dict.fromkeys(OF_COLUMNS, ("columns", "limits", "weights", "tolerate", "time", *ROLES)),
    **dict.fromkeys(OF_ALL_TOGETHER, ("columns",)),
    "performance": ("metric", "windows"),
    "estimated_performance": ("metric", "windows", "time", "prediction", "score"),
}
"""The arguments that not every method has a use for."""


class _Asked(Protocol):
    """What every question about drift has."""

    @property
    def limits(self) -> Limits: ...
    @property
    def proof(self) -> str: ...
    @property
    def max_blind(self) -> float: ...


def asked_of_all(question: _Asked) -> dict[str, Any]:
    """The arguments that every method of drift takes, as builtins."""
    return {
        "at_most": question.limits.at_most,
        "warn_above": question.limits.warn_above,
        "proof": question.proof,
        "max_blind": question.max_blind,
    }


def method_named(method: object) -> str:
    """The method by its own name."""
    known = ALIASES.get(str(method), method)
    if known not in METHODS:
        raise MlopsUsageError(f"unknown method={method!r}: {did_you_mean(str(method), (*METHODS, *ALIASES))}")
    return str(known)


def only_useful(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the method has a use for; an error names one that is given in vain.

    Parameters
    ----------
    method : str
    given : mapping
        By name; None, or a share of 0, is not given.
    """
    for name, value in given.items():
        if name not in _USES[method] and value is not None and value != 0:
            useful = " or ".join(repr(other) for other in METHODS if name in _USES[other])
            raise MlopsUsageError(f"method={method!r} has no use for {name}=, which goes with {useful}: leave it out")
    return {name: given[name] for name in _USES[method]}


# --- limits


def supports(method: str, at_most: float) -> bool:
    """Is there any drift that such a limit would find?"""
    return method == "psi" or at_most < 1


def refuse_senseless(method: str, limits: Limits, what: str = "at_most") -> None:
    """A limit that nothing exceeds, or everything, is a slip of the pen."""
    if not supports(method, limits.bound):
        why = "a shift by a whole spread" if method == "wasserstein" else "any drift: the effect is at most 1"
        hint = f"; did you mean {number(limits.bound / 100)}?" if 1 < limits.bound < 100 else ""
        raise MlopsUsageError(f"{what}={limits.bound!r} lets pass {why}{hint}")
    if limits.warn_bound is not None and limits.warn_bound < 0:
        raise MlopsUsageError(f"warn_above={limits.warn_bound!r} would always warn: an effect is at least 0")


def own_limits(method: str, limits: object, columns: Sequence[str] | None) -> dict[str, float]:
    """Of columns that have a limit of their own."""
    if limits is None:
        return {}
    if not isinstance(limits, Mapping):
        raise MlopsUsageError(f"limits={limits!r} must map columns to their own at_most, e.g. {{'age': 0.2}}")
    found = {}
    for column, own in sorted(limits.items(), key=str):
        what = f"limits[{column!r}]"
        if columns is not None and column not in columns:
            raise MlopsUsageError(f"{what} is of no column that is judged: {did_you_mean(str(column), columns)}")
        found[str(column)] = positive_number(own, what)
        refuse_senseless(method, Limits(at_most=found[str(column)]), what)
    return found


# --- columns


def column_names(columns: object) -> tuple[str, ...] | None:
    """Each once, in order; None for all."""
    if columns is None:
        return None
    if isinstance(columns, str):
        raise MlopsUsageError(f"columns={columns!r} is one text: give a list of names, e.g. [{columns!r}]")
    names = list(columns) if isinstance(columns, Iterable) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise MlopsUsageError(f"columns={columns!r} are no names: give a list of at least one, or leave it out for all")
    return tuple(sorted(set(names)))


def column_roles(columns: Sequence[str] | None, time: object, **given: object) -> dict[str, str]:
    """From the columns that hold labels, predictions and scores to what they hold; no column has two roles."""
    found: dict[str, str] = {}
    for role, column in (("time", time), *given.items()):
        if column is None:
            continue
        if not (isinstance(column, str) and column):
            raise MlopsUsageError(f"{role}={column!r} is not a name: give that of a column")
        if column in found:
            raise MlopsUsageError(f"{found[column]}= and {role}= both name the column {column!r}: give one of them")
        found[column] = role
    if columns and time in columns:
        raise MlopsUsageError(f"time={time!r} orders the rows and is not judged itself: leave it out of columns=")
    return {column: role for column, role in found.items() if role != "time"}


# --- what is tolerated


def share_tolerated(tolerate: object) -> float:
    """In [0, 1)."""
    share = float(tolerate) if isinstance(tolerate, int | float) and not isinstance(tolerate, bool) else math.nan
    if 0 <= share < 1:
        return share
    hint = f"; did you mean {number(share / 100)}?" if 1 <= share < 100 else ""
    raise MlopsUsageError(f"tolerate={tolerate!r} is no share of the weight: give 0, or more and less than 1{hint}")


def column_weights(weights: object, tolerate: float) -> str | dict[str, float] | None:
    """By column, or that the features' importance decides."""
    if weights is None or weights == {}:
        return None
    if not tolerate:
        raise MlopsUsageError("weights= say how much of what drifts is tolerated: give tolerate= as well, e.g. 0.05")
    if isinstance(weights, str):
        if weights != IMPORTANCE:
            raise MlopsUsageError(f"unknown weights={weights!r}: {did_you_mean(weights, [IMPORTANCE])}")
        return weights
    if not isinstance(weights, Mapping):
        raise MlopsUsageError(f"weights={weights!r} must map columns to numbers, or be {IMPORTANCE!r}")
    for column, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 <= float(weight) <= _HEAVIEST:
            raise MlopsUsageError(f"weights[{column!r}]={weight!r} is no weight: give a number from 0 to {_HEAVIEST:g}")
    return {str(column): float(weights[column]) for column in sorted(weights, key=str)}
