"""Measures how often drift is called where there is none, and how soon where there is some: docs/drift.md.

    python docs/measure_drift.py               # 200 runs: about ten minutes
    python docs/measure_drift.py --runs 20     # a first look

Every run asks `Gate.drift` itself. The same number of runs gives the same page.
"""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pytest_mlops import Gate, Verdict

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Table = Mapping[str, Array]
    Draw = Callable[[Generator, int], Array]

PAGE = Path(__file__).parent / "drift.md"
LIMIT, TIGHT = 0.1, 0.02
ANY = 1.0
"""As max_blind: small samples shall be judged, however little they show."""

PSI_ALARM, PSI_GREAT_ALARM, SIGNIFICANT = 0.1, 0.25, 0.05
PSI_BINS, PSI_NOTHING = 10, 1e-4
"""The usual recipe: deciles of the reference, and an empty cell holds a share of 0.0001."""

SIZES = (50, 500, 5_000, 50_000)
FEWER = {50_000: 2}
"""There, every second run: one of them reads five million values."""

ALARMS = ("ours, limit 0.1", "ours, limit 0.02", "blind at 0.1", "PSI > 0.1", "PSI > 0.25", "KS p < 0.05")

METHODS = ("auto", "psi", "wasserstein", "jensen_shannon", "hellinger", "cramers_v")
METHOD_SIZES = (50, 500)
CURVE_SIZES = (500, 5_000)
NULL_BESIDE = 9
BAR = 10


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs: int = parser.parse_args().runs
    PAGE.write_text("\n".join(_page(runs)) + "\n", encoding="utf-8")


