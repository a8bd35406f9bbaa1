"""Numbers and names as people read them. One place, so that every reader shows the same digits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .estimate import Estimate


def number(value: float, *, resolution: float | None = None) -> str:
    """Round for people.

    Parameters
    ----------
    value : float
    resolution : float or None
        How far apart two values must be to matter, e.g. half an interval's width: two of its digits are shown.
        None shows up to four significant digits and drops trailing zeros.

    Examples
    --------
    >>> number(0.71777, resolution=0.033)
    '0.718'
    >>> number(0.8)
    '0.8'
    >>> number(1234567.0, resolution=30000)
    '1,235,000'
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if resolution is None or not 0 < resolution < math.inf:
        return _plain(value + 0.0)  # never "-0"
    digits = 1 - math.floor(math.log10(resolution))
    if digits > 9 or abs(value) >= 1e15:
        return f"{value:.3g}"
    rounded = round(value, digits)
    return f"{rounded + 0.0:,.{max(digits, 0)}f}"  # + 0.0: never "-0.00"


def _plain(value: float) -> str:
    magnitude = abs(value)
    if magnitude and not 1e-4 <= magnitude < 1e15:
        return f"{value:.4g}"
    decimals = 4 if magnitude < 1 else max(0, 3 - math.floor(math.log10(magnitude)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_interval(estimate: Estimate, *, sign: bool = False) -> str:
    """``0.718 (0.687 to 0.751)``; an exact value stands alone.

    An improvement carries its `sign`.
    """
    if estimate.exact:
        return f"{number(estimate.value)} exactly"
    width = (estimate.high - estimate.low) / 2
    value, low, high = (
        signed(x, resolution=width) if sign else number(x, resolution=width)
        for x in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} ({low} to {high})"


def signed(value: float, *, resolution: float | None = None) -> str:
    """`number` with its sign, which 0 has not.

    Examples
    --------
    >>> signed(0.0123, resolution=0.01)
    '+0.012'
    """
    text = number(value, resolution=resolution)
    return f"+{text}" if value > 0 and any(c in text for c in "123456789") else text


def rounded_up(value: float) -> str:
    """Two significant digits, never less than `value`: for what is needed at least.

    Examples
    --------
    >>> rounded_up(0.01234)
    '0.013'
    """
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return number(math.ceil(value / step) * step)


def percent(share: float) -> str:
    """``95 %``, ``2.5 %``."""
    return f"{share * 100:.3g} %"


def count(n: int, noun: str) -> str:
    """``1 check``, ``2 checks``, ``1,488 rows``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """A hint that names the nearest valid names, or all of them where none is near.

    Examples
    --------
    >>> did_you_mean("roc_acu", ["roc_auc", "f1"])
    "did you mean 'roc_auc'?"
    """
    import difflib  # only a mistake needs it

    options = sorted(valid)
    near = difflib.get_close_matches(str(name), options, n=2, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"valid names: {', '.join(options)}"
