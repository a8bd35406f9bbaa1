"""Two samples of points, e.g. embeddings: how far apart they are as a whole, whatever way they differ.

The maximum mean discrepancy compares how similar two points are: within the reference, within the current sample, and
across. Similarity is 1 for one and the same point and falls to 0 with the distance, as a Gaussian bell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import pdist

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .power import POWER_QUANTILE, quantile
from .two_sample import Stakes, constant

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

MOST = 2_000
"""Points of each sample that are worth their price: time and memory grow with the square."""

FURTHEST = math.sqrt(2)
"""Of samples that have nothing in common, each of one point."""

_OF_BANDWIDTH = 1_000
_LEAST_DRAWS = 2_000
_MOST_DRAWS = 100_000
_BATCH = 250
_ENOUGH_EXTREMES = 50
_ITERATIONS = 40


def mmd(reference: Floats, current: Floats, *, stakes: Stakes, generator: Generator) -> Estimate:
    """The maximum mean discrepancy [1]_ of two samples of points, in [0, √2).

    Parameters
    ----------
    reference, current : arrays of shape (n, dimensions), (m, dimensions)
        Finite numbers; 2,000 points of each are a matter of seconds.
    stakes : Stakes
    generator : numpy.random.Generator
        Of the bandwidth's subsample and of the permutations.

    Returns
    -------
    Estimate
        √max(0, MMD²), where MMD² has no bias: it is 0 on average where both samples come from one distribution. The
        kernel is Gaussian, its bandwidth the median distance of the pooled points. Its interval holds what is at most z
        standard errors of MMD² away: downwards its own, that of a U-statistic; upwards the largest that a
        discrepancy may have, since the rows that hide one make its own standard error too small as well. The p-value
        is that of permutations.

    Raises
    ------
    EvidenceError
        A sample has fewer than two points, or one that is not finite.

    References
    ----------
    .. [1] A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, "A kernel two-sample test", JMLR 13, 2012.
    """
    points, of_reference = _pooled(reference, current)
    n, m = len(reference), len(current)
    if (points == points[0]).all():
        return constant(n, m, stakes, lambda hidden: FURTHEST * hidden)
    cloud = _Cloud.of(points, n, generator)
    square = float(cloud.squares(of_reference[:, None])[0])
    value, z = math.sqrt(max(0.0, square)), quantile(stakes.confidence)
    known = max(cloud.null_variance, cloud.variance(of_reference) - cloud.null_variance)
    return Estimate(
        value=value,
        low=min(value, math.sqrt(max(0.0, square - z * math.sqrt(known)))),
        high=max(min(FURTHEST, cloud.furthest(value**2, z)), math.nextafter(value, math.inf)),
        confidence=stakes.confidence,
        method="MMD, Gaussian kernel, permutation test",
        n=n + m,
        null=0.0,
        p_value=_p_value(cloud, square, stakes, generator),
        standard_error=stakes.standard_error(*_unseen(cloud, stakes)),
    )


def _pooled(reference: Floats, current: Floats) -> tuple[Floats, Booleans]:
    """All points in an order that no order of rows changes, and which of them are the reference's."""
    if min(len(reference), len(current)) < 2:
        raise EvidenceError("fewer than two rows of a sample have values: there is nothing to compare")
    points = np.concatenate([reference, current]).astype(np.float64)
    if not np.isfinite(points).all():
        raise EvidenceError("infinite values have no distance: leave out their columns or rows")
    order = np.lexsort(points.T)
    return points[order], order < len(reference)


