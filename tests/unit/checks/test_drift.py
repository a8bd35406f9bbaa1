"""Does the current sample come from where the reference came from?"""

from __future__ import annotations

import datetime
import json
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pytest_mlops import CheckResult, Evaluation, MlopsUsageError, Verdict
from pytest_mlops.checks.answering import answer
from pytest_mlops.checks.drift import Drift
from pytest_mlops.checks.spec import Settings
from pytest_mlops.evidence.profile import ColumnProfile, Profile
from pytest_mlops.evidence.profile_file import for_file
from pytest_mlops.evidence.samples import sample_of
from pytest_mlops.evidence.sources import Sources

METHODS = ["auto", "ks", "cramers_v", "wasserstein", "psi", "jensen_shannon", "hellinger"]
OF_ANY_COLUMN = ["auto", "cramers_v", "psi", "jensen_shannon", "hellinger"]
N = 4000


def ask(method: str = "auto", **known: Any) -> Drift:
    defaults = {"columns": None, "at_most": 0.1, "warn_above": None, "proof": "table", "max_blind": None, "name": None}
    return Drift.ask(method, **{**defaults, **known})


def compare(reference: Any, current: Any, method: str = "auto", **known: Any) -> CheckResult:
    sources = Sources(None, reference=reference, current=current)
    return answer(ask(method, **known), sources, Settings(), on_error=_raise)


def _raise(error: Exception) -> None:
    raise error


def part(result: CheckResult, *names: str) -> CheckResult:
    (found,) = [each for each in result.parts if each.id == ":".join([result.id, *names])]
    return found


def normal(shift: float = 0.0, *, seed: int = 0, n: int = N) -> Any:
    return np.random.default_rng(seed).normal(shift, size=n)


def pick(*shares: float, seed: int = 0, n: int = N) -> Any:
    return np.random.default_rng(seed).choice(list("abcdefgh")[: len(shares)], size=n, p=shares).astype(object)


def verdicts(result: CheckResult) -> dict[str, str]:
    return {each.id.removeprefix(result.id + ":"): each.verdict.value for each in result.parts}


