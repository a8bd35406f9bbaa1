"""A server that answers as GitHub's API does, and an honest report to post to it."""

from __future__ import annotations

import json
import re
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest

from pytest_mlops import Decision, Evaluation, GateReport, Verdict
from pytest_mlops.gate import Gate
from pytest_mlops.posting import command
from pytest_mlops.report import machine

TOKEN = "t0ken"
ACTIONS = "github-actions[bot]"
MARK = "<!-- pytest-mlops:gate -->"
REFUSED = "Resource not accessible by integration"
POLICY = """
[gate]
model = "credit"

[[performance_threshold]]
metric = "accuracy"
at_least = 0.8

[[champion_challenger]]
metric = "accuracy"
margin = 0.05
"""

Json = dict[str, Any]


# --- GitHub ----------------------------------------------------------------------------------------------------------


@dataclass
class GitHub:
    """What the server knows; tests write into it, and read what has become of it."""

    url: str = ""
    me: str = ACTIONS
    """Who the token is of. A workflow's may not ask."""
    page: int = 100
    issues: dict[int, Json] = field(default_factory=dict)
    comments: dict[int, Json] = field(default_factory=dict)
    pulls: list[Json] = field(default_factory=list)
    failures: list[tuple[str, int, str]] = field(default_factory=list)
    """Each is met once: a method and path, a status, and what GitHub says."""
    calls: list[str] = field(default_factory=list)

    def issue(self, number: int, **known: Any) -> Json:
        made = {
            "number": number, "title": "", "body": "", "state": "open", "user": {"login": "ann"}, "labels": [],
            "url": f"{self.url}/repos/me/it/issues/{number}", "html_url": f"https://github.test/{number}", **known,
        }  # fmt: skip
        self.issues[number] = made
        return made

    def comment(self, on: int, body: str, author: str = ACTIONS) -> Json:
        number = 1000 + len(self.comments)
        url = f"{self.url}/repos/me/it/issues/comments/{number}"
        made = {"id": number, "on": on, "body": body, "user": {"login": author}, "url": url, "html_url": f"c{number}"}
        self.comments[number] = made
        return made

    def pull(self, number: int, owner: str, branch: str, sha: str) -> None:
        self.issue(number, pull_request={"url": "x"})
        head = {"ref": branch, "sha": sha, "user": {"login": owner}, "label": f"{owner}:{branch}"}
        self.pulls.append({"number": number, "head": head, "url": "x", "state": "open"})

    def bodies(self, on: int) -> list[str]:
        return [each["body"] for each in self.comments.values() if each["on"] == on]

    # answers: a status and something

    def answer(self, method: str, path: str, asked: dict[str, list[str]], sent: Json) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        for place, (call, status, said) in enumerate(self.failures):
            if re.fullmatch(call, f"{method} {path}"):
                del self.failures[place]
                return status, {"message": said}
        if len(sent.get("body") or "") > 65_536:
            return 422, {"message": "Validation Failed", "errors": [{"message": "body is too long"}]}
        if path == "/user":
            return (403, {"message": REFUSED}) if self.me == ACTIONS else (200, {"login": self.me, "url": "x"})
        found = re.fullmatch(r"/repos/me/it(/.*)?", path)
        return self.of_repository(method, found.group(1) or "", asked, sent) if found else missing()

    def of_repository(self, method: str, path: str, asked: dict[str, list[str]], sent: Json) -> tuple[int, Any]:
        if not path:
            return 200, {"full_name": "me/it", "url": f"{self.url}/repos/me/it"}
        if path == "/pulls":
            return 200, [pull for pull in self.pulls if pull["head"]["label"] == asked["head"][0]]
        if path == "/issues" and method == "POST":
            return 201, self.issue(500 + len(self.issues), user={"login": self.me}, **sent)
        if path == "/issues":
            return 200, [issue for issue in self.issues.values() if issue["state"] == asked["state"][0]]
        found = re.fullmatch(r"/issues(/comments)?/(\d+)(/comments)?", path)
        if not found:
            return missing()
        one, number, many = bool(found.group(1)), int(found.group(2)), bool(found.group(3))
        return self.of_comments(method, number, sent) if many else self.of_one(method, number, sent, comment=one)

    def of_one(self, method: str, number: int, sent: Json, *, comment: bool) -> tuple[int, Any]:
        known = (self.comments if comment else self.issues).get(number)
        if known is None:
            return missing()
        known.update(sent if method == "PATCH" else {})
        return 200, known

    def of_comments(self, method: str, number: int, sent: Json) -> tuple[int, Any]:
        if number not in self.issues:
            return missing()
        if method == "POST":
            return 201, self.comment(number, sent["body"], self.me)
        return 200, [each for each in self.comments.values() if each["on"] == number]


