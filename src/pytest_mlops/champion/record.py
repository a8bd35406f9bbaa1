"""The champion's record: what a model said, what it was judged by, and where it comes from. Standard library only."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from importlib import resources
from itertools import product
from pathlib import PureWindowsPath
from typing import Any, NoReturn, TypeGuard

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.estimate import Estimate
from pytest_mlops.verdict.limits import Limits, Verdict
from pytest_mlops.verdict.result import CheckResult, Decision
from pytest_mlops.verdict.wording import did_you_mean

RECORD_VERSION = 1
MOST_BYTES = 100_000
_FOR_PROMOTION = 200
"""Bytes that a candidate leaves free, so that the record of its promotion fits as well. History takes what is left."""
MOST_REIGNS = 19
"""Champions before this one that a record remembers."""
MOST_VALUES = 200
"""What it remembers of each."""
WAY_ON = "restore it from version control, or run the gate again and promote what it leaves"


class ChampionError(EvidenceError):
    """A champion, or a candidate, that cannot be trusted or may not be promoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionRecord:
    """What `record.json` says of one model.

    Parameters
    ----------
    model : str
    decision : str
        Of the gate run that judged it: ``"merge"``, ``"review"`` or ``"block"``.
    complete : bool
        False for a partial run.
    home : str
        Folder of its policy, relative to pytest's root, with slashes; empty for the root itself.
    predictions : str
        Name of the file of its predictions, ``<sha256>.npz``.
    evidence : mapping
        ``rows``, the digests ``data`` and ``predictions``, and the ``facts`` of `evidence.storage.to_arrays`. Where a
        comparison was asked for: ``champion``, the prediction digest of the promoted champion that it was compared
        with; None where there was none, so that it can become the first champion only. In that case ``first``: the
        decision but for what only lacks a champion.
    checks : tuple of mapping
        One for each result: see `checks_of`.
    policy : mapping
        ``digest``, ``confidence``, ``inconclusive``, ``warn``, ``required``, ``waivers``.
    provenance : mapping
        `provenance.environment`: versions, commit, time, seed.
    promoted : mapping or None
        ``time`` and whether it was the ``first``; None for a candidate.
    history : tuple of mapping
        The champions before this one, oldest first: see `history.reigns`. Empty for a candidate, and for a record of
        an earlier version.

    Raises
    ------
    ChampionError
        A field cannot be what it says.
    """

    model: str
    decision: str
    complete: bool
    home: str
    predictions: str
    evidence: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    policy: Mapping[str, Any]
    provenance: Mapping[str, Any]
    promoted: Mapping[str, Any] | None = None
    history: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        _check_fields("the record", {field.name: getattr(self, field.name) for field in fields(self)}, _RECORD)
        _check_fields("evidence", self.evidence, _EVIDENCE)
        _check_fields("evidence.facts", {"design": [], **self.evidence["facts"]}, _FACTS)
        _check_fields("policy", self.policy, _POLICY)
        _check_fields("provenance", {name: self.provenance.get(name) for name in _PROVENANCE}, _PROVENANCE)
        if self.promoted is not None:
            _check_fields("promoted", self.promoted, _PROMOTED)
        for place, check in enumerate(self.checks):
            _check_check(f"checks[{place}]", check, _CHECK)
        for place, reign in enumerate(self.history):
            _check_fields(f"history[{place}]", reign, _REIGN)
        _check_labels(self.evidence["facts"])

    def to_json(self) -> str:
        """JSON text, ASCII only, of at most 100 KB.

        To stay below, it forgets history, the oldest first; then parts of checks lose their messages and numbers.

        Raises
        ------
        ChampionError
            It cannot be that small, or holds what JSON cannot.
        """
        most = MOST_BYTES - (_FOR_PROMOTION if self.promoted is None else 0)
        for text in self._ever_smaller():
            if len(text) <= most:
                return text
        raise ChampionError(
            f"the record of {self.model!r} would have {len(text) / 1000:.0f} KB, and at most "
            f"{MOST_BYTES // 1000} KB are kept: it has {len(self.checks)} checks and "
            f"{len(self.evidence['facts']['labels'])} labels; ask fewer checks, or of fewer slices and columns"
        )

    def _ever_smaller(self) -> Iterator[str]:
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        history = data.pop("history")
        for left_out, forgotten in product(_SPARE, range(len(history) + 1)):
            remembered = {"history": history[forgotten:]} if history[forgotten:] else {}
            yield _text({**data, "checks": _without(self.checks, left_out), **remembered})

    @classmethod
    def from_json(cls, text: str) -> ChampionRecord:
        """The inverse of `to_json`.

        Raises
        ------
        ChampionError
            It is no record, of a newer version, or was altered.
        """
        data = _parsed(text)
        _check_version(data)
        names = [field.name for field in fields(cls)]
        _check_names("the record", data, ["schema_version", "digest", *names], optional=["history"])
        claimed = data.pop("digest")
        if claimed != _digest_of_what_was_read(data):
            raise ChampionError(f"the record was altered after it was written (its digest differs): {WAY_ON}")
        lists = {name: data.get(name, []) for name in ("checks", "history")}
        for name, value in lists.items():
            if not isinstance(value, list):
                _refuse(name, value, "a list")
        del data["schema_version"]
        return cls(**{**data, **{name: tuple(value) for name, value in lists.items()}})


