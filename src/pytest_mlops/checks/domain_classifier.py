"""A classifier learns which sample a row is from: what it can tell of rows that it never saw is drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.joint_rows import Coded, canonical
from pytest_mlops.statistics.ranks import roc_auc_improvement
from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

MOST = 20_000
"""Rows of each sample: more of them would say the same, later."""

_NAMED = 254  # categories that boosting tells apart; all others are one more
_FOLDS = 5
_PULL = 2.0
_MOST_CELLS = 2_000_000
_FEWEST = 2_000
_ASKED_AGAIN = 2_000
_WORTH_NAMING = 0.1
_SURE = 0.95
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of both samples, in an order that no order of theirs changes, as a classifier reads them.

    Parameters
    ----------
    reference, current : arrays of shape (n, k), (m, k)
        Codes of categories; of numbers the ranks among those of both samples, which infinities have as well. NaN is a
        missing value.
    places : dict
        From the name of a column to where it stands among the k.
    categorical : bool array of shape (k,)
    """

    reference: Floats
    current: Floats
    places: dict[str, slice]
    categorical: Booleans

    @classmethod
    def of(cls, columns: Mapping[str, Coded]) -> Table:
        """All columns side by side, by name."""
        places: dict[str, slice] = {}
        blocks: list[Floats] = []
        categorical: list[bool] = []
        for name in sorted(columns):
            pooled = np.concatenate([columns[name].reference, columns[name].current])
            text = columns[name].holds == "text"
            places[name] = slice(len(categorical), len(categorical) + pooled.shape[1])
            blocks.append(pooled if text else np.apply_along_axis(_ranks, 0, pooled))
            categorical += [text] * pooled.shape[1]
        rows, n = np.concatenate(blocks, axis=1), len(next(iter(columns.values())).reference)
        reference, current = (sample[canonical(sample)] for sample in (rows[:n], rows[n:]))
        return cls(reference, current, places, np.array(categorical))

    @property
    def constant(self) -> bool:
        """Are all rows of both samples the same?"""
        first = self.reference[0]
        return all(bool(((rows == first) | (np.isnan(rows) & np.isnan(first))).all()) for rows in self.samples)

    @property
    def samples(self) -> tuple[Floats, Floats]:
        """The reference and the current sample."""
        return self.reference, self.current


def _ranks(values: Floats) -> Floats:
    """Trees look at the order of numbers only."""
    ranks = np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.float64)
    ranks[np.isnan(values)] = np.nan
    return ranks


