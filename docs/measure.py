"""Measures how often intervals hold the truth and what the gate decides: docs/coverage.md, docs/operating_curves.md.

    python docs/measure.py                  # both; 1,000 runs each
    python docs/measure.py --runs 200 --only curves

The worlds are those of `tests/statistical/routes.py`. The same number of runs gives the same pages.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.statistical.routes import (  # noqa: E402
    CONFIDENCE,
    INDEPENDENT,
    RESAMPLES,
    SIGNIFICANT,
    Binary,
    Tally,
    Truth,
    World,
    fewer_draws,
    simulate,
    worlds,
)
from tests.statistical.worlds import scores  # noqa: E402

from pytest_mlops import Evaluation, Gate  # noqa: E402  # the tests are found from here on
from pytest_mlops.checks.champion_challenger import Require  # noqa: E402
from pytest_mlops.verdict.decision import decide  # noqa: E402
from pytest_mlops.verdict.result import Decision  # noqa: E402

if TYPE_CHECKING:
    from numpy.random import Generator

    from pytest_mlops.evidence.rows import Rows

    Evaluations = tuple[Evaluation, Evaluation]
    Draw = Callable[[Generator, int], Evaluations]

LOW_COVERAGE, MANY_FALSE_ALARMS = 0.93, 0.04
CLOSER = 4


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--only", choices=("coverage", "curves"))
    asked = parser.parse_args()
    with fewer_draws():
        if asked.only != "curves":
            _write("coverage.md", _coverage_page(list(_measured(asked.runs)), asked.runs))
        if asked.only != "coverage":
            _write("operating_curves.md", _curves_page(asked.runs))


def _write(name: str, lines: Iterable[str]) -> None:
    (ROOT / "docs" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _error(share: float, runs: int) -> float:
    """Two standard errors of a simulated share."""
    return 2 * math.sqrt(share * (1 - share) / runs)


# --- coverage


@dataclass(frozen=True)
class Measured:
    """One line of the table."""

    world: World
    n: int
    metric: str
    truth: Truth
    tally: Tally
    closer: bool

    @property
    def cells(self) -> list[str]:
        """As a line of the table."""
        tally = self.tally
        return [
            self.metric, f"{self.n:,}", f"{tally.coverage:.1%}", f"{tally.paired_coverage:.1%}", f"{tally.type_i:.1%}",
            f"{tally.power:.0%}", f"{-self.truth.improvement + 0.0:.3g}", f"{np.median(tally.widths):.3g}", self.remark,
        ]  # fmt: skip

    @property
    def remark(self) -> str:
        """What was not answered, or not to be believed."""
        said = ((self.tally.unanswered, "not answered"), (self.tally.doubt, "in doubt"))
        return ", ".join([f"{share:.0%} {words}" for share, words in said if share > 0] + ["again"] * self.closer)


def _coverage_page(found: list[Measured], runs: int) -> Iterator[str]:
    yield from COVERAGE_HEAD.format(
        runs=runs,
        error=_error(CONFIDENCE, runs),
        alarm_error=_error(SIGNIFICANT, runs),
        closer=CLOSER * runs,
        closer_error=_error(CONFIDENCE, CLOSER * runs),
        closer_alarm_error=_error(SIGNIFICANT, CLOSER * runs),
        resamples=RESAMPLES,
    ).splitlines()
    for world in dict.fromkeys(each.world.name for each in found):
        yield from _section([each for each in found if each.world.name == world])
    yield from _deviations(found)
    yield from _methods(found)


def _measured(runs: int) -> Iterator[Measured]:
    for world in worlds():
        generator = np.random.default_rng(1)
        truths: dict[str, Truth] = {}
        for n in world.sizes:
            fresh = {name for name in world.metrics if name not in truths or name == "max_error"}
            truths |= {name: world.truth(name, n, generator) for name in world.metrics if name in fresh}
            _tell(f"{world.name}, {n:,} rows")
            yield from _told(_lines(world, n, truths, runs))


def _lines(world: World, n: int, truths: dict[str, Truth], runs: int) -> list[Measured]:
    """What looks as if it deviates is measured again, more closely and on other rows, and only that counts."""
    tallies = simulate(world, n, truths, runs=runs)
    suspect = {name: truths[name] for name, tally in tallies.items() if _deviations_of(tally)}
    if suspect:
        tallies |= simulate(world, n, suspect, runs=CLOSER * runs, again=True)
    return [Measured(world, n, name, truths[name], tallies[name], tallies[name].runs > runs) for name in truths]


def _told(lines: list[Measured]) -> list[Measured]:
    for line in lines:
        _tell(f"  {' '.join(line.cells)}   {line.truth}   {'; '.join(_deviations_of(line.tally))}")
    return lines


def _deviations_of(tally: Tally) -> list[str]:
    """From what was promised, in words."""
    said = (
        (tally.coverage < LOW_COVERAGE, f"{tally.coverage:.1%} alone"),
        (tally.paired_coverage < LOW_COVERAGE, f"{tally.paired_coverage:.1%} paired"),
        (tally.type_i > MANY_FALSE_ALARMS, f"{tally.type_i:.1%} false alarms"),
    )
    return [words for deviates, words in said if deviates]


def _section(found: list[Measured]) -> Iterator[str]:
    world = found[0].world
    yield from ("", f"## {world.name[0].upper()}{world.name[1:]}", "", world.about, "")
    yield from _table(
        ("metric", "rows", "alone", "paired", "false alarms", "caught", "of a loss of", "width", ""),
        (each.cells for name in world.metrics for each in found if each.metric == name),
    )


def _table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield f"| {' | '.join(line)} |"


def _deviations(found: list[Measured]) -> Iterator[str]:
    yield from ("", "## Where it deviates", "", DEVIATIONS_HEAD, "")
    by_reason: dict[str, list[str]] = {}
    for each in found:
        if deviations := _deviations_of(each.tally):
            line = f"  - {each.world.name}, {each.n:,} rows, `{each.metric}`: {', '.join(deviations)}"
            by_reason.setdefault(_reason(each), []).append(line)
    for because, lines in by_reason.items():
        yield from textwrap.wrap(because, 118, initial_indent="- ", subsequent_indent="  ")
        yield from lines


def _reason(each: Measured) -> str:
    for reason in REASONS:
        if reason.explains(each):
            return reason.because
    return "**Not explained yet.**"


def _methods(found: list[Measured]) -> Iterator[str]:
    yield from ("", "## Which method", "")
    used = {(each.metric, *(_without_numbers(method) for method in each.tally.methods)): None for each in found}
    yield from _table(("metric", "alone", "paired"), sorted(used))


def _without_numbers(method: str) -> str:
    return re.sub(r"rows worth \d+", "rows worth fewer", re.sub(r"\d+ (clusters|lugsail)", r"\1", method))


@dataclass(frozen=True)
class Reason:
    """Why some intervals are shorter than they should be: those of any of these metrics, in worlds of these names."""

    metrics: str
    worlds: str
    because: str

    def explains(self, each: Measured) -> bool:
        """By regular expressions that match the whole name."""
        return bool(re.fullmatch(self.metrics, each.metric) and re.fullmatch(self.worlds, each.world.name))


REASONS = (
    Reason(
        "max_error",
        ".*",
        "The largest error is made by one row, and the rows at hand say little of a larger one that they have not met. "
        "The heavier the tail, the less.",
    ),
    Reason(
        "root_mean_squared_error|r2",
        "(Student 3|lognormal) errors",
        "Squares of heavy-tailed errors: few rows, or one, make most of the mean, and many samples have none of them. "
        "With Student's 3 degrees of freedom squares have no variance at all, and no number of rows is enough. "
        "Ask for the mean absolute error, which bears heavy tails.",
    ),
    Reason(
        "mean_absolute_error|d2_absolute_error_score",
        "(Student 3|lognormal) errors",
        "Heavy tails, in few rows: the same, to a lesser degree.",
    ),
    Reason(
        "log_loss|brier_score_loss|d2_log_loss_score",
        "(10|2) % positive|nearly perfect",
        "Some five to ten rows, positive or wrong, make most of the loss. A sample with fewer of them shows less loss, "
        "and less variation as well.",
    ),
    Reason(
        ".*",
        "weights",
        "With these weights 500 rows are worth 50 to 80. Where the few heavy ones happen to be ranked well, the metric "
        "is high and shows little variation: nearly all misses are on the optimistic side.",
    ),
)

COVERAGE_HEAD = """\
# How often the intervals hold the truth

