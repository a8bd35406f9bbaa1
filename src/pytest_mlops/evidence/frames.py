"""Columns of any library in, numpy arrays out. numpy arrays and lists need no other library."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray


def vector(data: Any, what: str) -> NDArray[Any]:
    """One column as an array of shape (n,).

    Parameters
    ----------
    data : sequence, array, or Series of any library that narwhals reads; or a frame of one column
    what : str
        Its name in error messages.

    Raises
    ------
    EvidenceError
        It is not one column.
    """
    array = _array(data, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise EvidenceError(f"{what} has shape {array.shape}, expected one value a row: (n,)")
    return array


def matrix(data: Any, what: str) -> NDArray[Any]:
    """Scores as an array of shape (n,) or (n, k)."""
    array = _array(data, what)
    if array.ndim not in (1, 2):
        raise EvidenceError(f"{what} has shape {array.shape}, expected (n,) or (n, classes)")
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


@dataclass(frozen=True, slots=True)
class Table:
    """Values, and the names of their columns where they have any.

    Parameters
    ----------
    values : array of at least one dimension
    names : tuple of text and integers, or None
        Of the columns of a frame.
    """

    values: NDArray[Any]
    names: tuple[Any, ...] | None = None

    @classmethod
    def of(cls, data: Any, what: str) -> Table:
        """A column or several, of a frame, an array, a sparse matrix, a Series or a list.

        Raises
        ------
        EvidenceError
            It is neither.
        """
        if hasattr(data, "toarray") and len(getattr(data, "shape", ())) == 2:  # scipy.sparse, of several labels
            return cls(np.asarray(data.toarray()))
        native = data if _plain(data) else _narwhals(data, what)
        names = tuple(native.columns) if hasattr(native, "get_column") else None
        return cls(_array(data if names is None else native, what), names)


def has_several_columns(data: Any) -> bool:
    """Is it a table of more than one column? What is none at all is refused elsewhere."""
    try:
        values = Table.of(data, "y").values
    except EvidenceError:
        return False
    return values.ndim == 2 and values.shape[1] > 1


def columns(data: Any, what: str) -> dict[str, NDArray[Any]]:
    """Named columns of a frame, a mapping, a Series or an array of shape (n,), (n, k) or (n, …).

    Raises
    ------
    EvidenceError
        It has no columns.
    """
    if isinstance(data, Mapping):
        return {str(name): vector(column, f"{what}[{name!r}]") for name, column in data.items()}
    native = data if isinstance(data, np.ndarray | list | tuple) else _narwhals(data, what)
    if hasattr(native, "columns") and hasattr(native, "get_column"):
        return {str(name): native.get_column(name).to_numpy() for name in native.columns}
    name = getattr(native, "name", None)
    array = _array(data, what)
    if array.ndim == 0:
        raise EvidenceError(f"{what} has no columns: {type(data).__name__}")
    if array.ndim == 1:
        return {str(name) if name else what: array}
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    return {str(place): flat[:, place] for place in range(flat.shape[1])}


def read(path: str | Path, what: str = "predictions") -> Any:
    """A pandas frame from a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
    what : str
        Its name in error messages.

    Raises
    ------
    EvidenceError
        The file is not there, of another kind, or cannot be read.
    """
    import pandas as pd

    path = Path(path)
    readers: dict[str, Any] = {".csv": _read_csv, ".parquet": pd.read_parquet, ".pq": pd.read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise EvidenceError(f"cannot read {what} from {str(path)!r}: expected a .csv or .parquet file")
    if not path.is_file():
        raise EvidenceError(f"there is no {what} file {str(path)!r}: check the path, or write the file first")
    try:
        return reader(path)
    except ImportError as error:
        raise EvidenceError(f"reading {path.name!r} needs pyarrow: pip install 'pytest-mlops[parquet]'") from error
    except Exception as error:
        raise EvidenceError(f"cannot read {what} from {str(path)!r}: {_first_line(error)}") from error


def pick(frame: dict[str, NDArray[Any]], name: str, what: str) -> NDArray[Any]:
    """The column `name`, or an error that names the nearest."""
    if name not in frame:
        raise EvidenceError(f"the predictions have no column {name!r} for {what}: {did_you_mean(name, frame)}")
    return frame[name]


def _read_csv(path: Path) -> Any:
    import pandas as pd

    with warnings.catch_warnings():
        # Rows with more values than the header has names would move every value to another column, or lose one.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        # "NA", "None" and the like may be labels: only what cannot be one is missing.
        return pd.read_csv(path, index_col=False, keep_default_na=False, na_values=["", "NaN", "nan"])


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _array(data: Any, what: str) -> NDArray[Any]:
    if isinstance(data, str | bytes | Path) or data is None:
        raise EvidenceError(f"{what} is {data!r}, expected one value a row")
    native: Any = data if _plain(data) else _narwhals(data, what)
    try:
        # What narwhals does not know converts itself, by a copy if need be: PyArrow's own to_numpy would refuse one.
        array = native.to_numpy() if hasattr(native, "implementation") else np.asarray(native)
    except ValueError as error:
        raise EvidenceError(f"{what} is not a table: {_first_line(error)}") from error
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise EvidenceError(f"{what} has masked values: fill them or leave those rows out")
    if array.ndim == 0:
        raise EvidenceError(f"{what} is a {type(data).__name__}, expected one value a row")
    if array.dtype.kind in "US" and not isinstance(data, np.ndarray):
        return np.asarray(data, dtype=object)  # numpy has made text of 1 in ["a", 1]
    return np.asarray(array)


def _plain(data: Any) -> bool:
    """Does numpy read it without help?"""
    return isinstance(data, np.ndarray | list | tuple | str | bytes | Path) or data is None


def _narwhals(data: Any, what: str) -> Any:
    """A narwhals Series or DataFrame (lazy ones are collected), or the data itself."""
    import narwhals as nw
    from narwhals.exceptions import NarwhalsError

    try:
        frame = nw.from_native(data, allow_series=True, pass_through=True)
    except NarwhalsError as error:
        raise EvidenceError(f"{what} cannot be read: {' '.join(str(error).split())}") from error
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame
