"""Which models a run judges: one for each `mlops.toml`, with its folder, its policy and its champion's place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from .champion.store import CHAMPION, RECORD
from .policy_file import NAME, PolicyFile, load
from .verdict.errors import MlopsUsageError
from .verdict.policy import Policy

WITHOUT_TESTS = ("*.egg", "_darcs", "build", "CVS", "dist", "venv", "{arch}")
"""Where pytest looks for no tests, unless it is told otherwise."""
_NO_MODELS_IN = (".*", "node_modules", "__pycache__", "site-packages")


@dataclass(frozen=True, kw_only=True)
class Home:
    """The folder of one model.

    Parameters
    ----------
    folder : str
        Relative to pytest's root, with slashes; empty for the root itself.
    collected : Path or None
        The `mlops.toml` that pytest collects; None where there is none in this checkout.
    policy_path : Path or None
        The policy that counts: that file, or the base branch's; None where there is none.
    champion : Path
        Directory of the champion's record.
    given : bool
        The champion was named on the command line, so no fixture may stand in for it.
    unreviewed : bool
        A base branch's policy was asked for, and this one is not on it.
    """

    folder: str
    collected: Path | None = None
    policy_path: Path | None = None
    champion: Path
    given: bool = False
    unreviewed: bool = False

    @cached_property
    def file(self) -> PolicyFile | None:
        """The policy.

        Raises
        ------
        MlopsUsageError
            It says something that means nothing.
        """
        return None if self.policy_path is None else load(self.policy_path)

    @cached_property
    def trouble(self) -> str | None:
        """Why the policy cannot be read, if it cannot."""
        try:
            _ = self.file
        except MlopsUsageError as error:
            return str(error)
        return None

    @property
    def readable(self) -> PolicyFile | None:
        """The policy, where there is one that can be read."""
        return None if self.trouble else self.file

    @property
    def model(self) -> str:
        """The name of what is judged: the policy's, or else that of its folder."""
        named = self.readable.model if self.readable else None
        return named or PurePosixPath(self.folder).name or "model"

    @property
    def confidence(self) -> float:
        """Of every interval."""
        return self.readable.confidence if self.readable else 0.95

    @property
    def policy(self) -> Policy:
        """What the team has agreed on."""
        return self.readable.policy if self.readable else Policy()

    def name(self) -> str:
        """The policy's path from pytest's root."""
        return str(PurePosixPath(self.folder, NAME))


class Homes:
    """All models of a run. A test belongs to the nearest folder above it; without one, to the root.

    Parameters
    ----------
    root : Path
        pytest's root.
    homes : iterable of Home
    """

    def __init__(self, root: Path, homes: Iterable[Home]) -> None:
        self._root = root
        self._homes = {home.folder: home for home in homes}
        self._homes.setdefault("", Home(folder="", champion=root / CHAMPION))

    def __iter__(self) -> Iterator[Home]:
        return iter(self._homes[folder] for folder in sorted(self._homes))

    def of(self, path: Path) -> Home:
        """Whose test lies at this path."""
        folders = [path, *path.parents]
        inside = (folder.relative_to(self._root).as_posix() for folder in folders if folder.is_relative_to(self._root))
        return next((self._homes[name] for name in inside if name in self._homes), self._homes[""])

    def collecting(self, path: Path) -> Home | None:
        """Whose policy this file stands for."""
        return next((home for home in self if home.collected and _same(home.collected, path)), None)

    def same_names(self) -> dict[str, list[str]]:
        """Names that more than one policy gives its model, and where."""
        found: dict[str, list[str]] = {}
        for home in self:
            if home.policy_path is not None:
                found.setdefault(home.model, []).append(home.name())
        return {model: names for model, names in found.items() if len(names) > 1}

    def to_builtins(self) -> list[dict[str, Any]]:
        """For xdist's workers."""
        return [
            {
                name: str(value) if isinstance(value, Path) else value
                for name, value in vars(home).items()
                if name in Home.__dataclass_fields__
            }
            for home in self
        ]

    @classmethod
    def from_builtins(cls, root: Path, homes: Iterable[dict[str, Any]]) -> Homes:
        """The inverse of `to_builtins`."""
        return cls(root, (Home(**{**home, **_paths(home)}) for home in homes))


def _same(one: Path, other: Path) -> bool:
    return one == other or (one.name == other.name and one.exists() and one.samefile(other))


def _paths(home: Mapping[str, Any]) -> dict[str, Any]:
    return {name: home[name] and Path(home[name]) for name in ("collected", "policy_path", "champion")}


