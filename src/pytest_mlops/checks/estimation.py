"""Which statistics answer for which metric: the one place where evidence meets formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.statistics import cells, means, proportions, ranks
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.evaluation import Evaluation
    from pytest_mlops.evidence.metrics import Metric
    from pytest_mlops.evidence.pairing import Pair

    Rows = NDArray[np.bool_]


def estimate(metric: Metric, evaluation: Evaluation, *, confidence: float) -> Estimate:
    """A metric of one evaluation, with its interval.

    Raises
    ------
    EvidenceError
        The evaluation cannot answer this metric.
    """
    answerable(metric, evaluation)
    if metric.needs == "scores":
        assert evaluation.y_score is not None  # Metric.demand has seen to it
        return ranks.roc_auc(evaluation.positive, evaluation.y_score, confidence=confidence)
    if metric.needs == "quantities":
        return _of_errors(metric, evaluation, confidence)
    counted, among = _share(metric, evaluation)
    if not among.any():
        raise EvidenceError(f"{metric.name} is 0 / 0: the model calls no row positive, or no row is")
    share = proportions.share(int((counted & among).sum()), int(among.sum()), confidence=confidence)
    return proportions.f1_from_jaccard(share) if metric.name == "f1" else share


def estimate_improvement(metric: Metric, pair: Pair, *, confidence: float, generator: np.random.Generator) -> Estimate:
    """The paired improvement of the challenger over the champion: positive is better, whatever the metric.

    Raises
    ------
    EvidenceError
        An evaluation cannot answer this metric.
    """
    for role in ("champion", "challenger"):
        try:
            answerable(metric, getattr(pair, role))
        except EvidenceError as error:
            raise EvidenceError(f"of the {role}: {error}") from None
    if pair.same("y_score") and (metric.needs == "scores" or pair.same("y_pred")):
        return _no_difference(metric, pair.challenger, confidence)
    if metric.needs == "scores":
        return ranks.roc_auc_improvement(pair.of("positive")[0], *pair.of("y_score"), confidence=confidence)
    if metric.needs == "quantities":
        return _of_paired_errors(metric, pair, confidence)
    if metric.name in ("precision", "f1"):
        return _of_cells(metric, pair, confidence, generator)
    return _of_the_same_rows(metric, pair, confidence)


def answerable(metric: Metric, evaluation: Evaluation) -> None:
    """Raise an `EvidenceError` where the evaluation cannot answer, or holds what the intervals do not yet know."""
    metric.demand(evaluation)
    given = [name for name in ("clusters", "time", "sample_weight") if getattr(evaluation, name) is not None]
    if given:
        raise EvidenceError(
            f"the evaluation has {' and '.join(given)}, which this version does not take into account: its intervals "
            f"would be too short. Judge an evaluation without, if its rows are independent and count alike"
        )


def _share(metric: Metric, evaluation: Evaluation) -> tuple[Rows, Rows]:
    """Which rows count, among which. For F1 it is the Jaccard index, of which F1 is a function."""
    if metric.needs == "labels":
        return evaluation.correct, evaluation.correct | True
    positive, said = evaluation.positive, evaluation.predicted_positive
    return {
        "precision": (positive, said),
        "recall": (said, positive),
        "specificity": (~said, ~positive),
        "f1": (positive & said, positive | said),
    }[metric.name]


def _of_errors(metric: Metric, evaluation: Evaluation, confidence: float) -> Estimate:
    if metric.name == "r2":
        return means.r2(evaluation.y_true, evaluation.errors, confidence=confidence)
    of: dict[str, Any] = {
        "mean_absolute_error": means.mean_absolute_error,
        "root_mean_squared_error": means.root_mean_squared_error,
    }
    return of[metric.name](evaluation.errors, confidence=confidence)  # type: ignore[no-any-return]


def _no_difference(metric: Metric, evaluation: Evaluation, confidence: float) -> Estimate:
    """Exactly 0. Equal labels alone, of few rows, do not prove an equal model: they keep a blind spot."""
    n = int(_share(metric, evaluation)[1].sum()) if metric.needs == "positive" else evaluation.n
    coarse = not _told_apart_by_numbers(evaluation)
    return Estimate(
        value=0.0,
        low=0.0,
        high=0.0,
        confidence=confidence,
        method="identical predictions",
        n=evaluation.n,
        null=0.0,
        p_value=1.0,
        blind_spot=proportions.harm_hidden_by_equality(max(n, 1)) if coarse else 0.0,
        exact=True,
    )


def _told_apart_by_numbers(evaluation: Evaluation) -> bool:
    """Two models seldom give the same numbers. Scores of no more values than there are labels are but labels."""
    if evaluation.task == "regression":
        return True
    return evaluation.y_score is not None and np.unique(evaluation.y_score).size > len(evaluation.labels)


def _of_the_same_rows(metric: Metric, pair: Pair, confidence: float) -> Estimate:
    """Accuracy, recall, specificity: the share that is right among rows that the truth alone chooses."""
    champion, challenger = pair.of("correct")
    if metric.needs != "labels":
        rows = pair.of("positive")[0] == (metric.name == "recall")
        champion, challenger = champion[rows], challenger[rows]
    gains, losses = int((challenger & ~champion).sum()), int((champion & ~challenger).sum())
    return proportions.paired_difference(gains, losses, champion.size, confidence=confidence)


def _of_cells(metric: Metric, pair: Pair, confidence: float, generator: np.random.Generator) -> Estimate:
    """Precision and F1: the models' denominators differ."""
    return cells.improvement(
        pair.of("positive")[0],
        *pair.of("predicted_positive"),
        metric={"precision": cells.precision, "f1": cells.f1}[metric.name],
        confidence=confidence,
        generator=generator,
    )


def _of_paired_errors(metric: Metric, pair: Pair, confidence: float) -> Estimate:
    champion, challenger = pair.of("errors")
    if metric.name == "r2":
        return means.r2_improvement(pair.of("y_true")[0], champion, challenger, confidence=confidence)
    of: dict[str, Any] = {
        "mean_absolute_error": means.mae_improvement,
        "root_mean_squared_error": means.rmse_improvement,
    }
    return of[metric.name](champion, challenger, confidence=confidence)  # type: ignore[no-any-return]
