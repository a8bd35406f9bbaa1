"""Every scorer has a row, a clustering has none, and a name that is nearly right is told."""

from __future__ import annotations

import pytest
from sklearn.metrics import get_scorer_names

from pytest_mlops import MlopsUsageError
from pytest_mlops.evidence.metrics import _ALIASES, _CLUSTERINGS, _REGISTRY, metric_named, metric_of


@pytest.mark.parametrize("name", sorted(get_scorer_names()))
def test_every_scorer_is_known_or_refused_with_a_reason(name: str) -> None:
    if name in _CLUSTERINGS:
        with pytest.raises(MlopsUsageError, match="it compares clusterings, which have no right answer for each row"):
            metric_named(name)
    elif name.startswith("neg_"):
        with pytest.raises(MlopsUsageError, match=r"ask for '\w+', without the sign; its limit is at_most="):
            metric_named(name)
    else:
        assert metric_named(name).greater_is_better


def test_every_alias_leads_somewhere() -> None:
    assert set(_ALIASES.values()) <= set(_REGISTRY)
    assert not set(_ALIASES) & set(_REGISTRY)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("roc_acu", "did you mean 'roc_auc'"),
        ("neg_logloss", "unknown metric 'neg_logloss'"),
        ("rand_score", "clusterings"),
        ("", "unknown metric ''"),
    ],
)
def test_names_that_are_none(name: str, message: str) -> None:
    with pytest.raises(MlopsUsageError, match=message):
        metric_named(name)


def test_a_named_metric_knows_its_direction() -> None:
    with pytest.raises(MlopsUsageError, match="greater_is_better= is for a function of your own; for 'accuracy'"):
        metric_of("accuracy", greater_is_better=True)
    assert metric_of("accuracy", implied=False).greater_is_better


@pytest.mark.parametrize("metric", _REGISTRY.values(), ids=lambda metric: metric.name)
def test_rows_of_the_registry(metric: object) -> None:
    found = metric_named(metric.name)  # type: ignore[attr-defined]
    assert found.lowest < found.highest
    assert found.tasks
    assert found.of
    assert found.function is None
