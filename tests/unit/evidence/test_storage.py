"""An evaluation as plain arrays and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops import Evaluation, EvidenceError
from pytest_mlops.evidence.storage import from_arrays, to_arrays

Y = np.arange(12)
EVALUATIONS = {
    "binary with scores": Evaluation(Y % 2, Y % 2, Y / 12, row_ids=Y),
    "text labels": Evaluation([f"c{k % 3}" for k in Y], ["c0"] * 12, features={"x": Y}),
    "class probabilities": Evaluation(Y % 3, Y % 3, np.full((12, 3), 1 / 3)),
    "regression": Evaluation(Y / 7, Y / 8, row_ids=Y),
}


@pytest.mark.parametrize("made", EVALUATIONS.values(), ids=EVALUATIONS)
def test_there_and_back(made: Evaluation) -> None:
    back = from_arrays(*to_arrays(made))
    assert repr(back) == repr(made)
    assert (back.data_digest, back.prediction_digest) == (made.data_digest, made.prediction_digest)
    assert np.array_equal(back.y_true, made.y_true)


BOTH_CLASSES = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({truth for truth, _ in rows}) == 2
)


@given(BOTH_CLASSES)
def test_any_rows(rows: list[tuple[bool, bool]]) -> None:
    made = Evaluation([t for t, _ in rows], [p for _, p in rows], row_ids=range(len(rows)))
    assert from_arrays(*to_arrays(made)).prediction_digest == made.prediction_digest


@pytest.mark.parametrize(
    ("arrays", "facts", "message"),
    [
        ({"y_pred": None}, {}, "lack y_pred"),
        ({}, {"labels": None}, "lack labels"),
        ({"y_pred": np.zeros(3, np.int32)}, {}, "3 rows of y_pred, but 12 of y_true"),
        ({"y_pred": np.full(12, 7, np.int32)}, {}, "codes in y_pred that stand for no label"),
        ({"y_pred": np.zeros(12)}, {}, "codes in y_pred that stand for no label"),
        ({"row_keys": None}, {}, "do not say which rows they are of"),
    ],
)
def test_what_was_spoilt_is_refused(arrays: dict[str, Any], facts: dict[str, Any], message: str) -> None:
    good_arrays, good_facts = to_arrays(EVALUATIONS["binary with scores"])
    spoilt = {name: value for name, value in {**good_arrays, **arrays}.items() if value is not None}
    said = {name: value for name, value in {**good_facts, **facts}.items() if value is not None or name not in facts}
    with pytest.raises(EvidenceError, match=message):
        from_arrays(spoilt, said)


def test_labels_that_no_file_can_hold() -> None:
    import datetime

    days = [datetime.date(2026, 1, 1 + k % 2) for k in range(4)]
    with pytest.raises(EvidenceError, match="cannot be stored: use text or integers"):
        to_arrays(Evaluation(days, days))
