"""The six pictures of docs/page.md: python -m tests.browser.screenshots"""

import re
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import expect, sync_playwright

from tests import ROOT
from tests.browser.conftest import QUICK, QUIET
from tests.browser.visit import Visit, visiting
from tests.e2e.pipeline import GOOD, Pipeline, running
from tests.fake_gemini import FakeGemini, answer, error, held
from tests.support.needs import need_program

FOLDER = ROOT / "docs" / "page"
LEAST_HEIGHT = 600
WALK: dict[str, Any] = {
    "title": "Ett varv runt kvarteret",
    "introduction_message": "Att vilja komma igång är redan en början. Vi tar det i din takt.",
    "description": "Ta på dig skorna och gå ett varv runt kvarteret, utan mål och utan telefon i "
    "handen. Lägg märke till tre saker som du inte brukar se. När du är hemma igen: skriv upp den "
    "minsta del av det du skjuter på som tar högst fem minuter, och gör den direkt.",
    "duration": 15,
    "activation_type": "physical",
    "category_id": "manifest",
    "preparation_message": "Lägg fram penna och papper innan du går, så väntar de på dig.",
    "prerequisite": "Skor, penna och papper",
    "prompt": "Skriv några rader om hur det var att börja.",
    "questions": ["Vilken av de tre sakerna fastnade hos dig?", "Vad blev lättare när du börjat?"],
}
TITLES = ("Tre lugna andetag", "Ett brev till dig själv", "Ring någon du saknar")


@dataclass(frozen=True)
class Scene:
    gemini: FakeGemini
    pipeline: Pipeline
    visit: Visit


def form(scene: Scene) -> None:
    scene.visit.face(2).check()
    scene.visit.goal.fill("Jag vill komma igång med det jag skjuter upp.")
    scene.visit.page.locator("body").click(position={"x": 5, "y": 5})


def working(scene: Scene) -> None:
    scene.gemini.next(held())
    scene.visit.wish()
    scene.visit.sees_it_being_written()
    expect(scene.visit.page.locator(".seconds")).to_have_text(re.compile("[4-9]"))


def result(scene: Scene) -> None:
    scene.gemini.next(answer(**WALK))
    scene.visit.wish()
    scene.visit.page.get_by_role("checkbox").first.check()
    note = scene.visit.page.get_by_label("Anteckning till:").first
    note.fill("Att det redan luktar vår vid cykelstället.")
    note.blur()


def fallback(scene: Scene) -> None:
    """The library's step follows from the id, and the id from the key: always the same picture."""
    scene.gemini.next(error(503))
    submitted = requests.post(
        f"{scene.pipeline.url}/activations",
        json=GOOD,
        headers={"Idempotency-Key": "screenshot", "Accept-Language": "sv"},
        timeout=30,
    )
    scene.visit.open(f"#/activation/{submitted.json()['activation_id']}")
    scene.visit.sees("Ett steg ur vårt eget bibliotek")


def safety(scene: Scene) -> None:
    scene.visit.wish("jag orkar inte leva längre", mood=1)
    expect(scene.visit.link("Ring 112")).to_be_visible()


def history(scene: Scene) -> None:
    requests.delete(f"{scene.pipeline.url}/activations", timeout=30)
    for title in TITLES:
        scene.gemini.next(answer(**{**WALK, "title": title}))
        scene.pipeline.wait_until_done(scene.pipeline.submit())
    scene.gemini.next(error(503))
    scene.pipeline.wait_until_done(scene.pipeline.submit())
    scene.gemini.next(answer(**WALK), held())
    scene.pipeline.wait_until_done(scene.pipeline.submit())
    scene.pipeline.submit()
    scene.gemini.wait_for_calls(len(TITLES) + 3)
    scene.visit.open("#/history")
    expect(scene.visit.page.locator(".own li")).to_have_count(len(TITLES) + 3)


@dataclass(frozen=True)
class Picture:
    prepare: Callable[[Scene], None]
    phone: bool = False
    dark: bool = False

    @property
    def how(self) -> dict[str, Any]:
        width = 390 if self.phone else 1000
        return {
            "viewport": {"width": width, "height": LEAST_HEIGHT},
            "device_scale_factor": 1.25,
            "color_scheme": "dark" if self.dark else "light",
        }


PICTURES = {
    "form": Picture(form),
    "working": Picture(working, phone=True),
    "result": Picture(result),
    "fallback": Picture(fallback, phone=True, dark=True),
    "safety": Picture(safety),
    "history": Picture(history, phone=True, dark=True),
}


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        gemini = stack.enter_context(FakeGemini())
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pipeline = stack.enter_context(running(data, gemini, environment=QUICK))
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=need_program("chromium"), args=QUIET)
        stack.callback(browser.close)
        for name, picture in PICTURES.items():
            gemini.calls.clear()
            gemini.released.clear()
            with visiting(browser, pipeline.url, **picture.how) as visit:
                picture.prepare(Scene(gemini, pipeline, visit.open()))
                visit.page.screenshot(path=folder / f"{name}.png", full_page=True)
            gemini.released.set()


if __name__ == "__main__":
    main()
