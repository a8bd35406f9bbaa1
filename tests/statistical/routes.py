"""Simulated worlds for every route, independent rows and dependent ones: shared by `test_routes` and `docs/measure.py`.

As in `worlds`, what two models see of a row are two normal numbers that correlate. Here all metrics of a kind are asked
about the same rows, and the truth is our own value on very many of them.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit, logit, softmax

from pytest_mlops.checks.estimation import How, estimate, estimate_improvement, value
from pytest_mlops.evidence.metrics import Metric, metric_named, metric_of
from pytest_mlops.evidence.rows import Rows
from pytest_mlops.statistics import calibration, cells, order, resampling
from pytest_mlops.verdict.errors import EvidenceError

from .worlds import CORRELATION, LOGNORMAL, NORMAL, STUDENT_3, TARGET_VARIANCE, Tails

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from pytest_mlops.verdict.estimate import Estimate

    Floats = NDArray[np.float64]

Pair = tuple[Rows, Rows]
"""Champion and challenger, of the same rows."""

Draw = Callable[["Generator", int, float], Pair]
"""Given how many rows, and by how much the challenger is worse in the unit of the world."""

CONFIDENCE = 0.95
SIGNIFICANT = 0.025
"""One-sided, as FAIL asks for at 95 % confidence."""

RESAMPLES = 300
TRUTH_ROWS, TRUTH_DRAWS = 200_000, 10
LARGEST_DRAWS = 4_000
"""What the largest error is expected to be depends on how many rows there are: many draws of as many."""


@dataclass(frozen=True)
class World:
    """Where champions and challengers come from.

    Parameters
    ----------
    name, about : str
    draw : callable
    metrics : tuple of str
        What is asked.
    sizes : tuple of int
        How many rows are drawn.
    harm : float
        By how much the worse challenger is worse, in the unit of the world.
    marginal : callable, optional
        The same with independent rows, where those of `draw` are not: the truth is the same.
    exact : mapping
        The truth of champion and worse challenger, where it is known better than many rows can tell.
    """

    name: str
    about: str
    draw: Draw
    metrics: tuple[str, ...]
    sizes: tuple[int, ...]
    harm: float
    marginal: Draw | None = None
    exact: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def truth(self, name: str, n: int, generator: Generator) -> Truth:
        """Of one metric."""
        metric = metric_called(name)
        if name in self.exact:
            return Truth.of(metric, *self.exact[name])
        largest = metric.route == "largest"
        rows, draws = (n, LARGEST_DRAWS) if largest else (TRUTH_ROWS, TRUTH_DRAWS)
        draw, how = self.marginal or self.draw, How(CONFIDENCE, generator)
        found = [[value(metric, one, how) for one in draw(generator, rows, self.harm)] for _ in range(draws)]
        champion, challenger = np.mean(found, axis=0)
        return Truth.of(metric, float(champion), float(challenger))


@dataclass(frozen=True)
class Truth:
    """Of the worse challenger, and of its improvement, which is below 0."""

    challenger: float
    improvement: float

    @classmethod
    def of(cls, metric: Metric, champion: float, challenger: float) -> Truth:
        gain = challenger - champion
        return cls(challenger, gain if metric.greater_is_better else -gain)


@dataclass
class Tally:
    """What happened to the intervals of one metric in many runs."""

    runs: int = 0
    answered: int = 0
    doubted: int = 0
    held: int = 0
    paired_answered: int = 0
    paired_held: int = 0
    caught: int = 0
    equal_answered: int = 0
    false_alarms: int = 0
    widths: list[float] = field(default_factory=list)
    methods: tuple[str, str] = ("", "")

    @property
    def coverage(self) -> float:
        return self.held / max(self.answered, 1)

    @property
    def paired_coverage(self) -> float:
        return self.paired_held / max(self.paired_answered, 1)

    @property
    def type_i(self) -> float:
        return self.false_alarms / max(self.equal_answered, 1)

    @property
    def power(self) -> float:
        return self.caught / max(self.paired_answered, 1)

    @property
    def unanswered(self) -> float:
        return 1 - self.paired_answered / max(self.runs, 1)

    @property
    def doubt(self) -> float:
        return self.doubted / max(self.answered, 1)

    def alone(self, found: Estimate, truth: Truth) -> None:
        self.answered += 1
        self.doubted += found.doubt is not None
        self.held += bool(found.low <= truth.challenger <= found.high)
        self.widths.append(found.high - found.low)
        self.methods = found.method, self.methods[1]

    def worse(self, found: Estimate, truth: Truth) -> None:
        self.paired_answered += 1
        self.paired_held += bool(found.low <= truth.improvement <= found.high)
        self.caught += significant(found)
        if found.method != "identical predictions":
            self.methods = self.methods[0], found.method

    def equal(self, found: Estimate) -> None:
        self.equal_answered += 1
        self.false_alarms += significant(found)


def significant(found: Estimate) -> bool:
    """Would the gate call it worse?"""
    return found.p_value is not None and bool(found.p_value <= SIGNIFICANT)


def simulate(world: World, n: int, truths: Mapping[str, Truth], *, runs: int, again: bool = False) -> dict[str, Tally]:
    """Ask every metric about the same rows: the worse challenger, and one that is as good as the champion.

    `again`: other rows than the first time.
    """
    generator = np.random.default_rng([zlib.crc32(f"{world.name} {n}".encode()), again])
    how = How(CONFIDENCE, generator)
    tallies = {name: Tally() for name in truths}
    asked = {name: metric_called(name) for name in truths}
    for _ in range(runs):
        worse, equal = world.draw(generator, n, world.harm), world.draw(generator, n, 0.0)
        for name, tally in tallies.items():
            tally.runs += 1
            _count(tally, asked[name], truths[name], worse, equal, how)
    return tallies


def _count(tally: Tally, metric: Metric, truth: Truth, worse: Pair, equal: Pair, how: How) -> None:
    """What cannot be answered is counted as that, and neither as right nor as wrong."""
    with suppress(EvidenceError):
        tally.alone(estimate(metric, worse[1], how), truth)
    with suppress(EvidenceError):
        tally.worse(estimate_improvement(metric, *worse, how), truth)
    with suppress(EvidenceError):
        tally.equal(estimate_improvement(metric, *equal, how))


@contextmanager
def fewer_draws() -> Iterator[None]:
    """A fraction of the draws and resamples: their noise is small beside that of the simulation."""
    quick = functools.partial(resampling.bootstrap, resamples=RESAMPLES)
    with ExitStack() as stack:
        stack.enter_context(patch.object(cells, "DRAWS", 1_000))
        stack.enter_context(patch.object(order, "DRAWS", 1_000))
        stack.enter_context(patch.object(calibration, "_DRAWS", 200))
        stack.enter_context(patch.object(resampling, "bootstrap", quick))
        yield


def metric_called(name: str) -> Metric:
    """Of the registry, or the function of one's own."""
    return metric_of(g_mean, greater_is_better=True) if name == g_mean.__name__ else metric_named(name)


