"""For machines: `gate.json`, the schema it keeps, and the way back: text that anybody may have written is checked."""

from __future__ import annotations

import json
import math
import re
from importlib import resources
from typing import Any, NoReturn

from pytest_mlops.verdict.errors import EvidenceError
from pytest_mlops.verdict.result import SCHEMA_VERSION, GateReport

from .text import plain

MOST_BYTES = 20_000_000
"""Of a `gate.json` that is read: more than 10,000 checks have."""
_LARGEST = 2**63
_NUMBERS = re.compile(r"(?<=\[)\n\s+[-+.\deE]+(?:,\n\s+[-+.\deE]+)*\n\s+(?=\])")
"""In no text can this stand: there, a new line is written as two letters."""


def render(report: GateReport) -> str:
    """JSON text, ASCII only, which `read` reads back. A list of numbers is one line: a curve has many."""
    return _NUMBERS.sub(lambda found: " ".join(found.group().split()), report.to_json(indent=2)) + "\n"


def read(text: str) -> GateReport:
    """The inverse of `render`; of text from wherever.

    Raises
    ------
    EvidenceError
        It is too large, no JSON, or breaks the schema.
    """
    if len(text) > MOST_BYTES:
        _refuse(f"it has more than {MOST_BYTES // 1_000_000} MB")
    data = _parsed(text)
    try:
        _check(data)
        return GateReport.from_dict(data)
    except (ValueError, RecursionError) as error:  # limits that contradict each other, parts of parts of parts …
        _refuse(str(error))


def schema() -> dict[str, Any]:
    """The JSON Schema of `gate.json`."""
    text = resources.files("pytest_mlops.report").joinpath("gate.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, parse_int=_countable, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        _refuse(f"it is cut off, or no JSON (line {error.lineno}: {error.msg})")
    except (ValueError, RecursionError) as error:
        _refuse(str(error))


def _check(data: Any) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise ValueError(
            f"it has schema version {version!r}, expected {SCHEMA_VERSION}: read it with the version of pytest-mlops "
            f"that wrote it"
        )
    mistake = best_match(Draft202012Validator(schema()).iter_errors(data))
    if mistake is not None:
        raise ValueError(f"{mistake.json_path}: {mistake.message[:200]}")


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"this is no gate.json that can be trusted: {plain(why, longest=400)}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _countable(digits: str) -> int:
    number = int(digits)
    if abs(number) >= _LARGEST:
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice shows one value to one reader and another to the next."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands there twice")
    return found
