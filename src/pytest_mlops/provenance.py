"""Where a report comes from: versions, commit, time. Standard library only."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

_PACKAGES = ("pytest", "numpy", "scipy", "pandas", "scikit-learn")


def environment(*, seed: int, confidence: float) -> dict[str, Any]:
    """Builtins only; no path and no host name of this machine.

    Parameters
    ----------
    seed : int
    confidence : float
    """
    return {
        "pytest_mlops": metadata.version("pytest-mlops"),
        "python": platform.python_version(),
        "platform": sys.platform,
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "git": _git(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "confidence": confidence,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    """The commit of the code, and whether the tree held more than the commit; None outside a checkout."""
    commit, status = _run_git("rev-parse", "HEAD"), _run_git("status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "dirty": status != ""}


def _run_git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
