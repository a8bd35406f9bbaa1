"""``pytest-mlops profile``: data in, and out comes a file of some kilobytes that stands in for them."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from .delivery import write_whole
from .progress import Progress, Screen
from .report.text import inert, plain
from .verdict.errors import EvidenceError
from .verdict.wording import count, number

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from .evidence.profile import Categories, ColumnProfile, Profile

_WIDTH = 80
_ABOUT = """\
Count what the columns of a table hold, and keep the counts without the rows: as mlops_reference, the file stands in
for the table. It holds no row, but values: the names of categories, and single numbers where few differ."""


def add(commands: _SubParsersAction[ArgumentParser]) -> None:
    """The subcommand."""
    command = commands.add_parser(
        "profile", help="make a profile of data, which stands in for them as a reference", description=_ABOUT
    )
    command.set_defaults(run=_profile)
    command.add_argument(
        "data", metavar="DATA", help="a .parquet or .csv file, a directory or a pattern of Parquet files, or a profile"
    )
    command.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="default: NAME.profile.json, of the name of the data"
    )
    command.add_argument("--columns", metavar="NAME", nargs="+", help="of these columns (default: of all)")
    command.add_argument(
        "--hash-names", metavar="TEXT", nargs="?", const=True, default=False,
        help="hide the names of categories; two profiles with the same TEXT can be compared with each other",
    )  # fmt: skip
    command.add_argument(
        "--suppress-below", metavar="K", type=_whole, default=0, help="keep no count of fewer than K rows"
    )


def save(profile: Profile, path: str | Path, *, hashed: bool | str = False, suppress_below: int = 0) -> Profile:
    """Write a profile, whole or not at all, over nothing but another profile.

    Parameters
    ----------
    profile : Profile
    path : str or Path
        Ends with ``.profile.json``, by which it is known as a profile.
    hashed : bool or str
        Hide the names of categories; two profiles that were given the same text can be compared with each other.
    suppress_below : int
        Keep no category, and no cell of numbers, of fewer rows.

    Returns
    -------
    Profile
        What the file holds.

    Raises
    ------
    EvidenceError
        The name is another, or that of a file which is no profile.
    OSError
        It cannot be written.
    """
    from .evidence import profile_file

    target = Path(path)
    _refuse_target(target, profile_file.SUFFIX, profile_file.MARK)
    write_whole(target, profile_file.dumps(profile, hashed=hashed, suppress_below=suppress_below))
    return profile_file.load(target)


def _profile(arguments: Namespace) -> int:
    from .evidence import profile_file

    target = arguments.output or _usual_target(arguments.data, profile_file.SUFFIX)
    _refuse_target(target, profile_file.SUFFIX, profile_file.MARK)  # before the work, not after
    profile = _counted(arguments.data, arguments.columns)
    kept = save(profile, target, hashed=arguments.hash_names, suppress_below=arguments.suppress_below)
    print(_table(kept))
    print(inert(plain(_summary(kept, target))))
    return 0


def _counted(data: str, columns: Sequence[str] | None) -> Profile:
    """All columns, or those asked for."""
    from .evidence.profile import Profile
    from .evidence.samples import sample_of

    progress = _progress()
    try:
        with progress(f"profile of {data}"):
            sample = sample_of(data, "reference", tell=progress.tell)
            found = sample.profiles(list(dict.fromkeys(columns or sample.names)))
    finally:
        progress.hush()
    read = {name: each for name, each in found.items() if not isinstance(each, EvidenceError)}
    for name, error in found.items():
        if isinstance(error, EvidenceError):
            raise _unread(name, error, list(read), len(found))
    return Profile(sample.rows, read)


def _unread(name: str, error: EvidenceError, others: Sequence[str], columns: int) -> EvidenceError:
    """It must be left out by name: one that is missing without a word would be missed only much later."""
    unread = columns - len(others) - 1
    more = f" ({count(unread, 'more column')} neither)" if unread else ""
    names = " ".join(others[:5]) + (" …" if len(others) > 5 else "")
    way_on = f"name the others, --columns {names}" if others else "no other column is left"
    return EvidenceError(f"the column {name!r} cannot be read{more}: {error}; {way_on}")


def _progress() -> Progress:
    """On a terminal only: a log has no use for a line that is drawn again and again."""
    try:
        screen = Screen(os.dup(sys.stderr.fileno()))
    except (OSError, ValueError):
        return Progress(None)
    if screen.can_redraw:
        return Progress(screen, live=True)
    screen.close()
    return Progress(None)


# --- the file


def _usual_target(data: str, suffix: str) -> Path:
    name = Path(data).name.removesuffix(suffix)
    stem = Path(name).stem
    if not stem or any(char in stem for char in "*?["):
        raise EvidenceError(f"{data!r} gives the profile no name: add -o NAME{suffix}")
    return Path(stem + suffix)


def _refuse_target(target: Path, suffix: str, mark: str) -> None:
    if not target.name.endswith(suffix):
        raise EvidenceError(f"{target.name!r} would not be known as a profile: call it NAME{suffix}")
    if not target.exists():
        return
    with target.open("rb") as file:
        if mark.encode() not in file.read(100):
            raise EvidenceError(f"{str(target)!r} is there already, and is no profile: choose another name with -o")


# --- what is said of it


def _table(profile: Profile) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("column", overflow="fold", min_width=16)
    table.add_column("kind", no_wrap=True)
    table.add_column("values", no_wrap=True, justify="right")
    table.add_column("missing", no_wrap=True, justify="right")
    table.add_column("known", overflow="fold")
    for name, column in profile.columns.items():
        row = (column.kind, f"{column.values:,}", f"{column.missing:,}", _known(column))
        table.add_row(Text(plain(name, longest=200)), *row)
    screen = StringIO()
    Console(file=screen, width=_WIDTH, color_system=None, markup=False, emoji=False, highlight=False).print(table)
    return inert("\n".join(line.rstrip() for line in screen.getvalue().splitlines()))


def _known(column: ColumnProfile) -> str:
    """How much of the column is known."""
    if column.distribution is not None:
        return f"within {number(column.distribution.error)}" if column.distribution.error else "exactly"
    if column.categories is not None:
        return _categories(column.categories)
    return f"vectors of {column.dimensions:,}" if column.dimensions else "–"


def _categories(categories: Categories) -> str:
    from .evidence.profile import COUNTED

    if categories.distinct > COUNTED:
        return f"over {COUNTED:,} categories"
    named, of = len(categories.counts), "hashed" if categories.hashed else "named"
    which = f", {named:,} {of}" if named < categories.distinct else f", {of}" if categories.hashed else ""
    return f"{categories.distinct:,} categor{'y' if categories.distinct == 1 else 'ies'}{which}"


def _summary(profile: Profile, target: Path) -> str:
    what = f"{count(profile.rows, 'row')}, {count(len(profile.columns), 'column')}"
    return f"{target}: {what}, {-(-target.stat().st_size // 1000):,} KB"


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is no whole number of rows")
    return int(text)
