"""What metrics are computed from, of two models on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_mlops import Evaluation, EvidenceError
from pytest_mlops.evidence.pairing import pair
from pytest_mlops.evidence.sources import Sources
from pytest_mlops.evidence.storage import from_arrays, to_arrays

BITS = [0, 1, 0, 1]
ORDER = np.array([2, 0, 3, 1])
DAYS = np.array(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"], "M8[D]")
SHARED: dict[str, Any] = {
    "clusters": np.array(["a", "a", "b", "c"]),
    "time": DAYS,
    "sample_weight": np.array([1.0, 2.0, 3.0, 4.0]),
}


def made(order: Any = slice(None), **known: Any) -> Evaluation:
    rows = {name: np.asarray(values)[order] if name != "season" else values for name, values in known.items()}
    return Evaluation(np.array(BITS)[order], np.array([0, 1, 1, 1])[order], row_ids=np.arange(4)[order], **rows)


def test_nothing_is_copied_where_rows_stand_as_they_do() -> None:
    champion, challenger = made(**SHARED), made(**SHARED)
    for how in ("order", "identity"):
        paired = pair(champion, challenger, paired_by=how)
        assert all(np.shares_memory(array, champion.true_codes) for array in (paired.of("true_codes")[0],))
        assert np.shares_memory(paired.rows()[1].pred, challenger.pred_codes)
        assert not paired.of("true_codes")[0].flags.writeable


@pytest.mark.parametrize("owner", ["champion", "challenger", "both"])
def test_what_belongs_to_the_rows_is_shared_in_their_order(owner: str) -> None:
    champion = made(ORDER, **(SHARED if owner != "challenger" else {}), season=None)
    challenger = made(**(SHARED if owner != "champion" else {}), season="2 days" if owner != "champion" else None)
    for rows in pair(champion, challenger).rows():
        by_row = {
            weight: (cluster, time)
            for weight, cluster, time in zip(rows.weight, rows.clusters, rows.time, strict=True)  # type: ignore[arg-type]
        }
        assert by_row == {k + 1.0: (SHARED["clusters"][k], DAYS[k]) for k in range(4)}
        assert rows.season == (None if owner == "champion" else np.timedelta64(2, "D"))


@pytest.mark.parametrize(
    ("champion", "challenger", "message"),
    [
        ({"clusters": [1, 1, 2, 3]}, {"clusters": [1, 1, 2, 2]}, "clusters of champion and challenger differ in 1 row"),
        (
            {"clusters": [1, 1, 2, 3]},
            {"clusters": list("aabc")},
            "clusters of champion and challenger differ in 4 rows",
        ),
        ({"time": [1, 2, 3, 4]}, {"time": [1, 2, 3, 5]}, "time of champion and challenger differ in 1 row"),
        ({"time": [1, 2, 3, 4]}, {"time": DAYS}, "time of champion and challenger differ"),
        ({"time": [1.5, 2, 3, 4]}, {"time": DAYS}, "time of champion and challenger differ"),
        ({"time": BITS, "season": 2}, {"time": BITS, "season": 3}, r"season .* differ \(2.0 and 3.0\)"),
        ({"sample_weight": [1, 1, 1, 2]}, {"sample_weight": [1, 1, 1, 1]}, "sample_weight of champion and challenger"),
    ],
)
def test_what_differs_is_an_error(champion: dict[str, Any], challenger: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        pair(made(**champion), made(ORDER, **challenger)).rows()


def test_a_champion_from_its_record_takes_the_challengers() -> None:
    champion = from_arrays(*to_arrays(made(ORDER, **SHARED)))
    for rows in pair(champion, made(**SHARED)).rows():
        assert sorted(rows.weight.tolist()) == [1, 2, 3, 4]  # type: ignore[union-attr]


def test_labels_come_in_one_order() -> None:
    def evaluation(labels: Any, chances: Any) -> Evaluation:
        return Evaluation(list("abca"), list("abcb"), chances, labels=labels, row_ids=range(4))

    champion = evaluation(list("cab"), np.tile([0.5, 0.3, 0.2], (4, 1)))
    challenger = evaluation(list("abcd"), np.tile([0.1, 0.2, 0.3, 0.4], (4, 1)))
    theirs, ours = pair(champion, challenger).rows()
    assert theirs.labels == ours.labels == tuple("abcd")
    assert theirs.true.tolist() == ours.true.tolist() == [0, 1, 2, 0]
    assert theirs.pred.tolist() == ours.pred.tolist() == [0, 1, 2, 1]
    assert theirs.score[0].tolist() == [0.3, 0.2, 0.5, 0]  # type: ignore[index]
    assert pair(challenger, champion).rows()[1].labels == tuple("cabd")


def test_the_positive_class_stays_the_same_one() -> None:
    known: dict[str, Any] = {"positive_label": "yes", "row_ids": range(2)}
    first = Evaluation(["no", "yes"], ["yes", "no"], [0.1, 0.9], labels=["yes", "no"], **known)
    second = Evaluation(["no", "yes"], ["no", "yes"], [0.2, 0.8], **known)
    theirs, ours = pair(first, second).rows()
    assert (theirs.positive, ours.positive, theirs.labels) == (1, 1, ("no", "yes"))
    assert (theirs.pred == theirs.positive).tolist() == [True, False]
    assert (ours.pred == ours.positive).tolist() == [False, True]


def test_sources_pair_once() -> None:
    asked: list[str] = []

    def telling(role: str, *order: Any) -> Callable[[], Evaluation]:
        return lambda: (asked.append(role), made(*order))[1]  # type: ignore[func-returns-value]

    sources = Sources(telling("challenger"), telling("champion", ORDER))
    first = sources.pair()
    assert sources.pair() is sources.pair("identity") is first
    assert sorted(asked) == ["challenger", "champion"]
    with pytest.raises(EvidenceError, match="the row_ids of champion and challenger differ"):
        sources.pair("order")
    with pytest.raises(EvidenceError, match="there is no champion"):
        Sources(made()).pair()


@pytest.mark.parametrize("name", ["clusters", "time", "sample_weight"])
def test_a_stored_champion_remembers_that_its_rows_belonged_together(name: str) -> None:
    known: dict[str, Any] = {name: [1, 2, 3, 4] * 10}
    labels = [0, 1] * 20
    champion = from_arrays(*to_arrays(Evaluation(labels, labels, row_ids=range(40), **known)))
    assert champion.design == (name,)
    with pytest.raises(EvidenceError, match=f"the champion was judged with {name}=, and the challenger has none"):
        pair(champion, Evaluation(labels, labels, row_ids=range(40))).rows()
    theirs, ours = pair(champion, Evaluation(labels, labels, row_ids=range(40), **known)).rows()
    assert not theirs.independent
    assert not ours.independent
