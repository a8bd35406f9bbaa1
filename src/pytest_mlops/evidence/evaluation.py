"""What one model did on one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_mlops.verdict.wording import count

# numpy is imported by what is called when an Evaluation is made: naming this class in a conftest costs nothing.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Task = Literal["binary", "multiclass", "multilabel", "regression"]
Identity = Literal["row_ids", "features", "anonymous"]


class Evaluation:
    """What one model did on one data set: truth, predictions, scores, and which rows they are.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, labels)
        Labels (text, integers, booleans) or quantities. Series and one-column frames of pandas, Polars, PyArrow, …
        Where each row has several labels (multilabel): a column of 0 and 1 for each label.
    y_score : array-like of shape (n,) or (n, classes), optional
        Score of the positive class, higher is more positive; or the probability of each class, in the order of
        `labels`; or the score of each label, if multilabel.
    positive_label : label, optional
        Needed by binary metrics where the labels are not {0, 1}, {False, True} or {-1, 1}.
    sensitive_features : frame, mapping, Series or array, optional
        Columns of length n that describe people.
    slice_features : frame, mapping, Series or array, optional
        Other columns of length n to slice by.
    clusters, time, sample_weight : array-like of shape (n,), optional
        Which rows belong together, when they happened (numbers, dates or durations), how much each counts.
    season : float, timedelta, or text such as ``"7 days"``, optional
        In the unit of `time`, the longest time over which rows are alike: no batch of rows is shorter.
    row_ids : array-like of shape (n,), optional
        Unique names of the rows. With them two evaluations pair row by row.
    features : frame or array of n rows, optional
        Where there are no `row_ids`, rows are told apart by a hash of these. They are not kept.
    labels : sequence, optional
        All classes that the model knows; default: those of `y_true`. If multilabel, the names of the columns.
    task : {"binary", "multiclass", "multilabel", "regression"}, optional
        Default: told from the values. Say ``"regression"`` where integers are quantities.
    probabilities : bool, default False
        Claim that `y_score` holds probabilities: values outside [0, 1] are then refused.

    Raises
    ------
    EvidenceError
        Lengths differ, there are no rows, values are missing or infinite, `y_true` holds one class only, a label
        was never seen, probabilities are none, row ids repeat.

    Examples
    --------
    >>> Evaluation(["no", "yes", "yes"], ["no", "yes", "no"], [0.2, 0.9, 0.4], positive_label="yes")
    Evaluation(binary, 3 rows, positive 'yes', with scores, anonymous rows)
    """

    __slots__ = (
        "_design", "_digests", "_pred", "_true", "clusters", "identity", "importance", "labels", "model_digest", "n",
        "notes", "positive_label", "row_keys", "sample_weight", "season", "sensitive_features", "slice_features",
        "task", "time", "y_score",
    )  # fmt: skip

    task: Task
    n: int
    labels: tuple[Any, ...]
    positive_label: Any
    y_score: NDArray[np.float64] | None
    sensitive_features: dict[str, NDArray[Any]]
    slice_features: dict[str, NDArray[Any]]
    clusters: NDArray[Any] | None
    time: NDArray[Any] | None
    season: float | np.timedelta64 | None
    sample_weight: NDArray[np.float64] | None
    row_keys: NDArray[np.uint64] | None
    identity: Identity
    notes: tuple[str, ...]
    model_digest: str | None
    """sha256 of the model that was asked, as pickle writes it; None where no model was, or pickle cannot."""
    importance: Mapping[str, float] | None
    """How much worse the model is without each feature, where `from_model` was asked for it."""
    _true: NDArray[Any]
    _pred: NDArray[Any]
    _design: tuple[str, ...]
    _digests: dict[str, str]

    def __init__(
        self,
        y_true: Any,
        y_pred: Any,
        y_score: Any = None,
        *,
        positive_label: Any = None,
        sensitive_features: Any = None,
        slice_features: Any = None,
        clusters: Any = None,
        time: Any = None,
        season: Any = None,
        sample_weight: Any = None,
        row_ids: Any = None,
        features: Any = None,
        labels: Sequence[Any] | None = None,
        task: Task | None = None,
        probabilities: bool = False,
    ) -> None:
        from .intake import admit

        admitted = admit(
            y_true=y_true,
            y_pred=y_pred,
            y_score=y_score,
            positive_label=positive_label,
            sensitive_features=sensitive_features,
            slice_features=slice_features,
            clusters=clusters,
            time=time,
            season=season,
            sample_weight=sample_weight,
            row_ids=row_ids,
            features=features,
            labels=labels,
            task=task,
            probabilities=probabilities,
        )
        for name, value in admitted.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_design", ())
        object.__setattr__(self, "_digests", {})
        object.__setattr__(self, "model_digest", None)
        object.__setattr__(self, "importance", None)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"an Evaluation does not change: make a new one instead of setting {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an Evaluation does not change: {name!r} cannot be deleted")

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Of a copy or a pickle, which forgets that arrays were not writable."""
        for name, value in state[1].items():
            arrays = value.values() if name in ("sensitive_features", "slice_features") else [value]
            for array in arrays:
                if hasattr(array, "setflags"):
                    array.setflags(write=False)
            object.__setattr__(self, name, value)

    @classmethod
    def from_model(cls, model: Any, X: Any, y: Any, *, importance: bool = False, **known: Any) -> Evaluation:
        """Ask a model once.

        Parameters
        ----------
        model : object or callable
            With ``predict``, and ``predict_proba`` or ``decision_function`` where it has them; or a callable that
            takes `X` and returns `y_pred`, or `y_pred` and `y_score`.
        X : frame or array of n rows
            Rows are told apart by a hash of it, where no `row_ids` are given.
        y : array-like of shape (n,) or (n, labels)
        importance : bool, default False
            Measure as well how much each feature matters: what the accuracy, or R² of a regression, loses where the
            feature is shuffled (on at most 20,000 rows, 5 times). `X` must be a frame, and the model is asked again.
        **known
            The keyword arguments of `Evaluation`.

        Raises
        ------
        EvidenceError
            The model has no ``predict`` and cannot be called, or its answer is not one prediction a row; importance is
            asked for, and `X` has no named columns.
        """
        from .asking import ask, digest_of
        from .frames import has_several_columns

        several = known.get("task") == "multilabel" or ("task" not in known and has_several_columns(y))
        answer = ask(model, X, positive_label=known.get("positive_label"), several=several)
        _refuse_other_labels(answer.get("labels"), known.get("labels"))
        made = cls(y, **{"features": X, **answer, **known})
        object.__setattr__(made, "model_digest", digest_of(model))
        if importance:
            from .importance import permutation_importance

            object.__setattr__(made, "importance", permutation_importance(model, X, y, made))
        return made

    @classmethod
    def from_predictions(
        cls,
        source: str | Path | Any,
        *,
        y_true: str | Sequence[str] = "y_true",
        y_pred: str | Sequence[str] = "y_pred",
        y_score: str | Sequence[str] | None = None,
        row_ids: str | None = None,
        sensitive_features: str | Sequence[str] | None = None,
        slice_features: str | Sequence[str] | None = None,
        clusters: str | None = None,
        time: str | None = None,
        sample_weight: str | None = None,
        features: Sequence[str] | None = None,
        **known: Any,
    ) -> Evaluation:
        """For models that live elsewhere: a CSV or Parquet file, or a frame, of their predictions.

        Parameters
        ----------
        source : path or frame
        y_true, y_pred : str or sequence of str
            Names of columns. Several: one column for each of `labels`, which are called as those of `y_true`
            unless you say otherwise.
        y_score : str or sequence of str, optional
            Default: the column ``y_score``, if there is one. Several names: one column for each of `labels`.
        row_ids, clusters, time, sample_weight : str, optional
            Names of columns.
        sensitive_features, slice_features, features : names of columns, optional
        **known
            The other keyword arguments of `Evaluation`.

        Raises
        ------
        EvidenceError
            The file cannot be read, or has no such column.
        """
        from .predictions import gather

        return cls(
            **gather(
                source,
                y_true=y_true,
                y_pred=y_pred,
                y_score=y_score,
                row_ids=row_ids,
                sensitive_features=sensitive_features,
                slice_features=slice_features,
                clusters=clusters,
                time=time,
                sample_weight=sample_weight,
                features=features,
                labels=known.pop("labels", None),
            ),
            **known,
        )

    @property
    def y_true(self) -> NDArray[Any]:
        """The truth, of shape (n,): labels or quantities. Of shape (n, labels) if multilabel: 0 and 1."""
        return self._decoded(self._true)

    @property
    def y_pred(self) -> NDArray[Any]:
        """The predictions, of the shape of `y_true`."""
        return self._decoded(self._pred)

    @property
    def true_codes(self) -> NDArray[Any]:
        """The truth as it is kept: places in `labels`, 0 and 1 for each label of a multilabel one, or quantities."""
        return self._true

    @property
    def pred_codes(self) -> NDArray[Any]:
        """The predictions as they are kept; see `true_codes`."""
        return self._pred

    @property
    def design(self) -> tuple[str, ...]:
        """Which of clusters, time and sample_weight the rows have, or had when they were stored."""
        given = (name for name in ("clusters", "time", "sample_weight") if getattr(self, name) is not None)
        return self._design or tuple(given)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Rows whose label is predicted rightly; all labels of the row, if there are several."""
        equal: NDArray[np.bool_] = self._true == self._pred
        return equal if equal.ndim == 1 else equal.all(axis=1)  # type: ignore[return-value]

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Rows of the positive class."""
        return self._true == self._positive_code()  # type: ignore[no-any-return]

    @property
    def predicted_positive(self) -> NDArray[np.bool_]:
        """Rows that the model calls positive."""
        return self._pred == self._positive_code()  # type: ignore[no-any-return]

    @property
    def errors(self) -> NDArray[np.float64]:
        """Prediction minus truth, in the unit of the target."""
        self._refuse_several_labels("an error in the unit of a target")
        return self._pred - self._true  # type: ignore[no-any-return]

    def _positive_code(self) -> int:
        self._refuse_several_labels("a positive class")
        return self.labels.index(self.positive_label)

    def _refuse_several_labels(self, what: str) -> None:
        if self.task == "multilabel":
            from pytest_mlops.verdict.errors import EvidenceError

            raise EvidenceError(f"a multilabel evaluation has no such thing as {what}: judge each label by itself")

    @property
    def data_digest(self) -> str:
        """sha256 of which rows these are, and their truth; the same in any row order if rows have an identity."""
        return self._digest("data", self._named("y_true", self.y_true))

    @property
    def prediction_digest(self) -> str:
        """sha256 of what the model said about which row."""
        return self._digest("predictions", {**self._named("y_true", self.y_true), **self._said()})

    def _said(self) -> dict[str, NDArray[Any]]:
        scores = {} if self.y_score is None else self._named("y_score", self.y_score.reshape(self.n, -1))
        return {**self._named("y_pred", self.y_pred), **scores}

    def _named(self, what: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """By column, those of a multilabel evaluation by label."""
        if values.ndim == 1:
            return {what: values}
        names = map(repr, self.labels) if self.task == "multilabel" else range(values.shape[1])
        return {f"{what} {name}": column for name, column in zip(names, values.T, strict=True)}

    def _digest(self, what: str, columns: Mapping[str, NDArray[Any]]) -> str:
        from . import fingerprint

        if what not in self._digests:
            rows = {} if self.row_keys is None else {"row": self.row_keys}
            keys = fingerprint.row_keys({**rows, **columns})
            self._digests[what] = fingerprint.digest(keys, ordered=self.row_keys is None)
        return self._digests[what]

    def _decoded(self, codes: NDArray[Any]) -> NDArray[Any]:
        from .intake import decode

        return codes if self.task in ("multilabel", "regression") else decode(codes, self.labels)

    def __repr__(self) -> str:
        facts = [self.task, count(self.n, "row")]
        if self.positive_label is not None:
            facts.append(f"positive {self.positive_label!r}")
        if self.y_score is not None:
            facts.append("with scores")
        facts.append("anonymous rows" if self.identity == "anonymous" else f"rows by {self.identity}")
        return f"Evaluation({', '.join(facts)})"


def _refuse_other_labels(models: Sequence[Any] | None, given: Sequence[Any] | None) -> None:
    """The columns of a model's probabilities are in the order of its own classes, and in no other."""
    if models is not None and given is not None and list(given) != list(models):
        from pytest_mlops.verdict.errors import EvidenceError

        raise EvidenceError(f"labels={list(given)!r} are not the model's classes_ {list(models)!r}: leave labels= out")
