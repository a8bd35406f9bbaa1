"""`mlops.toml`: read, and checked before anything runs. A mistake in it names its line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

from .checks import FAMILIES
from .checks.spec import CheckSpec, Settings
from .gate import question
from .verdict.errors import MlopsUsageError
from .verdict.policy import Policy, Waiver
from .verdict.wording import did_you_mean

NAME = "mlops.toml"
_GATE_KEYS = ("model", "confidence", "inconclusive", "warn", "required")
_WAIVER_KEYS = ("check", "until", "owner", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One check that the policy asks for.

    Parameters
    ----------
    family : str
    arguments : mapping
        The keyword arguments of the method of `Gate`.
    spec : CheckSpec
        What they come to.
    line : int
        Where it stands.
    """

    family: str
    arguments: Mapping[str, Any]
    spec: CheckSpec
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """What one `mlops.toml` says.

    Parameters
    ----------
    path : Path
    digest : str
        sha256 of the file.
    model : str or None
        None where it has no name of its own.
    confidence : float
    policy : Policy
    questions : tuple of Question
    """

    path: Path
    digest: str
    model: str | None
    confidence: float
    policy: Policy
    questions: tuple[Question, ...]

    def asks(self, check_id: str) -> CheckSpec | None:
        """The question of this id, if the policy asks one."""
        return next((question.spec for question in self.questions if question.spec.id == check_id), None)


def load(path: Path) -> PolicyFile:
    """Read and check a policy.

    Raises
    ------
    MlopsUsageError
        It cannot be read, is no TOML, or says something that means nothing; the message names file and line.
    """
    return _Reader(path).read()


