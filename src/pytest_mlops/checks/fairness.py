"""Are groups of people served alike? The rates of groups, compared with each other or with a limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlops.evidence.fairness_metrics import FairnessMetric, fairness_metric_named
from pytest_mlops.evidence.groups import Groups, groups_by
from pytest_mlops.evidence.rows import rows_of
from pytest_mlops.statistics import disparity, means, proportions
from pytest_mlops.statistics.disparity import Pairs, Scale, Shares
from pytest_mlops.statistics.linear import interval
from pytest_mlops.statistics.power import with_blind_spot
from pytest_mlops.verdict.errors import EvidenceError, MlopsUsageError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import BLIND, Judgement, Limits, Proof, Verdict, judge
from pytest_mlops.verdict.wording import count, did_you_mean, number, rounded_up, with_interval

from .performance_threshold import note_sentences, right_way_round, within_range
from .spec import CheckSpec, Settings, positive_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlops.evidence.evaluation import Evaluation
    from pytest_mlops.evidence.sources import Sources
    from pytest_mlops.verdict.result import CheckResult

    Booleans = NDArray[np.bool_]

FAMILY = "fairness"
LIMITS_UNSEEN = 2.0
"""How many limits, counted from parity, the blind spot may have, unless the user says otherwise."""

_FEW_NAMED = 5
_WORDS = {"accuracy_score": "accuracy", "zero_one_loss": "zero-one loss", "r2_score": "R²", "f1_score": "F1"}
_DENOMINATORS = {
    "true_positive_rate": "positive row",
    "false_negative_rate": "positive row",
    "recall_score": "positive row",
    "false_positive_rate": "negative row",
    "true_negative_rate": "negative row",
    "precision_score": "row called positive",
    "f1_score": "row that is positive or called so",
}


@dataclass(frozen=True, slots=True)
class Fairness:
    """A validated question. `Gate.fairness` documents the arguments."""

    metric: FairnessMetric
    by: tuple[str, ...]
    limits: Limits
    proof: Proof
    max_blind: float | None
    min_group_size: int
    name: str | None

    @classmethod
    def ask(
        cls,
        metric: str,
        *,
        by: str | Sequence[str],
        limits: Limits,
        proof: Proof,
        max_blind: float | None,
        min_group_size: int,
        name: str | None,
    ) -> Fairness:
        """Check the arguments; raise a `MlopsUsageError` that says what would be right."""
        found = fairness_metric_named(metric)
        right_way_round(found.metric, limits)
        within_range(found.metric, limits)
        _not_parity_itself(found, limits)
        if proof not in ("table", "shown"):
            raise MlopsUsageError(f"unknown proof={proof!r}: {did_you_mean(str(proof), ('table', 'shown'))}")
        if not isinstance(min_group_size, int) or isinstance(min_group_size, bool) or min_group_size < 1:
            raise MlopsUsageError(f"min_group_size={min_group_size!r} must be an integer, 1 or more")
        cap = _usual_cap(found, limits) if max_blind is None else positive_number(max_blind, "max_blind")
        return cls(found, _features(by), limits, proof, cap, min_group_size, name)

    @property
    def spec(self) -> CheckSpec:
        """What is asked."""
        arguments = {
            "by": list(self.by),
            **self.limits.to_dict(),
            "proof": self.proof,
            "max_blind": self.max_blind,
            "min_group_size": self.min_group_size,
        }
        return CheckSpec(
            family=FAMILY, subject=self.metric.name, slice="+".join(self.by), name=self.name, arguments=arguments
        )

    def answer(self, sources: Sources, settings: Settings) -> CheckResult:
        """Judge the challenger."""
        challenger = sources.challenger()
        self.metric.demand(challenger)
        self.metric.metric.demand(rows_of(challenger))
        _independent(challenger)
        groups = groups_by(challenger, self.by)
        view = (self._compared if self.metric.is_disparity else self._each)(challenger, groups, settings)
        if view.found is None:
            verdict = Verdict.FAIL if self.proof == "shown" else Verdict.INCONCLUSIVE
            message = f"{self.metric.name} by {self._by} cannot be judged: {'; '.join(view.doubts)}."
        else:
            judgement = self._capped(judge(view.found, self.limits, proof=self.proof, max_blind=self.max_blind), view)
            verdict = judgement.verdict
            message = self._message(view, judgement)
        return self.spec.result(
            settings,
            verdict,
            " ".join([message, *note_sentences(challenger.notes)]),
            estimate=view.found,
            limits=self.limits,
            parts=tuple(self._part(settings, groups, view, group) for group in range(len(groups.names))),
            details={
                "groups": len(groups.names),
                "too_small": [groups.labels[group] for group in sorted(view.small)],
                "not_assessed": list(view.doubts),
                **view.details,
                "notes": list(challenger.notes),
            },
        )

    # --- groups compared with each other

    def _compared(self, challenger: Evaluation, groups: Groups, settings: Settings) -> _View:
        shares = [_shares(rate, challenger, groups) for rate in self.metric.of]
        scale: Scale = "difference" if self.metric.form == "difference" else "ratio"
        doubts, doubtful = self._without_rows(shares, groups)
        if all((each.n > 0).sum() < 2 for each in shares):
            raise EvidenceError(f"no two groups of {self._by} can be compared: {'; '.join(doubts)}")
        if scale == "ratio":
            doubts += [
                f"the {_words(rate)} is 0 in every group, and the ratio 0 / 0 is not defined"
                for rate, each in zip(self.metric.of, shares, strict=True)
                if each.n.any() and not each.counted.any()
            ]
        pairs = disparity.compare(shares, scale=scale, confidence=settings.confidence)
        view = _View(groups, shares, settings.confidence, doubts, doubtful, self._small(shares), pairs=pairs)
        if not pairs.size:
            return view
        n = int(sum(each.n.sum() for each in shares))
        found = disparity.disparity(pairs, self.limits.bound, n=n, seen=self._seen(pairs, shares))
        clearest = pairs.clearest(self.limits.bound)
        details = {
            "pairs": pairs.size,
            "p_value": None if clearest is None else float(pairs.p_values[clearest]),
            "widest": self._pair_named(view, pairs.worst),
        }
        return replace(view, found=found, details=details)

    def _without_rows(self, shares: Sequence[Shares], groups: Groups) -> tuple[list[str], frozenset[int]]:
        """Groups whose rate is 0 / 0: why, and which."""
        doubts, found = [], set()
        for rate, each in zip(self.metric.of, shares, strict=True):
            empty = np.flatnonzero(each.n == 0).tolist()
            if empty:
                doubts.append(f"there is no {_DENOMINATORS[rate]} in {_listed([groups.labels[g] for g in empty])}")
            found.update(empty)
        return doubts, frozenset(found)

    def _small(self, shares: Sequence[Shares]) -> dict[int, int]:
        """The groups with fewer rows than are asked for, and how many they have in the smallest denominator."""
        fewest = np.min([each.n for each in shares], axis=0)
        small = np.flatnonzero((fewest > 0) & (fewest < self.min_group_size))
        return {int(group): int(fewest[group]) for group in small}

    def _seen(self, pairs: Pairs, shares: Sequence[Shares]) -> Booleans:
        """The pairs that must not be blind: those without a small group, which keeps the check from a PASS anyway.

        Where a rate has no other pairs they all count: small groups alone are no way around blindness.
        """
        n = np.stack([each.n for each in shares])
        large = np.minimum(n[pairs.rate, pairs.higher], n[pairs.rate, pairs.lower]) >= self.min_group_size
        only_small = [rate for rate in range(len(shares)) if not large[pairs.rate == rate].any()]
        return np.asarray(large | np.isin(pairs.rate, only_small))

    def _pair_named(self, view: _View, place: int) -> dict[str, Any]:
        assert view.pairs is not None
        return {
            "rate": self.metric.of[int(view.pairs.rate[place])],
            "higher": view.groups.labels[int(view.pairs.higher[place])],
            "lower": view.groups.labels[int(view.pairs.lower[place])],
        }

    # --- each group by itself

    def _each(self, challenger: Evaluation, groups: Groups, settings: Settings) -> _View:
        known = _Group.all(self.metric, challenger, groups, settings.confidence)
        doubts = [f"{groups.labels[place]} {each.doubt}" for place, each in known.items() if each.doubt]
        doubtful = frozenset(place for place, each in known.items() if each.doubt)
        small = {place: each.n for place, each in known.items() if 0 < each.n < self.min_group_size}
        valued = [each for each in known.values() if each.own is not None]
        if not valued:
            raise EvidenceError(f"no group of {self._by} can be judged: {'; '.join(doubts)}")
        view = _View(groups, [], settings.confidence, doubts, doubtful, small, each=known)
        return replace(view, found=self._worst(valued))

    def _worst(self, known: Sequence[_Group]) -> Estimate:
        own = [each.own for each in known if each.own is not None]
        simultaneous = [each.simultaneous for each in known if each.simultaneous is not None]
        smallest = self.metric.greater_is_better
        found = disparity.worst_of(own, simultaneous, smallest=smallest, n=sum(each.n for each in known))
        large = [each.own for each in known if each.own is not None and each.n >= self.min_group_size]
        if large:
            errors = [estimate.standard_error for estimate in large]
            found = replace(found, standard_error=max(error for error in errors if error is not None))
        return self._against_the_limit(found, known, len(known))

    def _against_the_limit(self, found: Estimate, known: Sequence[_Group], comparisons: int) -> Estimate:
        """Where small groups alone are beyond the limit, that may be noise: it must be significant to FAIL."""
        bound = self.limits.bound
        beyond = [each for each in known if each.own is not None and self.limits.beyond(each.own.value, bound)]
        if beyond and all(each.n < self.min_group_size for each in beyond):
            p_value = min(each.p_value(self.metric, bound) for each in beyond) * comparisons  # Bonferroni
            found = replace(found, null=bound, p_value=min(p_value, 1.0))
        return with_blind_spot(found, bound)

    # --- verdict and words

    def _capped(self, judgement: Judgement, view: _View, group: int | None = None) -> Judgement:
        """What is too small, or 0 / 0, may FAIL and may not PASS."""
        if group is None:
            assessed = not (view.small or view.doubts)
        else:
            assessed = group not in view.small and group not in view.doubtful
        if assessed or judgement.verdict not in (Verdict.PASS, Verdict.WARN):
            return judgement
        if self.proof == "shown":
            return Judgement(Verdict.FAIL, "not shown")
        return Judgement(Verdict.INCONCLUSIVE, "looks fine, but not every group can be assessed")

    def _message(self, view: _View, judgement: Judgement) -> str:
        assert view.found is not None
        sentences = [
            f"{self.metric.name} by {self._by} is {with_interval(view.found)} on {count(view.found.n, 'row')}, the "
            f"limit is {self.limits.words()}: {judgement.because}.",
            *(self._words_on_pairs(view, judgement) if view.pairs else self._words_on_groups(view)),
        ]
        if view.small:
            named = _listed([f"{view.groups.labels[group]} ({n:,})" for group, n in sorted(view.small.items())])
            sentences.append(f"Too few rows to pass (min_group_size={self.min_group_size}): {named}.")
        sentences.extend(f"Not assessed: {doubt}." for doubt in view.doubts)
        if judgement.because == BLIND:
            sentences.append(self._ways_out(view))
        return " ".join(sentences)

    def _words_on_pairs(self, view: _View, judgement: Judgement) -> list[str]:
        assert view.pairs is not None
        where = ""
        if len(self.metric.of) > 1:
            where = f"The {_words(self.metric.of[int(view.pairs.rate[view.pairs.worst])])} is furthest apart. "
        higher, lower = self._pair_in_words(view, view.pairs.worst)
        sentences = [f"{where}Highest: {higher}; lowest: {lower}."]
        clearest = view.pairs.clearest(self.limits.bound)
        significant = judgement.verdict is Verdict.FAIL and self.proof == "table"
        if significant and clearest is not None and view.pairs.values[clearest] != view.pairs.values[view.pairs.worst]:
            rate = f", in the {_words(self.metric.of[int(view.pairs.rate[clearest])])}" if where else ""
            sentences.append(f"Clearest{rate}: {' against '.join(self._pair_in_words(view, clearest))}.")
        return sentences

    def _pair_in_words(self, view: _View, place: int) -> tuple[str, str]:
        assert view.pairs is not None
        rate = int(view.pairs.rate[place])
        higher, lower = (
            f"{view.groups.labels[group]} {_rate_in_words(view.share(rate, group))}"
            for group in (int(view.pairs.higher[place]), int(view.pairs.lower[place]))
        )
        return higher, lower

    def _words_on_groups(self, view: _View) -> list[str]:
        valued = {group: each.own for group, each in view.each.items() if each.own is not None}
        order = sorted(valued, key=lambda group: valued[group].value)
        lowest, highest = (
            f"{view.groups.labels[group]} {_rate_in_words(valued[group])}" for group in (order[0], order[-1])
        )
        if self.metric.greater_is_better:
            return [f"Lowest: {lowest}; highest: {highest}."]
        return [f"Highest: {highest}; lowest: {lowest}."]

    def _ways_out(self, view: _View) -> str:
        """What would make the check see: a wider limit, more rows, or a group that is named instead of judged."""
        found, cap = view.found, self.max_blind
        assert found is not None
        assert cap is not None  # or it could not be blind
        spot = found.blind_spot if found.blind_spot is not None else math.inf
        if view.pairs is None:
            rows = math.ceil(found.n * (spot / cap) ** 2)
            return (
                f"A group that is {number(spot)} beyond the limit can go unseen here, and at most {number(cap)} may. "
                f"Judge on about {rows:,} rows, or raise max_blind=."
            )
        seen = f"A disparity of {number(spot)} can go unseen here, and at most {number(cap)} may."
        ways = [*self._wider(view, found, spot), *self._more_rows(view, found, cap), *self._unjudged(view)]
        return f"{seen} {_alternatives(ways)}."

    def _wider(self, view: _View, found: Estimate, spot: float) -> list[str]:
        assert view.pairs is not None
        apart = disparity.distance(self.limits.bound, view.pairs.scale)
        raised = [f"allow max_blind={rounded_up(spot)}"] if spot < 1 else []
        if self.max_blind != _cap_at(apart):
            return raised  # the user's own, which a wider limit does not widen
        supported = _supported(found, view.pairs)
        if supported is None:
            return raised
        limit = supported if view.pairs.scale == "difference" else 1 - supported
        name = "at_most" if view.pairs.scale == "difference" else "at_least"
        return [f"use {name}={number(limit)}, the strictest limit that these rows support", *raised]

    def _more_rows(self, view: _View, found: Estimate, cap: float) -> list[str]:
        """Of the least precise of two groups, if the other one suffices; of several, as many in each as all need."""
        pairs = view.pairs
        assert pairs is not None
        apart = disparity.distance(self.limits.bound, pairs.scale)
        needed = disparity.needed_error(apart, cap, pairs.scale, pairs.size, found.confidence)
        if needed is None or found.standard_error is None:
            return []
        rate, group, other = self._least_precise(view, found.standard_error)
        alone = len(view.groups.names) == 2 and other < 0.9 * needed
        error = math.sqrt(needed**2 - other**2) if alone else needed / math.sqrt(2)
        rows = disparity.rows_for(error, view.shares[rate], group, pairs.scale, pairs.confidence)
        if rows is None:
            return []
        wanted = f"judge on about {count(rows, _DENOMINATORS.get(self.metric.of[rate], 'row'))} of"
        n, label = int(view.shares[rate].n[group]), view.groups.labels[group]
        return [f"{wanted} {label}, which has {n:,}" if alone else f"{wanted} each group ({label} has {n:,})"]

    def _least_precise(self, view: _View, error: float) -> tuple[int, int, float]:
        """Of the pair with this standard error: its rate, its less precise group, and the other one's own error."""
        pairs = view.pairs
        assert pairs is not None
        place = int(np.abs(pairs.standard_errors - error).argmin())
        rate = int(pairs.rate[place])
        groups = (int(pairs.higher[place]), int(pairs.lower[place]))
        errors = [disparity.standard_error(view.shares[rate], group, pairs.scale, pairs.confidence) for group in groups]
        worse = int(errors[1] > errors[0])
        return rate, groups[worse], errors[1 - worse]

    def _unjudged(self, view: _View) -> list[str]:
        """A group that alone makes the check blind may be left out of that, if others are there to be judged."""
        assert view.found is not None
        fewest = np.min([each.n for each in view.shares], axis=0)
        large = np.sort(fewest[fewest >= self.min_group_size])
        if large.size < 3:
            return []
        size = int(large[0]) + 1
        return [f"say min_group_size={size:,}: groups of fewer rows are named, and keep the check INCONCLUSIVE at best"]

    def _part(self, settings: Settings, groups: Groups, view: _View, group: int) -> CheckResult:
        """A group: its rates; and how it stands to the others, or to the limit, which has no say in the whole."""
        rates = view.rates(group, self.metric)
        shown = rates[self._shown_rate(view, group)]
        judgement, apart = self._judgement_of_group(view, group)
        values = "; ".join(
            f"{_words(rate)} {with_interval(found)} of {count(found.n, 'row')}" if found else f"no {_words(rate)}"
            for rate, found in rates.items()
        )
        return self.spec.part(
            settings,
            groups.names[group],
            judgement.verdict,
            f"{groups.labels[group]}: {values}.",
            estimate=shown,
            limits=None if view.pairs is not None else self.limits,
            details={
                "rates": {rate: _brief(estimate) for rate, estimate in rates.items()},
                "because": judgement.because,
                **({"disparity": _brief(apart)} if apart else {}),
            },
        )

    def _shown_rate(self, view: _View, group: int) -> str:
        """The one in which the group is furthest from another."""
        if view.pairs is None or not view.pairs.size or len(self.metric.of) == 1:
            return self.metric.of[0]
        return self.metric.of[int(view.pairs.rate[view.pairs.worst])]

    def _judgement_of_group(self, view: _View, group: int) -> tuple[Judgement, Estimate | None]:
        nothing = Judgement(Verdict.FAIL if self.proof == "shown" else Verdict.INCONCLUSIVE, "not assessed")
        if view.pairs is None:
            each = view.each[group]
            if each.own is None:
                return nothing, None
            found = self._against_the_limit(each.own, [each], len(view.each))
            return self._capped(judge(found, self.limits, proof=self.proof), view, group), None
        among = view.pairs.of_group(group)
        if not among.any():
            return nothing, None
        apart = disparity.disparity(view.pairs, self.limits.bound, n=view.rows(group), among=among)
        return self._capped(judge(apart, self.limits, proof=self.proof), view, group), apart

    @property
    def _by(self) -> str:
        return " and ".join(self.by)


