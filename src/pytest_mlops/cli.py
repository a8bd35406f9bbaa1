"""``pytest-mlops …``: what is not a test run. Each subcommand is a function from its arguments to an exit status."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

from . import profiling, rendering
from .champion import store
from .champion.record import ChampionError, ChampionRecord
from .posting import command as posting
from .report import phrases
from .report import plan as plan_words
from .report.text import inert, plain
from .verdict.errors import EvidenceError, MlopsUsageError
from .verdict.estimate import Estimate
from .verdict.limits import Limits, Verdict
from .verdict.result import CheckResult
from .verdict.wording import count, did_you_mean, percent

_HOLDS_NO_MODEL = ("node_modules", "__pycache__", "site-packages")
_WIDTH = 80
_KNOWN = {
    "disagreement": "share of the rows that count on which one model alone is right (1: nobody knows)",
    "prevalence": "share of positive rows",
    "selection-rate": "share of rows that a model calls positive",
    "value": "the metric's value, about the same for both models",
    "correlation": "between the two measured values, over test sets",
    "spread": "standard deviation of the difference that one row makes",
}
"""What a user may know before planning, by the name of the option."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Parameters
    ----------
    argv : sequence of str, optional
        Default: the process's own arguments.

    Returns
    -------
    int
        0 done, 1 refused; a mistake in the arguments exits with 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a poor terminal cannot show ≥
    arguments = _parser().parse_args(argv)
    run: Callable[[Namespace], int] = arguments.run
    try:
        status = run(arguments)
        sys.stdout.flush()
        return status
    except EvidenceError as error:
        return _refused(str(error))
    except BrokenPipeError:  # who reads has had enough: `pytest-mlops champion | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _refused(f"{error.filename or 'a file'}: {error.strerror or error}")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="pytest-mlops", description="What is not a test run of the model gate.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    promoting = commands.add_parser("promote", help="make the model that the gate has judged the champion")
    promoting.set_defaults(run=_promote)
    promoting.add_argument(
        "--report", metavar="DIR", type=Path, default=Path(".mlops/report"),
        help="the report of the run (default: %(default)s)",
    )  # fmt: skip
    promoting.add_argument("--first", action="store_true", help="there is no champion yet")

    showing = commands.add_parser("champion", help="show the champion, its age, and what it was judged by")
    showing.set_defaults(run=_champion)
    showing.add_argument("--json", action="store_true", help="print its record")

    for command in (promoting, showing):
        command.add_argument("--model", metavar="NAME", help="one model of several")
        command.add_argument(
            "--root", metavar="DIR", type=Path, default=Path(), help="pytest's rootdir (default: this directory)"
        )
        command.add_argument(
            "--champion", metavar="DIR", type=Path, help=f"where it is kept (default: {store.CHAMPION} of its model)"
        )

    _add_plan(commands.add_parser(
        "plan", help="how many test rows a comparison needs, before any is collected",
        description=plan_words.ABOUT, epilog=plan_words.KNOWLEDGE, formatter_class=RawDescriptionHelpFormatter,
    ))  # fmt: skip
    rendering.add(commands)
    profiling.add(commands)
    posting.add(commands)
    return parser


def _add_plan(planning: ArgumentParser) -> None:
    planning.set_defaults(run=_plan, mistake=planning.error)
    planning.add_argument("metric", metavar="METRIC", help="by its name, e.g. accuracy")
    planning.add_argument(
        "--margin", metavar="X", type=float, required=True,
        help="how much worse the challenger may be, in the metric's unit",
    )  # fmt: skip
    for name, what in _KNOWN.items():
        planning.add_argument(f"--{name}", metavar="X", type=float, help=what)
    planning.add_argument("--confidence", metavar="X", type=float, default=0.95, help="default: %(default)s")
    planning.add_argument(
        "--power", metavar="X", type=float, default=0.8,
        help="how often to show, or to catch, what is there (default: %(default)s)",
    )  # fmt: skip
    planning.add_argument(
        "--looks", metavar="N", type=int, default=1, help="challengers judged on the same rows (default: %(default)s)"
    )
    planning.add_argument("--adaptive", action="store_true", help="each made in the light of the verdicts before")
    planning.add_argument("--json", action="store_true", help="print numbers for a program")


def _version() -> str:
    from importlib.metadata import version

    return version("pytest-mlops")


# --- promote ---------------------------------------------------------------------------------------------------------


