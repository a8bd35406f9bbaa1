"""What policy and champion ask beyond what was answered."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_mlops import CheckResult, Verdict
from pytest_mlops.champion.record import ChampionRecord
from pytest_mlops.homes import Home
from pytest_mlops.obligations import is_absent, loosened, missing, misused_waivers, policy_diff

POLICY = """
[gate]
required = ["drift", "fairness:demographic_parity_ratio:sex"]

[[performance_threshold]]
metric = "recall"
at_least = 0.8

[[waiver]]
check = "performance_threshold:recall"
until = 2026-12-31
owner = "me"
reason = "a season"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "mlops.toml").write_text(POLICY)
    return Home(folder="", policy_path=tmp_path / "mlops.toml", champion=tmp_path)


def result(name: str, verdict: Verdict = Verdict.PASS, **asked: Any) -> CheckResult:
    family = name.partition(":")[0]
    return CheckResult(id=name, model="m", family=family, verdict=verdict, message=".", details={"asked": asked})


def record(*checks: CheckResult, **policy: Any) -> ChampionRecord:
    asked = tuple({"id": check.id, "asked": check.details["asked"]} for check in checks)
    return cast("ChampionRecord", SimpleNamespace(checks=asked, policy=policy))


RECALL = result("performance_threshold:recall", at_least=0.8)
DRIFT = result("drift:auto", at_most=0.1)
FAIR = result("fairness:demographic_parity_ratio:sex", at_least=0.8)


def test_what_was_not_asked_is_missing_once(home: Home) -> None:
    absent = missing(home, [], record(RECALL, result("drift:ks")))
    assert [(found.id, found.family, found.verdict) for found in absent] == [
        ("performance_threshold:recall", "performance_threshold", "MISSING"),
        ("required:drift", "drift", "MISSING"),
        ("fairness:demographic_parity_ratio:sex", "fairness", "MISSING"),
        ("drift:ks", "drift", "MISSING"),
    ]
    assert "asks it in line 5, and no test gave its answer" in absent[0].message
    assert "the champion was judged by it" in absent[3].message


def test_nothing_is_missing_where_all_was_asked(home: Home) -> None:
    assert missing(home, [RECALL, DRIFT, FAIR], record(DRIFT)) == []


@pytest.mark.parametrize(("today", "expired"), [(date(2026, 12, 31), False), (date(2027, 1, 1), True)])
def test_a_waiver_holds_to_the_end_of_its_last_day(home: Home, today: date, expired: bool) -> None:
    misused = list(misused_waivers(home, [RECALL], today))
    assert bool(misused) == expired
    assert not expired or "expired on 2026-12-31 (owner me)" in misused[0][1]


def test_a_waiver_that_matches_nothing(home: Home) -> None:
    ((check, why),) = misused_waivers(home, [DRIFT], date(2026, 1, 1))
    assert (check, "matches no check of this run" in why) == ("performance_threshold:recall", True)


def test_the_difference(home: Home) -> None:
    now = [
        result("performance_threshold:recall", at_least=0.7),
        result("drift:auto", at_most=0.05),
        result("fairness:x:sex"),
        result("drift:ks", Verdict.MISSING),
    ]
    before = record(RECALL, DRIFT, result("drift:ks"), confidence=0.99, required=["reproducibility"], waivers=[])
    assert policy_diff(home, now, before, date(2026, 12, 20)) == [
        "changed: confidence 0.99 → 0.95",
        "loosened: reproducibility is no longer required",
        "tightened: drift is now required",
        "tightened: fairness:demographic_parity_ratio:sex is now required",
        "loosened: performance_threshold:recall: at_least 0.8 → 0.7",
        "tightened: drift:auto: at_most 0.1 → 0.05",
        "added: fairness:x:sex",
        "removed: drift:ks",
        "new waiver: performance_threshold:recall, until 2026-12-31, owner me: a season",
        "waiver expires in 11 days: performance_threshold:recall, until 2026-12-31, owner me: a season",
    ]
    assert loosened(now, before) == ["performance_threshold:recall: at_least 0.8 → 0.7"]


def test_absent_waived_or_not(home: Home) -> None:
    gone = result("drift:ks", Verdict.MISSING)
    assert is_absent(gone)
    assert not is_absent(DRIFT)
    waived = home.policy.waive(result("performance_threshold:recall", Verdict.MISSING), date(2026, 1, 1))
    assert (waived.verdict, is_absent(waived)) == (Verdict.WAIVED, True)