def checks_of(results: Iterable[CheckResult]) -> tuple[dict[str, Any], ...]:
    """What a record keeps of results: id, family, verdict, what was asked, limits, estimate; and of their parts."""
    return tuple(_check_of(result) for result in results)


def schema() -> dict[str, Any]:
    """The JSON Schema of `record.json`."""
    text = resources.files("pytest_mlops.champion").joinpath("champion.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _check_of(result: CheckResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": result.id,
        "family": result.family,
        "verdict": result.verdict.value,
        "asked": dict(result.details.get("asked", {})),
        "limits": result.limits.to_dict() if result.limits else None,
        "estimate": result.estimate.to_dict() if result.estimate else None,
    }
    if result.parts:
        found["parts"] = [_check_of(part) for part in result.parts]
    return found


# --- text ------------------------------------------------------------------------------------------------------------

_SPARE: tuple[tuple[str, ...], ...] = ((), ("message",), ("message", "estimate", "limits"))
"""What parts lose, step by step, to make a record small enough. Never their ids: what is gone must be missed."""


def _without(checks: Iterable[Mapping[str, Any]], left_out: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {name: _bare(value, left_out) if name == "parts" else value for name, value in check.items()}
        for check in checks
    ]


def _bare(parts: Iterable[Mapping[str, Any]], left_out: tuple[str, ...]) -> list[dict[str, Any]]:
    kept = [{name: value for name, value in part.items() if name not in left_out} for part in parts]
    return _without(kept, left_out)


def _text(fields_of_record: Mapping[str, Any]) -> str:
    data = {"schema_version": RECORD_VERSION, **fields_of_record}
    try:
        return json.dumps({"schema_version": RECORD_VERSION, "digest": _digest(data), **data}, indent=1) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ChampionError(f"the record holds what JSON cannot: {error}") from error


def _digest(data: Mapping[str, Any]) -> str:
    """sha256 over the canonical JSON of all fields but the digest itself: the same however the text is laid out."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _digest_of_what_was_read(data: Mapping[str, Any]) -> str:
    try:
        return _digest(data)
    except (ValueError, RecursionError) as error:  # 1e999 is read as infinity
        raise ChampionError(f"the record holds what JSON cannot ({error}): {WAY_ON}") from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ChampionError(f"the record is cut off, or no JSON (line {error.lineno}: {error.msg}): {WAY_ON}") from None
    except (ValueError, RecursionError) as error:
        raise ChampionError(f"the record cannot be read ({error}): {WAY_ON}") from None
    if not isinstance(data, dict):
        raise ChampionError(f"the record is a JSON {type(data).__name__}, expected an object: {WAY_ON}")
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice shows one value to a reviewer and another to a program."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands there twice")
    return found


def _check_version(data: Mapping[str, Any]) -> None:
    version = data.get("schema_version")
    if not _is_integer(version) or version < 1:
        raise ChampionError(f"the record has no schema_version, so it is none of pytest-mlops: {WAY_ON}")
    if version > RECORD_VERSION:
        provenance = data.get("provenance")
        maker = provenance.get("pytest_mlops") if isinstance(provenance, dict) else None
        needed = f"pytest-mlops {maker[:40]} or newer" if isinstance(maker, str) else "a newer pytest-mlops"
        raise ChampionError(
            f"the record has schema version {version}, and this pytest-mlops reads {RECORD_VERSION} at most: "
            f"install {needed}"
        )


# --- validation ------------------------------------------------------------------------------------------------------

_Rule = tuple[str, Callable[[Any], bool]]
"""What is expected, in words, and whether a value is that."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of an object."""

    required: Mapping[str, _Rule]
    optional: Mapping[str, _Rule]