def _promote(arguments: Namespace) -> int:
    """All candidates, or none: two models that were judged together are released together."""
    candidates = _chosen(_records(arguments.report.glob("candidate/*/")), arguments.model, "candidate")
    if not candidates:
        raise ChampionError(f"there is no candidate in {arguments.report}: run pytest --mlops first, or say --report")
    places = _places(candidates, arguments)
    refusals = list(_refusals(places, first=arguments.first))
    if refusals:
        return _refused(*refusals, *(["nothing was promoted"] if len(places) > 1 else []))
    for candidate, champion in places.items():
        done = store.promote(candidate, champion, first=arguments.first, time=_now().isoformat(timespec="seconds"))
        _print_promotion(done)
    return 0


def _places(candidates: Mapping[Path, ChampionRecord], arguments: Namespace) -> dict[Path, Path]:
    """Where each candidate would go."""
    if arguments.champion is not None:
        if len(candidates) > 1:
            raise ChampionError(
                f"--champion is the place of one model, and there are {len(candidates)} candidates "
                f"({_names(candidates.values())}): add --model"
            )
        return dict.fromkeys(candidates, arguments.champion)
    places = {candidate: _home(arguments.root, record) for candidate, record in candidates.items()}
    if len(set(places.values())) < len(places):
        raise ChampionError(f"the candidates {_names(candidates.values())} would go to one place: add --model")
    return places


def _home(root: Path, record: ChampionRecord) -> Path:
    """The record comes from an artifact that anybody may have made: it names no place outside the root."""
    if not root.is_dir():
        raise ChampionError(f"--root: there is no directory {str(root)!r}")
    folder = root / record.home
    if not folder.is_dir() or not folder.resolve().is_relative_to(root.resolve()):
        raise ChampionError(f"{record.model}: {str(folder)!r} is no folder of this project: say --root, or --champion")
    return folder / store.CHAMPION


def _refusals(places: Mapping[Path, Path], *, first: bool) -> Iterator[str]:
    for candidate, champion in places.items():
        try:
            store.verify(candidate, champion, first=first)
        except ChampionError as error:
            yield str(error)


def _print_promotion(done: store.Promotion) -> None:
    record, previous = done.record, done.previous
    _say(f"{record.model} is the champion now")
    _say_facts(
        {
            "decision": _decision(record),
            "commit": _commit(record),
            "rows": f"{record.evidence['rows']:,}",
            "where": str(done.directory),
            "before": "none: this is the first" if previous is None else f"{_commit(previous)}; {_age(previous)}",
        }
    )


# --- champion --------------------------------------------------------------------------------------------------------


def _champion(arguments: Namespace) -> int:
    if not arguments.root.is_dir():
        raise ChampionError(f"--root: there is no directory {str(arguments.root)!r}")
    directories = [arguments.champion] if arguments.champion else _champions_below(arguments.root)
    champions = _chosen(_records(directories), arguments.model, "champion")
    if not champions:
        place = arguments.champion or arguments.root
        raise ChampionError(f"there is no champion in {str(place)!r}: make one with pytest-mlops promote --first")
    if arguments.json:
        if len(champions) > 1:
            raise ChampionError(f"--json prints one record, and there are {_names(champions.values())}: add --model")
        print(*(record.to_json() for record in champions.values()), sep="", end="")
        return 0
    for place, (directory, record) in enumerate(champions.items()):
        print(end="\n" if place else "")
        _show(directory, record)
    return 0


def _champions_below(root: Path) -> Iterator[Path]:
    for folder, names, _ in os.walk(root):
        names[:] = sorted(name for name in names if not _holds_no_model(Path(folder, name)))
        if os.path.lexists(Path(folder, store.CHAMPION, store.RECORD)):
            yield Path(folder, store.CHAMPION)


