"""What the gate judges: a challenger on the later arrests. The champion is the promoted one, in `.mlops/champion`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pytest_mlops import Evaluation

if TYPE_CHECKING:
    import pandas as pd

CHALLENGERS = ("splines", "boosting", "logistic_regression")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--challenger", choices=CHALLENGERS, default="splines", help="the model under test")
    parser.addoption(
        "--reference-from", type=int, default=1998, help="the first year that later ones are compared with"
    )


@pytest.fixture(scope="session")
def mlops_challenger(request: pytest.FixtureRequest, mlops_seed: int) -> Evaluation:
    return _evaluate(request.config.getoption("--challenger"), mlops_seed)


@pytest.fixture
def mlops_reference(request: pytest.FixtureRequest) -> pd.DataFrame:
    from . import data

    first: int = request.config.getoption("--reference-from")
    return data.load().since(first)[data.FEATURES]


@pytest.fixture
def mlops_current() -> pd.DataFrame:
    from . import data

    return data.load().test[data.FEATURES]


@pytest.fixture
def mlops_train(request: pytest.FixtureRequest) -> Callable[[int], Evaluation]:
    trains = {"splines": train_splines, "boosting": train_boosting, "logistic_regression": train_logistic_regression}
    return trains[request.config.getoption("--challenger")]


# Fresh processes import these by name, so each stands at the top level.


def train_splines(seed: int) -> Evaluation:
    return _evaluate("splines", seed)


def train_boosting(seed: int) -> Evaluation:
    return _evaluate("boosting", seed)


def train_logistic_regression(seed: int) -> Evaluation:
    return _evaluate("logistic_regression", seed)


def _evaluate(name: str, seed: int) -> Evaluation:
    from . import data, models

    arrests = data.load()
    model = models.ReleasedAtBaseRate(getattr(models, name)(seed), arrests.train)
    return Evaluation.from_model(
        model,
        arrests.test[data.FEATURES],
        arrests.test["released"],
        positive_label="Yes",
        sensitive_features=arrests.test[["colour", "sex"]],
        row_ids=arrests.test.index,
    )
