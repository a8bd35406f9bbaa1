"""How far apart the shares of two samples are, cell by cell: Cramér's V, PSI, the Jensen–Shannon distance, Hellinger's.

All are divergences that look like a χ² where the samples are near each other: one bias to subtract, one interval
(noncentral χ²), and the p-value of the χ² test itself, by permutation where an expected count is small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, xlogy

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .power import POWER
from .two_sample import Stakes, constant

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

_LEAST_DRAWS = 2_000
_MOST_DRAWS = 100_000
_BATCH_CELLS = 400_000
_ENOUGH_EXTREMES = 50
_FEW_EXPECTED = 5


def cramers_v(counts: Counts, *, stakes: Stakes, generator: Generator) -> Estimate:
    """Cramér's V of cell and sample, as though both samples were of one size: in [0, 1].

    Parameters
    ----------
    counts : array of shape (2, cells)
        How often each category was seen, in the reference and in the current sample.
    stakes : Stakes
    generator : numpy.random.Generator
        Of the permutations, where a count below 5 is expected.

    Returns
    -------
    Estimate
        With Bergsma's correction [1]_ and the interval of a noncentral χ² [2]_, widened where the delta method says so.
        Plain V shrinks with the share of the smaller sample, whatever the drift; so V² is ½ Σ (p − q)² / (p + q) here,
        which is the plain one where the samples are of one size.

    Raises
    ------
    EvidenceError
        A sample has no values.

    References
    ----------
    .. [1] W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", J. Korean Statistical Society 42, 2013.
    .. [2] M. Smithson, "Confidence intervals", Sage, 2003.
    """
    return _of_cells(_CRAMER, counts, stakes, generator)


def psi(counts: Counts, *, stakes: Stakes, generator: Generator) -> Estimate:
    """The population stability index Σ (p − q) ln(p / q), each count raised by ½; parameters as of `cramers_v`.

    Returns
    -------
    Estimate
        Its null expectation (1/n + 1/m)(cells − 1) [1]_ subtracted, or that of permutations where cells are rare. The
        p-value is that of the χ² test.

    References
    ----------
    .. [1] B. Yurdakul, "Statistical properties of population stability index", Western Michigan University, 2018.
    """
    return _of_cells(_PSI, counts, stakes, generator)


def jensen_shannon(counts: Counts, *, stakes: Stakes, generator: Generator) -> Estimate:
    """The Jensen–Shannon distance [1]_ to base 2, in [0, 1]; parameters as of `cramers_v`.

    Returns
    -------
    Estimate
        The null expectation of its square subtracted. The p-value is that of the χ² test.

    References
    ----------
    .. [1] D. M. Endres and J. E. Schindelin, "A new metric for probability distributions", IEEE Trans. Inf. Theory 49,
       2003.
    """
    return _of_cells(_JENSEN_SHANNON, counts, stakes, generator)


def hellinger(counts: Counts, *, stakes: Stakes, generator: Generator) -> Estimate:
    """The Hellinger distance √(1 − Σ √(p q)) [1]_, in [0, 1]; parameters as of `cramers_v`.

    Returns
    -------
    Estimate
        The null expectation of its square subtracted. The p-value is that of the χ² test.

    References
    ----------
    .. [1] L. Le Cam and G. L. Yang, "Asymptotics in statistics", Springer, 2000.
    """
    return _of_cells(_HELLINGER, counts, stakes, generator)


def plain(method: str, counts: Counts) -> float:
    """The effect as it is seen, chance included: ``"cramers_v"``, ``"psi"``, ``"jensen_shannon"``, ``"hellinger"``."""
    divergence = _BY_NAME[method]
    found = max(0.0, float(divergence.of(*_shares(divergence, _seen_cells(counts)))[0]))
    return math.sqrt(found) if divergence.root else found


@dataclass(frozen=True, slots=True)
class _Divergence:
    """A divergence of shares p and q, which is `scale` · ¼ Σ (p − q)²/p where they are near, and its slopes.

    `root` says that its square root is what people read; `raised` is added to each count.
    """

    method: str
    of: Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]
    scale: float
    root: bool
    raised: float = 0.0


def _le_cam(p: Floats, q: Floats) -> tuple[Floats, Floats, Floats]:
    tilt = (p - q) / (p + q)
    return (tilt * (p - q)).sum(axis=-1) / 2, (2 * tilt - tilt**2) / 2, (-2 * tilt - tilt**2) / 2


def _stability(p: Floats, q: Floats) -> tuple[Floats, Floats, Floats]:
    log = np.log(p / q)
    return ((p - q) * log).sum(axis=-1), log + 1 - q / p, 1 - p / q - log


def _shannon(p: Floats, q: Floats) -> tuple[Floats, Floats, Floats]:
    middle = (p + q) / 2

    def slope(share: Floats) -> Floats:
        """A share of 0 does not vary: it needs no slope, so any finite one will do."""
        return np.asarray(xlogy(share > 0, np.where(share > 0, share, 1.0) / middle) / math.log(4), dtype=np.float64)

    left, right = slope(p), slope(q)
    return (p * left + q * right).sum(axis=-1), left, right


def _hellinger(p: Floats, q: Floats) -> tuple[Floats, Floats, Floats]:
    def slope(share: Floats, other: Floats) -> Floats:
        """As of `_shannon`."""
        return -np.sqrt(other / np.where(share > 0, share, np.inf)) / 2

    return ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1) / 2, slope(p, q), slope(q, p)


_CRAMER = _Divergence("Cramér's V, noncentral χ²", _le_cam, 1.0, root=True)
_PSI = _Divergence("PSI, noncentral χ²", _stability, 4.0, root=False, raised=0.5)
_JENSEN_SHANNON = _Divergence("Jensen–Shannon, noncentral χ²", _shannon, 1 / math.log(4), root=True)

_HELLINGER = _Divergence("Hellinger, noncentral χ²", _hellinger, 0.5, root=True)
_BY_NAME = {"cramers_v": _CRAMER, "psi": _PSI, "jensen_shannon": _JENSEN_SHANNON, "hellinger": _HELLINGER}


def _of_cells(divergence: _Divergence, counts: Counts, stakes: Stakes, generator: Generator) -> Estimate:
    counts = _seen_cells(counts)
    n, m = (int(total) for total in counts.sum(axis=1))
    if counts.shape[1] == 1:
        return constant(n, m, stakes, lambda hidden: _unlike_constant(divergence, hidden, n))
    degrees = counts.shape[1] - 1
    size = 4 * n * m / (n + m)  # n + m where the samples are of one size
    found, *slopes = divergence.of(*_shares(divergence, counts))
    rare = bool(_expected(counts).min() < _FEW_EXPECTED)
    expected = _expected_divergence(divergence, counts, generator) if rare else _null_mean(divergence, degrees, size)
    without_bias = max(0.0, float(found) - expected)
    if divergence is _CRAMER:  # Bergsma's r̃ − 1
        without_bias = min(1.0, without_bias / (1 - 1 / (size - 1))) if size > 2 else 0.0
    variance = _variance_of_root(divergence, counts, float(found), slopes)
    low, high = _noncentral(float(found), degrees, max(divergence.scale / size, variance), stakes.confidence)

    def read(square: float) -> float:
        return math.sqrt(square) if divergence.root else square

    value, most = read(without_bias), 1.0 if divergence.root else math.inf
    unseen = read(_unseen_divergence(divergence, degrees, size, stakes))
    at_bound = 0.0 if divergence.root else 2 * math.sqrt(stakes.bound * divergence.scale / size)  # of a square
    return Estimate(
        value=value,
        low=min(value, read(low)),
        high=min(most, max(read(high), math.nextafter(value, math.inf))),
        confidence=stakes.confidence,
        method=divergence.method,
        n=n + m,
        null=0.0,
        p_value=_chi_square_p_value(counts, rare, stakes, generator),
        standard_error=stakes.standard_error(unseen, at_bound),
    )


def _unseen_divergence(divergence: _Divergence, degrees: int, size: float, stakes: Stakes) -> float:
    """Which divergence the χ² test finds with probability 0.8.

    Its power depends on V²; what the others are then is taken from two cells that swap their shares.
    """
    noncentrality = _noncentrality(float(chdtri(degrees, stakes.level)), degrees, 1 - POWER)
    v = min(math.sqrt(noncentrality / size), 0.999)
    swapped = np.array([1 + v, 1 - v]) / 2
    return float(divergence.of(swapped, swapped[::-1])[0])


def _seen_cells(counts: Counts) -> Counts:
    """Without empty cells, and in an order that no order of rows changes."""
    counts = np.asarray(counts, dtype=np.int64)
    if not counts.size or not counts.sum(axis=1).all():
        raise EvidenceError("a sample has no values")
    counts = counts[:, counts.sum(axis=0) > 0]
    return counts[:, np.lexsort(counts)]


def _shares(divergence: _Divergence, counts: Counts) -> tuple[Floats, Floats]:
    """Of the reference and the current sample; `counts` of shape (2, cells) or (2, draws, cells)."""
    raised = counts + divergence.raised
    p, q = np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float64)
    return p, q


def _expected(counts: Counts) -> Floats:
    return np.asarray(np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum())


def _null_mean(divergence: _Divergence, degrees: int, size: float) -> float:
    """Of a divergence that is near a χ² / size; V² has Bergsma's size - 1, for which it is exact."""
    return divergence.scale * degrees / (size - 1 if divergence is _CRAMER else size)


def _expected_divergence(divergence: _Divergence, counts: Counts, generator: Generator) -> float:
    """Under the null, by permutation: with rare cells no formula holds but that of V² for samples of one size."""
    n, m = counts.sum(axis=1)
    if divergence is _CRAMER and n == m:
        return _null_mean(divergence, counts.shape[1] - 1, float(n + m))
    drawn = _permuted(counts, 200, generator)
    keep = np.stack([drawn, counts.sum(axis=0) - drawn])
    return float(np.mean(divergence.of(*_shares(divergence, keep))[0]))


def _variance_of_root(divergence: _Divergence, counts: Counts, found: float, slopes: list[Floats]) -> float:
    """Of the square root of the divergence, by the delta method: it stays finite near 0, where that of the square is 0.

    Each slope is that by one sample's shares, which are multinomial.
    """
    if found <= 0:
        return 0.0
    variance = 0.0
    for shares, total, slope in zip(_shares(divergence, counts), counts.sum(axis=1), slopes, strict=True):
        variance += float(shares @ slope**2 - (shares @ slope) ** 2) / int(total)
    return variance / (4 * found)


def _noncentral(found: float, degrees: int, scale: float, confidence: float) -> tuple[float, float]:
    """The interval of what `found` estimates, where found / scale is a noncentral χ².

    Samples that agree better than chance are no better evidence than samples that agree as chance would have it.
    """
    tail = (1 - confidence) / 2
    statistic = found / scale
    low = _noncentrality(statistic, degrees, 1 - tail)
    high = _noncentrality(max(statistic, float(degrees)), degrees, tail)
    return low * scale, high * scale


