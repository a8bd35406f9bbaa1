"""What one writes by hand: `ks_2samp` of numbers and `chi2_contingency` of a crosstab of text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp

from .stopwatch import main

SIGNIFICANT = 0.05


def compare(reference: Any, current: Any) -> int:
    """How many p-values are below 0.05."""
    return sum(_p_value(reference[name], current[name]) < SIGNIFICANT for name in reference.columns)


def _p_value(reference: Any, current: Any) -> float:
    if reference.dtype == np.float64:
        return float(ks_2samp(reference, current).pvalue)
    both = pd.concat([reference, current], ignore_index=True)
    side = np.repeat(["reference", "current"], [len(reference), len(current)])
    return float(chi2_contingency(pd.crosstab(side, both)).pvalue)


if __name__ == "__main__":
    main(compare)
