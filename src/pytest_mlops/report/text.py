"""Names and messages come from others: what they may do to a reader is decided here."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
_LOG_COMMAND = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)
_COMMAND_AT_START = re.compile(r"(?m)^((?:[^\S\n]|\x1b\[[0-9;]*m)*):(?=:)")
_LONGEST = 2_000
_SPARE = 2_000
"""Characters that may turn out invisible; what comes behind them is not even looked at."""


def plain(text: str, *, longest: int = _LONGEST) -> str:
    """One line without escape sequences, control, bidi or invisible characters, and of bounded length."""
    cut, text = len(text) > longest + _SPARE, text[: longest + _SPARE]
    text = _ANSI.sub("", text)
    if not text.isprintable():
        text = "".join(_visible(char) for char in text)
    text = inert(re.sub(r"\s+", " ", text).strip())
    return f"{text[: longest - 1]}…" if cut or len(text) > longest else text


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") else char


def inert(rendered: str) -> str:
    """Text of several lines in which no line is a command to a CI runner: ``::error::``, ``##[group]``."""
    return _COMMAND_AT_START.sub(r"\1: ", _LOG_COMMAND.sub("# #", rendered))


def markdown(text: str, *, longest: int = 500) -> str:
    """For running text and table cells of GitHub's Markdown: shown letter by letter."""
    escaped = re.sub(r"[&<>\\`\[\]*_~!|@#]|:(?=//)", _escape_markdown, plain(text, longest=longest))
    return escaped.replace("www.", "www\u200b.")


def _escape_markdown(match: re.Match[str]) -> str:
    char = match.group()
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\u200b", "#": "#\u200b", ":": ":\u200b"}
    return entities.get(char, f"\\{char}")


def code(text: str, *, longest: int = 200) -> str:
    """As a code span of GitHub's Markdown, also within a table."""
    inner = plain(text, longest=longest).replace("`", "'").replace("|", "\\|")
    return f"`{inner or ' '}`"
