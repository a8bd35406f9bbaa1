"""GitHub's API through PyGithub, loaded only when it is asked. What goes wrong there is said with a way on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_mlops.report.text import plain
from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository

    from .context import Context

_SECONDS = 30
_ATTEMPTS = 3
ACTIONS = "github-actions[bot]"
"""Who posts with the token of a workflow."""

_FORK = (
    "The token may not write here. Give the job the permission (pull-requests: write, or issues: write for an issue). "
    "The run of a pull request from a fork never has it: upload the report as an artifact there, and post it from a "
    "workflow on workflow_run, as examples/workflows/comment.yml does"
)
_WAYS_ON = {
    401: "The token is not valid any more, or not of this server: renew GITHUB_TOKEN",
    403: _FORK,
    404: "There is no such thing, or the token may not see it: look at --repo and --pull-request, and its permissions",
    410: "Issues are switched off in this repository",
    422: "GitHub does not take what was sent",
    429: "GitHub wants a pause: run this step again in some minutes",
}
_PAUSE = _WAYS_ON[429]
_DOWN = "GitHub has trouble of its own: run this step again, the verdict does not change by it"


@contextmanager
def connected(context: Context) -> Iterator[tuple[Github, Repository]]:
    """The API, and the repository that is spoken of.

    Raises
    ------
    EvidenceError
        There is no token, no PyGithub, or GitHub refuses. So is whatever goes wrong within.
    """
    if not context.token:
        raise EvidenceError(
            "there is no token: set GITHUB_TOKEN; in a workflow, env: GITHUB_TOKEN: ${{ github.token }}"
        )
    try:
        import github
        import requests
        from urllib3.util import Retry
    except ImportError:
        raise EvidenceError("this needs PyGithub: pip install 'pytest-mlops[github]'") from None
    patience = Retry(
        total=_ATTEMPTS,
        backoff_factor=0.5,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=("GET", "PATCH"),  # what is sent twice by POST stands there twice
        respect_retry_after_header=False,  # it may be an hour
        raise_on_status=False,
    )
    try:
        with github.Github(
            auth=github.Auth.Token(context.token),
            base_url=context.api,
            timeout=_SECONDS,
            per_page=100,
            retry=patience,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="pytest-mlops",
        ) as api:
            yield api, api.get_repo(context.repository)
    except github.GithubException as error:
        raise EvidenceError(_words(error.status, error.data)) from None
    except (requests.RequestException, AssertionError) as error:
        raise EvidenceError(f"{context.api} cannot be reached ({plain(str(error), longest=200)}). {_DOWN}") from None


def login(api: Github) -> str:
    """Whose token it is. That of a workflow may not ask."""
    import github

    try:
        return api.get_user().login
    except github.GithubException as error:
        if error.status != 403:
            raise
        return ACTIONS


def _words(status: int, data: Any) -> str:
    said = plain(str(data.get("message") if isinstance(data, dict) else data), longest=300)
    if status == 403 and "rate limit" in said.lower():
        way_on = _PAUSE
    else:
        way_on = _DOWN if status >= 500 else _WAYS_ON.get(status, "This is not foreseen")
    return f"GitHub answers {status} ({said}). {way_on}"
