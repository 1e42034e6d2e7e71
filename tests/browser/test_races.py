"""Things that happen at the same time, or in another order than one thinks of."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visiting
from tests.browser.visit import A_PAGE, FAILED_REQUEST, Visit, listed, rows, some_steps
from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini, answer, held

MORE = re.compile(r"/activations\?.*cursor=")
ONE = re.compile(r"/activations/\w+$")
SUBMIT = re.compile(r"/activations$")


@contextmanager
def held_up(someone: Visit, address: re.Pattern[str], method: str = "GET") -> Iterator[list[Route]]:
    """Requests wait in the list; those that still do go on at the end."""
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        if route.request.method == method:
            waiting.append(route)
        else:
            route.fallback()

    someone.context.route(address, wait)
    yield waiting
    for route in waiting:
        route.continue_()
    someone.context.unroute(address)


def test_showing_more_twice_shows_each_step_once(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini
) -> None:
    someone = visit()
    some_steps(pipeline, gemini, A_PAGE + 2)
    someone.open("#/history")
    with held_up(someone, MORE) as waiting:
        someone.button("Visa fler").click()
        someone.button("Visa fler").click()
        someone.until(lambda: len(waiting) > 0, "the request for more")
    expect(rows(someone)).to_have_count(A_PAGE + 2)
    titles = rows(someone).locator(".own-title").all_inner_texts()
    assert titles == [f"Steg {count}" for count in range(A_PAGE + 2, 0, -1)]


def test_what_arrives_after_all_was_erased_is_not_shown(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini
) -> None:
    someone = visit()
    some_steps(pipeline, gemini, A_PAGE + 2)
    someone.open("#/history")
    with held_up(someone, MORE) as waiting:
        someone.button("Visa fler").click()
        someone.until(lambda: len(waiting) > 0, "the request for more")
        # What the server would have answered before.
        [route] = waiting
        late = route.fetch()
        someone.button("Radera alla").click()
        someone.button("Ja, radera").click()
        someone.sees("Raderat.")
        waiting.clear()
        route.fulfill(response=late)
        someone.page.wait_for_function(
            "() => performance.getEntriesByType('resource').some("
            "(entry) => entry.name.includes('cursor='))"
        )
    expect(rows(someone)).to_have_count(0)
    assert listed(pipeline) == 0


def test_a_question_leaves_with_its_view(visit: Visiting, pipeline: Pipeline) -> None:
    someone = visit("#/history")
    someone.sees("Här är det tomt än så länge.")
    activation = pipeline.submit()
    pipeline.wait_until_done(activation)
    someone.page.evaluate(f"location.hash = '#/activation/{activation}'")
    someone.sees_heading("Ett glas vatten")
    someone.button("Radera").click()
    expect(someone.page.get_by_role("dialog")).to_be_visible()
    someone.page.go_back()
    expect(someone.page.get_by_role("dialog")).to_have_count(0)
    someone.sees_heading("Mina steg")
    assert listed(pipeline) == 1


def test_who_has_gone_on_is_not_called_back_by_an_erasure(
    visit: Visiting, pipeline: Pipeline
) -> None:
    someone = visit()
    someone.wish()
    someone.sees_heading("Ett glas vatten")
    with held_up(someone, ONE, "DELETE") as waiting:
        someone.button("Radera").click()
        someone.button("Ja, radera").click()
        someone.until(lambda: len(waiting) > 0, "the erasure")
        someone.link("Ett nytt steg").click()
        someone.sees_the_form()
    someone.until(lambda: listed(pipeline) == 0, "the erasure")
    someone.goal.fill("skriva vidare")
    someone.sees_the_form()
    assert someone.page.url.endswith("#/")


def test_what_is_gone_already_can_be_erased_without_a_complaint(
    visit: Visiting, pipeline: Pipeline
) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    someone.wish()
    someone.sees_heading("Ett glas vatten")
    someone.context.route(ONE, lambda route: route.fulfill(status=404, json={"detail": "borta"}))
    someone.button("Radera").click()
    someone.button("Ja, radera").click()
    someone.sees_heading("Mina steg")


def test_two_tabs_keep_the_notes_of_both(visit: Visiting) -> None:
    someone = visit()
    someone.wish()
    someone.sees_heading("Ett glas vatten")
    other = someone.context.new_page()
    other.goto(someone.page.url)
    expect(other.get_by_role("checkbox").first).to_be_visible()
    someone.page.get_by_label("Anteckning till: Vad märkte du?").fill("vattnet var kallt")
    other.get_by_role("checkbox").first.check()
    someone.page.reload()
    expect(someone.page.get_by_label("Anteckning till: Vad märkte du?")).to_have_value(
        "vattnet var kallt"
    )
    expect(someone.page.get_by_role("checkbox").first).to_be_checked()


def test_who_cancels_while_it_is_sent_has_cancelled_what_was_accepted(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini
) -> None:
    gemini.next(held())
    someone = visit()
    someone.expects(FAILED_REQUEST)
    lost: list[int] = []

    def lose_the_answer(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    # The client's next attempts wait: one that succeeds before the click would make it an ordinary
    # cancel.
    with held_up(someone, SUBMIT, "POST"):
        someone.context.route(SUBMIT, lose_the_answer, times=1)
        someone.wish()
        someone.until(lambda: lost == [202], "the submit")
        someone.until(lambda: len(gemini.calls) > 0, "the call of Gemini")
        someone.button("Avbryt").click()
        someone.sees_the_form()
    someone.until(lambda: states(pipeline) == ["cancelled"], "the cancelling")
    expect(someone.goal).to_have_value("komma igång")


def states(pipeline: Pipeline) -> list[str]:
    found = requests.get(f"{pipeline.url}/activations", timeout=30).json()
    return [item["status"] for item in found["items"]]


@pytest.mark.parametrize("address", ["#/toString", "#/constructor", "#/__proto__", "#/nowhere"])
def test_an_address_that_is_none_of_ours_is_the_form(visit: Visiting, address: str) -> None:
    visit(address).sees_the_form()


def test_a_long_word_in_a_question_is_not_cut_off(visit: Visiting, gemini: FakeGemini) -> None:
    gemini.next(answer(questions=["självförverkligandeprocesserna" * 3, "Och nu?"]))
    someone = visit(viewport={"width": 320, "height": 700})
    someone.wish()
    expect(someone.page.locator(".questions li")).to_have_count(2)
    card = someone.page.locator(".step").bounding_box()
    assert card is not None
    for part in someone.page.locator(".questions label, .questions textarea").all():
        box = part.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= card["x"] + card["width"]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_it_fits_320_pixels(visit: Visiting, gemini: FakeGemini, language: str) -> None:
    """As much as 1280 px have at 400 % (WCAG 1.4.10)."""
    someone = visit(viewport={"width": 320, "height": 700}, language=language)
    someone.fits()
    someone.wish()
    expect(someone.page.locator(".step")).to_be_visible()
    someone.fits()
    someone.link(someone.words["history"]).click()
    expect(rows(someone)).to_have_count(1)
    someone.fits()
