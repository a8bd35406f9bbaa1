"""NannyML's UnivariateDriftCalculator with its defaults: Jensen–Shannon, in ten chunks."""

from __future__ import annotations

from typing import Any

import nannyml  # type: ignore[import-not-found]

from .stopwatch import main


def compare(reference: Any, current: Any) -> int:
    """How many columns raise an alert in any chunk."""
    calculator = nannyml.UnivariateDriftCalculator(column_names=list(reference.columns))
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    alerts = found.xs("alert", axis=1, level=-1)
    return int(alerts.any().sum())


if __name__ == "__main__":
    main(compare)
