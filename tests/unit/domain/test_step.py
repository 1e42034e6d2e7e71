"""A step is harmless, whoever wrote it."""

import pytest

from tests.builders import a_step


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
        ('<img src=x onerror="alert(1)">', '‹img src=x onerror="alert(1)"›'),
        ("null\x00byte\x1b[31m", "nullbyte[31m"),
        ("två\nrader", "två\nrader"),
        ("5 < 6", "5 ‹ 6"),
        ("emoji 👩\u200d👧 stays", "emoji 👩\u200d👧 stays"),
    ],
)
@pytest.mark.parametrize("field", ["title", "description", "prompt", "prerequisite"])
def test_html_and_control_characters_are_neutralised(field: str, written: str, kept: str) -> None:
    assert getattr(a_step(**{field: written}), field) == kept


def test_questions_are_neutralised_too() -> None:
    assert a_step(questions=["<b>Varför?</b>"]).questions == ("‹b›Varför?‹/b›",)


def test_a_prerequisite_of_null_is_none_at_all() -> None:
    assert a_step(prerequisite=None).prerequisite == ""
