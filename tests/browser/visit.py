"""A person at the page: what they see and do, in their words; what must never happen to them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini, answer

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PATIENCE_MS = 45_000
"""Far longer than anything takes, for machines that are busy with something else."""

LOOK_MS = 50
A_PAGE = 10
"""As many of one's own steps the page shows before "Visa fler"."""

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1200, "height": 900}
FAILED_REQUEST = "Failed to load resource"
"""What Chromium says of each answer above 399, and of each lost connection."""

WORDS = {
    "sv": {
        "moods": ("Tungt", "Lågt", "Sådär", "Bra", "Toppen"),
        "title": "Hur känns det just nu?",
        "goal": "Vad skulle du vilja?",
        "send": "Ge mig ett steg",
        "on its way": "Ditt steg är på väg",
        "being written": "Steget skrivs.",
        "history": "Mina steg",
    },
    "en": {
        "moods": ("Heavy", "Low", "So-so", "Good", "Great"),
        "title": "How does it feel right now?",
        "goal": "What would you like?",
        "send": "Give me a step",
        "on its way": "Your step is on its way",
        "being written": "The step is being written.",
        "history": "My steps",
    },
}


class Visit:
    """One browser context with one tab. Collects what its console says and where it reaches."""

    def __init__(self, context: BrowserContext, url: str, language: str) -> None:
        self.context = context
        self.url = url
        self.words: dict[str, Any] = WORDS[language]
        self.expected: list[str] = []
        self.said: list[str] = []
        self.outside: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.said.append(f"uncaught: {error.error}"))
        context.on("request", lambda request: self._look_at(request.url))
        self.page: Page = context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.said.append(message.text)

    def _look_at(self, url: str) -> None:
        if not url.startswith((self.url, "data:")):
            self.outside.append(url)

    def open(self, path: str = "") -> "Visit":
        self.page.goto(f"{self.url}/app/{path}")
        return self

    def wish(self, goal: str = "komma igång", mood: int = 2) -> None:
        self.face(mood).check()
        self.goal.fill(goal)
        self.send.click()

    def face(self, mood: int) -> Locator:
        return self.page.get_by_role("radio", name=self.words["moods"][mood - 1])

    @property
    def goal(self) -> Locator:
        return self.page.get_by_label(self.words["goal"])

    @property
    def send(self) -> Locator:
        return self.button(self.words["send"])

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def sees_heading(self, text: str) -> None:
        expect(self.page.get_by_role("heading", name=text, level=1)).to_be_visible()

    def sees_the_form(self) -> None:
        self.sees_heading(self.words["title"])

    def sees_it_being_written(self) -> None:
        self.sees_heading(self.words["on its way"])
        self.sees(self.words["being written"])

    @property
    def activation_id(self) -> str:
        return self.page.url.rpartition("/")[2]

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Routes are served meanwhile, which a wait of another library would hold up."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not happened():
            assert time.monotonic() < end, f"{what} did not happen"
            self.page.wait_for_timeout(LOOK_MS)

    def expects(self, text: str) -> None:
        """The console may say this."""
        self.expected.append(text)

    def has_no_barrier(self) -> None:
        """axe-core finds nothing, and nothing sticks out at the side."""
        self.page.evaluate(AXE)  # CSP forbids a script tag
        found = self.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        barriers = [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]])
            for violation in found["violations"]
        ]
        assert not barriers, barriers
        self.fits()

    def fits(self) -> None:
        wide = self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{wide} px too wide"

    def ended_well(self) -> None:
        unexpected = [t for t in self.said if not any(some in t for some in self.expected)]
        assert not unexpected, unexpected
        assert not self.outside, self.outside


@contextmanager
def visiting(
    browser: Browser, url: str, *, language: str = "sv", phone: bool = False, **how: Any
) -> Iterator[Visit]:
    """`how` goes to the context. Motion is reduced unless it says otherwise."""
    locale = {"sv": "sv-SE", "en": "en-GB"}[language]
    settings = {
        "viewport": PHONE if phone else DESKTOP,
        "locale": locale,
        "reduced_motion": "reduce",
        **how,
    }
    context = browser.new_context(**settings)
    try:
        visit = Visit(context, url, language)
        yield visit
        visit.ended_well()
    finally:
        context.unroute_all(behavior="ignoreErrors")
        context.close()


def rows(someone: Visit) -> Locator:
    return someone.page.locator(".own li")


def listed(pipeline: Pipeline) -> int:
    found = requests.get(f"{pipeline.url}/activations?limit=100", timeout=30)
    return len(found.json()["items"])


def some_steps(pipeline: Pipeline, gemini: FakeGemini, number: int) -> None:
    """Done, and titled "Steg 1" and so on; the last is the newest."""
    for count in range(1, number + 1):
        gemini.next(answer(title=f"Steg {count}"))
        pipeline.wait_until_done(pipeline.submit())