class _Reader:
    """One file under examination: knows where each table begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            raw = path.read_bytes()
            self._text = raw.decode("utf-8-sig")
        except OSError as error:
            raise MlopsUsageError(f"{path.name}: cannot be read ({error.strerror or error})") from None
        except UnicodeDecodeError as error:
            raise MlopsUsageError(f"{path.name}: is not UTF-8 (byte {error.start}): save it as UTF-8") from None
        self._digest = hashlib.sha256(raw).hexdigest()

    def read(self) -> PolicyFile:
        """All of it."""
        try:
            data = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            self._refuse(int(line.group(1)) if line else max(1, self._text.count("\n")), f"is no TOML: {error}")
        for name in data:
            if name not in ("gate", "waiver", *FAMILIES):
                hint = did_you_mean(name, ("gate", "waiver", *FAMILIES))
                self._refuse(self._line_of(name), f"there is no table {name!r}: {hint}")
        gate = self._gate(data.get("gate", {}))
        questions = tuple(self._questions(data))
        self._refuse_doubles(questions)
        try:
            settings = Settings(model=gate.get("model", "model"), confidence=gate.get("confidence", 0.95))
        except MlopsUsageError as error:
            self._refuse(self._line_of("gate", key=str(error).partition("=")[0]), str(error))
        return PolicyFile(
            path=self._path,
            digest=self._digest,
            model=gate.get("model"),
            confidence=settings.confidence,
            policy=Policy(
                block_inconclusive=self._blocks(gate, "inconclusive"),
                block_warn=self._blocks(gate, "warn"),
                required=self._required(gate),
                waivers=tuple(self._waivers(data.get("waiver", []))),
            ),
            questions=questions,
        )

    # [gate]

    def _gate(self, gate: Any) -> dict[str, Any]:
        if not isinstance(gate, dict):
            self._refuse(self._line_of("gate"), "gate must be one table: [gate]")
        self._refuse_unknown(gate, _GATE_KEYS, "gate")
        return gate

    def _blocks(self, gate: Mapping[str, Any], key: str) -> bool:
        given = gate.get(key, "warn")
        if given not in ("warn", "block"):
            self._refuse(
                self._line_of("gate", key=key), f"{key} = {given!r} must be 'warn' (let pass, to review) or 'block'"
            )
        return bool(given == "block")

    def _required(self, gate: Mapping[str, Any]) -> tuple[str, ...]:
        required, line = gate.get("required", []), self._line_of("gate", key="required")
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            self._refuse(line, f"required = {required!r} must be a list of families, or ids of checks")
        for name in required:
            family = name.partition(":")[0]
            if family not in FAMILIES:
                self._refuse(
                    line, f"required names {name!r}, which is no family of checks: {did_you_mean(family, FAMILIES)}"
                )
        return tuple(required)

    # [[waiver]]

    def _waivers(self, waivers: Any) -> list[Waiver]:
        if not isinstance(waivers, list) or not all(isinstance(waiver, dict) for waiver in waivers):
            self._refuse(self._line_of("waiver"), "waivers are written as [[waiver]], one table each")
        return [self._waiver(waiver, place) for place, waiver in enumerate(waivers)]

    def _waiver(self, waiver: dict[str, Any], place: int) -> Waiver:
        self._refuse_unknown(waiver, _WAIVER_KEYS, "waiver", place)
        line = self._line_of("waiver", place)
        for key in _WAIVER_KEYS:
            if key not in waiver:
                self._refuse(line, f"a waiver needs {key} =")
        for key in ("check", "owner", "reason"):
            if not (isinstance(waiver[key], str) and waiver[key].strip()):
                self._refuse(
                    self._line_of("waiver", place, key), f"{key} = {waiver[key]!r} must be a text that says it"
                )
        until = waiver["until"]
        if not isinstance(until, date) or isinstance(until, datetime):
            self._refuse(
                self._line_of("waiver", place, "until"), f"until = {until!r} must be a date: 2027-01-31, without quotes"
            )
        return Waiver(**waiver)

    # [[<family>]]

    def _questions(self, data: Mapping[str, Any]) -> list[Question]:
        found = [
            self._question(family, arguments, place)
            for family in FAMILIES
            for place, arguments in enumerate(self._tables(family, data.get(family, [])))
        ]
        return sorted(found, key=lambda asked: asked.line)

    def _tables(self, family: str, tables: Any) -> list[dict[str, Any]]:
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._refuse(self._line_of(family), f"checks are written as [[{family}]], one table each")
        return tables

    def _question(self, family: str, arguments: dict[str, Any], place: int) -> Question:
        try:
            spec = question(family, **arguments).spec
        except MlopsUsageError as error:
            self._refuse(self._line_of(family, place, _first_named(arguments, str(error))), str(error))
        return Question(family=family, arguments=arguments, spec=spec, line=self._line_of(family, place))

    def _refuse_doubles(self, questions: tuple[Question, ...]) -> None:
        seen: dict[str, int] = {}
        for asked in questions:
            if asked.spec.id in seen:
                self._refuse(
                    asked.line,
                    f"the check {asked.spec.id} stands here and in line {seen[asked.spec.id]}: give one name =",
                )
            seen[asked.spec.id] = asked.line

    # Where it stands

    def _refuse_unknown(self, table: Mapping[str, Any], valid: tuple[str, ...], name: str, place: int = 0) -> None:
        for key in table:
            if key not in valid:
                self._refuse(
                    self._line_of(name, place, key), f"[{name}] has no key {key!r}: {did_you_mean(key, valid)}"
                )

    def _line_of(self, table: str, place: int = 0, key: str | None = None) -> int:
        """The line of a key, or of the header of its table; 1 where neither can be found."""
        lines = self._text.splitlines()
        headers = [number for number, line in enumerate(lines) if _header(line) == table]
        if not headers:
            inline = (
                number
                for number, line in enumerate(lines)
                if re.match(rf"\s*[\"']?{re.escape(table)}[\"']?\s*[.=]", line)
            )
            return next(inline, 0) + 1
        start = headers[min(place, len(headers) - 1)]
        for number in range(start + 1, len(lines) if key else 0):
            if _header(lines[number]) is not None:
                break
            if re.match(rf"\s*[\"']?{re.escape(str(key))}[\"']?\s*=", lines[number]):
                return number + 1
        return start + 1

    def _refuse(self, line: int, why: str) -> NoReturn:
        raise MlopsUsageError(f"{self._path.name}:{line}: {why}")


def _first_named(keys: Iterable[str], message: str) -> str | None:
    """The key that a message speaks of."""
    said = message.partition(" (its arguments")[0]
    found = {key: match.start() for key in keys if (match := re.search(rf"\b{re.escape(key)}\b", said))}
    return min(found, key=lambda key: found[key], default=None)


def _header(line: str) -> str | None:
    """The table that this line begins: ``[gate]``, ``[[drift]]``."""
    found = re.match(r"\s*\[\[?\s*[\"']?([^\]\"']+?)[\"']?\s*\]\]?\s*(?:#.*)?$", line)
    return found.group(1) if found else None