def _check_fields(where: str, data: Any, shape: Mapping[str, _Rule] | _Shape) -> None:
    if not isinstance(shape, _Shape):
        shape = _Shape(shape, {})
    if not isinstance(data, Mapping):
        _refuse(where, data, "an object")
    rules = {**shape.required, **shape.optional}
    _check_names(where, data, rules, optional=shape.optional)
    for name, value in data.items():
        expected, holds = rules[name]
        if not holds(value):
            _refuse(name if where == "the record" else f"{where}.{name}", value, expected)


def _check_names(where: str, data: Mapping[str, Any], valid: Iterable[str], *, optional: Iterable[str] = ()) -> None:
    valid = list(valid)
    unknown = [name for name in data if name not in valid]
    if unknown:
        raise ChampionError(f"{where} has an unknown field {unknown[0]!r}: {did_you_mean(unknown[0], valid)}")
    missing = [name for name in valid if name not in data and name not in optional]
    if missing:
        raise ChampionError(f"{where} lacks {', '.join(missing)}: {WAY_ON}")


def _refuse(where: str, value: Any, expected: str) -> NoReturn:
    shown = repr(value)
    raise ChampionError(f"{where} is {shown if len(shown) <= 80 else shown[:79] + '…'}, expected {expected}")


def _check_check(where: str, check: Any, shape: _Shape) -> None:
    _check_fields(where, check, shape)
    for place, part in enumerate(check.get("parts", ())):
        _check_check(f"{where}.parts[{place}]", part, _PART)


