"""A step is harmless, whoever wrote it."""

import pytest
from pydantic import ValidationError

from shared.domain.step import Step, StoredStep
from tests.builders import a_step, step_fields


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
        ('<img src=x onerror="alert(1)">', '‹img src=x onerror="alert(1)"›'),
        ("null\x00byte\x1b[31m", "nullbyte[31m"),
        ("två\nrader", "två\nrader"),
        ("5 < 6", "5 ‹ 6"),
        ("emoji 👩\u200d👧 stays", "emoji 👩\u200d👧 stays"),
        ("\u202ereversed\u2066", "reversed"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("two\u2028lines", "two\nlines"),
        ("private\ue000use", "privateuse"),
    ],
)
@pytest.mark.parametrize("field", ["title", "description", "prompt", "prerequisite"])
def test_html_and_control_characters_are_neutralised(field: str, written: str, kept: str) -> None:
    assert getattr(a_step(**{field: written}), field) == kept


def test_questions_are_neutralised_too() -> None:
    assert a_step(questions=["<b>Varför?</b>"]).questions == ("‹b›Varför?‹/b›",)


def test_a_title_that_looks_empty_is_no_title() -> None:
    with pytest.raises(ValidationError):
        a_step(title="\u3164")


def test_a_prerequisite_of_null_is_none_at_all() -> None:
    assert a_step(prerequisite=None).prerequisite == ""


def test_a_step_that_is_read_back_has_the_fields_of_one_that_is_written() -> None:
    assert list(StoredStep.model_fields) == list(Step.model_fields)


LATER_RELEASE = [{"weather": "sun"}, {"activation_type": "dance"}, {"title": "x" * 81}]


@pytest.mark.parametrize("change", LATER_RELEASE)
def test_what_a_later_release_has_written_is_read(change: dict[str, str]) -> None:
    fields = step_fields(**change)
    assert StoredStep.model_validate(fields).title == fields["title"]


@pytest.mark.parametrize("change", LATER_RELEASE)
def test_but_is_not_written_by_this_one(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Step.model_validate(step_fields(**change))
