"""pytest-mlops profile: a table goes in, and a file comes out that stands in for it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlops.cli import main
from pytest_mlops.evidence.profile import Profile
from pytest_mlops.evidence.profile_file import load
from pytest_mlops.evidence.reading import profile_of_values
from pytest_mlops.profiling import save
from pytest_mlops.verdict.errors import EvidenceError

N = 300


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    columns = {
        "age": generator.normal(40, 9, N),
        "city": generator.choice(["Bonn", "Ulm"], N),
        "paid": [True, False] * 150,
    }
    return pd.DataFrame(columns).astype({"age": "float64"})


@pytest.fixture
def train(frame: pd.DataFrame) -> str:
    frame.to_parquet("train.parquet")
    return "train.parquet"


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    found = capsys.readouterr()
    return found.out, found.err


def test_a_file_of_the_name_of_the_data(train: str, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", train]) == 0
    kept = load("train.profile.json")
    assert kept.rows == N
    assert kept.columns == {name: profile_of_values(frame[name].to_numpy()) for name in frame}
    out, err = said(capsys)
    assert err == ""
    size = -(-Path("train.profile.json").stat().st_size // 1000)
    assert out.splitlines()[-1] == f"train.profile.json: 300 rows, 3 columns, {size} KB"


def test_what_is_said_of_each_column(frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    frame["id"] = [f"id {place}" for place in range(N)]
    frame["gone"] = np.nan
    frame.loc[:9, "city"] = None
    frame.to_parquet("train.parquet")
    assert main(["profile", "train.parquet", "--hash-names"]) == 0
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in said(capsys)[0].splitlines()[2:-1]}
    assert lines == {
        "age": "numeric 300 0 exactly",
        "city": "categorical 290 10 2 categories, hashed",
        "paid": "boolean 300 0 exactly",
        "id": "text 300 0 300 categories, hashed",
        "gone": "empty 0 300 –",
    }


def test_a_csv_file_and_another_name(frame: pd.DataFrame) -> None:
    frame.to_csv("train.csv", index=False)
    assert main(["profile", "train.csv", "-o", "reference.profile.json", "--columns", "city", "age"]) == 0
    assert set(load("reference.profile.json").columns) == {"age", "city"}


def test_many_files_need_a_name(frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    for month in (1, 2):
        frame.to_parquet(f"month{month}.parquet")
    assert main(["profile", "month*.parquet"]) == 1
    assert "add -o NAME.profile.json" in said(capsys)[1]
    assert main(["profile", "month*.parquet", "-o", "year.profile.json"]) == 0
    assert load("year.profile.json").rows == 2 * N


def test_names_are_hidden_and_small_counts_suppressed(train: str) -> None:
    assert main(["profile", train, "--hash-names", "ours", "--suppress-below", "20"]) == 0
    kept = load("train.profile.json").columns
    assert kept["city"].categories is not None
    assert kept["city"].categories.salt == "ours"
    assert kept["age"].distribution is not None
    assert kept["age"].distribution.counts.min() >= 20
    assert "Bonn" not in Path("train.profile.json").read_text(encoding="utf-8")


def test_a_profile_can_be_made_of_a_profile(train: str) -> None:
    assert main(["profile", train]) == 0
    assert main(["profile", "train.profile.json", "--hash-names", "ours"]) == 0
    kept = load("train.profile.json").columns["city"].categories
    assert kept is not None
    assert kept.hashed


def test_a_profile_is_overwritten_and_nothing_else(train: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", train]) == 0
    assert main(["profile", train, "--columns", "age"]) == 0
    assert list(load("train.profile.json").columns) == ["age"]
    Path("notes.profile.json").write_text("mine", encoding="utf-8")
    assert main(["profile", train, "-o", "notes.profile.json"]) == 1
    assert "'notes.profile.json' is there already, and is no profile" in said(capsys)[1]
    assert Path("notes.profile.json").read_text(encoding="utf-8") == "mine"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    before = sorted(Path().iterdir())
    assert main(["profile", *arguments]) == 1
    assert sorted(Path().iterdir()) == before
    return said(capsys)[1]


def test_what_cannot_be_done_is_said(train: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "call it NAME.profile.json" in refused(capsys, train, "-o", "reference.json")
    assert "there is no such directory" in refused(capsys, train, "-o", "no/where.profile.json")
    assert "did you mean 'age'" in refused(capsys, train, "--columns", "aeg")
    assert "absent" in refused(capsys, "absent.parquet")
    Path("false.parquet").write_bytes(b"no parquet")
    assert "false.parquet" in refused(capsys, "false.parquet")


@pytest.mark.parametrize("k", ["-1", "many", "1.5", ""])
def test_a_count_is_a_whole_number(train: str, k: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["profile", train, f"--suppress-below={k}"])
    assert "no whole number of rows" in said(capsys)[1]


def test_a_column_that_cannot_be_read_must_be_left_out_by_name(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = pd.Series([{"a": 1}] * N)
    frame.assign(facts=facts, more=facts).to_parquet("nested.parquet")
    error = refused(capsys, "nested.parquet")
    assert "the column 'facts' cannot be read (1 more column neither)" in error
    assert "name the others, --columns age city paid" in error
    assert main(["profile", "nested.parquet", "--columns", "age", "city", "paid"]) == 0


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    train: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", train]) == 0
    before = Path("train.profile.json").read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["profile", train, "--columns", "age"]) == 1
    assert "No space left" in said(capsys)[1]
    assert Path("train.profile.json").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["train.parquet", "train.profile.json"]


def test_names_cannot_act_on_a_terminal(frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    frame.rename(columns={"age": "\x1b[31mred\n::error::"}).to_parquet("train.parquet")
    assert main(["profile", "train.parquet"]) == 0
    out = said(capsys)[0]
    assert "\x1b" not in out
    assert "\n::error" not in out


def test_saving_from_a_script(frame: pd.DataFrame) -> None:
    profile = Profile(N, {str(name): profile_of_values(frame[name].to_numpy()) for name in frame})
    assert save(profile, "x.profile.json") == load("x.profile.json") == profile
    with pytest.raises(EvidenceError, match="call it"):
        save(profile, "x.json")


SLOW = """
import sys, time
from pytest_mlops import cli
from pytest_mlops.evidence import samples
real = samples.sample_of
def slow(data, role, *, tell=None):
    tell("reading", 0.5)
    time.sleep(1.6)
    return real(data, role, tell=tell)
samples.sample_of = slow
sys.exit(cli.main(["profile", "train.parquet"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminal")
def test_long_work_is_told_of_on_a_terminal_only(train: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
    main_end, end = pty.openpty()
    command = [sys.executable, "-c", SLOW]
    subprocess.run(command, env=environment, stderr=end, stdout=subprocess.DEVNULL, check=True)
    os.close(end)
    shown = os.read(main_end, 10_000).decode()
    os.close(main_end)
    assert "profile of train.parquet" in shown
    assert "reading" in shown
    assert subprocess.run(command, env=environment, capture_output=True, check=True).stderr == b""
