"""Reading a step out of what Gemini wrote, strictly."""

import json
from typing import Any

import pytest

from tests.builders import a_step, step_fields
from worker.gemini.adapters.response import read_answer
from worker.gemini.port import InvalidOutput

CANARY = "kanariefågel"


def written(**changes: Any) -> str:
    return json.dumps(step_fields(**changes), ensure_ascii=False)


def refused(text: str) -> InvalidOutput:
    with pytest.raises(InvalidOutput) as caught:
        read_answer(text)
    return caught.value


def refusal(text: str) -> str:
    return str(refused(text))


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\n {} \n",
        "```json\n{}\n```",
        "```\n{}\n```",
        "\n```json\n{}\n```\n",
        "```json  \n{}\n  ```",
        "```json\n{}```",
    ],
)
def test_a_step_is_read_plain_or_fenced(around: str) -> None:
    assert read_answer(around.replace("{}", written())) == (a_step(), False)


def test_a_step_over_many_lines_is_read() -> None:
    step, _ = read_answer(f"```json\n{json.dumps(step_fields(), indent=2)}\n```")
    assert step == a_step()


def test_a_fence_inside_a_text_stays_there() -> None:
    description = "Skriv:\n```\nett ord\n```"
    step, _ = read_answer(written(description=description))
    assert step.description == description


@pytest.mark.parametrize(
    "around",
    [
        "Here is your step: {}",
        "{}\nI hope that it helps!",
        "Sure!\n```json\n{}\n```",
        "```json\n{}\n```\nTake care.",
        "```json\n{}",
        "{}\n```",
        "```python\n{}\n```",
        "```json\n{}\n```\n```json\n{}\n```",
        "[{}]",
        "{}{}",
    ],
)
def test_anything_around_the_json_is_refused(around: str) -> None:
    refusal(around.replace("{}", written()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "[]",
        "5",
        '"a step"',
        "``````",
        "```json\n```",
        "{",
        written()[:-1],
        "[" * 5000,
    ],
)
def test_what_is_no_step_is_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize("field", list(step_fields()))
def test_a_missing_field_is_refused_at_its_place(field: str) -> None:
    fields = step_fields()
    del fields[field]
    assert refusal(json.dumps(fields)) == f"/{field}: missing"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": ""}, "/title: string_too_short"),
        ({"title": "   "}, "/title: string_too_short"),
        ({"title": "x" * 81}, "/title: string_too_long"),
        ({"description": "x" * 1201}, "/description: string_too_long"),
        ({"duration": 0}, "/duration: greater_than_equal"),
        ({"duration": 121}, "/duration: less_than_equal"),
        ({"duration": 5.5}, "/duration: int_type"),
        ({"duration": None}, "/duration: int_type"),
        ({"repetitions": 101}, "/repetitions: less_than_equal"),
        ({"activation_type": "dance"}, "/activation_type: literal_error"),
        ({"category_id": "Sleep"}, "/category_id: literal_error"),
        ({"log_type": "song"}, "/log_type: literal_error"),
        ({"questions": []}, "/questions: too_short"),
        ({"questions": ["?"] * 6}, "/questions: too_long"),
        ({"questions": ["?", ""]}, "/questions/1: string_too_short"),
        ({"questions": "?"}, "/questions: tuple_type"),
        ({"ai_assessment": "perhaps"}, "/ai_assessment: bool_type"),
    ],
)
def test_a_value_that_breaks_the_schema_is_refused_at_its_place(
    changes: dict[str, Any], said: str
) -> None:
    assert refusal(written(**changes)) == said


def test_several_places_are_named() -> None:
    assert refusal(written(title="", duration=0)) == (
        "/title: string_too_short; /duration: greater_than_equal"
    )


def test_at_most_five_places_are_named() -> None:
    assert refusal("{}").count(";") == 4


@pytest.mark.parametrize("field", list(step_fields()))
def test_the_refusal_never_holds_a_value(field: str) -> None:
    """A model may echo what the user wrote, and the refusal is logged."""
    assert CANARY not in refusal(written(**{field: {"echo": CANARY}}))


@pytest.mark.parametrize(
    ("field", "value"), [("duration", "5"), ("duration", True), ("net_enabled", "yes")]
)
def test_a_value_of_another_type_is_not_guessed_at(field: str, value: object) -> None:
    assert field in refusal(written(**{field: value}))


def test_a_field_that_the_model_made_up_is_dropped() -> None:
    assert read_answer(written(**{f"echo of {CANARY}": 1})) == (a_step(), False)


@pytest.mark.parametrize("flag", [True, False])
def test_the_models_flag_is_read_beside_the_step_and_is_no_part_of_it(flag: bool) -> None:
    assert read_answer(written(person_may_be_at_risk=flag)) == (a_step(), flag)


@pytest.mark.parametrize("flag", ["false", 0, None])
def test_a_flag_that_is_neither_true_nor_false_is_asked_for_again(flag: object) -> None:
    assert refusal(written(person_may_be_at_risk=flag)) == "/person_may_be_at_risk: bool_type"


FLAGGED = '"person_may_be_at_risk": true'


@pytest.mark.parametrize(
    "text",
    [
        written(person_may_be_at_risk=True, duration=500),
        written(person_may_be_at_risk=True)[:-1],
        f"{{{FLAGGED}",
        f'{{{FLAGGED}, "title": "Breathe',
        f"Here is your step: {{{FLAGGED}}}",
        '{"person_may_be_at_risk" :\n true}',
        '{"person_may_be_at_risk": "true"}',
        '{"person_may_be_at_risk": True}',
        '{"person_may_be_at_risk": 1}',
        f'{{{FLAGGED}, "person_may_be_at_risk": false}}',
    ],
)
def test_a_raised_flag_is_read_though_the_step_beside_it_is_invalid(text: str) -> None:
    assert refused(text).person_may_be_at_risk


@pytest.mark.parametrize(
    "text",
    [
        written(person_may_be_at_risk=False, duration=500),
        written(duration=500, description=FLAGGED),
        "",
        '{"person_may_be_at_risk": tr',
        '{"person_may_be_at_risk": 10}',
        '{"person_may_be_at_risk": "trueish"}',
    ],
)
def test_a_flag_that_is_not_raised_is_not_read_into_an_invalid_answer(text: str) -> None:
    assert not refused(text).person_may_be_at_risk


def test_the_refusal_never_holds_the_text_when_it_is_no_json() -> None:
    assert CANARY not in refusal(f"I would say: {CANARY}")


def test_nothing_of_the_answer_hangs_on_the_refusal() -> None:
    with pytest.raises(InvalidOutput) as caught:
        read_answer(written(title={"echo": CANARY}))
    assert CANARY not in f"{caught.value.__cause__} {caught.value.__context__}"
