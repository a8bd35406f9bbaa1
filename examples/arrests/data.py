"""The Toronto arrests set (M. Friendly; shipped by scikit-lego): who was released with a summons?

The early years are for training, the later ones for judging. Colour and year are kept for the audit and are no
features. The year 1997 records `citizen` in another way than the later years; it is part of the training data.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sklego.datasets import load_arrests

FEATURES = ["age", "sex", "employed", "citizen", "checks"]
LAST_YEAR_OF_TRAINING = 2000


@dataclass(frozen=True)
class Arrests:
    """Training rows, and the later rows that a model is judged on."""

    train: pd.DataFrame
    test: pd.DataFrame

    def since(self, year: int) -> pd.DataFrame:
        """Training rows of that year and later."""
        return self.train.loc[self.train["year"] >= year]


def load() -> Arrests:
    """5,226 arrests for the possession of small quantities of marijuana, 1997 to 2002."""
    arrests = load_arrests(as_frame=True)
    early = arrests["year"] <= LAST_YEAR_OF_TRAINING
    return Arrests(train=arrests[early], test=arrests[~early].reset_index(drop=True))
