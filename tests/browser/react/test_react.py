"""`useActivation` in a React frontend of another origin, built by Vite, in StrictMode."""

import re
from collections.abc import Callable

import requests
from playwright.sync_api import Route, expect

from tests.browser.react.conftest import Opening, Tab
from tests.e2e.pipeline import Pipeline
from tests.fake_gemini import FakeGemini, answer, held
from tests.frontend.assembled import Frontend

SUBMIT = re.compile("/activations$")
TITLE = "Ett glas vatten"


def waits(someone: Tab, gemini: FakeGemini) -> None:
    """Somebody whose step is being written for as long as the test wants."""
    gemini.next(held())
    someone.wish()
    someone.is_in("processing")
    gemini.wait_for_calls(1)


def newest(pipeline: Pipeline) -> str:
    listed = requests.get(f"{pipeline.url}/activations?limit=1", timeout=30)
    return str(listed.json()["items"][0]["activation_id"])


def refusing(status: int, detail: str, retry_after: str) -> Callable[[Route], None]:
    """As the ingress refuses, to another origin."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": retry_after,
    }
    problem = {"status": status, "title": "No", "detail": detail}
    return lambda route: route.fulfill(status=status, headers=headers, json=problem)


def test_the_frontend_compiles(frontend: Frontend) -> None:
    assert frontend.compiled("typescript-7", "tsconfig.json") == []


def test_the_linter_finds_nothing_in_the_frontend_and_in_the_hook(frontend: Frontend) -> None:
    package = "node_modules/innerjourney-activations"
    said = frontend.must(frontend.tool("oxlint"), "--deny-warnings", "src", package)
    assert "on 6 files" in said


def test_a_wish_is_followed_to_its_step(tab: Opening, gemini: FakeGemini) -> None:
    someone = tab()
    someone.is_in("nothing")
    waits(someone, gemini)
    gemini.released.set()
    someone.shows(TITLE)
    someone.is_in("completed")
    someone.complains_of_nothing()


def test_strict_modes_second_effect_is_the_same_activation(
    tab: Opening, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    """The tab comes with a wish, so the hook's first effect is run twice."""
    someone = tab()
    someone.wish()
    someone.shows(TITLE)
    someone.page.reload()
    someone.shows(TITLE)
    expect(someone.page.locator("body")).to_have_attribute("data-effects", "2")
    assert len(set(someone.submits)) == 1
    assert len(gemini.calls) == 1
    assert requests.get(f"{pipeline.url}/activations", timeout=30).json()["next_cursor"] is None


def test_a_new_key_leaves_nothing_of_the_problem_before(tab: Opening) -> None:
    someone = tab()
    someone.wish(mood="9")
    expect(someone.alert).to_be_visible()
    someone.is_in("nothing")
    someone.wish()
    someone.shows(TITLE)
    someone.is_in("completed")
    someone.complains_of_nothing()


def test_a_new_key_leaves_nothing_of_the_step_before(tab: Opening, gemini: FakeGemini) -> None:
    gemini.next(answer(title="Steg 1"), held())
    someone = tab()
    someone.wish()
    someone.shows("Steg 1")
    someone.wish("sova")
    someone.shows_no_step()
    someone.is_in("processing")
    gemini.released.set()
    someone.shows(TITLE)


def test_it_can_be_cancelled(tab: Opening, gemini: FakeGemini, pipeline: Pipeline) -> None:
    someone = tab()
    waits(someone, gemini)
    someone.press("Cancel")
    someone.is_in("cancelled")
    someone.complains_of_nothing()
    assert pipeline.show(newest(pipeline))["status"] == "cancelled"


def test_it_can_be_cancelled_before_the_submit_is_answered(
    tab: Opening, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    gemini.next(held())
    someone = tab()
    accepted: list[bool] = []

    def keep_the_first_answer(route: Route) -> None:
        if accepted:
            route.continue_()
        else:
            accepted.append(route.fetch().ok)

    someone.page.route(SUBMIT, keep_the_first_answer)
    someone.wish()
    someone.until(lambda: accepted == [True])
    someone.press("Cancel")
    someone.is_in("cancelled")
    assert pipeline.show(newest(pipeline))["status"] == "cancelled"


def test_a_cancel_that_fails_is_said_until_there_is_news(tab: Opening, gemini: FakeGemini) -> None:
    someone = tab()
    waits(someone, gemini)
    someone.page.route(re.compile("/cancel$"), lambda route: route.abort())
    someone.press("Cancel")
    someone.says("The service can't be reached. Please check your connection and try again.")
    someone.is_in("processing")
    gemini.released.set()
    someone.shows(TITLE)
    someone.complains_of_nothing()


def test_a_failed_submit_is_tried_again_under_its_key(tab: Opening, gemini: FakeGemini) -> None:
    someone = tab()
    someone.page.route(SUBMIT, refusing(503, "Soon.", retry_after="120"))
    someone.wish()
    someone.says("Soon.")
    someone.page.unroute(SUBMIT)
    someone.press("Retry")
    someone.shows(TITLE)
    someone.complains_of_nothing()
    assert len(someone.submits) == 2
    assert len(set(someone.submits)) == 1


def test_a_limit_is_said_and_not_asked_again(tab: Opening, gemini: FakeGemini) -> None:
    someone = tab()
    limited = refusing(429, "Please come back later.", retry_after="1")
    someone.page.route(SUBMIT, limited)
    someone.wish()
    someone.says("Please come back later.")
    someone.is_in("nothing")
    assert len(someone.submits) == 1
    assert gemini.calls == []


def test_a_reload_goes_on_with_the_same_wish(tab: Opening, gemini: FakeGemini) -> None:
    someone = tab()
    waits(someone, gemini)
    someone.page.reload()
    someone.is_in("processing")
    gemini.released.set()
    someone.shows(TITLE)
    assert len(gemini.calls) == 1


def test_an_id_is_taken_up_in_another_tab(
    tab: Opening, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    gemini.next(held())
    other = tab(pipeline.submit())
    other.is_in("processing")
    gemini.released.set()
    other.shows(TITLE)
    assert other.submits == []


def test_nothing_is_asked_or_heard_after_it_is_unmounted(
    tab: Opening, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    someone = tab()
    someone.page.clock.install()
    waits(someone, gemini)
    someone.press("Close")
    expect(someone.page.locator("output")).to_have_count(0)
    told: list[str] = []
    someone.page.on("request", lambda request: told.append(request.url))
    someone.page.on("response", lambda response: told.append(response.url))
    gemini.released.set()
    pipeline.wait_until_done(newest(pipeline))
    someone.page.clock.fast_forward(60_000)
    someone.page.evaluate("url => fetch(url).then(() => null)", f"{pipeline.url}/livez")
    assert [url for url in told if "/activations" in url] == []


def test_a_lost_connection_is_said_and_passes(tab: Opening, gemini: FakeGemini) -> None:
    someone = tab()
    waits(someone, gemini)
    someone.page.context.set_offline(True)
    someone.is_in("lost")
    gemini.released.set()
    someone.page.context.set_offline(False)
    someone.shows(TITLE)
    someone.is_in("completed")


def test_one_that_is_erased_meanwhile_is_gone(
    tab: Opening, gemini: FakeGemini, pipeline: Pipeline
) -> None:
    someone = tab()
    waits(someone, gemini)
    requests.delete(f"{pipeline.url}/activations", timeout=30)
    someone.says("There is no such activation.")
    someone.is_in("nothing")