def _page(runs: int) -> Iterator[str]:
    error, curve_error = _error(0.05, runs), _error(0.5, runs // 2)
    yield from HEAD.format(runs=runs, error=error, curve_error=curve_error).splitlines()
    yield from _false_alarms(runs)
    yield from _false_alarms_by_method(runs)
    yield from CURVES_HEAD.format(runs=runs // 2, beside=NULL_BESIDE).splitlines()
    for change in CHANGES:
        yield from _curve(change, runs // 2)


def _error(share: float, runs: int) -> float:
    """Two standard errors of a simulated share."""
    return 2 * math.sqrt(share * (1 - share) / runs)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _table(head: Sequence[str], lines: Iterable[Iterable[str]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield f"| {' | '.join(line)} |"


def _bar(share: float) -> str:
    full = round(share * BAR)
    return f"`{'█' * full}{'░' * (BAR - full)}` {share:.0%}"


# --- columns in which nothing happens


def _of_categories(*shares: float) -> Draw:
    weights = np.array(shares) / sum(shares)
    names = np.array([f"c{place}" for place in range(weights.size)], dtype=object)
    return lambda rng, n: names[rng.choice(weights.size, n, p=weights)]


def _zero_inflated(rng: Generator, n: int) -> Array:
    return np.where(rng.random(n) < 0.8, 0.0, rng.exponential(size=n))


NULL_COLUMNS: tuple[tuple[int, Draw], ...] = (
    (20, lambda rng, n: rng.normal(size=n)),
    (5, lambda rng, n: rng.lognormal(size=n)),
    (5, lambda rng, n: rng.standard_t(2, size=n)),
    (5, _zero_inflated),
    (5, lambda rng, n: rng.poisson(3, size=n)),
    (3, _of_categories(0.9, 0.1)),
    (4, _of_categories(5, 4, 3, 2, 1)),
    (3, _of_categories(*(1 / rank for rank in range(1, 31)))),
)
"""How many of each kind: 40 of numbers, 10 of text."""


def _nothing_happens(rng: Generator, n: int) -> tuple[Table, Table]:
    draws = [draw for times, draw in NULL_COLUMNS for _ in range(times)]
    return tuple({f"column_{place:02}": draw(rng, n) for place, draw in enumerate(draws)} for _ in range(2))  # type: ignore[return-value]


def _false_alarms(runs: int) -> Iterator[str]:
    yield from FALSE_ALARMS_HEAD.splitlines()
    lines = []
    for n in SIZES:
        repeated = runs // FEWER.get(n, 1)
        counted = _counted_alarms(n, repeated)
        _tell(f"{n:,} rows: {dict(counted)}")
        shares = (f"{counted[each] / repeated:.1%}" for each in ALARMS)
        lines.append([f"{n:,}", f"{repeated:,}", *shares])
    yield from _table(("rows a side", "runs", *ALARMS), lines)


def _counted_alarms(n: int, runs: int) -> Counter[str]:
    """In how many runs at least one of the 50 columns is called."""
    rng = np.random.default_rng(n)
    counted: Counter[str] = Counter()
    for _ in range(runs):
        reference, current = _nothing_happens(rng, n)
        pairs = [(reference[name], current[name]) for name in reference]
        usual = _verdicts(reference, current, LIMIT, max_blind=None).values()
        tight = _verdicts(reference, current, TIGHT).values()
        alarms = (
            Verdict.FAIL in usual,
            Verdict.FAIL in tight,
            Verdict.ERROR in usual,
            any(_psi_alarm(*pair) for pair in pairs),
            any(_psi_great_alarm(*pair) for pair in pairs),
            any(_p_alarm(*pair) for pair in pairs),
        )
        counted.update(name for name, alarm in zip(ALARMS, alarms, strict=True) if alarm)
    return counted


def _verdicts(
    reference: Table, current: Table, at_most: float, *, method: str = "auto", max_blind: float | None = ANY
) -> dict[str, Verdict]:
    """Of each column."""
    gate = Gate(challenger=None, reference=reference, current=current)
    found = gate.drift(method, at_most=at_most, max_blind=max_blind)
    if not found.parts:
        raise SystemExit(found.message)
    return {part.details["column"]: part.verdict for part in found.parts}


def _false_alarms_by_method(runs: int) -> Iterator[str]:
    yield from METHODS_HEAD.splitlines()
    lines = []
    for method in METHODS:
        shares = [_alarms_of_method(method, n, runs) for n in METHOD_SIZES]
        _tell(f"{method}: {shares}")
        lines.append([f"`{method}`", *(f"{share:.1%}" for share in shares)])
    yield from _table(("method", *(f"{n:,} rows a side" for n in METHOD_SIZES)), lines)


def _alarms_of_method(method: str, n: int, runs: int) -> float:
    """Wasserstein knows numbers only: the columns of text are left out for it."""
    rng, failed = np.random.default_rng(n + 1), 0
    for _ in range(runs):
        reference, current = _nothing_happens(rng, n)
        if method == "wasserstein":
            reference, current = _of_numbers(reference), _of_numbers(current)
        failed += Verdict.FAIL in _verdicts(reference, current, TIGHT, method=method).values()
    return failed / runs


def _of_numbers(sample: Table) -> Table:
    return {name: values for name, values in sample.items() if values.dtype != object}


# --- the usual rules, for contrast


def _shares(reference: Array, current: Array) -> Array:
    """Counts in the usual cells, of shape (2, cells): categories, or deciles of the reference."""
    if reference.dtype == object:
        _, codes = np.unique(np.concatenate([reference, current]), return_inverse=True)
        sides = codes[: reference.size], codes[reference.size :]
    else:
        edges = np.unique(np.quantile(reference, np.arange(1, PSI_BINS) / PSI_BINS))
        sides = np.searchsorted(edges, reference, side="left"), np.searchsorted(edges, current, side="left")
    cells = max(int(side.max()) for side in sides) + 1
    return np.stack([np.bincount(side, minlength=cells) for side in sides])


def _psi(reference: Array, current: Array) -> float:
    counts = _shares(reference, current)
    shares = np.maximum(counts / counts.sum(axis=1, keepdims=True), PSI_NOTHING)
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _psi_alarm(reference: Array, current: Array) -> bool:
    return _psi(reference, current) > PSI_ALARM


def _psi_great_alarm(reference: Array, current: Array) -> bool:
    return _psi(reference, current) > PSI_GREAT_ALARM


def _p_alarm(reference: Array, current: Array) -> bool:
    """Kolmogorov–Smirnov for numbers, χ² for text."""
    if reference.dtype == object:
        return bool(stats.chi2_contingency(_shares(reference, current)).pvalue < SIGNIFICANT)
    return bool(stats.ks_2samp(reference, current, method="asymp").pvalue < SIGNIFICANT)


# --- columns in which something happens


@dataclass(frozen=True)
class Change:
    """A column that drifts, by steps."""

    name: str
    about: str
    unit: str
    steps: tuple[float, ...]
    draw: Callable[[Generator, int, float], Array]
    true_effect: Callable[[float], float]


def _swapped(rng: Generator, n: int, moved: float) -> Array:
    return _of_categories(*(np.array(SHARES) + moved * np.array([-1, 1, 0, 0, 0])))(rng, n)


SHARES = (0.4, 0.25, 0.2, 0.1, 0.05)


def _cramers_v(moved: float) -> float:
    """Of two equally large samples: √χ² / √(rows)."""
    before, after = np.array(SHARES), np.array(SHARES) + moved * np.array([-1, 1, 0, 0, 0])
    return math.sqrt(float(((after - before) ** 2 / (before + after)).sum()) / 2)


def _distance(after: Callable[[Array, float], Array]) -> Callable[[float], float]:
    """The largest gap of the distribution functions, on a fine grid."""
    places = np.linspace(-8, 8, 20_001)
    return lambda step: float(np.abs(after(places, step) - stats.norm.cdf(places)).max())


_QUARTILE = float(stats.norm.ppf(0.75))


def _student(rng: Generator, n: int, freedom: float) -> Array:
    drawn = rng.normal(size=n) if math.isinf(freedom) else rng.standard_t(freedom, size=n)
    return np.asarray(drawn * _QUARTILE / stats.t.ppf(0.75, freedom))


CHANGES = (
    Change(
        "Mean shift",
        "A normal column moves, by so many standard deviations.",
        "shift",
        (0.0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.8),
        lambda rng, n, step: rng.normal(step, size=n),
        _distance(lambda places, step: stats.norm.cdf(places - step)),
    ),
    Change(
        "Variance change",
        "A normal column keeps its mean; its standard deviation is multiplied.",
        "factor",
        (1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 3.0),
        lambda rng, n, step: rng.normal(scale=step, size=n),
        _distance(lambda places, step: stats.norm.cdf(places / step)),
    ),
    Change(
        "Tail change",
        "A normal column becomes one of Student's, with so many degrees of freedom and the same quartiles. Heavy tails "
        "hold few values, so the distribution function hardly moves and no rule that looks at it, ours included, sees "
        "much: where tails matter, judge a column that shows them, such as |x − median|, or the model's loss.",
        "degrees of freedom",
        (math.inf, 10.0, 5.0, 3.0, 2.0, 1.0),
        _student,
        _distance(lambda places, step: stats.t.cdf(places * stats.t.ppf(0.75, step) / _QUARTILE, step)),
    ),
    Change(
        "Category swap",
        "Of five categories with 40, 25, 20, 10 and 5 % of the rows, so many of the rows move from the first to the "
        "second. The effect is Cramér's V.",
        "moved",
        (0.0, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3),
        _swapped,
        _cramers_v,
    ),
)


def _curve(change: Change, runs: int) -> Iterator[str]:
    yield from ("", f"### {change.name}", "", *textwrap.wrap(change.about, 118))
    for n in CURVE_SIZES:
        _tell(f"{change.name}, {n:,} rows")
        yield from ("", f"{n:,} rows a side:")
        yield from _table(
            (change.unit, "true effect", *CURVE_HEADS), (_point(change, step, n, runs) for step in change.steps)
        )


CURVE_HEADS = ("ours: FAIL", "ours: left to people", "PSI > 0.1", "PSI > 0.25", "KS p < 0.05")


def _point(change: Change, step: float, n: int, runs: int) -> list[str]:
    """A line of the table: the column that drifts is judged among others that do not."""
    rng = np.random.default_rng([n, change.steps.index(step), len(change.name)])
    counted: Counter[str] = Counter()
    for _ in range(runs):
        before, after = change.draw(rng, n, change.steps[0]), change.draw(rng, n, step)
        counted.update(_said(before, after, rng))
    effect = change.true_effect(step)
    said = f"**{effect:.3f}**" if effect > LIMIT else f"{effect:.3f}"
    return [f"{step:g}".replace("inf", "∞"), said, *(_bar(counted[head] / runs) for head in CURVE_HEADS)]


def _said(before: Array, after: Array, rng: Generator) -> list[str]:
    reference, current = ({"it": side} | _beside(rng, side.size) for side in (before, after))
    ours = _verdicts(reference, current, LIMIT)["it"]
    alarms = (
        ours is Verdict.FAIL,
        ours is Verdict.INCONCLUSIVE,
        _psi_alarm(before, after),
        _psi_great_alarm(before, after),
        _p_alarm(before, after),
    )
    return [head for head, alarm in zip(CURVE_HEADS, alarms, strict=True) if alarm]


def _beside(rng: Generator, n: int) -> dict[str, Array]:
    return {f"null_{place}": rng.normal(size=n) for place in range(NULL_BESIDE)}


HEAD = """\
# What drift calls drift

How often `drift` is raised where nothing has changed, and how soon where something has, beside two usual rules.
Simulated by `python docs/measure_drift.py --runs {runs}`; two standard errors of the simulation are {error:.1%} of a
share of 5 %, and at most {curve_error:.1%} on the curves.

- **ours**: `Gate.drift(at_most=…)`, as in a test: a column FAILs when its effect, less what chance alone gives at these
  sizes, is above the limit **and** significant after Benjamini–Hochberg over all columns. The effect is KS for numbers
  and Cramér's V for text.
- **PSI > 0.1**, **PSI > 0.25**: the population stability index over deciles of the reference (categories, for text),
  with the customary limits.
- **KS p < 0.05**: a plain Kolmogorov–Smirnov test of each column (χ², for text)."""

FALSE_ALARMS_HEAD = """
## Where nothing has changed

Two samples from one population, 50 columns: 20 normal, 5 lognormal, 5 heavy-tailed, 5 with 80 % zeros, 5 of small
counts, 10 of text with 2, 5 and 30 categories. In how many runs is *any* column called? Promised is at most 5 %.

The limit 0.02 is far below what chance alone gives small samples: there, only the correction and the test protect.
**Blind at 0.1** is what the gate says of small samples with the limit 0.1: so few rows could hide a drift of twice the
limit. It then blocks as an ERROR and names the number of rows that would do; it does not say that there was drift."""

METHODS_HEAD = """
### By method

The same columns, and any FAIL with the limit 0.02, by the method that is asked for."""

CURVES_HEAD = """
## Where something has changed

One column changes and {beside} others do not; {runs} runs for each line. **Ours** has the limit 0.1, and true effects
above it are bold. FAIL is a finding above the limit that chance does not explain: without any effect it must be rare,
and at the limit itself it falls on either side; the fewer rows, the wider is that zone. **Left to people** is
INCONCLUSIVE: the limit lies within the interval. PSI and p-values know no such limit: the PSI of a small sample is
mostly noise, and with many rows every change, however small, is significant."""

if __name__ == "__main__":
    main()
