"""Who is who: the rows of an evaluation, grouped by columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .evaluation import Evaluation

MISSING = "missing"
"""The group of the rows without a value."""

MOST_GROUPS = 100
"""Of more, no pair could be told apart: it is a quantity, or a name."""

_EXACT_IN_FLOAT = 2**53


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows by group.

    Parameters
    ----------
    names : tuple of tuple of str
        Of each group, one text for each feature; in an order that does not depend on that of the rows.
    codes : integer array of shape (n,)
        The place of each row's group in `names`.
    """

    names: tuple[tuple[str, ...], ...]
    codes: NDArray[np.intp]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names for people."""
        return tuple(" / ".join(name) for name in self.names)

    def count(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of these rows each group has."""
        return np.bincount(self.codes[rows], minlength=len(self.names)).astype(np.int64)


def groups_by(evaluation: Evaluation, features: Sequence[str]) -> Groups:
    """The groups of one sensitive feature, or the intersections of several that have rows.

    Parameters
    ----------
    evaluation : Evaluation
    features : sequence of str
        Names of its sensitive features.

    Raises
    ------
    EvidenceError
        There is no such feature, one group only, or so many that they are no groups; or two values look alike.
    """
    for name in features:
        _refuse_unknown(evaluation, name)
    groups = groups_of(evaluation.sensitive_features, features)
    if len(groups.names) < 2:
        raise EvidenceError(
            f"all rows are of one group of {_listed(features)}, {groups.labels[0]!r}: judge rows of at least two "
            f"groups, or another feature"
        )
    return groups


def groups_of(columns: Mapping[str, NDArray[Any]], features: Sequence[str]) -> Groups:
    """The groups of one column, or the intersections of several that have rows.

    Parameters
    ----------
    columns : mapping of arrays of shape (n,)
    features : sequence of str
        Names of at least one of them.

    Raises
    ------
    EvidenceError
        There is no such column, or so many groups that they are none; or two values look alike.
    """
    unknown = next((name for name in features if name not in columns), None)
    if unknown is not None:
        raise EvidenceError(f"there is no column {unknown!r} to group rows by: {did_you_mean(unknown, columns)}")
    coded = [_coded(columns[name], name) for name in features]
    codes = coded[0][1]
    for names, more in coded[1:]:
        codes = codes * len(names) + more
    present, joined = np.unique(codes, return_inverse=True)
    if present.size > MOST_GROUPS:
        raise EvidenceError(
            f"{_listed(features)} makes {present.size:,} groups, of which each is compared with others: make at most "
            f"{MOST_GROUPS} of them, e.g. ages to age groups"
        )
    places = np.unravel_index(present, [len(names) for names, _ in coded])
    found = tuple(
        tuple(names[place[group]] for (names, _), place in zip(coded, places, strict=True))
        for group in range(present.size)
    )
    return Groups(found, joined.reshape(-1))


def _listed(features: Sequence[str]) -> str:
    return " and ".join(map(repr, features))


def _refuse_unknown(evaluation: Evaluation, name: str) -> None:
    features = evaluation.sensitive_features
    if not features:
        raise EvidenceError(
            f"this evaluation has no sensitive features, so none called {name!r}: give sensitive_features= when "
            f"making it"
        )
    if name not in features:
        raise EvidenceError(f"this evaluation has no sensitive feature {name!r}: {did_you_mean(name, features)}")


def _coded(values: NDArray[Any], feature: str) -> tuple[list[str], NDArray[np.int64]]:
    """The names of a feature's values, those of missing ones last, and the place of each row's."""
    import pandas as pd

    if values.ndim != 1:
        raise EvidenceError(f"the column {feature!r} has shape {values.shape}, expected one value a row")
    _refuse_truth_and_number(values, feature)
    try:
        codes, found = pd.factorize(values.astype(object) if values.dtype.kind in "USO" else values)
    except TypeError as error:
        raise EvidenceError(f"the column {feature!r} holds values that cannot be told apart") from error
    order = sorted(range(len(found)), key=lambda place: _sort_key(found[place]))
    names = [_text(found[place]) for place in order]
    if (codes < 0).any():
        names.append(MISSING)
    _refuse_twins(names, feature)
    ranks = np.empty(len(found) + 1, dtype=np.int64)
    ranks[order] = np.arange(len(found))
    ranks[-1] = len(found)  # the code of a missing value is -1
    return names, ranks[codes]


def _refuse_truth_and_number(values: NDArray[Any], feature: str) -> None:
    """True equals 1, so they would become one group, named after whichever came first."""
    if values.dtype.kind != "O":
        return
    kinds = {type(value) for value in values}
    truth = {kind for kind in kinds if issubclass(kind, bool | np.bool_)}
    numbers = {kind for kind in kinds if issubclass(kind, int | float | np.number)} - truth
    if truth and any(value == value for value in values if type(value) in numbers):  # NaN is a missing value
        raise EvidenceError(f"the column {feature!r} holds both truth values and numbers: give one of them")


def _sort_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float | np.integer | np.floating):
        return 0, float(value), ""
    return 1, 0.0, str(value)


def _text(value: Any) -> str:
    """1 and 1.0 are one group: a missing value turns a column of integers into floats."""
    if isinstance(value, float | np.floating):
        whole = float(value).is_integer() and abs(float(value)) < _EXACT_IN_FLOAT
        return str(int(value)) if whole else str(value)
    text = str(value)
    return text if text.strip() else repr(text)


def _refuse_twins(names: Sequence[str], feature: str) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise EvidenceError(
            f"the column {feature!r} has {times} groups that read {name!r}, e.g. a number and a text: "
            f"give all of its values in one form"
        )