def _noncentrality(statistic: float, degrees: int, probability: float) -> float:
    """With which noncentrality a χ² stays below `statistic` with this probability; 0 if with none."""

    def excess(noncentrality: float) -> float:
        return _noncentral_cdf(statistic, degrees, noncentrality) - probability

    if statistic <= 0 or excess(0.0) <= 0:
        return 0.0
    furthest = (math.sqrt(statistic) + 10) ** 2 + 10
    return float(brentq(excess, 0.0, furthest, xtol=1e-9 * furthest))


def _noncentral_cdf(x: float, degrees: int, noncentrality: float) -> float:
    """By Sankaran's approximation (Biometrika 50, 1963), which holds for any size."""
    if degrees == 1:  # where the approximation is rough, the square of a normal is exact
        normal, shift = NormalDist(), math.sqrt(noncentrality)
        return normal.cdf(math.sqrt(x) - shift) - normal.cdf(-math.sqrt(x) - shift)
    k, nc = float(degrees), noncentrality
    h = 1 - 2 / 3 * (k + nc) * (k + 3 * nc) / (k + 2 * nc) ** 2
    p = (k + 2 * nc) / (k + nc) ** 2
    m = (h - 1) * (1 - 3 * h)
    mean = 1 + h * p * (h - 1 - (2 - h) * m * p / 2)
    return NormalDist().cdf(((x / (k + nc)) ** h - mean) / (h * math.sqrt(2 * p) * (1 + m * p / 2)))


