"""`detail` is for the user, so it is in the user's language."""

import json
import re
from pathlib import Path

import pytest

import ingress.app
from local.sqlite.store import SqliteStore
from shared.http import translations
from shared.settings import Settings
from tests import ROOT
from tests.doubles import FakePublisher
from tests.http.conftest import GOOD, Apps

SWEDISH = {"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.5"}


@pytest.mark.parametrize(
    ("header", "language", "detail"),
    [
        ("sv-SE,sv;q=0.9,en;q=0.5", "sv", "Den aktiveringen finns inte."),
        ("sv", "sv", "Den aktiveringen finns inte."),
        ("en-GB,en;q=0.9,sv;q=0.5", "en", "There is no such activation."),
        ("de", "en", "There is no such activation."),
        ("", "en", "There is no such activation."),
        (None, "en", "There is no such activation."),
        ("*", "en", "There is no such activation."),
        (";;q=x,,", "en", "There is no such activation."),
    ],
)
def test_a_problem_is_told_in_the_browsers_language(
    apps: Apps, header: str | None, language: str, detail: str
) -> None:
    headers = {} if header is None else {"Accept-Language": header}
    answer = apps.ingress.get("/activations/a1", headers=headers)
    assert answer.get_json()["detail"] == detail
    assert answer.headers["Content-Language"] == language


def test_what_is_wrong_with_a_wish_is_told_in_swedish(apps: Apps) -> None:
    answer = apps.ingress.post("/activations", json={"mood": 9, "goal": " "}, headers=SWEDISH)
    shown = answer.get_json()
    assert shown["detail"] == (
        "Hur du mår anges som ett tal från 1 till 5. Skriv några ord om vad du vill."
    )
    assert shown["errors"] == [
        {"pointer": "/mood", "detail": "Hur du mår anges som ett tal från 1 till 5."},
        {"pointer": "/goal", "detail": "Skriv några ord om vad du vill."},
    ]


def test_a_number_in_what_is_wrong_is_told_in_swedish(apps: Apps) -> None:
    too_late = {**GOOD, "deadline_seconds": 301}
    answer = apps.ingress.post("/activations", json=too_late, headers=SWEDISH)
    assert answer.get_json()["errors"] == [
        {"pointer": "/deadline_seconds", "detail": "Tidsgränsen får vara högst 300 sekunder."}
    ]


def test_a_limit_is_told_with_its_number(store: SqliteStore, publisher: FakePublisher) -> None:
    settings = Settings(auth="none", daily_limit_per_user=1)
    app = ingress.app.create_app(settings, store, publisher).test_client()
    app.post("/activations", json=GOOD)
    swedish = app.post("/activations", json=GOOD, headers=SWEDISH).get_json()
    english = app.post("/activations", json=GOOD).get_json()
    assert "gränsen på 1 aktiveringar" in swedish["detail"]
    assert "limit of 1 activations" in english["detail"]


def test_every_swedish_sentence_belongs_to_one_of_ours_and_keeps_its_places() -> None:
    """One that is changed in the code and not here would silently be English again."""
    files = [*ROOT.glob("ingress/**/*.py"), *ROOT.glob("shared/**/*.py")]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    joined = re.sub(r'"\s*\n\s*"', "", code)
    text = Path(translations.__file__).with_name("translations.sv.json").read_text(encoding="utf-8")
    for english, swedish in json.loads(text).items():
        assert re.findall(r"\{\w+\}", english) == re.findall(r"\{\w+\}", swedish)
        assert english in joined, english
