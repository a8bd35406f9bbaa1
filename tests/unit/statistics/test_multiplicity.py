"""Adjusted p-values against statsmodels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from pytest_mlops.statistics.multiplicity import benjamini_hochberg, holm

Adjust = Callable[[Sequence[float]], list[float]]
P_VALUES = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.01, 0.02])), min_size=1, max_size=30)
BOTH = pytest.mark.parametrize(("adjust", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])


@BOTH
@given(p_values=P_VALUES)
def test_it_is_that_of_statsmodels(adjust: Adjust, name: str, p_values: list[float]) -> None:
    assert adjust(p_values) == pytest.approx(multipletests(p_values, method=name)[1], rel=1e-12, abs=1e-300)


@BOTH
@given(p_values=P_VALUES)
def test_it_never_lowers_a_p_value_and_keeps_their_order(adjust: Adjust, name: str, p_values: list[float]) -> None:
    adjusted = adjust(p_values)
    assert all(before <= after <= 1 for before, after in zip(p_values, adjusted, strict=True))
    assert np.all(np.diff(np.array(adjusted)[np.argsort(p_values)]) >= 0)


@BOTH
def test_one_or_none_needs_no_correction(adjust: Adjust, name: str) -> None:
    assert adjust([]) == []
    assert adjust([0.03]) == [0.03]


@BOTH
@pytest.mark.parametrize("wrong", [math.nan, -0.1, 1.1])
def test_what_is_no_p_value_is_refused(adjust: Adjust, name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust([0.5, wrong])
