"""How many test rows a comparison of two models needs, before any of them is collected."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from scipy.special import ndtri_exp

from pytest_mlops.verdict.errors import MlopsUsageError

from .power import POWER

MARGINS_UNSEEN = 3.0
"""How many margins the blind spot of champion_challenger may have, unless the user says otherwise."""

_MOST_ROWS = 1e15
"""Nobody collects more; beyond it floats no longer count every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How sure the answers must be.

    Parameters
    ----------
    confidence : float
        Of all looks together, in (0, 1).
    power : float
        The probability to show or to catch what is there, in [0.5, 1).
    looks : int
        How many challengers are judged on the same test rows.
    adaptive : bool
        Later challengers may be made in the light of the earlier verdicts. Then every sequence of verdicts leads to a
        challenger of its own, and all 2^looks of them count [1]_. One bit a look: who also reads the values and the
        intervals learns more than this allows for.

    Raises
    ------
    MlopsUsageError
        An argument is out of its range.

    References
    ----------
    .. [1] C. Renggli et al., "Continuous integration of machine learning models with ease.ml/ci: towards a rigorous
       yet practical treatment", MLSys 2019.
    """

    confidence: float = 0.95
    power: float = POWER
    looks: int = 1
    adaptive: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise MlopsUsageError(f"--confidence {self.confidence}: give a share between 0 and 1, e.g. 0.95")
        if not 0.5 <= self.power < 1:
            raise MlopsUsageError(f"--power {self.power}: give a share of at least 0.5 and below 1, e.g. 0.8")
        if self.looks < 1:
            raise MlopsUsageError(f"--looks {self.looks}: give at least 1")
        if self.looks > _MOST_ROWS:
            raise MlopsUsageError(f"--looks {self.looks}: no test set bears so many")

    @property
    def log_error(self) -> float:
        """The logarithm of the error that is left for one look; the error itself may be too small for a float."""
        shared = self.looks * math.log(2) if self.adaptive and self.looks > 1 else math.log(self.looks)
        return math.log1p(-self.confidence) - shared

    @property
    def one_look(self) -> float | None:
        """The confidence to ask of each look; None where it is nearer to 1 than a float can say."""
        confidence = self.confidence if self.looks == 1 else -math.expm1(self.log_error)
        return confidence if confidence < 1 else None

    @property
    def z(self) -> float:
        """The normal quantile of the two-sided interval of one look: 1.96 at 0.95."""
        return -float(ndtri_exp(self.log_error - math.log(2)))

    @property
    def z_power(self) -> float:
        """The normal quantile of the power: 0.84 at 0.8."""
        return NormalDist().inv_cdf(self.power)


@dataclass(frozen=True, slots=True)
class Noise:
    """How far the measured difference of two models strays: its variance on n rows is row / n + pair / n².

    Parameters
    ----------
    row : float
        The variance of what one row adds: the square of the spread.
    pair : float
        What vanishes faster.
    disagreement : float or None
        Of the rows that count, the share on which exactly one of the models is right; None where the metric is no
        share of rows.
    share : float
        Of all rows, those that count, in (0, 1].
    """

    row: float
    pair: float = 0.0
    disagreement: float | None = None
    share: float = 1.0

    def rows(self, standard_error: float) -> int:
        """The rows that bring the standard error down to this."""
        if standard_error < 1e-150:  # its square would be 0
            raise _too_many()
        row, pair = self.row / standard_error**2, self.pair / standard_error**2
        return _whole((row + math.sqrt(row * row + 4 * pair)) / 2)


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows that a comparison with one margin needs.

    Parameters
    ----------
    noise : Noise
    margin : float
        How much worse the challenger may be, in the metric's unit.
    level : Level
    reach : float
        How far the metric's values lie apart at most.

    Raises
    ------
    MlopsUsageError
        The margin is not positive, or no challenger could be worse by as much.
    """

    noise: Noise
    margin: float
    level: Level
    reach: float = math.inf

    def __post_init__(self) -> None:
        if not 0 < self.margin < math.inf:
            raise MlopsUsageError(f"--margin {self.margin}: give a positive number, e.g. 0.01")
        if not self.margin < self.reach:
            raise MlopsUsageError(
                f"--margin {self.margin}: the metric spans {self.reach:g}, so any challenger would pass: give a "
                f"smaller margin"
            )
        if not self.margin < self.largest_harm:
            raise MlopsUsageError(
                f"--margin {self.margin}: models that disagree on a share of {self.noise.disagreement} are never "
                f"further apart than that, so any challenger would pass: give a smaller margin"
            )

    @property
    def largest_harm(self) -> float:
        """The difference of two shares is at most the share of rows that the models disagree on."""
        return self.reach if self.noise.disagreement is None else self.noise.disagreement

    def not_blind(self, cap: float = MARGINS_UNSEEN) -> int:
        """Rows with which the blind spot is at most `cap` margins, at the gate's own power of 0.8.

        The inverse of `power.supported_margin`.
        """
        return self._catching(cap * self.margin, NormalDist().inv_cdf(POWER))

    def shows_equal(self) -> int:
        """Rows with which the whole interval of an equal challenger lies above -margin, with the level's power.

        An interval that reaches z standard errors down, of an estimate that is z_power of them too low.
        """
        return self.noise.rows(self.margin / (self.level.z + self.level.z_power))

    def catches(self, harm: float) -> int | None:
        """Rows with which a challenger that is worse by `harm` is failed, with the level's power.

        Returns
        -------
        int or None
            FAIL wants an estimate beyond the margin *and* a significant harm: see `power.with_blind_spot`. None for a
            harm that cannot be: see `largest_harm`.

        Raises
        ------
        MlopsUsageError
            The harm is not more than the margin: no number of rows fails it with more than even odds.
        """
        if not harm > self.margin:
            raise MlopsUsageError(f"a harm of {harm} is not beyond the margin {self.margin}: it is allowed")
        return None if harm > self.largest_harm else self._catching(harm, self.level.z_power)

    def _catching(self, harm: float, z_power: float) -> int:
        by_significance = harm / (self.level.z + z_power)
        by_distance = (harm - self.margin) / z_power if z_power > 0 else math.inf
        return self.noise.rows(min(by_significance, by_distance))

    def guaranteed(self) -> int | None:
        """Rows with which the measured difference is within one margin of the truth, whatever the distribution.

        Returns
        -------
        int or None
            By Bennett's inequality, or by Hoeffding's where that needs fewer rows. With the level's confidence, of all
            looks together; None where the metric is no share of rows.
        """
        if self.noise.disagreement is None:
            return None
        log_error = self.level.log_error - math.log(2)
        fewest = min(
            bennett_rows(self.noise.disagreement, self.margin, log_error), hoeffding_rows(self.margin, log_error)
        )
        return _whole(fewest / self.noise.share)

    def guaranteed_without_disagreement(self) -> int | None:
        """The same where nobody knows how often the models disagree: by Hoeffding's inequality."""
        if self.noise.disagreement is None:
            return None
        return _whole(hoeffding_rows(self.margin, self.level.log_error - math.log(2)) / self.noise.share)

    def to_dict(self) -> dict[str, Any]:
        """Builtins only, for the reader or the program that asked."""
        return {
            "margin": self.margin,
            "confidence": self.level.confidence,
            "power": self.level.power,
            "looks": self.level.looks,
            "adaptive": self.level.adaptive,
            "confidence_of_one_look": self.level.one_look,
            "rows": {
                "not_blind": self.not_blind(),
                "shows_equal": self.shows_equal(),
                "catches": [
                    {"margins": margins, "harm": margins * self.margin, "rows": self.catches(margins * self.margin)}
                    for margins in (2, 3)
                ],
                "guaranteed": self.guaranteed(),
                "guaranteed_without_disagreement": self.guaranteed_without_disagreement(),
            },
        }


