"""A browser, where there is one; MLOPS_BROWSER=required makes its absence a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _do_without("playwright is not installed: pip install pytest-mlops[browser]")
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        _do_without(f"no browser on the PATH: none of {', '.join(_NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def _do_without(reason: str) -> None:
    if os.environ.get("MLOPS_BROWSER") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
