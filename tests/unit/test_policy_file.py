"""`mlops.toml`: what it says, and on which line it is wrong. The loader and the schema for editors agree."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from pytest_mlops import MlopsUsageError
from pytest_mlops.policy_file import load

SCHEMA = json.loads(resources.files("pytest_mlops").joinpath("mlops.schema.json").read_text(encoding="utf-8"))
WHOLE = """
[gate]
model = "credit"
confidence = 0.9
inconclusive = "block"
warn = "warn"
required = ["drift", "fairness:demographic_parity_ratio:sex"]

[[performance_threshold]]
metric = "mae"
at_most = 3
warn_above = 2.5

[[champion_challenger]]
metric = "roc_auc"
require = "better"

[[drift]]
at_most = 0.1
columns = ["age", "town"]

[[fairness]]
metric = "equalized_odds_ratio"
by = ["sex", "age"]
at_least = 0.7

[[reproducibility]]
runs = 3
rtol = 0.001

[[waiver]]
check = "drift:auto"
until = 2999-01-31
owner = "me"
reason = "a season"
"""
SCHEMA_CANNOT_TELL = {"an unknown metric", "the wrong way round", "twice"}
WRONG = {
    "an unknown table": ("[[drfit]]\nat_most = 1\n", 1),
    "an unknown key": ("[gate]\n# so\nmodle = 'x'\n", 3),
    "an unknown argument": ("[[drift]]\nat_most = 0.1\natmost = 1\n", 3),
    "an unknown metric": ("\n[[performance_threshold]]\nmetric = 'x'\nat_least = 0.1\n", 3),
    "the wrong way round": ("[[performance_threshold]]\nmetric = 'mae'\nat_least = 1\n", 3),
    "no limit": ("[[performance_threshold]]\nmetric = 'recall'\n", 1),
    "no feature": ("[[fairness]]\nmetric = 'equalized_odds_ratio'\nat_least = 0.5\n", 1),
    "one run": ("[[reproducibility]]\nruns = 1\n", 2),
    "the second of two": ("[[reproducibility]]\nname = 'a'\n[[reproducibility]]\nruns = 1\n", 4),
    "twice": ("[[reproducibility]]\n[[reproducibility]]\n", 2),
    "a quoted key": ("[[drift]]\n'at_most' = -1\n", 2),
    "an inline gate": ("gate = { warn = 'never' }\n", 1),
    "a bad warn": ("[gate]\nmodel = 'a'\nwarn = 'never'\n", 3),
    "a table, not tables": ("[drift]\nat_most = 0.1\n", 1),
    "a waiver without until": ("[[waiver]]\ncheck = 'a'\nowner = 'b'\nreason = 'c'\n", 1),
    "a waiver with an empty owner": ("[[waiver]]\ncheck = 'a'\nuntil = 2999-01-01\nowner = ''\nreason = 'c'\n", 4),
    "required is a text": ("[gate]\nrequired = 'drift'\n", 2),
}


def written(tmp_path: Path, text: str, newline: str = "\n") -> Path:
    path = tmp_path / "mlops.toml"
    path.write_bytes(text.replace("\n", newline).encode())
    return path


def schema_accepts(text: str) -> bool:
    data = json.loads(json.dumps(tomllib.loads(text), default=str))
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(data))


def test_all_that_can_be_said(tmp_path: Path) -> None:
    file = load(written(tmp_path, WHOLE))
    assert (file.model, file.confidence) == ("credit", 0.9)
    assert (file.policy.block_inconclusive, file.policy.block_warn) == (True, False)
    assert [question.spec.id for question in file.questions] == [
        "performance_threshold:mean_absolute_error",
        "champion_challenger:roc_auc",
        "drift:auto",
        "fairness:equalized_odds_ratio:sex%2Bage",
        "reproducibility:predictions",
    ]
    assert [question.line for question in file.questions] == [9, 14, 18, 22, 27]
    assert file.policy.waivers[0].check == "drift:auto"
    assert file.asks("drift:auto") is not None
    assert file.asks("drift:ks") is None
    assert schema_accepts(WHOLE)


def test_an_empty_policy_asks_nothing(tmp_path: Path) -> None:
    file = load(written(tmp_path, ""))
    assert (file.model, file.confidence, file.questions) == (None, 0.95, ())
    assert schema_accepts("")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_names_its_line(tmp_path: Path, text: str, line: int, newline: str) -> None:
    with pytest.raises(MlopsUsageError, match=rf"^mlops.toml:{line}: "):
        load(written(tmp_path, text, newline))


@pytest.mark.parametrize("name", WRONG)
def test_the_schema_for_editors_agrees(name: str) -> None:
    assert schema_accepts(WRONG[name][0]) == (name in SCHEMA_CANNOT_TELL)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff\xfe", "mlops.toml: is not UTF-8"),
        (b"\xef\xbb\xbf[gate", "mlops.toml:1: is no TOML"),
        (b"a = 1\na = 2\n", "mlops.toml:2: is no TOML"),
    ],
)
def test_what_is_no_toml(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "mlops.toml"
    path.write_bytes(raw)
    with pytest.raises(MlopsUsageError, match=message):
        load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MlopsUsageError, match=r"mlops.toml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "mlops.toml")
