"""All columns together: a classifier that tells samples apart, and the distance of embeddings."""

from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pytest_mlops.checks.joint_drift import JointDrift
from pytest_mlops.checks.spec import Settings
from pytest_mlops.evidence.sources import Sources
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.limits import Verdict
from pytest_mlops.verdict.result import CheckResult


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def table(seed: int, n: int = 400, *, turned: bool = False) -> pd.DataFrame:
    """Columns a and b go together; where `turned`, against each other. No column by itself changes."""
    generator = rng(seed)
    a, noise, c = generator.normal(size=(3, n))
    return pd.DataFrame({"a": a, "b": (-a if turned else a) + noise / 2, "c": c})


class Rows:
    """A sample in memory, as the check sees it."""

    def __init__(self, role: str, columns: Any) -> None:
        self.columns = {name: np.asarray(columns[name]) for name in columns}
        self.role, self.names = role, tuple(self.columns)
        self.rows = len(next(iter(self.columns.values())))

    def take(self, names: Sequence[str], most: int, seed: int) -> dict[str, Any]:
        return {name: self.columns[name][:most] for name in names}


class Both:
    """Where the check gets its samples from."""

    def __init__(self, reference: Any, current: Any) -> None:
        self.samples = Rows("reference", reference), Rows("current", current)

    def reference(self) -> Any:
        return self.samples[0]

    def current(self) -> Any:
        return self.samples[1]


def ask(
    reference: Any, current: Any, method: str = "domain_classifier", *, seed: int = 0, **arguments: Any
) -> CheckResult:
    usual = {"at_most": 0.6 if method == "domain_classifier" else 0.1}
    check = JointDrift.ask(method, **{**usual, **arguments})
    return check.answer(cast(Sources, Both(reference, current)), Settings(seed=seed))


def named(result: CheckResult) -> list[str]:
    return [each["column"] for each in result.details["columns"]]


# --- a classifier


def test_what_no_column_tells_the_rows_tell() -> None:
    result = ask(table(1), table(2, turned=True))
    assert result.verdict is Verdict.FAIL
    assert sorted(named(result)) == ["a", "b"]
    assert result.estimate is not None
    assert (result.estimate.null, result.estimate.low > 0.6) == (0.5, True)
    assert result.message.startswith(
        "A classifier learned from 400 rows which sample a row is from; asked about 400 others, its AUC is 0."
    )
    assert "the limit is at most 0.6: the harm is significant. What tells them apart: " in result.message


def test_rows_of_one_source_pass_and_no_column_is_blamed() -> None:
    result = ask(table(1), table(2))
    assert result.verdict is Verdict.PASS
    assert named(result) == []
    assert "tells them apart" not in result.message


def test_no_order_of_rows_or_columns_changes_the_answer() -> None:
    reference, current = table(1), table(2, turned=True)
    order = rng(0).permutation(400)
    assert ask(reference.iloc[order], current.iloc[order][["c", "b", "a"]]) == ask(reference, current)


def test_few_rows_are_blind_and_told_the_ways_out() -> None:
    result = ask(table(1, 40), table(2, 40))
    assert result.verdict is Verdict.ERROR
    assert "An AUC of 0.76 can go unseen here, and at most 0.70 may." in result.message
    assert "Give about 68 rows of each sample, or use at_most=0.63 or more." in result.message
    assert ask(table(1, 40), table(2, 40), at_most=0.63).verdict is Verdict.INCONCLUSIVE
    assert ask(table(1, 70), table(2, 70)).verdict is not Verdict.ERROR


@pytest.mark.parametrize(
    ("at_most", "way"), [(0.501, "Raise max_blind="), (0.9, "Give about 142 rows of each sample, or")]
)
def test_impossible_ways_out_are_not_offered(at_most: float, way: str) -> None:
    """A limit of 0.501 needs more rows than are looked at, and two rows support no limit at all."""
    result = ask(table(1, 2), table(2, 2), at_most=at_most)
    assert result.verdict is Verdict.ERROR
    assert f"An AUC of 1.00 can go unseen here, and at most {0.502 if at_most < 0.6 else 0.95:.2f} may. {way}" in (
        result.message
    )
    assert "use at_most=" not in result.message


