"""Cells and categories as few bytes, and back: of bytes that anybody may have made, so nothing is believed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

import numpy as np

from pytest_mlops.statistics.distribution import Distribution
from pytest_mlops.statistics.trie import any_floats_of, keys_of

from .profile import frequent_first

BYTES_PER_CELL = 24
"""Before they are compressed: how far it begins behind the last one, how wide it is, and how many values it has."""

_ONE = np.uint64(1)


def packed(distribution: Distribution) -> str:
    """Text of all its cells. Cells of a trie mostly touch each other, and have as many values each: they pack well."""
    lowest, highest = keys_of(distribution.lowest), keys_of(distribution.highest)
    before = np.append(np.uint64(0), highest[:-1] + _ONE)
    columns = np.stack([lowest - before, highest - lowest, distribution.counts.astype(np.uint64)])
    planes = columns.astype("<u8").view(np.uint8).reshape(-1, 8).T
    return _text(np.ascontiguousarray(planes).tobytes())


def unpacked(text: str, cells: int) -> Distribution:
    """The inverse of `packed`.

    Raises
    ------
    ValueError
        These are not `cells` cells that rise and hold something.
    """
    data = _data(text, cells * BYTES_PER_CELL)
    planes = np.frombuffer(data, np.uint8).reshape(8, -1).T
    gaps, widths, counts = np.ascontiguousarray(planes).view("<u8").reshape(3, -1).astype(np.uint64)
    ends = np.cumsum(np.stack([gaps, widths], axis=1).ravel() + np.tile([np.uint64(0), _ONE], cells)) - _ONE
    highest = ends[1::2]
    found = Distribution(any_floats_of(highest - widths), any_floats_of(highest), counts.astype(np.int64))
    _refuse_unsound(found)
    return found


def _refuse_unsound(found: Distribution) -> None:
    """What has run over the last pattern does not rise; NaN compares with nothing."""
    rising = (found.highest >= found.lowest).all() and (found.lowest[1:] > found.highest[:-1]).all()
    infinite = np.isinf(found.lowest) | np.isinf(found.highest)
    if not rising or (infinite & (found.lowest != found.highest)).any():
        raise ValueError("its cells do not rise")
    if (found.counts < 1).any():
        raise ValueError("a cell has no values")


def packed_names(counts: dict[str, int]) -> tuple[str, int]:
    """Text of names and how often each is seen, and its size in bytes before it is compressed."""
    data = json.dumps([list(counts), list(counts.values())], separators=(",", ":")).encode("ascii")
    return _text(data), len(data)


def unpacked_names(text: str, size: int) -> dict[str, int]:
    """The inverse of `packed_names`.

    Raises
    ------
    ValueError
        These are no names and as many counts, the largest first.
    """
    read: Any = json.loads(_data(text, size))
    if not (isinstance(read, list) and len(read) == 2 and all(isinstance(part, list) for part in read)):
        raise ValueError("its categories are no names and counts")
    names, counts = read
    if len(names) != len(counts) or not all(isinstance(name, str) for name in names):
        raise ValueError("its categories are not named one by one")
    if not all(type(count) is int and count > 0 for count in counts):
        raise ValueError("a category is counted by no whole number above 0")
    found = dict(zip(names, counts, strict=True))
    if len(found) < len(names) or list(found.items()) != sorted(found.items(), key=frequent_first):
        raise ValueError("its categories are out of order")
    return found


def _text(data: bytes) -> str:
    return base64.b85encode(zlib.compress(data, 9)).decode("ascii")


def _data(text: str, size: int) -> bytes:
    """Exactly so many bytes: a few of them could be made that unpack into as many as fill the memory."""
    try:
        packer = zlib.decompressobj()
        data = packer.decompress(base64.b85decode(text), size + 1)
    except (zlib.error, binascii.Error, ValueError) as error:
        raise ValueError(f"its packed part is broken ({error})") from None
    if len(data) != size or not packer.eof or packer.unused_data:
        raise ValueError("its packed part is of another size than it says")
    return data
