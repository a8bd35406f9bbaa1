"""One file for each family: evidence in, `CheckResult` out.

A new family is a file here, a row in `FAMILIES`, and a method on `Gate`.
"""

FAMILIES = ("performance_threshold", "champion_challenger", "drift", "fairness", "reproducibility")