def test_shown_asks_for_the_whole_interval() -> None:
    assert ask(table(1, 100), table(2, 100), proof="shown").verdict is Verdict.FAIL
    assert ask(table(1), table(2), proof="shown").verdict is Verdict.PASS


def test_dates_and_names_of_rows_are_left_out_and_said() -> None:
    def sample(seed: int, start: int) -> pd.DataFrame:
        numbers = np.arange(start, start + 400)
        days = pd.Timestamp("2025-01-01") + pd.to_timedelta(numbers, unit="D")
        return table(seed).assign(day=days, row=numbers, line=numbers.astype(object), who=[f"u{k}" for k in numbers])

    result = ask(sample(1, 0), sample(2, 400))
    assert result.verdict is Verdict.PASS
    assert "Left out: day (dates tell any two periods apart); line, row, who (nearly every row has" in result.message
    assert set(result.details["left_out"]) == {"day", "line", "row", "who"}
    assert named(ask(sample(1, 0), sample(2, 400), columns=["a", "day"])) == ["day"]
    with pytest.raises(EvidenceError, match=r"nothing is left to compare: day \(dates tell"):
        ask(sample(1, 0)[["day"]], sample(2, 400)[["day"]])


def test_categories_and_missing_values_are_seen() -> None:
    kinds, others = (
        rng(seed).choice(list("xyz"), 400, p=p) for seed, p in ((1, [0.6, 0.3, 0.1]), (2, [0.1, 0.3, 0.6]))
    )
    assert named(ask(table(1).assign(kind=kinds), table(2).assign(kind=others))) == ["kind"]
    gaps = table(2)
    gaps.loc[rng(3).random(400) < 0.4, "c"] = np.nan
    assert named(ask(table(1), gaps)) == ["c"]


@pytest.mark.parametrize(
    "values", [["x", "y"], [1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]], ids=["text", "numbers", "vectors"]
)
def test_a_column_that_has_lost_all_values_tells_samples_apart(values: list[Any]) -> None:
    full = table(1).assign(lost=pd.Series(values * 200, dtype=object))
    result = ask(full, table(2).assign(lost=None))
    assert (result.verdict, named(result)) == (Verdict.FAIL, ["lost"])


def test_rare_categories_that_are_others_now_tell_samples_apart() -> None:
    """None of them has ten rows to learn from: boosting alone sees an AUC of 0.575 and three quarters have moved."""
    reference, current = (
        {"word": rng(seed).integers(first, first + 400, 2_000).astype(str), "x": rng(seed).normal(size=2_000)}
        for seed, first in ((1, 0), (2, 300))
    )
    result = ask(reference, current, at_most=0.6)
    assert (result.verdict, named(result)) == (Verdict.FAIL, ["word"])


def test_more_categories_than_a_tree_knows_are_no_drift() -> None:
    words, others = (rng(seed).choice([f"w{k}" for k in range(300)], 1000) for seed in (1, 2))
    assert ask({"word": words, "x": words}, {"word": others, "x": others}).verdict is not Verdict.FAIL


@pytest.mark.parametrize(
    "column",
    [
        [math.inf, -math.inf, 1e308, -1e308],
        [None],
        [Decimal(1), Decimal(2), None],
        [True, False],
        [datetime.timedelta(days=1), datetime.timedelta(days=2)],
        ["x", 1, None],
    ],
    ids=["infinite", "nothing", "decimals", "booleans", "durations", "mixed"],
)
def test_odd_columns_are_ordinary(column: list[Any]) -> None:
    values = pd.Series(column * 400, dtype=object).sample(400, random_state=0).to_numpy()
    assert ask(table(1).assign(odd=values), table(2).assign(odd=values[::-1])).verdict is Verdict.PASS


