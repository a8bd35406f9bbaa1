"""The corrected t over retrainings, by hand and against scipy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from pytest_mlops import EvidenceError, MlopsUsageError
from pytest_mlops.statistics.retraining import Folds, improvement

CHAMPION = [0.80, 0.82, 0.79, 0.85, 0.81]
CHALLENGER = [0.81, 0.85, 0.78, 0.86, 0.84]
GIVEN: dict[str, Any] = {"champion": CHAMPION, "challenger": CHALLENGER, "n_train": 80, "n_test": 20}


def test_by_hand() -> None:
    """d = .01 .03 -.01 .01 .03: mean .014, s² = .00028; SE² = .00028 (1/5 + 1/4) = .000126."""
    found = improvement(Folds(**GIVEN), greater_is_better=True, confidence=0.95)
    se = math.sqrt(0.000126)
    assert found.value == pytest.approx(0.014, abs=1e-12)
    assert found.low == pytest.approx(0.014 - 2.7764451051977987 * se, abs=1e-12)
    assert found.high == pytest.approx(0.014 + 2.7764451051977987 * se, abs=1e-12)
    assert found.standard_error == pytest.approx(2.7764451051977987 / norm.ppf(0.975) * se, abs=1e-12)
    assert (found.null, found.n, found.exact) == (0.0, 5, False)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40).filter(
        lambda pairs: np.std([b - a for a, b in pairs]) > 1e-6
    ),
    st.integers(1, 1000),
    st.integers(1, 1000),
    st.floats(0.5, 0.999),
)
def test_as_scipy_has_it(pairs: list[tuple[float, float]], n_train: int, n_test: int, confidence: float) -> None:
    champion, challenger = map(list, zip(*pairs, strict=True))
    found = improvement(Folds(champion, challenger, n_train, n_test), greater_is_better=True, confidence=confidence)
    d = np.subtract(challenger, champion)
    se = d.std(ddof=1) * math.sqrt(1 / d.size + n_test / n_train)
    low, high = student.interval(confidence, d.size - 1, d.mean(), se)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(student.cdf(d.mean() / se, d.size - 1), rel=1e-7)


@given(st.permutations(range(5)))
def test_any_order_of_the_splits(order: list[int]) -> None:
    shuffled = Folds([CHAMPION[i] for i in order], [CHALLENGER[i] for i in order], 80, 20)
    asked: dict[str, Any] = {"greater_is_better": True, "confidence": 0.95}
    assert improvement(shuffled, **asked) == improvement(Folds(**GIVEN), **asked)


def test_of_a_loss_less_is_better() -> None:
    gain = improvement(Folds(**GIVEN), greater_is_better=True, confidence=0.9)
    loss = improvement(Folds(**GIVEN), greater_is_better=False, confidence=0.9)
    assert (loss.value, loss.low, loss.high) == (-gain.value, -gain.high, -gain.low)
    assert loss.p_value == pytest.approx(1 - (gain.p_value or 0))


def test_identical_scores_are_an_exact_zero() -> None:
    found = improvement(Folds(**GIVEN | {"challenger": CHAMPION}), greater_is_better=True, confidence=0.95)
    assert (found.value, found.low, found.high, found.exact, found.method) == (0, 0, 0, True, "identical scores")
    assert found.p_value == 1.0


@pytest.mark.parametrize("shift", [0.01, -0.3, 1e-15])
def test_differences_that_do_not_vary(shift: float) -> None:
    """Rounding makes some of these differ in their last digit."""
    shifted = GIVEN | {"challenger": [score + shift for score in CHAMPION]}
    with pytest.raises(EvidenceError, match=r"all 5 differences .* are equal"):
        improvement(Folds(**shifted), greater_is_better=True, confidence=0.95)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ({"champion": CHAMPION[:4]}, "4 scores of the champion and 5 of the challenger"),
        ({"champion": [0.8], "challenger": [0.8]}, "1 split, and"),
        ({"champion": [], "challenger": []}, "0 splits, and"),
        ({"champion": [0.8, math.nan, 0.8, 0.8, 0.8]}, r"champion\[1\]=nan is not a finite number"),
        ({"challenger": [0.8, math.inf, 0.8, 0.8, 0.8]}, r"challenger\[1\]=inf"),
        ({"challenger": [0.8, "0.8", 0.8, 0.8, 0.8]}, r"challenger\[1\]='0.8'"),
        ({"challenger": [True] * 5}, r"challenger\[0\]=True"),
        ({"challenger": 0.8}, "is no list of scores"),
        ({"challenger": "0.8"}, "is no list of scores"),
        ({"challenger": np.ones((5, 2))}, r"challenger\[0\]=array"),
        ({"challenger": [10**400] * 5}, r"challenger\[0\]="),
        ({"n_train": 0}, "n_train=0"),
        ({"n_train": 80.0}, "n_train=80.0"),
        ({"n_test": True}, "n_test=True"),
    ],
)
def test_folds_that_cannot_be(mistake: dict[str, Any], message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        Folds(**GIVEN | mistake)


def test_from_a_mapping() -> None:
    folds = Folds.of(GIVEN)
    assert folds == Folds(**GIVEN)
    assert Folds.of(folds) is folds
    assert Folds.of(GIVEN | {"champion": np.array(CHAMPION, dtype=object), "n_test": np.int64(20)}) == folds
    with pytest.raises(MlopsUsageError, match="did you mean 'n_train'"):
        Folds.of({**GIVEN, "ntrain": 3})
    with pytest.raises(MlopsUsageError, match="n_test missing"):
        Folds.of({name: value for name, value in GIVEN.items() if name != "n_test"})
    with pytest.raises(MlopsUsageError, match="give a mapping"):
        Folds.of([0.8, 0.9])  # type: ignore[arg-type]