@dataclass(frozen=True, slots=True)
class _View:
    """What was found out about the groups.

    Parameters
    ----------
    groups : Groups
    shares : sequence of Shares
        Of each rate that is compared.
    confidence : float
    doubts : list of str
        Why something cannot be assessed.
    doubtful : set of int
        The groups that this is about.
    small : mapping
        The groups with too few rows, and how many they have.
    pairs : Pairs or None
        Where groups are compared with each other.
    each : mapping
        The groups by themselves, where they are not.
    found : Estimate or None
        What is judged; None where nothing is defined.
    details : mapping
    """

    groups: Groups
    shares: Sequence[Shares]
    confidence: float
    doubts: list[str]
    doubtful: frozenset[int]
    small: dict[int, int]
    pairs: Pairs | None = None
    each: dict[int, _Group] = field(default_factory=dict)
    found: Estimate | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def share(self, rate: int, group: int) -> Estimate:
        """The rate of a group that has rows."""
        shares = self.shares[rate]
        return proportions.share(int(shares.counted[group]), int(shares.n[group]), confidence=self.confidence)

    def rates(self, group: int, metric: FairnessMetric) -> dict[str, Estimate | None]:
        """All that is taken of a group."""
        if self.each:
            return {metric.of[0]: self.each[group].own}
        return {
            name: self.share(rate, group) if self.shares[rate].n[group] else None for rate, name in enumerate(metric.of)
        }

    def rows(self, group: int) -> int:
        """The rows that a group's rates are of."""
        return int(sum(shares.n[group] for shares in self.shares))


