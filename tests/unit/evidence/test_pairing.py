"""Champion and challenger, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlops import Estimate, Evaluation, EvidenceError
from pytest_mlops.checks.estimation import How, estimate_improvement
from pytest_mlops.evidence.metrics import metric_named
from pytest_mlops.evidence.pairing import pair

N = 60
CLASSIFIED = ["accuracy", "recall", "specificity", "precision", "f1", "roc_auc"]
MEASURED = ["mean_absolute_error", "root_mean_squared_error", "r2"]


def columns(metric: str, seed: int) -> dict[str, Any]:
    """Truth, what two models said, and features with many equal rows of which the challenger says the same."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 5, size=(N, 2))
    by_row, by_features = rng.normal(size=N), features @ np.array([0.5, -0.25])
    if metric in MEASURED:
        truth = by_features + rng.normal(size=N)
        return {"x": features, "y": truth, "champion": [truth + by_row], "challenger": [by_features]}
    labels = rng.integers(0, 2, N)
    return {
        "x": features,
        "y": labels,
        "champion": [(by_row > 0).astype(int), by_row],
        "challenger": [(by_features > 0.1).astype(int), by_features],
    }


def evaluation(given_: dict[str, Any], role: str, order: Any, identity: str) -> Evaluation:
    rows: dict[str, Any] = {
        "features": {"features": given_["x"][order]},
        "row_ids": {"row_ids": np.arange(N)[order]},
        "order": {},
    }[identity]
    return Evaluation(given_["y"][order], *(said[order] for said in given_[role]), **rows)


def improvement(metric: str, champion: Evaluation, challenger: Evaluation, **how: Any) -> Estimate:
    paired = pair(champion, challenger, **how)
    return estimate_improvement(metric_named(metric), *paired.rows(), How(0.95, np.random.default_rng(0)))


@pytest.mark.parametrize("identity", ["features", "row_ids"])
@pytest.mark.parametrize("metric", [*CLASSIFIED, *MEASURED])
@settings(max_examples=12)
@given(seed=st.integers(0, 999), ours=st.permutations(range(N)), theirs=st.permutations(range(N)))
def test_no_row_order_changes_an_estimate(
    metric: str, identity: str, seed: int, ours: list[int], theirs: list[int]
) -> None:
    given_ = columns(metric, seed)
    straight = np.arange(N)
    expected = improvement(
        metric,
        evaluation(given_, "champion", straight, identity),
        evaluation(given_, "challenger", straight, identity),
    )
    shuffled = improvement(
        metric, evaluation(given_, "champion", theirs, identity), evaluation(given_, "challenger", ours, identity)
    )
    assert shuffled == expected


@pytest.mark.parametrize("metric", [*CLASSIFIED, *MEASURED])
def test_by_order_and_by_identity_are_the_same_pairs(metric: str) -> None:
    given_ = columns(metric, 1)
    straight = np.arange(N)

    def compared(identity: str, **how: Any) -> Estimate:
        models = [evaluation(given_, role, straight, identity) for role in ("champion", "challenger")]
        return improvement(metric, *models, **how)

    by_ids, by_order = compared("row_ids"), compared("order", paired_by="order")
    assert by_order.value == pytest.approx(by_ids.value, abs=1e-12)
    assert (by_order.low, by_order.high) == pytest.approx((by_ids.low, by_ids.high), abs=1e-9)


BITS = [0, 1, 0, 1]


def made(y_true: Any = None, y_pred: Any = None, **known: Any) -> Evaluation:
    return Evaluation(BITS if y_true is None else y_true, BITS if y_pred is None else y_pred, **known)


