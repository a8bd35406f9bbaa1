"""The pytest face: options, markers, fixtures. Standard library and pytest only.

Everything heavier is registered by `pytest_configure`, and only where ``--mlops`` asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .gate import Gate
    from .recording import Recorder

_NOT_RUN = "model gate not run: add --mlops"
_RUN_NO_TEST = ("collectonly", "setupplan", "setuponly", "showfixtures", "show_fixtures_per_test", "cacheshow")
_MARKERS = {
    "performance_threshold": (
        "metric, *, at_least, at_most, warn_below, warn_above, proof, max_blind, needs, slices, min_slice_size, name"
    ),
    "champion_challenger": (
        "metric, *, margin, require, max_blind, paired_by, greater_is_better, needs, guardrails, slices, "
        "min_slice_size, folds, name"
    ),
    "drift": (
        "method, *, columns, at_most, warn_above, limits, weights, tolerate, time, label, prediction, score, metric, "
        "windows, proof, max_blind, name"
    ),
    "fairness": "metric, *, by, at_least, at_most, warn_below, warn_above, proof, max_blind, min_group_size, name",
    "reproducibility": "*, runs, atol, rtol, timeout, name",
}
"""What each family's marker takes. A test holds it against the methods of Gate, which cost too much to import here."""
_RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mlops", "model quality gate")
    group.addoption("--mlops", action="store_true", help="run the model gate; a blocked model fails the run")
    group.addoption("--mlops-report", metavar="DIR", help="where the report goes (default: .mlops/report)")
    group.addoption("--mlops-seed", metavar="N", type=int, help="seed of every random number (default: 0)")
    group.addoption(
        "--mlops-fail-on",
        choices=("block", "review"),
        help="fail the run where the decision is block (default), or review as well",
    )
    group.addoption(
        "--mlops-policy",
        metavar="PATH",
        help="the policy that counts: the base branch's mlops.toml, or a checkout of that branch",
    )
    group.addoption(
        "--mlops-champion",
        metavar="PATH",
        help="the champion that counts: the base branch's .mlops/champion, or a checkout of that branch",
    )
    group.addoption(
        "--mlops-format",
        metavar="NAME",
        action="append",
        help=(
            "what else the report is turned into: junit, codequality, openmetrics, badge, github or azure; may be "
            "given more than once (default: what the CI at hand reads)"
        ),
    )
    group.addoption("--mlops-verbose", action="store_true", help="explain each verdict in two sentences")
    parser.addini("mlops", "run the model gate, as --mlops does", type="bool", default=False)
    parser.addini("mlops_report", "where the report of the model gate goes", default=".mlops/report")
    parser.addini("mlops_seed", "seed of every random number of the model gate", type="int", default=0)
    parser.addini("mlops_format", "what else the report of the model gate is turned into", type="args", default=[])
    parser.addini("mlops_fail_on", "block, or review: what fails the run", default="block")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mlops: a test that asks the model gate (set by the plugin, for -m mlops)")
    for family, arguments in _MARKERS.items():
        config.addinivalue_line(
            "markers",
            f"mlops_{family}({arguments}): ask the model gate, after the test's body, as mlops.{family}(...) does",
        )
    if _asked_for(config):
        _register_gate(config)
    else:
        _refuse_a_base_branch(config, "judges nothing without --mlops")


def _asked_for(config: pytest.Config) -> bool:
    return bool(config.getoption("mlops") or config.getini("mlops"))


def _refuse_a_base_branch(config: pytest.Config, why: str) -> None:
    """Only who wants a decision names the base branch's policy: exit status 0 would be taken for one."""
    for option in ("--mlops-policy", "--mlops-champion"):
        if config.getoption(option) is not None:
            raise pytest.UsageError(f"{option} {why}")


def _register_gate(config: pytest.Config) -> None:
    if any(getattr(config.option, name, False) for name in _RUN_NO_TEST):
        _refuse_a_base_branch(config, "asks for a decision, and this run executes no test: look for --co and the like")
        return  # nothing is judged, so nothing is decided
    from .recording import Recorder
    from .settings import RunSettings

    settings = RunSettings.of(config)
    homes = settings.homes(config)
    recorder = Recorder(config, settings, homes)
    config.stash[_RECORDER] = recorder
    config.pluginmanager.register(recorder, "mlops-recorder")
    if not hasattr(config, "workerinput"):
        from .session import GateSession

        config.pluginmanager.register(GateSession(config, settings, homes), "mlops-session")


def pytest_itemcollected(item: pytest.Item) -> None:
    marked = any(item.get_closest_marker(f"mlops_{family}") for family in _MARKERS)
    if not marked and "mlops" not in getattr(item, "fixturenames", ()):
        return
    item.add_marker("mlops")
    if not _asked_for(item.config):
        item.add_marker(pytest.mark.skip(reason=_NOT_RUN))


@pytest.fixture
def mlops(request: pytest.FixtureRequest) -> Gate:
    """The model gate: ask it for checks, e.g. mlops.performance_threshold("roc_auc", at_least=0.8)."""
    recorder = request.config.stash.get(_RECORDER, None)
    if recorder is None:
        pytest.skip(_NOT_RUN)
    return recorder.gate(request)


@pytest.fixture
def mlops_challenger() -> Any:
    """The model under test. Define this fixture yourself: it returns a pytest_mlops.Evaluation."""
    return None


@pytest.fixture
def mlops_champion(request: pytest.FixtureRequest) -> Any:
    """The model that the challenger would replace: the promoted one, or the Evaluation that your fixture returns."""
    recorder = request.config.stash.get(_RECORDER, None)
    return None if recorder is None else recorder.promoted(request.node)


@pytest.fixture
def mlops_reference() -> Any:
    """The sample that drift compares with. Define this fixture yourself: it returns a frame of any library."""
    return None


@pytest.fixture
def mlops_current() -> Any:
    """The sample whose drift is judged. Define this fixture yourself: it returns a frame of any library."""
    return None


@pytest.fixture
def mlops_train() -> Any:
    """A function train(seed) -> Evaluation of a module's top level. Define this fixture yourself: it returns it."""
    return None


@pytest.fixture(scope="session")
def mlops_seed(pytestconfig: pytest.Config) -> int:
    """The seed of the run (--mlops-seed): give it to whatever draws random numbers in your fixtures."""
    from .settings import RunSettings

    return RunSettings.of(pytestconfig).seed
