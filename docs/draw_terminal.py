"""Draws docs/terminal.svg: the report that `pytest --mlops examples/arrests --challenger boosting` has left.

pytest --mlops examples/arrests --challenger boosting; python docs/draw_terminal.py
"""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pytest_mlops import GateReport
from pytest_mlops.report import terminal

ROOT = Path(__file__).parent.parent
WIDTH = 90


def main() -> None:
    """Write the picture."""
    report = GateReport.from_json((ROOT / ".mlops/report/gate.json").read_text(encoding="utf-8"))
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text("$ pytest --mlops examples/arrests --challenger boosting", style="bold"))
    console.print()
    console.print(Text.from_ansi(terminal.render(report, width=WIDTH, color=True)))
    picture = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="pytest-mlops"), flags=re.DOTALL)
    (ROOT / "docs/terminal.svg").write_text(picture, encoding="utf-8")  # without fonts from elsewhere


if __name__ == "__main__":
    main()