@dataclass(frozen=True, slots=True)
class Halves:
    """What is learned from, and what is asked about.

    Parameters
    ----------
    learned, held : arrays of shape (rows, k)
    learned_current, held_current : bool arrays of shape (rows,)
        Which rows are of the current sample.
    """

    learned: Floats
    learned_current: Booleans
    held: Floats
    held_current: Booleans

    @classmethod
    def of(cls, table: Table, generator: Generator) -> Halves:
        """Half of each sample; of very wide tables fewer rows."""
        most = max(_FEWEST, _MOST_CELLS // table.categorical.size)
        learned, held = [], []
        for rows in table.samples:
            dealt = generator.permutation(len(rows))[:most]
            learned.append(rows[np.sort(dealt[: dealt.size // 2])])
            held.append(rows[np.sort(dealt[dealt.size // 2 :])])
        return cls(*_labelled(learned), *_labelled(held))


def _labelled(samples: list[Floats]) -> tuple[Floats, Booleans]:
    return np.concatenate(samples), np.repeat([False, True], [len(rows) for rows in samples])


@dataclass(frozen=True, slots=True)
class Reader:
    """Rows as boosting is to see them: the frequent categories by name, numbers, and of all categories a rate.

    Boosting tells 254 categories apart, and none that has fewer than ten rows. The rate says of each, however rare, how
    many of its rows are current ones: on the half that is learned from by cross-fitting [1]_, so that no row has a say
    in its own.

    References
    ----------
    .. [1] D. Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations
       3, 2001; scikit-learn's TargetEncoder.
    """

    categorical: Booleans
    rates: tuple[Floats, ...]

    @classmethod
    def of(cls, halves: Halves, categorical: Booleans) -> tuple[Reader, Floats]:
        """And what it makes of the rows that are learned from."""
        learned, current = halves.learned[:, categorical], halves.learned_current
        sizes = [_categories(halves, column) for column in np.flatnonzero(categorical).tolist()]
        folds = np.arange(len(learned)) % _FOLDS
        crossed = np.empty(learned.shape)
        for fold in range(_FOLDS):
            of_others = _rates(learned[folds != fold], current[folds != fold], sizes)
            crossed[folds == fold] = _rated(learned[folds == fold], of_others)
        reader = cls(categorical, _rates(learned, current, sizes))
        return reader, reader._beside(halves.learned, crossed)

    def read(self, rows: Floats) -> Floats:
        """Rows of any half."""
        return self._beside(rows, _rated(rows[:, self.categorical], self.rates))

    def _beside(self, rows: Floats, rates: Floats) -> Floats:
        names = np.minimum(rows[:, self.categorical], _NAMED)
        return np.concatenate([names, rows[:, ~self.categorical], rates], axis=1)


def _categories(halves: Halves, column: int) -> int:
    """How many there are; one more is that of a missing value."""
    codes = np.concatenate([halves.learned[:, column], halves.held[:, column]])
    return int(np.nan_to_num(codes).max()) + 2


def _rates(names: Floats, current: Booleans, sizes: Sequence[int]) -> tuple[Floats, ...]:
    """Of each column, by code: the share of current rows, pulled towards that of all, which an unseen one has."""
    whole, found = float(current.mean()), []
    for codes, size in zip(names.T, sizes, strict=True):
        places = np.nan_to_num(codes, nan=size - 1).astype(np.intp)
        counts = [np.bincount(places[rows], minlength=size) for rows in (~current, current)]
        found.append((counts[1] + _PULL * whole) / (counts[0] + counts[1] + _PULL))
    return tuple(found)


def _rated(names: Floats, rates: Sequence[Floats]) -> Floats:
    found = np.empty(names.shape)
    for place, of_column in enumerate(rates):
        found[:, place] = of_column[np.nan_to_num(names[:, place], nan=of_column.size - 1).astype(np.intp)]
    return found


@dataclass(frozen=True, slots=True)
class Classifier:
    """One that has learned from one half, and is asked about the other."""

    model: Any
    halves: Halves
    reader: Reader

    @classmethod
    def of(cls, halves: Halves, categorical: Booleans) -> Classifier:
        """Gradient boosting by scikit-learn, which needs no scales, finds interactions, and knows missing values.

        Raises
        ------
        EvidenceError
            There is no scikit-learn.
        """
        try:
            from sklearn.ensemble import HistGradientBoostingClassifier
        except ImportError:
            raise EvidenceError(
                'drift("domain_classifier") needs scikit-learn: pip install scikit-learn, or use another method'
            ) from None
        reader, rows = Reader.of(halves, categorical)
        model = HistGradientBoostingClassifier(
            categorical_features=np.arange(rows.shape[1]) < categorical.sum() if categorical.any() else None,
            early_stopping=False,  # that would set rows aside, by chance
            max_bins=_NAMED + 1,
            min_samples_leaf=int(np.clip(len(halves.learned) // 20, 5, 20)),
            random_state=0,
        )
        with _one_thread():
            return cls(model.fit(_with_values(rows), halves.learned_current), halves, reader)

    def scores(self) -> Floats:
        """Of the half that it never saw: higher speaks for the current sample."""
        with _one_thread():
            return self._scores(self.halves.held)

    def _scores(self, rows: Floats) -> Floats:
        return np.asarray(self.model.decision_function(self.reader.read(rows)), dtype=np.float64)

    def importance(self, places: Mapping[str, slice], generator: Generator) -> dict[str, float]:
        """What the AUC loses where a column is shuffled [1]_: of the few that matter most, and surely; rounded.

        Columns that say the same stand in for each other: then none of them may seem to matter.

        References
        ----------
        .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.
        """
        some = _some_of_each(self.halves.held_current, generator)
        rows, current = self.halves.held[some], self.halves.held_current[some]
        lost = {}
        with _one_thread():
            whole = self._scores(rows)
            for name, place in places.items():
                shuffled = rows.copy()
                shuffled[:, place] = rows[generator.permutation(len(rows)), place]
                loss = roc_auc_improvement(current, self._scores(shuffled), whole, confidence=_SURE)
                if loss.low > 0:
                    lost[name] = round(loss.value, 4)
        worst = sorted(lost, key=lambda name: (-lost[name], name))[:_MOST_NAMED]
        return {name: lost[name] for name in worst if lost[name] >= _WORTH_NAMING * lost[worst[0]]}


def _one_thread() -> AbstractContextManager[object]:
    """Threads that wait for each other on a busy machine take 20 times as long, and may add up in another order."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    return threadpool_limits(1, "openmp")  # type: ignore[no-any-return]


def _with_values(rows: Floats) -> Floats:
    """Nothing is learned from a column without values, and scikit-learn would stumble over it."""
    return np.where(np.isnan(rows).all(axis=0), 0.0, rows)


def _some_of_each(current: Booleans, generator: Generator) -> Places:
    samples = (np.flatnonzero(~current), np.flatnonzero(current))
    return np.concatenate([np.sort(generator.permutation(rows)[:_ASKED_AGAIN]) for rows in samples])
