"""What the user asked for on the command line and in the ini file, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import pytest

FailOn = Literal["block", "review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """One run.

    Parameters
    ----------
    report : Path
        Directory of the report.
    seed : int
        Of every random number, not negative.
    fail_on : {"block", "review"}
        The mildest decision that fails the run.
    """

    report: Path
    seed: int
    fail_on: FailOn

    @classmethod
    def of(cls, config: pytest.Config) -> RunSettings:
        """The command line goes before the ini file.

        Raises
        ------
        pytest.UsageError
            A value makes no sense.
        """
        directory, seed, fail_on = (
            option if (option := config.getoption(name)) is not None else config.getini(name)
            for name in ("mlops_report", "mlops_seed", "mlops_fail_on")
        )
        if not str(directory).strip():
            raise pytest.UsageError("--mlops-report / mlops_report is empty: name a directory")
        if seed < 0:
            raise pytest.UsageError(f"--mlops-seed / mlops_seed is {seed}: give an integer, 0 or more")
        if fail_on not in ("block", "review"):
            raise pytest.UsageError(f"mlops_fail_on is {fail_on!r}: give block or review")
        return cls(report=config.rootpath / directory, seed=seed, fail_on=cast("FailOn", fail_on))