def test_a_number_in_float32_is_the_same_number() -> None:
    values = np.round(rng(1).normal(size=400), 1)
    result = ask({"x": values.astype(np.float32)}, {"x": rng(2).permutation(values)})
    assert result.verdict is Verdict.PASS


def test_rows_that_are_all_the_same_are_exactly_alike() -> None:
    constant = {"x": np.ones(300), "gap": np.full(300, np.nan)}
    result = ask(constant, constant)
    assert result.verdict is Verdict.PASS
    assert "All 600 rows are the same: a classifier's AUC is 0.5 exactly" in result.message
    assert ask({"x": np.ones(3)}, {"x": np.ones(3)}).verdict is Verdict.ERROR


def test_embeddings_count_as_one_column() -> None:
    reference, current = (table(seed).assign(vector=list(rng(seed).normal(size=(400, 6)))) for seed in (1, 2))
    current["vector"] = [vector + 1 for vector in current["vector"]]
    assert named(ask(reference, current)) == ["vector"]


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(EvidenceError, match="pip install scikit-learn"):
        ask(table(1), table(2))


# --- which columns


def test_new_columns_are_named_and_lost_ones_refused() -> None:
    result = ask(table(1)[["a", "b"]], table(2))
    assert "New, with nothing to compare to: c." in result.message
    with pytest.raises(EvidenceError, match=r"mlops_current lacks c of the reference: .* columns="):
        ask(table(1), table(2)[["a", "b"]])
    assert ask(table(1), table(2)[["a", "b"]], columns=["b", "a"]).verdict is Verdict.PASS


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(EvidenceError, match=r"mlops_current has no column 'cc'"):
        ask({"cc": np.ones(9)}, {"c": np.ones(9)}, columns=["cc"])
    with pytest.raises(EvidenceError, match=r"no column in common: the one has a, the other b"):
        ask({"a": np.ones(9)}, {"b": np.ones(9)})


@pytest.mark.parametrize(
    ("reference", "current", "why"),
    [
        ([1.0, 2.0], ["x", "y"], "the reference holds numbers and the current sample text"),
        ([{"a": 1}, {}], [{"a": 1}, {}], "values of the type dict, which cannot be compared"),
        ([[1.0], [1.0, 2.0]], [[1.0], [1.0]], "lists of different lengths"),
        ([["x"], ["y"]], [["x"], ["y"]], "lists of other things than numbers"),
        ([[1.0], [2.0]], [[1.0, 2.0]] * 2, "vectors of 1 numbers and the current sample of 2"),
    ],
)
@pytest.mark.filterwarnings("default")
def test_columns_that_cannot_be_compared_are_named(reference: Any, current: Any, why: str) -> None:
    one, other = (pd.DataFrame({"odd": pd.Series(values, dtype=object)}) for values in (reference, current))
    with pytest.raises(EvidenceError, match=f"of the column 'odd': .*{why}"):
        ask(one, other)


def test_a_profile_has_no_rows_to_take() -> None:
    from pytest_mlops.evidence.profile import Profile
    from pytest_mlops.evidence.reading import profile_of_values

    kept = Profile(400, {name: profile_of_values(table(1)[name].to_numpy()) for name in "abc"})
    with pytest.raises(EvidenceError, match="holds no rows"):
        JointDrift.ask("mmd", columns=["a"], at_most=0.1).answer(
            Sources(None, reference=kept, current=table(2)), Settings()
        )


@pytest.mark.parametrize("of", [pd.DataFrame, pl.from_pandas], ids=["pandas", "polars"])
def test_any_frame_gives_its_rows(of: Any) -> None:
    sources = Sources(None, reference=of(table(1)), current=of(table(2, turned=True)))
    result = JointDrift.ask("domain_classifier", at_most=0.6).answer(sources, Settings())
    assert result.verdict is Verdict.FAIL
    assert result.details["used"] == {"reference": 400, "current": 400}


# --- embeddings


def vectors(seed: int, n: int = 300, shift: float = 0.0, **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"text": list(rng(seed).normal(shift, size=(n, 8))), **more})


