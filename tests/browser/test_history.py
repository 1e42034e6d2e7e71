"""One's own steps: all of them, newest first, and gone when they are erased."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.visit import A_PAGE, FAILED_REQUEST, listed, rows, some_steps
from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini


def test_without_a_step_it_is_kind(visit: Visiting) -> None:
    someone = visit("#/history")
    someone.sees("Här är det tomt än så länge.")
    expect(someone.button("Radera alla")).to_be_hidden()


def test_the_newest_is_first_and_older_ones_are_loaded(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini
) -> None:
    someone = visit()
    some_steps(pipeline, gemini, A_PAGE + 2)
    someone.link("Mina steg").click()
    expect(rows(someone)).to_have_count(A_PAGE)
    expect(rows(someone).first).to_contain_text("Steg 12")
    someone.button("Visa fler").click()
    expect(rows(someone)).to_have_count(A_PAGE + 2)
    titles = rows(someone).locator(".own-title").all_inner_texts()
    assert titles == [f"Steg {count}" for count in range(A_PAGE + 2, 0, -1)]
    expect(someone.button("Visa fler")).to_be_hidden()


def test_a_step_is_opened_from_it(visit: Visiting, pipeline: Pipeline, gemini: FakeGemini) -> None:
    someone = visit()
    some_steps(pipeline, gemini, 1)
    someone.open("#/history")
    someone.link("Steg 1").click()
    someone.sees_heading("Steg 1")
    someone.page.go_back()
    someone.sees_heading("Mina steg")


def test_one_is_erased_with_its_notes(visit: Visiting, pipeline: Pipeline) -> None:
    someone = visit()
    someone.wish()
    someone.page.get_by_label("Anteckning till: Vad märkte du?").fill("hemligt")
    someone.link("Mina steg").click()
    someone.button("Radera ”Ett glas vatten”").click()
    someone.button("Ja, radera").click()
    expect(rows(someone)).to_have_count(0)
    assert listed(pipeline) == 0
    kept = someone.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "hemligt" not in kept
    assert "komma" not in kept


def test_one_is_erased_from_its_own_page(visit: Visiting, pipeline: Pipeline) -> None:
    someone = visit()
    someone.wish()
    someone.sees_heading("Ett glas vatten")
    someone.button("Radera").click()
    someone.button("Ja, radera").click()
    someone.sees("Här är det tomt än så länge.")
    assert listed(pipeline) == 0


def test_all_are_erased_after_a_question(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini
) -> None:
    someone = visit()
    some_steps(pipeline, gemini, 2)
    someone.open("#/history")
    someone.button("Radera alla").click()
    expect(someone.page.get_by_role("dialog", name="Radera alla dina steg?")).to_be_visible()
    someone.button("Ja, radera").click()
    someone.sees("Här är det tomt än så länge.")
    assert listed(pipeline) == 0


@pytest.mark.parametrize("way", ["Behåll", "Escape"])
def test_who_thinks_again_keeps_them(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini, way: str
) -> None:
    someone = visit()
    some_steps(pipeline, gemini, 1)
    someone.open("#/history")
    someone.button("Radera alla").click()
    dialog = someone.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    if way == "Escape":
        someone.page.keyboard.press("Escape")
    else:
        someone.button(way).click()
    expect(dialog).to_have_count(0)
    expect(someone.button("Radera alla")).to_be_focused()
    expect(rows(someone)).to_have_count(1)
    assert listed(pipeline) == 1


def test_a_list_that_can_not_be_had_is_asked_for_again(visit: Visiting) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    someone.sees_the_form()
    someone.context.route(re.compile(r"/activations\?"), lambda route: route.abort())
    someone.link("Mina steg").click()
    someone.sees("Vi når inte tjänsten just nu.")
    someone.context.unroute(re.compile(r"/activations\?"))
    someone.button("Försök igen").click()
    someone.sees("Här är det tomt än så länge.")


def test_what_can_not_be_erased_stays_in_the_list(
    visit: Visiting, pipeline: Pipeline, gemini: FakeGemini
) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    some_steps(pipeline, gemini, 1)
    someone.open("#/history")
    expect(rows(someone)).to_have_count(1)
    someone.context.route(re.compile("/activations/"), lambda route: route.abort())
    someone.button("Radera ”Steg 1”").click()
    someone.button("Ja, radera").click()
    someone.sees("Vi når inte tjänsten just nu.")
    expect(rows(someone)).to_have_count(1)
