"""Every way we know to fool a drift check, or to break it: the gate blocks, says why, and never cries wolf."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow.dataset
import pyarrow.parquet
import pytest

from pytest_mlops.evidence.profile import Profile
from pytest_mlops.evidence.profile_file import dumps
from pytest_mlops.evidence.samples import sample_of

from .conftest import KEPT, Project, Run

KEPT_AS_WELL = (*KEPT, duckdb, pl, pyarrow.dataset, pyarrow.parquet)

SAMPLES = """
IMPORTS = '''
import datetime, decimal, os, pathlib
import duckdb, numpy as np, pandas as pd, polars as pl, pyarrow as pa
'''

def data(seed=0, shift=0.0, n=2000):
    import numpy as np
    made = np.random.default_rng(seed)
    return {"age": made.normal(shift, 1, n), "job": made.choice(list("abcd"), n).astype(object)}

def ages(seed=0, shift=0.0, n=2000):
    return {"age": data(seed, shift, n)["age"]}

def made(text):
    scope = dict(globals())
    exec(IMPORTS, scope)
    return eval(text, scope)

@pytest.fixture
def mlops_reference():
    return made(REFERENCE)

@pytest.fixture
def mlops_current():
    return made(CURRENT)
"""
AUTO = "at_most = 0.1"
ASKS = {
    "policy": lambda asked: {"mlops.toml": f"[[drift]]\n{asked}\n"},
    "test": lambda asked: {"test_it.py": f"def test_it(mlops):\n    mlops.drift({_arguments(asked)})\n"},
    "marker": lambda asked: {
        "test_it.py": f"import pytest\n@pytest.mark.mlops_drift({_arguments(asked)})\ndef test_it(): pass\n"
    },
}


def _arguments(asked: str) -> str:
    return ", ".join(asked.splitlines())


def run(
    project: Project, reference: str, current: str, asked: str = AUTO, *, door: str = "policy", workers: int = 0,
    more: str = "", apart: bool = False,
) -> Run:  # fmt: skip
    """The gate's answer to one question about two samples, each as an expression that makes it."""
    project.conftest(f"\nREFERENCE = {reference!r}\nCURRENT = {current!r}\n{SAMPLES}{more}")
    for name, text in ASKS[door](asked).items():
        project.write(name, text)
    return project.run(workers=workers, apart=apart)


def blocked(done: Run) -> str:
    """What the drift check says; the gate has blocked, by it and nothing else."""
    (result,) = [each for each in done.results if each.family == "drift"]
    assert (done.status, done.decision) == (1, "block"), done.out
    return f"{result.verdict}: {result.message}"


# --- what cannot be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """Evidence that nobody can judge. `says` is what was wrong and, after …, the next step."""

    says: str
    reference: str = "ages()"
    current: str = "ages(1)"
    asked: str = AUTO
    spoil: Callable[[Project], object] = lambda project: None


def profile_of(data: object, **kept: object) -> str:
    """The text of a profile's file."""
    sample = sample_of(data, "reference")
    found = {
        name: column for name, column in sample.profiles(sample.names).items() if not isinstance(column, Exception)
    }
    return dumps(Profile(sample.rows, found), **kept)  # type: ignore[arg-type]


def ages(n: int = 2000, shift: float = 0.0) -> dict[str, np.ndarray]:
    return {"age": np.random.default_rng(0).normal(shift, 1, n)}


def parquet(project: Project, name: str = "a.parquet", columns: dict[str, np.ndarray] | None = None) -> Path:
    place = project.path / name
    place.parent.mkdir(exist_ok=True)
    pl.DataFrame(columns or ages()).write_parquet(place)  # pandas would register its types with PyArrow again
    return place


def altered(*edits: tuple[str, str]) -> Callable[[Project], object]:
    """A profile that somebody has edited."""

    def spoil(project: Project) -> None:
        text = profile_of(ages())
        for old, new in edits:
            assert old in text
            text = text.replace(old, new, 1)
        project.write("it.profile.json", text)

    return spoil


