"""What goes wrong on the way is said in words, and passes by itself where it can."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visiting
from tests.browser.visit import FAILED_REQUEST, Visit
from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini, blocked_prompt, error, held

ACTIVATIONS = re.compile(r"/activations(/|\?|$)")
SUBMIT = re.compile("/activations$")
LOST = "Anslutningen är borta."


def waits(someone: Visit, gemini: FakeGemini) -> None:
    """Somebody whose step is being written for as long as the test wants."""
    gemini.next(held())
    someone.wish()
    someone.sees_it_being_written()
    # It would come in the middle of the next test, where this one ends before it.
    someone.until(lambda: len(gemini.calls) > 0, "the call of Gemini")


def test_the_seconds_are_counted(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    waits(someone, gemini)
    expect(someone.page.locator(".seconds")).to_have_text(re.compile("[1-9]"))


def test_a_long_wait_is_explained(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.page.clock.install()
    waits(someone, gemini)
    someone.page.clock.fast_forward(28_000)
    someone.sees("Det tar längre än vanligt")
    gemini.released.set()
    someone.sees_heading("Ett glas vatten")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (error(503), "Vår AI kunde inte skriva till just dig den här gången."),
        (blocked_prompt("OTHER"), "Vår AI kunde inte skriva om just det här."),
    ],
    ids=["failing", "blocked"],
)
def test_a_fallback_says_so_and_can_be_tried_again(
    visit: Visiting, gemini: FakeGemini, behaviour: object, words: str
) -> None:
    gemini.next(behaviour)  # type: ignore[arg-type]
    someone = visit()
    someone.wish("våga ringa", mood=3)
    someone.sees("Ett steg ur vårt eget bibliotek")
    someone.sees(words)
    someone.button("Försök igen").click()
    expect(someone.goal).to_have_value("våga ringa")
    expect(someone.face(3)).to_be_checked()
    someone.send.click()
    someone.sees_heading("Ett glas vatten")


@pytest.mark.parametrize(
    ("status", "attempt", "calls", "words"),
    [
        ("queued", 0, 0, "Mottaget. Väntar på sin tur."),
        ("queued", 0, 1, "Väntar en kort stund inför nästa försök."),
        ("processing", 1, 0, "Steget skrivs."),
        ("processing", 2, 1, "Steget skrivs, försök 2."),
    ],
)
def test_each_state_is_said_in_words(
    visit: Visiting, pipeline: Pipeline, status: str, attempt: int, calls: int, words: str
) -> None:
    someone = visit()
    shown = pipeline.show(pipeline.submit())
    usage = {**shown["usage"], "gemini_calls": calls}
    state = {**shown, "status": status, "attempt": attempt, "usage": usage, "done": False}
    someone.context.route(ACTIVATIONS, lambda route: route.fulfill(json=state))
    someone.open(f"#/activation/{shown['activation_id']}")
    expect(someone.page.locator(".state")).to_have_text(words)
    someone.context.unroute(ACTIVATIONS)
    someone.sees_heading("Ett glas vatten")


def test_a_reload_in_the_middle_goes_on_waiting(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    waits(someone, gemini)
    someone.page.reload()
    someone.sees_it_being_written()
    gemini.released.set()
    someone.sees_heading("Ett glas vatten")
    assert len(gemini.calls) == 1


def test_a_reload_while_it_is_sent_sends_no_second(visit: Visiting, gemini: FakeGemini) -> None:
    """The first answer never reaches the page."""
    someone = visit()
    keys: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
        else:
            route.continue_()

    someone.context.route(SUBMIT, lose_the_first_answer)
    someone.wish()
    someone.sees("Skickar …")
    someone.until(lambda: len(gemini.calls) == 1, "the first call")
    someone.page.reload()
    someone.sees_heading("Ett glas vatten")
    first, second = keys
    assert first == second
    assert len(gemini.calls) == 1


def test_a_lost_connection_is_said_and_comes_back_by_itself(
    visit: Visiting, gemini: FakeGemini
) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    waits(someone, gemini)
    someone.context.set_offline(True)
    someone.sees(LOST)
    gemini.released.set()
    someone.context.set_offline(False)
    someone.sees_heading("Ett glas vatten")
    expect(someone.page.get_by_text(LOST)).to_have_count(0)


def test_the_step_is_fetched_as_soon_as_the_connection_is_back(
    visit: Visiting, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    """The page's clock stands still: nothing but the browser's news can end its pause."""
    someone = visit()
    someone.expects(FAILED_REQUEST)
    someone.page.clock.install()
    waits(someone, gemini)
    someone.page.clock.pause_at(someone.page.evaluate("() => Date.now() + 1000"))
    someone.context.set_offline(True)
    someone.sees(LOST)
    gemini.released.set()
    pipeline.wait_until_done(someone.activation_id)
    someone.context.set_offline(False)
    someone.sees_heading("Ett glas vatten")


def test_a_server_that_is_away_for_a_moment_is_waited_for(
    visit: Visiting, gemini: FakeGemini
) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    waits(someone, gemini)
    someone.context.route(ACTIVATIONS, lambda route: route.abort("connectionrefused"))
    someone.page.reload()
    someone.sees(LOST)
    someone.context.unroute(ACTIVATIONS)
    someone.sees_it_being_written()
    expect(someone.page.get_by_text(LOST)).to_have_count(0)
    gemini.released.set()
    someone.sees_heading("Ett glas vatten")


def test_what_is_sent_without_a_connection_is_sent_when_it_is_back(visit: Visiting) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    someone.sees_the_form()
    someone.context.set_offline(True)
    someone.wish()
    someone.sees(LOST)
    someone.context.set_offline(False)
    someone.sees_heading("Ett glas vatten")


def test_it_can_be_cancelled_and_begun_again(
    visit: Visiting, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    someone = visit()
    waits(someone, gemini)
    activation_id = someone.activation_id
    someone.button("Avbryt").click()
    someone.sees_heading("Avbrutet")
    assert pipeline.show(activation_id)["status"] == "cancelled"
    someone.button("Försök igen").click()
    expect(someone.goal).to_have_value("komma igång")


def test_a_cancel_that_comes_too_late_shows_the_step(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    waits(someone, gemini)
    too_late = {"status": 409, "title": "Conflict", "detail": "This is completed already."}
    someone.context.route(
        re.compile("/cancel$"), lambda route: route.fulfill(json=too_late, status=409)
    )
    someone.button("Avbryt").click()
    gemini.released.set()
    someone.sees_heading("Ett glas vatten")


def test_a_cancel_that_fails_is_said(visit: Visiting, gemini: FakeGemini) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    waits(someone, gemini)
    someone.context.route(re.compile("/cancel$"), lambda route: route.abort())
    someone.button("Avbryt").click()
    someone.sees("Det gick inte att avbryta just nu.")


def test_an_empty_form_says_what_is_missing_beside_each_field(visit: Visiting) -> None:
    someone = visit()
    someone.send.click()
    moods = someone.page.get_by_role("radiogroup")
    expect(moods).to_have_accessible_description("Välj det ansikte som stämmer bäst.")
    expect(someone.goal).to_have_accessible_description(re.compile("Skriv några ord"))
    expect(someone.goal).to_have_attribute("aria-invalid", "true")
    expect(someone.face(1)).to_be_focused()


def test_a_goal_that_is_too_long_is_counted_and_refused(visit: Visiting) -> None:
    someone = visit()
    someone.wish("å" * 501)
    someone.sees("501 av 500 tecken")
    expect(someone.goal).to_have_accessible_description(re.compile("högst 500 tecken"))
    someone.goal.fill("🌱" * 500)
    someone.send.click()
    someone.sees_heading("Ett glas vatten")


def test_what_the_server_refuses_is_said_beside_its_field(visit: Visiting) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    someone.wish("klocka\u0007")
    expect(someone.goal).to_have_accessible_description(
        re.compile("tecken som inte går att skicka")
    )
    expect(someone.goal).to_be_focused()
    expect(someone.face(2)).to_be_checked()


def test_a_server_that_is_away_for_long_is_said_and_nothing_is_lost(visit: Visiting) -> None:
    someone = visit()
    someone.expects(FAILED_REQUEST)
    someone.context.route(
        ACTIVATIONS, lambda route: route.fulfill(status=503, headers={"Retry-After": "120"})
    )
    someone.wish("våga ringa")
    someone.sees("Vi når inte tjänsten just nu.")
    expect(someone.goal).to_have_value("våga ringa")
    someone.context.unroute(ACTIVATIONS)
    someone.send.click()
    someone.sees_heading("Ett glas vatten")


def test_one_that_has_been_erased_is_gone(visit: Visiting) -> None:
    someone = visit("#/activation/borta")
    someone.expects(FAILED_REQUEST)
    someone.sees_heading("Steget finns inte längre")


def test_a_problem_shows_the_support_code_of_what_it_is_about(visit: Visiting) -> None:
    someone = visit("#/activation/borta")
    someone.expects(FAILED_REQUEST)
    someone.sees_heading("Steget finns inte längre")
    someone.sees("Supportkod borta")


@pytest.mark.parametrize("address", ["#/activation/", "#/activation/..%2f", "#/nowhere"])
def test_a_mistyped_address_breaks_nothing(visit: Visiting, address: str) -> None:
    someone = visit(address)
    expect(someone.page.get_by_role("heading", level=1)).to_be_visible()
