"""Where champions and candidates are kept: a record, and a file of predictions that is named by its own sha256.

Whatever a directory holds, its record names the file of predictions that counts. So the one switch from the old to the
new champion is the renaming of `record.json`: a process that is killed before it leaves the old champion, one that is
killed after it the new one, and both are whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import struct
import sys
import tempfile
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_mlops.verdict.wording import count

from .history import handed_down
from .record import MOST_BYTES, WAY_ON, ChampionError, ChampionRecord

if TYPE_CHECKING:
    import zipfile

    from numpy.typing import NDArray

    from pytest_mlops.evidence.evaluation import Evaluation

RECORD = "record.json"
CHAMPION = ".mlops/champion"
_MOST_PREDICTIONS = 2**30
"""Bytes of predictions, unpacked: about 30 million rows. What claims to hold more is not opened."""
_PREDICTIONS = re.compile(r"[0-9a-f]{64}\.npz")
_STAGED = re.compile(r"\.mlops-staged-[a-z0-9_]+")
_COPIED_AT_ONCE = 2**20
_PATIENCE = 30.0
_NO_LOCKS_HERE = (errno.EBADF, errno.ENOLCK, errno.ENOTSUP)
"""Of network file systems that cannot lock a directory: a promotion there has to trust that it is the only one."""
_NO_PREDICTIONS = "is no file of predictions that pytest-mlops wrote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What a promotion has done.

    Parameters
    ----------
    record : ChampionRecord
        The champion now.
    previous : ChampionRecord or None
        The champion before.
    directory : Path
        Where it is.
    """

    record: ChampionRecord
    previous: ChampionRecord | None
    directory: Path


# --- what a run writes -----------------------------------------------------------------------------------------------


def write_predictions(directory: Path, evaluation: Evaluation) -> str:
    """Write what was said of which row. Several processes may write the same at once.

    Returns
    -------
    str
        Name of the file, ``<sha256>.npz``: the same for the same predictions in the same row order.

    Raises
    ------
    EvidenceError
        The labels cannot be stored, or there are more predictions than are kept.
    OSError
        The directory cannot be written.
    """
    from pytest_mlops.evidence.storage import to_arrays

    arrays, _ = to_arrays(evaluation)
    size = sum(array.nbytes for array in arrays.values())
    if size > _MOST_PREDICTIONS:
        raise ChampionError(
            f"{count(evaluation.n, 'row')} of predictions come to {size / 1e9:.1f} GB, and at most "
            f"{_MOST_PREDICTIONS / 1e9:.1f} GB are kept: judge a sample of the rows"
        )
    directory.mkdir(parents=True, exist_ok=True)

    def fill(file: BinaryIO) -> str:
        _pack(file, arrays)
        return f"{_sha256(file)}.npz"

    return _write(directory, fill)


def write_candidate(directory: Path, record: ChampionRecord) -> None:
    """Write the record of a run beside the predictions that it names.

    Raises
    ------
    ChampionError
        The predictions are not there, or the record is too large.
    OSError
        The directory cannot be written.
    """
    if not _holds(directory, record.predictions):
        raise ChampionError(f"{_named(directory / record.predictions)} is not there: write the predictions first")
    _switch(directory, record)


def clear_candidate(directory: Path) -> None:
    """Take away an earlier run's candidate, so that nobody promotes it as if it were this run's.

    Raises
    ------
    OSError
        The directory does not let us, or its `record.json` is none of ours.
    """
    path = directory / RECORD
    if path.is_file() and b'"schema_version"' not in path.read_bytes()[:200]:
        raise FileExistsError(errno.EEXIST, "there is a file of that name that is no record of ours", str(path))
    if directory.is_dir():
        path.unlink(missing_ok=True)  # first: without it the rest is no candidate
        _tidy(directory, None)


# --- reading ---------------------------------------------------------------------------------------------------------