# --- inequalities that hold for any distribution ---------------------------------------------------------------------


def bennett_rows(disagreement: float, distance: float, log_error: float) -> float:
    """Rows with which a difference of two shares is not `distance` too high, but with this probability.

    Parameters
    ----------
    disagreement : float
        The share of rows on which exactly one model is right, or a bound on it, in (0, 1].
    distance : float
        Positive.
    log_error : float
        The logarithm of the probability, negative. For both sides, of half the probability.

    Returns
    -------
    float
        n with n p h(ε/p) = -log_error and h(u) = (1 + u) ln(1 + u) - u: a row's difference is at most 1, and its
        mean square is p [1]_, [2]_.

    References
    ----------
    .. [1] S. Boucheron, G. Lugosi, P. Massart, "Concentration inequalities", 2013, theorem 2.9.
    .. [2] C. Renggli et al., "Continuous integration of machine learning models with ease.ml/ci", MLSys 2019.
    """
    return _rows(-log_error, disagreement * _bennett(distance / disagreement))


def _bennett(u: float) -> float:
    if u < 1e-4:  # the difference of two nearly equal numbers would have lost its digits
        return u * u / 2 * (1 - u / 3 + u * u / 6)
    return (1 + u) * math.log1p(u) - u


def hoeffding_rows(distance: float, log_error: float) -> float:
    """`bennett_rows` without a word on the disagreement: n ε² / 2 = -log_error for differences within [-1, 1] [1]_.

    References
    ----------
    .. [1] W. Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58, 1963.
    """
    return _rows(-log_error, distance * distance / 2)


def _rows(wanted: float, each: float) -> float:
    if not each > wanted / _MOST_ROWS:
        raise _too_many()
    return wanted / each


def _whole(rows: float) -> int:
    if not rows <= _MOST_ROWS:
        raise _too_many()
    return max(2, math.ceil(rows))


