"""The binary trie over the patterns of numbers: its leaves, and how to tile all numbers by guessing them.

The 64-bit patterns of floating-point numbers, negative ones turned over, are in the order of the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Keys = NDArray[np.uint64]

BITS = 64
"""Of a pattern."""

_SIGN = np.uint64(1 << 63)
_MINUS_ZERO = np.uint64((1 << 63) - 1)
_SPLIT_BITS = 6


def keys_of(values: Floats) -> Keys:
    """The patterns of numbers, in their order."""
    bits = np.ascontiguousarray(values).view(np.int64)
    return (bits ^ ((bits >> 63) | np.int64(-(1 << 63)))).view(np.uint64)


def floats_of(keys: Keys) -> Floats:
    """The inverse, where patterns of no number are the nearest finite one; -0.0 is below 0.0, and none of ours."""
    keys = np.clip(keys, *keys_of(np.array([-_LARGEST, _LARGEST])))
    return any_floats_of(np.where(keys == _MINUS_ZERO, keys - np.uint64(1), keys))


def any_floats_of(keys: Keys) -> Floats:
    """The inverse of `keys_of`, of every pattern there is: infinities and NaN among them."""
    bits = np.where(keys & _SIGN, keys ^ _SIGN, ~keys)
    return np.ascontiguousarray(bits).view(np.float64)


BELOW = np.array([(1 << (BITS - depth)) - 1 for depth in range(BITS + 1)], dtype=np.uint64)
"""The bits that a node leaves open, by its depth."""
_LARGEST = float(np.finfo(np.float64).max)
NO_KEYS, NO_COUNTS = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)


def leaves(keys: Keys, counts: Counts, most: int) -> tuple[Keys, Keys, Counts]:
    """The first nodes, from the root on, that hold at most so many values, or are one number.

    Parameters
    ----------
    keys : array of shape (k,), rising
        One of each fine cell. No cell is larger than its leaf.
    counts : integer array of shape (k,)
        How many values each fine cell holds.
    most : int
        In a leaf of several numbers.

    Returns
    -------
    starts, ends, counts : arrays of shape (leaves,)
        The first and the last pattern of each leaf, which is not empty.
    """
    nodes, deep, held = [NO_KEYS], [NO_KEYS], [NO_COUNTS]
    for depth in range(_common_bits(keys), BITS + 1):
        if not keys.size:
            break
        prefixes = keys & ~BELOW[depth]
        starts = np.flatnonzero(np.append(True, prefixes[1:] != prefixes[:-1]))
        masses = np.add.reduceat(counts, starts)
        done = (masses <= most) if depth < BITS else np.ones(masses.size, dtype=bool)
        nodes.append(prefixes[starts][done])
        held.append(masses[done])
        deep.append(np.full(int(done.sum()), BELOW[depth]))
        kept = np.repeat(~done, np.diff(np.append(starts, keys.size)))
        keys, counts = keys[kept], counts[kept]
    found = np.concatenate(nodes)
    order = np.argsort(found)
    return found[order], (found | np.concatenate(deep))[order], np.concatenate(held)[order]


def _common_bits(keys: Keys) -> int:
    return BITS - int(keys[0] ^ keys[-1]).bit_length() if keys.size else BITS


# --- tilings


def guess(sample: Keys, share: float) -> tuple[Keys, NDArray[np.int64]]:
    """A tiling of all numbers, where each tile holds at most this share of a sample: its beginning and its depth."""
    sample = np.sort(sample)
    most = sample.size * share
    starts, depths = [], []
    nodes = np.zeros(1, dtype=np.uint64)
    for depth in range(BITS + 1):
        ends = nodes | BELOW[depth]
        held = np.searchsorted(sample, ends, side="right") - np.searchsorted(sample, nodes)
        done = (held <= most) if depth < BITS else np.ones(nodes.size, dtype=bool)
        starts.append(nodes[done])
        depths.append(np.full(int(done.sum()), depth))
        nodes = nodes[~done]
        if not nodes.size:
            break
        nodes = np.concatenate([nodes, nodes | (BELOW[depth] - BELOW[depth + 1])])
    return _tiling(starts, depths)


def split(starts: Keys, depths: NDArray[np.int64], coarse: NDArray[np.bool_]) -> tuple[Keys, NDArray[np.int64]]:
    """These cells in 64 parts each."""
    bits = np.minimum(_SPLIT_BITS, BITS - depths[coarse])
    split, deep = [starts[~coarse]], [depths[~coarse]]
    for start, depth, more in zip(starts[coarse], depths[coarse].tolist(), bits.tolist(), strict=True):
        parts = np.arange(1 << more, dtype=np.uint64) << np.uint64(BITS - depth - more)
        split.append(start | parts)
        deep.append(np.full(parts.size, depth + more))
    return _tiling(split, deep)


def _tiling(starts: Sequence[Keys], depths: Sequence[NDArray[np.int64]]) -> tuple[Keys, NDArray[np.int64]]:
    """In order, without the tiles that hold no finite number of ours."""
    found, deep = np.concatenate(starts), np.concatenate(depths)
    ends = found | BELOW[deep]
    first, last = keys_of(np.array([-_LARGEST, _LARGEST]))
    kept = (ends >= first) & (found <= last) & (found != _MINUS_ZERO)
    order = np.argsort(found[kept])
    return found[kept][order], deep[kept][order]
