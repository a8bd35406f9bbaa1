"""Door 2: markers that ask the gate. The marker ``mlops_drift`` takes what `Gate.drift` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import FAMILIES
from .gate import question
from .policy_items import PolicyItem

if TYPE_CHECKING:
    import pytest

    from .checks.spec import Check

_PREFIX = "mlops_"
_NAMES = frozenset(f"{_PREFIX}{family}" for family in FAMILIES)


def of(item: pytest.Item) -> list[pytest.Mark]:
    """The markers that ask, in source order. A policy's item bears its family's name only to be selected by it."""
    if isinstance(item, PolicyItem):
        return []
    return [mark for mark in item.iter_markers() if mark.name in _NAMES][::-1]


def of_definition(function: pytest.Item) -> list[pytest.Mark]:
    """Those of a test function, and of its parameters, before it becomes tests."""
    parametrised = [mark.args[1] for mark in function.iter_markers("parametrize") if len(mark.args) > 1]
    values = [value for listed in parametrised if isinstance(listed, list | tuple) for value in listed]
    of_values = [getattr(mark, "mark", mark) for value in values for mark in getattr(value, "marks", ())]
    return [*of(function), *(mark for mark in of_values if mark.name in _NAMES)]


def family(mark: pytest.Mark) -> str:
    """Which family this marker asks."""
    return mark.name.removeprefix(_PREFIX)


def question_of(mark: pytest.Mark) -> Check:
    """What it asks.

    Raises
    ------
    MlopsUsageError
        The question makes no sense.
    """
    return question(family(mark), *mark.args, **mark.kwargs)
