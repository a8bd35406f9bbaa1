"""What each row loses: the losses and scores of which a metric is the mean, by scikit-learn's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import xlogy

from pytest_mlops.verdict.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer[Any]]

_SMALLEST = float(np.finfo(np.float64).eps)
"""scikit-learn clips probabilities here, so that one certain mistake costs 36 and not infinitely much."""


def of_quantities(name: str, true: Floats, said: Floats) -> Floats:
    """The loss of each row of a regression.

    Parameters
    ----------
    name : str
        A metric of scikit-learn that is a mean of losses.
    true, said : arrays of shape (n,)

    Raises
    ------
    EvidenceError
        The loss is not defined for some of the values.
    """
    if name == "mean_absolute_error":
        errors = said - true
        return np.abs(errors, out=errors)
    if name == "mean_squared_error":
        errors = said - true
        return np.square(errors, out=errors)
    if name == "mean_pinball_loss":  # of the median, scikit-learn's default
        return np.asarray(np.abs(said - true) / 2)
    if name == "mean_absolute_percentage_error":
        _refuse(name, true == 0, "y_true of 0, by which it divides")
        return np.asarray(np.abs((said - true) / true))
    if name == "mean_squared_log_error":
        for values, what in ((true, "y_true"), (said, "y_pred")):
            _refuse(name, values <= -1, f"{what} of -1 or less, which has no logarithm of 1 + value")
        return np.asarray(np.square(np.log1p(said) - np.log1p(true)))
    return _deviance(name, true, said)


def _deviance(name: str, true: Floats, said: Floats) -> Floats:
    _refuse(name, said <= 0, "y_pred of 0 or less")
    if name == "mean_poisson_deviance":
        _refuse(name, true < 0, "y_true below 0")
        return np.asarray(2 * (xlogy(true, true / said) - true + said))
    _refuse(name, true <= 0, "y_true of 0 or less")
    return np.asarray(2 * (np.log(said / true) + true / said - 1))


def _refuse(name: str, bad: NDArray[np.bool_], what: str) -> None:
    found = int(np.count_nonzero(bad))
    if found:
        raise EvidenceError(f"{name} is not defined for {what}, and {found:,} of {bad.size:,} rows have it")


def of_labels(true: Codes, said: Codes) -> Floats:
    """The share of each row's labels that is wrong: `hamming_loss`."""
    wrong = true != said
    return np.asarray(wrong.mean(axis=1) if wrong.ndim == 2 else wrong, dtype=np.float64)


def of_label_sets(name: str, true: Codes, said: Codes) -> Floats:
    """How well each row's set of labels is met; 0 where that is 0 / 0, as in scikit-learn.

    Parameters
    ----------
    name : {"precision", "recall", "f1", "jaccard"}
    true, said : arrays of 0 and 1 of shape (n, labels)
    """
    right = np.count_nonzero(true & said, axis=1)
    wanted, called = np.count_nonzero(true, axis=1), np.count_nonzero(said, axis=1)
    upper, lower = {
        "precision": (right, called),
        "recall": (right, wanted),
        "f1": (2 * right, wanted + called),
        "jaccard": (right, wanted + called - right),
    }[name]
    return np.asarray(upper / np.maximum(lower, 1))


def probability_of_truth(true: Codes, probability: Floats, positive: int | None) -> Floats:
    """What the model gave the true class: from shape (n, classes), or from shape (n,) of the positive class."""
    if probability.ndim == 2:
        return np.asarray(probability[np.arange(len(true)), true])
    return np.where(true == positive, probability, 1 - probability)


def log_loss(true: Codes, probability: Floats, positive: int | None) -> Floats:
    """Minus the logarithm of the probability of the true class."""
    given = probability_of_truth(true, probability, positive)
    np.clip(given, _SMALLEST, 1 - _SMALLEST, out=given)
    np.log(given, out=given)
    return np.negative(given, out=given)


def brier(true: Codes, probability: Floats, positive: int | None) -> Floats:
    """The squared distance from certainty of the truth; for two classes half of it, as is usual."""
    if probability.ndim == 1:
        return np.asarray(np.square((true == positive) - probability))
    # Σ (p - y)² = Σ p² - 2 p_true + 1, without a second table of n × classes.
    squares = np.einsum("ij,ij->i", probability, probability)
    return np.asarray(squares - 2 * probability_of_truth(true, probability, positive) + 1)


def of_another_class(name: str, true: Codes, probability: Floats, positive: int | None) -> Floats:
    """What each row would lose if not the true class were true, but another one, each as likely as the others.

    Parameters
    ----------
    name : {"log_loss", "brier"}
    """
    given = probability_of_truth(true, probability, positive)
    others = 1 if probability.ndim == 1 else probability.shape[1] - 1
    if name == "log_loss":
        return np.asarray(-np.log(np.clip((1 - given) / others, _SMALLEST, 1 - _SMALLEST)))
    if probability.ndim == 1:
        return np.square(given)
    return np.asarray(np.einsum("ij,ij->i", probability, probability) - 2 * (1 - given) / others + 1)


def within_top(true: Codes, scores: Floats, k: int = 2) -> NDArray[np.bool_]:
    """Rows whose true class is among the k best scored. Of equal ones the later ranks first, as in scikit-learn."""
    own = scores[np.arange(len(true)), true][:, None]
    later = np.arange(scores.shape[1])[None, :] > true[:, None]
    return np.asarray(np.count_nonzero((scores > own) | ((scores == own) & later), axis=1) < k)
