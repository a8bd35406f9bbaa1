"""Every supervised scorer of scikit-learn: the value is scikit-learn's, alone and compared, weighted and not."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn import __version__ as sklearn_version
from sklearn import metrics as sk
from sklearn.utils.fixes import parse_version as parse

from pytest_mlops import Evaluation
from pytest_mlops.checks.estimation import How, estimate, estimate_improvement, value
from pytest_mlops.evidence.metrics import _CLUSTERINGS, metric_named
from pytest_mlops.evidence.pairing import pair
from pytest_mlops.evidence.rows import rows_of

N = 300
SCORERS = sorted(set(sk.get_scorer_names()) - _CLUSTERINGS)
NO_WEIGHT = (
    "max_error", "roc_auc_ovo", "roc_auc_ovo_weighted", "positive_likelihood_ratio", "negative_likelihood_ratio",
)  # fmt: skip
"""scikit-learn takes no sample_weight there."""
ONLY_BINARY = ("brier_score_loss",) if parse(sklearn_version) < parse("1.7") else ()
WEIGHT = np.random.default_rng(4).exponential(size=N)


def evaluation(task: str, seed: int, *, weighted: bool = False) -> Evaluation:
    """The same truth, and what the model of this seed says; each class and label is there."""
    truth, own = np.random.default_rng(1), np.random.default_rng(seed)
    known: dict[str, Any] = {"sample_weight": WEIGHT} if weighted else {}
    if task == "regression":
        y = truth.gamma(2.0, size=N)
        return Evaluation(y, y * np.exp(own.normal(size=N) / 3), task="regression", **known)
    if task == "binary":
        binary = truth.random(N) < 0.4
        score = (1 / (1 + np.exp(0.5 - binary - own.normal(size=N)))).round(2)  # with ties
        return Evaluation(binary.astype(int), (score > 0.5).astype(int), score, **known)
    if task == "multiclass":
        several = truth.integers(0, 4, N)
        raw = np.exp(own.normal(size=(N, 4)) + 1.5 * (several[:, None] == np.arange(4)))
        raw /= raw.sum(axis=1, keepdims=True)
        return Evaluation(several, raw.argmax(axis=1), raw, **known)
    table = (truth.random((N, 3)) < 0.4).astype(int)
    scores = 1 / (1 + np.exp(0.5 - table - own.normal(size=(N, 3))))
    return Evaluation(table, (scores > 0.5).astype(int), scores, task="multilabel", **known)


def theirs(scorer_name: str, made: Evaluation, metric_name: str) -> float:
    """What scikit-learn's function says, without the sign of its scorer."""
    scorer: Any = sk.get_scorer(scorer_name)
    arguments = dict(scorer._kwargs)
    if made.task == "multilabel" and arguments.get("average") is None:
        arguments.pop("pos_label", None)
    if made.sample_weight is not None:
        arguments["sample_weight"] = made.sample_weight
    said = made.y_score if metric_named(metric_name).scores else made.y_pred
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(scorer._score_func(made.y_true, said, **arguments))


def cases() -> Iterator[Any]:
    for scorer in SCORERS:
        name = scorer.removeprefix("neg_")
        name = {"brier_score": "brier_score_loss"}.get(name, name)
        for task in metric_named(name).tasks:
            for weighted in (False, True):
                if not (weighted and name in NO_WEIGHT) and not (task == "multiclass" and name in ONLY_BINARY):
                    label = f"{scorer}-{task}-{'weighted' if weighted else 'plain'}"
                    yield pytest.param(scorer, name, task, weighted, id=label)


@pytest.mark.parametrize(("scorer", "name", "task", "weighted"), list(cases()))
def test_the_value_is_scikit_learns(scorer: str, name: str, task: str, weighted: bool) -> None:
    metric, how = metric_named(name), How(0.95, np.random.default_rng(0))
    champion, challenger = (evaluation(task, seed, weighted=weighted) for seed in (2, 3))
    expected = [theirs(scorer, made, name) for made in (champion, challenger)]
    alone = estimate(metric, rows_of(challenger), how)
    assert alone.value == pytest.approx(expected[1], abs=1e-9, rel=1e-9)
    assert value(metric, rows_of(challenger), how) == pytest.approx(expected[1], abs=1e-9, rel=1e-9)
    assert metric.lowest <= alone.low < alone.high <= metric.highest
    assert alone.low <= alone.value <= alone.high
    assert alone.null is alone.p_value is None

    compared = estimate_improvement(metric, *pair(champion, challenger, paired_by="order").rows(), how)
    sign = 1 if metric.greater_is_better else -1
    assert compared.value == pytest.approx(sign * (expected[1] - expected[0]), abs=1e-9, rel=1e-9)
    assert compared.low < compared.value < compared.high
    assert compared.null == 0
    assert compared.p_value is not None
    assert compared.standard_error


@pytest.mark.parametrize("scorer", SCORERS)
def test_the_better_direction_is_the_scorers(scorer: str) -> None:
    found: Any = sk.get_scorer(scorer)
    name = {"neg_brier_score": "brier_score_loss"}.get(scorer, scorer.removeprefix("neg_"))
    assert metric_named(name).greater_is_better == (found._sign > 0)
