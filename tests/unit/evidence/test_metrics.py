"""Every scorer has a row, a clustering has none, and a name that is nearly right is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest
from sklearn import metrics as sk
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


FUNCTIONS = {
    name: found for name in dir(sk) if callable(found := getattr(sk, name)) and (name in _REGISTRY or name in _ALIASES)
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_scikit_learn_is_its_name(name: str) -> None:
    known = metric_named(name)
    assert metric_of(FUNCTIONS[name]) == known
    loss = name.endswith(("_loss", "_error", "_deviance"))
    assert known.greater_is_better != loss
    with pytest.raises(MlopsUsageError, match="greater_is_better= is for a function of your own"):
        metric_of(FUNCTIONS[name], greater_is_better=not loss)


def test_most_of_them_are_there() -> None:
    assert len(FUNCTIONS) > 30
    assert {"f1_score", "log_loss", "roc_auc_score", "mean_absolute_error", "cohen_kappa_score"} <= FUNCTIONS.keys()


@pytest.mark.parametrize("name", sorted(set(get_scorer_names()) - _CLUSTERINGS))
def test_the_direction_is_the_scorers(name: str) -> None:
    """Also where the scorer bears settings, and is therefore a function of one's own."""
    scorer: Any = sk.get_scorer(name)
    assert metric_of(scorer).greater_is_better == (scorer._sign > 0)


def test_a_loss_with_settings_is_still_a_loss() -> None:
    tweedie: Any = partial(sk.mean_tweedie_deviance, power=1.5)
    with pytest.raises(MlopsUsageError, match="mean_tweedie_deviance is better when smaller"):
        metric_of(tweedie, implied=True)
    with pytest.raises(MlopsUsageError, match="mean_tweedie_deviance is better when smaller"):
        metric_of(sk.make_scorer(sk.mean_tweedie_deviance, power=1.5))
    found = metric_of(tweedie, implied=False)
    assert (found.route, found.name) == ("bootstrap", "mean_tweedie_deviance(power=1.5)")
    assert found != metric_of(partial(sk.mean_tweedie_deviance, power=1.2), implied=False)


def test_a_wrapper_is_not_what_it_wraps() -> None:
    @wraps(sk.accuracy_score)
    def flattering(y_true: Any, y_pred: Any) -> float:
        return 1.0

    found = metric_of(flattering, implied=True)
    assert (found.route, found.function) == ("bootstrap", flattering)


def own(y_true: Any, y_pred: Any) -> float:
    return 0.5


def test_the_direction_of_an_own_function_is_said_or_implied() -> None:
    with pytest.raises(MlopsUsageError, match="which way is better cannot be told from the function 'own'"):
        metric_of(own)
    assert metric_of(own, implied=True).greater_is_better
    assert not metric_of(own, implied=True, greater_is_better=False).greater_is_better
    with pytest.raises(MlopsUsageError, match="say greater_is_better=True"):
        metric_of(own, greater_is_better="yes")  # type: ignore[arg-type]


def unnamed() -> Callable[..., Any]:
    return lambda y_true, y_pred: 0.5


@pytest.mark.parametrize("function", [unnamed(), partial(unnamed()), sk.make_scorer(unnamed())])
def test_a_lambda_is_refused_in_any_dress(function: Any) -> None:
    with pytest.raises(MlopsUsageError, match="a lambda has no name"):
        metric_of(function, implied=None if hasattr(function, "_score_func") else True)
