"""What crosses the border between a run and the champion's store: predictions out, the champion in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .verdict.errors import EvidenceError

if TYPE_CHECKING:
    from .evidence.evaluation import Evaluation
    from .gate import Gate


def candidate_of(report: Path, model: str) -> Path:
    """Where a run leaves what may become the champion of this model."""
    return report / "candidate" / quote(model, safe=" ").replace(".", "%2E")  # no name is a way up


class Keeper:
    """Reads each champion once, and keeps each challenger's predictions once.

    Parameters
    ----------
    report : Path
        The report directory of the run.
    """

    def __init__(self, report: Path) -> None:
        self._report = report
        self._champions: dict[Path, Evaluation | None] = {}
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}

    def champion(self, directory: Path) -> Evaluation | None:
        """The promoted evaluation; None where none was ever promoted.

        Raises
        ------
        EvidenceError
            The record, or its predictions, cannot be trusted.
        """
        from .champion import store

        if directory not in self._champions:
            record = store.read_record(directory)
            self._champions[directory] = None if record is None else store.read_evaluation(directory, record)
        return self._champions[directory]

    def keep(self, gate: Gate) -> dict[str, Any] | None:
        """The challenger's predictions as a file of the candidate.

        Returns
        -------
        dict or None
            ``file``, ``facts`` and ``model``, the model's digest; or ``unfit`` or ``unwritten``, why there is none;
            None where no check has asked for the challenger.
        """
        found = gate.seen("challenger")
        if found is None:
            return None
        key = gate.model, found.prediction_digest
        if key not in self._kept:
            self._kept[key] = self._write(gate.model, found)
        return self._kept[key]

    def _write(self, model: str, evaluation: Evaluation) -> dict[str, Any]:
        from .champion import store
        from .evidence.storage import to_arrays

        try:
            file = store.write_predictions(candidate_of(self._report, model), evaluation)
            return {"file": file, "facts": to_arrays(evaluation)[1], "model": evaluation.model_digest}
        except EvidenceError as error:
            return {"unfit": str(error)}
        except OSError as error:
            return {"unwritten": f"{error.strerror or error}"}
