"""Counting many numbers without sorting them: a radix sort that stops where cells are fine enough for the trie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Keys = NDArray[np.uint64]
    Cells = tuple[Keys, Counts]

from .trie import keys_of

_FIRST_BITS = 16
_MOST_CELLS = 2**18
_WHOLE = 2.0**20
_A_FEW = 1_000


def counted(values: Floats, most: int) -> Cells:
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


def _fine_cells(keys: Keys, most: int) -> Cells:
    """Round by round the next bits of what is still too dense, and is not a single number."""
    cells: list[Cells] = []
    nodes, bits = _Nodes.one_of(keys), _FIRST_BITS
    while True:
        nodes = nodes.split(bits)
        counts = nodes.counts
        dense = (counts > most) & (nodes.shift > 0)
        cells.append(nodes.seen(np.where(dense, 0, counts)))
        if not dense.any():
            break
        nodes = nodes.only(dense)
        if _few_numbers(nodes.keys):
            found, single = _single_numbers(nodes)
            cells.append(found)
            if single.all():
                break
            nodes = nodes.only(~single)
        bits = _enough_bits(int(nodes.counts.max()), most, nodes.prefixes.size)
    starts, held = (np.concatenate(parts) for parts in zip(*cells, strict=True))
    order = np.argsort(starts)
    return starts[order], held[order]


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Nodes of one depth, and what is in them.

    Parameters
    ----------
    keys : array of shape (n,)
        The patterns in all of these nodes.
    places : integer array of shape (n,)
        The node of each; of shape (1,) where they are all in one.
    prefixes : array of shape (nodes,)
        What the patterns of a node begin with.
    shift : int
        How many bits follow.
    """

    keys: Keys
    places: Counts
    prefixes: Keys
    shift: int

    @classmethod
    def one_of(cls, keys: Keys) -> _Nodes:
        """The deepest node that holds them all."""
        least = int(keys.min())
        shift = (least ^ int(keys.max())).bit_length()
        return cls(keys, np.zeros(1, dtype=np.int64), np.array([least >> shift], dtype=np.uint64), shift)

    @property
    def counts(self) -> Counts:
        """How many patterns are in each node."""
        return np.bincount(self.places, minlength=self.prefixes.size)

    def split(self, bits: int) -> _Nodes:
        """Each node by its next bits, or by all that there are."""
        bits = min(bits, self.shift)
        shift = self.shift - bits
        places = (self.places << bits) + ((self.keys >> np.uint64(shift)).view(np.int64) & ((1 << bits) - 1))
        prefixes = (self.prefixes << np.uint64(bits))[:, None] | np.arange(1 << bits, dtype=np.uint64)
        return _Nodes(self.keys, places, prefixes.ravel(), shift)

    def only(self, kept: NDArray[np.bool_]) -> _Nodes:
        """Some of the nodes."""
        rows = kept[self.places]
        places = (np.cumsum(kept) - 1)[self.places[rows]]
        return _Nodes(self.keys[rows], places, self.prefixes[kept], self.shift)

    def seen(self, counts: Counts) -> Cells:
        """Those that hold something by `counts`, as cells."""
        seen = np.flatnonzero(counts)
        return self.prefixes[seen] << np.uint64(self.shift), counts[seen]


def _enough_bits(densest: int, most: int, cells: int) -> int:
    """For the densest cell to be thinned out if its values are spread evenly, within bounded memory."""
    return max(1, min((2 * densest // max(1, most)).bit_length(), (_MOST_CELLS // cells).bit_length()))


def _few_numbers(keys: Keys) -> bool:
    some = keys[:: max(1, keys.size // _A_FEW)]
    return np.unique(some).size < some.size / 2


def _single_numbers(dense: _Nodes) -> tuple[Cells, NDArray[np.bool_]]:
    """Those that hold one number and nothing else, as cells; and which these are."""
    some = np.zeros(dense.prefixes.size, dtype=np.uint64)
    some[dense.places] = dense.keys
    single = np.ones(some.size, dtype=bool)
    single[dense.places[dense.keys != some[dense.places]]] = False
    return (some[single], dense.counts[single]), single


def _whole(values: Floats, width: float) -> bool:
    """Are they whole numbers near each other? Most others tell so by their first few."""
    return width < _WHOLE and all(bool((some == np.rint(some)).all()) for some in (values[:_A_FEW], values))


def _whole_numbers(values: Floats, least: float) -> Cells:
    counts = np.bincount((values - least).astype(np.int64))
    seen = np.flatnonzero(counts)
    return keys_of(seen.astype(np.float64) + least), counts[seen]