@dataclass(frozen=True, slots=True)
class _Group:
    """One group by itself.

    Parameters
    ----------
    n : int
        Rows of the denominator.
    own, simultaneous : Estimate or None
        At the confidence that is wanted, and at Šidák's over all groups; None where it has no value.
    doubt : str
        Why it cannot be assessed, or nothing.
    counted : int
        Of a share.
    y_true, errors : arrays of shape (n,)
        Of quantities.
    """

    n: int
    own: Estimate | None
    simultaneous: Estimate | None
    doubt: str
    counted: int = 0
    y_true: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    errors: NDArray[Any] = field(default_factory=lambda: np.empty(0))

    @classmethod
    def all(
        cls, metric: FairnessMetric, evaluation: Evaluation, groups: Groups, confidence: float
    ) -> dict[int, _Group]:
        """Each group of the evaluation."""
        levels = (confidence, confidence ** (1 / len(groups.names)))
        if metric.needs == "quantities":
            return {
                group: cls._of_quantities(metric, evaluation, groups.codes == group, levels)
                for group in range(len(groups.names))
            }
        shares = _shares(metric.of[0], evaluation, groups)
        return {
            group: cls._of_share(metric, int(shares.counted[group]), int(shares.n[group]), levels)
            for group in range(len(groups.names))
        }

    @classmethod
    def _of_share(cls, metric: FairnessMetric, counted: int, n: int, levels: tuple[float, float]) -> _Group:
        if not n:
            return cls(0, None, None, f"has no {_DENOMINATORS[metric.of[0]]}")
        own, simultaneous = (proportions.share(counted, n, confidence=level) for level in levels)
        if metric.of[0] == "f1_score":
            own, simultaneous = proportions.f1_from_jaccard(own), proportions.f1_from_jaccard(simultaneous)
        return cls(n, own, simultaneous, "", counted)

    @classmethod
    def _of_quantities(
        cls, metric: FairnessMetric, evaluation: Evaluation, rows: Booleans, levels: tuple[float, float]
    ) -> _Group:
        n, truth, errors = int(rows.sum()), evaluation.y_true[rows], evaluation.errors[rows]
        try:
            own, simultaneous = (_of_errors(metric.of[0], truth, errors, level) for level in levels)
        except EvidenceError as error:
            return cls(n, None, None, f"cannot be assessed: {error}", 0, truth, errors)
        flat = own.low == own.high
        doubt = f"shows no variation at all in {count(n, 'row')}, so it has no interval" if flat else ""
        return cls(n, own, simultaneous, doubt, 0, truth, errors)

    def p_value(self, metric: FairnessMetric, bound: float) -> float:
        """One-sided, of "this group meets the limit"."""
        if metric.needs == "quantities":
            return _p_of_quantities(metric.of[0], self.y_true, self.errors, bound)
        share = bound / (2 - bound) if metric.of[0] == "f1_score" else bound  # F1 is a function of a share
        return disparity.tail(self.counted, self.n, share, below=metric.greater_is_better)


