"""What `pytest-mlops plan` says: how many test rows a comparison needs. The plan as a dictionary in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlops.verdict.wording import count, number, percent

WIDTH = 80

ABOUT = """\
How many test rows does a comparison of two models need? Answered before any of
them is collected, for champion_challenger(METRIC, margin=MARGIN): a paired
comparison on the same, independent rows.
"""

KNOWLEDGE = """\
what to know of the metric:
  accuracy, zero_one_loss, top_k_accuracy,
  precision_micro, recall_micro, f1_micro   --disagreement
  recall, specificity                       --disagreement --prevalence
  precision                                 --disagreement --selection-rate
  roc_auc                                   --value --correlation --prevalence
  any metric                                --spread
  The spread of a comparison that has been made is its standard_error times the
  root of its n, both in gate.json. The micro averages are those of two or more
  classes; for several labels a row (multilabel) give --spread.

example:
  pytest-mlops plan accuracy --margin 0.01 --disagreement 0.1 --looks 32
"""


def text(plan: Mapping[str, Any]) -> str:
    """A sentence, a table, and what was assumed, in lines of at most 80 columns."""
    return "\n\n".join([_wrapped(_sentence(plan)), "\n".join(_table(plan)), "\n".join(_assumed(plan))])


def _sentence(plan: Mapping[str, Any]) -> str:
    rows = plan["rows"]
    return (
        f"Collect {count(rows['shows_equal'], 'test row')} to show that an equal challenger is not worse by more than "
        f"{number(plan['margin'])} in {plan['metric']}; with fewer than about {rows['not_blind']:,} the gate is blind, "
        f"and blocks what it cannot judge."
    )


def _table(plan: Mapping[str, Any]) -> Iterator[str]:
    lines = list(_lines(plan))
    width = max(len("rows"), *(len(rows) for rows, _ in lines))
    yield f"{'rows':>{width}}  what they are enough for"
    yield "─" * WIDTH
    for rows, words in lines:
        yield _wrapped(words, before=f"{rows:>{width}}  ")


def _lines(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rows, power = plan["rows"], percent(plan["power"])
    yield f"{rows['not_blind']:,}", "the gate is not blind at its usual cap of 3 margins"
    yield f"{rows['shows_equal']:,}", f"an equal challenger is shown within the margin, in {power} of runs"
    for caught in rows["catches"]:
        words = f"a challenger worse by {caught['margins']} margins ({number(caught['harm'])})"
        if caught["rows"] is None:
            yield "–", f"{words}: there is no such challenger"
        else:
            yield f"{caught['rows']:,}", f"{words} FAILs, in {power} of runs"
    if rows["guaranteed"] is not None:
        yield f"{rows['guaranteed']:,}", "guaranteed: measured within one margin of the truth (Bennett)"
        yield f"{rows['guaranteed_without_disagreement']:,}", "the same, whatever the disagreement (Hoeffding)"


def _assumed(plan: Mapping[str, Any]) -> Iterator[str]:
    known = ", ".join(f"{name.replace('-', ' ')} {number(value)}" for name, value in plan["known"].items())
    facts = f"Assumed: {known}; independent rows; {percent(plan['confidence'])} confidence"
    if plan["looks"] == 1:
        yield _wrapped(f"{facts}, for one look at these rows.")
        return
    kind = "each made in the light of the verdicts before" if plan["adaptive"] else "none made in the light of another"
    yield _wrapped(f"{facts} over {plan['looks']:,} looks at these rows, {kind}.")
    yield _wrapped(_one_look(plan["confidence_of_one_look"]))
    if plan["adaptive"]:
        yield _wrapped(
            "A look counts as one bit, pass or fail: who also reads values and intervals learns more, and needs "
            "fresh rows sooner."
        )


def _one_look(confidence: float | None) -> str:
    if confidence is None:
        return "No policy can ask for a confidence so near to 1: use fewer looks, or fresh rows."
    return f"Set confidence = {confidence!r} in the policy: this plan counts on it."


def _wrapped(words: str, *, before: str = "") -> str:
    after = " " * len(before)
    return textwrap.fill(words, WIDTH, initial_indent=before, subsequent_indent=after, break_on_hyphens=False)