def read_record(directory: Path) -> ChampionRecord | None:
    """The record in this directory; None where there is none.

    Raises
    ------
    ChampionError
        There is one that cannot be read, or cannot be trusted.
    """
    path = directory / RECORD
    if not os.path.lexists(path):
        return None
    with _opened(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ChampionError(f"{_named(path)}: it has over {MOST_BYTES // 1000} KB, so it is no record: {WAY_ON}")
    try:
        return ChampionRecord.from_json(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ChampionError(f"{_named(path)}: it is not UTF-8 text, so it is no record: {WAY_ON}") from None
    except ChampionError as error:
        raise ChampionError(f"{_named(path)}: {error}") from None


def read_evaluation(directory: Path, record: ChampionRecord) -> Evaluation:
    """The predictions that a record names, if they are still those.

    Raises
    ------
    ChampionError
        They are missing, altered, or of other rows than the record says.
    """
    from pytest_mlops.evidence.storage import from_arrays
    from pytest_mlops.verdict.errors import EvidenceError

    path = directory / record.predictions
    with _opened_predictions(path) as file:
        arrays = _unpack(file, path, record)
    try:
        evaluation = from_arrays(arrays, record.evidence["facts"])
    except EvidenceError as error:
        raise ChampionError(f"{_named(path)}: {error}") from error
    for what, digest in (("data", evaluation.data_digest), ("predictions", evaluation.prediction_digest)):
        if digest != record.evidence[what]:
            raise ChampionError(f"{_named(path)} has other {what} than {RECORD} says (their digests differ): {WAY_ON}")
    return evaluation


# --- promotion -------------------------------------------------------------------------------------------------------


def verify(candidate: Path, champion: Path, *, first: bool) -> tuple[ChampionRecord, ChampionRecord | None]:
    """May this candidate become the champion? Nothing is written.

    Returns
    -------
    record : ChampionRecord
        The candidate's.
    previous : ChampionRecord or None
        The champion's.

    Raises
    ------
    ChampionError
        It may not, and why.
    """
    record = read_record(candidate)
    if record is None:
        raise ChampionError(f"there is no candidate in {_named(candidate)}: run pytest --mlops first")
    if not record.complete:
        raise ChampionError(
            f"{record.model}: the run that left this candidate was partial, which is no gate: run all checks"
        )
    decision = record.evidence.get("first", record.decision) if first else record.decision
    if decision == "block":
        raise ChampionError(
            f"{record.model}: the gate has blocked this candidate: mend the model, or waive the check in mlops.toml, "
            f"and run the gate again"
        )
    read_evaluation(candidate, record)
    return record, _previous(champion, record, first=first)


def promote(candidate: Path, champion: Path, *, first: bool, time: str) -> Promotion:
    """Make exactly the judged predictions the champion, or leave the old champion as it was.

    Parameters
    ----------
    candidate, champion : Path
        Directories.
    first : bool
        There is no champion yet.
    time : str
        Now, in ISO format, with its zone.

    Raises
    ------
    ChampionError
        The candidate may not become the champion, and why.
    OSError
        The champion's directory cannot be written.
    """
    verify(candidate, champion, first=first)  # before a directory is made for it
    champion.mkdir(parents=True, exist_ok=True)
    with _alone(champion):
        record, previous = verify(candidate, champion, first=first)
        promoted = _crowned(record, previous, {"time": time, "first": first})
        _copy_predictions(candidate, champion, record.predictions)
        _switch(champion, promoted)
    return Promotion(record=promoted, previous=previous, directory=champion)


def _crowned(record: ChampionRecord, previous: ChampionRecord | None, promoted: dict[str, Any]) -> ChampionRecord:
    """As it will be read: what cannot be written is refused before anything is."""
    crowned = replace(record, promoted=promoted, history=handed_down(previous, record))
    return ChampionRecord.from_json(crowned.to_json())


def _previous(champion: Path, record: ChampionRecord, *, first: bool) -> ChampionRecord | None:
    model, place = record.model, _named(champion)
    try:
        previous = read_record(champion)
    except ChampionError as error:
        raise ChampionError(
            f"{model}: the champion that this one would replace cannot be read: {error}; "
            f"or remove {place} and promote with --first"
        ) from error
    if previous is None:
        if not first:
            raise ChampionError(f"{model}: there is no champion in {place} yet: to make this the first, say --first")
        return None
    if first:
        raise ChampionError(f"{model}: there is a champion in {place} already: leave --first out to replace it")
    if previous.model != model:
        raise ChampionError(
            f"{model}: the champion in {place} is of another model, {previous.model!r}: if the model has a new name, "
            f"remove that directory and promote with --first"
        )
    if record.evidence.get("champion", previous.evidence["predictions"]) != previous.evidence["predictions"]:
        other = "another champion than" if record.evidence["champion"] else "no champion, and not with"
        raise ChampionError(f"{model}: this candidate was compared with {other} the one in {place}: run the gate again")
    return previous


def _copy_predictions(candidate: Path, champion: Path, name: str) -> None:
    if _holds(champion, name):
        return

    def fill(file: BinaryIO) -> str:
        with _opened_predictions(candidate / name) as source:
            while chunk := source.read(_COPIED_AT_ONCE):
                file.write(chunk)
        if f"{_sha256(file)}.npz" != name:
            raise ChampionError(f"{_named(candidate / name)} changed while it was copied: run the gate again")
        return name

    _write(champion, fill)


def _switch(directory: Path, record: ChampionRecord) -> None:
    """From the old record to the new one, in one step; then what no record names is taken away."""
    text = record.to_json().encode("ascii")

    def fill(file: BinaryIO) -> str:
        file.write(text)
        return RECORD

    _write(directory, fill)
    with suppress(OSError):  # the switch is done: what stays behind is named by nothing
        _tidy(directory, record.predictions)


def _tidy(directory: Path, kept: str | None) -> None:
    for path in list(directory.iterdir()):
        ours = _PREDICTIONS.fullmatch(path.name) or _STAGED.fullmatch(path.name)
        if ours and path.name != kept and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)


# --- files -----------------------------------------------------------------------------------------------------------


def _write(directory: Path, fill: Callable[[BinaryIO], str]) -> str:
    """A new file, which `fill` fills and names. Under its name it is whole, and on the disk, or not there at all."""
    descriptor, staged = tempfile.mkstemp(dir=directory, prefix=".mlops-staged-")
    temporary = Path(staged)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            name = fill(file)
            file.flush()
            os.fsync(descriptor)
        temporary.chmod(0o644)
        if name == RECORD or not _holds(directory, name):  # another worker may have written the same
            temporary.replace(directory / name)
            _sync(directory)
    finally:
        temporary.unlink(missing_ok=True)
    return name


def _sync(directory: Path) -> None:
    """Let a renaming reach the disk. Windows has no such call, and does so by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # a BinaryIO can do it
    file.seek(0)
    return found


def _holds(directory: Path, name: str) -> bool:
    """Is the file there, and what its name says?"""
    try:
        with _opened_predictions(directory / name):
            return True
    except ChampionError:
        return False


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file. A link could lead to anything on this machine, and opening a pipe would wait for ever."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        if path.is_symlink() or not path.is_file():
            raise ChampionError(f"{_named(path)} is a link, or no file at all: {WAY_ON}")
        with os.fdopen(os.open(path, flags), "rb") as file:
            yield file
    except OSError as error:
        raise ChampionError(f"{_named(path)} cannot be read ({error.strerror or error}): {WAY_ON}") from error


@contextmanager
def _opened_predictions(path: Path) -> Iterator[BinaryIO]:
    """The file, if it is what its name says."""
    if not os.path.lexists(path):
        raise ChampionError(
            f"{_named(path)} is missing, though {RECORD} names it (does git ignore *.npz here?): {WAY_ON}"
        )
    with _opened(path) as file:
        if os.fstat(file.fileno()).st_size > _MOST_PREDICTIONS:
            raise ChampionError(f"{_named(path)} has over {_MOST_PREDICTIONS / 1e9:.1f} GB: it {_NO_PREDICTIONS}")
        if f"{_sha256(file)}.npz" != path.name:
            raise ChampionError(_altered(path, file.read(40)))
        yield file


def _altered(path: Path, start: bytes) -> str:
    if start.startswith(b"version https://git-lfs"):
        return f"{_named(path)} is a pointer of Git LFS and not the file itself: run git lfs pull"
    return f"{_named(path)} was altered, or cut off: its sha256 is not its name: {WAY_ON}"


def _named(path: Path) -> str:
    """As seen from here, or the end of a path: enough to find it, and nothing of the machine."""
    here = Path.cwd()
    if path.is_relative_to(here):
        return path.relative_to(here).as_posix()
    return Path(*path.parts[-4:]).as_posix().lstrip("/")


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One promotion at a time. The system takes the lock away from a process that dies, so none is ever stale."""
    place = _lock_file(directory) if sys.platform == "win32" else directory
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT if sys.platform == "win32" else os.O_RDONLY)
    try:
        _wait_for(lambda: _lock(descriptor), directory)
        yield
    finally:
        os.close(descriptor)