def cut_profile(project: Project) -> None:
    project.write("it.profile.json", profile_of(ages())[:-700])


def flipped_profile(project: Project) -> None:
    text = profile_of(ages())
    place = text.index('"packed": "') + 40
    project.write("it.profile.json", f"{text[:place]}{'A' if text[place] != 'A' else 'B'}{text[place + 1 :]}")


def bomb(project: Project) -> None:
    data = json.loads(profile_of(ages()))
    data["columns"][0]["numbers"]["cells"] = 10**9
    project.write("it.profile.json", json.dumps(data))


def cut_parquet(project: Project) -> None:
    place = parquet(project)
    place.write_bytes(place.read_bytes()[:700])


def two_schemas(project: Project) -> None:
    parquet(project, "many/a.parquet")
    parquet(project, "many/b.parquet", {"age": np.zeros(5, dtype=np.float32)})


def made_of(name: str) -> str:
    return f"{{'age': {name}}}"


PROFILE = "'it.profile.json'"
ANEW = "make it anew with pytest-mlops profile"
WAY_ON = "make columns of what it holds, or leave it out with columns="
MEND = "mend it, or write its rows to a file"
BAD = {
    "no common columns": Bad(current="{'size': np.ones(9)}", says="no column in common: the one has age, the other"),
    "incompatible kinds": Bad(
        current=made_of("['a'] * 2000"), says="age: the reference holds numbers and … text: give both the same type"
    ),
    "dates against numbers": Bad(
        reference=made_of("pd.date_range('2026-01-01', periods=2000)"),
        says="the reference holds dates and the current sample numbers: give both the same type",
    ),
    "no rows": Bad(current=made_of("[]"), says="mlops_current has no rows … give a table of at least one row"),
    "no columns": Bad(current="pd.DataFrame(index=range(5))", says="no columns: give a table of at least"),
    "an empty lazy frame": Bad(current="pl.LazyFrame()", says="no columns: give a table of at least"),
    "an empty relation": Bad(current="duckdb.sql('SELECT 1.0 AS age WHERE false')", says="has no rows … give a table"),
    "one row": Bad(current="ages(1, n=1)", says="test set too small for this limit … Give about"),
    "only missing values": Bad(current=made_of("np.full(2000, np.nan)"), says="age (missing values): Cramér's V 1"),
    "two columns of one name": Bad(
        reference="pd.DataFrame([[1.0, 2.0]] * 9, columns=['age', 'age'])", says="Expected unique column names … 'age'"
    ),
    "two of one name in DuckDB": Bad(
        reference="duckdb.sql('SELECT 1.0 AS age, 2.0 AS AGE')", says="cannot tell apart … rename one of them"
    ),
    "columns of different lengths": Bad(
        reference="{'age': np.ones(5), 'job': np.ones(6)}", says="columns of different lengths: give a table"
    ),
    "no table": Bad(reference="3", says="mlops_reference is a int, expected"),
    "nothing": Bad(reference="None", says="there is no mlops_reference: define a fixture mlops_reference that returns"),
    "a fixture that raises": Bad(reference="1 / 0", says="ZeroDivisionError: division by zero"),
    # Paths
    "no such file": Bad(reference="'gone.parquet'", says="there is no file 'gone.parquet': check the path"),
    "no such path": Bad(reference="pathlib.Path('gone.parquet')", says="there is no file 'gone.parquet': check"),
    "a pattern that matches nothing": Bad(
        reference="'part-*.parquet'", says="no file matches 'part-*.parquet': check the path, or write the files first"
    ),
    "a directory without Parquet": Bad(
        reference="'plain'",
        says="the directory 'plain' holds no Parquet file … check the path",
        spoil=lambda project: project.write("plain/a.txt", "age\n1\n"),
    ),
    "an address": Bad(reference="'s3://lake/a.parquet'", says="is the address … fetch it first, or give the relation"),
    "a path that no system knows": Bad(
        reference="'x' * 5000 + '.parquet'", says="cannot be looked up (File name too long): check the path"
    ),
    "no Parquet": Bad(
        reference="'a.parquet'",
        says="cannot be read from 'a.parquet' as Parquet: Invalid Input Error",
        spoil=lambda project: project.write("a.parquet", "age\n1\n2\n"),
    ),
    "Parquet that is cut off": Bad(
        reference="'a.parquet'", says="cannot be read from 'a.parquet' as Parquet", spoil=cut_parquet
    ),
    "Parquet of two schemas": Bad(
        reference="'many'", says="'age' of 'b.parquet' is not as in 'a.parquet': write them with one", spoil=two_schemas
    ),
    # Queries
    "a lazy frame that fails": Bad(
        current="pl.LazyFrame({'age': ['a'] * 2000}).select(pl.col('age').cast(pl.Float64))",
        says=f"the query of mlops_current fails: conversion from `str` … {MEND}",
    ),
    "a lazy frame of a file that is gone": Bad(
        current="pl.scan_parquet('gone.parquet')", says=f"the query of mlops_current fails: No such file … {MEND}"
    ),
    "a lazy frame of an unknown column": Bad(
        current="pl.LazyFrame(ages()).select('size')", says=f"the query of mlops_current fails: … size … {MEND}"
    ),
    "a relation of a closed connection": Bad(
        current="[it := duckdb.connect(), it.sql('SELECT 1.0 AS age'), it.close()][1]",
        says=f"the query of mlops_current fails: Connection Error … already been closed: {MEND}",
    ),
    "a relation of a table that is gone": Bad(
        current="[it := duckdb.connect(), it.sql('CREATE TABLE t AS SELECT 1.0 AS age'), it.table('t'), "
        "it.sql('DROP TABLE t')][2]",
        says=f"the query of mlops_current fails: Catalog Error … does not exist: {MEND}",
    ),
    "a relation that fails on its way": Bad(
        current="duckdb.sql(\"SELECT CAST(if(range = 900, 'a', '1') AS DOUBLE) AS age FROM range(2000)\")",
        says=f"the query of mlops_current fails: Conversion Error … {MEND}",
    ),
    "a relation that says something else each time": Bad(
        current="duckdb.sql('SELECT random() AS age FROM range(50000) WHERE random() < 0.5')",
        says="its query must give the same rows each time, so write them to a table or a file first",
    ),
    # Types
    "structs": Bad(current="pa.table({'age': [{'a': 1}] * 9})", says=f"age: it holds values … Struct … {WAY_ON}"),
    "lists of different lengths": Bad(current="pa.table({'age': [[1], [1, 2]]})", says="it holds lists of 1 and of 2"),
    "complex numbers": Bad(current=made_of("np.ones(9) * 1j"), says=f"of the type complex128 … {WAY_ON}"),
    "objects": Bad(current=made_of("[object(), object()]"), says=f"a object, which says nothing about its … {WAY_ON}"),
    "blobs in DuckDB": Bad(current="duckdb.sql(\"SELECT 'a'::BLOB AS age\")", says=f"of the type BLOB … {WAY_ON}"),
    "infinite dates": Bad(
        current="duckdb.sql(\"SELECT 'infinity'::DATE AS age\")", says="dates that are infinite: make them NULL, or a"
    ),
    "months of no certain length": Bad(
        current="duckdb.sql('SELECT INTERVAL 1 MONTH AS age')", says="intervals of months … give days or less"
    ),
    "numbers too large to hold": Bad(current=made_of("[10**400] * 9"), says="its values cannot be read (int too large"),
    # Profiles
    "no such profile": Bad(reference=PROFILE, says="cannot be read (No such file or directory): check the path"),
    "a profile of another version": Bad(
        reference=PROFILE,
        says=f"it has schema version 2 … this pytest-mlops reads 1: {ANEW}",
        spoil=altered(('"pytest_mlops_profile": 1', '"pytest_mlops_profile": 2')),
    ),
    "a profile that is cut off": Bad(reference=PROFILE, says=f"it is cut off … {ANEW}", spoil=cut_profile),
    "a profile with a flipped byte": Bad(
        reference=PROFILE, says=f"it was altered after it was written … {ANEW}", spoil=flipped_profile
    ),
    "a profile edited by hand": Bad(
        reference=PROFILE,
        says=f"it was altered after it was written … {ANEW}",
        spoil=altered(('"rows": 2000', '"rows": 2001')),
    ),
    "a profile that would fill the memory": Bad(reference=PROFILE, says=f"'it.profile.json' … {ANEW}", spoil=bomb),
    "no profile": Bad(
        reference=PROFILE,
        says=f"it does not say that it is a profile … {ANEW}",
        spoil=lambda project: project.write("it.profile.json", "{}"),
    ),
    "a profile without rows to order": Bad(
        reference=PROFILE,
        current="{**ages(1), 'day': np.arange(2000)}",
        asked=f"{AUTO}\ntime = 'day'",
        says="is a profile, which holds no rows in order of time: give the rows themselves",
        spoil=lambda project: project.write("it.profile.json", profile_of({**ages(), "day": np.arange(2000)})),
    ),
    "a profile without rows to learn from": Bad(
        reference=PROFILE,
        asked="method = 'domain_classifier'\nat_most = 0.6",
        says="is a profile, which holds no rows: give the rows themselves, or the path of a Parquet file",
        spoil=altered(),
    ),
    # Questions that do not go with the evidence
    "a limit of a column that is not there": Bad(
        asked=f"{AUTO}\nlimits = {{ aeg = 0.2 }}", says="limits= names 'aeg' … 'age'"
    ),
    "a column that is not there": Bad(
        asked=f"{AUTO}\ncolumns = ['aeg']", says="has no column 'aeg': did you mean 'age'"
    ),
    "infinite values have no distance": Bad(
        current=made_of("np.full(2000, np.inf)"),
        asked=f"method = 'wasserstein'\n{AUTO}",
        says="age: infinite values have no distance",
    ),
    "points with infinite ends": Bad(
        current=made_of("np.full(2000, np.inf)"),
        asked=f"method = 'mmd'\ncolumns = ['age']\n{AUTO}",
        says="infinite values have no distance: leave out their columns or rows",
    ),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_cannot_be_judged_is_blocked_with_the_next_step(project: Project, bad: Bad) -> None:
    bad.spoil(project)
    message = blocked(run(project, bad.reference, bad.current, bad.asked))
    for words in bad.says.split(" … "):
        assert words.strip(" …") in message


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("door", ASKS)
def test_every_door_is_blocked_alike(project: Project, door: str, workers: int) -> None:
    message = blocked(run(project, "ages()", "'part-*.parquet'", door=door, workers=workers))
    assert "ERROR: auto cannot be judged: mlops_current: no file matches 'part-*.parquet'" in message


# --- a strong drift that something may hide

HASHED = "'hashed.profile.json'"
DRIFTED = {
    "a profile": ("'it.profile.json'", "ages(1, 1.0)", AUTO),
    "a profile and DuckDB": ("'it.profile.json'", "duckdb.from_arrow(pa.table(ages(1, 1.0)))", AUTO),
    "DuckDB and pandas": ("duckdb.from_arrow(pa.table(ages()))", "pd.DataFrame(ages(1, 1.0))", AUTO),
    "lazy Polars and arrays": ("pl.LazyFrame(ages())", "ages(1, 1.0)", AUTO),
    "float32 and float64": (made_of("ages()['age'].astype('f4')"), "ages(1, 1.0)", AUTO),
    "float16 and numbers beyond it": (made_of("ages()['age'].astype('f2')"), made_of("ages(1)['age'] * 1e6"), AUTO),
    "integers and their halves": (made_of("np.arange(2000) % 4"), made_of("np.arange(2000) % 4 + 0.5"), AUTO),
    "booleans and numbers": (made_of("ages()['age'] < -1"), made_of("(ages(1)['age'] < 1) * 1.0"), AUTO),
    "categories and text": (
        "pd.DataFrame({'job': pd.Categorical(data()['job'])})",
        "pl.DataFrame({'job': ['a'] * 2000})",
        AUTO,
    ),
    "hashed names": (HASHED, "{'job': ['a'] * 1500 + ['b'] * 500}", AUTO),
    "small counts hidden": ("'small.profile.json'", "ages(1, 1.0)", AUTO),
    "missing values only": ("ages()", made_of("np.where(np.arange(2000) % 2, ages()['age'], np.nan)"), AUTO),
    "a heavy value that moves a little": (
        made_of("np.where(np.arange(2000) % 40, 0.0, ages()['age'])"),
        made_of("np.where(np.arange(2000) % 40, 0.001, ages()['age'])"),
        AUTO,
    ),
    "infinities": ("ages()", made_of("np.where(np.arange(2000) % 2, ages()['age'], np.inf)"), AUTO),
    "infinities of another sign": (made_of("np.full(2000, np.inf)"), made_of("np.full(2000, -np.inf)"), AUTO),
    "last bits": (
        made_of("1 + np.random.default_rng(0).integers(0, 1000, 60000) * 2.0**-52"),
        made_of("1 + np.random.default_rng(0).integers(0, 500, 60000) * 2.0**-52"),
        AUTO,
    ),
    "upper case": ("{'job': data()['job']}", "{'job': [job.upper() for job in data()['job']]}", AUTO),
    "white space": ("{'job': data()['job']}", "{'job': [job + ' ' for job in data()['job']]}", AUTO),
    "categories that become names of rows": (
        "{**{f'x{i}': ages(i)['age'] for i in range(4)}, 'job': data()['job']}",
        "{**{f'x{i}': ages(i)['age'] for i in range(4)}, 'job': [f'id {i}' for i in range(2000)]}",
        AUTO,
    ),
    "the last stretch of many": (
        "{'day': np.arange(20000), **ages(n=20000)}", "{'day': np.arange(2000) + 20000, **ages(1, 1.0)}",
        f"{AUTO}\ntime = 'day'",
    ),
    "a column of great weight": (
        "{**ages(), 'size': ages(2)['age']}", "{**ages(1, 1.0), 'size': ages(2)['age']}",
        f"{AUTO}\ntolerate = 0.5\nweights = {{ age = 100, size = 1 }}",
    ),
    "weights of nothing": (
        "{**ages(), 'size': ages(2)['age']}", "{**ages(1, 1.0), 'size': ages(2)['age']}",
        f"{AUTO}\ntolerate = 0.5\nweights = {{ age = 0, size = 0 }}",
    ),
    "a column that is gone, tolerated": (
        "{**ages(), 'size': ages(2)['age']}", "{'size': ages(2)['age']}", f"{AUTO}\ntolerate = 0.9",
    ),
    "predictions, tolerated": (
        "{**ages(), 'size': ages(2)['age']}", "{**ages(1, 1.0), 'size': ages(2)['age']}",
        f"{AUTO}\ntolerate = 0.9\nprediction = 'age'",
    ),
    "a relation of two columns": (
        "{'x': ages()['age'], 'y': ages()['age'] + ages(1)['age'] / 9}",
        "{'x': ages(2)['age'], 'y': ages(3)['age'] - ages(2)['age']}",
        f"method = 'mmd'\ncolumns = ['x', 'y']\n{AUTO}",
    ),
    "points beside one that is absurdly far": (
        "ages()", made_of("np.append(ages(1, 1.0)['age'][1:], 1e300)"), f"method = 'mmd'\ncolumns = ['age']\n{AUTO}",
    ),
    "points of which most are missing": (
        "ages()", made_of("np.where(np.arange(2000) % 4, np.nan, ages()['age'])"),
        f"method = 'mmd'\ncolumns = ['age']\n{AUTO}",
    ),
    "points that are all one": (
        "{'it': np.ones((200, 4))}", "{'it': np.zeros((200, 4))}", f"method = 'mmd'\ncolumns = ['it']\n{AUTO}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reference", "current", "asked"), DRIFTED.values(), ids=DRIFTED)
def test_a_strong_drift_is_blocked(project: Project, reference: str, current: str, asked: str) -> None:
    jobs = np.random.default_rng(0).choice(list("abcd"), 2000).astype(object)
    project.write("it.profile.json", profile_of(ages(60_000)))
    project.write("hashed.profile.json", profile_of({"job": jobs}, hashed=True))
    project.write("small.profile.json", profile_of(ages(), suppress_below=100))
    assert blocked(run(project, reference, current, asked)).startswith(("FAIL: ", "ERROR: "))


# --- no drift


SAME = {
    "rows in another order": "pd.DataFrame(data())[::-1]",
    "Polars": "pl.DataFrame(data())",
    "lazy Polars": "pl.LazyFrame(data())",
    "PyArrow": "pa.table(data())",
    "DuckDB": "duckdb.from_arrow(pa.table(data()))",
    "Parquet": "'a.parquet'",
    "its own profile": "'it.profile.json'",
    "its own profile, hashed": "'hashed.profile.json'",
    "float32": "{**data(), 'age': data()['age'].astype('f4')}",
    "objects": "pd.DataFrame(data()).astype(object)",
    "categories": "pd.DataFrame(data()).astype({'job': 'category'})",
    "decimals": "{**data(), 'age': [decimal.Decimal(str(age)) for age in data()['age']]}",
}


@pytest.mark.parametrize("reference", SAME.values(), ids=SAME)
def test_the_same_data_pass(project: Project, reference: str) -> None:
    made = np.random.default_rng(0)
    data = {"age": made.normal(0, 1, 2000), "job": made.choice(list("abcd"), 2000).astype(object)}
    parquet(project, columns=data)
    project.write("it.profile.json", profile_of(data))
    project.write("hashed.profile.json", profile_of(data, hashed=True))
    done = run(project, reference, "data()")
    assert (done.status, done.decision) == (0, "merge"), done.out
    assert {part.verdict.value for part in done.result("drift:auto").parts} == {"PASS"}


# --- workers and tests that look at one sample

TWO = """
def test_age(mlops):
    mlops.drift(at_most=0.1, columns=["age"], name="age")

def test_job(mlops):
    mlops.drift(at_most=0.1, columns=["job"], name="job")

def test_all(mlops):
    mlops.drift(at_most=0.1)
"""
RELATION = "duckdb.from_arrow(pa.table(data({})))"


def ask_twice(project: Project, reference: str, workers: int) -> Run:
    project.conftest(f"\nREFERENCE = {reference!r}\nCURRENT = 'data(1)'\n{SAMPLES}")
    project.tests(test_two=TWO)
    return project.run(workers=workers)


def test_tests_may_look_at_different_columns_of_one_sample(project: Project, workers: int) -> None:
    done = ask_twice(project, RELATION.format(0), workers)
    assert (done.status, done.decision) == (0, "merge"), done.out
    assert len(done.results) == 3


def test_a_sample_that_is_another_one_for_each_test_is_blocked(project: Project, workers: int) -> None:
    each = "int(os.environ['PYTEST_CURRENT_TEST'].split('::')[1][5:8] == 'all')"
    done = ask_twice(project, RELATION.format(each), workers)
    assert (done.status, done.decision) == (1, "block")
    assert "different evaluations of model's reference" in done.messages


@pytest.mark.parametrize("current", ["data(1)", "data(1, 0.3)", "data(1, n=30)", RELATION.format(1)])
def test_workers_change_no_answer(project: Project, current: str) -> None:
    said = [run(project, "data()", current, workers=workers, door="test").results for workers in (0, 2)]
    assert said[0] == said[1]


# --- test code that asks less than the policy

LOOSER = {
    "at_most": ("at_most = 0.1", "at_most=0.2, max_blind=0.2"),
    "tolerate": (AUTO, "at_most=0.1, tolerate=0.3"),
    "tolerate more": (f"{AUTO}\ntolerate = 0.1", "at_most=0.1, tolerate=0.3"),
    "a limit of a column": (AUTO, "at_most=0.1, limits={'age': 0.9}"),
    "a higher limit of a column": (f"{AUTO}\nlimits = {{ age = 0.2 }}", "at_most=0.1, limits={'age': 0.3}"),
    "no limit of a column": (f"{AUTO}\nlimits = {{ age = 0.05 }}", "at_most=0.1"),
    "other weights": (
        f"{AUTO}\ntolerate = 0.1\nweights = {{ age = 1, job = 1 }}",
        "at_most=0.1, tolerate=0.1, weights={'age': 0, 'job': 1}",
    ),
    "weights": (f"{AUTO}\ntolerate = 0.1", "at_most=0.1, tolerate=0.1, weights={'age': 0, 'job': 1}"),
    "columns": (AUTO, "at_most=0.1, columns=['job']"),
    "an order of rows": (AUTO, "at_most=0.1, time='age'"),
    "a prediction that is none any more": (f"{AUTO}\nprediction = 'job'", "at_most=0.1"),
    "warn_above": (f"{AUTO}\nwarn_above = 0.05", "at_most=0.1"),
    "max_blind": (AUTO, "at_most=0.1, max_blind=0.9"),
    "proof": (f"{AUTO}\nproof = 'shown'\nmax_blind = 0.2", "at_most=0.1, max_blind=0.2"),
}
"""What the policy asks, and a test under the same name."""


@pytest.mark.parametrize(("policy", "call"), LOOSER.values(), ids=LOOSER)
def test_test_code_cannot_loosen_the_policy(project: Project, policy: str, call: str) -> None:
    project.write("test_it.py", f"def test_it(mlops):\n    mlops.drift({call})\n")
    done = run(project, "data()", "data(1)", policy)
    assert (done.status, done.decision) == (1, "block"), done.out
    assert any(words in done.out for words in ("loosens the policy", "is another question in the policy"))


def test_another_method_answers_no_question_of_the_policy(project: Project) -> None:
    project.write("test_it.py", "def test_it(mlops):\n    mlops.drift('wasserstein', columns=['age'], at_most=9)\n")
    done = run(project, "data()", "data(1, 0.5)", AUTO)
    assert done.result("drift:auto").verdict == "FAIL"
    assert (done.status, done.decision) == (1, "block")


# --- what breaks on the way

RAISES = """
import pytest_mlops.evidence.engines.duckdb as engine

def one_row(self, expressions):
    raise {}

engine._Relation.one_row = one_row
"""


@pytest.mark.parametrize("error", ["MemoryError", "RuntimeError('boo')", "ValueError('boo')"])
def test_an_engine_that_breaks_is_blocked(project: Project, error: str, workers: int) -> None:
    done = run(
        project,
        "duckdb.from_arrow(pa.table(ages()))",
        "ages(1)",
        more=RAISES.format(error),
        workers=workers,
        apart=True,
    )
    assert "ERROR: auto cannot be judged: the query of mlops_reference fails: " in blocked(done)


def test_a_scan_that_is_interrupted_is_blocked(project: Project) -> None:
    done = run(
        project, "duckdb.from_arrow(pa.table(ages()))", "ages(1)", more=RAISES.format("KeyboardInterrupt"), apart=True
    )
    assert done.status != 0
    assert done.decision == "block"
    assert "stopped early" in done.messages
