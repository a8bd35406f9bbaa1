"""Evidence that is not made yet. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Later:
    """Evidence that is made when a check first needs it. Tells a function that gives evidence from one that is some.

    Parameters
    ----------
    give : callable
    """

    def __init__(self, give: Callable[[], Any]) -> None:
        self._give = give

    def __call__(self) -> Any:
        """The evidence."""
        return self._give()
