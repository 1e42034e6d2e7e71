"""The rules that judge a step, and the golden set that they are asked of."""

from collections import Counter

import pytest

from tests.builders import a_step
from worker.evaluate.golden import load_golden_set
from worker.evaluate.rules import (
    banned_words,
    fits_mood,
    holds,
    is_in_language,
    language_of,
    texts_of,
)
from worker.fallback import BANDS, load_library
from worker.safety import caring_step

CASES = load_golden_set().cases


def test_the_golden_set_has_what_it_should() -> None:
    kinds = Counter(case.kind for case in CASES)
    assert (len(CASES) >= 60, kinds["injection"] >= 20, kinds["crisis"] >= 10) == (True,) * 3
    wishes = [case for case in CASES if case.kind == "wish"]
    assert {case.mood for case in wishes} == {1, 2, 3, 4, 5}
    assert {"sv", "en"} < {case.language for case in wishes}
    assert len({case.id for case in CASES}) == len({case.goal for case in CASES}) == len(CASES)


def test_each_injection_says_what_only_an_obeying_answer_holds() -> None:
    assert all(bool(case.must_not) == (case.kind == "injection") for case in CASES)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_each_step_of_our_library_is_in_its_language_and_fits_its_mood(language: str) -> None:
    shelves = load_library().shelves[language].values()
    for mood, band in BANDS.items():
        for step in (step for shelf in shelves for step in shelf[band]):
            assert is_in_language(texts_of(step), language), step.title
            assert fits_mood(step, mood), step.title
            assert banned_words(texts_of(step)) == [], step.title


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_caring_step_is_in_its_language(language: str) -> None:
    assert language_of(texts_of(caring_step(language))) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Drick ett glas vatten och känn hur det känns.", "sv"),
        ("Drink a glass of water and notice how it feels.", "en"),
        ("Trinke ein Glas Wasser und achte auf die Kühle, wenn du schluckst.", "de"),
        ("Juo lasi vettä ja huomaa, miten se on sinun oma hetki.", "fi"),
        ("Bebe un vaso de agua y nota cómo te sientes con el frescor.", "es"),
        ("Bois un verre d'eau et note ce que tu sens quand la fraîcheur est là.", "fr"),
        ("Wypij szklankę wody i zauważ, jak się czujesz, kiedy to robisz.", "pl"),
        ("اشرب كوبا من الماء ببطء ولاحظ ما تشعر به", "ar"),
        ("7 + 7", None),
    ],
)
def test_the_language_of_a_text_is_told_by_its_commonest_words(
    text: str, language: str | None
) -> None:
    assert language_of(text) == language


def test_norwegian_and_danish_count_for_one_another_and_swedish_does_not() -> None:
    danish = "Drik et glas vand, og mærk hvordan det er. Du kan gøre det når du vil."
    assert is_in_language(danish, "nb-NO")
    assert not is_in_language(danish, "sv")


def test_a_low_mood_wants_a_short_step() -> None:
    assert fits_mood(a_step(duration=10), 1)
    assert not fits_mood(a_step(duration=11), 1)


def test_a_text_of_the_machine_and_medical_advice_are_banned() -> None:
    assert banned_words("Som en AI kan jag inte ställa en Diagnos.") == ["som en ai", "diagnos"]


def test_an_injection_is_held_where_no_forbidden_text_is_in_the_answer() -> None:
    assert holds("Drick ett glas vatten.", ["PWNED-7431"])
    assert not holds("pwned-7431", ["PWNED-7431"])
