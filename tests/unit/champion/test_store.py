"""What is written comes back, what was tampered with does not, and who may become the champion."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import sys
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation, EvidenceError
from pytest_mlops.champion import store
from pytest_mlops.champion.record import ChampionError, ChampionRecord
from pytest_mlops.evidence.storage import from_arrays, to_arrays

LATER = "2026-11-11T12:00:00+00:00"
EVALUATIONS = {
    "binary with scores": Evaluation([0, 1, 1, 0], [0, 1, 0, 0], [0.1, 0.9, 0.4, 0.2], row_ids=list("abcd")),
    "text labels": Evaluation(["no", "ja", "ja"], ["no", "ja", "no"], positive_label="ja", features=[[1], [2], [3]]),
    "many classes": Evaluation([0, 1, 2, 1], [0, 1, 2, 2], [[0.5, 0.25, 0.25]] * 4, row_ids=range(4)),
    "quantities": Evaluation([0.5, 1.5, -2.0], [0.4, 1.6, -0.0], row_ids=range(3), task="regression"),
    "anonymous": Evaluation([0, 1, 1, 0], [0, 1, 0, 0]),
    "one constant": Evaluation([0, 1] * 5000, [0] * 10_000, row_ids=range(10_000)),
    "odd labels": Evaluation(["a\0b", "\ud800", ""], ["a\0b", "\ud800", ""], row_ids=range(3)),
}
Candidate = Callable[..., ChampionRecord]
Make = Callable[..., Evaluation]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def repacked(directory: Path, record: ChampionRecord, arrays: dict[str, Any], **known: Any) -> ChampionRecord:
    """A file of predictions that somebody else has made, with a record that names it."""
    screen = io.BytesIO()
    np.savez_compressed(screen, allow_pickle=True, **arrays)
    return renamed(directory, record, screen.getvalue(), **known)


def renamed(directory: Path, record: ChampionRecord, data: bytes, **known: Any) -> ChampionRecord:
    name = f"{hashlib.sha256(data).hexdigest()}.npz"
    (directory / name).write_bytes(data)
    forged = replace(record, predictions=name, evidence={**record.evidence, **known})
    (directory / store.RECORD).write_text(forged.to_json(), encoding="utf-8")
    return forged


# --- predictions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVALUATIONS)
def test_there_and_back(kind: str, tmp_path: Path, candidate: Candidate) -> None:
    evaluation = EVALUATIONS[kind]
    record = candidate(tmp_path, evaluation)
    found = store.read_record(tmp_path)
    assert found == record
    back = store.read_evaluation(tmp_path, found)
    assert (back.data_digest, back.prediction_digest) == (evaluation.data_digest, evaluation.prediction_digest)
    assert (back.labels, back.positive_label, back.task) == (evaluation.labels, evaluation.positive_label, back.task)
    assert repr(back) == repr(evaluation)
    assert [array.dtype for array in to_arrays(back)[0].values()] == [
        array.dtype for array in to_arrays(evaluation)[0].values()
    ]
    assert names(tmp_path) == sorted([record.predictions, store.RECORD])


def test_the_same_predictions_are_the_same_file(tmp_path: Path, evaluation: Make) -> None:
    first, second = (store.write_predictions(tmp_path / where, evaluation()) for where in "ab")
    assert first == second == store.write_predictions(tmp_path / "a", evaluation())
    assert (tmp_path / "a" / first).read_bytes() == (tmp_path / "b" / first).read_bytes()
    assert hashlib.sha256((tmp_path / "a" / first).read_bytes()).hexdigest() == first.removesuffix(".npz")
    assert names(tmp_path / "a") == [first]
    assert store.write_predictions(tmp_path / "a", evaluation(seed=5)) != first


def test_layout_in_memory_does_not_count(tmp_path: Path) -> None:
    scores = np.asfortranarray(np.random.default_rng(0).dirichlet([1, 1, 1], size=50))
    by_column = Evaluation(np.arange(50) % 3, np.arange(50) % 3, scores, row_ids=range(50))
    by_row = Evaluation(np.arange(50) % 3, np.arange(50) % 3, scores.copy(order="C"), row_ids=range(50))
    assert store.write_predictions(tmp_path, by_column) == store.write_predictions(tmp_path, by_row)


def test_numpy_reads_it_without_pickle(tmp_path: Path, evaluation: Make) -> None:
    with np.load(tmp_path / store.write_predictions(tmp_path, evaluation()), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["row_keys", "y_pred", "y_score", "y_true"]


def test_a_damaged_file_of_that_name_is_replaced(tmp_path: Path, evaluation: Make) -> None:
    name = store.write_predictions(tmp_path, evaluation())
    (tmp_path / name).write_bytes(b"cut off")
    assert store.write_predictions(tmp_path, evaluation()) == name
    assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == name.removesuffix(".npz")


def test_several_workers_write_the_same(tmp_path: Path, evaluation: Make) -> None:
    found: list[str] = []
    workers = [
        threading.Thread(target=lambda: found.append(store.write_predictions(tmp_path, evaluation()))) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 8
    assert names(tmp_path) == sorted(set(found))


def test_labels_that_cannot_be_stored(tmp_path: Path) -> None:
    days = [date(2026, 1, 1), date(2026, 1, 2)]
    with pytest.raises(EvidenceError, match="cannot be stored"):
        store.write_predictions(tmp_path, Evaluation(days, days))
    assert not list(tmp_path.iterdir())


def test_too_many_predictions(tmp_path: Path, evaluation: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MOST_PREDICTIONS", 100)
    with pytest.raises(ChampionError, match="200 rows of predictions come to"):
        store.write_predictions(tmp_path, evaluation())


def test_a_failed_write_leaves_nothing(tmp_path: Path, evaluation: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_predictions(tmp_path, evaluation())
    assert not list(tmp_path.iterdir())


def test_a_candidate_needs_its_predictions(tmp_path: Path, record: ChampionRecord) -> None:
    with pytest.raises(ChampionError, match="write the predictions first"):
        store.write_candidate(tmp_path, record)
    (tmp_path / record.predictions).write_bytes(b"others")
    with pytest.raises(ChampionError, match="write the predictions first"):
        store.write_candidate(tmp_path, record)


# --- reading records -------------------------------------------------------------------------------------------------


def test_no_record(tmp_path: Path) -> None:
    assert store.read_record(tmp_path) is None
    assert store.read_record(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"champion/record\.json: the record is cut off"),
        (b"\xff\xfe{", r"champion/record\.json: it is not UTF-8"),
        (b'{"schema_version": 2}', r"champion/record\.json: the record has schema version 2"),
        (b" " * 200_000, r"champion/record\.json: it has over 100 KB"),
        (b"\xef\xbb\xbf{}", "cannot be read|cut off"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    directory = tmp_path / "champion"
    directory.mkdir()
    (directory / store.RECORD).write_bytes(data)
    with pytest.raises(ChampionError, match=words):
        store.read_record(directory)


def test_messages_do_not_name_the_machine(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b" / "models" / ".mlops" / "champion"
    directory.mkdir(parents=True)
    (directory / store.RECORD).write_text("{", encoding="utf-8")
    with pytest.raises(ChampionError, match=r"^models/\.mlops/champion/record\.json: "):
        store.read_record(directory)


def test_a_record_that_is_a_directory_link_or_pipe(tmp_path: Path, champion: Path) -> None:
    for place, make in enumerate((_directory, _dangling, _link_to(champion / store.RECORD), os.mkfifo)):
        (tmp_path / str(place)).mkdir()
        make(tmp_path / str(place) / store.RECORD)
        with pytest.raises(ChampionError, match="is a link, or no file at all"):
            store.read_record(tmp_path / str(place))


def _directory(path: Path) -> None:
    path.mkdir()


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _link_to(target: Path) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


# --- reading predictions ---------------------------------------------------------------------------------------------


def test_missing_predictions(champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    (champion / record.predictions).unlink()
    with pytest.raises(ChampionError, match=r"is missing, though record\.json names it \(does git ignore"):
        store.read_evaluation(champion, record)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_altered_predictions(champion: Path, place: int) -> None:
    record = store.read_record(champion)
    assert record
    data = bytearray((champion / record.predictions).read_bytes())
    data[place] ^= 1
    (champion / record.predictions).write_bytes(data)
    with pytest.raises(ChampionError, match="was altered, or cut off: its sha256 is not its name"):
        store.read_evaluation(champion, record)


def test_a_pointer_of_git_lfs(champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    (champion / record.predictions).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n")
    with pytest.raises(ChampionError, match="run git lfs pull"):
        store.read_evaluation(champion, record)


def test_predictions_behind_a_link(tmp_path: Path, champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    (champion / record.predictions).rename(tmp_path / record.predictions)
    (champion / record.predictions).symlink_to(tmp_path / record.predictions)
    with pytest.raises(ChampionError, match="is a link"):
        store.read_evaluation(champion, record)


class Sentinel:
    """Unpickling it would be seen."""

    ran = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return setattr, (Sentinel, "ran", True)


def test_a_pickle_is_not_run(champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    arrays = to_arrays(store.read_evaluation(champion, record))[0]
    for name in arrays:
        forged = repacked(champion, record, {**arrays, name: np.array([Sentinel()] * 200, dtype=object)})
        with pytest.raises(ChampionError, match="no file of predictions"):
            store.read_evaluation(champion, forged)
    forged = renamed(champion, record, pickle.dumps(Sentinel()))
    with pytest.raises(ChampionError, match="no file of predictions"):
        store.read_evaluation(champion, forged)
    assert not Sentinel.ran


def changes(arrays: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Files that are no predictions of this record, though their sha256 is right."""
    score, said = arrays["y_score"], arrays["y_pred"]
    return {
        "an array more": {**arrays, "features": score},
        "no truth": {name: array for name, array in arrays.items() if name != "y_true"},
        "no keys": {name: array for name, array in arrays.items() if name != "row_keys"},
        "fewer rows": {name: array[:-1] for name, array in arrays.items()},
        "fewer rows of one": {**arrays, "y_pred": said[:-1]},
        "one row more": {name: np.append(array, array[:1]) for name, array in arrays.items()},
        "NaN": {**arrays, "y_score": np.where(np.arange(len(score)) == 3, np.nan, score)},
        "infinity": {**arrays, "y_score": np.where(np.arange(len(score)) == 3, np.inf, score)},
        "single precision": {**arrays, "y_score": score.astype(np.float32)},
        "big endian": {**arrays, "y_score": score.astype(">f8")},
        "text": {**arrays, "y_pred": said.astype(str)},
        "long integers": {**arrays, "y_pred": said.astype(np.int64)},
        "no such label": {**arrays, "y_pred": said + np.int32(1)},
        "negative code": {**arrays, "y_pred": said - np.int32(1)},
        "no rows at all": {**arrays, "y_pred": np.int32(1)},
        "three columns": {**arrays, "y_score": np.column_stack([score] * 3)},
        "three dimensions": {**arrays, "y_score": score.reshape(-1, 1, 1)},
        "by column": {**arrays, "y_score": np.asfortranarray(np.column_stack([score] * 2))},
        "structured": {**arrays, "y_pred": said.view([("a", np.int32)])},
        "other predictions": {**arrays, "y_pred": 1 - said},
        "other truth": {**arrays, "y_true": 1 - arrays["y_true"]},
        "other rows": {**arrays, "row_keys": arrays["row_keys"] + np.uint64(1)},
        "other scores": {**arrays, "y_score": 1 - score},
        "no scores": {name: array for name, array in arrays.items() if name != "y_score"},
    }


