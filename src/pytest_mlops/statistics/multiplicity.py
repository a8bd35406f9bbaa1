"""Several questions in one call: p-values that account for each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: rejecting those at most α keeps the chance of any false alarm at α.

    Parameters
    ----------
    p_values : sequence of float
        Each in [0, 1].

    Returns
    -------
    list of float
        In the order given, each at least its raw p-value and at most 1.

    Raises
    ------
    ValueError
        A p-value is NaN or outside [0, 1].

    References
    ----------
    Holm, S. (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6, 65–70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.5])
    [0.03, 0.08, 0.5]
    """
    p, order = _sorted(p_values)
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return _unsorted(stepped, order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted p-values: rejecting those at most α keeps the false discovery rate at α.

    Where no null hypothesis is false, this also keeps the chance of any false alarm at α.

    Parameters
    ----------
    p_values : sequence of float
        Each in [0, 1]; independent or positively dependent.

    Returns
    -------
    list of float
        In the order given, each at least its raw p-value and at most 1.

    Raises
    ------
    ValueError
        A p-value is NaN or outside [0, 1].

    References
    ----------
    Benjamini, Y. & Hochberg, Y. (1995), Controlling the false discovery rate, J. R. Statist. Soc. B 57, 289–300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.02, 0.5])
    [0.03, 0.03, 0.5]
    """
    p, order = _sorted(p_values)
    scaled = p[order] * (p.size / np.arange(1, p.size + 1))
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _unsorted(stepped, order)


def _sorted(p_values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values must be numbers between 0 and 1")
    return p, np.argsort(p, kind="stable")


def _unsorted(adjusted: np.ndarray, order: np.ndarray) -> list[float]:
    found = np.empty_like(adjusted)
    found[order] = np.minimum(adjusted, 1.0)
    return [float(p) for p in found]
