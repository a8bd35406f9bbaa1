"""Where the evidence comes from: evaluations, or functions that are called once, when a check first needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_mlops.verdict.errors import EvidenceError

from .evaluation import Evaluation

Source = Evaluation | Callable[[], Any] | None


class Sources:
    """The two models of a gate.

    Parameters
    ----------
    challenger, champion : Evaluation, or callable that gives one, or None
    """

    def __init__(self, challenger: Source, champion: Source) -> None:
        self._sources = {"challenger": challenger, "champion": champion}

    def challenger(self) -> Evaluation:
        """The model under test.

        Raises
        ------
        EvidenceError
            There is none, or it is no `Evaluation`.
        """
        return self._get("challenger")

    def champion(self) -> Evaluation:
        """The model it would replace; raises as `challenger` does."""
        return self._get("champion")

    def _get(self, role: str) -> Evaluation:
        found = self._sources[role]
        if callable(found):
            found = self._sources[role] = found()
        if found is None:
            raise EvidenceError(
                f"there is no {role}: define a fixture mlops_{role} that returns an Evaluation, or give Gate({role}=…)"
            )
        if not isinstance(found, Evaluation):
            raise EvidenceError(f"the {role} is a {type(found).__name__}, expected an Evaluation of it")
        return found

    def digests(self) -> dict[str, dict[str, Any]]:
        """Of the evaluations that a check has asked for: which rows, and which predictions."""
        return {
            role: {"rows": found.n, "data": found.data_digest, "predictions": found.prediction_digest}
            for role, found in self._sources.items()
            if isinstance(found, Evaluation)
        }
