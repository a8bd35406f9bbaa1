"""`pytest-mlops plan`: what it says, and what it refuses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from subprocess import PIPE, run

import pytest

from pytest_mlops import cli
from pytest_mlops.statistics.planning import KNOWN

ACCURACY = ["plan", "accuracy", "--margin", "0.01", "--disagreement", "0.1"]
PAGE = Path(__file__).parents[2] / "docs/plan.md"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(arguments) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_a_sentence_a_table_and_what_was_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, *ACCURACY).splitlines() == [
        "Collect 7,859 test rows to show that an equal challenger is not worse by more",
        "than 0.01 in accuracy; with fewer than about 882 the gate is blind, and blocks",
        "what it cannot judge.",
        "",
        "  rows  what they are enough for",
        "─" * 80,
        "   882  the gate is not blind at its usual cap of 3 margins",
        " 7,859  an equal challenger is shown within the margin, in 80 % of runs",
        " 1,973  a challenger worse by 2 margins (0.02) FAILs, in 80 % of runs",
        "   882  a challenger worse by 3 margins (0.03) FAILs, in 80 % of runs",
        " 7,620  guaranteed: measured within one margin of the truth (Bennett)",
        "73,778  the same, whatever the disagreement (Hoeffding)",
        "",
        "Assumed: disagreement 0.1; independent rows; 95 % confidence, for one look at",
        "these rows.",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["recall", "--disagreement", "0.02", "--prevalence", "0.1", "--looks", "1000", "--adaptive"],
        ["precision", "--disagreement", "0.02", "--selection-rate", "0.1", "--looks", "32"],
        ["roc_auc", "--value", "0.8", "--correlation", "0.5", "--prevalence", "0.001"],
        ["mean_absolute_percentage_error", "--spread", "1234"],
        ["zero_one_loss", "--disagreement", "1", "--power", "0.5", "--confidence", "0.5"],
    ],
)
def test_lines_fit_a_terminal(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert max(map(len, said(capsys, "plan", *arguments, "--margin", "0.01").splitlines())) <= 80


def test_json_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(said(capsys, *ACCURACY, "--json"))
    assert plan["metric"] == "accuracy"
    assert plan["known"] == {"disagreement": 0.1}
    assert plan["rows"]["not_blind"] == 882
    assert plan["rows"]["catches"][0] == {"margins": 2, "harm": 0.02, "rows": 1973}
    assert plan["confidence_of_one_look"] == 0.95


def test_an_alias_is_the_metric(capsys: pytest.CaptureFixture[str]) -> None:
    assert "in mean_absolute_error;" in said(capsys, "plan", "mae", "--margin", "3", "--spread", "40")


def test_many_looks_need_a_stricter_policy(capsys: pytest.CaptureFixture[str]) -> None:
    many = said(capsys, *ACCURACY, "--looks", "10")
    assert "over 10 looks at these rows, none made in the light of another" in " ".join(many.split())
    confidence = re.search(r"Set confidence = (\S+) in the policy", many)
    assert confidence
    assert float(confidence[1]) == pytest.approx(0.995)
    alone = json.loads(said(capsys, *ACCURACY, "--json", "--confidence", confidence[1]))
    assert alone["rows"] == json.loads(said(capsys, *ACCURACY, "--json", "--looks", "10"))["rows"]


def test_adaptive_looks(capsys: pytest.CaptureFixture[str]) -> None:
    adaptive = said(capsys, *ACCURACY, "--looks", "10", "--adaptive")
    assert "each made in the light of the verdicts before" in " ".join(adaptive.split())
    assert "A look counts as one bit" in adaptive
    assert "No policy can ask" in said(capsys, *ACCURACY, "--looks", "1000", "--adaptive")


def test_a_harm_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    few = said(capsys, "plan", "accuracy", "--margin", "0.01", "--disagreement", "0.025")
    assert "–  a challenger worse by 3 margins (0.03): there is no such challenger" in few


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["acuracy", "--margin", "0.01"], "did you mean 'accuracy'"),
        (["accuracy"], "--margin"),
        (["accuracy", "--margin", "0.01"], "accuracy needs --disagreement"),
        (["f1", "--margin", "0.01"], "f1 needs --spread"),
        (["accuracy", "--margin", "0.01", "--disagreement", "0.1", "--value", "0.8"], "--value says nothing"),
        (["accuracy", "--margin", "0.01", "--disagreement", "1.1"], "at most 1"),
        (["accuracy", "--margin", "1", "--disagreement", "1"], "the metric spans 1"),
        (["accuracy", "--margin", "nan", "--disagreement", "1"], "give a positive number"),
        (["accuracy", "--margin", "1e-300", "--disagreement", "1"], "no test set is large enough"),
        (["accuracy", "--margin", "0.01", "--disagreement", "0.1", "--looks", "0"], "--looks 0"),
        (["accuracy", "--margin", "0.01", "--disagreement", "0.1", "--looks", "1.5"], "--looks"),
        (["accuracy", "--margin", "0.01", "--disagreement", "0.1", "--adaptive"], "--adaptive"),
        (["accuracy", "--margin", "0.01", "--disagreement", "0.1", "--power", "1"], "--power"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert message in refused(capsys, "plan", *arguments)


def test_help_is_quick_and_fits(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["plan", "--help"])
    words = capsys.readouterr().out
    assert stopped.value.code == 0
    assert max(map(len, words.splitlines())) <= 80
    assert all(f"--{name}" in words for name in KNOWN)


def test_help_imports_nothing_heavy() -> None:
    asks = (
        "import sys\nfrom pytest_mlops import cli\n"
        "try: cli.main(['plan', '--help'])\n"
        "except SystemExit: print(sorted({'numpy', 'scipy', 'pandas', 'rich'} & set(sys.modules)))"
    )
    done = run([sys.executable, "-c", asks], stdout=PIPE, text=True, check=True, encoding="utf-8")
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_page_shows_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```console\n\$ pytest-mlops (.+)\n((?s:.+?))```", PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 2
    for command, answer in blocks:
        assert said(capsys, *command.split()) == answer


def test_the_tables_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    rows = re.findall(r"^\| (0\.\d+) \| (0\.\d+) \|(.+)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows
    for margin, disagreement, shown in rows:
        asked = ["plan", "accuracy", "--margin", margin, "--disagreement", disagreement, "--json"]
        one, many, adaptive = (
            json.loads(said(capsys, *asked, *looks))["rows"]
            for looks in ([], ["--looks", "32"], ["--looks", "32", "--adaptive"])
        )
        figures = [
            one["not_blind"], one["catches"][0]["rows"], one["shows_equal"], one["guaranteed"],
            many["shows_equal"], adaptive["shows_equal"],
        ]  # fmt: skip
        assert [int(cell.strip().replace(",", "")) for cell in shown.split("|")] == figures
