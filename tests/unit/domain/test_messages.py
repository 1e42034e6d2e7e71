"""What travels through the queue, and what is refused when it comes out."""

import json
from typing import Any

import pytest

from shared.domain.messages import DeadLetter, Message, decode, encode
from shared.domain.profile import Profile
from shared.errors import MessageNotUnderstood
from tests.builders import LEASE, NOON, an_activation, an_answer
from tests.support.stored_documents import later_release

CANARY = "kanariefågel"
TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"


def a_payload(**changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(encode(an_activation(goal=CANARY), "7").data)
    payload["activation"].update(changes)
    return payload


def a_message(payload: object, **attributes: str) -> Message:
    return Message(json.dumps(payload).encode(), attributes)


def refusal(message: Message) -> str:
    with pytest.raises(MessageNotUnderstood) as caught:
        decode(message)
    return str(caught.value)


def test_a_decoded_message_is_what_was_encoded() -> None:
    activation = an_activation(profile=Profile(focus_area="sömn"))
    decoded = decode(encode(activation, "7"))
    assert (decoded.activation, decoded.version) == (activation, "7")


def test_an_activation_in_its_last_state_survives_too() -> None:
    activation = an_activation().claimed(claim_id="c", now=NOON, lease=LEASE)
    activation = activation.completed(an_answer(), now=NOON)
    assert decode(encode(activation, "7")).activation == activation


def test_the_data_is_json_with_a_version_and_the_activation() -> None:
    assert set(json.loads(encode(an_activation(), "7").data)) == {"version", "activation"}


def test_the_attributes_name_the_activation_and_the_schema() -> None:
    message = encode(an_activation("a7"), "7")
    assert message.attributes == {"activation_id": "a7", "schema": "1"}


def test_the_trace_travels_as_an_attribute() -> None:
    assert (
        encode(an_activation(traceparent=TRACEPARENT), "7").attributes["traceparent"] == TRACEPARENT
    )


def test_a_message_of_a_later_release_with_one_more_field_is_read() -> None:
    assert (
        decode(a_message({**a_payload(added_next_year=1), "added": 1}, schema="1")).version == "7"
    )


def test_a_message_of_a_later_release_with_values_that_are_not_ours_is_read() -> None:
    payload = a_payload(**json.loads(an_answer().model_dump_json()))
    later_release(payload["activation"])
    decoded = decode(a_message(payload, schema="1")).activation
    assert decoded.step is not None
    assert (decoded.step.activation_type, decoded.source) == ("dance", "coach")


def test_another_schema_is_refused() -> None:
    assert refusal(a_message(a_payload(), schema="2")) == "schema '2', expected '1'"


def test_a_long_schema_is_not_repeated_in_full() -> None:
    assert len(refusal(a_message(a_payload(), schema="9" * 1000))) < 60


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 5000,
        CANARY.encode(),
        f'{{"version": "7", "activation": {CANARY}}}'.encode(),
        b'{"version": "7", "activation": "\\ud800"}',
    ],
)
def test_bad_json_is_refused(data: bytes) -> None:
    assert refusal(Message(data)) == "/: json_invalid"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (None, "/: model_type"),
        ([], "/: model_type"),
        ({}, "/version: missing"),
        ({"version": "7"}, "/activation: missing"),
        ({"version": 7, "activation": {}}, "/version: string_type"),
        (a_payload(goal=[CANARY]), "/activation/goal: string_type"),
        (a_payload(mood=CANARY), "/activation/mood: int_parsing"),
        (a_payload(mood=7), "/activation/mood: less_than_equal"),
        (a_payload(status=7), "/activation/status: string_type"),
        (a_payload(step=7), "/activation/step: model_type"),
        (a_payload(deadline=CANARY), "/activation/deadline: datetime_from_date_parsing"),
        (a_payload(deadline="2026-11-23T12:00:00"), "/activation/deadline: timezone_aware"),
        (
            a_payload(profile={"focus_area": [CANARY]}),
            "/activation/profile/focus_area: string_type",
        ),
    ],
)
def test_another_shape_is_refused_by_place_and_kind(payload: object, said: str) -> None:
    assert refusal(a_message(payload, schema="1")) == said


@pytest.mark.parametrize("broken", ["goal", "mood", "status", "deadline", "profile", "user_id"])
def test_the_refusal_never_holds_what_the_user_wrote(broken: str) -> None:
    message = a_message(a_payload(**{broken: [CANARY]}))
    assert CANARY not in refusal(message)


def test_nothing_that_the_user_wrote_hangs_on_the_refusal_either() -> None:
    with pytest.raises(MessageNotUnderstood) as caught:
        decode(a_message(a_payload(mood=CANARY)))
    assert CANARY not in f"{caught.value.__cause__} {caught.value.__context__}"


@pytest.mark.parametrize(
    "activation_id", ["", "a/b", "..", ".", "__x__", "a" * 65, "å", "a b", CANARY, "a\n"]
)
def test_an_id_that_no_document_can_have_is_refused_and_not_repeated(activation_id: str) -> None:
    """On Firestore it would be an outage at every delivery, for ever."""
    said = refusal(a_message(a_payload(activation_id=activation_id), schema="1"))
    assert said == "/activation/activation_id: not an id of ours"


def whose(data: bytes, **attributes: str) -> tuple[str | None, str | None]:
    letter = DeadLetter(
        message_id="1", data=data, attributes=attributes, why="because", received_at=NOON
    )
    return letter.owner


def test_a_letter_that_only_another_release_can_read_says_whose_it_is() -> None:
    data = b'{"next": 2, "activation": {"user_id": "anna", "activation_id": "a1", "mood": "good"}}'
    assert whose(data) == ("a1", "anna")


def test_a_letter_that_was_cut_off_says_whose_it_is() -> None:
    whole = encode(an_activation(), "v1").data
    assert whose(whole[: whole.index(b"goal") + 9]) == ("a1", "anna")


def test_a_letter_that_is_no_json_may_still_name_its_activation_beside_it() -> None:
    assert whose(b"\xff", activation_id="a1") == ("a1", None)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\xff\x00", b"null", b"[1]", b'"a1"', b"{}", b"1e999", b"9" * 100_000),
        *(b"[" * 100_000, b'{"a":' * 100_000),
        *(b'{"activation": null}', b'{"activation": ["a1"]}'),
        b'{"activation": {"activation_id": 1, "user_id": {"a": 1}}}',
        b'{"activation": {"activation_id": "a/b", "user_id": ""}}',
        b'{"activation": {"activation_id": "__a__", "user_id": "\\ud800"}}',
        b'{"activation": {"activation_id": "", "user_id": "%s"}}' % (b"x" * 129),
    ],
)
def test_what_names_nobody_is_nobodys(data: bytes) -> None:
    assert whose(data) == (None, None)
