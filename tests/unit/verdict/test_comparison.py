"""Which of two questions is the stricter?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.checks import FAMILIES
from pytest_mlops.gate import question
from pytest_mlops.verdict.comparison import compare

QUESTIONS: dict[str, dict[str, Any]] = {
    "performance_threshold": {"metric": "recall", "at_least": 0.5, "slices": ["sex"]},
    "champion_challenger": {"metric": "recall", "margin": 0.1, "slices": ["sex"], "guardrails": {"f1": 0.1}},
    "drift": {
        "at_most": 0.1, "limits": {"age": 0.2}, "weights": {"age": 1.0}, "tolerate": 0.1, "time": "day", "label": "y",
        "prediction": "p", "score": "s",
    },
    "fairness": {"metric": "demographic_parity_difference", "by": "sex", "at_most": 0.1},
    "reproducibility": {},
}  # fmt: skip
ANOTHER_QUESTION = {
    "subject",
    "paired_by",
    "min_group_size",
    "function",
    "needs",
    "greater_is_better",
    "folds",
    "weights",
}
"""Arguments that make neither a stricter nor a laxer question: a group too small to PASS is not blind either."""
NEUTRAL = {"timeout"}
OTHERWISE: dict[str, Any] = {
    "proof": "shown", "require": "better", "columns": ["never"], "slices": ["x"], "guardrails": {}, "limits": {},
    **dict.fromkeys(("time", "label", "prediction", "score")),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "lax", "strict"),
    [
        ("at_least", 0.7, 0.8),
        ("at_most", 0.2, 0.1),
        ("warn_below", None, 0.9),
        ("warn_above", None, 0.1),
        ("margin", 0.1, 0.05),
        ("max_blind", None, 0.3),
        ("max_blind", "inf", 0.3),
        ("atol", 0.1, 0.0),
        ("rtol", 0.1, 0.0),
        ("runs", 2, 3),
        ("proof", "table", "shown"),
        ("require", "not_worse", "non_inferior"),
        ("require", "non_inferior", "better"),
        ("columns", ["a"], None),
        ("columns", ["a"], ["a", "b"]),
        ("limits", {"age": 0.2}, {"age": 0.1}),
        ("limits", None, {"age": 0.1}),
        ("tolerate", 0.05, 0.01),
        ("tolerate", 0.05, None),
        ("time", "day", None),
        ("label", None, "y"),
        ("prediction", None, "yhat"),
        ("score", None, "p"),
        ("slices", None, ["sex"]),
        ("slices", ["sex"], ["age", "sex"]),
        ("min_slice_size", 20, 30),
        ("guardrails", None, {"recall": 0.01}),
        ("guardrails", {"recall": 0.02}, {"recall": 0.01}),
        ("guardrails", {"recall": 0.02}, {"recall": 0.02, "f1": 0.1}),
    ],
)
def test_what_is_loosened_one_way_is_tightened_the_other(name: str, lax: Any, strict: Any) -> None:
    loosened, tightened = compare({name: strict}, {name: lax}), compare({name: lax}, {name: strict})
    assert (len(loosened.loosened), loosened.tightened, loosened.other) == (1, (), ())
    assert (tightened.loosened, len(tightened.tightened), tightened.other) == ((), 1, ())
    assert loosened.loosened[0].startswith(f"{name} ")


def test_other_columns_leave_one_out() -> None:
    assert compare({"columns": ["a", "b"]}, {"columns": ["b", "c"]}).loosened


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({}, {"age": 0.2}, "loosened"),
        ({}, {"age": 0.05}, "tightened"),
        ({"age": 0.2}, {}, "tightened"),
        ({"age": 0.05}, {}, "loosened"),
        ({"age": 0.05, "sex": 0.2}, {"age": 0.05, "sex": 0.3}, "loosened"),
        ({"age": 0.3}, {"sex": 0.2}, "loosened"),
        ({"age": 0.3}, {"sex": 0.05}, "tightened"),
    ],
)
def test_a_column_without_a_limit_of_its_own_has_that_of_all(
    before: dict[str, float], after: dict[str, float], kind: str
) -> None:
    change = compare({"at_most": 0.1, "limits": before}, {"at_most": 0.1, "limits": after})
    assert len(getattr(change, kind)) == 1
    assert len(change.loosened) + len(change.tightened) + len(change.other) == 1


@pytest.mark.parametrize("name", ["time", "label", "prediction", "score", "weights", "metric", "windows"])
def test_another_column_or_metric_is_another_question(name: str) -> None:
    assert compare({name: "a"}, {name: "b"}).other == (f"{name} a → b",)


@pytest.mark.parametrize("name", ["time", "prediction", "score"])
def test_an_estimate_from_other_columns_is_another_question(name: str) -> None:
    asked = {"subject": "estimated_performance", name: "a"}
    assert len(compare(asked, {"subject": "estimated_performance"}).other) == 1


def test_so_do_other_slices_and_guardrails() -> None:
    assert compare({"slices": ["sex"]}, {"slices": ["age", "region"]}).loosened
    assert compare({"guardrails": {"recall": 0.01}}, {"guardrails": {"f1": 0.001}}).loosened
    assert compare({"guardrails": {"recall": 0.01, "f1": 0.1}}, {"guardrails": {"recall": 0.001, "f1": 0.2}}).loosened


def test_the_words() -> None:
    assert compare({"at_least": 0.8, "x": 1}, {"at_least": None, "x": 2}).loosened == ("at_least 0.8 → none",)
    assert compare({"x": 1}, {"x": 2}).other == ("x 1 → 2",)
    assert compare({"timeout": 1}, {"timeout": 2}) == compare({}, {})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_argument_of_every_family_is_known(family: str) -> None:
    """A new argument must say which way is stricter, or that it makes another question."""
    asked = question(family, **QUESTIONS[family]).spec.asked
    for name in asked.keys() - ANOTHER_QUESTION - NEUTRAL - {"by"}:
        assert not compare(asked, {**asked, name: OTHERWISE.get(name, 0.123)}).other, name


@given(st.dictionaries(st.sampled_from(["at_least", "margin", "proof", "columns", "by", "x"]), st.none()))
def test_the_same_question_has_not_changed(asked: dict[str, Any]) -> None:
    assert compare(asked, dict(asked)) == compare({}, {})
