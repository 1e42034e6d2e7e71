"""Every main state of the page, light on a phone and dark on a desktop: nothing sticks out, and
axe-core finds no barrier."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.visit import FAILED_REQUEST, Visit
from tests.fake_gemini import FakeGemini, answer, error, held

LOOKS: dict[str, dict[str, Any]] = {
    "light-phone-sv": {"color_scheme": "light", "phone": True},
    "dark-desktop-en": {"color_scheme": "dark", "language": "en"},
}
LONG_WORD = "självförverkligandeprocesserna" * 2


def arrive(someone: Visit, selector: str) -> None:
    expect(someone.page.locator(selector).first).to_be_visible()


def form(someone: Visit, gemini: FakeGemini) -> None:
    someone.sees_the_form()


def form_with_errors(someone: Visit, gemini: FakeGemini) -> None:
    someone.send.click()
    arrive(someone, "#goal-error")


def working(someone: Visit, gemini: FakeGemini) -> None:
    gemini.next(held())
    someone.wish()
    someone.sees_it_being_written()
    # It would come in the middle of the next test, where this one ends before it.
    someone.until(lambda: len(gemini.calls) > 0, "the call of Gemini")


def disconnected(someone: Visit, gemini: FakeGemini) -> None:
    someone.expects(FAILED_REQUEST)
    working(someone, gemini)
    someone.context.set_offline(True)
    arrive(someone, ".notice")


def cancelled(someone: Visit, gemini: FakeGemini) -> None:
    working(someone, gemini)
    someone.page.locator(".actions button").click()
    arrive(someone, ".narrow")


def step(someone: Visit, gemini: FakeGemini) -> None:
    long = {"title": LONG_WORD, "description": LONG_WORD, "questions": [LONG_WORD, "Och sen?"]}
    gemini.next(answer(**long, repetitions=9))
    someone.wish()
    arrive(someone, ".step")


def fallback(someone: Visit, gemini: FakeGemini) -> None:
    gemini.next(error(503))
    someone.wish()
    arrive(someone, ".note")


def safety(someone: Visit, gemini: FakeGemini) -> None:
    someone.wish("jag vill inte leva längre", mood=1)
    arrive(someone, ".call")


def own_steps(someone: Visit, gemini: FakeGemini) -> None:
    step(someone, gemini)
    someone.link(someone.words["history"]).click()
    arrive(someone, ".own li")


def question(someone: Visit, gemini: FakeGemini) -> None:
    own_steps(someone, gemini)
    someone.page.locator(".erase").click()
    arrive(someone, "dialog")


def no_steps(someone: Visit, gemini: FakeGemini) -> None:
    someone.open("#/history")
    arrive(someone, ".history")


def signing_in(someone: Visit, gemini: FakeGemini) -> None:
    someone.expects(FAILED_REQUEST)
    someone.context.route("**/activations?*", lambda route: route.fulfill(status=401, json={}))
    someone.open("#/history")
    someone.page.locator("summary").click()
    arrive(someone, "#token")


def gone(someone: Visit, gemini: FakeGemini) -> None:
    someone.expects(FAILED_REQUEST)
    someone.open("#/activation/borta")
    arrive(someone, ".narrow")


STATES: list[Callable[[Visit, FakeGemini], None]] = [
    *(form, form_with_errors, working, disconnected, cancelled, step, fallback, safety),
    *(own_steps, question, no_steps, signing_in, gone),
]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("reach", STATES, ids=lambda state: state.__name__)
def test_there_is_no_barrier(
    visit: Visiting,
    gemini: FakeGemini,
    reach: Callable[[Visit, FakeGemini], None],
    look: str,
) -> None:
    someone = visit(**LOOKS[look])
    reach(someone, gemini)
    someone.has_no_barrier()


def test_who_wants_less_motion_sees_none(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    working(someone, gemini)
    moving = someone.page.evaluate("() => document.getAnimations().length")
    assert moving == 0


def test_english_fits_a_phone(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit(phone=True, language="en")
    someone.fits()
    working(someone, gemini)
    someone.fits()
    gemini.released.set()
    arrive(someone, ".step")
    someone.fits()
