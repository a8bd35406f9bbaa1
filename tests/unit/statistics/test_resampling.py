"""The row bootstrap against scipy, and what it says of functions that somebody else wrote."""

from __future__ import annotations

import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap as scipy_bootstrap

from pytest_mlops import Estimate, EvidenceError, MlopsUsageError
from pytest_mlops.statistics import resampling
from pytest_mlops.statistics.resampling import Units

Places = NDArray[np.intp]
ROWS = np.random.default_rng(3).exponential(size=40)


def mean(places: Places) -> float:
    return float(ROWS[places].mean())


def bootstrap(of: Any = mean, n: int = ROWS.size, *, seed: int = 0, **wishes: Any) -> Estimate:
    return resampling.bootstrap(of, n, confidence=0.95, generator=np.random.default_rng(seed), **wishes)


@pytest.mark.parametrize("method", ["percentile", "basic"])
def test_it_holds_the_intervals_of_scipy(method: Any) -> None:
    theirs = scipy_bootstrap((ROWS,), np.mean, method=method, n_resamples=5_000)
    ours, slack = bootstrap(), 0.05 * float(theirs.standard_error)
    assert ours.value == ROWS.mean()
    assert ours.low <= theirs.confidence_interval.low + slack
    assert ours.high >= theirs.confidence_interval.high - slack
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.high - ours.low < 1.4 * width


def test_the_same_seed_gives_the_same_bits() -> None:
    assert bootstrap() == bootstrap()
    assert bootstrap() != bootstrap(seed=1)


def test_the_p_value_says_whether_it_is_below_0() -> None:
    p_values = [bootstrap(lambda places, shift=shift: mean(places) - shift).p_value for shift in (0.0, 1.0, 3.0)]
    assert p_values[0] > 0.99  # type: ignore[operator]
    assert 0.05 < p_values[1] < 0.95  # type: ignore[operator]
    assert p_values[2] < 0.001  # type: ignore[operator]


def test_no_share_of_resamples_is_ever_0() -> None:
    estimate = bootstrap(lambda places: mean(places) - 100, resamples=200)
    assert estimate.p_value == pytest.approx(1 / 201)


def test_without_variation_the_width_is_0_and_nothing_else_is_claimed() -> None:
    estimate = bootstrap(lambda places: 0.7)
    assert estimate.low == estimate.high == 0.7
    assert (estimate.p_value, estimate.standard_error, estimate.exact) == (None, None, False)


def test_rounding_alone_is_no_variation() -> None:
    rows = np.full(40, 0.1)
    estimate = bootstrap(lambda places: float(np.sum(rows[places][::-1]) / places.size + 1e-17 * places[0]))
    assert estimate.low == estimate.high


def test_units_are_drawn_as_a_whole() -> None:
    codes = np.array([2, 0, 0, 5, 2, 2])
    units = Units.of(codes)
    assert units.count == 3
    assert units.effective == pytest.approx(36 / 14)
    generator = np.random.default_rng(0)
    for _ in range(50):
        drawn = np.bincount(units.draw(generator), minlength=6)
        times = {code: set(drawn[codes == code].tolist()) for code in (0, 2, 5)}
        assert all(len(counts) == 1 for counts in times.values())
        assert sum(counts.pop() for counts in times.values()) == 3


def test_rows_that_repeat_each_other_are_not_more_rows() -> None:
    repeated = np.repeat(ROWS, 10)
    estimate = bootstrap(
        lambda places: float(repeated[places].mean()), repeated.size, units=Units.of(np.repeat(np.arange(40), 10))
    )
    alone = bootstrap()
    assert estimate.high - estimate.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert estimate.n == 400
    assert estimate.doubt is None


def test_few_units_prove_nothing() -> None:
    estimate = bootstrap(units=Units.of(np.arange(40) % 5))
    assert estimate.doubt == "it rests on 5 units of rows, and 6 are needed"
    assert bootstrap(units=Units.of(np.arange(40) % 6)).doubt is None
    with pytest.raises(EvidenceError, match="at least two are needed"):
        bootstrap(units=Units.of(np.zeros(40, dtype=np.intp)))


def test_one_row_is_too_few_and_so_are_few_resamples() -> None:
    with pytest.raises(EvidenceError, match="at least two rows"):
        bootstrap(n=1)
    with pytest.raises(MlopsUsageError, match="resamples=49"):
        bootstrap(resamples=49)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "returned a NoneType, expected one number"),
        ([0.5], "returned a list, expected one number"),
        (np.array([0.5]), "returned a ndarray, expected one number"),
        (True, "returned a bool"),
        (np.True_, "returned a bool"),
        (1j, "returned a complex"),
        (float("nan"), "returned nan, expected a finite number"),
        (np.float32("inf"), "returned inf, expected a finite number"),
        (10**400, "too large for a float"),
    ],
)
def test_what_is_not_one_finite_number_is_an_error(answer: Any, words: str) -> None:
    with pytest.raises(EvidenceError, match=f"the metric has no value: it {words}|the metric has no value: .*{words}"):
        bootstrap(lambda places: answer)
    later = iter([0.5])
    with pytest.raises(
        EvidenceError, match=f"no value in 60 of 60 resamples of the rows: it .*{words}.*judge more rows"
    ):
        bootstrap(lambda places: next(later, answer), resamples=60)


def test_what_the_function_raises_is_told() -> None:
    with pytest.raises(EvidenceError, match="it raised ZeroDivisionError: division by zero") as caught:
        bootstrap(lambda places: 1 / 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(EvidenceError, match="the metric has no value: no score"):
        bootstrap(_refuse)


def _refuse(places: Places) -> float:
    raise EvidenceError("no score")


def test_it_is_said_in_how_many_resamples_there_is_no_value() -> None:
    rare = np.arange(40) < 3

    def of(places: Places) -> float:
        return float(ROWS[places][rare[places]].mean()) if rare[places].any() else float("nan")

    with pytest.raises(EvidenceError, match=r"no value in \d{2,3} of 2,000 resamples of the rows: it returned nan"):
        bootstrap(of)


def test_warnings_in_resamples_break_nothing() -> None:
    def of(places: Places) -> float:
        if np.unique(places).size < ROWS.size:
            warnings.warn("a class is missing", UserWarning, stacklevel=1)
            np.float64(1) / np.float64(0)
        return mean(places)

    assert bootstrap(of) == bootstrap()


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(np.arange(0, 1_000, 0.5))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    told: list[tuple[str, float]] = []
    bootstrap(resamples=50, tell=lambda words, share: told.append((words, share)))
    assert told[0] == ("resample 0 of 50", 0.0)
    assert 10 <= len(told) <= 30


def test_memory_does_not_grow_with_the_resamples() -> None:
    n = 200_000
    inputs = [np.random.default_rng(0).normal(size=n) for _ in range(3)]

    def of(places: Places) -> float:
        return sum(float(column[places].mean()) for column in inputs)

    codes = np.arange(n) % 20_000
    for units in (None, Units.of(codes)):
        tracemalloc.start()
        bootstrap(of, n, resamples=50, units=units)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * sum(column.nbytes for column in inputs)