@dataclass(frozen=True, slots=True)
class _Cloud:
    """How similar all pairs of points are; nobody knows here which of them are the reference's `n`.

    Parameters
    ----------
    similar : array of shape (points, points)
        Centred: every row and column sums to 0. The discrepancy does not mind, as what is added to all pairs of a
        point is taken away again across the samples.
    n : int
    widest : float
        The variance of the direction in which the points vary most: the largest eigenvalue of the covariance.
    """

    similar: Floats
    n: int
    widest: float

    @classmethod
    def of(cls, points: Floats, n: int, generator: Generator) -> _Cloud:
        """In place, as there may be 16 million pairs."""
        points = points - points.mean(axis=0)
        square = -0.5 / _bandwidth(points, generator) ** 2
        norms = np.einsum("ij,ij->i", points, points)
        similar = points @ points.T
        similar *= -2
        similar += norms
        similar += norms[:, None]
        np.maximum(similar, 0.0, out=similar)
        similar *= square
        np.exp(similar, out=similar)
        by_point = similar.mean(axis=0)
        similar -= by_point
        similar -= by_point[:, None]
        similar += by_point.mean()
        return cls(similar, n, _largest_eigenvalue(similar, generator) / len(similar))

    @property
    def m(self) -> int:
        return len(self.similar) - self.n

    def squares(self, chosen: NDArray[np.bool_]) -> Floats:
        """MMD² without bias, for each column of `chosen`, of shape (points, draws): who is called the reference.

        As rows sum to 0, all sums across and within follow from that within the chosen.
        """
        n, m = self.n, self.m
        marks = chosen.astype(np.float64)
        within = np.einsum("ij,ij->j", marks, self.similar @ marks)
        selves = np.diagonal(self.similar)
        own = selves @ marks
        pairs = (within - own) / (n * (n - 1)) + (within - (selves.sum() - own)) / (m * (m - 1))
        return np.asarray(pairs + 2 * within / (n * m))

    @property
    def weight(self) -> float:
        """1/n + 1/m: how noisy the difference of two means is."""
        return 1 / self.n + 1 / self.m

    @property
    def null_variance(self) -> float:
        """Of MMD² where both samples come from one distribution; that of permutations."""
        size = len(self.similar)
        selves = np.diagonal(self.similar)
        off = float(np.einsum("ij,ij->", self.similar, self.similar) - selves @ selves)
        return 2 * self.weight**2 * max(0.0, off) / (size * (size - 1))

    @property
    def slope(self) -> float:
        """The standard error of a large MMD is at most this: √(weight · variance of the widest direction)."""
        return math.sqrt(self.weight * self.widest)

    def furthest(self, square: float, z: float) -> float:
        """The largest discrepancy of which an MMD² of `square` is still within z standard errors.

        The first-order variance of MMD² is at most 4 · MMD² · weight · `widest`.
        """
        null, found = self.null_variance, square
        for _ in range(60):  # a contraction
            found = square + z * math.sqrt(null + 4 * found * self.slope**2)
        return math.sqrt(found)

    def variance(self, of_reference: Booleans) -> float:
        """Of MMD² to first order: how much each point moves it. Under the null this is twice the true variance."""
        marks = np.stack([of_reference, ~of_reference]).astype(np.float64).T
        sums = self.similar @ marks
        sums -= np.diagonal(self.similar)[:, None] * marks
        others = np.array([self.n, self.m]) - marks
        moved = sums[:, 0] / others[:, 0] - sums[:, 1] / others[:, 1]
        return 4 * (float(moved[of_reference].var(ddof=1)) / self.n + float(moved[~of_reference].var(ddof=1)) / self.m)


def _bandwidth(points: Floats, generator: Generator) -> float:
    """The median distance of pairs of points; where most points are equal, of those that are not."""
    if len(points) > _OF_BANDWIDTH:
        points = points[np.sort(generator.choice(len(points), _OF_BANDWIDTH, replace=False))]
    distances = pdist(points)
    apart = distances[distances > 0]
    return float(np.median(distances)) or (float(np.median(apart)) if apart.size else 1.0)


def _largest_eigenvalue(matrix: Floats, generator: Generator) -> float:
    """By power iteration, to about 1 %."""
    vector, found = generator.standard_normal(len(matrix)), 0.0
    for _ in range(_ITERATIONS):
        vector = matrix @ vector
        found = float(np.linalg.norm(vector))
        vector /= found
    return found


def _p_value(cloud: _Cloud, square: float, stakes: Stakes, generator: Generator) -> float:
    """How often chance alone deals out points as far apart.

    Draws stop once enough of them were: such a p-value is far from any level that matters (Besag and Clifford,
    Biometrika 78, 1991).
    """
    most = int(np.clip(10 / stakes.level, _LEAST_DRAWS, _MOST_DRAWS))
    drawn = extreme = 0
    while drawn < most and extreme < _ENOUGH_EXTREMES:
        squares = cloud.squares(_dealt(len(cloud.similar), cloud.n, generator))
        extreme += int((squares >= square - 1e-12).sum())
        drawn += _BATCH
    return (1 + extreme) / (1 + drawn)


def _dealt(size: int, n: int, generator: Generator) -> Booleans:
    """`n` of all points, at random, for each of a batch of draws."""
    ranks = np.argsort(generator.random((_BATCH, size)), axis=1)
    return np.asarray((ranks < n).T)


def _unseen(cloud: _Cloud, stakes: Stakes) -> tuple[float, float]:
    """The discrepancy that is significant with probability 0.8, and how far an estimate of a large one may be off."""
    needed = quantile(1 - 2 * stakes.level) * math.sqrt(cloud.null_variance)
    return cloud.furthest(needed, POWER_QUANTILE), cloud.slope
