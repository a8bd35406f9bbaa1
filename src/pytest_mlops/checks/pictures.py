"""What a report may draw: numbers for a few lines and bars, beside a verdict and without a say in it.

A picture that cannot be drawn is left out. It holds no row of the data, and is the same for rows in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics import curves, histograms
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.columns import ColumnPair
    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.rows import Rows
    from pytest_mlops.verdict.result import CheckResult

    Picture = dict[str, Any]
    Draw = Callable[[], Picture | None]

COLUMNS = 6
"""Of one check, that are drawn."""

_DECIMALS = 4
_LONGEST = 60
_HUGE = 1e300
_DAY = 86_400_000_000
_UNITS = {"days": _DAY, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000}
"""In microseconds, as moments are kept."""


# --- of scores


def of_scores(metric: Metric, confidence: float, **models: Rows) -> dict[str, Picture]:
    """The curve that goes with a metric of two classes, as what `details` gets; empty where there is none.

    Parameters
    ----------
    metric : Metric
    confidence : float
        Of intervals, in (0, 1).
    **models : Rows
        Of each model; two of them on the same rows.
    """
    kind = _kind(metric)
    if kind is None or not all(_drawable(kind, rows) for rows in models.values()):
        return {}
    lines = {name: _LINES[kind](rows, confidence) for name, rows in models.items()}
    return {"picture": {"kind": kind, "lines": lines}} if all(lines.values()) else {}


def _kind(metric: Metric) -> str | None:
    if metric.route == "ranks":
        return "precision_recall" if metric.of == "average_precision" else "roc"
    return "calibration" if metric.scores == "probabilities" else None


def _drawable(kind: str, rows: Rows) -> bool:
    """Wilson's intervals are for rows that are independent and count alike: without them no calibration is drawn."""
    two_classes = rows.task == "binary" and rows.positive is not None
    scored = rows.score is not None and rows.score.ndim == 1
    return two_classes and scored and (kind != "calibration" or rows.independent)


def _line(draw: Callable[..., curves.Line | None], rows: Rows) -> Picture | None:
    line = draw(rows.true == rows.positive, rows.score, rows.weight)
    return {"x": _rounded(line.x.tolist()), "y": _rounded(line.y.tolist())} if line else None


def _calibration(rows: Rows, confidence: float) -> Picture | None:
    assert rows.score is not None  # `_drawable` has seen to it
    found = curves.calibrated(rows.true == rows.positive, rows.score, confidence=confidence)
    if found is None:
        return None
    return {
        "x": _rounded(found.predicted),
        "y": _rounded(found.observed),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "n": list(found.n),
    }


_LINES: dict[str, Callable[[Rows, float], Picture | None]] = {
    "roc": lambda rows, _: _line(curves.roc, rows),
    "precision_recall": lambda rows, _: _line(curves.precision_recall, rows),
    "calibration": _calibration,
}


# --- of columns


def illustrated(parts: Iterable[CheckResult], draw: Mapping[str, Draw]) -> list[CheckResult]:
    """The same parts in the same order, six of them with a picture: those that fail, then those of the largest effects.

    Parameters
    ----------
    parts : iterable of CheckResult
    draw : mapping
        From the id of a part to what draws it, or finds nothing to draw.
    """
    parts = list(parts)
    drawn = ((part.id, draw[part.id]()) for part in sorted(parts, key=_importance) if part.id in draw)
    pictures = dict(islice(((name, picture) for name, picture in drawn if picture), COLUMNS))
    return [
        replace(part, details={**part.details, "picture": pictures[part.id]}) if part.id in pictures else part
        for part in parts
    ]


def _importance(part: CheckResult) -> tuple[bool, float, str]:
    effect = part.estimate.value / part.limits.bound if part.estimate and part.limits else 0.0
    return part.verdict not in (Verdict.FAIL, Verdict.ERROR), -effect, part.id


def of_column(pair: ColumnPair) -> Picture | None:
    """Both samples of a column, neither empty: a histogram of what is measured, bars of categories."""
    return _histogram(pair) if pair.measured else _bars(pair)


def _histogram(pair: ColumnPair) -> Picture | None:
    unit, (reference, current) = _in_words(pair)
    found = histograms.histogram(reference, current)
    if found is None:
        return None
    return {"kind": "histogram", "unit": unit, "edges": list(found.edges), "shares": _both(found)}


def _in_words(pair: ColumnPair) -> tuple[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Dates are days from a New Year, that of the reference's middle; durations have the unit that suits its middle."""
    if pair.holds not in ("dates", "durations"):
        return "", pair.values
    middle = np.quantile(pair.values[0], 0.5, method="inverted_cdf")
    if pair.holds == "dates":
        year = np.datetime64(int(middle), "us").astype("datetime64[Y]")
        unit, begin, size = f"days from {year}-01-01", int(year.astype("datetime64[us]").astype(np.int64)), _DAY
    else:
        unit, begin = next((name for name, size in _UNITS.items() if abs(int(middle)) >= size), "ms"), 0
        size = _UNITS[unit]
    reference, current = ((values - float(begin)) / size for values in pair.values)
    return unit, (reference, current)


def _bars(pair: ColumnPair) -> Picture | None:
    names, counts = _numbers(pair) if pair.codes is None else _categories(pair, pair.codes)
    found = histograms.bars(counts, names) if names else None
    if found is None:
        return None
    others = [count(found.others, "other")] if found.others else []
    labels = [*(_capped(names[place]) for place in found.places), *others]
    return {"kind": "bars", "labels": labels, "shares": _both(found)}


def _numbers(pair: ColumnPair) -> tuple[list[str], NDArray[np.int64]]:
    """Of a column of 0 and 1 only."""
    ones = np.array([np.count_nonzero(values) for values in pair.values])
    return ["0", "1"], np.stack([np.array(pair.sizes) - ones, ones], axis=1)


def _categories(pair: ColumnPair, codes: NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Their names, or none where one of them has no text of its own, and how often they are in each sample."""
    cells, n = int(codes.max()) + 1, pair.sizes[0]
    counts = np.stack([np.bincount(of, minlength=cells) for of in (codes[:n], codes[n:])])
    somewhere = np.empty(cells, dtype=np.intp)
    somewhere[codes] = np.arange(codes.size)
    values = np.concatenate(pair.values)[somewhere]
    return [_name(value) for value in values] if all(map(_has_name, values)) else [], counts


def _has_name(value: object) -> bool:
    """Text, a number, or an interval or period of pandas. Other objects may be called otherwise in another process."""
    if isinstance(value, Real):
        return bool(-_HUGE < value < _HUGE)  # type: ignore[operator]  # all real numbers know their order
    return isinstance(value, str) or type(value).__module__.partition(".")[0] == "pandas"


def _name(value: object) -> str:
    """1, 1.0 and True are one category, and have one name."""
    return f"{float(value):.15g}" if isinstance(value, Real) else str(value)


def _capped(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _both(found: histograms.Histogram | histograms.Bars) -> Picture:
    return {"reference": _rounded(found.reference), "current": _rounded(found.current)}


def _rounded(shares: Iterable[float]) -> list[float]:
    return [round(share, _DECIMALS) for share in shares]
