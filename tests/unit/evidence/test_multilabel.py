"""Several labels a row."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import Evaluation, EvidenceError
from pytest_mlops.checks.reproducibility import Run, compare
from pytest_mlops.evidence.pairing import pair
from pytest_mlops.evidence.rows import rows_of
from pytest_mlops.evidence.sources import Sources
from pytest_mlops.evidence.storage import from_arrays, to_arrays

TRUE = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]])
PRED = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1]])
SCORE = np.array([[0.9, 0.1, 0.0], [0.8, 0.4, 0.1], [0.2, 0.7, 0.3], [0.1, 0.6, 0.9]])
NAMES = ["spam", "ham", "eggs"]


def made(y_true: Any = TRUE, y_pred: Any = PRED, y_score: Any = SCORE, **known: Any) -> Evaluation:
    return Evaluation(y_true, y_pred, y_score, **known)


FORMS: dict[str, Any] = {
    "array": lambda table: table,
    "lists": lambda table: table.tolist(),
    "booleans": lambda table: table.astype(bool),
    "floats": lambda table: table.astype(float),
    "objects": lambda table: table.astype(object),
    "by column": np.asfortranarray,
    "sparse matrix": scipy.sparse.csr_matrix,
    "sparse array": scipy.sparse.coo_array,
    "frame": lambda table: pd.DataFrame(table, index=[7, 5, 3, 1]),
    "mixed frame": lambda table: pd.DataFrame({0: table[:, 0].astype(bool), 1: table[:, 1], 2: table[:, 2]}),
    "nullable frame": lambda table: pd.DataFrame(table).astype("boolean"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_from_every_form(form: Any) -> None:
    found = made(form(TRUE), form(PRED))
    assert (found.task, found.labels, found.positive_label, found.n) == ("multilabel", (0, 1, 2), None, 4)
    np.testing.assert_array_equal(found.y_true, TRUE)
    np.testing.assert_array_equal(found.pred_codes, PRED)
    assert found.true_codes.dtype == found.pred_codes.dtype == np.int8
    assert found.true_codes.flags.c_contiguous
    assert (found.data_digest, found.prediction_digest) == (made().data_digest, made().prediction_digest)
    assert found.correct.tolist() == [True, False, True, False]
    assert repr(found) == "Evaluation(multilabel, 4 rows, with scores, anonymous rows)"


@pytest.mark.parametrize(
    ("y_true", "labels", "names"),
    [
        (TRUE, None, (0, 1, 2)),
        (TRUE, NAMES, ("spam", "ham", "eggs")),
        (pd.DataFrame(TRUE, columns=NAMES), None, ("spam", "ham", "eggs")),
        (pl.DataFrame(TRUE, schema=NAMES), None, ("spam", "ham", "eggs")),
        (pl.LazyFrame(TRUE, schema=NAMES), None, ("spam", "ham", "eggs")),
        (pd.DataFrame(TRUE, columns=["a", "b", "c"]), NAMES, ("spam", "ham", "eggs")),
    ],
)
def test_the_names_of_labels(y_true: Any, labels: Any, names: tuple[Any, ...]) -> None:
    assert made(y_true, labels=labels).labels == names


def test_it_can_be_said_and_scores_need_be_no_probabilities() -> None:
    found = made(y_score=SCORE * 9 - 4, task="multilabel")
    assert found.y_score is not None
    np.testing.assert_array_equal(found.y_score, SCORE * 9 - 4)
    assert not found.y_score.flags.writeable
    assert made(probabilities=True).y_score is not None


NAN = float("nan")
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ragged": ({"y_true": [[1, 0], [1], [0, 1], [1, 1]]}, "y_true is not a table"),
    "ragged prediction": ({"y_pred": [[1, 0], [1], [0, 1], [1, 1]]}, "y_pred is not a table"),
    "3-D": ({"y_true": np.zeros((4, 3, 2)), "task": "multilabel"}, r"y_true has shape \(4, 3, 2\), expected \(n, lab"),
    "1-D": ({"y_true": [0, 1, 1, 0], "task": "multilabel"}, r"y_true has shape \(4,\), expected \(n, labels\)"),
    "one column": ({"y_true": TRUE[:, :1], "task": "multilabel"}, r"shape \(4, 1\), expected .* at least two labels"),
    "empty": ({"y_true": np.empty((0, 3))}, "y_true is empty"),
    "2": ({"y_true": TRUE * 2}, "y_true has 3 columns and holds 2: a table holds 0 and 1"),
    "quantities": ({"y_true": TRUE + 0.5}, "holds 1.5: .*judge several quantities one by one"),
    "scores as y_pred": ({"y_pred": SCORE}, "y_pred has 3 columns and holds 0.9: .*scores go into y_score="),
    "text": ({"y_true": TRUE.astype(str)}, r"y_true holds str \(e.g. '1'\), expected 0 and 1"),
    "NaN": ({"y_true": np.where(SCORE > 0.85, NAN, TRUE)}, "y_true has 2 missing values .* the first in row 0"),
    "NaN of y_pred": ({"y_pred": np.where(SCORE == 0.6, NAN, PRED)}, "y_pred has 1 missing value .* in row 3"),
    "None": ({"y_true": [[1, None], [0, 1]]}, "y_true has 1 missing value"),
    "fewer rows": ({"y_pred": PRED[:3]}, "y_pred has 3 rows, but y_true has 4"),
    "fewer columns": ({"y_pred": PRED[:, :2]}, r"y_pred has shape \(4, 2\), but y_true \(4, 3\)"),
    "labels as y_pred": ({"y_pred": [0, 1, 1, 2]}, r"y_pred has shape \(4,\), .* y_true.argmax\(axis=1\)"),
    "labels length": ({"labels": ["a", "b"]}, "labels= names 2 labels, but y_true has 3 columns"),
    "labels twice": ({"labels": ["a", "b", "a"]}, "names a class twice"),
    "labels text": ({"labels": "abc"}, "labels='abc' is no list"),
    "positive_label": ({"positive_label": 1}, "positive_label has no meaning where each row has several labels"),
    "score shape": ({"y_score": SCORE[:, 0]}, r"y_score has shape \(4,\), but y_true \(4, 3\)"),
    "score rows": ({"y_score": SCORE[:2]}, "y_score has 2 rows"),
    "score NaN": ({"y_score": np.where(SCORE == 0, NAN, SCORE)}, "y_score has 1 missing value"),
    "score text": ({"y_score": SCORE.astype(str).astype(object) + "x"}, "y_score holds str"),
    "no probabilities": ({"y_score": SCORE * 2, "probabilities": True}, r"outside \[0, 1\]"),
    "one truth": ({"y_true": np.ones((4, 3), int)}, "all rows of y_true have the same labels"),
    "moved y_pred": (
        {"y_true": pd.DataFrame(TRUE, columns=NAMES), "y_pred": pd.DataFrame(PRED, columns=NAMES[::-1])},
        "the columns of y_pred are 'eggs', 'ham', 'spam', but the labels 'spam', 'ham', 'eggs'",
    ),
    "moved y_score": ({"y_score": pd.DataFrame(SCORE, columns=NAMES), "labels": NAMES[::-1]}, "columns of y_score"),
    "moved labels": ({"y_true": pd.DataFrame(TRUE, columns=NAMES), "labels": NAMES[::-1]}, "columns of y_true are"),
    "row_ids repeat": ({"row_ids": [1, 1, 2, 3]}, "row_ids repeat"),
    "another task": ({"task": "multiclass"}, r"y_true has shape \(4, 3\), expected one value a row"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_tables_are_refused_with_a_sentence(what: str) -> None:
    bad, message = REFUSED[what]
    with pytest.raises(EvidenceError, match=message):
        made(**bad)


def test_what_is_odd_is_noted() -> None:
    true = np.array([[1, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, 0]])
    found = made(true, np.ones_like(true), np.full(true.shape, 0.5), labels=NAMES)
    assert found.notes == (
        "the predictions are constant: every row is ['spam', 'ham', 'eggs']",
        "the scores are constant",
        "no row has the label 'ham'",
        "every row has the label 'spam'",
    )


@pytest.mark.parametrize("name", ["positive", "predicted_positive", "errors"])
def test_what_several_labels_do_not_have(name: str) -> None:
    with pytest.raises(EvidenceError, match="a multilabel evaluation has no such thing as"):
        getattr(made(), name)


@pytest.mark.parametrize("identity", [{"row_ids": [4, 3, 2, 1]}, {"features": {"x": [4, 3, 2, 1]}}, {}])
@pytest.mark.parametrize("y_score", [SCORE, None])
def test_there_and_back(identity: dict[str, Any], y_score: Any) -> None:
    before = made(y_score=y_score, labels=NAMES, **identity)
    for back in (from_arrays(*to_arrays(before)), pickle.loads(pickle.dumps(before))):
        assert repr(back) == repr(before)
        assert (back.data_digest, back.prediction_digest) == (before.data_digest, before.prediction_digest)


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"y_true": TRUE.astype(np.int8)[:, 0]}, "not one column for each of the 3 labels"),
        ({"y_score": SCORE[:, 0]}, "not one column for each of the 3 labels"),
        ({"y_pred": np.full((4, 3), 2, np.int8)}, "codes in y_pred that stand for no label"),
        ({"y_pred": PRED.astype(float)}, "codes in y_pred that stand for no label"),
    ],
)
def test_what_was_spoilt_is_refused(spoilt: dict[str, Any], message: str) -> None:
    arrays, facts = to_arrays(made())
    with pytest.raises(EvidenceError, match=message):
        from_arrays({**arrays, **spoilt}, facts)


def test_digests_tell_every_cell_apart_and_know_labels_by_name() -> None:
    base = made(labels=NAMES, row_ids=range(4))
    turned = [2, 0, 1]
    same = made(TRUE[:, turned], PRED[:, turned], SCORE[:, turned], labels=[NAMES[k] for k in turned], row_ids=range(4))
    assert (same.data_digest, same.prediction_digest) == (base.data_digest, base.prediction_digest)
    for row, label in np.ndindex(TRUE.shape):
        flipped = TRUE.copy()
        flipped[row, label] ^= 1
        assert made(flipped, labels=NAMES, row_ids=range(4)).data_digest != base.data_digest
        said = SCORE.copy()
        said[row, label] += 0.01
        assert made(y_score=said, labels=NAMES, row_ids=range(4)).prediction_digest != base.prediction_digest


@pytest.mark.parametrize("identity", ["row_ids", "features"])
@given(ours=st.permutations(range(40)), theirs=st.permutations(range(40)), seed=st.integers(0, 99))
def test_rows_pair_whatever_their_order(identity: str, ours: list[int], theirs: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.arange(40) % (40 if identity == "row_ids" else 25)  # some rows with equal features
    truth, champion = rng.integers(0, 2, (2, 40, 3))
    challenger = np.column_stack([x % 2, x % 3 == 0, x % 5 == 0])  # says the same of equal rows

    def evaluation(said: Any, order: list[int]) -> Evaluation:
        known: dict[str, Any] = {identity: x[order]}
        return Evaluation(truth[order], said[order], said[order] / 2, **known)

    straight = evaluation(champion, list(range(40)))
    shuffled = evaluation(champion, theirs)
    assert (shuffled.data_digest, shuffled.prediction_digest) == (straight.data_digest, straight.prediction_digest)
    paired = pair(shuffled, evaluation(challenger, ours))
    np.testing.assert_array_equal(*paired.of("y_true"))

    def cells(of: Any) -> list[Any]:
        return sorted(map(str, np.hstack([of[0].true, of[0].pred, of[1].pred]).tolist()))

    expected = pair(straight, evaluation(challenger, list(range(40)))).rows()
    assert cells(paired.rows()) == cells(expected)


@pytest.mark.parametrize(
    ("champion", "challenger", "message"),
    [
        ({"labels": NAMES}, {"labels": NAMES[::-1]}, "labels is .*'eggs', 'ham', 'spam'.* for the challenger"),
        ({"y_true": 1 - TRUE}, {}, "y_true is another in 4 rows of 4"),
        ({"y_true": np.vstack([TRUE[:3], [[0, 1, 1]]])}, {}, "y_true is another in 1 row of 4"),
        ({"y_true": [0, 1, 1, 0], "y_pred": [0, 1, 1, 0], "y_score": None}, {}, "task is 'multilabel' for the chall"),
    ],
)
def test_what_does_not_pair(champion: dict[str, Any], challenger: dict[str, Any], message: str) -> None:
    for identity, how in (({"row_ids": range(4)}, "identity"), ({}, "order")):
        with pytest.raises(EvidenceError, match=message):
            pair(made(**champion, **identity), made(**challenger, **identity), paired_by=how)  # type: ignore[arg-type]


def test_equal_features_of_which_both_say_different_things() -> None:
    true = np.array([[1, 0], [1, 0], [0, 1]])
    first, second = np.array([[1, 0], [0, 0], [0, 1]]), np.array([[1, 1], [1, 0], [0, 1]])
    with pytest.raises(EvidenceError, match=r"both models say different things of rows with equal features \(1 row\)"):
        pair(Evaluation(true, first, features=[7, 7, 8]), Evaluation(true, second, features=[7, 7, 8]))


def test_drift_sees_a_column_for_each_label() -> None:
    sample = Sources(None, reference=made(labels=NAMES, sensitive_features={"sex": list("fmfm")})).reference()
    assert list(sample.names) == ["sex", *(f"{what}[{name}]" for what in ("prediction", "score") for name in NAMES)]
    assert sorted(sample.take(["score[ham]"], 10, 0)["score[ham]"]) == sorted(SCORE[:, 1])


def test_reproducibility_compares_rows() -> None:
    order = [3, 0, 2, 1]
    first = Run.of(made(row_ids=range(4)))
    again = Run.of(made(TRUE[order], PRED[order], SCORE[order], row_ids=order))
    assert not compare(first, again, atol=0, rtol=0).rows.any()
    other = Run.of(made(y_pred=1 - PRED, row_ids=range(4)))
    difference = compare(first, other, atol=0, rtol=0)
    assert (difference.rows.tolist(), difference.how) == ([True] * 4, "y_pred in 4 rows")
    truth = Run.of(made(np.vstack([TRUE[:3], [[1, 1, 1]]]), row_ids=range(4)))
    assert "y_true is not the same in 1 row," in compare(first, truth, atol=0, rtol=0).how


def test_from_predictions() -> None:
    frame = {
        f"{what}_{name}": table[:, k] for what, table in (("t", TRUE), ("p", PRED)) for k, name in enumerate(NAMES)
    }
    known: dict[str, Any] = {what: [f"{what[2]}_{name}" for name in NAMES] for what in ("y_true", "y_pred")}
    assert Evaluation.from_predictions(frame, **known).labels == ("t_spam", "t_ham", "t_eggs")
    assert Evaluation.from_predictions(frame, **known, labels=NAMES).labels == tuple(NAMES)
    with pytest.raises(EvidenceError, match=r"y_pred=\[\] names no column"):
        Evaluation.from_predictions(frame, **{**known, "y_pred": []})


@pytest.mark.parametrize("kind", ["forest", "one for each label", "margins", "function"])
def test_models_of_several_labels(kind: str) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X + 0.5 * rng.normal(size=X.shape) > 0).astype(int)
    model: Any = {
        "forest": RandomForestClassifier(5, random_state=0),
        "one for each label": OneVsRestClassifier(LogisticRegression()),
        "margins": OneVsRestClassifier(LinearSVC()),
        "function": None,
    }[kind]
    asked = model.fit(X, y) if model is not None else lambda rows: ((rows > 0).astype(int), rows)
    found = Evaluation.from_model(asked, X, y)
    assert found.task == "multilabel"
    assert found.y_score is not None
    assert found.y_score.shape == y.shape
    for label in range(3):
        assert found.y_score[y[:, label] == 1, label].mean() > found.y_score[y[:, label] == 0, label].mean()


def test_rows() -> None:
    found = rows_of(made())
    assert (found.task, found.labels, found.positive, found.n) == ("multilabel", (0, 1, 2), None, 4)
    assert found.take(np.array([2, 0])).score[0].tolist() == SCORE[2].tolist()  # type: ignore[index]