# --- the arguments


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"at_most": None}, "0.1 is a usual start"),
        ({"at_most": 0}, "above 0"),
        ({"at_most": -0.1}, "above 0"),
        ({"at_most": math.nan}, "above 0"),
        ({"at_most": math.inf}, "finite"),
        ({"at_most": True}, "above 0"),
        ({"at_most": 1.0}, "lets pass any drift"),
        ({"at_most": 10}, "did you mean 0.1"),
        ({"warn_above": 0.2}, "never warn"),
        ({"warn_above": -0.1}, "always warn"),
        ({"proof": "show"}, "did you mean 'shown'"),
        ({"max_blind": 0}, "max_blind"),
        ({"columns": "age"}, r"\['age'\]"),
        ({"columns": []}, "at least one"),
        ({"columns": [1]}, "no names"),
        ({"columns": 3}, "no names"),
        ({"name": ""}, "name"),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(known: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        _ = ask(**known).spec


@pytest.mark.parametrize(("method", "hint"), [("wasserstien", "wasserstein"), ("PSI", "psi"), ("chi", "chi2")])
def test_a_misspelt_method_is_refused_with_a_hint(method: str, hint: str) -> None:
    with pytest.raises(MlopsUsageError, match=hint):
        ask(method)


def test_a_whole_spread_is_no_limit_but_a_psi_above_1_is() -> None:
    with pytest.raises(MlopsUsageError, match="whole spread"):
        ask("wasserstein", at_most=1.5)
    assert ask("psi", at_most=1.5).limits.bound == 1.5


def test_equal_questions_have_equal_specs() -> None:
    assert ask("chi2", columns=["b", "a", "b"]).spec == ask("cramers_v", columns=("a", "b")).spec
    assert ask("chi2").spec.id == "drift:cramers_v"
    asked = [ask(**known).spec.asked for known in ({}, {"at_most": 0.2}, {"warn_above": 0.05}, {"proof": "shown"})]
    asked += [ask(**known).spec.asked for known in ({"max_blind": 0.5}, {"columns": ["a"]})]
    assert len({json.dumps(each, sort_keys=True) for each in asked}) == len(asked)


# --- the verdicts


@pytest.mark.parametrize("method", METHODS)
def test_a_shifted_number_fails_and_is_named(method: str) -> None:
    reference = {"age": normal(), "height": normal(seed=1), "weight": normal(seed=2)}
    current = {"age": normal(0.8, seed=3), "height": normal(seed=4), "weight": normal(seed=5)}
    result = compare(reference, current, method)
    assert result.verdict == "FAIL"
    assert part(result, "age").verdict == "FAIL"
    assert part(result, "height").verdict in ("PASS", "INCONCLUSIVE")
    assert "age" in result.message
    assert result.estimate == part(result, "age").estimate
    assert result.limits is not None
    assert result.limits.at_most == 0.1


@pytest.mark.parametrize("method", METHODS)
def test_unchanged_numbers_pass(method: str) -> None:
    result = compare({"age": normal(), "b": normal(seed=1)}, {"age": normal(seed=2), "b": normal(seed=3)}, method)
    assert result.verdict == "PASS", result.message
    assert "no drift in 2 parts" in result.message
    assert "Largest effect" in result.message


@pytest.mark.parametrize("method", OF_ANY_COLUMN)
def test_swapped_categories_fail(method: str) -> None:
    result = compare({"colour": pick(0.7, 0.2, 0.1)}, {"colour": pick(0.2, 0.7, 0.1, seed=1)}, method)
    assert result.verdict == "FAIL"
    assert compare({"colour": pick(0.7, 0.3)}, {"colour": pick(0.7, 0.3, seed=1)}, method).verdict == "PASS"


def test_a_category_never_seen_before_is_an_ordinary_drift() -> None:
    result = compare({"c": pick(0.5, 0.5, 0.0)}, {"c": pick(0.4, 0.4, 0.2, seed=1)})
    assert result.verdict == "FAIL"
    assert result.estimate is not None
    assert result.estimate.value > 0.2


def test_a_small_drift_only_warns() -> None:
    result = compare({"a": normal()}, {"a": normal(0.1, seed=1)}, warn_above=0.02)
    assert result.verdict == "WARN"
    assert "a: KS distance" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_the_same_sample_passes_where_it_is_large(method: str) -> None:
    assert compare({"a": normal()}, {"a": normal()}, method).verdict == "PASS"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_few_rows_are_blind_and_never_pass(method: str, n: int) -> None:
    for shift in (0.0, 0.5):
        result = compare({"a": normal(n=n)}, {"a": normal(shift, n=n, seed=1)}, method)
        assert result.verdict in ("ERROR", "FAIL"), result.message
    assert compare({"a": normal(n=n)}, {"a": normal(n=n)}, method).verdict == "ERROR"


@pytest.mark.parametrize("method", METHODS)
def test_the_ways_out_of_a_blind_check_work(method: str) -> None:
    result = compare({"a": normal(n=20)}, {"a": normal(n=20, seed=1)}, method)
    assert "test set too small" in result.message
    found = result.message.split("Give about ")[1].split(" values")[0]
    n = int(found.replace(",", ""))
    enough = compare({"a": normal(n=n)}, {"a": normal(n=n, seed=1)}, method)
    assert part(enough, "a").verdict in ("PASS", "INCONCLUSIVE")
    fewer = compare({"a": normal(n=n // 2)}, {"a": normal(n=n // 2, seed=1)}, method)
    assert part(fewer, "a").verdict == "ERROR"
    if "use at_most=" in result.message:
        limit = float(result.message.split("use at_most=")[1].split(" or more")[0])
        wider = compare({"a": normal(n=20)}, {"a": normal(n=20, seed=1)}, method, at_most=limit)
        assert part(wider, "a").verdict in ("PASS", "INCONCLUSIVE")


@pytest.mark.parametrize("method", METHODS)
def test_no_other_limit_is_a_way_out_where_the_blind_spot_was_given(method: str) -> None:
    result = compare({"a": normal(n=20)}, {"a": normal(n=20, seed=1)}, method, max_blind=0.15)
    assert "values in each sample, or raise max_blind=." in result.message


@pytest.mark.parametrize("method", OF_ANY_COLUMN)
@pytest.mark.parametrize("suppress_below", [5, 600])
def test_a_cell_that_hides_what_shares_would_show_is_never_green(method: str, suppress_below: int) -> None:
    """0 and 1 are one cell where either is rare; half of the numbers are."""
    flags, others = (np.arange(1_000) < 3).astype(float), (np.arange(1_000) < 900).astype(float)
    sample = sample_of({"flag": flags, "a": normal(n=1_000)}, "reference")
    profile = for_file(Profile(1_000, sample.profiles(sample.names)), suppress_below=suppress_below)  # type: ignore[arg-type]
    result = compare(profile, {"flag": others, "a": normal(n=1_000)}, method)
    assert part(result, "flag").verdict == "ERROR"
    assert "make the profile with a smaller --suppress-below" in part(result, "flag").message
    assert part(result, "a").verdict == ("ERROR" if suppress_below == 600 else "PASS")
    assert "picture" not in part(result, "flag").details


def test_proof_shown_leaves_two_outcomes() -> None:
    assert compare({"a": normal()}, {"a": normal(seed=1)}, proof="shown").verdict == "PASS"
    assert compare({"a": normal(n=300)}, {"a": normal(seed=1, n=300)}, proof="shown").verdict == "FAIL"
    ids = {"id": np.array([f"id {i}" for i in range(N)], dtype=object)}
    assert compare(ids, ids, proof="shown").verdict == "FAIL"


def test_a_drift_in_one_of_a_hundred_columns_is_found() -> None:
    reference = {f"c{i}": normal(seed=i) for i in range(100)}
    current = {f"c{i}": normal(0.5 if i == 77 else 0.0, seed=1000 + i) for i in range(100)}
    result = compare(reference, current)
    assert [name for name, verdict in verdicts(result).items() if verdict == "FAIL"] == ["c77"]
    details = part(result, "c77").details
    assert details["comparisons"] == 100
    found = part(result, "c77").estimate
    assert found is not None
    assert found.p_value is not None
    assert found.p_value > details["p_value"]


def test_at_most_five_columns_are_spelt_out() -> None:
    reference = {f"c{i}": normal(seed=i) for i in range(8)}
    result = compare(reference, {f"c{i}": normal(1.0, seed=i) for i in range(8)})
    assert result.message.count("KS distance") == 5
    assert "And 3 more: " in result.message


def test_a_much_larger_reference_hides_no_drift() -> None:
    reference = {"c": pick(0.5, 0.5, n=200_000), "b": np.random.default_rng(0).random(200_000) < 0.5}
    current = {"c": pick(0.2, 0.8, n=1000, seed=1), "b": np.random.default_rng(1).random(1000) < 0.8}
    assert set(verdicts(compare(reference, current)).values()) == {"FAIL"}


# --- which columns


def test_a_dropped_column_cannot_be_judged_and_an_added_one_is_named() -> None:
    result = compare({"a": normal(), "gone": normal()}, {"a": normal(seed=1), "new": normal()})
    assert verdicts(result) == {"a": "PASS", "gone": "ERROR"}
    assert result.verdict == "ERROR"
    assert "the current sample has no such column" in result.message
    assert "New, with nothing to compare to: new" in result.message
    assert result.details["added_columns"] == ["new"]


def test_only_the_columns_asked_for_are_judged() -> None:
    result = compare({"a": normal(), "b": normal(), "gone": normal()}, {"a": normal(), "b": normal(9)}, columns=["a"])
    assert verdicts(result) == {"a": "PASS"}


@pytest.mark.parametrize("side", ["reference", "current"])
def test_a_column_that_is_not_there_is_an_error_with_a_hint(side: str) -> None:
    frames = {"reference": {"height": normal(), "a": normal()}, "current": {"height": normal(), "a": normal()}}
    del frames[side]["height"]
    frames[side]["heigth"] = normal()
    result = compare(frames["reference"], frames["current"], columns=["height"])
    assert result.verdict == "ERROR"
    assert f"mlops_{side}" in result.message
    assert "did you mean 'heigth'?" in result.message


def test_no_common_column_is_an_error() -> None:
    result = compare({"a": normal()}, {"b": normal()})
    assert result.verdict == "ERROR"
    assert "no column in common" in result.message


@pytest.mark.parametrize("missing", ["reference", "current"])
def test_a_missing_sample_is_an_error(missing: str) -> None:
    samples: dict[str, Any] = {"reference": {"a": normal()}, "current": {"a": normal()}, missing: None}
    result = compare(samples["reference"], samples["current"])
    assert result.verdict == "ERROR"
    assert f"mlops_{missing}" in result.message


@pytest.mark.parametrize("empty", [{}, {"a": np.array([])}, pd.DataFrame({"a": []})], ids=["dict", "array", "frame"])
def test_an_empty_sample_is_an_error(empty: Any) -> None:
    for reference, current in ((empty, {"a": normal()}), ({"a": normal()}, empty)):
        assert compare(reference, current).verdict == "ERROR"


# --- what columns hold


@pytest.mark.parametrize("method", ["ks", "wasserstein"])
def test_a_method_for_numbers_refuses_text(method: str) -> None:
    frame = {"a": normal(), "colour": pick(0.5, 0.5)}
    result = compare(frame, frame, method)
    assert verdicts(result) == {"a": "PASS", "colour": "ERROR"}
    assert 'method="auto"' in part(result, "colour").message
    asked = compare(frame, frame, method, columns=["a", "colour"])
    assert (asked.verdict, asked.parts) == ("ERROR", ())
    assert 'method="auto"' in asked.message


def test_numbers_against_text_is_an_error() -> None:
    numbers = np.arange(N) % 7
    result = compare({"a": numbers}, {"a": numbers.astype(str).astype(object)})
    assert result.verdict == "ERROR"
    assert "the reference holds numbers and the current sample text" in result.message


def test_dates_against_numbers_is_an_error() -> None:
    dates = np.datetime64("2020-01-01") + np.arange(N)
    assert compare({"a": dates}, {"a": np.arange(N)}).verdict == "ERROR"


def _as_decimals(values: Any) -> Any:
    return np.array([Decimal(int(value)) for value in values], dtype=object)


OTHER_TYPES = {
    "float64": lambda values: values.astype(float),
    "float32": lambda values: values.astype(np.float32),
    "uint8": lambda values: values.astype(np.uint8),
    "object": lambda values: values.astype(object),
    "pandas": lambda values: pd.Series(values, dtype="Int64"),
    "polars": pl.Series,
    "decimal": _as_decimals,
}


@pytest.mark.parametrize("other", OTHER_TYPES.values(), ids=OTHER_TYPES)
@pytest.mark.parametrize("high", [2, 7])
@pytest.mark.parametrize("method", METHODS)
def test_the_type_of_numbers_does_not_matter(method: str, high: int, other: Any) -> None:
    reference, current = (np.random.default_rng(seed).integers(0, high, N) for seed in (0, 1))
    plain = compare({"a": reference}, {"a": current}, method)
    for pair in ((reference, other(current)), (other(reference), current), (other(reference), other(current))):
        result = compare({"a": pair[0]}, {"a": pair[1]}, method)
        assert result.estimate == plain.estimate
        assert result.verdict == plain.verdict


@pytest.mark.parametrize("method", METHODS)
def test_booleans_are_0_and_1(method: str) -> None:
    reference, current = (np.random.default_rng(seed).random(N) < 0.3 for seed in (0, 1))
    plain = compare({"a": reference}, {"a": current}, method)
    for other in (int, float, object):
        assert compare({"a": reference}, {"a": current.astype(other)}, method).estimate == plain.estimate


@pytest.mark.parametrize("method", METHODS)
def test_float32_is_not_another_column(method: str) -> None:
    values = np.random.default_rng(0).choice([0.1, 0.2, 0.7, 1.3], N)
    result = compare({"a": values}, {"a": values.astype(np.float32)}, method)
    assert result.estimate is not None
    assert result.estimate.value == 0
    assert result.verdict == "PASS"


def test_dates_in_all_their_forms_are_numbers() -> None:
    days = np.random.default_rng(0).integers(0, 3000, N)
    dates = np.datetime64("2015-01-01") + days
    stamps = dates.astype("datetime64[ns]")
    objects = np.array([datetime.date(2015, 1, 1) + datetime.timedelta(days=int(day)) for day in days], dtype=object)
    aware = pd.Series(stamps).dt.tz_localize("UTC")
    for form in (dates, stamps, objects, aware):
        same = compare({"when": dates}, {"when": form})
        assert same.estimate is not None
        assert (same.verdict, same.estimate.value) == ("PASS", 0)
    assert compare({"when": dates}, {"when": dates + 800}).verdict == "FAIL"
    assert compare({"when": dates}, {"when": dates + 800}, "wasserstein").verdict == "FAIL"


def test_durations_are_numbers() -> None:
    spans = np.random.default_rng(0).integers(0, 3000, N).astype("timedelta64[s]")
    assert compare({"t": spans}, {"t": np.array(spans.tolist(), dtype=object)}).verdict == "PASS"
    assert compare({"t": spans}, {"t": spans * 2}).verdict == "FAIL"


FORMS_OF_TEXT = {
    "pandas": lambda values: pd.Series(pd.Categorical(values)),
    "polars": lambda values: pl.Series(values.tolist(), dtype=pl.Categorical),
    "numpy": lambda values: values.astype(str),
}


@pytest.mark.parametrize("form", FORMS_OF_TEXT.values(), ids=FORMS_OF_TEXT)
def test_text_in_all_its_forms_is_categories(form: Any) -> None:
    values = pick(0.5, 0.3, 0.2)
    result = compare({"c": values}, {"c": form(values)})
    assert result.estimate is not None
    assert (result.verdict, result.estimate.value) == ("PASS", 0)


def test_identifiers_cannot_be_assessed_and_never_pass() -> None:
    ids = [np.array([f"{side}{i}" for i in range(500)], dtype=object) for side in "xy"]
    result = compare({"id": ids[0]}, {"id": ids[1]})
    assert result.verdict == "INCONCLUSIVE"
    assert "Could not be assessed: 1 part: id" in result.message
    same = {"a": normal(n=500), "b": normal(n=500)}
    beside = compare({"id": ids[0], **same}, {"id": ids[1], **same}, at_most=0.2)
    assert beside.verdict == "PASS"
    assert "Could not be assessed: 1 part: id" in beside.message


def test_what_cannot_be_compared_is_an_error() -> None:
    lists = np.empty(N, dtype=object)
    lists[:] = [[1], ["a"]] * (N // 2)
    for values in (lists, normal().astype(complex)):
        result = compare({"a": values, "b": normal()}, {"a": values, "b": normal()})
        assert verdicts(result) == {"a": "ERROR", "b": "PASS"}
        assert "a cannot be judged" in part(result, "a").message


def test_infinite_values_have_a_rank_but_no_distance() -> None:
    values = np.where(np.arange(N) % 10 == 0, math.inf, normal())
    for method, verdict in (("auto", "PASS"), ("psi", "PASS"), ("cramers_v", "PASS"), ("wasserstein", "ERROR")):
        assert compare({"a": values}, {"a": values}, method).verdict == verdict
    assert compare({"a": values}, {"a": normal()}, columns=["a"], at_most=0.05).verdict == "FAIL"


# --- constants


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_passes_exactly_if_rows_are_enough(method: str) -> None:
    result = compare({"a": np.ones(N)}, {"a": np.ones(N)}, method)
    assert result.verdict == "PASS"
    assert result.estimate is not None
    assert result.estimate.exact
    assert compare({"a": np.ones(3)}, {"a": np.ones(3)}, method).verdict == "ERROR"
    assert compare({"a": np.ones(N)}, {"a": np.ones(3)}, method).verdict == "ERROR"


@pytest.mark.parametrize("method", METHODS)
def test_another_constant_never_passes(method: str) -> None:
    for current in (np.zeros(N), normal()):
        assert compare({"a": np.ones(N)}, {"a": current}, method).verdict in ("FAIL", "ERROR")


def test_a_constant_text() -> None:
    assert compare({"a": pick(1.0)}, {"a": pick(1.0)}).verdict == "PASS"
    assert compare({"a": pick(1.0)}, {"a": pick(0.0, 1.0)}).verdict == "FAIL"


# --- missing values


def with_missing(values: Any, share: float, seed: int = 0) -> Any:
    missing = np.random.default_rng(seed).random(len(values)) < share
    return np.where(missing, None if values.dtype == object else math.nan, values)


@pytest.mark.parametrize("method", METHODS)
def test_more_missing_values_are_a_drift_of_their_own(method: str) -> None:
    result = compare({"a": normal()}, {"a": with_missing(normal(seed=1), 0.3)}, method)
    assert verdicts(result) == {"a": "PASS", "a:missing": "FAIL"}
    assert "a (missing values): " in result.message


@pytest.mark.parametrize("method", METHODS)
def test_as_many_missing_values_are_none(method: str) -> None:
    values = [with_missing(normal(seed=seed), 0.2, seed) for seed in (1, 2)]
    assert verdicts(compare({"a": values[0]}, {"a": values[1]}, method)) == {"a": "PASS", "a:missing": "PASS"}


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, pd.NaT], ids=["None", "NaN", "NA", "NaT"])
def test_missing_text_in_all_its_forms(missing: Any) -> None:
    values = pick(0.5, 0.5)
    values[::4] = missing
    result = compare({"c": pick(0.5, 0.5)}, {"c": values})
    assert verdicts(result) == {"c": "PASS", "c:missing": "FAIL"}


def test_missing_dates() -> None:
    dates = (np.datetime64("2015-01-01") + np.arange(N)).astype("datetime64[ns]")
    gaps = dates.copy()
    gaps[::3] = np.datetime64("NaT")
    assert verdicts(compare({"when": dates}, {"when": gaps})) == {"when": "PASS", "when:missing": "FAIL"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [normal(), np.arange(N) % 2], ids=["numbers", "yes or no"])
@pytest.mark.parametrize("emptied", ["reference", "current"])
def test_a_column_without_any_value_on_one_side_fails(method: str, values: Any, emptied: str) -> None:
    for nothing in (np.full(N, math.nan), np.full(N, None)):
        samples = {"reference": {"a": values}, "current": {"a": values}, emptied: {"a": nothing}}
        result = compare(samples["reference"], samples["current"], method)
        assert verdicts(result) == {"a:missing": "FAIL"}
        assert f"The {emptied} sample has no other value" in part(result, "a", "missing").message


def test_a_column_without_any_value_on_both_sides_cannot_be_assessed() -> None:
    result = compare({"a": np.full(N, math.nan)}, {"a": np.full(N, None)})
    assert result.verdict == "INCONCLUSIVE"
    assert "no row of either sample has a value" in part(result, "a").message


# --- rows in an order


def seasons(days: int, *, start: int = 0, shift: float = 0.0, seed: int = 0) -> dict[str, Any]:
    """20 rows a day; the temperature goes with the year, noise does not."""
    day = np.repeat(np.arange(start, start + days), 20)
    rng = np.random.default_rng(seed)
    return {
        "day": np.datetime64("2020-01-01") + day,
        "temperature": np.sin(day * 2 * np.pi / 365) + 0.2 * rng.normal(size=day.size) + shift,
        "noise": rng.normal(size=day.size) + shift,
        "weather": np.where(rng.random(day.size) < 0.5 + 0.4 * np.sin(day * 2 * np.pi / 365), "sun", "rain"),
        "gaps": np.where(rng.random(day.size) < 0.3 + 0.2 * np.sin(day * 2 * np.pi / 365), np.nan, day % 2),
    }


@pytest.mark.parametrize("method", METHODS[:1] + METHODS[2:])
def test_a_season_is_not_called_drift(method: str) -> None:
    reference, current = seasons(730), seasons(30, start=730, seed=1)
    columns = ["temperature", "noise", "gaps"] + (["weather"] if method in OF_ANY_COLUMN else [])
    known: dict[str, Any] = {"at_most": 0.1, "max_blind": 50.0, "columns": columns}
    assert "FAIL" in verdicts(compare(reference, current, method, **known)).values()
    result = compare(reference, current, method, time="day", **known)
    assert "FAIL" not in verdicts(result).values(), result.message
    assert "day" not in verdicts(result)
    details = part(result, "temperature").details
    assert details["blocks"] == 24
    assert details["noise_floor"] > 0.3
    assert "The reference's own 24 stretches differ by up to" in part(result, "temperature").message
    assert part(result, "gaps", "missing").details["blocks"] == 24


def test_a_shift_beyond_all_seasons_is() -> None:
    reference, current = seasons(730), seasons(30, start=730, seed=1, shift=3.0)
    result = compare(reference, current, "wasserstein", time="day", columns=["noise", "temperature"], max_blind=50)
    assert verdicts(result) == {"noise": "FAIL", "temperature": "FAIL"}
    assert "the reference's own 24 stretches differ by up to" in result.message


@pytest.mark.parametrize(("days", "stretches"), [(100, "3 stretches"), (40, "1 stretch"), (20, "0 stretches")])
def test_too_short_a_reference_cannot_tell_a_season_from_drift(days: int, stretches: str) -> None:
    reference, current = seasons(days), seasons(30, start=days, shift=3.0)
    result = compare({**reference, "gone": reference["noise"]}, {**current, "gone": current["noise"]}, time="day")
    assert set(verdicts(result).values()) == {"INCONCLUSIVE"}
    assert result.verdict == "INCONCLUSIVE"
    assert f"the reference holds only {stretches} as long as the current sample; 6 are needed" in result.message
    assert compare(reference, current, time="day", proof="shown").verdict == "FAIL"
    assert compare({**reference, "gone": reference["noise"]}, current, time="day").verdict == "ERROR"


def test_a_constant_needs_no_seasons() -> None:
    reference, current = ({"t": np.arange(n), "x": np.ones(n)} for n in (9 * N, N))
    result = compare(reference, current, time="t")
    assert verdicts(result) == {"x": "PASS"}


def test_a_column_that_most_stretches_lack_cannot_be_told_from_a_season() -> None:
    time = np.arange(10 * N)
    late = np.where(time < 7 * N, np.nan, np.random.default_rng(0).normal(size=time.size))
    result = compare({"t": time, "x": late}, {"t": time[:N], "x": normal(1.0)}, time="t", columns=["x"])
    assert verdicts(result)["x"] == "INCONCLUSIVE"
    assert "stretches of the reference have a value of it" in part(result, "x").message


def test_a_time_that_is_not_there_is_an_error_with_a_hint() -> None:
    result = compare(seasons(200), seasons(20), time="dya")
    assert result.verdict == "ERROR"
    assert "did you mean 'day'?" in result.message
    assert compare({"day": np.arange(N)}, {"day": np.arange(N)}, time="day").verdict == "ERROR"


# --- predictions


def judged(seed: int, shift: float = 0.0, **known: Any) -> Evaluation:
    score = normal(shift, seed=seed)
    return Evaluation(
        (normal(seed=seed + 1) > 0).astype(int), (score > 0).astype(int), score, sensitive_features=known, labels=[0, 1]
    )


def test_an_evaluation_is_its_predictions_scores_and_sensitive_features() -> None:
    reference, current = judged(0, sex=pick(0.5, 0.5)), judged(10, sex=pick(0.5, 0.5, seed=1))
    expected = {"sex": "PASS", "prediction": "PASS", "score": "PASS", "label": "PASS"}
    assert verdicts(compare(reference, current)) == expected
    drifted = compare(reference, judged(10, 0.7, sex=pick(0.2, 0.8, seed=1)))
    assert verdicts(drifted) == {**dict.fromkeys(expected, "FAIL"), "label": "PASS"}


def test_labels_that_are_numbers_are_categories_and_quantities_are_numbers() -> None:
    labels = [Evaluation(np.arange(N) % 3, np.random.default_rng(seed).integers(0, 3, N)) for seed in (0, 1)]
    assert part(compare(labels[0], labels[1]), "prediction").details["method"] == "cramers_v"
    quantities = [Evaluation(normal(seed=seed), normal(seed=seed + 5)) for seed in (0, 1)]
    assert part(compare(quantities[0], quantities[1]), "prediction").details["method"] == "ks"


def test_the_columns_of_an_evaluation_say_what_they_hold() -> None:
    result = compare(judged(0, sex=pick(0.5, 0.5)), judged(10, 0.7, sex=pick(0.5, 0.5, seed=1)))
    roles = {each.details["column"]: each.details.get("role") for each in result.parts}
    assert roles == {"sex": None, "label": "label", "prediction": "prediction", "score": "score"}
    assert "prediction drift: KS" not in result.message
    assert "prediction drift: Cramér's V" in result.message
    frame = {"label": pick(0.5, 0.5), "prediction": pick(0.5, 0.5)}
    assert all("role" not in each.details for each in compare(frame, frame).parts)


def test_each_label_of_several_says_so_too() -> None:
    rng = np.random.default_rng(0)
    several = [Evaluation(rng.random((N, 2)) < 0.5, rng.random((N, 2)) < 0.5, labels=["a", "b"]) for _ in range(2)]
    result = compare(several[0], several[1])
    assert {each.details["role"] for each in result.parts} == {"prediction"}


def test_an_evaluation_compares_with_a_frame() -> None:
    current = judged(10)
    frame = pd.DataFrame({"prediction": current.y_pred, "score": current.y_score, "other": normal()})
    result = compare(judged(0), frame)
    assert verdicts(result) == {"prediction": "PASS", "score": "PASS"}
    assert "Not judged, for the current sample does not have it yet: label." in result.message
    assert verdicts(compare(judged(0), frame, columns=["score"])) == {"score": "PASS"}
    assert "mlops_current has no column 'label'" in compare(judged(0), frame, label="label").message


# --- what must not matter


def table(seed: int) -> dict[str, Any]:
    return {
        "number": normal(seed=seed, n=400),
        "count": np.random.default_rng(seed).poisson(2, 400),
        "text": pick(0.9, 0.07, 0.02, 0.01, seed=seed, n=400),
        "gaps": with_missing(pick(0.5, 0.5, seed=seed, n=400), 0.01, seed),
    }


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_rows_and_columns_does_not_matter(method: str) -> None:
    reference, current = table(0), table(1)
    plain = compare(reference, current, method)
    shuffled = {name: current[name][np.random.default_rng(5).permutation(400)] for name in reversed(current)}
    again = compare(dict(reversed(reference.items())), shuffled, method)
    assert {each.id: each.to_dict() for each in again.parts} == {each.id: each.to_dict() for each in plain.parts}
    assert again.estimate == plain.estimate


LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": lambda data: pl.DataFrame(data).to_arrow()}


@pytest.mark.parametrize("frame", LIBRARIES.values(), ids=LIBRARIES)
def test_the_library_of_a_frame_does_not_matter(frame: Any) -> None:
    reference, current = table(0), table(1)
    plain = {each.id: each.estimate for each in compare(reference, current).parts}
    assert {each.id: each.estimate for each in compare(frame(reference), frame(current)).parts} == plain


@pytest.mark.parametrize("method", METHODS)
def test_results_cross_as_json(method: str) -> None:
    for current in (table(1), {"number": normal(n=3)}):
        result = compare(table(0), current, method)
        assert CheckResult.from_json(result.to_json()).to_dict() == result.to_dict()


def test_a_profile_stands_in_for_the_rows() -> None:
    rows = sample_of(table(0), "reference")
    profile = Profile(
        400, {name: of for name, of in rows.profiles(rows.names).items() if isinstance(of, ColumnProfile)}
    )
    plain, again = compare(table(0), table(1)), compare(profile, table(1))
    assert again.to_dict() == plain.to_dict()
    assert "a profile" in compare(profile, table(1), time="number").message


def test_very_many_values_are_counted_in_cells_and_it_is_said() -> None:
    result = compare({"a": normal(n=60_000)}, {"a": normal(0.02, n=60_000, seed=1)})
    found = part(result, "a")
    assert 0.0005 < found.details["error"] <= 0.001
    assert f"Counted in cells, which hides at most {found.details['error']:.4g} more." in found.message
    assert "error" not in part(compare({"a": normal()}, {"a": normal(seed=1)}), "a").details


def test_hostile_names_keep_their_ids_apart() -> None:
    names = ["a", "a:missing", "a\nb", "é", ""]
    result = compare({name: normal() for name in names}, {name: with_missing(normal(seed=1), 0.1) for name in names})
    assert len({each.id for each in result.parts}) == 2 * len(names)


def test_a_verdict_does_not_depend_on_what_else_is_asked_of_the_same_columns() -> None:
    alone = compare({"number": table(0)["number"]}, {"number": table(1)["number"]}, columns=["number"])
    named = compare(table(0), table(1), columns=["number"])
    assert alone.to_dict() == named.to_dict()
    assert isinstance(alone.verdict, Verdict)
