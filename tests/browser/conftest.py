"""One Chromium and one pipeline for the whole folder; a context of its own for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.visit import PATIENCE_MS, Visit, visiting
from tests.e2e.pipeline import Pipeline, running
from tests.fake_gemini import FakeGemini
from tests.support.needs import need_program

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"),
    *("--no-first-run", "--disable-component-update", "--disable-sync"),
)
QUICK = {
    "GEMINI_MAX_ATTEMPTS": "1",
    "GEMINI_TIMEOUT_SECONDS": "60",
    "GEMINI_BREAKER_FAILURES": "1000",
    "CORS_ALLOWED_ORIGINS": "*",
}
"""A failure is seen at once and does not outlast its test; a slow machine makes none. The React
frontend may ask, and nobody else from outside."""

Visiting = Callable[..., Visit]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of the folder starts everything."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with the folder: while it lives, its event loop runs in this thread."""
    chromium = need_program("chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shared_gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as gemini:
        yield gemini


@pytest.fixture(scope="package")
def pipeline(
    browser: Browser, shared_gemini: FakeGemini, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("browser")
    with running(folder, shared_gemini, environment=QUICK) as pipeline:
        yield pipeline


@pytest.fixture
def gemini(shared_gemini: FakeGemini) -> Iterator[FakeGemini]:
    """With nothing left over from another test."""
    shared_gemini._script.clear()
    shared_gemini.calls.clear()
    shared_gemini.released.clear()
    yield shared_gemini
    shared_gemini.released.set()


@pytest.fixture
def visit(browser: Browser, pipeline: Pipeline, gemini: FakeGemini) -> Iterator[Visiting]:
    """A function that opens the page for somebody without a history."""
    requests.delete(f"{pipeline.url}/activations", timeout=30)
    with ExitStack() as stack:

        def begin(path: str = "", **how: Any) -> Visit:
            return stack.enter_context(visiting(browser, pipeline.url, **how)).open(path)

        yield begin
