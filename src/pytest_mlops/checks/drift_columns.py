"""Which columns a drift check looks at, and what is known of them beside their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlops.evidence.engines.base import refuse_absent
from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import did_you_mean

from .drift_rule import ROLES
from .drift_words import listed

if TYPE_CHECKING:
    from pytest_mlops.evidence.samples import Sample
    from pytest_mlops.evidence.sources import Sources

    from .drift import Drift

_LABEL = "label"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of one check.

    Parameters
    ----------
    names : list of str
        Of those that are judged: all of the reference, also those that the current sample lacks.
    later : list of str
        Of those that are not there yet: labels that an Evaluation brings, and nobody asks for, may come later.
    roles : mapping
        From columns that are no features to what they hold.
    weights : mapping or None
        Of features; None where nothing is tolerated.
    """

    names: list[str]
    later: list[str]
    roles: Mapping[str, str]
    weights: Mapping[str, float] | None

    @classmethod
    def by(cls, asked: Drift, sources: Sources) -> Chosen:
        """Which columns are asked for.

        Raises
        ------
        EvidenceError
            A column that is named is not there, no column is in both samples, or a feature has no weight.
        """
        reference, current = sources.reference(), sources.current()
        told = any(sources.evaluated(role) is not None for role in ("reference", "current"))
        for sample in (reference, current):
            refuse_absent(sample, sorted({*(asked.columns or ()), *asked.roles}))
        names, later = list(asked.columns or ()), list[str]()
        if not names:
            absent = _LABEL in reference.names and _LABEL not in current.names
            later = [_LABEL] if told and absent and _LABEL not in asked.own else []
            names = [name for name in in_both(reference, current) if name not in (asked.time, *later)]
            if not names:
                raise EvidenceError(
                    f"mlops_reference has no column but {asked.time!r}, which is not judged: give others"
                )
            _refuse_strangers("limits=", asked.own, names)
        roles = {**(_said_by_evaluations(names) if told else {}), **asked.roles}
        return cls(names, later, roles, _weights(asked, [name for name in names if name not in roles], sources))

    def of(self, column: str) -> dict[str, Any]:
        """What is known of a column, as what the details of its parts get."""
        if column in self.roles:
            return {"column": column, "role": self.roles[column]}
        return {"column": column} if self.weights is None else {"column": column, "weight": self.weights[column]}


def in_both(reference: Sample, current: Sample) -> Sequence[str]:
    """All columns of the reference, if there is any to compare.

    Raises
    ------
    EvidenceError
        The samples have none in common.
    """
    if not set(reference.names) & set(current.names):
        raise EvidenceError(
            f"mlops_reference and mlops_current have no column in common: the one has {listed(reference.names)}, the "
            f"other {listed(current.names)}"
        )
    return reference.names


def added_columns(asked: Sequence[str] | None, reference: Sample, current: Sample) -> list[str]:
    """Those of the current sample with nothing to compare to, where no columns were asked for by name."""
    return [] if asked else [name for name in current.names if name not in reference.names]


def _said_by_evaluations(names: Iterable[str]) -> dict[str, str]:
    """Their columns are named for what they hold: ``"score[spam]"`` is that of one of several labels."""
    said = {name: name.partition("[")[0] for name in names}
    return {name: role for name, role in said.items() if role in ROLES}


def _weights(asked: Drift, features: Sequence[str], sources: Sources) -> Mapping[str, float] | None:
    if not asked.tolerate:
        return None
    if asked.weights is None:
        return dict.fromkeys(features, 1.0)
    weights = asked.weights if isinstance(asked.weights, Mapping) else _importance(sources)
    if asked.weights is weights:
        _refuse_strangers("weights=", weights, features)
    if without := [name for name in features if name not in weights]:
        near = did_you_mean(without[0], weights)
        raise EvidenceError(
            f"weights= says nothing of {listed(without)} ({near}): give each feature one, or name those to judge "
            f"with columns="
        )
    return {name: weights[name] for name in features}


def _refuse_strangers(argument: str, given: Iterable[str], names: Sequence[str]) -> None:
    """A column that is not judged was hardly meant."""
    for name in given:
        if name not in names:
            raise EvidenceError(f"{argument} names {name!r}, which is not judged: {did_you_mean(name, names)}")


def _importance(sources: Sources) -> Mapping[str, float]:
    """Of the challenger's features, rounded to what a report tells. Those that are not judged are left out."""
    importance = sources.challenger().importance
    if importance is None:
        raise EvidenceError(
            'weights="importance" asks how much the challenger rests on each feature, and it does not say: '
            "make the Evaluation with Evaluation.from_model(..., importance=True)"
        )
    return {name: float(f"{weight:.6g}") for name, weight in importance.items()}
