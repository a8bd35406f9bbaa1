"""A sample of rows, wherever these are: in memory, in files, in an engine, or summed up in a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from . import frames
from .engines.kept import Kept
from .engines.lazy import Lazy
from .engines.memory import Memory
from .evaluation import Evaluation
from .profile import ColumnProfile, Profile

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import NDArray

    from .engines.base import Tell

_PROFILE = ".profile.json"
_NAMELESS = "values"
_LABELS = {
    "pandas": "pandas",
    "polars": "Polars",
    "pyarrow": "PyArrow",
    "duckdb": "DuckDB",
    "pyspark": "Spark",
    "pyspark[connect]": "Spark",
}


class Sample(Protocol):
    """What a check can know of one sample. Its rows stay where they are.

    Attributes
    ----------
    role : str
        ``"reference"`` or ``"current"``.
    engine : str
        Where the rows are, for people.
    names : tuple of str
        Of its columns.
    rows : int
    """

    role: str
    engine: str
    names: tuple[str, ...]
    rows: int

    def profiles(self, names: Sequence[str]) -> dict[str, ColumnProfile | EvidenceError]:
        """Of each column what it holds, or the error that says why it cannot be read.

        Raises
        ------
        EvidenceError
            There is no such column, or the query fails.
        """

    def blocks(self, time: str, most: int, rows: int) -> Sequence[Sample]:
        """Stretches of the rows in the order of the column `time`, the oldest first.

        They hold all rows where no more than `most` of them fit; else they are no longer than need be, and lie apart.

        Parameters
        ----------
        time : str
            A column of dates, durations or numbers. Rows of one time stay together.
        most : int
            Blocks; as equal as ties allow.
        rows : int
            That each has at least. There is no block where there are fewer.

        Raises
        ------
        EvidenceError
            There is no such column, it gives no order, or some rows have none; or it is a profile.
        """

    def take(self, names: Sequence[str], most: int, seed: int) -> dict[str, NDArray[Any]]:
        """Rows at random, as columns of at most `most` values: all if there are no more.

        The same rows are taken in whatever order they stand; other engines take others.

        Raises
        ------
        EvidenceError
            There is no such column, or it cannot be read; or it is a profile.
        """

    def digests(self) -> dict[str, Any]:
        """What a report says of it: ``rows``, ``data`` (sha256 of all rows or None), maybe ``columns`` (of each)."""


def sample_of(data: Any, role: str, *, tell: Tell = None) -> Sample:
    """Whatever holds the rows, as a sample.

    Parameters
    ----------
    data : frame of pandas, Polars or PyArrow, lazy frame, DuckDB relation, PySpark DataFrame; or mapping or array of
        columns; or path, pattern or directory of Parquet files; or path of a profile; or Profile; or Evaluation
    role : str
        ``"reference"`` or ``"current"``.
    tell : callable, optional
        Is told how far the reading is: in words, and as a share.

    Raises
    ------
    EvidenceError
        It holds no rows, no columns, or is none of these; or it cannot be read.
    """
    if isinstance(data, Evaluation):
        return Memory(said_by(data), role, "memory", tell)
    if isinstance(data, Profile):
        return Kept(data, role)
    if isinstance(data, str | Path):
        return _of_path(str(data), role, tell)
    if _is_dataset(data):
        from .engines.duckdb import connection, of_relation

        opened = connection()
        return of_relation(opened.from_arrow(data), role, tell, label="PyArrow", opened=opened)
    return _of_frame(data, role, tell)


def _of_path(path: str, role: str, tell: Tell) -> Sample:
    if path.lower().endswith(_PROFILE):
        from .profile_file import load_with_digest

        profile, digest = load_with_digest(path)
        return Kept(profile, role, digest)
    if Path(path).suffix.lower() == ".csv":
        return _of_frame(frames.read(path, f"mlops_{role}"), role, tell)
    from .engines import parquet

    return parquet.of_path(path, role, tell)


def _of_frame(data: Any, role: str, tell: Tell) -> Sample:
    frame = _narwhals(data, role)
    if frame is None:
        return Memory(_arrays(data, f"mlops_{role}"), role, "memory", tell)
    label = _label(frame)
    if label == "DuckDB":
        from .engines import duckdb

        return duckdb.of_relation(data, role, tell)
    if label == "Spark":
        from .engines import spark

        return spark.of_frame(data, role, tell)
    if hasattr(frame, "collect"):
        return Lazy(frame, role, label, tell)
    return Memory(frame, role, label, tell)


def _arrays(data: Any, what: str) -> dict[str, NDArray[Any]]:
    """A table among the columns of a mapping is a column of vectors; a column by itself may have no name."""
    if not isinstance(data, Mapping):
        found = frames.columns(data, what)
        return {_NAMELESS if name == what else name: column for name, column in found.items()}
    return {
        str(name): column if _is_table(column) else frames.vector(column, f"{what}[{name!r}]")
        for name, column in data.items()
    }


def _is_table(column: Any) -> bool:
    table = isinstance(column, np.ndarray) and column.ndim == 2 and column.shape[1] > 1
    return table and column.dtype.kind in "biuf" and not isinstance(column, np.ma.MaskedArray)


def _narwhals(data: Any, role: str) -> Any:
    """A narwhals frame, eager or lazy; None of what is no frame."""
    if isinstance(data, Mapping | np.ndarray | list | tuple):
        return None
    import narwhals as nw
    from narwhals.exceptions import NarwhalsError

    try:
        frame = nw.from_native(data, pass_through=True)
    except NarwhalsError as error:
        raise EvidenceError(f"mlops_{role} cannot be read: {' '.join(str(error).split())}") from error
    return frame if isinstance(frame, nw.DataFrame | nw.LazyFrame) else None


def _label(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> str:
    library = str(frame.implementation.value)
    return _LABELS.get(library, library)


def _is_dataset(data: Any) -> bool:
    """Of PyArrow: files that are read when they are asked for."""
    kind = type(data)
    return kind.__module__.startswith("pyarrow") and hasattr(data, "scanner") and hasattr(data, "to_batches")


# --- an evaluation as columns


def said_by(evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    """An evaluation as columns: what is known of its rows, labels, predictions, and scores of one thing."""
    if evaluation.task == "multilabel":
        return {**evaluation.sensitive_features, **_by_label(evaluation)}
    scores = evaluation.y_score
    of_one = {} if scores is None or scores.ndim == 2 else {"score": scores}
    labels = {} if evaluation.y_true.ndim == 2 else {"label": _as_names(evaluation, evaluation.y_true)}
    return {**evaluation.sensitive_features, **labels, "prediction": _as_names(evaluation, evaluation.y_pred), **of_one}


def _as_names(evaluation: Evaluation, values: NDArray[Any]) -> NDArray[Any]:
    """Numbers that are names of classes are no quantities."""
    if evaluation.task == "regression" or set(evaluation.labels) <= {0, 1}:
        return values
    return values.astype(str).astype(object)


def _by_label(evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    tables = {"prediction": evaluation.y_pred, "score": evaluation.y_score}
    return {
        f"{what}[{label}]": np.ascontiguousarray(column)
        for what, table in tables.items()
        if table is not None
        for label, column in zip(evaluation.labels, table.T, strict=True)
    }
