"""What a report may draw: numbers for a few lines and bars, beside a verdict and without a say in it.

A picture that cannot be drawn is left out. It holds no row of the data, and is the same for rows in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics import curves, histograms
from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.profile_pair import ProfilePair
    from pytest_mlops.evidence.rows import Rows
    from pytest_mlops.verdict.result import CheckResult

    Picture = dict[str, Any]
    Draw = Callable[[], Picture | None]

COLUMNS = 6
"""Of one check, that are drawn."""

_DECIMALS = 4
_LONGEST = 60
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


def of_column(pair: ProfilePair) -> Picture | None:
    """Both samples of a column, neither empty: a histogram of what is measured, bars of categories."""
    return _histogram(pair) if pair.measured else _bars(pair)


def _histogram(pair: ProfilePair) -> Picture | None:
    reference, current = pair.reference.distribution, pair.current.distribution
    if reference is None or current is None:
        return None
    unit, begin, size = _in_words(pair, reference)
    found = histograms.histogram(*(_counted_from(sample, begin, size) for sample in (reference, current)))
    if found is None:
        return None
    return {"kind": "histogram", "unit": unit, "edges": list(found.edges), "shares": _both(found)}


def _in_words(pair: ProfilePair, reference: Distribution) -> tuple[str, int, int]:
    """Dates are days from a New Year, that of the reference's middle; durations have the unit that suits its middle."""
    if pair.holds not in ("dates", "durations"):
        return "", 0, 1
    middle = int(reference.quantile(0.5))
    if pair.holds == "dates":
        year = np.datetime64(middle, "us").astype("datetime64[Y]")
        return f"days from {year}-01-01", int(year.astype("datetime64[us]").astype(np.int64)), _DAY
    unit = next((name for name, size in _UNITS.items() if abs(middle) >= size), "ms")
    return unit, 0, _UNITS[unit]


def _counted_from(sample: Distribution, begin: int, size: int) -> Distribution:
    if size == 1:
        return sample
    lowest, highest = ((ends - float(begin)) / size for ends in (sample.lowest, sample.highest))
    return Distribution(lowest, highest, sample.counts)


def _bars(pair: ProfilePair) -> Picture | None:
    """Names that were hashed tell nobody anything; nor does a cell that holds both 0 and 1."""
    if pair.holds != "text":
        if pair.steps.slack:
            return None
        names, counts, pooled = ["0", "1"], _yes_or_no(pair), False
    elif pair.reference.categories is None or pair.reference.categories.hashed:
        return None
    else:
        (names, counts), pooled = pair.cells, pair.pooled
    found = histograms.bars(counts, names, pooled=pooled)
    if found is None:
        return None
    others = ["others" if pooled else count(found.others, "other")] if found.others else []
    labels = [*(_capped(names[place]) for place in found.places), *others]
    return {"kind": "bars", "labels": labels, "shares": _both(found)}


def _yes_or_no(pair: ProfilePair) -> NDArray[np.int64]:
    """Of a column of 0 and 1 only."""
    of = [profile.distribution for profile in (pair.reference, pair.current)]
    ones = np.array([0 if sample is None else sample.counts[sample.lowest == 1].sum() for sample in of])
    return np.stack([np.array(pair.sizes) - ones, ones], axis=1)


def _capped(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _both(found: histograms.Histogram | histograms.Bars) -> Picture:
    return {"reference": _rounded(found.reference), "current": _rounded(found.current)}


def _rounded(shares: Iterable[float]) -> list[float]:
    return [round(share, _DECIMALS) for share in shares]