Simulated by `python docs/measure.py --runs {runs}`, {runs:,} runs a line. Promised are 95 % of the intervals, and
2.5 % of false alarms.

- **alone**: how many 95 % intervals of a model's metric hold the true value.
- **paired**: how many 95 % intervals of a worse challenger's improvement over the champion hold the true one.
- **false alarms**: how many challengers that are exactly as good as the champion are called worse, as FAIL does it:
  one-sided p ≤ 0.025.
- **caught**: how many challengers that are truly worse, by the **loss** beside it, are called so.
- **width**: the median of the metric's interval.
- **not answered**: an error, because the metric is 0 / 0 or a class is absent; not counted as right or wrong.
- **in doubt**: the interval is shown, and proves nothing: INCONCLUSIVE at best.
- **again**: a line that showed less than 93 %, or more than 4 % of false alarms, was measured again on other rows, in
  {closer:,} runs, and shows only those.

Monte-Carlo error, two standard errors: {error:.1%} of coverage and {alarm_error:.1%} of false alarms; measured again,
{closer_error:.1%} and {closer_alarm_error:.1%}.

What two models see of a row correlates by 0.8. The truth is the metric of two million rows, or known. To save time,
counts of cells are drawn 1,000 times instead of 20,000, rows are resampled {resamples} times instead of 2,000, and the
noise of calibration is drawn 200 times instead of 1,000."""

DEVIATIONS_HEAD = """\
All lines with a coverage below 93 % or more than 4 % of false alarms. “Alone” and “paired” as above."""


# --- operating curves


ROWS = (200, 1_000, 10_000)
MARGIN = 0.02
LIFT = 1.5
"""How far apart the champion with a log loss sees the classes."""
REQUIRE: tuple[Require, ...] = ("not_worse", "non_inferior", "better")
CHALLENGERS = {"better by one margin": 1, "equal": 0, "worse by one margin": -1, "worse by three margins": -3}
"""By how many margins each is better."""


def _curves_page(runs: int) -> Iterator[str]:
    decided = {
        (metric, name, n): _decisions(metric, draw(gain * MARGIN), n, runs)
        for metric, draw in CURVES.items()
        for name, gain in CHALLENGERS.items()
        for n in ROWS
    }
    about = {"runs": runs, "error": _error(0.5, runs), "margin": MARGIN, "champion_loss": _loss_of_lift(LIFT)}
    yield from CURVES_HEAD.format(**about).splitlines()
    for require in REQUIRE:
        yield from ("", f'## `require="{require}"`', "", *READ[require].splitlines())
        for metric in CURVES:
            yield from ("", f"### {metric}", "")
            yield from _table(
                ("challenger", *(f"{n:,} rows" for n in ROWS)),
                ([name, *(_shares(decided[metric, name, n][require], runs) for n in ROWS)] for name in CHALLENGERS),
            )


def _decisions(metric: str, draw: Draw, n: int, runs: int) -> dict[Require, Counter[Decision]]:
    """Of the same models, under each of the three questions."""
    _tell(f"{metric}, {n:,} rows")
    generator = np.random.default_rng(n)
    counted: dict[Require, Counter[Decision]] = {require: Counter() for require in REQUIRE}
    for _ in range(runs):
        champion, challenger = draw(generator, n)
        gate = Gate(challenger=challenger, champion=champion)
        for require in REQUIRE:
            asked = gate.champion_challenger(
                metric, margin=MARGIN, require=require, paired_by="order", name=require
            )  # fmt: skip
            counted[require][decide([asked])] += 1
    return counted


def _shares(decided: Counter[Decision], runs: int) -> str:
    return " / ".join(f"{decided[decision] / runs:.0%}" for decision in Decision)


def _accuracy(gain: float) -> Draw:
    """85 % right; on 15 % of the rows one model alone is."""
    only_ours, only_theirs = (0.15 + gain) / 2, (0.15 - gain) / 2

    def draw(generator: Generator, n: int) -> Evaluations:
        truth, place = np.arange(n) % 2, generator.random(n)
        ours = place < 0.85 + gain
        theirs = (place >= only_ours) & (place < 0.85 + gain + only_theirs)
        return Evaluation(truth, np.where(theirs, truth, 1 - truth)), Evaluation(
            truth, np.where(ours, truth, 1 - truth)
        )

    return draw


def _roc_auc(gain: float) -> Draw:
    return lambda generator, n: scores(n, auc=0.85, harm=-gain).draw(generator)


def _log_loss(gain: float) -> Draw:
    """Calibrated models of two normal classes."""
    wanted = _loss_of_lift(LIFT) - gain
    harm = LIFT - float(brentq(lambda lift: _loss_of_lift(lift) - wanted, 0.1, 5.0))
    pair = Binary(lift=LIFT).drawn_from(INDEPENDENT)

    def draw(generator: Generator, n: int) -> Evaluations:
        first, second = pair(generator, n, harm)
        return _evaluation(first), _evaluation(second)

    return draw


def _loss_of_lift(lift: float) -> float:
    """By the midpoints of 100,000 equally likely stretches of what is seen."""
    seen = ndtri((np.arange(100_000) + 0.5) / 100_000)
    return float(np.logaddexp(0.0, -(lift**2 / 2 + lift * seen)).mean())


def _evaluation(rows: Rows) -> Evaluation:
    return Evaluation(rows.true, rows.pred, rows.score, labels=[0, 1], positive_label=1)


CURVES = {"accuracy": _accuracy, "roc_auc": _roc_auc, "log_loss": _log_loss}

READ: dict[Require, str] = {
    "not_worse": """\
