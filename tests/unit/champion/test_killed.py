"""A process may be killed at any moment: what is there afterwards is the old, or the new, and it is whole."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation
from pytest_mlops.champion import store
from pytest_mlops.champion.record import ChampionRecord

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a copy of this process")

LATER = "2026-11-11T12:00:00+00:00"
_READING = {"verify", "_previous", "_named", "_opened", "_opened_predictions", "_unpack", "_member", "_expected"}
"""Functions of the store that change nothing. Every line of all its others is a moment to be killed at."""
Candidate = Callable[..., ChampionRecord]
Make = Callable[..., Evaluation]


def in_a_copy_of_this_process(work: Callable[[], object], *, kill_at: int | None = None) -> int:
    """The process's id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # numpy has threads, which the copy does not use
        process = os.fork()
    if process:
        return process
    status = 1
    try:
        if kill_at is not None:
            sys.settrace(killer(kill_at))
        work()
        status = 0
    finally:
        os._exit(status)


def killer(at: int) -> Callable[[FrameType, str, Any], Any]:
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename != store.__file__ or frame.f_code.co_name in _READING:
            return None
        seen += 1
        if seen > at:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def killed_at_each_moment(prepare: Callable[[int], object], work: Callable[[int], object]) -> Iterator[int]:
    """The number of each run that was killed; ends with the first that was not, which must have done its work."""
    for moment in range(10_000):
        prepare(moment)
        process = in_a_copy_of_this_process(lambda now=moment: work(now), kill_at=moment)  # type: ignore[misc]
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            assert moment > 50, "hardly a line was watched"
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        yield moment
    pytest.fail("it never came to an end")


def whole(directory: Path) -> str | None:
    """The prediction digest of what is there, if something is; it must be loadable."""
    record = store.read_record(directory)
    return None if record is None else store.read_evaluation(directory, record).prediction_digest


def reigns_before(directory: Path) -> int:
    record = store.read_record(directory)
    return -1 if record is None else len(record.history)


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_promoting(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    old, new = candidate(tmp_path / "old", evaluation(1)), candidate(tmp_path / "new", evaluation(2))
    digests = [record.evidence["predictions"] for record in (old, new)]
    store.promote(tmp_path / "old", tmp_path / "champion", first=True, time=LATER)
    found: list[str | None] = []

    def prepare(moment: int) -> None:
        shutil.copytree(tmp_path / "champion", tmp_path / f"{moment}")

    def promote(moment: int) -> None:
        store.promote(tmp_path / "new", tmp_path / f"{moment}", first=False, time=LATER)

    for moment in killed_at_each_moment(prepare, promote):
        found.append(whole(tmp_path / f"{moment}"))
        assert reigns_before(tmp_path / f"{moment}") == digests.index(found[-1])
        if moment % 5 == 0:
            promote(moment)  # the next one goes on as if nothing had been
            assert whole(tmp_path / f"{moment}") == digests[1]
            assert reigns_before(tmp_path / f"{moment}") == 1
            assert files(tmp_path / f"{moment}") == {store.RECORD, new.predictions}
    assert found == sorted(found, key=digests.index), "once switched, it stays so"
    assert set(found) == set(digests)


def test_promoting_the_first(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    new = candidate(tmp_path / "new", evaluation(2))
    found = []

    def promote(moment: int) -> None:
        store.promote(tmp_path / "new", tmp_path / f"{moment}", first=True, time=LATER)

    for moment in killed_at_each_moment(lambda _: None, promote):
        found.append(whole(tmp_path / f"{moment}"))
        if found[-1] is None and moment % 5 == 0:
            promote(moment)
            assert files(tmp_path / f"{moment}") == {store.RECORD, new.predictions}
    assert set(found) == {None, new.evidence["predictions"]}


def test_leaving_a_candidate(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    made = [evaluation(1), evaluation(2)]
    digests = [one.prediction_digest for one in made]
    candidate(tmp_path / "old", made[0])
    found = []

    def run(moment: int) -> None:
        store.clear_candidate(tmp_path / f"{moment}")
        candidate(tmp_path / f"{moment}", made[1])

    def prepare(moment: int) -> None:
        shutil.copytree(tmp_path / "old", tmp_path / f"{moment}")

    for moment in killed_at_each_moment(prepare, run):
        found.append(whole(tmp_path / f"{moment}"))
        if moment % 5 == 0:
            run(moment)
            assert whole(tmp_path / f"{moment}") == digests[1]
            assert len(files(tmp_path / f"{moment}")) == 2
    assert found == sorted(found, key=[digests[0], None, digests[1]].index)
    assert set(found) == {None, *digests}


def test_replacing_a_candidate(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    made = [evaluation(1), evaluation(2)]
    digests = [one.prediction_digest for one in made]
    candidate(tmp_path / "old", made[0])

    def prepare(moment: int) -> None:
        shutil.copytree(tmp_path / "old", tmp_path / f"{moment}")

    for moment in killed_at_each_moment(prepare, lambda moment: candidate(tmp_path / f"{moment}", made[1])):
        assert whole(tmp_path / f"{moment}") in digests


def test_at_moments_within_the_system_calls(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    """Between lines is not everywhere: here, a process that promotes all the time is killed whenever."""
    records = [candidate(tmp_path / f"{seed}", evaluation(seed, n=20_000)) for seed in (1, 2)]
    digests = {record.evidence["predictions"] for record in records}
    champion = tmp_path / "champion"
    store.promote(tmp_path / "1", champion, first=True, time=LATER)
    moments = np.random.default_rng(0).uniform(0.002, 0.15, size=25)

    def for_ever() -> None:
        while True:
            for seed in (2, 1):
                store.promote(tmp_path / f"{seed}", champion, first=False, time=LATER)

    for moment in moments:
        process = in_a_copy_of_this_process(for_ever)
        time.sleep(moment)
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status), "it has ended by itself"
        assert whole(champion) in digests
    store.promote(tmp_path / "2", champion, first=False, time=LATER)
    assert files(champion) == {store.RECORD, records[1].predictions}


def test_promotions_at_the_same_time(tmp_path: Path, candidate: Candidate, evaluation: Make) -> None:
    """Each deletes what its own record does not name: without a lock, they would delete one another's predictions."""
    seeds = range(4)
    records = [candidate(tmp_path / f"{seed}", evaluation(seed)) for seed in seeds]
    champion = tmp_path / "champion"
    store.promote(tmp_path / "0", champion, first=True, time=LATER)

    def again_and_again(seed: int) -> None:
        for _ in range(15):
            store.promote(tmp_path / f"{seed}", champion, first=False, time=LATER)

    processes = [in_a_copy_of_this_process(lambda own=seed: again_and_again(own)) for seed in seeds]  # type: ignore[misc]
    assert [os.waitpid(process, 0)[1] for process in processes] == [0] * len(processes)
    record = store.read_record(champion)
    assert record
    assert whole(champion) in {one.evidence["predictions"] for one in records}
    assert files(champion) == {store.RECORD, record.predictions}
