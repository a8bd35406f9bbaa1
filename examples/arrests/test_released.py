"""May this model replace the one in production?"""

from pytest_mlops import Gate


def test_it_ranks_well_enough(mlops: Gate) -> None:
    mlops.performance_threshold("roc_auc", at_least=0.66, warn_below=0.70)


def test_its_operating_point(mlops: Gate) -> None:
    mlops.performance_threshold("recall", at_least=0.60)
    mlops.performance_threshold("specificity", at_least=0.50)


def test_it_is_not_worse_than_the_champion(mlops: Gate) -> None:
    mlops.champion_challenger("roc_auc", margin=0.02)
