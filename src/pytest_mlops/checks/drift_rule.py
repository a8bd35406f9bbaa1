"""What the columns of a drift check add up to, and which limits each of them meets.

Standard library only, and from what was asked alone: whoever reads a report applies the same rule to it again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlops.verdict.limits import Limits, Verdict
from pytest_mlops.verdict.result import CheckResult
from pytest_mlops.verdict.wording import count, percent

from .parts import combined

FAMILY = "drift"

OF_COLUMNS = ("auto", "ks", "wasserstein", "psi", "jensen_shannon", "hellinger", "cramers_v")
"""The methods that look at one column at a time."""

OF_ALL_TOGETHER = ("domain_classifier", "mmd")
"""Those that look at whole rows."""

OVER_TIME = ("performance", "estimated_performance")
"""Those that look at what the model makes of them, window by window."""

LIMITS_UNSEEN = 2.0
"""How many limits the blind spot may have, unless the user says otherwise."""

ROLES = ("label", "prediction", "score")
"""What a column may hold that is no feature."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Met:
    """What one column has to meet: its limits, and the largest drift of it that may go unseen."""

    limits: Limits
    max_blind: float

    @property
    def usual(self) -> bool:
        """Does what may go unseen follow from the limit? Then another limit moves it."""
        return math.isclose(self.max_blind, LIMITS_UNSEEN * self.limits.bound)

    @classmethod
    def by(cls, limits: Limits, max_blind: float, own: float | None = None) -> Met:
        """A limit of a column's own moves its warn bound and its largest blind spot in proportion."""
        if own is None:
            return cls(limits, max_blind)
        times = own / limits.bound
        warn = None if limits.warn_bound is None else min(own, limits.warn_bound * times)
        return cls(Limits(at_most=own, warn_above=warn), max_blind * times)


# --- what is tolerated


@dataclass(frozen=True, slots=True)
class Drifted:
    """Which columns FAIL, and what share of the weight they hold.

    Parameters
    ----------
    columns : tuple of str
        Those that FAIL. A column and its missing values are one.
    of : int
        Columns that were judged: those with an estimate, or a FAIL.
    share : float
        In [0, 1]: of the weight of all that were judged. 1 where a column FAILs whose drift nothing excuses: labels,
        predictions and scores have no weight.
    """

    columns: tuple[str, ...]
    of: int
    share: float

    @classmethod
    def among(cls, parts: Iterable[CheckResult]) -> Drifted:
        """By the weight in each part's details.

        Raises
        ------
        ValueError
            A weight is no number of at least 0, or those of a column differ.
        """
        judged = [part for part in parts if part.estimate is not None or part.verdict is Verdict.FAIL]
        weights = _weights(part for part in judged if not part.details.get("role"))
        failed = [part for part in judged if part.verdict is Verdict.FAIL]
        columns = sorted({str(part.details["column"]) for part in failed})
        inexcusable = any(part.details.get("role") for part in failed)
        total = math.fsum(weights.values())
        lost = math.fsum(weights[name] for name in columns if name in weights)
        share = 1.0 if inexcusable or (columns and not total) else lost / total if total else 0.0
        return cls(tuple(columns), len({str(part.details["column"]) for part in judged}), share)

    def words(self, tolerate: float) -> str:
        """``2 of 50 columns (3 % of the weight) have drifted, 5 % are tolerated``."""
        n, of = len(self.columns), count(self.of, "column")
        found = f"{n} of {of} ({percent(self.share)} of the weight) {'has' if n == 1 else 'have'} drifted"
        return f"{found}, {percent(tolerate)} {'is' if tolerate == 0.01 else 'are'} tolerated"


def _weights(parts: Iterable[CheckResult]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in parts:
        name, weight = str(part.details["column"]), float(part.details["weight"])
        if not 0 <= weight < math.inf or weights.setdefault(name, weight) != weight:
            raise ValueError(f"{weight} is no weight of {name}")
    return weights


def whole(parts: Sequence[CheckResult], tolerate: float) -> Verdict:
    """The verdict of the check.

    FAIL where the columns that FAIL hold more than `tolerate` of the weight; where they hold no more, what all other
    parts come to, but at least WARN. What could not be judged is never tolerated, and where nothing FAILs there is
    nothing to tolerate: then it is what the parts of any check come to.
    """
    found = combined(parts)
    if not tolerate or found is not Verdict.FAIL or Drifted.among(parts).share > tolerate + _ROUNDING:
        return found
    rest = combined([part for part in parts if part.verdict is not Verdict.FAIL])
    return Verdict.WARN if rest is Verdict.PASS else rest


# --- read from what was asked, which may come from anybody


def met_by(asked: Mapping[str, Any], column: str) -> Met:
    """What `column` has to meet, by `CheckSpec.asked`; an error of whatever kind where that makes no sense."""
    limits = Limits(at_most=asked["at_most"], warn_above=asked.get("warn_above"))
    cap = math.inf if asked["max_blind"] == "inf" else float(asked["max_blind"])
    return Met.by(limits, cap, (asked.get("limits") or {}).get(column))


def weight_asked(asked: Mapping[str, Any], column: str) -> float | None:
    """The weight that was asked for; None where the importance of the features decides."""
    weights = asked.get("weights")
    if isinstance(weights, str):
        return None
    return 1.0 if weights is None else float(weights[column])


def named(asked: Mapping[str, Any]) -> set[str]:
    """The columns that were asked for by name: each of them must have been judged."""
    roles = (asked.get(role) for role in ROLES)
    return {*(asked.get("columns") or ()), *(asked.get("limits") or ()), *(role for role in roles if role)}
