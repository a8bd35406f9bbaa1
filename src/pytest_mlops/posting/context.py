"""Where a command stands: what GitHub tells each step, in its environment and in the file of the event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_mlops.verdict.errors import EvidenceError

_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
_MOST_BYTES = 30_000_000
"""GitHub's own limit is 25 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The branch, and the commit, that a finished run was about.

    Parameters
    ----------
    owner, branch, commit : str
        Of the fork, where it is one.
    """

    owner: str
    branch: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known before anybody is asked.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    token : str or None
    api : str
        Address of the API, without a slash at its end.
    event : mapping
        What started the run; empty outside of GitHub's runners.
    """

    repository: str
    token: str | None = field(repr=False)
    api: str = "https://api.github.com"
    event: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str], *, repository: str | None = None) -> Context:
        """From a step's environment; a repository that is named goes first.

        Raises
        ------
        EvidenceError
            The repository is not known, or the event cannot be read.
        """
        named = repository or environment.get("GITHUB_REPOSITORY", "")
        if not named:
            raise EvidenceError("no repository is named: say --repo OWNER/NAME, or set GITHUB_REPOSITORY")
        if not _REPOSITORY.fullmatch(named):
            raise EvidenceError(f"the repository {named!r} is none of GitHub's: say --repo OWNER/NAME")
        path = environment.get("GITHUB_EVENT_PATH")
        return cls(
            repository=named,
            token=environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or None,
            api=(environment.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
            event=_event(Path(path)) if path else {},
        )

    @property
    def pull_request(self) -> int | None:
        """The pull request that the event is about; None where it is about something else, or another run."""
        number = _at(self.event, "pull_request", "number")
        return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None

    @property
    def head(self) -> Head | None:
        """Of the run that has finished, where the event is about one that was about a pull request.

        GitHub lists the pull requests of a run only where they come from the same repository; and what the run has
        left may say anything. So the pull request is looked up by its head.
        """
        run = _at(self.event, "workflow_run")
        if _at(run, "event") not in ("pull_request", "pull_request_target"):
            return None
        found = (_at(run, "head_repository", "owner", "login"), _at(run, "head_branch"), _at(run, "head_sha"))
        if not all(isinstance(each, str) and each for each in found):
            return None  # the fork is gone
        owner, branch, commit = found
        return Head(owner=owner, branch=branch, commit=commit)


def _event(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise EvidenceError(f"the event in GITHUB_EVENT_PATH cannot be read: {error}") from None
    return data if isinstance(data, dict) else {}


def _at(data: Any, *names: str) -> Any:
    """What stands below these names; None where there is nothing."""
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data
