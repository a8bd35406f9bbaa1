"""Drift that hides from one method: in names of rows, beyond what has a distance, in the window that counts."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from pytest_mlops import CheckResult, Evaluation, EvidenceError, Gate, MlopsUsageError
from pytest_mlops.evidence.samples import sample_of

N = 2000


def normal(shift: float = 0.0, *shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(shift, 1, shape or N)


def jobs(seed: int = 0, n: int = N, categories: int = 4) -> Any:
    return np.array([f"job {job}" for job in np.random.default_rng(seed).integers(0, categories, n)], dtype=object)


def names(n: int, first: int = 0) -> Any:
    return np.array([f"id {place}" for place in range(first, first + n)], dtype=object)


def drift(reference: Any, current: Any, method: str = "auto", **asked: Any) -> CheckResult:
    return Gate(reference=reference, current=current).drift(method, **{"at_most": 0.1, **asked})


# --- categories that multiply


@pytest.mark.parametrize("n", [N, 12_000])
def test_categories_that_become_names_of_rows_are_an_error_among_columns_that_pass(n: int) -> None:
    same = {f"x{place}": normal(0, n, seed=place) for place in range(5)}
    found = drift({**same, "job": jobs(n=n)}, {**same, "job": names(n)})
    assert found.verdict == "ERROR"
    assert "job: it no longer holds names of the same kind: 4 in" in found.message


def test_names_of_rows_that_become_categories_are_an_error() -> None:
    assert "no longer holds names" in drift({"job": names(N)}, {"job": jobs()}).message


@pytest.mark.parametrize(("n", "m"), [(N, N), (N, 300), (300, N), (12_000, 300), (300, 30_000)])
def test_names_of_other_rows_cannot_be_compared(n: int, m: int) -> None:
    assert drift({"id": names(n)}, {"id": names(m, first=n)}).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("n", "m"), [(400, 4_000), (4_000, 400), (900, 900)])
def test_rare_categories_of_one_source_are_never_of_another_kind(n: int, m: int, seed: int) -> None:
    made = np.random.default_rng(seed)
    shares = made.pareto(0.8, 3_000)
    draw = [made.choice(3_000, size, p=shares / shares.sum()).astype(str).astype(object) for size in (n, m)]
    found = drift({"word": draw[0]}, {"word": draw[1]}, max_blind=9)
    assert found.verdict != "FAIL"
    assert "kind" not in found.message


# --- points


@pytest.mark.parametrize("far", [1e12, 1e300, 1.7e308])
def test_points_beside_one_that_is_absurdly_far_are_told_apart(far: float) -> None:
    moved = normal(1.0)
    moved[0] = far
    assert drift({"x": normal(seed=1)}, {"x": moved}, "mmd", columns=["x"]).verdict == "FAIL"


def test_one_absurd_value_of_a_column_hides_no_other_column() -> None:
    still = normal(seed=2)
    still[0] = 1e12
    found = drift(
        {"x": normal(seed=1), "y": normal(seed=3)}, {"x": still, "y": normal(1.0, seed=4)}, "mmd", columns=["x", "y"]
    )
    assert found.verdict == "FAIL"


def test_an_absurd_vector_hides_no_other() -> None:
    moved = normal(0.5, 500, 8)
    moved[0] = -1.7e308
    assert drift({"e": normal(0, 500, 8, seed=1)}, {"e": moved}, "mmd").verdict == "FAIL"


def test_the_unit_of_a_column_changes_no_discrepancy() -> None:
    samples = [{"x": normal(seed=place), "y": normal(seed=place + 2)} for place in range(2)]
    other = [{"x": each["x"] * 2.0**40, "y": each["y"] * 2.0**-40} for each in samples]
    first, second = (drift(one, two, "mmd", columns=["x", "y"]) for one, two in (samples, other))
    assert first.estimate is not None
    assert second.estimate is not None
    assert second.estimate.high == pytest.approx(first.estimate.high)


def test_points_of_which_many_more_are_missing_now_are_an_error() -> None:
    gaps = np.where(np.arange(N) % 4, normal(seed=1), math.nan)
    found = drift({"x": normal()}, {"x": gaps}, "mmd", columns=["x"])
    assert found.verdict == "ERROR"
    assert "0 % of the reference and 25 % of the current rows have a missing value" in found.message


def test_points_of_which_as_many_are_missing_are_judged() -> None:
    gaps = [np.where(np.arange(N) % 4, normal(seed=place), math.nan) for place in range(2)]
    assert drift({"x": gaps[0]}, {"x": gaps[1]}, "mmd", columns=["x"]).verdict == "PASS"


# --- the latest window


def windows(one_class: slice) -> CheckResult:
    n = 6_000
    made = np.random.default_rng(0)
    truth = made.integers(0, 2, n)
    truth[one_class] = 1
    said = np.where(made.random(n) < 0.9, truth, 1 - truth)
    gate = Gate(challenger=Evaluation(truth, said, time=np.arange(n)))
    return gate.drift("performance", metric="balanced_accuracy", windows=12, at_most=0.05)


def test_a_latest_window_that_says_nothing_is_no_pass() -> None:
    found = windows(slice(5_500, None))
    assert found.verdict == "INCONCLUSIVE"
    assert found.message.startswith("How the model does now is not known: 5,500 to 5,999 cannot be assessed: ")


def test_an_earlier_window_that_says_nothing_is_left_behind() -> None:
    assert windows(slice(3_000, 3_500)).verdict == "PASS"


# --- what was given


@pytest.mark.parametrize("weight", [1e308, math.inf, math.nan, -1, True, "1", 1j])
def test_what_cannot_be_added_up_is_no_weight(weight: Any) -> None:
    with pytest.raises(MlopsUsageError, match="is no weight: give a number from 0 to 1e"):
        drift({"x": [1.0]}, {"x": [1.0]}, tolerate=0.1, weights={"x": weight})


@pytest.mark.parametrize("weight", [np.int64(3), np.float32(3), 3])
def test_a_number_of_whatever_type_is_a_weight(weight: Any) -> None:
    found = drift({"x": normal()}, {"x": normal()}, tolerate=0.1, weights={"x": weight})
    assert found.parts[0].details["weight"] == 3


@pytest.mark.parametrize("data", [normal(), normal().tolist(), pd.Series(normal())], ids=["array", "list", "Series"])
def test_a_column_without_a_name_has_the_same_one_in_both_samples(data: Any) -> None:
    assert drift(data, data).verdict == "PASS"
    assert drift(data, pd.Series(normal(1.0))).verdict == "FAIL"


def _closed() -> Any:
    connection = duckdb.connect()
    relation = connection.sql("SELECT 1.0 AS x")
    connection.close()
    return relation


def _dropped() -> Any:
    connection = duckdb.connect()
    connection.sql("CREATE TABLE t AS SELECT 1.0 AS x")
    relation = connection.table("t")
    connection.sql("DROP TABLE t")
    return relation


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_closed(), "the query of mlops_current fails: .*closed: mend it"),
        (_dropped(), "the query of mlops_current fails: .*does not exist: mend it"),
        ("https://example.org/a.parquet", "is the address .* fetch it first"),
        ("x" * 5_000, "cannot be looked up .*: check the path"),
    ],
    ids=["a closed connection", "a dropped table", "an address", "a name too long"],
)
def test_what_cannot_be_read_says_why(data: Any, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        sample_of(data, "current")
