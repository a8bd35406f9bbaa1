"""``pytest-mlops comment`` and ``pytest-mlops issue``: they say whether posting worked, and never block a merge."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlops.report import markdown
from pytest_mlops.report.text import inert, plain
from pytest_mlops.verdict.decision import sentence
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.result import Decision, GateReport

from .context import Context

if TYPE_CHECKING:
    from pytest_mlops.homes import Homes

_COMMENT = (
    "Posts the summary of a gate run as one comment on the pull request, and updates it with each run. The report may "
    "come from anywhere: with --policy it is judged again by the base branch's policy and champion."
)
_ISSUE = (
    "Opens one issue where a gate run blocks, updates it while it does, and closes it when it does no more: for runs "
    "on a schedule, which have no pull request."
)


def add(commands: _SubParsersAction[ArgumentParser]) -> None:
    """The two subcommands."""
    commenting = commands.add_parser(
        "comment", help="post the summary on the pull request, as one comment", description=_COMMENT
    )
    commenting.add_argument(
        "--pull-request", metavar="N", type=_positive, help="its number (default: that of the event)"
    )
    commenting.set_defaults(run=_comment)
    issuing = commands.add_parser("issue", help="open, update or close the issue of a run", description=_ISSUE)
    issuing.add_argument("--title", metavar="TEXT", default="The model gate blocks", help="default: %(default)s")
    issuing.add_argument("--label", metavar="L", action="append", default=[], help="repeatable")
    issuing.add_argument(
        "--on", choices=("block", "review"), default="block", help="the mildest decision that is one (%(default)s)"
    )
    issuing.set_defaults(run=_issue)
    for command in (commenting, issuing):
        _add_shared(command)


def _add_shared(command: ArgumentParser) -> None:
    command.add_argument(
        "--report", metavar="PATH", type=Path, default=Path(".mlops/report"),
        help="gate.json, or its directory (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--policy", metavar="PATH", type=Path,
        help="judge again by this policy, or by all of this checkout of the base branch",
    )  # fmt: skip
    command.add_argument(
        "--champion", metavar="PATH", type=Path,
        help="the champion's record, or a checkout with all of them (default: those beside --policy)",
    )  # fmt: skip
    command.add_argument(
        "--root", metavar="DIR", type=Path, help="pytest's rootdir in that checkout (default: --policy itself)"
    )
    command.add_argument(
        "--paths", metavar="PATH", nargs="*", type=_without_test, default=[],
        help="what pytest was asked to run, from its rootdir: policies elsewhere do not count (default: all)",
    )  # fmt: skip
    command.add_argument("--repo", metavar="OWNER/NAME", help="default: GITHUB_REPOSITORY")
    command.add_argument(
        "--key",
        metavar="NAME",
        default="gate",
        help="tells apart the gates of one repository (default: %(default)s)",
    )
    command.add_argument("--author", metavar="LOGIN", help="whose token it is, if that cannot be asked, e.g. an app's")
    command.add_argument("--dry-run", action="store_true", help="print what would be posted")


def _without_test(text: str) -> Path:
    """Of what pytest takes, the file."""
    return Path(text.partition("::")[0])


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("give a number, 1 or more")
    return int(text)


# --- the two commands ------------------------------------------------------------------------------------------------


def _comment(arguments: Namespace) -> int:
    report, trouble = _judged(arguments)
    if arguments.dry_run:
        return _shown(report, trouble)
    from . import client, sticky

    context = Context.of(os.environ, repository=arguments.repo)
    number = arguments.pull_request or context.pull_request
    if number is None and context.head is None:
        return _said("nothing to comment on: this event is about no pull request", report, trouble)
    with client.connected(context) as (api, repository):
        if number is None:
            assert context.head is not None
            number = sticky.number_of(repository, context.head)
        if isinstance(number, str):
            return _said(f"nothing to comment on: {number}", report, trouble)
        mark = sticky.Mark(arguments.key, arguments.author or client.login(api))
        done = sticky.comment(repository, number, mark, markdown.render(report))
    return _said(done, report, trouble)


def _issue(arguments: Namespace) -> int:
    report, trouble = _judged(arguments)
    asked_for = report.decision is Decision.BLOCK or arguments.on == report.decision
    if arguments.dry_run:
        return _shown(report, trouble)
    from . import client, sticky

    with client.connected(Context.of(os.environ, repository=arguments.repo)) as (api, repository):
        mark = sticky.Mark(arguments.key, arguments.author or client.login(api))
        if asked_for:
            done = sticky.raise_issue(repository, mark, arguments.title, arguments.label, markdown.render(report))
        else:
            done = sticky.settle_issue(repository, mark, f"It is over.\n\n{markdown.render(report, most=20_000)}")
    return _said(done, report, trouble)


# --- what is posted --------------------------------------------------------------------------------------------------


def _judged(arguments: Namespace) -> tuple[GateReport, str | None]:
    """The report as it may be believed; and what is wrong, where there is none that can be read."""
    from . import artifact, trust

    homes = _homes(arguments)
    try:
        report = artifact.read(arguments.report)
    except EvidenceError as error:
        return trust.unreadable(str(error)), str(error)
    return trust.rejudged(report, homes, datetime.now(UTC).date()), None


def _homes(arguments: Namespace) -> Homes | None:
    """The models of the base branch, if that is at hand."""
    policy, champion = arguments.policy, arguments.champion
    if policy is None:
        if champion or arguments.root or arguments.paths:
            raise EvidenceError(
                "--champion, --root and --paths go with --policy: a checkout of the base branch, or a file"
            )
        return None
    from pytest_mlops.homes import WITHOUT_TESTS, find

    checkout = policy.is_dir()
    root = arguments.root or (policy if checkout else policy.parent)
    everywhere = [root] if checkout or arguments.root else []
    paths = [root / path for path in arguments.paths] or everywhere
    try:
        homes = find(root, paths, policy=None if checkout else policy, champion=champion, ignored=WITHOUT_TESTS)
    except MlopsUsageError as error:
        raise EvidenceError(str(error).replace("--mlops-", "--")) from None
    _refuse_policies_from(arguments.report, homes)
    return homes


def _refuse_policies_from(report: Path, homes: Homes) -> None:
    """A report that was unpacked into the base branch's checkout may bring policies of its own."""
    place = (report if report.is_dir() else report.parent).resolve()
    for home in homes:
        if home.policy_path and home.policy_path.resolve().is_relative_to(place):
            raise EvidenceError(
                f"{home.name()} lies in the report, so it is nobody's policy: unpack the report outside of --policy"
            )


def _shown(report: GateReport, trouble: str | None) -> int:
    print(inert(markdown.render(report)))
    return _said("nothing was posted: this is a dry run", report, trouble)


def _said(done: str, report: GateReport, trouble: str | None) -> int:
    """What was done, then the verdict; a report that could not be read makes the command fail, with its reason."""
    print(plain(done))
    print(plain(sentence(report.decision, report.results)))
    if trouble:
        raise EvidenceError(trouble)
    return 0