def _chi_square(reference: Counts, totals: Counts, share: float) -> Floats:
    """Pearson's statistic of reference counts, of shape (…, cells), given the pooled ones."""
    return np.asarray(((reference - totals * share) ** 2 / totals).sum(axis=-1) / (share * (1 - share)))


def _chi_square_p_value(counts: Counts, rare: bool, stakes: Stakes, generator: Generator) -> float:
    """Pearson's χ² test, by permutation where a count below 5 is expected.

    Draws stop once enough of them were as extreme: such a p-value is far from any level that matters (Besag and
    Clifford, Biometrika 78, 1991).
    """
    totals, share = counts.sum(axis=0), float(counts[0].sum() / counts.sum())
    seen = float(_chi_square(counts[0], totals, share))
    if not rare:
        return float(chdtrc(counts.shape[1] - 1, seen))
    plain = _without_rare_cells(counts)
    if plain is not None:
        found = _chi_square_p_value(plain, False, stakes, generator)
        if found <= stakes.level / 100:  # then the rare cells are not needed, and a second look costs 1 % of the level
            return found
    most = int(np.clip(10 / stakes.level, _LEAST_DRAWS, _MOST_DRAWS))
    batch = max(1, min(1_000, _BATCH_CELLS // counts.shape[1]))
    drawn = extreme = 0
    while drawn < most and extreme < _ENOUGH_EXTREMES:
        statistics = _chi_square(_permuted(counts, batch, generator), totals, share)
        extreme += int((statistics >= seen * (1 - 1e-9)).sum())
        drawn += batch
    return (1 + extreme) / (1 + drawn)


def _without_rare_cells(counts: Counts) -> Counts | None:
    """The rare cells as one, with the least of the others where that one is rare as well; None if no two are left."""
    counts = counts[:, np.argsort(counts.sum(axis=0), kind="stable")]
    few = int((_expected(counts).min(axis=0) < _FEW_EXPECTED).sum())
    for merged in (few, few + 1):
        pooled = np.column_stack([counts[:, :merged].sum(axis=1), counts[:, merged:]])
        if pooled.shape[1] > 1 and _expected(pooled).min() >= _FEW_EXPECTED:
            return pooled
    return None


def _permuted(counts: Counts, draws: int, generator: Generator) -> Counts:
    """The reference's counts, of shape (draws, cells), had chance alone dealt the pooled rows out."""
    drawn = generator.multivariate_hypergeometric(
        counts.sum(axis=0), int(counts[0].sum()), size=draws, method="marginals"
    )
    return np.asarray(drawn, dtype=np.int64)


def _unlike_constant(divergence: _Divergence, hidden: float, n: int) -> float:
    """The divergence of a sample in which a share of `hidden` differs from `n` rows of which none does."""
    never = divergence.raised / (n + 2 * divergence.raised)
    found = float(divergence.of(np.array([1 - never, never]), np.array([1 - hidden, hidden]))[0])
    return math.sqrt(found) if divergence.root else found
