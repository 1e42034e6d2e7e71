"""Where the server wants to know who one is, and allows each only so much."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import QUICK
from tests.browser.visit import FAILED_REQUEST, Visit, visiting
from tests.e2e.pipeline import Pipeline, running
from tests.fake_gemini import FakeGemini
from tests.support.google_keys import GoogleKeys

PROJECT = "innerjourney"


@pytest.fixture(scope="module")
def keys() -> Iterator[GoogleKeys]:
    with GoogleKeys() as keys:
        yield keys


@pytest.fixture(scope="module")
def firebase(
    browser: Browser,
    shared_gemini: FakeGemini,
    keys: GoogleKeys,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    """With sign-in, and one activation a day for each."""
    environment = {
        **QUICK,
        "AUTH": "firebase",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "AUTH_JWKS_URL": keys.url,
        "DAILY_LIMIT_PER_USER": "1",
    }
    folder = tmp_path_factory.mktemp("firebase")
    with running(folder, shared_gemini, environment=environment) as pipeline:
        yield pipeline


@pytest.fixture
def someone(browser: Browser, firebase: Pipeline, gemini: FakeGemini) -> Iterator[Visit]:
    with visiting(browser, firebase.url) as visit:
        visit.expects(FAILED_REQUEST)  # a 401 is one
        yield visit.open()


def token_of(keys: GoogleKeys, user: str, **changes: object) -> str:
    issuer = f"https://securetoken.google.com/{PROJECT}"
    return keys.sign({"iss": issuer, "aud": PROJECT, "sub": user, **changes})


def sign_in(someone: Visit, token: str) -> None:
    details = someone.page.locator("details")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    someone.page.get_by_label("Firebase ID-token").fill(token)
    someone.button("Logga in").click()


def test_who_has_not_signed_in_is_asked_to_and_goes_on(someone: Visit, keys: GoogleKeys) -> None:
    someone.wish()
    someone.sees_heading("Logga in för att fortsätta")
    sign_in(someone, token_of(keys, "anna"))
    someone.sees_heading("Ett glas vatten")
    someone.page.reload()
    someone.sees_heading("Ett glas vatten")


def test_a_token_that_no_longer_counts_is_asked_for_anew(someone: Visit, keys: GoogleKeys) -> None:
    someone.open("#/history")
    someone.sees_heading("Logga in för att fortsätta")
    sign_in(someone, token_of(keys, "bo", exp=1))
    someone.sees("Inloggningen gäller inte längre.")
    sign_in(someone, token_of(keys, "bo"))
    someone.sees("Här är det tomt än så länge.")


def test_an_empty_token_is_not_sent(someone: Visit) -> None:
    someone.open("#/history")
    someone.sees_heading("Logga in för att fortsätta")
    sign_in(someone, "  ")
    someone.sees("Klistra in en ID-token.")


def test_who_signs_out_leaves_nothing_behind(someone: Visit, keys: GoogleKeys) -> None:
    someone.wish("sova bättre")
    someone.sees_heading("Logga in för att fortsätta")
    sign_in(someone, token_of(keys, "cecilia"))
    someone.page.get_by_label("Anteckning till: Vad märkte du?").fill("hemligt")
    someone.button("Logga ut").click()
    someone.sees_the_form()
    expect(someone.goal).to_have_value("")
    kept = someone.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert not re.search("hemligt|sova|token", kept)


def test_the_limit_says_when_to_come_back(someone: Visit, keys: GoogleKeys) -> None:
    someone.wish()
    someone.sees_heading("Logga in för att fortsätta")
    sign_in(someone, token_of(keys, "disa"))
    someone.sees_heading("Ett glas vatten")
    someone.link("Ett nytt steg").click()
    someone.wish("en gång till")
    someone.sees("Du har nått gränsen på 1 aktiveringar per dygn.")
    expect(someone.page.get_by_role("alert")).to_contain_text(
        re.compile(r"Försök igen om 24 timmar, omkring klockan \d\d[:.]\d\d\.")
    )
    expect(someone.goal).to_have_value("en gång till")
