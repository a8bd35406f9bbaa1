"""From the counts of a column in both samples to an estimate, by the method that was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from pytest_mlops.evidence.profile_pair import ProfilePair
from pytest_mlops.statistics import divergence, noise_floor, two_sample
from pytest_mlops.statistics.two_sample import Stakes
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.wording import percent

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from pytest_mlops.statistics.steps import Steps

    Counts = NDArray[np.int64]
    Blocks = Sequence[ProfilePair] | None
    Measure = Callable[[Stakes, Generator], "Measured"]

OF_NUMBERS = ("ks", "wasserstein")
OF_SHARES = ("psi", "jensen_shannon", "hellinger")
_UP_TO_1 = ("ks", "cramers_v", "jensen_shannon", "hellinger")
_FORMULAS = {
    "cramers_v": divergence.cramers_v,
    "psi": divergence.psi,
    "jensen_shannon": divergence.jensen_shannon,
    "hellinger": divergence.hellinger,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """An estimate, and what is worth knowing of how it was made."""

    found: Estimate
    details: dict[str, Any] = field(default_factory=dict)


def of_values(method: str, pair: ProfilePair, blocks: Blocks) -> Measure:
    """How far the values of both samples are apart, beside stretches of the reference if there are any."""
    return partial(_measured, partial(_compared, method), pair, blocks)


def of_missing(method: str, pair: ProfilePair, blocks: Blocks) -> Measure:
    """How far the shares of rows without a value are."""
    return partial(_measured, partial(_missing, method), pair, blocks)


class _Compared(Protocol):
    """Two samples of a column as one method looks at them."""

    @property
    def method(self) -> str: ...
    def estimate(self, stakes: Stakes, generator: Generator) -> Estimate: ...
    def plain(self) -> float:
        """The effect as it is seen, chance included."""

    def rest(self) -> Self:
        """The reference without the current sample, which is a part of it."""

    def doubted(self, found: Estimate) -> Estimate:
        """With what nobody can compare."""

    @property
    def error(self) -> float:
        """By how much more samples may differ, as values were counted in cells; the interval has it."""


def _measured(
    compare: Callable[[ProfilePair], _Compared],
    pair: ProfilePair,
    blocks: Blocks,
    stakes: Stakes,
    generator: Generator,
) -> Measured:
    compared = compare(pair)
    found, details = compared.estimate(stakes, generator), dict[str, Any]()
    if compared.error:
        details["error"] = float(f"{compared.error:.2g}")
    if blocks is None or found.exact:
        return Measured(compared.doubted(found), details)
    moved = [compare(block).rest().plain() for block in blocks]
    details |= {"blocks": len(moved), "noise_floor": round(max(moved), 4)}
    found = noise_floor.against_blocks(
        found,
        compared.plain(),
        moved,
        stakes,
        square=compared.method == "psi",
        longer=_longer(blocks, pair),
        most=1.0 if compared.method in _UP_TO_1 else math.inf,
    )
    return Measured(compared.doubted(found), details)


def _longer(blocks: Sequence[ProfilePair], pair: ProfilePair) -> float:
    """How many times the rows of the current sample a stretch of the reference has, at least 1."""
    rows = [each.sizes[1] + each.missing[1] for each in (*blocks, pair)]
    return max(1.0, sum(rows[:-1]) / len(blocks) / rows[-1])


def _compared(method: str, pair: ProfilePair) -> _Compared:
    if not pair.text:
        return _Numbers(method, pair.steps) if method in OF_NUMBERS else _Binned(method, _fine(pair.steps))
    return _Cells(method, pair.cells[1], pair.pooled)


def _fine(steps: Steps) -> Steps:
    """Cells that hold more than a bin does hide drift from all that looks at shares: 0 and 1 may be in one of them."""
    if steps.slack > 1 / two_sample.BINS:
        raise EvidenceError(
            f"it is known in cells of up to {percent(steps.slack)} of the values, which hide too much to compare "
            f"shares: make the profile with a smaller --suppress-below, or leave the column out with columns="
        )
    return steps


def _missing(method: str, pair: ProfilePair) -> _Compared:
    return _Cells(method, np.array([pair.sizes, pair.missing]).T)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """By their distribution functions."""

    method: str
    steps: Steps

    def estimate(self, stakes: Stakes, generator: Generator) -> Estimate:
        formula = two_sample.kolmogorov_smirnov if self.method == "ks" else two_sample.wasserstein
        return formula(self.steps, stakes=stakes, generator=generator)

    def plain(self) -> float:
        return two_sample.plain_distance(self.method, self.steps)

    def rest(self) -> _Numbers:
        return replace(self, steps=self.steps.rest())

    def doubted(self, found: Estimate) -> Estimate:
        return found

    @property
    def error(self) -> float:
        return self.steps.slack if self.method == "ks" else 0.0


@dataclass(frozen=True, slots=True)
class _Binned:
    """Numbers by shares of bins."""

    method: str
    steps: Steps

    def estimate(self, stakes: Stakes, generator: Generator) -> Estimate:
        return self._cells.estimate(stakes, generator)

    def plain(self) -> float:
        return self._cells.plain()

    def rest(self) -> _Binned:
        return replace(self, steps=self.steps.rest())

    def doubted(self, found: Estimate) -> Estimate:
        return found

    @property
    def _cells(self) -> _Cells:
        return _Cells(self.method, two_sample.binned(self.steps))

    @property
    def error(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class _Cells:
    """By shares of categories; where `pooled`, the last one is the rest of them, compared as one."""

    method: str
    counts: Counts
    pooled: bool = False

    def estimate(self, stakes: Stakes, generator: Generator) -> Estimate:
        return _FORMULAS[self.method](self.counts, stakes=stakes, generator=generator)

    def plain(self) -> float:
        return divergence.plain(self.method, self.counts)

    def rest(self) -> _Cells:
        return replace(self, counts=np.stack([self.counts[0] - self.counts[1], self.counts[1]]))

    def doubted(self, found: Estimate) -> Estimate:
        """Had the samples none of the pooled categories in common, they would be that much further apart."""
        if not self.pooled:
            return found
        sizes = self.counts.sum(axis=1)
        hidden = float((self.counts[:, -1] / sizes).sum())
        if self.method == "psi":  # half a row for a category that was not seen
            return replace(found, high=found.high + hidden * math.log(2 * int(sizes.max()) + 1), exact=False)
        return replace(found, high=min(1.0, math.sqrt(found.high**2 + hidden / 2)), exact=False)

    @property
    def error(self) -> float:
        return 0.0
