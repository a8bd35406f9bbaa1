"""Lazy frames of Polars, and of other libraries that narwhals knows: one column at a time comes to memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.profile import ColumnProfile
from pytest_mlops.verdict.errors import EvidenceError

from .base import Profiled, each, query_of, refuse_absent
from .memory import Memory, is_text, profile_of_series, profile_of_value_counts
from .stretches import Stretch, stretches

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import NDArray

    from .base import Found, Tell


class Lazy(Profiled):
    """A query that is not run yet, and run once for each column.

    Parameters
    ----------
    frame : narwhals LazyFrame
    role, engine, tell, rows
        As of any sample; the rows are counted if nobody has.
    """

    def __init__(
        self, frame: nw.LazyFrame[Any], role: str, engine: str, tell: Tell = None, *, rows: int | None = None
    ) -> None:
        import narwhals as nw

        self._frame = frame
        with query_of(role):
            self._schema = frame.collect_schema()
            if rows is None:
                rows = int(_collected(frame.select(nw.len().alias("rows")))["rows"][0]) if self._schema else 0
        super().__init__(role, engine, self._schema.names(), rows, tell)

    def blocks(self, time: str, most: int, rows: int) -> list[Lazy]:
        """By conditions on the column."""
        refuse_absent(self, [time])
        profile = self._one_profile(time)
        moment = _moment(time, profile.holds)
        return [
            Lazy(self._frame.filter(_within(moment, stretch)), self.role, self.engine, self._tell, rows=stretch.rows)
            for stretch in stretches(time, profile, most, rows)
        ]

    def take(self, names: Sequence[str], most: int, seed: int) -> dict[str, NDArray[Any]]:
        """The columns come to memory whole, and are chosen from there."""
        refuse_absent(self, names)
        with query_of(self.role):
            frame = _collected(self._frame.select(*names))
        return Memory(frame, self.role, self.engine).take(names, most, seed)

    def _read(self, names: Sequence[str]) -> Found:
        return each(self, names, self._profile)

    def _profile(self, name: str) -> ColumnProfile:
        counted = is_text(self._schema[name])
        with query_of(self.role):
            column = self._counted(name) if counted else _collected(self._frame.select(name))
        found = profile_of_value_counts(column["name"], column["seen"]) if counted else profile_of_series(column[name])
        self._refuse_changed(found.rows)
        return found

    def _counted(self, name: str) -> nw.DataFrame[Any]:
        import narwhals as nw

        column = self._frame.select(nw.col(name).alias("name"))
        return _collected(column.group_by("name").agg(nw.len().alias("seen")))

    def _refuse_changed(self, rows: int) -> None:
        if rows != self.rows:
            raise EvidenceError(
                f"mlops_{self.role} gave {self.rows:,} rows at first and {rows:,} later: "
                f"its query must give the same rows each time, so collect it first"
            )


def _collected(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Of Polars in batches, where it can."""
    return frame.collect(engine="streaming") if frame.implementation.is_polars() else frame.collect()


def _moment(time: str, holds: str | None) -> nw.Expr:
    """As the profile has it: moments in microseconds."""
    import narwhals as nw

    column = nw.col(time)
    if holds == "dates":
        return column.dt.timestamp("us")
    return column.dt.total_microseconds() if holds == "durations" else column


def _within(moment: nw.Expr, stretch: Stretch) -> nw.Expr:
    bounds = []
    if np.isfinite(stretch.above):
        bounds.append(moment > stretch.above)
    if np.isfinite(stretch.up_to):
        bounds.append(moment <= stretch.up_to)
    return bounds[0] & bounds[-1] if bounds else moment == moment
