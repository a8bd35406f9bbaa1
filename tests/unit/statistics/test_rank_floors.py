"""Floors of metrics of scores: of rows that weigh little, of many classes, of models that are sure of themselves."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from pytest_mlops.statistics.calibration import apart, calibration, without_noise, without_noises
from pytest_mlops.statistics.linear import interval
from pytest_mlops.statistics.ranks import auc, average_precision, one_vs_one, one_vs_rest


@pytest.mark.parametrize("together", [one_vs_rest, one_vs_one])
@pytest.mark.parametrize("by_prevalence", [False, True])
def test_fifty_classes_need_no_more_memory_than_their_scores(together: Any, by_prevalence: bool) -> None:
    true, scores = np.arange(5_000) % 50, np.random.default_rng(0).random((5_000, 50))
    tracemalloc.start()
    together(true, scores, 50, by_prevalence=by_prevalence)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < scores.nbytes


@pytest.mark.parametrize("together", [one_vs_rest, one_vs_one])
def test_one_rare_class_of_many_is_one_part_of_the_doubt(together: Any) -> None:
    true = np.r_[np.zeros(4, dtype=int), 1 + np.arange(1_996) % 19]
    found = together(true, np.random.default_rng(0).random((2_000, 20)), 20, by_prevalence=False)
    assert found.floor < 0.01


@pytest.mark.parametrize("certainty", [1.0, 0.9999])
@pytest.mark.parametrize("n", [50, 1_000])
def test_rows_that_were_right_do_not_prove_that_certainty_is(certainty: float, n: int) -> None:
    found = calibration(np.ones(n, dtype=bool), np.full(n, certainty), generator=np.random.default_rng(0))
    estimate = without_noise(found, interval(found.raw, confidence=0.95))
    assert 0.95**n < 0.08  # so many rows miss an error of this size as often as that
    assert estimate.high > 3 / n  # the rule of three
    modest = calibration(np.ones(n, dtype=bool), np.full(n, 0.98), generator=np.random.default_rng(0))
    sure, kindest = (interval(each, confidence=0.95) for each in apart(modest, found))
    assert without_noises(modest, found, sure, kindest).low < 0.02 - 3 / n


@pytest.mark.parametrize("of", [auc, average_precision])
def test_rows_of_next_to_no_weight_are_no_evidence(of: Any) -> None:
    positive = np.arange(3_000) < 1_000
    weight = np.where(positive & (np.arange(3_000) > 0), 1e-9, 1.0)
    found = of(positive, positive.astype(np.float64), weight / weight.mean())
    assert interval(found, confidence=0.95).low < 0.1