def _holds_no_model(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _HOLDS_NO_MODEL or (folder / "pyvenv.cfg").is_file()


def _show(directory: Path, record: ChampionRecord) -> None:
    policy, packages = record.policy, record.provenance["packages"]
    _say(record.model)
    _say_facts(
        {
            "age": _age(record),
            "commit": _commit(record),
            "judged": f"{_decision(record)}; on {count(record.evidence['rows'], 'row')}",
            "where": str(directory),
            "policy": f"{(policy['digest'] or 'none')[:12]}, intervals of {percent(policy['confidence'])}",
            "packages": ", ".join(f"{name} {version}" for name, version in packages.items()) or "unknown",
        }
    )
    if record.checks:
        print(_table(record))


def _table(record: ChampionRecord) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("check", overflow="fold", min_width=23)
    table.add_column("value (interval)", overflow="fold")
    table.add_column("limit", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for check in record.checks:
        result = _result(record, check)
        name = plain(result.id, longest=200).replace(":", ":\n", 1)
        table.add_row(Text(name), phrases.value(result), phrases.limit(result), phrases.verdict(result))
    screen = StringIO()
    Console(file=screen, width=_WIDTH, color_system=None, markup=False, emoji=False, highlight=False).print(table)
    return inert("\n" + "\n".join(line.rstrip() for line in screen.getvalue().splitlines()))


def _result(record: ChampionRecord, check: Mapping[str, Any]) -> CheckResult:
    return CheckResult(
        id=check["id"],
        model=record.model,
        family=check["family"],
        verdict=Verdict(check["verdict"]),
        message="",
        estimate=Estimate.from_dict(check["estimate"]) if check["estimate"] else None,
        limits=Limits(**check["limits"]) if check["limits"] else None,
    )


# --- plan ------------------------------------------------------------------------------------------------------------


def _plan(arguments: Namespace) -> int:
    from .evidence.metrics import metric_named
    from .statistics import planning

    options = {name: getattr(arguments, name.replace("-", "_")) for name in _KNOWN}
    known = {name: value for name, value in options.items() if value is not None}
    if arguments.adaptive and arguments.looks == 1:
        arguments.mistake("--adaptive is about several looks at the same rows: say --looks as well")
    try:
        metric = metric_named(arguments.metric)
        level = planning.Level(
            confidence=arguments.confidence, power=arguments.power, looks=arguments.looks, adaptive=arguments.adaptive
        )
        noise = planning.noise_of(metric.name, known)
        plan = planning.Plan(noise, arguments.margin, level, reach=metric.highest - metric.lowest).to_dict()
    except MlopsUsageError as mistake:
        arguments.mistake(plain(str(mistake)))
    answer = {"metric": metric.name, "known": known, **plan}
    print(json.dumps(answer, indent=2, allow_nan=False) if arguments.json else plan_words.text(answer))
    return 0


# --- both ------------------------------------------------------------------------------------------------------------


def _records(directories: Iterable[Path]) -> dict[Path, ChampionRecord]:
    found = {directory: store.read_record(directory) for directory in sorted(directories)}
    return {directory: record for directory, record in found.items() if record is not None}


def _chosen(records: Mapping[Path, ChampionRecord], model: str | None, what: str) -> dict[Path, ChampionRecord]:
    """Those of the model asked for; all where none is."""
    chosen = {place: record for place, record in records.items() if model in (None, record.model)}
    if records and not chosen:
        hint = did_you_mean(str(model), (record.model for record in records.values()))
        raise ChampionError(f"there is no {what} of a model {model!r}: {hint}")
    return chosen


def _names(records: Iterable[ChampionRecord]) -> str:
    return ", ".join(record.model for record in records)


def _decision(record: ChampionRecord) -> str:
    """The first champion could be compared with none."""
    first = record.promoted is not None and record.promoted["first"] and "first" in record.evidence
    return f"{record.evidence['first']}, without the comparison with a champion" if first else record.decision


def _commit(record: ChampionRecord) -> str:
    git = record.provenance["git"]
    if git is None:
        return "made outside version control"
    return f"{git['commit'][:12]}{', with uncommitted changes' if git['dirty'] else ''}"


def _age(record: ChampionRecord) -> str:
    """``promoted 12 days ago, on 2026-11-11``."""
    if record.promoted is None:
        return "never promoted: somebody has put it there by hand"
    then = datetime.fromisoformat(record.promoted["time"]).astimezone(UTC)
    days = (_now() - then).days
    ago = "today" if days == 0 else f"{count(days, 'day')} ago" if days > 0 else "in the future"
    return f"promoted {ago}, on {then.date().isoformat()}"


def _now() -> datetime:
    return datetime.now(UTC)


def _say_facts(facts: Mapping[str, str]) -> None:
    for name, value in facts.items():
        _say(value, before=f"  {name:<9} ")


def _say(text: str, *, before: str = "") -> None:
    """One paragraph, in lines of at most 80 columns, in which no name can act on who reads it."""
    import textwrap

    after = " " * len(before)
    lines = textwrap.wrap(plain(text), _WIDTH, initial_indent=before, subsequent_indent=after, break_on_hyphens=False)
    print(inert("\n".join(lines)))


def _refused(*messages: str) -> int:
    for message in messages:
        print(f"pytest-mlops: {plain(message)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