def g_mean(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    """The geometric mean of recall and specificity: a function of one's own."""
    positive = y_true == 1
    return math.sqrt(float((y_pred[positive] == 1).mean()) * float((y_pred[~positive] == 0).mean()))


# --- how rows depend on each other


@dataclass(frozen=True)
class Design:
    """What a model sees of n rows, normal numbers of variance 1; and what the rows say of how they depend."""

    sees: Callable[[Generator, int], Floats]
    fields: Callable[[Generator, int], dict[str, Any]]


INDEPENDENT = Design(lambda generator, n: generator.normal(size=n), lambda generator, n: {})


def clusters(count: int, correlation: float = 0.3) -> Design:
    """Equal ones."""

    def sees(generator: Generator, n: int) -> Floats:
        common = generator.normal(size=count)[_cluster_of(n, count)]
        return math.sqrt(correlation) * common + math.sqrt(1 - correlation) * generator.normal(size=n)

    return Design(sees, lambda generator, n: {"clusters": _cluster_of(n, count)})


def _cluster_of(n: int, count: int) -> NDArray[np.intp]:
    return np.arange(n) * count // n


def series(memory: float) -> Design:
    """AR(1)."""

    def sees(generator: Generator, n: int) -> Floats:
        steps = generator.normal(size=n + 300) * math.sqrt(1 - memory**2)
        return np.asarray(lfilter([1.0], [1.0, -memory], steps)[300:])

    return Design(sees, lambda generator, n: {"time": np.arange(n)})


def weighted(design_effect: float) -> Design:
    """Lognormal weights."""
    spread = math.sqrt(math.log(design_effect))
    return Design(
        INDEPENDENT.sees, lambda generator, n: {"weight": np.exp(spread * generator.normal(size=n))}
    )  # fmt: skip


# --- the kinds of evaluations


@dataclass(frozen=True)
class Binary:
    """Two normal classes.

    Parameters
    ----------
    prevalence : float
    lift : float
        How far apart a model sees the classes.
    called_from : float
        The probability from which a row is called positive.
    heat : float
        What the log-odds are multiplied by: above 1 is overconfident.
    spoiled : {"lift", "heat"}
        What harm makes worse.
    """

    prevalence: float = 0.5
    lift: float = 2.0
    called_from: float = 0.5
    heat: float = 1.0
    spoiled: Literal["lift", "heat"] = "lift"

    def drawn_from(self, design: Design) -> Draw:
        """A dependence turns towards right or wrong, not towards a class: else the classes would cancel it."""

        def draw(generator: Generator, n: int, harm: float) -> Pair:
            positive = self._truth(generator, n)
            rest = design.fields(generator, n)
            first, second = _both_see(design, generator, n)
            lift, heat = (self.lift - harm, self.heat) if self.spoiled == "lift" else (self.lift, self.heat + harm)
            return self._rows(positive, first, self.lift, self.heat, rest), self._rows(
                positive, second, lift, heat, rest
            )

        return draw

    def _truth(self, generator: Generator, n: int) -> NDArray[np.bool_]:
        positive = generator.random(n) < self.prevalence
        return positive if 1 < positive.sum() < n - 1 else self._truth(generator, n)

    def _rows(self, positive: NDArray[np.bool_], seen: Floats, lift: float, heat: float, rest: dict[str, Any]) -> Rows:
        side = np.where(positive, 1.0, -1.0)
        chance = expit(heat * (side * (lift**2 / 2 + lift * seen) + logit(self.prevalence)))
        true, pred = positive.astype(np.int32), (chance > self.called_from).astype(np.int32)
        return Rows(task="binary", labels=(0, 1), positive=1, true=true, pred=pred, score=chance, **rest)


def _both_see(design: Design, generator: Generator, n: int) -> tuple[Floats, Floats]:
    first = design.sees(generator, n)
    return first, CORRELATION * first + math.sqrt(1 - CORRELATION**2) * design.sees(generator, n)


def multiclass(prevalence: Floats, lift: float) -> Draw:
    """Each class has a normal number of its own, higher where the row is of this class."""

    def draw(generator: Generator, n: int, harm: float) -> Pair:
        true = np.searchsorted(np.cumsum(prevalence)[:-1], generator.random(n), side="right").astype(np.int32)
        first, own = generator.normal(size=(2, n, prevalence.size))
        second = CORRELATION * first + math.sqrt(1 - CORRELATION**2) * own
        return rows(true, first, lift), rows(true, second, lift - harm)

    def rows(true: NDArray[np.int32], seen: Floats, lift: float) -> Rows:
        odds = lift * seen + np.log(prevalence)
        odds[np.arange(true.size), true] += lift**2
        chance = softmax(odds, axis=1)
        pred = odds.argmax(axis=1).astype(np.int32)
        labels = tuple(range(prevalence.size))
        return Rows(task="multiclass", labels=labels, positive=None, true=true, pred=pred, score=chance)

    return draw


def multilabel(prevalence: Floats, lift: float) -> Draw:
    """Several labels a row, some rows harder than others."""

    def draw(generator: Generator, n: int, harm: float) -> Pair:
        shape = (n, prevalence.size)
        true = generator.random(shape) < prevalence
        first, own = (math.sqrt(0.7) * generator.normal(size=shape) + math.sqrt(0.3) * generator.normal(size=(n, 1))
                      for _ in range(2))  # fmt: skip
        second = CORRELATION * first + math.sqrt(1 - CORRELATION**2) * own
        return rows(true, first, lift), rows(true, second, lift - harm)

    def rows(true: NDArray[np.bool_], seen: Floats, lift: float) -> Rows:
        chance = expit(np.where(true, 1.0, -1.0) * (lift**2 / 2 + lift * seen) + logit(prevalence))
        labels = tuple(range(prevalence.size))
        return Rows(
            task="multilabel", labels=labels, positive=None, true=true.astype(np.int8),
            pred=(chance > 0.5).astype(np.int8), score=chance,
        )  # fmt: skip

    return draw


def quantities(tails: Tails) -> Draw:
    """A normal target, and errors; harm scales them."""

    def draw(generator: Generator, n: int, harm: float) -> Pair:
        true = math.sqrt(TARGET_VARIANCE) * generator.normal(size=n)
        first, second = _both_see(INDEPENDENT, generator, n)
        return _predicted(true, true + tails.of(first)), _predicted(true, true + (1 + harm) * tails.of(second))

    return draw


def counts(generator: Generator, n: int, harm: float) -> Pair:
    """Poisson counts, and rates that are lognormally off."""
    rate = np.exp(1 + 0.5 * generator.normal(size=n))
    true = generator.poisson(rate).astype(float)
    first, second = _both_see(INDEPENDENT, generator, n)
    return _predicted(true, rate * np.exp(0.3 * first)), _predicted(true, rate * np.exp((0.3 + harm) * second))


def _predicted(true: Floats, pred: Floats) -> Rows:
    return Rows(task="regression", labels=(), positive=None, true=true, pred=pred, score=None)


# --- the worlds

ALL_SIZES = (50, 500, 5_000)
OF_TWO_CLASSES = (
    "accuracy", "precision", "recall", "f1", "matthews_corrcoef", "cohen_kappa", "balanced_accuracy",
    "positive_likelihood_ratio", "roc_auc", "average_precision", "log_loss", "brier_score_loss", "d2_log_loss_score",
)  # fmt: skip
OF_PERFECT = (
    "accuracy", "f1", "matthews_corrcoef", "balanced_accuracy", "roc_auc", "average_precision", "log_loss",
    "brier_score_loss",
)  # fmt: skip
OF_MANY_CLASSES = (
    "accuracy", "f1_macro", "f1_weighted", "precision_macro", "balanced_accuracy", "matthews_corrcoef", "log_loss",
)  # fmt: skip
OF_QUANTITIES = (
    "mean_absolute_error", "root_mean_squared_error", "r2", "d2_absolute_error_score", "median_absolute_error",
    "max_error",
)  # fmt: skip
OF_COUNTS = ("mean_poisson_deviance",)
OF_DEPENDENT = ("accuracy", "f1", "roc_auc", "average_precision", "log_loss")
FIVE_CLASSES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
FIFTY_CLASSES = np.linspace(1, 3, 50) / 100
FOUR_LABELS = np.array([0.5, 0.3, 0.2, 0.1])


def worlds() -> Iterator[World]:
    """All of them."""
    yield from _two_classes()
    yield from _more_classes()
    yield from _quantities()
    yield from _dependent()


def _two_classes() -> Iterator[World]:
    balanced = Binary().drawn_from(INDEPENDENT)
    yield World(
        "balanced", "Two classes, half of the rows positive; a calibrated champion of accuracy 0.84 and AUC 0.92.",
        balanced, (*OF_TWO_CLASSES, "expected_calibration_error"), ALL_SIZES, 0.3,
        exact={"expected_calibration_error": (0.0, 0.0)},
    )  # fmt: skip
    yield _rare("10 % positive", 0.1, ALL_SIZES)
    yield _rare("2 % positive", 0.02, (500, 5_000))
    yield World(
        "nearly perfect", "A champion with one error in 160 rows: of 50 rows it mostly has none, and an AUC of 1.",
        Binary(lift=5.0).drawn_from(INDEPENDENT), OF_PERFECT, ALL_SIZES, 1.5,
    )  # fmt: skip
    yield World(
        "perfect", "No errors, ever: nothing is missed, and nothing may be called worse.",
        Binary(lift=12.0).drawn_from(INDEPENDENT), OF_PERFECT[:-2], (50, 500), 1.0,
    )  # fmt: skip
    yield World(
        "overconfident", "As balanced, but the log-odds are twice what they should be; a worse challenger's 2.5 times.",
        Binary(heat=2.0, spoiled="heat").drawn_from(INDEPENDENT),
        ("expected_calibration_error", "log_loss", "brier_score_loss"), ALL_SIZES, 0.5,
    )  # fmt: skip
    yield World(
        "own function", "As balanced; the geometric mean of recall and specificity, a function that is resampled.",
        balanced, ("g_mean",), ALL_SIZES, 0.3,
    )  # fmt: skip


def _rare(name: str, prevalence: float, sizes: tuple[int, ...]) -> World:
    about = f"As balanced, but {name}, and called so from a probability of 0.3."
    draw = Binary(prevalence, called_from=0.3).drawn_from(INDEPENDENT)
    return World(name, about, draw, OF_TWO_CLASSES, sizes, 0.4)


def _more_classes() -> Iterator[World]:
    yield World(
        "5 classes", "Of 40, 30, 15, 10 and 5 % of the rows.", multiclass(FIVE_CLASSES, 2.0),
        (*OF_MANY_CLASSES, "roc_auc_ovr", "roc_auc_ovo"), ALL_SIZES, 0.25,
    )  # fmt: skip
    yield World(
        "50 classes", "Of 1 to 3 % of the rows: of 500 rows, 5 to 15 of each.", multiclass(FIFTY_CLASSES, 3.0),
        OF_MANY_CLASSES, (500, 5_000), 0.25,
    )  # fmt: skip
    yield World(
        "4 labels a row", "Multilabel, of 50, 30, 20 and 10 % of the rows; some rows are harder than others.",
        multilabel(FOUR_LABELS, 2.0), ("accuracy", "f1_macro", "f1_samples", "average_precision"), ALL_SIZES, 0.25,
    )  # fmt: skip


def _quantities() -> Iterator[World]:
    worse = "A regression; a worse challenger's errors are 10 % larger."
    yield World("normal errors", worse, quantities(NORMAL), OF_QUANTITIES, ALL_SIZES, 0.1)
    heavy = f"{worse} Heavy tails: the squared errors have no variance at all."
    yield World(
        "Student 3 errors", heavy, quantities(STUDENT_3), OF_QUANTITIES, ALL_SIZES, 0.1,
        exact=_of_squares(STUDENT_3, 0.1),
    )  # fmt: skip
    skew = f"{worse} Heavy on one side."
    yield World(
        "lognormal errors", skew, quantities(LOGNORMAL), OF_QUANTITIES, ALL_SIZES, 0.1,
        exact=_of_squares(LOGNORMAL, 0.1),
    )  # fmt: skip
    yield World(
        "counts", "Poisson counts, and rates that are off.", counts, ("mean_poisson_deviance",), ALL_SIZES, 0.05
    )


def _of_squares(tails: Tails, harm: float) -> dict[str, tuple[float, float]]:
    """Squares of heavy tails settle too slowly to be simulated."""
    roots = tails.square_root, (1 + harm) * tails.square_root
    first, second = (1 - root**2 / TARGET_VARIANCE for root in roots)
    return {"root_mean_squared_error": roots, "r2": (first, second)}


def _dependent() -> Iterator[World]:
    for count in (3, 6, 10, 50):
        about = "As balanced, but what a model sees correlates by 0.3 within a cluster."
        yield _depending(f"{count} clusters", about, clusters(count), (20 * count,))
    for memory in (0.8, 0.95):
        about = f"As balanced, but what a model sees is a series that correlates by {memory} from one row to the next."
        yield _depending(f"AR({memory})", about, series(memory), (500, 5_000))
    about = "As balanced, but the rows have lognormal weights, with which 10 rows are worth as much as one."
    yield _depending("weights", about, weighted(10.0), (500, 5_000))


def _depending(name: str, about: str, design: Design, sizes: tuple[int, ...]) -> World:
    model = Binary()
    draw, marginal = model.drawn_from(design), model.drawn_from(INDEPENDENT)
    return World(name, about, draw, OF_DEPENDENT, sizes, 0.3, marginal)