def _shares(rate: str, evaluation: Evaluation, groups: Groups) -> Shares:
    """Rows that count, among which, for each group."""
    counted, among = _rows(rate, evaluation)
    return Shares(groups.count(counted & among), groups.count(among))


def _rows(rate: str, evaluation: Evaluation) -> tuple[Booleans, Booleans]:
    if rate in ("accuracy_score", "zero_one_loss"):
        correct = evaluation.correct
        return (correct if rate == "accuracy_score" else ~correct), correct | True
    positive, said = evaluation.positive, evaluation.predicted_positive
    return {
        "selection_rate": (said, said | True),
        "true_positive_rate": (said, positive),
        "false_negative_rate": (~said, positive),
        "false_positive_rate": (said, ~positive),
        "true_negative_rate": (~said, ~positive),
        "recall_score": (said, positive),
        "precision_score": (positive, said),
        "f1_score": (positive & said, positive | said),
    }[rate]


def _independent(evaluation: Evaluation) -> None:
    """The intervals of groups, and of their differences, are those of independent rows that count alike."""
    given = [name for name in ("clusters", "time", "sample_weight") if getattr(evaluation, name) is not None]
    if given:
        raise EvidenceError(
            f"the evaluation has {' and '.join(given)}, which fairness does not take into account: its intervals "
            f"would be too short. Judge an evaluation without, if its rows are independent and count alike"
        )


