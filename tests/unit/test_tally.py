"""What tests and workers have seen, put together."""

from __future__ import annotations

from typing import Any

from pytest_mlops.tally import _add

ROWS = {"rows": 9, "data": None}


def seen(*digests: dict[str, Any]) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = []
    for each in digests:
        _add(known, each)
    return known


def test_one_sample_may_be_seen_by_different_columns() -> None:
    found = seen({**ROWS, "columns": {"b": "2"}}, {**ROWS, "columns": {"a": "1"}}, ROWS)
    assert found == [{**ROWS, "columns": {"a": "1", "b": "2"}}]
    assert list(found[0]["columns"]) == ["a", "b"]


def test_another_column_of_one_name_is_another_sample() -> None:
    assert len(seen({**ROWS, "columns": {"a": "1"}}, {**ROWS, "columns": {"a": "2", "b": "1"}})) == 2


def test_other_rows_are_another_sample_whatever_their_columns() -> None:
    assert len(seen({**ROWS, "columns": {"a": "1"}}, {"rows": 8, "data": None, "columns": {"b": "1"}})) == 2
    assert len(seen({"rows": 9, "data": "x"}, {"rows": 9, "data": "y"}, {"rows": 9, "data": "x"})) == 2
