"""Counting many numbers without sorting them: a radix sort that stops where cells are fine enough for the trie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Keys = NDArray[np.uint64]

from .trie import keys_of

_FIRST_BITS = 16
_MOST_CELLS = 2**18
_WHOLE = 2.0**20
_A_FEW = 1_000


def counted(values: Floats, most: int) -> tuple[Keys, Counts]:
    """Cells that are all at least as deep as the leaves of the trie that hold at most `most` values.

    Parameters
    ----------
    values : array of shape (n,)
        Finite, in any order, without -0.0.
    most : int

    Returns
    -------
    keys, counts : arrays of shape (k,)
        A pattern of each cell, rising, and how many values it holds.
    """
    least, greatest = float(values.min()), float(values.max())
    if _whole(values, greatest - least):
        return _whole_numbers(values, least)
    return _fine_cells(keys_of(values), most)


def _fine_cells(keys: Keys, most: int) -> tuple[Keys, Counts]:
    """Round by round the next bits of what is still too dense, until nothing is, or it is single numbers mostly."""
    cells: list[NDArray[Any]] = []
    least = keys.min()
    shift = int(least ^ keys.max()).bit_length()
    bits = min(_FIRST_BITS, shift)
    prefixes = np.array([int(least) >> shift], dtype=np.uint64)
    places = np.zeros(1, dtype=np.int64)
    while True:
        shift -= bits
        places = (places << bits) + ((keys >> np.uint64(shift)).view(np.int64) & ((1 << bits) - 1))
        counts = np.bincount(places, minlength=prefixes.size << bits)
        nodes = ((prefixes << np.uint64(bits))[:, None] | np.arange(1 << bits, dtype=np.uint64)).ravel()
        dense = (counts > most) if shift else np.zeros(counts.size, dtype=bool)
        cells += _seen(nodes, np.where(dense, 0, counts), shift)
        if not dense.any():
            break
        rows = dense[places]
        keys, places = keys[rows], places[rows]
        if _few_numbers(keys):
            cells += _single_numbers(keys, places)
            break
        bits = min(_enough_bits(int(counts.max()), most, int(dense.sum())), shift)
        places, prefixes = (np.cumsum(dense) - 1)[places], nodes[dense]
    starts, held = np.concatenate(cells[::2]), np.concatenate(cells[1::2])
    order = np.argsort(starts)
    return starts[order], held[order]


def _enough_bits(densest: int, most: int, cells: int) -> int:
    """For the densest cell to be thinned out if its values are spread evenly, within bounded memory."""
    return max(1, min((2 * densest // max(1, most)).bit_length(), (_MOST_CELLS // cells).bit_length()))


def _few_numbers(keys: Keys) -> bool:
    some = keys[:: max(1, keys.size // _A_FEW)]
    return np.unique(some).size < some.size / 2


def _single_numbers(keys: Keys, places: Counts) -> Iterator[NDArray[Any]]:
    """Dense cells: each mostly holds one number. All others are few, or have to be sorted."""
    some = np.zeros(int(places.max()) + 1, dtype=np.uint64)
    some[places] = keys
    alike = keys == some[places]
    yield from _seen(some, np.bincount(places[alike], minlength=some.size), 0)
    yield from np.unique(keys[~alike], return_counts=True)


def _seen(nodes: Keys, counts: Counts, shift: int) -> Iterator[NDArray[Any]]:
    seen = np.flatnonzero(counts)
    yield nodes[seen] << np.uint64(shift)
    yield counts[seen]


def _whole(values: Floats, width: float) -> bool:
    """Are they whole numbers near each other? Most others tell so by their first few."""
    return width < _WHOLE and all(bool((some == np.rint(some)).all()) for some in (values[:_A_FEW], values))


def _whole_numbers(values: Floats, least: float) -> tuple[Keys, Counts]:
    counts = np.bincount((values - least).astype(np.int64))
    seen = np.flatnonzero(counts)
    return keys_of(seen.astype(np.float64) + least), counts[seen]
