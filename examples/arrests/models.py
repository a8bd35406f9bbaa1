"""The models of the example. A real project loads a trained artifact here; these are fitted in well under a second."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from .data import FEATURES

CATEGORIES = ["sex", "employed", "citizen"]


def logistic_regression(seed: int) -> Any:
    """In production: linear in age and in the number of earlier police checks."""
    numbers = (StandardScaler(), ["age", "checks"])
    return make_pipeline(_columns(numbers), LogisticRegression(random_state=seed))


def splines(seed: int) -> Any:
    """A challenger that may merge: the same, but smooth in age."""
    age = (SplineTransformer(n_knots=4), ["age"])
    return make_pipeline(_columns(age, (StandardScaler(), ["checks"])), LogisticRegression(random_state=seed))


def boosting(seed: int) -> Any:
    """A challenger that is blocked: gradient boosting out of the box learns the early years by heart."""
    return make_pipeline(
        _columns(("passthrough", ["age", "checks"])), HistGradientBoostingClassifier(random_state=seed)
    )


class ReleasedAtBaseRate:
    """A classifier with an operating point: "Yes" where it is likelier than it was among the training rows.

    At a cut of 0.5 everybody would be released, because most people were.
    """

    def __init__(self, classifier: ClassifierMixin, train: pd.DataFrame) -> None:
        self.classifier = classifier.fit(train[FEATURES], train["released"])
        self.classes_ = self.classifier.classes_
        self.cut = float((train["released"] == "Yes").mean())

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Probabilities of "No" and "Yes"."""
        return np.asarray(self.classifier.predict_proba(rows))

    def predict(self, rows: pd.DataFrame) -> np.ndarray[Any, Any]:
        """ "Yes" or "No"."""
        return np.where(self.predict_proba(rows)[:, 1] >= self.cut, "Yes", "No")


def _columns(*numbers: Any) -> Any:
    return make_column_transformer((OneHotEncoder(drop="if_binary"), CATEGORIES), *numbers)
