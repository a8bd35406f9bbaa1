"""What is odd about a column and ordinary in practice: one value for nearly all rows, infinities, new categories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlops.statistics.histograms import FEWEST
from pytest_mlops.verdict.wording import count, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_mlops.evidence.profile import Categories, ColumnProfile
    from pytest_mlops.evidence.profile_pair import ProfilePair
    from pytest_mlops.statistics.distribution import Distribution

MOST = 2
"""Of one column."""

_HEAVY = 0.5
_ZEROS = 0.1
_WORTH_SAYING = 0.01
_FEW_VALUES = 20
_NAMED = 3
_LONGEST = 30
_ROLES = ("reference", "current")


def notes(pair: ProfilePair) -> list[str]:
    """At most two sentences, the odder first; neither sample is empty."""
    found = _of_categories(pair) if pair.text else _of_numbers(pair)
    return [sentence for sentence, _ in zip(found, range(MOST), strict=False)]


# --- numbers, dates and durations


def _of_numbers(pair: ProfilePair) -> Iterator[str]:
    first, second = pair.reference, pair.current
    if pair.holds == "numbers" and first.binary is not second.binary:
        only, other = ("reference", "current sample") if first.binary else ("current sample", "reference")
        yield f"The {only} holds 0 and 1 only, the {other} other numbers as well."
    known = [profile.distribution for profile in (first, second)]
    reference, current = known
    if reference is None or current is None or not pair.measured:
        return
    if reference.infinite or current.infinite:
        yield f"{_both(reference.infinite, current.infinite)} are infinite."
    if not (first.binary or second.binary):
        yield from _of_one_value(pair, reference, current)


def _both(n: int, m: int) -> str:
    """``12 reference and 3 current values``."""
    said = [f"{many:,} {role}" for role, many in zip(_ROLES, (n, m), strict=True) if many]
    return f"{' and '.join(said)} values"


def _of_one_value(pair: ProfilePair, reference: Distribution, current: Distribution) -> Iterator[str]:
    """That a sample is constant; or how many of its values are the one that is most frequent, if that is odd."""
    constant = [sample.minimum == sample.maximum for sample in (reference, current)]
    if all(constant) and reference.minimum == current.minimum:
        yield f"Both samples hold a single value, {_value(pair, reference.minimum)}."
    elif any(constant):
        for name, sample, single in zip(("reference", "current sample"), (reference, current), constant, strict=True):
            if single:
                yield f"The {name} holds a single value, {_value(pair, sample.minimum)}."
    else:
        yield from _heavy(pair, reference, current)


def _heavy(pair: ProfilePair, reference: Distribution, current: Distribution) -> Iterator[str]:
    value = max((_heaviest(sample) for sample in (reference, current)), key=lambda found: found[1])[0]
    shares = [_share(sample, value) for sample in (reference, current)]
    of_zeros = value == 0 and min(reference.counts.size, current.counts.size) > _FEW_VALUES
    if max(shares) >= _HEAVY or (of_zeros and max(shares) >= _ZEROS):
        held = " and ".join(
            f"{percent(share)} of the {role} values" for share, role in zip(shares, _ROLES, strict=True)
        )
        yield f"{_value(pair, value)} is the value of {held}."


def _heaviest(sample: Distribution) -> tuple[float, float]:
    """The single value that is most frequent, and its share; 0 of 0 where none has a cell of its own."""
    single = np.where(sample.lowest == sample.highest, sample.counts, 0)
    place = int(np.argmax(single))
    return (float(sample.lowest[place]), float(single[place] / sample.n)) if single[place] else (0.0, 0.0)


def _share(sample: Distribution, value: float) -> float:
    alone = (sample.lowest == value) & (sample.highest == value)
    return float(sample.counts[alone].sum() / sample.n)


def _value(pair: ProfilePair, value: float) -> str:
    if pair.holds == "dates":
        return str(np.datetime64(int(value), "us")).removesuffix("T00:00:00.000000")
    return f"{number(value / 1e6)} s" if pair.holds == "durations" else number(value)


# --- categories


def _of_categories(pair: ProfilePair) -> Iterator[str]:
    reference, current = pair.reference.categories, pair.current.categories
    if reference is None or current is None:
        return
    if reference.complete and (new := _only_in(current, reference)):
        verb = "was" if len(new) == 1 else "were"
        held = _share_of(new, pair.current)
        yield f"{_categories(new, current)} {verb} never seen before: {held} of the current values."
    if current.complete and (gone := _only_in(reference, current)):
        verb = "is" if len(gone) == 1 else "are"
        yield f"{_categories(gone, reference)} {verb} gone: {_share_of(gone, pair.reference)} of the reference values."
    if pair.pooled and (share := _hidden(pair)) > _WORTH_SAYING:
        yield f"{percent(share)} of the values are of categories too rare to be compared by name."


def _hidden(pair: ProfilePair) -> float:
    """The share of rows whose categories are compared as one, in the sample where it is larger."""
    _, counts = pair.cells
    return float((counts[:, -1] / np.array(pair.sizes)).max())


def _only_in(one: Categories, other: Categories) -> Mapping[str, int]:
    return {name: rows for name, rows in one.counts.items() if name not in other.counts}


def _categories(found: Mapping[str, int], of: Categories) -> str:
    """``3 categories (red, green)``: a name that few rows have could tell who they are."""
    named = [_cut(name) for name, rows in found.items() if rows >= FEWEST and not of.hashed][:_NAMED]
    said = count(len(found), "category") if len(found) == 1 else f"{len(found):,} categories"
    return f"{said} ({', '.join(named)}{', …' if len(named) < len(found) else ''})" if named else said


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _share_of(found: Mapping[str, int], profile: ColumnProfile) -> str:
    return percent(sum(found.values()) / profile.values)
