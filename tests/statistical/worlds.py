"""Simulated champions and challengers whose true performance is known.

Every world is normal at heart: what the two models see of a row are two normal numbers that correlate, because both
models look at the same row. Labels, scores and errors are functions of these.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import binom

from pytest_mlops import Evaluation, Gate
from pytest_mlops.verdict.limits import Verdict

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from pytest_mlops.verdict.result import CheckResult

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

LABEL_METRICS = ("accuracy", "precision", "recall", "specificity", "f1")
ERROR_METRICS = ("mean_absolute_error", "root_mean_squared_error", "r2")
LOSSES = ("mean_absolute_error", "root_mean_squared_error")
METRICS = (*LABEL_METRICS, "roc_auc", *ERROR_METRICS)

CORRELATION = 0.8
"""Of what champion and challenger see, where nothing else is said."""

Rates = tuple[float, float]
"""The share of rows that a model calls positive: among the positive rows, and among the negative."""


@dataclass(frozen=True)
class World:
    """Where pairs of evaluations come from.

    Parameters
    ----------
    metric : str
    draw : callable
        Makes a champion and a challenger of the same fresh rows.
    champion, challenger : float
        The true value of the metric.
    """

    metric: str
    draw: Callable[[Generator], tuple[Evaluation, Evaluation]]
    champion: float
    challenger: float

    @property
    def improvement(self) -> float:
        """True improvement: positive is better."""
        gain = self.challenger - self.champion
        return -gain if self.metric in LOSSES else gain

    def compare(self, generator: Generator, margin: float) -> CheckResult:
        """One pull request at the gate."""
        champion, challenger = self.draw(generator)
        gate = Gate(challenger=challenger, champion=champion)
        return gate.champion_challenger(self.metric, margin=margin, paired_by="order")

    def verdicts(self, *, margin: float, runs: int, seed: int) -> Counter[Verdict]:
        """How many of `runs` pull requests get which verdict."""
        generator = np.random.default_rng(seed)
        return Counter(self.compare(generator, margin).verdict for _ in range(runs))


def let_through(verdicts: Counter[Verdict]) -> int:
    """How many were not blocked."""
    return verdicts[Verdict.PASS] + verdicts[Verdict.WARN] + verdicts[Verdict.INCONCLUSIVE]


def at_most(share: float, runs: int) -> int:
    """The largest count that a true share allows: by Monte-Carlo error alone it is exceeded once in 1,000 times."""
    return int(binom.ppf(0.999, runs, share))


def at_least(share: float, runs: int) -> int:
    """The smallest count that a true share allows, likewise."""
    return int(binom.ppf(0.001, runs, share))


def mixed(metric: str, n: int, *, harm: float = 0.0) -> World:
    """An ordinary world: 85 % right, an AUC of 0.85, normal errors; each model is the better one on some of n rows."""
    if metric in LABEL_METRICS:
        return labels(metric, n, harm=harm)
    return scores(n, harm=harm) if metric == "roc_auc" else errors(metric, n, harm=harm)


def nested(metric: str, n: int, *, lost: float) -> World:
    """The same, but the challenger does as the champion does, except on about `lost` of n rows, where it loses."""
    if metric in LABEL_METRICS:
        return labels(metric, n, harm=lost / n, correlation=1.0)
    return scores_lost(n, lost=lost / n) if metric == "roc_auc" else errors_grown(metric, n, grown=lost / n)


def labels(
    metric: str,
    n: int,
    *,
    harm: float = 0.0,
    prevalence: float = 0.5,
    rates: Rates = (0.85, 0.15),
    challenger_rates: Rates | None = None,
    correlation: float = CORRELATION,
) -> World:
    """Two classes, and models that say one of them."""
    other = challenger_rates or _worse_rates(metric, prevalence, rates, harm)

    def draw(generator: Generator) -> tuple[Evaluation, Evaluation]:
        positive = _truth(generator, n, prevalence)
        said = [
            seen > -ndtri(np.where(positive, *model))
            for seen, model in zip(_seen(generator, n, correlation), (rates, other), strict=True)
        ]
        return _classified(positive, said[0]), _classified(positive, said[1])

    return World(
        metric,
        draw,
        champion=_metric_of_rates(metric, prevalence, rates),
        challenger=_metric_of_rates(metric, prevalence, other),
    )


def equally_good(metric: str, prevalence: float, rates: Rates, *, recall: float) -> Rates:
    """Another operating point with the same value of the metric, e.g. as precise, but with fewer positives found."""
    value = _metric_of_rates(metric, prevalence, rates)

    def excess(false_positives: float) -> float:
        return _metric_of_rates(metric, prevalence, (recall, false_positives)) - value

    return recall, float(brentq(excess, 1e-9, 1 - 1e-9))


def _metric_of_rates(metric: str, prevalence: float, rates: Rates) -> float:
    tp, fp = prevalence * rates[0], (1 - prevalence) * rates[1]
    return {
        "accuracy": tp + (1 - prevalence) - fp,
        "precision": tp / (tp + fp),
        "recall": rates[0],
        "specificity": 1 - rates[1],
        "f1": 2 * tp / (tp + fp + prevalence),
    }[metric]


def _worse_rates(metric: str, prevalence: float, rates: Rates, harm: float) -> Rates:
    """Fewer positives found, more negatives called positive, or both: what hurts this metric."""
    fewer, more = {"recall": (1.0, 0.0), "specificity": (0.0, 1.0), "precision": (0.0, 1.0)}.get(metric, (1.0, 1.0))
    wanted = _metric_of_rates(metric, prevalence, rates) - harm

    def moved(step: float) -> Rates:
        return rates[0] - fewer * step, rates[1] + more * step

    if harm == 0:
        return rates
    furthest = min(rates[0] / fewer if fewer else math.inf, (1 - rates[1]) / more if more else math.inf) - 1e-9
    return moved(float(brentq(lambda step: _metric_of_rates(metric, prevalence, moved(step)) - wanted, 0.0, furthest)))


def scores(
    n: int, *, auc: float = 0.85, harm: float = 0.0, prevalence: float = 0.5, correlation: float = CORRELATION
) -> World:
    """Normal scores, the positive rows' further up."""

    def draw(generator: Generator) -> tuple[Evaluation, Evaluation]:
        positive = _truth(generator, n, prevalence)
        first, second = _seen(generator, n, correlation)
        return (
            _classified(positive, first > 0, first + positive * _lift(auc)),
            _classified(positive, second > 0, second + positive * _lift(auc - harm)),
        )

    return World("roc_auc", draw, champion=auc, challenger=auc - harm)


