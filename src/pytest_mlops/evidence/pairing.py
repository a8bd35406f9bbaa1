"""Two evaluations of the same rows, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count

from . import fingerprint
from .evaluation import Evaluation
from .rows import Rows, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Order = NDArray[np.intp] | slice

PairedBy = Literal["identity", "order"]
_AS_THEY_STAND = slice(None)


@dataclass(frozen=True, slots=True)
class Pair:
    """Champion and challenger on the same rows.

    Parameters
    ----------
    champion, challenger : Evaluation
    champion_order, challenger_order : int arrays of shape (n,), or slices
        What to take of an array, so that row k of one is row k of the other. A slice takes all rows as they stand,
        without a copy.
    """

    champion: Evaluation
    challenger: Evaluation
    champion_order: Order
    challenger_order: Order

    def of(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """An array of both evaluations, champion first, in the same row order."""
        return (
            getattr(self.champion, name)[self.champion_order],
            getattr(self.challenger, name)[self.challenger_order],
        )

    def rows(self) -> tuple[Rows, Rows]:
        """What metrics are computed from, champion first, in the same row order, with the same labels in one order.

        Clusters, time, season and weights are those of the challenger, or the champion's where it has none.

        Raises
        ------
        EvidenceError
            Both have them, and they differ.
        """
        champion = rows_of(self.champion).take(self.champion_order)  # type: ignore[arg-type]  # a slice will do
        challenger = rows_of(self.challenger).take(self.challenger_order)  # type: ignore[arg-type]  # a slice will do
        shared = {name: _agreed(name, champion, challenger) for name in ("clusters", "time", "season", "weight")}
        _as_designed(self.champion, shared)
        labels = _all_labels(champion, challenger)
        return _relabelled(replace(champion, **shared), labels), _relabelled(replace(challenger, **shared), labels)

    def same(self, name: str) -> bool:
        """Is this array equal in both, to the last bit? Two that are absent are; one alone is not."""
        present = [getattr(evaluation, name) is not None for evaluation in (self.champion, self.challenger)]
        return np.array_equal(*self.of(name)) if all(present) else not any(present)


def pair(champion: Evaluation, challenger: Evaluation, *, paired_by: PairedBy = "identity") -> Pair:
    """Bring two evaluations into the same row order.

    Parameters
    ----------
    champion, challenger : Evaluation
    paired_by : {"identity", "order"}
        By row ids or features; or trust that row k of one is row k of the other.

    Raises
    ------
    EvidenceError
        The rows, their truth, or the kind of evaluation differ; or rows are anonymous.
    """
    _same_kind(champion, challenger)
    if paired_by == "order":
        if champion.n != challenger.n:
            raise EvidenceError(_other_rows(champion, challenger))
        _refuse_other_order(champion, challenger)
        found = Pair(champion, challenger, _AS_THEY_STAND, _AS_THEY_STAND)
    else:
        found = _by_identity(champion, challenger)
    different = _rows_with_other_truth(found)
    if different:
        raise EvidenceError(
            f"test rows differ from the champion's: y_true is another in {count(different, 'row')} of "
            f"{champion.n:,}; judge both models on the same labels"
        )
    return found


def _agreed(name: str, champion: Rows, challenger: Rows) -> Any:
    """What the rows of both are said to have."""
    theirs, ours = getattr(champion, name), getattr(challenger, name)
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    if not np.array_equal(theirs, ours):
        known = "sample_weight" if name == "weight" else name
        raise EvidenceError(
            f"{known} of champion and challenger differ{_where(theirs, ours)}: they belong to the test rows and not to "
            f"a model; give both evaluations the same, or give it to the challenger only"
        )
    return ours


def _as_designed(champion: Evaluation, shared: Mapping[str, Any]) -> None:
    """A champion from its record knows that its rows belonged together, and no longer which: they still do."""
    lost = [name for name in champion.design if shared["weight" if name == "sample_weight" else name] is None]
    if lost:
        raise EvidenceError(
            f"the champion was judged with {' and '.join(f'{name}=' for name in lost)}, and the challenger has none: "
            f"without, the intervals would be too short; give the challenger's Evaluation the same"
        )


def _where(theirs: Any, ours: Any) -> str:
    if np.ndim(ours) == 0:
        return f" ({theirs} and {ours})"
    different = np.asarray(theirs != ours)
    return f" in {count(int(different.sum()), 'row')}" if different.ndim else ""


def _all_labels(champion: Rows, challenger: Rows) -> tuple[Any, ...]:
    """In the challenger's order; a class that only the champion knows comes last."""
    return (*challenger.labels, *(label for label in champion.labels if label not in challenger.labels))


def _relabelled(rows: Rows, labels: tuple[Any, ...]) -> Rows:
    """The same rows with codes that are places in `labels`. A class that the model did not know has a score of 0."""
    if rows.labels == labels:
        return rows
    place = np.array([labels.index(label) for label in rows.labels], dtype=np.int32)
    score = rows.score
    if score is not None and score.ndim == 2:
        score = np.zeros((rows.n, len(labels)))
        score[:, place] = rows.score
    return replace(
        rows,
        labels=labels,
        positive=None if rows.positive is None else int(place[rows.positive]),
        true=place[rows.true],
        pred=place[rows.pred],
        score=score,
    )


