"""The gate: asks one model the questions that decide whether it may be merged. Knows no pytest.

Importing this module imports no numpy: what a check needs is imported when the check is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, NoReturn, ParamSpec

from .checks import FAMILIES
from .verdict.errors import MlopsUsageError
from .verdict.wording import count, did_you_mean

if TYPE_CHECKING:
    from .checks.spec import Check
    from .evidence.sources import Source
    from .verdict.limits import Proof
    from .verdict.policy import Policy
    from .verdict.result import CheckResult, GateReport

_P = ParamSpec("_P")


def _hinting(ask: Callable[_P, CheckResult]) -> Callable[_P, CheckResult]:
    """A misspelt keyword names the nearest valid ones."""

    @wraps(ask)
    def hinted(*args: _P.args, **kwargs: _P.kwargs) -> CheckResult:
        valid = ask.__kwdefaults__ or {}
        for name in kwargs:
            if name not in valid and name != "metric":
                raise MlopsUsageError(f"{ask.__name__} has no argument {name!r}: {did_you_mean(name, valid)}")
        return ask(*args, **kwargs)

    return hinted


class Gate:
    """Checks of one model, and the decision they lead to.

    Parameters
    ----------
    challenger : Evaluation, or callable that gives one
        The model under test. A callable is called when a check first needs it.
    champion : Evaluation, or callable that gives one, optional
        The model it would replace.
    model : str
        Name of what is judged, in reports.
    confidence : float
        Of every interval, in (0.5, 1).
    seed : int
        Of every random number: the same seed gives the same report.
    policy : Policy, optional
        Which verdicts block.
    on_error : callable, optional
        Is shown each unforeseen exception inside a check, which becomes an ERROR.

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
        challenger: Source,
        champion: Source = None,
        model: str = "model",
        confidence: float = 0.95,
        seed: int = 0,
        policy: Policy | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        from .checks.spec import Settings
        from .evidence.sources import Sources

        self._sources = Sources(challenger, champion)
        self._settings = Settings(model=model, confidence=confidence, seed=seed)
        self._policy = policy
        self._on_error = on_error
        self._results: dict[str, CheckResult] = {}

    @_hinting
    def performance_threshold(
        self,
        metric: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        warn_below: float | None = None,
        warn_above: float | None = None,
        proof: Proof = "table",
        max_blind: float | None = None,
        name: str | None = None,
    ) -> CheckResult:
        """Is the model good enough? A metric against a limit.

        Parameters
        ----------
        metric : str
            accuracy, precision, recall, specificity, f1, roc_auc, mean_absolute_error, root_mean_squared_error, r2.
        at_least, at_most : float
            The fail bound: `at_least` where greater is better, `at_most` where smaller is.
        warn_below, warn_above : float, optional
            The warn bound, on the safe side of it.
        proof : {"table", "shown"}
            With ``"shown"`` the whole interval must be inside the bound, or the check FAILs.
        max_blind : float, optional
            How far beyond the bound a model may be that this check would overlook with probability 0.2.
            Default: any.
        name : str, optional
            Tells apart two checks of the same metric.

        Returns
        -------
        CheckResult

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.performance_threshold import PerformanceThreshold
        from .verdict.limits import Limits

        limits = Limits(at_least=at_least, at_most=at_most, warn_below=warn_below, warn_above=warn_above)
        return self._run(PerformanceThreshold.ask(metric, limits=limits, proof=proof, max_blind=max_blind, name=name))

    @_hinting
    def champion_challenger(
        self,
        metric: str,
        *,
        margin: float | None = None,
        require: Literal["not_worse", "non_inferior", "better"] = "not_worse",
        max_blind: float | None = None,
        paired_by: Literal["identity", "order"] = "identity",
        name: str | None = None,
    ) -> CheckResult:
        """Is the challenger at least as good as the champion? A paired comparison on the same rows.

        Parameters
        ----------
        metric : str
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
        name : str, optional
            Tells apart two checks of the same metric.

        Returns
        -------
        CheckResult
            Its estimate is the improvement: positive is better, whatever the metric.

        Raises
        ------
        MlopsUsageError
            The question makes no sense. (Evidence that cannot be judged is an ERROR, not an exception.)
        """
        from .checks.champion_challenger import ChampionChallenger

        return self._run(
            ChampionChallenger.ask(
                metric, margin=margin, require=require, max_blind=max_blind, paired_by=paired_by, name=name
            )
        )

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
        if known is None:
            known = self._results[spec.id] = answer(check, self._sources, self._settings, self._on_error)
        elif known.details["asked"] != spec.asked:
            raise MlopsUsageError(f"the check {spec.id!r} was asked before with other arguments: give name=")
        return known

    def __repr__(self) -> str:
        return f"Gate({self.model!r}, {count(len(self._results), 'result')})"

    def __getattr__(self, name: str) -> NoReturn:
        __tracebackhide__ = True
        raise AttributeError(f"a Gate has no {name!r}: {did_you_mean(name, FAMILIES)}")