def _lock_file(directory: Path) -> Path:
    """Windows locks files only, and a repository is no place for a lock file."""
    name = hashlib.sha256(str(directory.resolve()).encode("utf-8", "surrogatepass")).hexdigest()
    return Path(tempfile.gettempdir(), f"pytest-mlops-{name[:16]}.lock")


def _lock(descriptor: int) -> None:
    """Or BlockingIOError or PermissionError, where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise


def _wait_for(lock: Callable[[], None], directory: Path) -> None:
    end = clock.monotonic() + _PATIENCE
    while True:
        with suppress(BlockingIOError, PermissionError):
            return lock()
        if clock.monotonic() > end:
            raise ChampionError(f"another promotion has been at work in {_named(directory)} for long: try again later")
        clock.sleep(0.02)


# --- predictions as a file -------------------------------------------------------------------------------------------


def _pack(file: BinaryIO, arrays: dict[str, NDArray[Any]]) -> None:
    """An npz with neither times nor names of a machine: the same arrays are the same bytes."""
    import zipfile

    import numpy as np

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            array = np.ascontiguousarray(arrays[name])
            with archive.open(entry, "w") as member:
                np.lib.format.write_array(
                    member, array.astype(array.dtype.newbyteorder("<")), version=(1, 0), allow_pickle=False
                )


def _unpack(file: BinaryIO, path: Path, record: ChampionRecord) -> dict[str, NDArray[Any]]:
    """The arrays, of no other names, kinds and shapes than the record's rows and labels lead one to expect."""
    import zipfile
    import zlib

    try:
        _refuse_large_directory(file)
        with zipfile.ZipFile(file) as archive:
            names = [entry.filename for entry in archive.infolist()]
            expected = _expected(record)
            required = {name for name, (optional, _, _) in expected.items() if not optional}
            if len(set(names)) < len(names) or not required <= set(names) <= set(expected):
                raise ValueError(f"it holds {', '.join(map(repr, names))}")
            return {name.removesuffix(".npy"): _member(archive, name, *expected[name][1:]) for name in names}
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, struct.error) as error:
        raise ChampionError(f"{_named(path)} {_NO_PREDICTIONS} ({error}): {WAY_ON}") from error


