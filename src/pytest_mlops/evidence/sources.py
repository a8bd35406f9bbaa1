"""Where the evidence comes from: what was given, or functions that are called once, when a check first needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pytest_mlops.verdict.errors import EvidenceError

from .evaluation import Evaluation
from .later import Later
from .pairing import Pair, PairedBy, pair
from .samples import Sample, sample_of

Source = Evaluation | Callable[[], Any] | None
Role = Literal["challenger", "champion", "reference", "current", "train"]


class Sources:
    """All that a gate may be asked about.

    Parameters
    ----------
    challenger, champion : Evaluation, or callable that gives one, or None
    reference, current : whatever `sample_of` reads, or callable that gives it, or None
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
        self._samples: dict[Role, Sample] = {}
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

    def reference(self) -> Sample:
        """The sample that is compared with, wherever its rows are.

        Raises
        ------
        EvidenceError
            There is none, it cannot be read, it has no rows or no columns, or columns of different lengths.
        """
        return self._sample("reference")

    def current(self) -> Sample:
        """The sample under test; raises as `reference` does."""
        return self._sample("current")

    def evaluated(self, role: Role) -> Evaluation | None:
        """What was given for this role, where it is an evaluation; None where it is anything else."""
        found = self._optional(role)
        return found if isinstance(found, Evaluation) else None

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
            self._asked[role] = _given(source) if gives else source
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

    def _sample(self, role: Role) -> Sample:
        if role not in self._samples:
            self._samples[role] = sample_of(self._get(role), role, tell=self.tell)
        return self._samples[role]

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
            elif role in self._samples:
                found[role] = self._samples[role].digests()
        return found


def _given(source: Callable[[], Any]) -> Any:
    """What a function gives; without Java, a function that starts Spark gives a riddle."""
    try:
        return source()
    except Exception as error:
        from .engines import spark

        if spark.needs_java(error):
            raise EvidenceError(spark.NO_JAVA) from error
        raise


def _absent(role: Role) -> str:
    what = {"challenger": "an Evaluation", "champion": "an Evaluation", "train": "a function train(seed)"}
    hint = "; or make the model in production the champion: pytest-mlops promote --first" if role == "champion" else ""
    name = role if role in ("challenger", "champion") else f"mlops_{role}"
    return (
        f"there is no {name}: define a fixture mlops_{role} that returns {what.get(role, 'a frame')}, "
        f"or give Gate({role}=…){hint}"
    )