@pytest.mark.parametrize(
    ("champion", "challenger", "how", "message"),
    [
        (made(), made(row_ids=range(4)), {}, "the rows are anonymous"),
        (made(), made(), {}, "say paired_by='order'"),
        (made(row_ids=range(4)), made(features=range(4)), {}, "by row_ids and the challenger's by features"),
        (made(row_ids=range(4)), made(row_ids=range(1, 5)), {}, "only 3 of 4 are in both"),
        (made(row_ids=range(4)), made(row_ids=["0", "1", "2", "3"]), {}, "only 0 of 4 are in both"),
        (made(features=range(4)), made(features=range(9, 13)), {}, "different features, give row_ids="),
        (
            made(row_ids=range(4)),
            made([0, 1, 0], [0, 1, 0], row_ids=range(3)),
            {},
            "the challenger has 3 rows, the champion 4",
        ),
        (made(), made([0, 1, 0], [0, 1, 0]), {"paired_by": "order"}, "the challenger has 3 rows, the champion 4"),
        (made(row_ids=range(4)), made([0, 1, 1, 0], row_ids=range(4)), {}, "y_true is another in 2 rows of 4"),
        (made(), made([0, 1, 1, 1]), {"paired_by": "order"}, "y_true is another in 1 row of 4"),
        (
            made(row_ids=[0, 1, 2, 3]),
            made(row_ids=[0, 3, 2, 1]),
            {"paired_by": "order"},
            "the row_ids of champion and challenger differ, first in row 1",
        ),
        (
            made(row_ids=range(4), positive_label=0),
            made(row_ids=range(4)),
            {},
            "positive_label is 1 for the challenger and 0 for the champion",
        ),
        (
            made([0.5, 1, 2, 3], [1, 1, 1, 1], row_ids=range(4)),
            made(row_ids=range(4)),
            {},
            "task is 'binary' for the challenger and 'regression' for the champion",
        ),
        (
            made([0, 0, 1, 1], [0, 1, 1, 1], features=[7, 7, 8, 9]),
            made([0, 0, 1, 1], [1, 0, 1, 1], features=[7, 7, 8, 9]),
            {},
            r"both models say different things of rows with equal features \(1 row\)",
        ),
        (
            made([0, 0, 1, 1], [0, 0, 1, 1], y_score=[0.1, 0.2, 1, 1], features=[7, 7, 8, 9]),
            made([0, 0, 1, 1], [0, 0, 1, 1], y_score=[0.3, 0.4, 1, 1], features=[7, 7, 8, 9]),
            {},
            "which belong together cannot be told",
        ),
    ],
)
def test_what_does_not_pair(champion: Evaluation, challenger: Evaluation, how: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        pair(champion, challenger, **how)


@pytest.mark.parametrize(
    ("truth", "said", "score"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1], [0.1, 0.1 + 1e-12, 1, 1]),
        ([0, 1, 0, 1], [0, 1, 0, 1], [0.1, 0.7, 0.2, 0.9]),
    ],
    ids=["mere rounding", "told apart by their truth"],
)
def test_equal_rows_that_are_not_ambiguous(truth: list[int], said: list[int], score: list[float]) -> None:
    models = [made(truth, said, y_score=[k * s for s in score], features=[7, 7, 8, 9]) for k in (1, 2)]
    paired = pair(*models)
    assert sorted(paired.of("y_score")[0]) == sorted(score)


def test_equal_rows_of_one_torn_model_may_be_paired_in_any_way() -> None:
    champion = made([0, 0, 1, 1], [0, 1, 1, 1], features=[7, 7, 8, 9])
    challenger = made([0, 0, 1, 1], [0, 0, 1, 1], features=[7, 7, 8, 9])
    ours = improvement("accuracy", champion, challenger)
    assert ours.value == 0.25


@pytest.mark.parametrize(
    ("scores", "same"),
    [((None, None), True), ((BITS, None), False), ((BITS, BITS), True), ((BITS, [0, 1, 0, 0.5]), False)],
)
def test_what_is_the_same(scores: tuple[Any, Any], same: bool) -> None:
    models = [made(y_score=score, row_ids=range(4)) for score in scores]
    assert pair(*models).same("y_score") is same
