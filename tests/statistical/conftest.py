"""What the simulations share."""

from __future__ import annotations

import pytest

from pytest_mlops.statistics import cells


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twentieth of the draws of precision and F1: their noise is small beside that of the simulation."""
    monkeypatch.setattr(cells, "DRAWS", 1_000)
