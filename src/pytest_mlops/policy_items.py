"""`mlops.toml` as tests: one item for each check of the policy, at its own line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from .gate import Gate
    from .homes import Home
    from .policy_file import Question


class PolicyItem(pytest.Function):
    """One check of a policy."""

    question: Question

    @property
    def home(self) -> Home:
        """Whose policy asks it."""
        assert isinstance(self.parent, PolicyItems)
        return self.parent.home

    @classmethod
    def asking(cls, parent: PolicyItems, question: Question) -> Self:
        """The item that asks it."""
        item: Self = cls.from_parent(parent, name=question.spec.id, callobj=_test(question))
        item.question = question
        item.add_marker(f"mlops_{question.family}")
        return item

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where it stands, or would stand: pytest counts lines from 0."""
        return self.config.rootpath / self.home.name(), self.question.line - 1, self.name


class PolicyItems(pytest.Module):
    """The policy of one model."""

    home: Home

    @classmethod
    def of(cls, home: Home, path: Path, parent: pytest.Collector) -> Self:
        """The policy of `home`; one that lies elsewhere answers for the root, with the fixtures that are seen there."""
        if path.is_relative_to(parent.config.rootpath):
            found: Self = cls.from_parent(parent, path=path)
        else:
            found = cls.from_parent(parent.session, path=path, nodeid=home.name())
        found.home = home
        return found

    def collect(self) -> Iterator[PolicyItem]:
        """Its items."""
        if self.home.trouble:
            pytest.fail(self.home.trouble, pytrace=False)
        self.obj = ModuleType("mlops_policy")
        file = self.home.file
        for question in file.questions if file else ():
            yield PolicyItem.asking(self, question)


def _test(question: Question) -> Callable[[Gate], Any]:
    def asks_the_gate(mlops: Gate) -> None:
        getattr(mlops, question.family)(**question.arguments)

    return asks_the_gate
