"""How much each feature matters to a model: what it loses where the feature is shuffled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from .asking import predictions
from .frames import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .evaluation import Evaluation, Task

MOST_ROWS = 20_000
REPEATS = 5


def permutation_importance(model: Any, X: Any, y: Any, evaluation: Evaluation) -> dict[str, float]:  # noqa: N803
    """The permutation importance [1]_ of each column, 0 where shuffling does no harm.

    Parameters
    ----------
    model : object with ``predict``, or callable
    X : frame of n rows
        Of any library that narwhals reads.
    y : array-like of shape (n,) or (n, labels)
    evaluation : Evaluation
        Of this model on these rows.

    Returns
    -------
    dict
        By column: how much lower the accuracy (of several labels, the share of labels that are right) or R² is, on
        average over 5 shuffles. The rows are taken in an order that no order of theirs changes, wherever they have an
        identity.

    Raises
    ------
    EvidenceError
        `X` has no named columns, or the model cannot be asked again; of a regression, all y are equal, or a prediction
        is not finite.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.
    """
    rows = _canonical(evaluation)
    frame, true = _frame(X)[rows.tolist()], Table.of(y, "y").values[rows]
    whole = _score(model, frame.to_native(), true, evaluation.task)
    generator = np.random.default_rng(0)
    lost = {}
    for name in sorted(frame.columns, key=str):
        shuffles = (generator.permutation(rows.size).tolist() for _ in range(REPEATS))
        shuffled = (_shuffled(frame, name, order) for order in shuffles)
        scores = [_score(model, each.to_native(), true, evaluation.task) for each in shuffled]
        lost[str(name)] = max(0.0, whole - float(np.mean(scores)))
    return lost


def _frame(data: Any) -> Any:
    import narwhals as nw

    frame = nw.from_native(data, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        raise EvidenceError(
            f"importance=True needs features with names, and X is a {type(data).__name__}: give a frame, "
            f"e.g. pandas.DataFrame(X, columns=[...]), or leave importance= out"
        )
    return frame


def _shuffled(frame: Any, name: Any, order: list[int]) -> Any:
    """One column in another order; its type stays."""
    import narwhals as nw

    column = frame[name][order]
    if frame.implementation.is_pandas_like():  # which would put each value back to the row that its label names
        column = nw.from_native(column.to_native().set_axis(frame.to_native().index), series_only=True)
    return frame.with_columns(column.alias(name))


def _canonical(evaluation: Evaluation) -> NDArray[np.intp]:
    """The first rows by their keys, which are hashes: as good as drawn at random."""
    keys = evaluation.row_keys
    order = np.arange(evaluation.n) if keys is None else np.argsort(keys, kind="stable")
    return order[:MOST_ROWS]


def _score(model: Any, rows: Any, true: NDArray[Any], task: Task) -> float:
    predicted = Table.of(predictions(model, rows), "the model's predictions").values.reshape(true.shape)
    if task != "regression":
        return float(np.mean(predicted.astype(object) == true.astype(object)))
    error, spread = float(np.mean((predicted.astype(np.float64) - true) ** 2)), float(np.var(true.astype(np.float64)))
    if not spread:
        raise EvidenceError("importance=True compares R², which has no value where all y are equal: leave it out")
    if not math.isfinite(error):  # and not 0, as which it would excuse whatever the feature does
        raise EvidenceError(
            "importance=True shuffles features, and the model then predicts what is no finite number: leave it out"
        )
    return 1 - error / spread