def test_files_that_are_not_what_the_record_says(champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    arrays = to_arrays(store.read_evaluation(champion, record))[0]
    assert store.read_evaluation(champion, repacked(champion, record, arrays))  # the way of forging is sound
    for what, changed in changes(arrays).items():
        forged = repacked(champion, record, changed)
        with pytest.raises(ChampionError, match=r"no file of predictions|stand for no label|digests differ"):
            pytest.fail(f"{what}: {store.read_evaluation(champion, forged)}")


def test_scores_that_are_none_are_refused_though_all_digests_fit(champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    arrays, facts = to_arrays(store.read_evaluation(champion, record))
    for nothing in (np.nan, np.inf):
        arrays["y_score"] = np.where(np.arange(200) == 3, nothing, 0.5)
        forged = from_arrays(arrays, facts)
        with pytest.raises(ChampionError, match="holds NaN or infinite values"):
            store.read_evaluation(champion, repacked(champion, record, arrays, predictions=forged.prediction_digest))


def test_an_array_that_stands_there_twice(champion: Path) -> None:
    """Two readers could each take another one of them."""
    record = store.read_record(champion)
    assert record
    good = (champion / record.predictions).read_bytes()
    file = io.BytesIO(good)
    with zipfile.ZipFile(file, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the very thing
        archive.writestr("y_pred.npy", archive.read("y_pred.npy"))
    with pytest.raises(ChampionError, match=r"it holds .*'y_pred.npy', .*'y_pred.npy'"):
        store.read_evaluation(champion, renamed(champion, record, file.getvalue()))


@pytest.mark.parametrize("what", ["data", "predictions"])
def test_a_record_with_other_digests(champion: Path, what: str) -> None:
    record = store.read_record(champion)
    assert record
    other = replace(record, evidence={**record.evidence, what: "0" * 64})
    with pytest.raises(ChampionError, match=rf"has other {what} than record\.json says"):
        store.read_evaluation(champion, other)


def member(header: dict[str, Any], data: bytes) -> bytes:
    """An array file whose header claims something."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


def zipped(members: dict[str, bytes], **known: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **known) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_a_zip_bomb_is_not_unpacked(champion: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that is larger than its header says, nor one whose header and record say so."""
    import tracemalloc

    record = store.read_record(champion)
    assert record
    n = 10**10
    zeros = bytes(50_000_000)
    honest = member({"descr": "<i4", "fortran_order": False, "shape": (200,)}, zeros)
    huge = member({"descr": "<i4", "fortran_order": False, "shape": (n,)}, zeros)
    keys = member({"descr": "<u8", "fortran_order": False, "shape": (200,)}, bytes(1600))
    bombs = [
        renamed(champion, record, zipped(dict.fromkeys(["y_true.npy", "y_pred.npy"], honest) | {"row_keys.npy": keys})),
        renamed(champion, record, zipped(dict.fromkeys(["y_true.npy", "y_pred.npy"], huge) | {"row_keys.npy": keys})),
        renamed(
            champion,
            record,
            zipped(dict.fromkeys(["y_true.npy", "y_pred.npy"], huge) | {"row_keys.npy": keys}),
            rows=n,
        ),
    ]
    del zeros, honest, huge
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(ChampionError, match="no file of predictions"):
            store.read_evaluation(champion, bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_zip_with_a_million_members_is_not_listed(champion: Path) -> None:
    record = store.read_record(champion)
    assert record
    many = renamed(champion, record, zipped({f"{place}.npy": b"" for place in range(2000)}))
    with pytest.raises(ChampionError, match="it is no such zip file"):
        store.read_evaluation(champion, many)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"x" * 100, zipped({}), zipped({"../../evil.npy": b"x"}), zipped({"y_true.npy": b"no array"})],
)
def test_what_is_no_zip_of_arrays(champion: Path, data: bytes) -> None:
    record = store.read_record(champion)
    assert record
    with pytest.raises(ChampionError, match="no file of predictions"):
        store.read_evaluation(champion, renamed(champion, record, data))


@pytest.mark.parametrize("header", [b"{'descr': '<i4'", b"{'descr': 200L}", b"\xff", b"{[]: 1}", b"(" * 9000, b""])
def test_a_header_that_numpy_cannot_read(champion: Path, header: bytes) -> None:
    record = store.read_record(champion)
    assert record
    bad = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    forged = renamed(champion, record, zipped({f"{name}.npy": bad for name in ("y_true", "y_pred", "row_keys")}))
    with pytest.raises(ChampionError, match=r"y_true\.npy has no header of an array"):
        store.read_evaluation(champion, forged)


def test_damage_within_the_zip(champion: Path) -> None:
    """Whatever byte of a file is another one, and the record made to fit: it is refused, or says the same."""
    record = store.read_record(champion)
    assert record
    good = (champion / record.predictions).read_bytes()
    for place in range(0, len(good), 13):
        data = bytearray(good)
        data[place] ^= 0x55
        forged = renamed(champion, record, bytes(data))
        try:
            found = store.read_evaluation(champion, forged)
        except ChampionError:
            continue
        finally:
            (champion / forged.predictions).unlink()
        assert found.prediction_digest == record.evidence["predictions"]


def test_a_file_that_is_too_large(champion: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = store.read_record(champion)
    assert record
    monkeypatch.setattr(store, "_MOST_PREDICTIONS", 1000)
    with pytest.raises(ChampionError, match="has over"):
        store.read_evaluation(champion, record)


# --- promotion -------------------------------------------------------------------------------------------------------


def test_the_first_champion(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    record = candidate(tmp_path / "new", evaluation())
    done = store.promote(tmp_path / "new", tmp_path / "deep" / "champion", first=True, time=LATER)
    assert done.record == replace(record, promoted={"time": LATER, "first": True})
    assert done.previous is None
    assert done.directory == tmp_path / "deep" / "champion"
    assert store.read_record(done.directory) == done.record
    assert store.read_evaluation(done.directory, done.record).prediction_digest == evaluation().prediction_digest
    assert names(done.directory) == sorted([record.predictions, store.RECORD])
    assert store.read_record(tmp_path / "new") == record  # the candidate stays as it is


def test_the_next_champion(tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make) -> None:
    old = store.read_record(champion)
    record = candidate(tmp_path / "new", evaluation(), decision="review")
    (champion / "notes.md").write_text("mine", encoding="utf-8")
    (champion / f"{'0' * 64}.npz").write_bytes(b"left behind by a promotion that was killed")
    (champion / ".mlops-staged-abc").write_bytes(b"as well")
    done = store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert done.previous == old
    assert done.record.promoted == {"time": LATER, "first": False}
    assert names(champion) == sorted([record.predictions, "notes.md", store.RECORD])


def test_promoting_again_changes_the_time_only(tmp_path: Path, champion: Path) -> None:
    done = store.promote(tmp_path / "old", champion, first=False, time="2027-01-01T00:00:00+00:00")
    assert done.previous
    assert replace(done.record, promoted=done.previous.promoted) == done.previous
    assert store.read_evaluation(champion, done.record)


@pytest.mark.parametrize(
    ("known", "first", "words"),
    [
        ({"decision": "block"}, False, "credit: the gate has blocked this candidate"),
        ({"complete": False}, False, "credit: the run that left this candidate was partial"),
        ({"complete": False, "decision": "block"}, False, "was partial"),
        ({}, True, "there is a champion in .* already: leave --first out"),
        ({"model": "loans"}, False, "loans: the champion in .* is of another model, 'credit'"),
    ],
)
def test_who_may_not_replace_a_champion(
    tmp_path: Path,
    champion: Path,
    candidate: Candidate,
    evaluation: Make,
    known: dict[str, Any],
    first: bool,
    words: str,
) -> None:
    before = {path.name: path.read_bytes() for path in champion.iterdir()}
    candidate(tmp_path / "new", evaluation(), **known)
    with pytest.raises(ChampionError, match=words):
        store.promote(tmp_path / "new", champion, first=first, time=LATER)
    assert {path.name: path.read_bytes() for path in champion.iterdir()} == before


def test_there_must_be_a_candidate(tmp_path: Path, champion: Path) -> None:
    with pytest.raises(ChampionError, match=r"there is no candidate in .*/nowhere: run pytest --mlops first"):
        store.promote(tmp_path / "nowhere", champion, first=False, time=LATER)


def test_the_first_must_be_called_that(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    candidate(tmp_path / "new", evaluation())
    with pytest.raises(ChampionError, match=r"there is no champion in .* yet: to make this the first, say --first"):
        store.promote(tmp_path / "new", tmp_path / "champion", first=False, time=LATER)
    assert not (tmp_path / "champion").exists()


def test_a_candidate_that_was_compared_with_another_champion(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make
) -> None:
    """Two pull requests that both beat the old champion: the second was never compared with the first."""
    old = store.read_record(champion)
    assert old
    for name, seed, against in (("a", 2, old.evidence["predictions"]), ("b", 3, old.evidence["predictions"])):
        made = evaluation(seed=seed)
        written = candidate(tmp_path / name, made)
        store.write_candidate(tmp_path / name, replace(written, evidence={**written.evidence, "champion": against}))
    store.promote(tmp_path / "a", champion, first=False, time=LATER)
    with pytest.raises(ChampionError, match="was compared with another champion than the one in"):
        store.promote(tmp_path / "b", champion, first=False, time=LATER)


@pytest.mark.parametrize(("decision", "allowed"), [("merge", True), ("review", True), ("block", False)])
def test_a_candidate_that_only_lacked_a_champion(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, decision: str, allowed: bool
) -> None:
    """What the decision would have been without that counts for the first champion, and for no other."""
    written = candidate(tmp_path / "new", evaluation(), decision="block")
    evidence = {**written.evidence, "champion": None, "first": decision}
    store.write_candidate(tmp_path / "new", replace(written, evidence=evidence))
    with pytest.raises(ChampionError, match="has blocked this candidate"):
        store.promote(tmp_path / "new", champion, first=False, time=LATER)
    if allowed:
        assert store.promote(tmp_path / "new", tmp_path / "another", first=True, time=LATER)
    else:
        with pytest.raises(ChampionError, match="has blocked this candidate"):
            store.promote(tmp_path / "new", tmp_path / "another", first=True, time=LATER)


def test_a_candidate_that_was_compared_with_no_champion(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make
) -> None:
    """It may become the first, and nothing else."""
    written = candidate(tmp_path / "new", evaluation())
    store.write_candidate(tmp_path / "new", replace(written, evidence={**written.evidence, "champion": None}))
    with pytest.raises(ChampionError, match="was compared with no champion, and not with the one in"):
        store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert store.promote(tmp_path / "new", tmp_path / "another", first=True, time=LATER)


def altered_record(directory: Path) -> None:
    path = directory / store.RECORD
    path.write_text(path.read_text(encoding="utf-8").replace('"block"', '"merge"'), encoding="utf-8")


def altered_predictions(directory: Path) -> None:
    (path,) = directory.glob("*.npz")
    path.write_bytes(path.read_bytes() + b"x")


def missing_predictions(directory: Path) -> None:
    (path,) = directory.glob("*.npz")
    path.unlink()


def linked_predictions(directory: Path) -> None:
    (path,) = directory.glob("*.npz")
    path.rename(directory / "elsewhere")
    path.symlink_to(directory / "elsewhere")


def other_predictions(directory: Path) -> None:
    record = store.read_record(directory)
    assert record
    arrays = to_arrays(store.read_evaluation(directory, record))[0]
    repacked(directory, record, {**arrays, "y_pred": arrays["y_true"]})


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (altered_record, "was altered after it was written"),
        (altered_predictions, "its sha256 is not its name"),
        (missing_predictions, "is missing"),
        (linked_predictions, "is a link"),
        (other_predictions, "digests differ"),
    ],
)
def test_a_candidate_that_was_tampered_with(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, tamper: Callable[[Path], None], words: str
) -> None:
    old = store.read_record(champion)
    candidate(tmp_path / "new", evaluation(), decision="block" if tamper is altered_record else "merge")
    tamper(tmp_path / "new")
    with pytest.raises(ChampionError, match=words):
        store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert store.read_record(champion) == old
    assert old
    assert store.read_evaluation(champion, old)


def test_a_candidate_that_changes_between_check_and_copy(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = candidate(tmp_path / "new", evaluation())
    old = store.read_record(champion)
    verify = store.verify

    def then_change(*args: Any, **known: Any) -> Any:
        found = verify(*args, **known)
        calls.append(1)
        if len(calls) == 2:
            (tmp_path / "new" / record.predictions).write_bytes(b"other")
        return found

    calls: list[int] = []
    monkeypatch.setattr(store, "verify", then_change)
    with pytest.raises(ChampionError, match="was altered"):
        store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert store.read_record(champion) == old


def test_a_champion_that_cannot_be_read_is_not_replaced(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make
) -> None:
    candidate(tmp_path / "new", evaluation())
    (champion / store.RECORD).write_text("{", encoding="utf-8")
    for first in (False, True):
        with pytest.raises(ChampionError, match=r"cannot be read: .*; or remove .* and promote with --first"):
            store.promote(tmp_path / "new", champion, first=first, time=LATER)


def test_a_champion_without_its_predictions_can_be_replaced(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make
) -> None:
    missing_predictions(champion)
    candidate(tmp_path / "new", evaluation())
    done = store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert store.read_evaluation(champion, done.record)


def test_a_champion_that_cannot_be_written(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(**known: Any) -> None:
        raise PermissionError(13, "Permission denied", str(known["dir"]))

    candidate(tmp_path / "new", evaluation())
    before = {path.name: path.read_bytes() for path in champion.iterdir()}
    monkeypatch.setattr(tempfile, "mkstemp", forbidden)
    with pytest.raises(PermissionError):
        store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert {path.name: path.read_bytes() for path in champion.iterdir()} == before


def test_a_champion_below_a_file(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    candidate(tmp_path / "new", evaluation())
    (tmp_path / ".mlops").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="Not a directory"):
        store.promote(tmp_path / "new", tmp_path / ".mlops" / "champion", first=True, time=LATER)


def test_only_one_promotion_at_a_time(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate(tmp_path / "new", evaluation())
    monkeypatch.setattr(store, "_PATIENCE", 0.1)
    with store._alone(champion), pytest.raises(ChampionError, match="another promotion has been at work"):
        store.promote(tmp_path / "new", champion, first=False, time=LATER)
    assert store.promote(tmp_path / "new", champion, first=False, time=LATER)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_where_directories_cannot_be_locked(
    tmp_path: Path, champion: Path, candidate: Candidate, evaluation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def unable(descriptor: int, operation: int) -> None:
        raise OSError(store._NO_LOCKS_HERE[0], "no locks here")

    monkeypatch.setattr(fcntl, "flock", unable)
    candidate(tmp_path / "new", evaluation())
    assert store.promote(tmp_path / "new", champion, first=False, time=LATER)


# --- clearing --------------------------------------------------------------------------------------------------------


def test_an_earlier_candidate_is_cleared_and_nothing_else(
    tmp_path: Path, candidate: Candidate, evaluation: Make
) -> None:
    candidate(tmp_path, evaluation())
    (tmp_path / ".mlops-staged-x_1").write_bytes(b"")
    (tmp_path / f"{'f' * 64}.npz").mkdir()
    others = [".gitignore", "model.npz", "record.json.bak", f"{'f' * 64}.npz", f"{'F' * 64}.npz"]
    for name in others:
        if not (tmp_path / name).exists():
            (tmp_path / name).write_text("mine", encoding="utf-8")
    store.clear_candidate(tmp_path)
    assert names(tmp_path) == sorted(others)
    store.clear_candidate(tmp_path)
    store.clear_candidate(tmp_path / "nowhere")


def test_a_record_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / store.RECORD).write_text('{"my": "record"}', encoding="utf-8")
    with pytest.raises(FileExistsError, match="no record of ours"):
        store.clear_candidate(tmp_path)
    assert names(tmp_path) == [store.RECORD]


def test_a_link_is_cleared_and_not_followed(tmp_path: Path, champion: Path) -> None:
    (tmp_path / "new").mkdir()
    for path in champion.iterdir():
        (tmp_path / "new" / path.name).symlink_to(path)
    store.clear_candidate(tmp_path / "new")
    record = store.read_record(champion)
    assert record
    assert store.read_evaluation(champion, record)
    assert names(tmp_path / "new") == []


def test_reading_a_record_imports_no_numpy(champion: Path) -> None:
    script = (
        "import json, sys; from pathlib import Path; from pytest_mlops.champion import store;"
        "assert store.read_record(Path(sys.argv[1])); print(json.dumps(sorted(sys.modules)))"
    )
    done = run([sys.executable, "-c", script, str(champion)], capture_output=True, text=True, check=True)
    assert not {"numpy", "scipy", "pandas", "rich", "pytest"} & {
        name.partition(".")[0] for name in json.loads(done.stdout)
    }


@pytest.mark.parametrize("scored", [True, False])
def test_several_labels_there_and_back(tmp_path: Path, candidate: Callable[..., ChampionRecord], scored: bool) -> None:
    true = np.arange(12).reshape(4, 3) % 5 % 2
    made = Evaluation(true, 1 - true, true / 3 if scored else None, labels=["a", "b", "c"], row_ids=range(4))
    candidate(tmp_path / "candidate", made)
    promoted = store.promote(
        tmp_path / "candidate", tmp_path / "champion", first=True, time="2026-11-11T12:00:00+00:00"
    )
    record = store.read_record(promoted.directory)
    assert record is not None
    back = store.read_evaluation(promoted.directory, record)
    assert (back.task, back.labels, back.prediction_digest) == ("multilabel", ("a", "b", "c"), made.prediction_digest)
