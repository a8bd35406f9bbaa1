"""An estimate: a number, and how sure we are of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its interval: the only thing a verdict is ever based on.

    Parameters
    ----------
    value : float
        The point estimate.
    low, high : float
        The ends of the two-sided interval.
    confidence : float
        Coverage of the interval, in (0, 1).
    method : str
        How the interval was made, e.g. ``"Wilson score"``.
    n : int
        Rows that the estimate rests on.
    null : float or None
        The value under no effect (0 for a difference), None for a plain metric.
    p_value : float or None
        One-sided, in the harmful direction, against `null`.
    standard_error : float or None
        What the blind spot is computed from. Never 0 for a sample that merely happened to show no variation.
    blind_spot : float or None
        The smallest true harm, counted from `null` (or from the limit), that FAIL catches with probability 0.8.
    exact : bool
        True where the value is known and not estimated, so that an interval of width 0 is right.
    doubt : str or None
        Why the interval proves nothing, whatever it says, e.g. "it rests on 4 clusters, and 6 are needed".
    """

    value: float
    low: float
    high: float
    confidence: float
    method: str
    n: int
    null: float | None = None
    p_value: float | None = None
    standard_error: float | None = None
    blind_spot: float | None = None
    exact: bool = False
    doubt: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Builtins only. JSON has no NaN: what is not finite becomes None."""
        return {key: _finite_or_none(item) for key, item in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Estimate:
        """The inverse of `to_dict`; a value or a bound that is None was not finite."""
        bounds = {key: math.nan if data[key] is None else data[key] for key in ("value", "low", "high")}
        return cls(**{**data, **bounds})


def _finite_or_none(item: Any) -> Any:
    return None if isinstance(item, float) and not math.isfinite(item) else item
