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
    parser.addini("mlops", "run the model gate, as --mlops does", type="bool", default=False)
    parser.addini("mlops_report", "where the report of the model gate goes", default=".mlops/report")
    parser.addini("mlops_seed", "seed of every random number of the model gate", type="int", default=0)
    parser.addini("mlops_fail_on", "block, or review: what fails the run", default="block")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mlops: a test that asks the model gate (set by the plugin, for -m mlops)")
    if _asked_for(config):
        _register_gate(config)


def _asked_for(config: pytest.Config) -> bool:
    return bool(config.getoption("mlops") or config.getini("mlops"))


def _register_gate(config: pytest.Config) -> None:
    if any(getattr(config.option, name, False) for name in _RUN_NO_TEST):
        return  # nothing is judged, so nothing is decided
    from .recording import Recorder
    from .settings import RunSettings

    settings = RunSettings.of(config)
    recorder = Recorder(config, settings)
    config.stash[_RECORDER] = recorder
    config.pluginmanager.register(recorder, "mlops-recorder")
    if not hasattr(config, "workerinput"):
        from .session import GateSession

        config.pluginmanager.register(GateSession(config, settings), "mlops-session")


def pytest_itemcollected(item: pytest.Item) -> None:
    if "mlops" not in getattr(item, "fixturenames", ()):
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
    pytest.fail(
        "there is no challenger: define a fixture mlops_challenger in conftest.py that returns "
        "pytest_mlops.Evaluation.from_model(model, X_test, y_test)",
        pytrace=False,
    )


@pytest.fixture
def mlops_champion() -> Any:
    """The model that the challenger would replace, as an Evaluation. Define this fixture yourself."""
    return None


@pytest.fixture(scope="session")
def mlops_seed(pytestconfig: pytest.Config) -> int:
    """The seed of the run (--mlops-seed): give it to whatever draws random numbers in your fixtures."""
    from .settings import RunSettings

    return RunSettings.of(pytestconfig).seed