def _of_errors(metric: str, truth: NDArray[Any], errors: NDArray[Any], confidence: float) -> Estimate:
    if metric == "r2_score":
        found = interval(means.r2(truth, truth + errors).linear, confidence=confidence)
        return replace(found, null=None, p_value=None, high=min(found.high, 1.0))
    of = np.abs if metric == "mean_absolute_error" else np.square
    found = interval(means.mean(of(errors)), confidence=confidence)
    return replace(found, low=max(found.low, 0.0), null=None, p_value=None)


def _p_of_quantities(metric: str, truth: NDArray[Any], errors: NDArray[Any], bound: float) -> float:
    """Of "the mean of what is left below the limit is not below 0"."""
    if metric == "r2_score":
        left = (1 - bound) * np.square(truth - truth.mean()) - np.square(errors)
    else:
        left = bound - (np.abs(errors) if metric == "mean_absolute_error" else np.square(errors))
    p_value = interval(means.mean(left), confidence=0.95).p_value
    return 1.0 if p_value is None else p_value


def _features(by: object) -> tuple[str, ...]:
    names = (by,) if isinstance(by, str) else tuple(by) if isinstance(by, list | tuple) else ()
    if not names or not all(isinstance(name, str) and name for name in names):
        raise MlopsUsageError(f"by={by!r} names no sensitive feature: give a name, or a list of names")
    if len(set(names)) < len(names):
        raise MlopsUsageError(f"by={by!r} names a sensitive feature twice: name each once")
    return names