def find(
    root: Path, asked: Sequence[Path], *, policy: Path | None, champion: Path | None, ignored: Sequence[str] = ()
) -> Homes:
    """The models below and above the paths that pytest was asked to collect.

    Parameters
    ----------
    root : Path
    asked : sequence of Path
    policy : Path or None
        A policy that counts instead of the one in this checkout, or a checkout of the base branch with all of them.
    champion : Path or None
        A directory with a champion's record, or a checkout of the base branch with all of them.
    ignored : sequence of str
        Patterns of directory names that hold no models.

    Raises
    ------
    MlopsUsageError
        A path is not there, or one file is given for several models.
    """
    for option, path in (("--mlops-policy", policy), ("--mlops-champion", champion)):
        if path is not None and not path.exists():
            raise MlopsUsageError(f"{option}: there is no {str(path)!r}")
    asked = [_seen_from(root, path) for path in asked]
    local = {folder.relative_to(root).as_posix() for folder in _folders(root, asked, ignored)}
    local = {"" if folder == "." else folder for folder in local}
    if policy is None:
        homes = {folder: Home(folder=folder, policy_path=root / folder / NAME, champion=root) for folder in local}
    elif policy.is_dir():
        homes = _by_checkout(root, policy, asked, local, ignored)
    else:
        homes = _by_file(root, policy, local)
    models = len(homes)
    if champion is not None:  # where no policy is, a champion may be, and it is not the judged's
        homes.setdefault("", Home(folder="", champion=root))
    return Homes(root, (_with_champion(root, home, champion, models) for home in homes.values()))


def _by_checkout(
    root: Path, base: Path, asked: Sequence[Path], local: set[str], ignored: Sequence[str]
) -> dict[str, Home]:
    there = [base / path.relative_to(root) for path in asked if path.is_relative_to(root)]
    agreed = {folder.relative_to(base).as_posix() for folder in _folders(base, there, ignored)}
    agreed = {"" if folder == "." else folder for folder in agreed}
    return {
        folder: Home(
            folder=folder,
            policy_path=(base if folder in agreed else root) / folder / NAME,
            champion=root,
            unreviewed=folder not in agreed,
        )
        for folder in local | agreed
    }


def _by_file(root: Path, policy: Path, local: set[str]) -> dict[str, Home]:
    if len(local) > 1:
        raise MlopsUsageError(
            f"--mlops-policy is one file, but there are {len(local)} policies here ({', '.join(sorted(local))}): "
            f"give a checkout of the base branch, which has them all"
        )
    folder = next(iter(local), "")
    return {folder: Home(folder=folder, policy_path=policy, champion=root)}


def _with_champion(root: Path, home: Home, given: Path | None, models: int) -> Home:
    own = root / home.folder / NAME
    collected = own if own.is_file() else None
    if collected is None and not home.folder:
        collected = home.policy_path  # kept elsewhere, or taken away by the judged: the root's fixtures answer for it
    place = root / home.folder / CHAMPION
    if given is not None:
        the_only_one = home.policy_path is not None or not models
        place = given if the_only_one and (given / RECORD).exists() else given / home.folder / CHAMPION
        if (given / RECORD).exists() and models > 1:
            raise MlopsUsageError(
                f"--mlops-champion is one model's record, but there are {models} models here: "
                f"give a checkout of the base branch, which has them all"
            )
    return Home(
        folder=home.folder,
        collected=collected,
        policy_path=home.policy_path,
        champion=place,
        given=given is not None,
        unreviewed=home.unreviewed,
    )


def _folders(root: Path, asked: Iterable[Path], ignored: Sequence[str]) -> Iterator[Path]:
    """Folders with a policy: the nearest above each path, and all below."""
    for path in asked:
        if not path.is_relative_to(root):
            continue
        above = next((folder for folder in (path, *path.parents) if (folder / NAME).is_file()), None)
        if above is not None and above.is_relative_to(root):
            yield above
        yield from _below(path, ignored)


def _below(path: Path, ignored: Sequence[str]) -> Iterator[Path]:
    """pytest follows links to folders, so their policies count as well; one that leads back is not followed twice."""
    seen: set[str] = set()
    for folder, names, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        names[:] = sorted(name for name in names if not _without_models(Path(folder, name), ignored))
        if NAME in files:
            yield Path(folder)


def _seen_from(root: Path, path: Path) -> Path:
    """The path as it is below the root, where a link hides that it is."""
    if not path.is_relative_to(root) and path.resolve().is_relative_to(root.resolve()):
        return root / path.resolve().relative_to(root.resolve())
    return path


def _without_models(folder: Path, ignored: Sequence[str]) -> bool:
    patterns = (*_NO_MODELS_IN, *ignored)
    return any(fnmatch(folder.name, pattern) for pattern in patterns) or (folder / "pyvenv.cfg").is_file()
