"""deepchecks' FeatureDrift with its defaults: it looks at 100,000 rows, however many there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from deepchecks.tabular import Dataset  # type: ignore[import-not-found]
from deepchecks.tabular.checks import FeatureDrift  # type: ignore[import-not-found]

from .stopwatch import main

LIMIT = 0.2
"""Of its own condition, by default."""


def compare(reference: Any, current: Any) -> int:
    """How many drift scores are above the limit of its condition; no pictures are drawn."""
    text = [name for name in reference.columns if reference[name].dtype != np.float64]
    samples = [Dataset(frame, cat_features=text) for frame in (reference, current)]
    found = FeatureDrift().run(*samples, with_display=False).value
    return sum(each["Drift score"] > LIMIT for each in found.values())


if __name__ == "__main__":
    main(compare)