def _not_parity_itself(metric: FairnessMetric, limits: Limits) -> None:
    if metric.is_disparity and limits.bound == (1.0 if metric.form == "ratio" else 0.0):
        raise MlopsUsageError(
            f"no rows can show that {metric.name} is exactly {number(limits.bound)}: a limit of {limits.words()} is "
            f"never met; say how far from parity is still fair, e.g. "
            f"{'at_least=0.8' if metric.form == 'ratio' else 'at_most=0.1'}"
        )


def _usual_cap(metric: FairnessMetric, limits: Limits) -> float | None:
    if not metric.is_disparity:
        return None
    return _cap_at(limits.bound if metric.form == "difference" else 1 - limits.bound)


def _cap_at(apart: float) -> float:
    """Twice the limit's distance from parity, but where that is most of the way, half of the rest: never everything."""
    return min(LIMITS_UNSEEN * apart, (1 + apart) / 2)


def _supported(found: Estimate, pairs: Pairs) -> float | None:
    """The smallest distance from parity whose blind spot is small enough, in steps of 0.01."""
    for step in range(1, 100):
        apart = step / 100
        if disparity.blind_spot(found, apart, pairs.scale, pairs.size) <= _cap_at(apart):
            return apart
    return None


def _words(rate: str) -> str:
    return _WORDS.get(rate, rate.removesuffix("_score").replace("_", " "))


def _rate_in_words(estimate: Estimate) -> str:
    half = (estimate.high - estimate.low) / 2
    return f"{number(estimate.value, resolution=half)} of {estimate.n:,}"


def _brief(estimate: Estimate | None) -> dict[str, Any] | None:
    """What a record of a hundred groups has room for."""
    if estimate is None:
        return None
    everything = estimate.to_dict()
    return {name: everything[name] for name in ("value", "low", "high", "n", "p_value") if everything[name] is not None}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_FEW_NAMED])
    return f"{shown} and {len(names) - _FEW_NAMED:,} more" if len(names) > _FEW_NAMED else shown


def _alternatives(ways: Sequence[str]) -> str:
    text = "; or ".join(ways) or "judge on more rows, or join groups"
    return text[0].upper() + text[1:]