def _rows_with_other_truth(found: Pair) -> int:
    if found.champion.labels == found.challenger.labels:
        different = np.not_equal(*found.of("true_codes"))
    else:
        different = np.not_equal(*found.of("y_true"))
    return int(np.count_nonzero(different.any(axis=1) if different.ndim == 2 else different))


def _same_kind(champion: Evaluation, challenger: Evaluation) -> None:
    several = "multilabel" in (champion.task, challenger.task)
    for name in ("task", "labels" if several else "positive_label"):
        theirs, ours = getattr(champion, name), getattr(challenger, name)
        if theirs != ours:
            raise EvidenceError(
                f"{name} is {ours!r} for the challenger and {theirs!r} for the champion: not comparable"
            )


def _refuse_other_order(champion: Evaluation, challenger: Evaluation) -> None:
    if champion.identity == challenger.identity == "row_ids":
        different = np.not_equal(champion.row_keys, challenger.row_keys)  # type: ignore[arg-type]
        if different.any():
            raise EvidenceError(
                f"paired_by='order', but the row_ids of champion and challenger differ, first in row "
                f"{int(different.argmax())}: leave paired_by= out, so that rows pair by their ids"
            )


def _by_identity(champion: Evaluation, challenger: Evaluation) -> Pair:
    kinds = {champion.identity, challenger.identity}
    if "anonymous" in kinds:
        raise EvidenceError(
            "the rows are anonymous, so champion and challenger cannot be paired: give row_ids= (or features=) to "
            "both evaluations, or say paired_by='order' if their rows are in the same order"
        )
    if len(kinds) > 1:
        raise EvidenceError(
            f"the champion's rows are told apart by {champion.identity} and the challenger's by "
            f"{challenger.identity}: give row_ids= to both"
        )
    if champion.identity == "row_ids" and np.array_equal(champion.row_keys, challenger.row_keys):  # type: ignore[arg-type]
        return Pair(champion, challenger, _AS_THEY_STAND, _AS_THEY_STAND)
    found = Pair(champion, challenger, *map(_canonical_order, (champion, challenger)))
    same_size = champion.n == challenger.n
    if not same_size or not np.array_equal(*found.of("row_keys")):
        raise EvidenceError(_other_rows(champion, challenger))
    if champion.identity == "features":
        _refuse_ambiguous(found)
    return found


def _canonical_order(evaluation: Evaluation) -> NDArray[np.intp]:
    """By row key; equal rows by truth, then by what was said of them, so that no input order matters."""
    keys = evaluation.row_keys
    assert keys is not None  # not anonymous
    if evaluation.identity == "row_ids":
        return np.argsort(keys)
    said = [
        fingerprint.column_keys(column) for column in (*_by_column(evaluation.y_pred), *_by_column(evaluation.y_true))
    ]
    return np.lexsort((*_by_column(evaluation.y_score), *said, keys))


def _refuse_ambiguous(found: Pair) -> None:
    """Equal rows may be paired in any way, unless both models say different things of them."""
    keys, truth = found.of("row_keys")[0], found.of("true_codes")[0]
    same_as_next = keys[1:] == keys[:-1]
    for column in _by_column(truth):
        same_as_next &= column[1:] == column[:-1]
    torn_by_both = [
        np.logical_or.reduce([_torn(said) for said in _said(evaluation, order)])
        for evaluation, order in (
            (found.champion, found.champion_order),
            (found.challenger, found.challenger_order),
        )
    ]
    ambiguous = int((same_as_next & torn_by_both[0] & torn_by_both[1]).sum())
    if ambiguous:
        raise EvidenceError(
            f"both models say different things of rows with equal features ({count(ambiguous, 'row')}): "
            f"which belong together cannot be told; give row_ids= to both evaluations"
        )


def _said(evaluation: Evaluation, order: Order) -> list[NDArray[Any]]:
    columns = [*_by_column(evaluation.y_pred), *_by_column(evaluation.y_score)]
    return [column[order] for column in columns]


def _by_column(values: NDArray[Any] | None) -> Sequence[NDArray[Any]]:
    return () if values is None else list(values.reshape(len(values), -1).T)


def _torn(said: NDArray[Any]) -> NDArray[np.bool_]:
    """Where more than rounding differs from the next row."""
    if said.dtype.kind != "f":
        return np.asarray(said[1:] != said[:-1], dtype=np.bool_)
    return np.asarray(np.abs(np.diff(said)) > 1e-6 * max(1.0, float(np.abs(said).max())))


def _other_rows(champion: Evaluation, challenger: Evaluation) -> str:
    start = "test rows differ from the champion's"
    if champion.n != challenger.n:
        return (
            f"{start}: the challenger has {count(challenger.n, 'row')}, the champion {champion.n:,}; judge both models "
            f"on the same rows"
        )
    assert champion.row_keys is not None
    assert challenger.row_keys is not None
    common = np.isin(challenger.row_keys, champion.row_keys).sum()
    hint = "; if the models use different features, give row_ids=" if champion.identity == "features" else ""
    return f"{start}: only {int(common):,} of {challenger.n:,} are in both; judge both models on the same rows{hint}"