def _refuse_large_directory(file: BinaryIO) -> None:
    """The list of a zip's members is read as a whole, so a file could be made that lists millions of them."""
    if file.seek(0, os.SEEK_END) < 42:
        raise ValueError("it is too short")
    file.seek(-42, os.SEEK_END)
    tail = file.read(42)
    zip64, end, size, comment = tail[:4], tail[20:24], *struct.unpack("<L4xH", tail[32:42])
    if end != b"PK\x05\x06" or comment or zip64 == b"PK\x06\x07" or size > 4096:
        raise ValueError("it is no such zip file")


def _expected(record: ChampionRecord) -> dict[str, tuple[bool, str, tuple[tuple[int, ...], ...]]]:
    """By member: may it be left out, its dtype, the shapes it may have."""
    facts = record.evidence["facts"]
    rows, labels, several = record.evidence["rows"], len(facts["labels"]), facts["task"] == "multilabel"
    said = ("|i1" if several else "<i4") if labels else "<f8"
    shape = (rows, labels) if several else (rows,)
    anonymous = facts["identity"] == "anonymous"
    return {
        "y_true.npy": (False, said, (shape,)),
        "y_pred.npy": (False, said, (shape,)),
        "y_score.npy": (True, "<f8", (shape, (rows, labels))),
        **({} if anonymous else {"row_keys.npy": (False, "<u8", ((rows,),))}),
    }


def _member(archive: zipfile.ZipFile, name: str, dtype: str, shapes: tuple[tuple[int, ...], ...]) -> NDArray[Any]:
    """One array, read only as far as it may be long: the header of a file may claim anything."""
    import math

    import numpy as np

    with archive.open(name) as member:
        try:
            np.lib.format.read_magic(member)
            shape, by_column, found = np.lib.format.read_array_header_1_0(member)
        except Exception as error:  # a malformed header makes numpy raise errors of its tokenizer, and others
            raise ValueError(f"{name} has no header of an array") from error
        if found != np.dtype(dtype) or shape not in shapes or by_column:
            raise ValueError(f"{name} holds {found} of shape {shape}, expected {dtype} of shape {shapes[0]}")
        size = math.prod(shape) * found.itemsize
        if size > _MOST_PREDICTIONS:
            raise ValueError(f"{name} would have {size / 1e9:.1f} GB")
        data = member.read(size)
        if len(data) != size or member.read(1):
            raise ValueError(f"{name} is not as long as it says")
    array = np.frombuffer(data, dtype).astype(found.newbyteorder("=")).reshape(shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite values")
    return array
