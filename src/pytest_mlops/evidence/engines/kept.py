"""A profile that stands in for rows that are elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_mlops.evidence.profile import Profile
from pytest_mlops.verdict.errors import EvidenceError

from .base import Profiled

if TYPE_CHECKING:
    from .base import Found


class Kept(Profiled):
    """What a profile says of each column.

    Parameters
    ----------
    profile : Profile
    role : str
    digest : str or None
        sha256 of its file.
    """

    def __init__(self, profile: Profile, role: str, digest: str | None = None) -> None:
        super().__init__(role, "a profile", profile.columns, profile.rows)
        self._profile, self._digest = profile, digest

    def blocks(self, time: str, most: int, rows: int) -> NoReturn:
        """It has no rows that could be in an order."""
        raise EvidenceError(f"mlops_{self.role} is a profile, which holds no rows in order of time: {_NEXT}")

    def take(self, names: Sequence[str], most: int, seed: int) -> NoReturn:
        """It has no rows."""
        raise EvidenceError(f"mlops_{self.role} is a profile, which holds no rows: {_NEXT}")

    def digests(self) -> dict[str, Any]:
        """Of the file; of the columns, where there is none."""
        return super().digests() if self._digest is None else {"rows": self.rows, "data": self._digest}

    def _read(self, names: Sequence[str]) -> Found:
        return {name: self._profile.columns[name] for name in names}


_NEXT = "give the rows themselves, or the path of a Parquet file"
