"""Rows that happened one after the other, cut into pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pieces_of(time: NDArray[Any], most: int) -> NDArray[np.intp]:
    """The piece of each row, of shape (n,): 0 is the oldest, and none is empty.

    Parameters
    ----------
    time : array of shape (n,), n > 0
        When each row happened. Rows of one time are never parted.
    most : int
        How many pieces, of as equal numbers of rows as there can be; fewer where times are few.
    """
    _, moment, counts = np.unique(time, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    piece = np.unique((middle * most / time.size).astype(np.intp), return_inverse=True)[1]
    return np.asarray(piece.reshape(-1)[moment.reshape(-1)])
