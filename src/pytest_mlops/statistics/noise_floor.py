"""How far data moves when nothing has happened: the noise floor of rows that come in an order.

Tests of two samples take rows to be independent. A season, or a memory from day to day, makes two stretches of the very
same source differ by more than that, and more rows only make it more significant. The source itself says by how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

from .dependence import FEWEST, MEMORY
from .pieces import pieces_of
from .power import POWER_QUANTILE, quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .two_sample import Stakes

    Floats = NDArray[np.float64]
    Piece = tuple[Floats, NDArray[np.intp]]

_PIECES = 5
_THIRDS = 3


# --- of two samples


def against_blocks(
    found: Estimate,
    plain: float,
    blocks: Sequence[float],
    stakes: Stakes,
    *,
    square: bool = False,
    longer: float = 1.0,
    most: float = math.inf,
) -> Estimate:
    """An effect beside what stretches of the reference show of it, each compared with the rest of the reference.

    Parameters
    ----------
    found : Estimate
        The effect as independent rows would have it.
    plain : float
        The effect of the current sample, nothing subtracted; not negative.
    blocks : sequence of float
        The same of at least two stretches of the reference, about as long as the current sample.
    stakes : Stakes
    square : bool
        Is the effect a square, as PSI is? All that follows is then of its root.
    longer : float
        How many times longer than the current sample a stretch is. What is longer moves less.
    most : float
        The largest effect there is.

    Returns
    -------
    Estimate
        √max(0, plain² - mean of blocks²), and plain ± Student's quantile · the root mean square of the blocks, where
        that is wider. The p-value is the largest of three, for each of three nulls must be refuted:

        - rows are independent, and differ by chance: the p-value of `found`;
        - the current sample is one more stretch: P(\\|t\\| ≥ plain / root mean square of the blocks), B - 1 degrees;
        - it is the reference's furthest stretch come again (December after December): normal, as far off as `found` is.

        It has a `doubt` with fewer than six blocks.

    Raises
    ------
    EvidenceError
        Fewer than two blocks.

    Notes
    -----
    The second test is exact where the effect is the size of a normal shift, which is the most that any of the effects
    here varies, for its mean square. A prediction interval of the logarithms of the blocks would do as well for some,
    but one stretch that happens to lie in the middle of the rest makes their spread so large that nothing is ever
    found. The third costs power where there are no seasons; without it, one month in twelve that differs every year is
    called drift (p = .01) whenever it is that month's turn.

    *Measured* (`tests/statistical/test_noise_floor.py`), stretches of 200 rows, KS, at .025: no series is called drift
    in more than 1 of 100 runs, be it independent, AR(.8) to AR(.99), or of a week, a year or a December; the test of
    independent rows calls AR(.8) drift in 47, AR(.95) in 84, a yearly season in 88. A shift of one standard deviation
    is found in all runs where rows are independent, in all with a week and 12 stretches and in 21 with 6, in 50 to 83
    with AR(.8) and 6 to 12 stretches, and in 9 to 20 with AR(.95). A shift that stays inside of what the seasons do is
    not found at all. What lasts longer than a stretch, and is no season that the reference has seen, cannot be told
    from drift, and is not excused.
    """
    seen = np.asarray(blocks, dtype=np.float64)
    if seen.size < 2:
        raise EvidenceError(
            f"the noise floor needs at least two stretches of the reference as long as the current sample, and there "
            f"is {seen.size}: give a longer reference, or leave time= out"
        )
    if found.exact:
        return found
    floor = _Floor.of(found, seen, math.sqrt(longer), square)
    moved = _root(plain, square)
    value = math.sqrt(max(0.0, moved**2 - floor.mean_square))
    reach = float(stdtrit(floor.degrees, (1 + found.confidence) / 2)) * floor.noise
    error = stakes.standard_error(
        _squared(floor.unseen(stakes), square),
        2 * math.sqrt(stakes.bound) * floor.noise if square else floor.noise,
    )
    return replace(
        found,
        value=_squared(value, square),
        low=min(found.low, _squared(value, square), _squared(max(0.0, moved - reach), square)),
        high=max(found.high, min(most, _squared(moved + reach, square))),
        method=f"{found.method}, beside {seen.size} stretches of the reference",
        p_value=max(1.0 if found.p_value is None else found.p_value, floor.p_value(moved)),
        standard_error=max(found.standard_error or 0.0, error),
        doubt=found.doubt or _too_few(seen.size),
    )


@dataclass(frozen=True, slots=True)
class _Floor:
    """How far the reference's own stretches move: all in the unit of a distance, never a square.

    Parameters
    ----------
    mean_square : float
    noise : float
        Its root, and never less than one row can show.
    furthest : float
        The largest of them.
    by_chance : float
        The standard error of two samples of independent rows.
    degrees : int
    """

    mean_square: float
    noise: float
    furthest: float
    by_chance: float
    degrees: int

    @classmethod
    def of(cls, found: Estimate, blocks: Floats, scale: float, square: bool) -> _Floor:
        moved = (np.sqrt(blocks) if square else blocks) * scale
        low, value, high = (_root(each, square) for each in (found.low, found.value, found.high))
        least = 1 / found.n
        mean_square = float(np.mean(moved**2))
        return cls(
            mean_square,
            max(math.sqrt(mean_square), least),
            float(moved.max()),
            max(high - value, value - low, least) / quantile(found.confidence),
            moved.size - 1,
        )

    def p_value(self, moved: float) -> float:
        of_a_stretch = 2 * float(stdtr(self.degrees, -moved / self.noise))
        of_the_furthest = NormalDist().cdf(-(moved - self.furthest) / self.by_chance)
        return max(min(1.0, of_a_stretch), of_the_furthest)

    def unseen(self, stakes: Stakes) -> float:
        """The distance that both tests find with probability 0.8."""
        of_a_stretch = float(stdtrit(self.degrees, 1 - stakes.level / 2)) * self.noise
        of_the_furthest = self.furthest - NormalDist().inv_cdf(stakes.level) * self.by_chance
        return max(of_a_stretch, of_the_furthest) + POWER_QUANTILE * self.noise


def _root(effect: float, square: bool) -> float:
    return math.sqrt(max(0.0, effect)) if square else effect


def _squared(distance: float, square: bool) -> float:
    return distance**2 if square else distance


def _too_few(blocks: int) -> str | None:
    if blocks >= FEWEST:
        return None
    return f"its noise floor rests on {blocks} stretches of the reference, and {FEWEST} are needed"


# --- of windows of time


@dataclass(frozen=True, slots=True)
class Memory:
    """How much less sure rows that follow each other make us than independent ones.

    Parameters
    ----------
    factor : float
        By which the interval of independent rows is too short; at least 1.
    doubt : str or None
        Why nobody knows.
    """

    factor: float = 1.0
    doubt: str | None = None


def memory(windows: Sequence[tuple[Floats, NDArray[Any]]], *, confidence: float) -> Memory:
    """The memory that several windows of one series have in common.

    Parameters
    ----------
    windows : sequence of (influence, time)
        Of each window: how much each of its rows moves its metric, around 0, and when that row happened; both of shape
        (rows,).
    confidence : float
        Of the intervals that the factor is for.

    Returns
    -------
    Memory
        One window is too short to show its own memory; all of them together are not, and what sets them apart, which is
        what the question is about, is not counted as noise. Each is cut into five pieces, rows of one time never
        parted: V(b) is the mean square of the pieces' sums, and the variance is the largest of that, of the lugsail
        2 V(b) - V(b/3) [1]_ and of that of independent rows. Student's quantile counts how many pieces that rests on.

    References
    ----------
    .. [1] D. Vats and J. M. Flegal, "Lugsail lag windows for estimating time-average covariance matrices",
       Biometrika 109, 2022.
    """
    windows = [_in_order(*window) for window in windows]
    pieces = [_pieces(*window, _PIECES) for window in windows]
    thirds = [_pieces(*window, _THIRDS * _PIECES) for window in windows]
    degrees = sum(sums.size - 1 for sums, _ in pieces)
    if degrees < FEWEST - 1:
        return Memory(
            doubt="the windows hold too few moments of time to show how alike rows are that follow each other: "
            "use fewer, longer windows"
        )
    independent = sum(float(influence @ influence) for influence, _ in windows)
    if independent <= 0:
        return Memory()
    long, short = _variance(pieces), _variance(thirds)
    inflation = max(1.0, long / independent, (2 * long - short) / independent)
    student = float(stdtrit(degrees, (1 + confidence) / 2)) / quantile(confidence)
    return Memory(math.sqrt(inflation) * (student if inflation > 1 else 1.0), _remembering(thirds))


def _in_order(influence: Floats, time: NDArray[Any]) -> tuple[Floats, NDArray[Any]]:
    """The same in any order of the rows: it decides how sums round."""
    order = np.lexsort((influence, time))
    return influence[order], time[order]


def _pieces(influence: Floats, time: NDArray[Any], pieces: int) -> Piece:
    """The sum of each piece and how many rows it has, in the order of time; no piece without rows."""
    piece = pieces_of(time, pieces)
    return np.bincount(piece, influence).astype(np.float64), np.bincount(piece)


def _variance(pieces: Sequence[Piece]) -> float:
    """Of the sum of all rows: each window's own mean has taken its share of what varies."""
    return sum(float(sums @ sums) * sums.size / (sums.size - 1) for sums, _ in pieces if sums.size > 1)


def _remembering(pieces: Sequence[Piece]) -> str | None:
    levels = [sums / sizes for sums, sizes in pieces]
    squares = sum(float(level @ level) for level in levels)
    alike = sum(float(level[1:] @ level[:-1]) for level in levels) / squares if squares else 0.0
    if alike <= MEMORY:
        return None
    return (
        f"neighbouring stretches of a window are still alike (correlation {alike:.2f}): the windows are too short for "
        f"the memory of the series"
    )