The default. Blocked is a loss beyond the margin that is significant, and what cannot be judged because a harm of three
margins could go unseen; merged is what is shown not to lose more than the margin; the rest is for people to review. A
challenger worse by exactly one margin lies on the bound itself: with many rows half of these fall on either side, and
the review, or the block, is what the margin asks for. What must not happen is a merge of what is worse by three
margins, or of more than 2.5 % of what is worse by one.""",
    "non_inferior": """\
Nothing is left open: what is not shown to lose less than the margin is blocked. It merges as often as `not_worse`, and
blocks what that would have sent to review.""",
    "better": """\
The challenger has to be shown to be better than the champion: an equal one is merged in 2.5 % of the runs, by luck.""",
}

CURVES_HEAD = """\
# What the gate decides

How many pull requests end as **merge / review / block** by one check, `champion_challenger(metric, margin={margin})`,
of challengers whose true improvement is known. Simulated by `python docs/measure.py --runs {runs}`, {runs:,} runs each;
Monte-Carlo error, two standard errors, at most {error:.1%}.

- accuracy: 85 % of the champion's rows are right; on 15 % one model alone is. About 334 rows are needed not to be
  blind, and 2,950 to show an equal one, says `pytest-mlops plan accuracy --margin 0.02 --disagreement 0.15`.
- roc_auc: the champion's is 0.85, half of the rows are positive, what both models see of a row correlates by 0.8.
- log_loss: calibrated models of two classes, {champion_loss:.2f} of the champion, and the same correlation.

With 200 rows and this margin the gate is mostly blind to accuracy and log loss, and blocks whatever it is given, an
equal challenger as well. The way out is in its message: more rows, or a margin that this test set supports."""


if __name__ == "__main__":
    main()
