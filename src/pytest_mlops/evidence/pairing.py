"""Two evaluations of the same rows, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count

from . import fingerprint
from .evaluation import Evaluation

if TYPE_CHECKING:
    from numpy.typing import NDArray

PairedBy = Literal["identity", "order"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Champion and challenger on the same rows.

    Parameters
    ----------
    champion, challenger : Evaluation
    champion_order, challenger_order : int arrays of shape (n,)
        Row k of one is row k of the other.
    """

    champion: Evaluation
    challenger: Evaluation
    champion_order: NDArray[np.intp]
    challenger_order: NDArray[np.intp]

    def of(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """An array of both evaluations, champion first, in the same row order."""
        return (
            getattr(self.champion, name)[self.champion_order],
            getattr(self.challenger, name)[self.challenger_order],
        )

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
        order = np.arange(champion.n)
        found = Pair(champion, challenger, order, order)
    else:
        found = _by_identity(champion, challenger)
    different = np.count_nonzero(np.not_equal(*found.of("y_true")))
    if different:
        raise EvidenceError(
            f"test rows differ from the champion's: y_true is another in {count(int(different), 'row')} of "
            f"{champion.n:,}; judge both models on the same labels"
        )
    return found


def _same_kind(champion: Evaluation, challenger: Evaluation) -> None:
    for name in ("task", "positive_label"):
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
    orders = [_canonical_order(evaluation) for evaluation in (champion, challenger)]
    found = Pair(champion, challenger, *orders)
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
    scores = [] if evaluation.y_score is None else list(evaluation.y_score.reshape(evaluation.n, -1).T)
    said = [fingerprint.column_keys(values) for values in (evaluation.y_pred, evaluation.y_true)]
    return np.lexsort((*scores, *said, keys))


def _refuse_ambiguous(found: Pair) -> None:
    """Equal rows may be paired in any way, unless both models say different things of them."""
    keys, truth = found.of("row_keys")[0], found.of("y_true")[0]
    same_as_next = (keys[1:] == keys[:-1]) & (truth[1:] == truth[:-1])
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


def _said(evaluation: Evaluation, order: NDArray[np.intp]) -> list[NDArray[Any]]:
    scores = [] if evaluation.y_score is None else list(evaluation.y_score.reshape(evaluation.n, -1).T)
    return [values[order] for values in (evaluation.y_pred, *scores)]


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
