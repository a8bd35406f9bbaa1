"""The gate: asks one model the questions that decide whether it may be merged. Knows no pytest.

Importing this module imports no numpy: what a check needs is imported when the check is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, NoReturn, ParamSpec

from .checks import FAMILIES
from .verdict.errors import MlopsUsageError
from .verdict.wording import count, did_you_mean

if TYPE_CHECKING:
    from .checks.slices import By
    from .checks.spec import Check
    from .evidence.evaluation import Evaluation
    from .evidence.sources import Source
    from .statistics.retraining import Folds
    from .verdict.limits import Proof
    from .verdict.policy import Policy
    from .verdict.result import CheckResult, GateReport

_P = ParamSpec("_P")


def _hinting(ask: Callable[_P, CheckResult]) -> Callable[_P, CheckResult]:
    """A misspelt keyword names the nearest valid ones; so does one that is missing."""
    signature = inspect.signature(ask)
    valid = list(signature.parameters)[1:]

    @wraps(ask)
    def hinted(*args: _P.args, **kwargs: _P.kwargs) -> CheckResult:
        for name in kwargs:
            if name not in valid:
                raise MlopsUsageError(f"{ask.__name__} has no argument {name!r}: {did_you_mean(name, valid)}")
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise MlopsUsageError(f"{ask.__name__}: {error} (its arguments: {', '.join(valid)})") from None
        return ask(*args, **kwargs)

    return hinted


class Gate:
    """Checks of one model, and the decision they lead to.

    Parameters
    ----------
    challenger : Evaluation, or callable that gives one, optional
        The model under test. A callable is called when a check first needs it; drift of data needs none.
    champion : Evaluation, or callable that gives one, optional
        The model it would replace.
    reference, current : frame, mapping or array of columns, path, or callable that gives one, optional
        The two samples that `drift` compares, each where it is: frames of pandas, Polars (lazy ones, too), PyArrow and
        Spark, DuckDB relations, paths of Parquet files, the profile of a sample, evaluations.
    train : callable, optional
        ``train(seed: int) -> Evaluation``, at the top level of a module: what `reproducibility` runs.
    model : str
        Name of what is judged, in reports.
    confidence : float
        Of every interval, in (0.5, 1).
    seed : int
        Of every random number: the same seed gives the same report.
    policy : Policy, optional
        Which verdicts block, and which checks may fail for a while.
    on_error : callable, optional
        Is shown each unforeseen exception inside a check, which becomes an ERROR.
    tell : callable, optional
        Is told how far long work is: in words, and as the share in [0, 1] that is done.

    Examples
    --------
    >>> y, p = [0, 1] * 200, [0, 1] * 180 + [1, 0] * 20
    >>> gate = Gate(challenger=Evaluation(y, p))
    >>> gate.performance_threshold("accuracy", at_least=0.8).verdict
    <Verdict.PASS: 'PASS'>
    >>> gate.report().decision
    <Decision.MERGE: 'merge'>
    """

    def __init__(
        self,
        *,
        challenger: Source = None,
        champion: Source = None,
        reference: Any = None,
        current: Any = None,
        train: Callable[..., Any] | None = None,
        model: str = "model",
        confidence: float = 0.95,
        seed: int = 0,
        policy: Policy | None = None,
        on_error: Callable[[Exception], object] | None = None,
        tell: Callable[[str, float], object] | None = None,
    ) -> None:
        from .checks.spec import Settings
        from .evidence.sources import Sources
        from .verdict.policy import Policy

        self._sources = Sources(
            challenger,
            champion,
            reference=reference,
            current=current,
            train=train,
            tell=tell,
        )
        self._settings = Settings(model=model, confidence=confidence, seed=seed)
        self._policy = policy or Policy()
        self._on_error = on_error
        self._results: dict[str, CheckResult] = {}
        self._functions: dict[str, Any] = {}

    @_hinting
    def performance_threshold(
        self,
        metric: str | Callable[..., Any],
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        warn_below: float | None = None,
        warn_above: float | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        needs: Literal["predictions", "scores"] | None = None,
        slices: Sequence[By] | None = None,
        min_slice_size: int = 30,
        name: str | None = None,
    ) -> CheckResult:
        """Is the model good enough? A metric against a limit.

        Parameters
        ----------
        metric : str or callable
            scikit-learn's name of a metric or a scorer, e.g. ``"f1_macro"`` or ``"log_loss"``; or a function
            ``(y_true, y_pred) -> float``, which is resampled.
        at_least, at_most : float
            The fail bound: `at_least` where greater is better, `at_most` where smaller is.
        warn_below, warn_above : float, optional
            The warn bound, on the safe side of it.
        proof : {"table", "shown"}
            With ``"shown"`` the whole interval must be inside the bound, or the check FAILs.
        max_blind : float, optional
            How far beyond the bound a model may be that this check would overlook with probability 0.2.
            Default: any.
        needs : {"predictions", "scores"}, optional
            What a function of one's own gets behind y_true. Default: predictions.
        slices : sequence, optional
            Asks the same of some of the rows as well: columns of `sensitive_features` or `slice_features`, lists of
            columns (their intersections), or functions of a frame of all these columns that say for each row whether
            it belongs to the slice, or to which. A slice FAILs where it is beyond the limit, and significantly so
            (Holm over all slices).
        min_slice_size : int
            A slice of fewer rows may FAIL, and does not PASS.
        name : str, optional
            Tells apart two checks of the same metric.

        Returns
        -------
        CheckResult
            Its parts are the slices.

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.performance_threshold import PerformanceThreshold
        from .verdict.limits import Limits

        limits = Limits(at_least=at_least, at_most=at_most, warn_below=warn_below, warn_above=warn_above)
        return self._run(
            PerformanceThreshold.ask(
                metric,
                limits=limits,
                proof=proof,
                max_blind=max_blind,
                needs=needs,
                slices=slices,
                min_slice_size=min_slice_size,
                name=name,
            )
        )

    @_hinting
    def champion_challenger(
        self,
        metric: str | Callable[..., Any],
        *,
        margin: float | None = None,
        require: Literal["not_worse", "non_inferior", "better"] = "not_worse",
        max_blind: float | None = None,
        paired_by: Literal["identity", "order"] = "identity",
        greater_is_better: bool | None = None,
        needs: Literal["predictions", "scores"] | None = None,
        guardrails: Mapping[str, float] | None = None,
        slices: Sequence[By] | None = None,
        min_slice_size: int = 30,
        folds: Folds | Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> CheckResult:
        """Is the challenger at least as good as the champion? A paired comparison on the same rows.

        Parameters
        ----------
        metric : str or callable
            As for `performance_threshold`.
        margin : float
            How much worse the challenger may be, in the unit of the metric; above 0. Not needed by ``"better"``.
        require : {"not_worse", "non_inferior", "better"}
            FAIL where the challenger is worse by more than the margin, and significantly so; where it is not shown
            to be within the margin; where it is not shown to be better.
        max_blind : float, optional
            The largest loss that may go unseen (with probability 0.2). Default: 3 margins.
        paired_by : {"identity", "order"}
            By row ids or features; or trust that both evaluations hold the same rows in the same order.
        greater_is_better : bool, optional
            Which way a function of one's own is better. Only such a metric needs it.
        needs : {"predictions", "scores"}, optional
            What a function of one's own gets behind y_true. Default: predictions.
        guardrails : mapping, optional
            Other metrics that may not get worse while this one is asked about, each with its margin:
            ``{"recall": 0.01, "log_loss": 0.02}``. Each is a part, judged as ``"not_worse"`` (Holm over all of them).
        slices, min_slice_size : optional
            As for `performance_threshold`: a challenger that gains overall may lose on some of the rows.
        folds : Folds, optional
            Scores of both models after training on several parts of the data, e.g. from cross-validation: compares the
            ways of training instead of two trained models. No evaluation is needed then.
        name : str, optional
            Tells apart two checks of the same metric.

        Returns
        -------
        CheckResult
            Its estimate is the improvement: positive is better, whatever the metric. Its parts are the guardrails and
            the slices.

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.champion_challenger import ChampionChallenger

        return self._run(
            ChampionChallenger.ask(
                metric,
                margin=margin,
                require=require,
                max_blind=max_blind,
                paired_by=paired_by,
                greater_is_better=greater_is_better,
                needs=needs,
                guardrails=guardrails,
                slices=slices,
                min_slice_size=min_slice_size,
                folds=folds,
                name=name,
            )
        )

    @_hinting
    def drift(
        self,
        method: str = "auto",
        *,
        columns: Sequence[str] | None = None,
        at_most: float | None = None,
        warn_above: float | None = None,
        limits: Mapping[str, float] | None = None,
        weights: Mapping[str, float] | Literal["importance"] | None = None,
        tolerate: float = 0.0,
        time: str | None = None,
        label: str | None = None,
        prediction: str | None = None,
        score: str | None = None,
        metric: str | Callable[..., Any] | None = None,
        windows: int | str | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        name: str | None = None,
    ) -> CheckResult:
        """Has the data changed, or what the model makes of it? The current sample against the reference.

        Parameters
        ----------
        method : str
            How far apart two columns are: ``"ks"``, ``"wasserstein"`` (in units of the reference's spread), ``"psi"``,
            ``"jensen_shannon"``, ``"hellinger"``, ``"cramers_v"``; ``"auto"`` takes KS for numbers and Cramér's V for
            the rest. Or how far apart the rows are, all columns together: ``"domain_classifier"`` (the AUC of a model
            that tells the samples apart), ``"mmd"`` (of embeddings). Or how much worse the model has become over time:
            ``"performance"`` where labels have arrived, ``"estimated_performance"`` from its scores where not.
        columns : sequence of str, optional
            Default: all that both samples have.
        at_most : float
            The fail bound, in the unit of the method.
        warn_above : float, optional
            The warn bound, below it.
        limits : mapping, optional
            Columns with an `at_most` of their own: ``{"age": 0.2}``. Their warn bound and `max_blind` move in
            proportion.
        weights : mapping or "importance", optional
            What each feature counts in what is tolerated; ``"importance"`` takes the challenger's permutation
            importance. Default: all alike.
        tolerate : float
            The share in [0, 1) of the features' weight that may have drifted: where the columns that FAIL hold no more
            than that of the weight of all that were judged, the whole only WARNs. A column and its missing values are
            one; labels, predictions, scores, and what cannot be judged are never tolerated.
        time : str, optional
            The column that orders the reference's rows: stretches of it say how far it moves by itself, so that a
            season is not called drift. It is not judged itself.
        label, prediction, score : str, optional
            Columns that are no features: "label drift" and "prediction drift" are said as such. The columns of an
            Evaluation say so themselves. ``"estimated_performance"`` reads `prediction` and `score`.
        metric, windows : optional
            Of the methods over time: which metric, and into how many windows, or windows of which length
            (``"30 days"``), the rows are cut.
        proof : {"table", "shown"}
            With ``"shown"`` each column's whole interval must be inside the bound, or it FAILs.
        max_blind : float, optional
            The largest drift that may go unseen (with probability 0.2). Default: 2 × `at_most`.
        name : str, optional
            Tells apart two checks by the same method.

        Returns
        -------
        CheckResult
            Its parts are the columns, or the windows; p-values are corrected over them (Benjamini–Hochberg).

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.drift import ask

        return self._run(
            ask(
                method,
                columns=columns,
                at_most=at_most,
                warn_above=warn_above,
                limits=limits,
                weights=weights,
                tolerate=tolerate,
                time=time,
                label=label,
                prediction=prediction,
                score=score,
                metric=metric,
                windows=windows,
                proof=proof,
                max_blind=max_blind,
                name=name,
            )
        )

    @_hinting
    def fairness(
        self,
        metric: str,
        *,
        by: str | Sequence[str],
        at_least: float | None = None,
        at_most: float | None = None,
        warn_below: float | None = None,
        warn_above: float | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        min_group_size: int = 30,
        name: str | None = None,
    ) -> CheckResult:
        """Are groups of people served alike? A metric of fairlearn against a limit.

        Parameters
        ----------
        metric : str
            fairlearn's name, e.g. ``"demographic_parity_difference"``, ``"equalized_odds_ratio"``,
            ``"recall_score_group_min"``, ``"mean_absolute_error_group_max"``.
        by : str or sequence of str
            The sensitive feature; of several, the groups are their intersections.
        at_least, at_most : float
            The fail bound: `at_most` for a difference or the worst error, `at_least` for a ratio or the worst share.
        warn_below, warn_above : float, optional
            The warn bound, on the safe side of it.
        proof : {"table", "shown"}
            With ``"shown"`` the whole interval must be inside the bound, or the check FAILs.
        max_blind : float, optional
            The largest disparity that may go unseen (with probability 0.2). Default: twice the limit.
        min_group_size : int
            A smaller group may make the check FAIL, and keeps it from a PASS.
        name : str, optional
            Tells apart two checks of the same metric and feature.

        Returns
        -------
        CheckResult
            Its parts are the groups, with their rates.

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.fairness import Fairness
        from .verdict.limits import Limits

        limits = Limits(at_least=at_least, at_most=at_most, warn_below=warn_below, warn_above=warn_above)
        return self._run(
            Fairness.ask(
                metric,
                by=by,
                limits=limits,
                proof=proof,
                max_blind=max_blind,
                min_group_size=min_group_size,
                name=name,
            )
        )

    @_hinting
    def reproducibility(
        self,
        *,
        runs: int = 2,
        atol: float = 0.0,
        rtol: float = 0.0,
        timeout: float = 600.0,
        name: str | None = None,
    ) -> CheckResult:
        """Does the same training give the same model? It is run again in fresh processes.

        Parameters
        ----------
        runs : int
            How often, each time under another ``PYTHONHASHSEED`` and with the same seed.
        atol, rtol : float
            How far scores, or quantities, of two runs may be apart: ``atol + rtol * abs(first)``. Labels must be equal.
        timeout : float
            Seconds that one run may take.
        name : str, optional
            Tells apart two such checks.

        Returns
        -------
        CheckResult

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.reproducibility import Reproducibility

        return self._run(Reproducibility.ask(runs=runs, atol=atol, rtol=rtol, timeout=timeout, name=name))

    @property
    def model(self) -> str:
        """The name of what is judged."""
        return self._settings.model

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """All answers so far, in the order of the questions."""
        return tuple(self._results.values())

    def evidence(self) -> Mapping[str, Any]:
        """Digests of what was judged so far, for each role."""
        return self._sources.digests()

    def seen(self, role: Literal["challenger", "champion"]) -> Evaluation | None:
        """The evaluation, if a check has asked for it and it could be given."""
        return self._sources.seen(role)

    def report(self) -> GateReport:
        """The decision over all answers so far."""
        from .provenance import environment
        from .verdict.decision import decide
        from .verdict.result import GateReport

        provenance = environment(seed=self._settings.seed, confidence=self._settings.confidence)
        return GateReport(
            decision=decide(self.results, self._policy),
            results=self.results,
            provenance={**provenance, "models": {self.model: self.evidence()}},
        )

    def _run(self, check: Check) -> CheckResult:
        """Answer a question once."""
        from .checks.answering import answer

        spec = check.spec
        known = self._results.get(spec.id)
        function = _function_of(check)
        if function != self._functions.setdefault(spec.id, function):
            raise MlopsUsageError(f"the check {spec.id!r} was asked before of another function: give name=")
        if known is None:
            found = answer(check, self._sources, self._settings, self._on_error)
            known = self._results[spec.id] = self._policy.waive(found, datetime.now(UTC).date())
        elif known.details["asked"] != spec.asked:
            raise MlopsUsageError(f"the check {spec.id!r} was asked before with other arguments: give name=")
        return known

    def __repr__(self) -> str:
        return f"Gate({self.model!r}, {count(len(self._results), 'result')})"

    def __getattr__(self, name: str) -> NoReturn:
        __tracebackhide__ = True
        raise AttributeError(f"a Gate has no {name!r}: {did_you_mean(name, FAMILIES)}")


def _function_of(check: Check) -> Any:
    """The function that is judged by, which its name alone does not tell; None where a metric has a name."""
    function = getattr(getattr(check, "metric", None), "function", None)
    return getattr(function, "of_scorer", function)


class _Unasked(Gate):
    """Takes questions, and answers none."""

    check: Check

    def __init__(self) -> None:
        pass

    def _run(self, check: Check) -> CheckResult:
        self.check = check
        return None  # type: ignore[return-value]


def question(family: str, /, *args: Any, **kwargs: Any) -> Check:
    """The question that ``getattr(gate, family)(*args, **kwargs)`` would ask, without its answer.

    Raises
    ------
    MlopsUsageError
        There is no such family, or the question makes no sense.
    """
    if family not in FAMILIES:
        raise MlopsUsageError(f"there is no family of checks {family!r}: {did_you_mean(family, FAMILIES)}")
    unasked = _Unasked()
    getattr(unasked, family)(*args, **kwargs)
    return unasked.check
