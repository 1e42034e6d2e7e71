"""The build of tests/frontend, and a tab of Chromium that shows it."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.visit import FAILED_REQUEST, LOOK_MS, PATIENCE_MS
from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini
from tests.frontend.assembled import Frontend, assembled


@pytest.fixture(scope="package")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Frontend:
    """Built by Vite. React's development build: only there does StrictMode run effects twice."""
    frontend = assembled(tmp_path_factory.mktemp("frontend"))
    frontend.must(
        *(frontend.tool("vite"), "build", "--mode", "development"), NODE_ENV="development"
    )
    return frontend


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing of each file."""


@pytest.fixture(scope="package")
def frontend_url(frontend: Frontend) -> Iterator[str]:
    """An origin of its own."""
    files = partial(_Files, directory=str(frontend.app / "dist"))
    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Tab:
    """What somebody sees of the frontend, and what the tab has asked the API for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.submits: list[str] = []
        """Their idempotency keys."""

        page.on("request", self._note)

    def _note(self, request: object) -> None:
        method, url = getattr(request, "method", ""), getattr(request, "url", "")
        if method == "POST" and url.endswith("/activations"):
            self.submits.append(getattr(request, "headers", {}).get("idempotency-key", ""))

    def wish(self, goal: str = "komma igång", mood: str = "2") -> None:
        self.page.get_by_label("Mood").fill(mood)
        self.page.get_by_label("Goal").fill(goal)
        self.press("Send")

    def until(self, happened: Callable[[], bool]) -> None:
        """Routes are served meanwhile, which a wait of another library would hold up."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not happened():
            assert time.monotonic() < end
            self.page.wait_for_timeout(LOOK_MS)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def is_in(self, state: str) -> None:
        expect(self.page.locator("output")).to_have_text(state)

    def shows(self, title: str) -> None:
        expect(self.page.get_by_role("heading", name=title)).to_be_visible()

    def shows_no_step(self) -> None:
        expect(self.page.get_by_role("heading")).to_have_count(0)

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    def says(self, sentence: str) -> None:
        expect(self.alert).to_have_text(sentence)

    def complains_of_nothing(self) -> None:
        expect(self.alert).to_have_count(0)


Opening = Callable[..., Tab]


@pytest.fixture
def tab(
    browser: Browser, pipeline: Pipeline, gemini: FakeGemini, frontend_url: str
) -> Iterator[Opening]:
    """A function that opens the frontend at an id. Its console may tell of answers above 399, and
    of nothing else."""
    requests.delete(f"{pipeline.url}/activations", timeout=30)
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    context.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    context.on("weberror", lambda error: said.append(f"uncaught: {error.error}"))

    def begin(activation_id: str = "") -> Tab:
        tab = Tab(context.new_page())
        tab.page.goto(f"{frontend_url}/?api={pipeline.url}#{activation_id}")
        return tab

    yield begin
    context.unroute_all(behavior="ignoreErrors")
    context.close()
    assert [text for text in said if FAILED_REQUEST not in text] == []