def missing() -> tuple[int, Json]:
    return 404, {"message": "Not Found"}


def handler_of(known: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = parse_qs(url.query)
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            allowed = (self.headers.get("Authorization") or "").endswith(f" {TOKEN}")
            status, found = (
                known.answer(self.command, url.path, asked, sent)
                if allowed
                else (401, {"message": "Bad credentials"})
            )  # fmt: skip
            headers = {}
            if isinstance(found, list):
                page, per_page = int(asked.get("page", ["1"])[0]), min(known.page, int(asked["per_page"][0]))
                if len(found) > page * per_page:
                    further = urlencode({**asked, "page": page + 1}, doseq=True)
                    headers["Link"] = f'<{known.url}{url.path}?{further}>; rel="next"'
                found = found[(page - 1) * per_page : page * per_page]
            self.reply(status, found, headers)

        do_POST = do_PATCH = do_GET  # noqa: N815

        def reply(self, status: int, found: Any, headers: dict[str, str]) -> None:
            data = json.dumps(found).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GitHub]:
    """The server, and the environment of a step that may ask it."""
    known = GitHub()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(known)) as server:
        known.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        for name, value in {
            "GITHUB_API_URL": known.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": "me/it",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("GITHUB_EVENT_PATH", "GH_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(tmp_path)
        yield known
        server.shutdown()
        thread.join()


Event = Callable[..., None]


@pytest.fixture
def event(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Event:
    """Says what started the run."""

    def tell(**payload: Any) -> None:
        (tmp_path / "event.json").write_text(json.dumps(payload))
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))

    return tell


# --- a report --------------------------------------------------------------------------------------------------------


def evaluation(first_error: int, errors: int = 40, n: int = 400) -> Evaluation:
    y = np.arange(n) % 2
    said = y.copy()
    said[first_error : first_error + errors] ^= 1
    return Evaluation(y, said, said * 0.5 + np.linspace(0, 0.1, n), row_ids=np.arange(n))


@pytest.fixture(scope="session")
def honest() -> GateReport:
    """Of a model that may merge, by `POLICY`."""
    gate = Gate(model="credit", challenger=lambda: evaluation(5), champion=lambda: evaluation(0))
    gate.performance_threshold("accuracy", at_least=0.8)
    gate.champion_challenger("accuracy", margin=0.05)
    return gate.report()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A checkout of the base branch."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base/mlops.toml").write_text(POLICY)
    return tmp_path / "base"


def write(report: GateReport, place: Path = Path(".mlops/report")) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "gate.json").write_text(machine.render(report))


def run(*words: str) -> int:
    """As the command line does."""
    parser = ArgumentParser()
    command.add(parser.add_subparsers(required=True))
    arguments = parser.parse_args(words)
    status: int = arguments.run(arguments)
    return status


def drifting(report: GateReport) -> GateReport:
    """A report that sends to review: a warn bound was crossed."""
    (first, *rest) = report.results
    assert first.estimate
    assert first.limits
    limits = replace(first.limits, warn_below=0.95)
    asked = {**first.details["asked"], "warn_below": 0.95}
    warned = replace(first, verdict=Verdict.WARN, limits=limits, details={**first.details, "asked": asked})
    return replace(report, decision=Decision.REVIEW, results=(warned, *rest))
