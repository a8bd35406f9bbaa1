"""What the policy (mlops.toml) requires tests to bring, through the two other doors."""

import pytest

from pytest_mlops import Gate


@pytest.mark.mlops_drift(at_most=0.1)
def test_the_later_years_are_like_the_earlier_ones() -> None:
    """A marker asks after the body."""


def test_training_it_again_gives_the_same_model(mlops: Gate) -> None:
    mlops.reproducibility(runs=2, timeout=120)
