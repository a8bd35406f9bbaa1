"""What the user asked for on the command line and in the ini file, as one value."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import pytest

from .homes import WITHOUT_TESTS, Homes, find
from .policy_file import NAME
from .report.formats import ALWAYS, OPTIONAL, detected
from .verdict.errors import MlopsUsageError
from .verdict.wording import did_you_mean

WORKER_INPUT = "mlops_homes"
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
    formats : tuple of str
        Names of `report.formats.FORMATS`.
    verbose : bool
        Explain each verdict.
    policy, champion : Path or None
        The base branch's, where they are given: never from the ini file, which the judged may edit.
    """

    report: Path
    seed: int
    fail_on: FailOn
    formats: tuple[str, ...]
    verbose: bool
    policy: Path | None
    champion: Path | None

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
        return cls(
            report=config.rootpath / directory,
            seed=seed,
            fail_on=cast("FailOn", fail_on),
            formats=_formats(config),
            verbose=bool(config.getoption("mlops_verbose")),
            policy=_from_here(config, "mlops_policy"),
            champion=_from_here(config, "mlops_champion"),
        )

    def homes(self, config: pytest.Config) -> Homes:
        """The models of this run, whose policies will be collected. The process that decides tells its workers.

        Raises
        ------
        pytest.UsageError
            A path of the command line makes no sense.
        """
        asked = [Path(os.path.abspath(config.invocation_params.dir / arg.split("::")[0])) for arg in config.args]
        _refuse_a_gate_taken_apart(config)
        if hasattr(config, "workerinput"):
            homes = Homes.from_builtins(config.rootpath, json.loads(config.workerinput[WORKER_INPUT]))
        else:
            _refuse_a_wrong_root(config, asked)
            if self.policy is None:
                _refuse_a_policy_out_of_sight(config, asked)
            homes = self._find_homes(config, [path for path in asked if path.exists()])
        config.args.extend(
            str(home.collected)
            for home in homes
            if home.collected and not any(home.collected.is_relative_to(path) for path in asked)
        )
        return homes

    def _find_homes(self, config: pytest.Config, asked: Sequence[Path]) -> Homes:
        ignored = config.getini("norecursedirs")
        if self.policy is not None and self.policy.is_dir():  # the ini file is the judged's: it narrows nothing down
            ignored = WITHOUT_TESTS
            asked = [*asked, *([] if _paths_are_the_callers(config) else [config.invocation_params.dir])]
        try:
            return find(config.rootpath, asked, policy=self.policy, champion=self.champion, ignored=ignored)
        except MlopsUsageError as error:
            raise pytest.UsageError(str(error)) from None


def _formats(config: pytest.Config) -> tuple[str, ...]:
    """Those that every run leaves, those asked for, and what the CI at hand reads; each once."""
    asked = config.getoption("mlops_format") or config.getini("mlops_format")
    for name in asked:
        if name not in (*ALWAYS, *OPTIONAL):
            raise pytest.UsageError(
                f"--mlops-format / mlops_format is {name!r}: {did_you_mean(name, (*ALWAYS, *OPTIONAL))}"
            )
    return tuple(dict.fromkeys((*ALWAYS, *asked, *detected(os.environ))))


def _refuse_a_gate_taken_apart(config: pytest.Config) -> None:
    """``-p no:…`` in an ini file may name a part of the plugin; without it nothing would block."""
    for part in ("mlops-recorder", "mlops-session"):
        if config.pluginmanager.is_blocked(part):
            raise pytest.UsageError(f"-p no:{part} takes away what decides: take it out, or do without --mlops")


def _paths_are_the_callers(config: pytest.Config) -> bool:
    """Does every path stand on the command line, and none in the ini file's `testpaths` and `addopts`?"""
    words, judged = config.invocation_params.args, config.getini("addopts")
    if any(word.startswith("@") for word in judged):
        return False  # a file with more of them
    return all(path in words and path not in judged for path in config.args)


def _refuse_a_policy_out_of_sight(config: pytest.Config, asked: Sequence[Path]) -> None:
    """A root further down, by an ini file of its own, would hide the policy to which its tests belong."""
    root, above = config.rootpath, _project_above(config.rootpath, config.invocation_params.dir)
    for path in asked:
        inside = (folder for folder in (path, *path.parents) if folder.is_relative_to(root))
        hidden = next((folder / NAME for folder in above if (folder / NAME).is_file()), None)
        if hidden and not any((folder / NAME).is_file() for folder in inside):
            raise pytest.UsageError(
                f"{str(path)!r} belongs to the policy {str(hidden)!r}, which is not seen from pytest's root "
                f"{str(root)!r}: say --rootdir, or give the folder a policy of its own"
            )


def _project_above(root: Path, started: Path) -> list[Path]:
    """Folders above the root: up to the repository's, or else to where pytest was started."""
    above = list(root.parents)
    if (root / ".git").exists():
        return []
    ends = (place for place, folder in enumerate(above) if (folder / ".git").exists())
    end = next(ends, above.index(started) if started in above else -1)
    return above[: end + 1]


def _refuse_a_wrong_root(config: pytest.Config, asked: Sequence[Path]) -> None:
    """pytest seeks its root at all paths of the command line, also at that of ``--mlops-policy PATH``.

    From a root elsewhere the policies beside the tests are not seen, and nothing would be asked.
    """
    words = [*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    for option in ("--mlops-policy", "--mlops-champion"):
        if option in words:
            raise pytest.UsageError(
                f"write {option}=PATH, with an equals sign: pytest seeks its root at a path that stands alone"
            )
    root = config.rootpath
    for path in asked:
        if path.exists() and not any(each.is_relative_to(root.resolve()) for each in (path, path.resolve())):
            raise pytest.UsageError(
                f"{str(path)!r} lies outside of pytest's root {str(root)!r}, from where its policy and champion are "
                f"not seen: say --rootdir, and write options that take a path with an equals sign"
            )


def _from_here(config: pytest.Config, name: str) -> Path | None:
    """A path of the command line, which is relative to where pytest was started."""
    given = config.getoption(name)
    if given is not None and not given.strip():
        raise pytest.UsageError(f"--{name.replace('_', '-')} is empty: name a path")
    return None if given is None else (config.invocation_params.dir / given).resolve()
