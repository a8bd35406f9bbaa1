"""pytest-mlops report: every reader's text from a stored gate.json."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mlops import CheckResult, Decision, Estimate, GateReport, Limits, Verdict
from pytest_mlops.cli import main
from pytest_mlops.report import machine
from pytest_mlops.report.formats import FORMATS

RESULT = CheckResult(
    id="performance_threshold:roc_auc", model="credit", family="performance_threshold", verdict=Verdict.FAIL,
    message="roc_auc is too low.", limits=Limits(at_least=0.8),
    estimate=Estimate(value=0.7, low=0.6, high=0.75, confidence=0.95, method="DeLong", n=10),
)  # fmt: skip
REPORT = GateReport(decision=Decision.BLOCK, results=(RESULT,), provenance={"seed": 0})


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "gate.json"
    path.write_text(machine.render(REPORT), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_each_format(stored: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(stored), "--format", name]) == 0
    assert capsys.readouterr().out == FORMATS[name].render(REPORT)


def test_into_a_file(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "page.html"
    assert main(["report", str(stored.parent), "--format", "html", "--output", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == FORMATS["html"].render(REPORT)
    assert capsys.readouterr().out == ""


def test_the_decision_is_one_word(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(stored), "--decision"]) == 0
    assert capsys.readouterr().out == "block\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "no gate.json that can be trusted"),
        (b"\xff\xfe", "is no text"),
        (b" " * (machine.MOST_BYTES + 1), "more than 20 MB"),
        (None, "No such file"),
    ],
    ids=["empty", "binary", "huge", "absent"],
)
def test_what_is_no_report_is_refused(
    stored: Path, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stored.unlink() if content is None else stored.write_bytes(content)
    assert main(["report", str(stored)]) == 1
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_a_misspelt_format(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["report", str(stored), "--format", "htm"])
    assert "invalid choice: 'htm'" in capsys.readouterr().err


def test_without_numpy_and_pandas(stored: Path) -> None:
    """On a machine that only renders: none of these is even imported."""
    code = f"""
import sys
from pytest_mlops.cli import main
for name in {list(FORMATS)!r}:
    assert main(["report", {str(stored)!r}, "--format", name]) == 0
heavy = {{"numpy", "scipy", "pandas", "narwhals", "sklearn", "github", "pytest"}} & set(sys.modules)
sys.exit(f"imported: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONUTF8": "1"}
    )
    assert done.returncode == 0, done.stderr


def test_into_a_pipe(stored: Path, tmp_path: Path) -> None:
    """And whatever else is no file, such as /dev/stdout: it is written to, not replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert main(["report", str(stored), "--format", "badge", "--output", str(pipe)]) == 0
        assert os.read(reader, 10_000).decode() == FORMATS["badge"].render(REPORT)
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_file_without_an_end_is_not_read_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "/dev/zero"]) == 1
    assert "/dev/zero has more than 20 MB" in capsys.readouterr().err


def test_a_name_that_nobody_can_see(tmp_path: Path) -> None:
    result = replace(RESULT, id="\x00", model="")
    path = tmp_path / "gate.json"
    path.write_text(machine.render(replace(REPORT, results=(result,))), encoding="utf-8")
    assert main(["report", str(path)]) == 0
