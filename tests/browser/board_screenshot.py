"""`python -m tests.browser.board_screenshot`: the picture in docs/board.md, of a made-up night.

With `--folder`, every look of the page as a PNG of its own, for whoever changes it.
"""

import argparse
import logging
import random
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

import worker.app
from local.sqlite.database import open_database
from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation, Usage
from shared.domain.messages import DeadLetter
from shared.settings import Settings
from shared.telemetry.logs import configure_logging
from tests import ROOT
from tests.builders import an_activation, an_answer
from tests.doubles import FakePublisher, ScriptedGemini
from worker.board.page.drawing import KINDS_OF_SOURCE
from worker.gemini.port import Health

PICTURE = ROOT / "docs" / "page" / "board.png"
CHROMIUM = "/usr/bin/chromium"
THREE_AT_NIGHT = datetime(2026, 11, 24, 3, 4, 10, tzinfo=timezone.utc)
MANY, WAITING = 640, 4
MODELS = ("gemini-3.8-flash",) * 5 + ("gemini-3.5-flash-lite",)
REASONS = ("quota", "quota", "unavailable", "timeout", "invalid_output", "circuit_open")


class Gemini(ScriptedGemini):
    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    def health(self) -> Health:
        return self._health


def a_health(first: str) -> Health:
    models = Settings().gemini_models
    return Health(key="ok", breakers=dict(zip(models, (first, "closed"), strict=True)))


def main() -> None:
    configure_logging("ERROR", json=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(prog="python -m tests.browser.board_screenshot")
    parser.add_argument("--folder", type=Path)
    folder = parser.parse_args().folder
    if folder is None:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        with served(a_health("open"), busy=True) as url:
            shoot(url, PICTURE)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, breaker, busy in (("bad", "open", True), ("well", "closed", True)):
        with served(a_health(breaker), busy=busy, dead_letters=2 if name == "bad" else 0) as url:
            every_look(url, folder, name)
    with served(Health(key="none"), busy=False) as url:
        every_look(url, folder, "empty")


def every_look(url: str, folder: Path, name: str) -> None:
    for theme in ("light", "dark"):
        for width in (1200, 768, 390):
            shoot(url, folder / f"{name}-{theme}-{width}.png", theme=theme, width=width)


def shoot(url: str, file: Path, *, theme: str = "light", width: int = 1200) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
        )
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(url)
        page.screenshot(path=file, full_page=True)
        assert said == [], said
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"wider than {width}"
        browser.close()


@contextmanager
def served(health: Health, *, busy: bool, dead_letters: int = 1) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(open_database(Path(folder)), clock=lambda: THREE_AT_NIGHT)
        if busy:
            fill(store, troubled="open" in health.breakers.values(), dead_letters=dead_letters)
        app = worker.app.create_app(
            Settings(board=True), store, FakePublisher(), Gemini(health), lambda: THREE_AT_NIGHT
        )
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}/board"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def fill(store: SqliteStore, *, troubled: bool, dead_letters: int) -> None:
    dice = random.Random(7)
    for number in range(MANY):
        age = timedelta(seconds=20 + dice.random() ** 1.4 * 10_900)
        store.create(ended(dice, f"a{number}", THREE_AT_NIGHT - age, troubled=troubled))
    for number in range(WAITING):
        oldest = timedelta(seconds=400 if troubled else 9)
        store.create(an_activation(f"w{number}", now=THREE_AT_NIGHT - oldest / (number + 1)))
    for number in range(dead_letters):
        store.keep_dead_letter(
            DeadLetter(
                message_id=str(number), data=b"", attributes={}, why="", received_at=THREE_AT_NIGHT
            )
        )


def ended(dice: random.Random, name: str, created_at: datetime, *, troubled: bool) -> Activation:
    activation = an_activation(name, now=created_at)
    (source,) = dice.choices(KINDS_OF_SOURCE, (76, 21, 3) if troubled else (95, 3, 2))
    if dice.random() < 0.02:
        return activation.cancelled(now=created_at + timedelta(seconds=3))
    took = dice.lognormvariate(1.0, 0.7) if source == "gemini" else dice.lognormvariate(-1.2, 1.9)
    calls = {"gemini": 1, "fallback": 2, "safety": 0}[source]
    usage = Usage(
        gemini_calls=calls,
        prompt_tokens=717 * calls,
        output_tokens=230 if source == "gemini" else 0,
    )
    answer = an_answer(
        source=source,
        fallback_reason=dice.choice(REASONS) if source == "fallback" else None,
        model=dice.choice(MODELS) if source == "gemini" else None,
        usage=usage,
    )
    return activation.completed(answer, now=created_at + timedelta(seconds=took))


if __name__ == "__main__":
    main()
