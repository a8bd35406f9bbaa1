"""Evaluations, candidates and champions to work on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation
from pytest_mlops.champion import store
from pytest_mlops.champion.record import ChampionRecord
from pytest_mlops.evidence.storage import to_arrays

LATER = "2026-11-11T12:00:00+00:00"


def an_evaluation(seed: int = 0, n: int = 200) -> Evaluation:
    said = np.random.default_rng(seed).random(n)
    return Evaluation(np.arange(n) % 2, said.round().astype(int), said, row_ids=range(n))


def a_record(evaluation: Evaluation, predictions: str, **known: Any) -> ChampionRecord:
    standard: dict[str, Any] = {
        "model": "credit",
        "decision": "merge",
        "complete": True,
        "home": "",
        "predictions": predictions,
        "evidence": {
            "rows": evaluation.n,
            "data": evaluation.data_digest,
            "predictions": evaluation.prediction_digest,
            "facts": to_arrays(evaluation)[1],
        },
        "checks": (a_check(),),
        "policy": {
            "digest": None, "confidence": 0.95, "inconclusive": "warn", "warn": "warn", "required": [], "waivers": [],
        },
        "provenance": {
            "time": "2026-11-01T12:00:00+00:00",
            "git": {"commit": "0123456789abcdef", "dirty": False},
            "packages": {"numpy": "2.0"},
            "pytest_mlops": "0.1.0",
        },
    }  # fmt: skip
    return ChampionRecord(**{**standard, **known})


def a_check(check_id: str = "performance_threshold:roc_auc", **known: Any) -> dict[str, Any]:
    return {
        "id": check_id,
        "family": "performance_threshold",
        "verdict": "PASS",
        "asked": {"subject": "roc_auc", "at_least": 0.6},
        "limits": {"at_least": 0.6, "at_most": None, "warn_below": None, "warn_above": None},
        "estimate": an_estimate(),
        **known,
    }


def an_estimate() -> dict[str, Any]:
    return {
        "value": 0.71, "low": 0.68, "high": 0.75, "confidence": 0.95, "method": "DeLong", "n": 200, "null": None,
        "p_value": None, "standard_error": 0.01, "blind_spot": 0.0084, "exact": False,
    }  # fmt: skip


def a_candidate(directory: Path, evaluation: Evaluation, **known: Any) -> ChampionRecord:
    record = a_record(evaluation, store.write_predictions(directory, evaluation), **known)
    store.write_candidate(directory, record)
    return record


@pytest.fixture
def record() -> ChampionRecord:
    return a_record(an_evaluation(), f"{'a' * 64}.npz")


@pytest.fixture
def check() -> Callable[..., dict[str, Any]]:
    return a_check


@pytest.fixture
def evaluation() -> Callable[..., Evaluation]:
    return an_evaluation


@pytest.fixture
def candidate() -> Callable[..., ChampionRecord]:
    """Leaves a candidate in a directory, as a run does."""
    return a_candidate


@pytest.fixture
def champion(tmp_path: Path) -> Path:
    """Directory of a champion that was promoted from ``tmp_path / "old"``."""
    a_candidate(tmp_path / "old", an_evaluation(seed=1))
    return store.promote(tmp_path / "old", tmp_path / "champion", first=True, time=LATER).directory
