"""One comment, or one issue, that is written again and never twice: known by a hidden mark and by who wrote it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.wording import count

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.Repository import Repository

    from .context import Head

_Made = TypeVar("_Made")
LONGEST = 65_536
"""Characters of a body. GitHub refuses more."""
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ATTEMPTS = 3
_CUT = "\n\nThe rest has no room here: it is in the report of the run.\n"


@dataclass(frozen=True, slots=True)
class Mark:
    """By what our own is known.

    Parameters
    ----------
    key : str
        Tells apart the comments of several gates.
    author : str
        Anybody can write the same mark: only what this one wrote is ours.
    """

    key: str
    author: str

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise EvidenceError(f"--key {self.key!r} must be up to 64 letters, digits, '.', '_' and '-'")

    @property
    def line(self) -> str:
        """First line of the body, which readers do not see."""
        return f"<!-- pytest-mlops:{self.key} -->"

    def on(self, text: str) -> str:
        """The body with its mark; never longer than GitHub takes, cut at a line."""
        body = f"{self.line}\n{text}"
        if len(body) <= LONGEST:
            return body
        kept = body[: LONGEST - len(_CUT)]
        whole = kept.rpartition("\n")[0]
        return (whole if whole.count("\n") else kept) + _CUT

    def ours(self, found: Iterable[Any]) -> Iterator[Any]:
        """Those of the comments, or issues, that are ours, in their order."""
        for each in found:
            author = each.user.login if each.user else None
            if author == self.author and (each.body or "").splitlines()[:1] == [self.line]:
                yield each


# --- comments --------------------------------------------------------------------------------------------------------


def comment(repository: Repository, number: int, mark: Mark, text: str) -> str:
    """Write it, or write it again; the sentence that says so."""
    issue = repository.get_issue(number)

    def known() -> list[IssueComment]:
        return list(mark.ours(issue.get_comments()))

    body, found = mark.on(text), known()
    if not found:
        made = _made_once(lambda: issue.create_comment(body), lambda: next(iter(known()), None))
        return f"wrote the comment {made.html_url}"
    return _rewritten(found, body, "comment")


def number_of(repository: Repository, head: Head) -> int | str:
    """The open pull request of a finished run, or why there is none to comment on.

    Raises
    ------
    EvidenceError
        There are several.
    """
    listed = repository.get_pulls(state="open", head=f"{head.owner}:{head.branch}")
    pulls = [pull for pull in listed if pull.head.ref == head.branch and _owner(pull) == head.owner.lower()]
    current = [pull for pull in pulls if pull.head.sha == head.commit]
    if len(current) > 1:
        numbers = ", ".join(f"#{pull.number}" for pull in current)
        raise EvidenceError(f"{numbers} have the same head: say which by --pull-request")
    if current:
        return current[0].number
    if pulls:
        return f"#{pulls[0].number} has moved on since {head.commit[:12]}: the run of its newest commit will comment"
    return f"{head.owner}:{head.branch} has no open pull request"


def _owner(pull: PullRequest) -> str | None:
    return pull.head.user.login.lower() if pull.head.user else None


# --- issues ----------------------------------------------------------------------------------------------------------


def raise_issue(repository: Repository, mark: Mark, title: str, labels: list[str], text: str) -> str:
    """Open it, or write it again; the sentence that says so."""
    body, found = mark.on(text), list(_issues(repository, mark))
    if not found:
        made = _made_once(
            lambda: repository.create_issue(title=title, body=body, labels=labels),
            lambda: next(_issues(repository, mark), None),
        )
        return f"opened the issue {made.html_url}"
    return _rewritten(found, body, "issue")


def settle_issue(repository: Repository, mark: Mark, text: str) -> str:
    """Close it, and say why; the sentence that says so."""
    found = list(_issues(repository, mark))
    for issue in found:
        issue.create_comment(text)
        issue.edit(state="closed", state_reason="completed")
    return f"closed {', '.join(f'the issue {issue.html_url}' for issue in found)}" if found else "there is no issue"


def _issues(repository: Repository, mark: Mark) -> Iterator[Issue]:
    """Open ones, oldest first. Pull requests are issues as well; each is asked only if it could be ours."""
    listed = repository.get_issues(state="open", sort="created", direction="asc")
    return (issue for issue in mark.ours(listed) if issue.pull_request is None)


# --- both ------------------------------------------------------------------------------------------------------------


def _made_once(make: Callable[[], _Made], find: Callable[[], _Made | None]) -> _Made:
    """Where GitHub stumbles, it may have made it all the same: look before making it again."""
    import github

    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return make()
        except github.GithubException as error:
            if error.status < 500 or attempt == _ATTEMPTS:
                raise
        time.sleep(attempt / 2)
        made = find()
        if made is not None:
            return made
    raise AssertionError("the last attempt returns or raises")


def _rewritten(found: list[Any], body: str, what: str) -> str:
    first, *others = found
    if first.body.splitlines() != body.splitlines():
        first.edit(body=body)
    more = f"; left {count(len(others), f'other {what}')} of the same mark alone" if others else ""
    return f"updated the {what} {first.html_url}{more}"
