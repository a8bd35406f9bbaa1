"""What a model's champions were worth, promotion after promotion. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from .record import MOST_REIGNS, MOST_VALUES, ChampionRecord

_OF_TWO_RUNS = ("champion_challenger", "reproducibility")
"""Families that say how a model differs from another, or from itself: nothing to follow over promotions."""
_DIGITS = 6


def reigns(record: ChampionRecord) -> list[dict[str, Any]]:
    """The champions that led to this one, oldest first, and this one last: at most 20.

    Returns
    -------
    list of dict
        For each champion: ``time`` of its promotion, ``commit`` (or None), ``data`` (the digest of its test rows), and
        ``values``: by check id, what it reached, as ``value``, ``low`` and ``high``.
    """
    return [*({**reign} for reign in record.history), _reign(record)]


def handed_down(previous: ChampionRecord | None, candidate: ChampionRecord) -> tuple[dict[str, Any], ...]:
    """The history that a candidate gets when it replaces the previous champion.

    The same predictions are still the same reign: a merge that touches documents only, a promotion that is repeated.
    """
    if previous is None:
        return ()
    if previous.evidence["predictions"] == candidate.evidence["predictions"]:
        return tuple({**reign} for reign in previous.history)
    return tuple(reigns(previous)[-MOST_REIGNS:])


def _reign(record: ChampionRecord) -> dict[str, Any]:
    git = record.provenance.get("git")
    return {
        "time": (record.promoted or record.provenance)["time"],  # a record that was put there by hand has no promotion
        "commit": git["commit"] if git else None,
        "data": record.evidence["data"],
        "values": dict(islice(_values(record), MOST_VALUES)),
    }


def _values(record: ChampionRecord) -> Iterator[tuple[str, dict[str, float]]]:
    for check in record.checks:
        if check["family"] not in _OF_TWO_RUNS and _is_known(check["estimate"]):
            yield check["id"], {name: _rounded(check["estimate"][name]) for name in ("value", "low", "high")}


def _is_known(estimate: Mapping[str, Any] | None) -> bool:
    return estimate is not None and all(_is_finite(estimate[name]) for name in ("value", "low", "high"))


def _is_finite(value: float | None) -> bool:
    """A record may also hold integers that are too large for a float."""
    return value is not None and abs(value) <= sys.float_info.max


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