def _too_many() -> MlopsUsageError:
    return MlopsUsageError(f"--margin: no test set is large enough for so small a margin (over {_MOST_ROWS:.0e} rows)")


# --- what one must know of a metric ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that a user may know: what it is, and where its values lie (ends excluded, or the upper included)."""

    what: str
    low: float = 0.0
    high: float = 1.0
    with_high: bool = False

    def holds(self, value: float) -> bool:
        """Is it a possible value?"""
        return self.low < value < self.high or (self.with_high and value == self.high)


KNOWN: Mapping[str, Known] = {
    "disagreement": Known(
        "of the rows that count, the share on which exactly one of the two models is right (1: nobody knows)",
        with_high=True,
    ),
    "prevalence": Known("the share of positive rows"),
    "selection-rate": Known("the share of rows that a model calls positive", with_high=True),
    "value": Known("the metric's value, about the same for both models"),
    "correlation": Known("between the two measured values, over test sets", low=-1.0),
    "spread": Known("the standard deviation of the difference that one row makes", high=math.inf),
}
"""By the name of the option."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    needs: tuple[str, ...]
    noise: Callable[..., Noise]


def noise_of(metric: str, known: Mapping[str, float]) -> Noise:
    """The noise of a paired comparison by this metric.

    Parameters
    ----------
    metric : str
        As the registry names it.
    known : mapping
        Names and values of `KNOWN`: those that the metric needs, or ``spread`` alone.

    Raises
    ------
    MlopsUsageError
        Something is missing, needless or out of its range.
    """
    recipe = _BY_SPREAD if set(known) == {"spread"} else _RECIPES.get(metric, _BY_SPREAD)
    for name in recipe.needs:
        if name not in known:
            raise MlopsUsageError(f"{metric} needs --{name}: {KNOWN[name].what}{_instead(recipe)}")
    for name, value in known.items():
        if name not in recipe.needs:
            needed = " and ".join(f"--{need}" for need in recipe.needs)
            raise MlopsUsageError(f"--{name} says nothing about {metric}, which needs {needed}: leave it out")
        if not KNOWN[name].holds(value):
            raise MlopsUsageError(f"--{name} {value}: {_range(KNOWN[name])} is expected ({KNOWN[name].what})")
    return recipe.noise(*(known[name] for name in recipe.needs))


def _instead(recipe: _Recipe) -> str:
    if recipe is not _BY_SPREAD:
        return "; or --spread alone"
    return "; or, from an earlier comparison, its standard error times the root of its rows"


def _range(known: Known) -> str:
    if known.high == math.inf:
        return "a positive number"
    return f"a number above {known.low:g} and {'at most' if known.with_high else 'below'} {known.high:g}"


def _by_spread(spread: float) -> Noise:
    return Noise(spread * spread)


def _of_all_rows(disagreement: float) -> Noise:
    return _of_some_rows(disagreement, 1.0)


def _of_some_rows(disagreement: float, share: float) -> Noise:
    """McNemar's variance, with one discordant row more than expected: see `proportions.paired_difference`."""
    return Noise(disagreement / share, share**-2, disagreement, share)


def _of_negatives(disagreement: float, prevalence: float) -> Noise:
    return _of_some_rows(disagreement, 1 - prevalence)


def _of_called_rows(disagreement: float, selection_rate: float) -> Noise:
    """At most that of a share of the called rows; but which rows are called is chance, so no inequality holds."""
    return Noise(disagreement / selection_rate, selection_rate**-2)


def _of_areas(value: float, correlation: float, prevalence: float) -> Noise:
    """Twice the variance of one area, less what the two have in common.

    References
    ----------
    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", Radiology 143, 1982; "A method of comparing the areas under ROC curves derived from the same cases",
    Radiology 148, 1983.
    """
    two_positives = value / (2 - value) - value**2
    two_negatives = 2 * value**2 / (1 + value) - value**2
    both = value * (1 - value) - two_positives - two_negatives
    apart = 2 * (1 - correlation)
    return Noise(
        apart * (two_positives / (1 - prevalence) + two_negatives / prevalence),
        apart * both / (prevalence * (1 - prevalence)),
    )


_BY_SPREAD = _Recipe(("spread",), _by_spread)
_RECIPES = {
    **dict.fromkeys(
        ("accuracy", "zero_one_loss", "top_k_accuracy", "precision_micro", "recall_micro", "f1_micro"),
        _Recipe(("disagreement",), _of_all_rows),
    ),
    "recall": _Recipe(("disagreement", "prevalence"), _of_some_rows),
    "specificity": _Recipe(("disagreement", "prevalence"), _of_negatives),
    "precision": _Recipe(("disagreement", "selection-rate"), _of_called_rows),
    "roc_auc": _Recipe(("value", "correlation", "prevalence"), _of_areas),
}
