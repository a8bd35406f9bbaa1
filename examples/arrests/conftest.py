"""What the gate judges: two models on the same later arrests."""

from __future__ import annotations

import pytest

from pytest_mlops import Evaluation


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--challenger", choices=("splines", "boosting"), default="splines", help="the model under test")


@pytest.fixture(scope="session")
def mlops_challenger(request: pytest.FixtureRequest) -> Evaluation:
    return _evaluate(request.config.getoption("--challenger"))


@pytest.fixture(scope="session")
def mlops_champion() -> Evaluation:
    return _evaluate("logistic_regression")


def _evaluate(name: str) -> Evaluation:
    from . import data, models

    arrests = data.load()
    model = models.ReleasedAtBaseRate(getattr(models, name)(), arrests.train)
    return Evaluation.from_model(
        model,
        arrests.test[data.FEATURES],
        arrests.test["released"],
        positive_label="Yes",
        sensitive_features=arrests.test[["colour", "sex"]],
        row_ids=arrests.test.index,
    )