def scores_lost(n: int, *, lost: float, auc: float = 0.85) -> World:
    """A share of the rows lose their score to a random one of either class; all others keep theirs."""

    def draw(generator: Generator) -> tuple[Evaluation, Evaluation]:
        positive = _truth(generator, n, 0.5)
        score = generator.normal(size=n) + positive * _lift(auc)
        noise = generator.normal(size=n) + (generator.random(n) < 0.5) * _lift(auc)
        challenger = np.where(generator.random(n) < lost, noise, score)
        return _classified(positive, score > 0, score), _classified(positive, score > 0, challenger)

    return World("roc_auc", draw, champion=auc, challenger=auc - lost * (auc - 0.5))


def _lift(auc: float) -> float:
    """How far apart two normal classes are with this AUC."""
    return float(math.sqrt(2) * ndtri(auc))


@dataclass(frozen=True)
class Tails:
    """A distribution of errors: normal numbers mapped, its mean absolute value and its root mean square."""

    of: Callable[[Floats], Floats]
    absolute: float
    square_root: float


NORMAL = Tails(lambda z: z, math.sqrt(2 / math.pi), 1.0)
STUDENT_3 = Tails(lambda z: np.asarray(stdtrit(3, ndtr(z))), 2 * math.sqrt(3) / math.pi, math.sqrt(3))
LOGNORMAL = Tails(lambda z: np.exp(z), math.exp(0.5), math.e)

TARGET_VARIANCE = 9.0


def errors(
    metric: str,
    n: int,
    *,
    harm: float = 0.0,
    tails: Tails = NORMAL,
    challenger_tails: Tails | None = None,
    correlation: float = CORRELATION,
) -> World:
    """Regression, the target normal; the challenger's errors are as large as its harm wants them."""
    other = challenger_tails or tails
    champion = _metric_of_errors(metric, tails, 1.0)
    challenger = champion - harm if metric == "r2" else champion + harm
    scale = _scale_with(metric, other, challenger)

    def draw(generator: Generator) -> tuple[Evaluation, Evaluation]:
        truth = generator.normal(size=n) * math.sqrt(TARGET_VARIANCE)
        first, second = _seen(generator, n, correlation)
        return _predicted(truth, tails.of(first)), _predicted(truth, scale * other.of(second))

    return World(metric, draw, champion=champion, challenger=challenger)


def errors_grown(metric: str, n: int, *, grown: float, times: float = 3.0) -> World:
    """A share of the rows have their normal errors multiplied; all others keep theirs."""
    mean, mean_square = 1 + grown * (times - 1), 1 + grown * (times**2 - 1)
    scale = mean if metric == "mean_absolute_error" else math.sqrt(mean_square)

    def draw(generator: Generator) -> tuple[Evaluation, Evaluation]:
        truth = generator.normal(size=n) * math.sqrt(TARGET_VARIANCE)
        error = generator.normal(size=n)
        return _predicted(truth, error), _predicted(truth, error * np.where(generator.random(n) < grown, times, 1.0))

    return World(
        metric,
        draw,
        champion=_metric_of_errors(metric, NORMAL, 1.0),
        challenger=_metric_of_errors(metric, NORMAL, scale),
    )


def _metric_of_errors(metric: str, tails: Tails, scale: float) -> float:
    if metric == "mean_absolute_error":
        return scale * tails.absolute
    root = scale * tails.square_root
    return root if metric == "root_mean_squared_error" else 1 - root**2 / TARGET_VARIANCE


def _scale_with(metric: str, tails: Tails, value: float) -> float:
    """How much errors with these tails must be scaled for this value of the metric."""
    if metric == "r2":
        return math.sqrt((1 - value) * TARGET_VARIANCE) / tails.square_root
    return value / _metric_of_errors(metric, tails, 1.0)


def _truth(generator: Generator, n: int, prevalence: float) -> Booleans:
    """Labels of both classes."""
    positive = generator.random(n) < prevalence
    return positive if 1 < positive.sum() < n - 1 else _truth(generator, n, prevalence)


def _seen(generator: Generator, n: int, correlation: float) -> tuple[Floats, Floats]:
    """What the two models see of each row."""
    first, own = generator.normal(size=(2, n))
    return first, correlation * first + math.sqrt(1 - correlation**2) * own


def _classified(positive: Booleans, said: Any, score: Floats | None = None) -> Evaluation:
    return Evaluation(positive.astype(int), np.asarray(said).astype(int), score, labels=[0, 1], positive_label=1)


def _predicted(truth: Floats, error: Floats) -> Evaluation:
    return Evaluation(truth, truth + error, task="regression")