def _check_labels(facts: Mapping[str, Any]) -> None:
    labels, positive = list(facts["labels"]), facts["positive_label"]
    if len(set(labels)) < len(labels) or (facts["task"] == "regression") == bool(labels):
        _refuse("evidence.facts.labels", labels, "each class once, and none for a regression")
    if positive is not None and positive not in labels:
        _refuse("evidence.facts.positive_label", positive, "one of the labels")
    if facts["task"] == "multilabel" and (positive is not None or len(labels) < 2):
        _refuse("evidence.facts", dict(facts), "at least two labels and no positive_label where task is multilabel")


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_label(value: Any) -> bool:
    return isinstance(value, str) or _is_integer(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and abs(value) <= sys.float_info.max


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_sha(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_home(value: Any) -> bool:
    """It comes from an artifact that anybody may have made, and says where a champion is written."""
    if not isinstance(value, str) or "\0" in value:
        return False
    windows = PureWindowsPath(value)
    within = not windows.drive and not windows.root and ".." not in windows.parts
    return within and (value == "" or all(part not in ("", ".", "..") for part in value.split("/")))


def _is_git(value: Any) -> bool:
    known = isinstance(value, Mapping) and _is_name(value.get("commit")) and _is_flag(value.get("dirty"))
    return value is None or known


def _is_limits(value: Any) -> bool:
    if value is None:
        return True
    try:
        Limits(**value)
    except (TypeError, ValueError):
        return False
    return True


def _is_estimate(value: Any) -> bool:
    if value is None:
        return True
    # A record of an earlier version has no doubt.
    if not isinstance(value, Mapping) or {*value, "doubt"} != asdict(_AN_ESTIMATE).keys():
        return False
    rules = {
        "method": _is_text,
        "n": _is_integer,
        "exact": _is_flag,
        "confidence": _is_number,
        "doubt": _or_null(_is_text),
    }
    return all(rules.get(name, _or_null(_is_number))(item) for name, item in value.items())


def _is_worth(value: Any) -> bool:
    """What a champion reached, by check id."""
    few = isinstance(value, Mapping) and len(value) <= MOST_VALUES
    return few and all(_is_name(check) and _is_interval(reached) for check, reached in value.items())


def _is_interval(value: Any) -> bool:
    complete = isinstance(value, Mapping) and {*value} == {"value", "low", "high"}
    return complete and all(_is_finite(number) for number in value.values())


def _or_null(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _list_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(holds(item) for item in value)


def _one_of(*values: str | None) -> _Rule:
    return f"one of {', '.join(map(repr, values))}", lambda value: any(value == known for known in values)


_AN_ESTIMATE = Estimate(value=0, low=0, high=0, confidence=0.95, method="", n=0)
_NAME: _Rule = ("a text", _is_name)
_FLAG: _Rule = ("true or false", _is_flag)
_OBJECT: _Rule = ("an object", _is_object)
_SHA: _Rule = ("a sha256 of 64 hexadecimal digits", _is_sha)
_SHA_OR_NULL: _Rule = ("a sha256 of 64 hexadecimal digits, or null", _or_null(_is_sha))
_TIME: _Rule = ("a time with its zone, such as 2026-11-11T12:00:00+00:00", _is_time)
_VERDICT: _Rule = _one_of(*(verdict.value for verdict in Verdict))
_LIMITS: _Rule = ("limits with one fail bound, or null", _is_limits)
_ESTIMATE: _Rule = ("an estimate, or null", _is_estimate)
_PARTS: _Rule = ("a list of objects", _list_of(_is_object))

_WORTH: _Rule = (f"at most {MOST_VALUES} checks, each with a finite value, low and high", _is_worth)

_RECORD: dict[str, _Rule] = {
    "model": _NAME,
    "decision": _one_of(*(decision.value for decision in Decision)),
    "complete": _FLAG,
    "home": ("a folder below the root, relative, with slashes, without '..'", _is_home),
    "predictions": (
        "<sha256>.npz",
        lambda value: isinstance(value, str) and value.endswith(".npz") and _is_sha(value[: -len(".npz")]),
    ),
    "evidence": _OBJECT,
    "checks": _PARTS,
    "policy": _OBJECT,
    "provenance": _OBJECT,
    "promoted": ("an object, or null", _or_null(_is_object)),
    "history": (
        f"a list of at most {MOST_REIGNS} objects",
        lambda value: _list_of(_is_object)(value) and len(value) <= MOST_REIGNS,
    ),
}
_EVIDENCE = _Shape(
    {
        "rows": ("an integer, 1 or more", lambda value: _is_integer(value) and value >= 1),
        "data": _SHA,
        "predictions": _SHA,
        "facts": _OBJECT,
    },
    {"champion": _SHA_OR_NULL, "first": _one_of("merge", "review", "block")},
)
_FACTS: dict[str, _Rule] = {
    "task": _one_of("binary", "multiclass", "multilabel", "regression"),
    "labels": ("a list of texts and integers", _list_of(_is_label)),
    "positive_label": ("a text, an integer, or null", _or_null(_is_label)),
    "identity": _one_of("row_ids", "features", "anonymous"),
    "notes": ("a list of texts", _list_of(_is_text)),
    "design": ("a list of texts", _list_of(_is_text)),
}
_POLICY: dict[str, _Rule] = {
    "digest": _SHA_OR_NULL,
    "confidence": ("a share between 0 and 1", lambda value: _is_number(value) and 0 < value < 1),
    "inconclusive": _one_of("warn", "block"),
    "warn": _one_of("warn", "block"),
    "required": ("a list of texts", _list_of(_is_text)),
    "waivers": ("a list of objects", _list_of(_is_object)),
}
_PROVENANCE: dict[str, _Rule] = {
    "time": _TIME,
    "git": ("an object with the commit and whether it was dirty, or null", _is_git),
    "packages": (
        "an object of versions",
        lambda value: _is_object(value) and all(isinstance(version, str) for version in value.values()),
    ),
}
"""Those that are shown; it may hold more."""
_PROMOTED: dict[str, _Rule] = {"time": _TIME, "first": _FLAG}
_REIGN: dict[str, _Rule] = {
    "time": _TIME,
    "commit": ("a text, or null", _or_null(_is_name)),
    "data": _SHA,
    "values": _WORTH,
}
_PART = _Shape(
    {"id": _NAME, "verdict": _VERDICT},
    {
        "family": _NAME, "asked": _OBJECT, "message": ("a text", _is_text), "limits": _LIMITS, "estimate": _ESTIMATE,
        "parts": _PARTS,
    },
)  # fmt: skip
_CHECK = _Shape(
    {"id": _NAME, "family": _NAME, "verdict": _VERDICT, "asked": _OBJECT, "limits": _LIMITS, "estimate": _ESTIMATE},
    {"message": ("a text", _is_text), "parts": _PARTS},
)
