"""Where the evidence comes from: what was given, or functions that are called once, when a check first needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_mlops.verdict.errors import EvidenceError

from . import fingerprint
from .evaluation import Evaluation
from .frames import columns
from .later import Later
from .pairing import Pair, PairedBy, pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source = Evaluation | Callable[[], Any] | None
Role = Literal["challenger", "champion", "reference", "current", "train"]


class Sources:
    """All that a gate may be asked about.

    Parameters
    ----------
    challenger, champion : Evaluation, or callable that gives one, or None
    reference, current : frame, mapping or array of columns, or callable that gives one, or None
    train : callable, or `Later` that gives one, or None
        The function ``train(seed: int) -> Evaluation``.
    tell : callable, or None
        Is told how far long work is: in words, and as the share in [0, 1] that is done.
    """

    def __init__(
        self,
        challenger: Source,
        champion: Source = None,
        *,
        reference: Any = None,
        current: Any = None,
        train: Any = None,
        tell: Callable[[str, float], object] | None = None,
    ) -> None:
        self.tell = tell
        self._sources: dict[Role, Any] = {
            "challenger": challenger,
            "champion": champion,
            "reference": reference,
            "current": current,
            "train": train,
        }
        self._asked: dict[Role, Any] = {}
        self._pairs: dict[PairedBy, Pair] = {}

    def challenger(self) -> Evaluation:
        """The model under test.

        Raises
        ------
        EvidenceError
            There is none, or it is no `Evaluation`.
        """
        return self._evaluation("challenger")

    def champion(self) -> Evaluation:
        """The model it would replace; raises as `challenger` does."""
        return self._evaluation("champion")

    def pair(self, paired_by: PairedBy = "identity") -> Pair:
        """Champion and challenger on the same rows. They are paired once, however many checks ask.

        Raises
        ------
        EvidenceError
            One is not there, or they are not of the same rows.
        """
        if paired_by not in self._pairs:
            self._pairs[paired_by] = pair(self.champion(), self.challenger(), paired_by=paired_by)
        return self._pairs[paired_by]

    def reference(self) -> Mapping[str, NDArray[Any]]:
        """The columns of the sample that is compared with, each of shape (n,).

        Raises
        ------
        EvidenceError
            There is none, or it has no columns, or they are of different lengths.
        """
        return self._columns("reference")

    def current(self) -> Mapping[str, NDArray[Any]]:
        """The columns of the sample under test; raises as `reference` does."""
        return self._columns("current")

    def train(self) -> Callable[..., Any]:
        """The function ``train(seed) -> Evaluation``.

        Raises
        ------
        EvidenceError
            There is none, or it cannot be called.
        """
        found = self._get("train")
        if not callable(found):
            raise EvidenceError(f"mlops_train is a {type(found).__name__}, expected a function train(seed)")
        return found  # type: ignore[no-any-return]

    def has(self, role: Role) -> bool:
        """Is there such evidence at all?"""
        return self._optional(role) is not None

    def seen(self, role: Role) -> Evaluation | None:
        """The evaluation, if a check has asked for it and it is one."""
        found = self._asked.get(role)
        return found if isinstance(found, Evaluation) else None

    def _optional(self, role: Role) -> Any:
        if role not in self._asked:
            source = self._sources[role]
            gives = isinstance(source, Later) or (callable(source) and role != "train")
            self._asked[role] = source() if gives else source
        return self._asked[role]

    def _get(self, role: Role) -> Any:
        found = self._optional(role)
        if found is None:
            raise EvidenceError(_absent(role))
        return found

    def _evaluation(self, role: Role) -> Evaluation:
        found = self._get(role)
        if not isinstance(found, Evaluation):
            raise EvidenceError(f"the {role} is a {type(found).__name__}, expected an Evaluation of it")
        return found

    def _columns(self, role: Role) -> Mapping[str, NDArray[Any]]:
        found = self._get(role)
        if not isinstance(found, _Columns):
            given = _said_by(found) if isinstance(found, Evaluation) else columns(found, f"mlops_{role}")
            found = self._asked[role] = _Columns(given, role)
        return found

    def digests(self) -> dict[str, dict[str, Any]]:
        """Of the evidence that a check has asked for: which rows, and which predictions."""
        found: dict[str, dict[str, Any]] = {}
        for role, evidence in self._asked.items():
            if isinstance(evidence, Evaluation):
                found[role] = {
                    "rows": evidence.n,
                    "data": evidence.data_digest,
                    "predictions": evidence.prediction_digest,
                }
            elif isinstance(evidence, _Columns):
                found[role] = {"rows": evidence.n, "data": evidence.digest}
        return found


class _Columns(dict[str, "NDArray[np.generic]"]):
    """Named columns of one length."""

    def __init__(self, found: Mapping[str, NDArray[Any]], role: str) -> None:
        super().__init__(found)
        lengths = {len(values) for values in found.values()}
        if len(lengths) != 1 or not max(lengths):
            what = "columns of different lengths" if len(lengths) > 1 else "no rows or no columns"
            raise EvidenceError(f"mlops_{role} has {what}: give a table of at least one row and one column")
        self.n = lengths.pop()
        self._digest: str | None = None

    @property
    def digest(self) -> str | None:
        """sha256 of the rows in any order; None where a column holds what has no value."""
        if self._digest is None:
            try:
                self._digest = fingerprint.digest(fingerprint.row_keys(self), ordered=False)
            except fingerprint.NoValueError:
                return None
        return self._digest


def _said_by(evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    """An evaluation as columns: what is known of its rows, predictions, and scores of one thing."""
    if evaluation.task == "multilabel":
        return {**evaluation.sensitive_features, **_by_label(evaluation)}
    said: NDArray[Any] = evaluation.y_pred
    if evaluation.task != "regression" and not set(evaluation.labels) <= {0, 1}:
        said = said.astype(str).astype(object)  # numbers that are names of classes are no quantities
    scores = evaluation.y_score
    of_one = {} if scores is None or scores.ndim == 2 else {"score": scores}
    return {**evaluation.sensitive_features, "prediction": said, **of_one}


def _by_label(evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    tables = {"prediction": evaluation.y_pred, "score": evaluation.y_score}
    return {
        f"{what}[{label}]": np.ascontiguousarray(column)
        for what, table in tables.items()
        if table is not None
        for label, column in zip(evaluation.labels, table.T, strict=True)
    }


def _absent(role: Role) -> str:
    what = {"challenger": "an Evaluation", "champion": "an Evaluation", "train": "a function train(seed)"}
    hint = "; or make the model in production the champion: pytest-mlops promote --first" if role == "champion" else ""
    name = role if role in ("challenger", "champion") else f"mlops_{role}"
    return (
        f"there is no {name}: define a fixture mlops_{role} that returns {what.get(role, 'a frame')}, "
        f"or give Gate({role}=…){hint}"
    )