def test_embeddings_that_have_moved_fail() -> None:
    assert ask(vectors(1), vectors(2), "mmd").verdict is Verdict.PASS
    result = ask(vectors(1), vectors(2, shift=0.5), "mmd")
    assert result.verdict is Verdict.FAIL
    assert result.message.startswith("The maximum mean discrepancy of 300 and 300 rows of text is 0.2")


def test_columns_of_numbers_are_compared_only_by_name() -> None:
    with pytest.raises(EvidenceError, match=r"no column of embeddings .* name several columns"):
        ask(table(1), table(2), "mmd")
    assert ask(table(1), table(2), "mmd", columns=["a", "b"], at_most=0.15).verdict is Verdict.PASS
    assert ask(table(1), table(2, turned=True), "mmd", columns=["a", "b"]).verdict is Verdict.FAIL


def test_no_unit_makes_a_column_count_more() -> None:
    reference, current = table(1), table(2, turned=True)
    found = ask(reference, current, "mmd", columns=["a", "c"]).estimate
    scaled = ask(reference * [1e6, 1, 1], current * [1e6, 1, 1], "mmd", columns=["a", "c"]).estimate
    assert found is not None
    assert scaled is not None
    assert found.value == pytest.approx(scaled.value, abs=1e-6)


def test_rows_with_a_missing_vector_are_left_out_and_counted() -> None:
    gaps = vectors(2)
    gaps.loc[:9, "text"] = None
    result = ask(vectors(1), gaps, "mmd")
    assert "of 300 and 290 rows" in result.message
    assert "10 rows with a missing value are left out." in result.message


def test_what_has_no_distance_is_refused() -> None:
    words = vectors(1, word=["x"] * 300)
    with pytest.raises(EvidenceError, match="the column 'word' holds text, which has no distance"):
        ask(words, words, "mmd", columns=["text", "word"])
    infinite = vectors(2)
    infinite["text"] = [np.full(8, np.inf), *infinite["text"][1:]]
    with pytest.raises(EvidenceError, match="infinite values have no distance"):
        ask(vectors(1), infinite, "mmd")


def test_few_vectors_are_blind() -> None:
    result = ask(vectors(1, 12), vectors(2, 12), "mmd")
    assert result.verdict is Verdict.ERROR
    assert "A discrepancy of 0.3" in result.message
    assert "Give about " in result.message


# --- the question


@pytest.mark.parametrize(
    ("method", "arguments", "why"),
    [
        ("domain_classifier", {"at_most": 0.1}, "an AUC is 0.5 where nothing is told apart"),
        ("domain_classifier", {"at_most": 1.0}, "an AUC is 0.5"),
        ("domain_classifier", {}, "say at_most=.*0.6 is a usual start"),
        ("domain_classifier", {"at_most": 0.6, "warn_above": 0.4}, "would always warn: .* 0.5"),
        ("mmd", {"at_most": 1.0}, "a discrepancy is 0 or more"),
        ("mmd", {"at_most": 0.1, "warn_above": -0.1}, "would always warn"),
        ("mmd", {"at_most": 0.1, "proof": "maybe"}, "unknown proof"),
        ("mmd", {"at_most": 0.1, "max_blind": 0}, "max_blind=0 must be a number above 0"),
        ("mmd", {"at_most": 0.1, "columns": "text"}, "is one text"),
        ("mdd", {"at_most": 0.1}, "did you mean 'mmd'"),
    ],
)
def test_questions_that_make_no_sense(method: str, arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(MlopsUsageError, match=why):
        JointDrift.ask(method, **arguments)


def test_the_question_is_told_in_full() -> None:
    spec = JointDrift.ask("domain_classifier", columns=["b", "a"], at_most=0.6, warn_above=0.55).spec
    assert spec.id == "drift:domain_classifier"
    assert spec.asked == {
        "subject": "domain_classifier",
        "columns": ["a", "b"],
        "at_most": 0.6,
        "warn_above": 0.55,
        "proof": "table",
        "max_blind": pytest.approx(0.2),
    }
