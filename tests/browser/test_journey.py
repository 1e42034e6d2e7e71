"""From a mood and a goal to a step, as people do it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.visit import FAILED_REQUEST
from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini, answer, held

LIGHT_DESKTOP = {"color_scheme": "light", "reduced_motion": "no-preference"}
DARK_PHONE = {"color_scheme": "dark", "phone": True, "language": "en"}


@pytest.mark.parametrize("how", [LIGHT_DESKTOP, DARK_PHONE], ids=["sv-desktop", "en-phone"])
def test_the_whole_journey(visit: Visiting, gemini: FakeGemini, how: dict[str, Any]) -> None:
    gemini.next(held())
    someone = visit(**how)
    someone.sees_the_form()
    someone.wish()
    someone.sees_it_being_written()
    gemini.released.set()
    someone.sees_heading("Ett glas vatten")
    for text in ("Vi börjar smått.", "Drick ett glas vatten långsamt.", "2 min", "Gå till kranen."):
        someone.sees(text)
    expect(someone.page).to_have_title("Ett glas vatten · InnerJourney")


@pytest.mark.parametrize(("language", "words"), [("sv", "Supportkod"), ("en", "Support code")])
def test_the_support_code_is_there_while_it_works_and_with_the_step(
    visit: Visiting, gemini: FakeGemini, language: str, words: str
) -> None:
    gemini.next(held())
    someone = visit(language=language)
    someone.wish()
    someone.sees_it_being_written()
    code = someone.page.get_by_text(words)
    expect(code).to_have_text(f"{words} {someone.activation_id}")
    gemini.released.set()
    someone.sees_heading("Ett glas vatten")
    expect(code).to_have_text(f"{words} {someone.activation_id}")
    someone.has_no_barrier()


def test_one_click_selects_the_support_code(visit: Visiting) -> None:
    someone = visit("#/activation/borta")
    someone.expects(FAILED_REQUEST)
    someone.page.locator(".support code").click()
    assert someone.page.evaluate("String(getSelection())").strip() == "borta"


def test_the_form_has_no_support_code(visit: Visiting) -> None:
    someone = visit()
    someone.sees_the_form()
    expect(someone.page.get_by_text("Supportkod")).to_have_count(0)


def test_the_wish_arrives_as_it_was_made(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.wish("sova\nbättre  nu ", mood=4)
    someone.sees_heading("Ett glas vatten")
    (call,) = gemini.calls
    assert "sova bättre nu" in call.user_text


def test_all_that_a_step_says_is_shown_in_words(visit: Visiting, gemini: FakeGemini) -> None:
    gemini.next(answer(repetitions=3, activation_type="live_event", category_id="shadows"))
    someone = visit()
    someone.wish()
    facts = someone.page.get_by_role("list", name="Om steget").get_by_role("listitem")
    expect(facts).to_have_text(["2 min", "Liveträff", "Skuggarbete", "3 gånger"])
    for text in ("Det här behöver du", "Ett glas", "Hur smakade det?", "Vad märkte du?"):
        someone.sees(text)


def test_what_a_step_does_not_need_is_not_there(visit: Visiting, gemini: FakeGemini) -> None:
    gemini.next(answer(prerequisite="", repetitions=0))
    someone = visit()
    someone.wish()
    someone.sees_heading("Ett glas vatten")
    expect(someone.page.get_by_text("Det här behöver du")).to_have_count(0)
    expect(someone.page.get_by_text("gånger")).to_have_count(0)


def test_a_step_is_text_and_never_markup(visit: Visiting, gemini: FakeGemini) -> None:
    gemini.next(answer(title="<img src=x onerror=alert(1)>", description="&lt;b&gt; **a** {count}"))
    someone = visit()
    someone.wish()
    someone.sees_heading("‹img src=x onerror=alert(1)›")
    someone.sees("&lt;b&gt; **a** {count}")


def test_notes_and_ticks_are_there_when_one_comes_back(visit: Visiting) -> None:
    someone = visit()
    someone.wish()
    someone.page.get_by_role("checkbox", name="Vad märkte du?").check()
    someone.page.get_by_label("Anteckning till: Vad märkte du?").fill("Att det var kallt.")
    someone.page.reload()
    expect(someone.page.get_by_role("checkbox", name="Vad märkte du?")).to_be_checked()
    note = someone.page.get_by_label("Anteckning till: Vad märkte du?")
    expect(note).to_have_value("Att det var kallt.")


def test_the_keyboard_is_enough(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.sees_the_form()
    keyboard = someone.page.keyboard
    someone.link("InnerJourney").focus()
    for _ in range(3):  # my steps, the language, the faces
        keyboard.press("Tab")
    keyboard.press("Space")
    expect(someone.face(1)).to_be_checked()
    for _ in range(3):
        keyboard.press("ArrowRight")
    expect(someone.face(4)).to_be_checked()
    keyboard.press("Tab")
    expect(someone.goal).to_be_focused()
    keyboard.type("ringa en vän")
    keyboard.press("Tab")
    expect(someone.send).to_be_focused()
    keyboard.press("Enter")
    heading = someone.page.get_by_role("heading", name="Ett glas vatten")
    expect(heading).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Space")
    expect(someone.page.get_by_role("checkbox")).to_be_checked()


def test_the_language_can_be_changed_in_the_middle(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.face(2).check()
    someone.goal.fill("komma igång")
    someone.button("English").click()
    someone.sees_heading("How does it feel right now?")
    expect(someone.page.locator("html")).to_have_attribute("lang", "en")
    expect(someone.page.get_by_role("radio", name="Low")).to_be_checked()
    expect(someone.page.get_by_label("What would you like?")).to_have_value("komma igång")
    someone.page.reload()
    someone.sees_heading("How does it feel right now?")
    someone.button("Give me a step").click()
    someone.sees_heading("Ett glas vatten")
    (call,) = gemini.calls
    assert '"language": "en"' in call.user_text


def test_who_speaks_neither_language_reads_swedish(visit: Visiting) -> None:
    visit(locale="fi-FI").sees_the_form()


def test_safety_shows_numbers_that_can_be_called(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.wish("jag vill inte leva längre", mood=1)
    someone.sees_heading("Hör av dig till någon, nu")
    for number in ("112", "90101", "1177"):
        expect(someone.link(f"Ring {number}")).to_have_attribute("href", f"tel:{number}")
    expect(someone.page.get_by_role("checkbox")).to_have_count(0)
    assert gemini.calls == []


def test_safety_has_no_festive_colour(visit: Visiting) -> None:
    someone = visit()
    someone.wish("jag vill inte leva längre", mood=1)
    someone.sees_heading("Hör av dig till någon, nu")
    painted = someone.page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((element) =>
             getComputedStyle(element).backgroundImage !== "none" ||
             getComputedStyle(element, "::before").backgroundImage !== "none").length"""
    )
    assert painted == 0


def test_a_double_click_is_one_activation(visit: Visiting, pipeline: Pipeline) -> None:
    someone = visit()
    someone.face(2).check()
    someone.goal.fill("komma igång")
    someone.page.evaluate("for (let i = 0; i < 2; i += 1) document.forms[0].requestSubmit()")
    someone.sees_heading("Ett glas vatten")
    someone.link("Mina steg").click()
    expect(someone.page.locator(".own li")).to_have_count(1)
