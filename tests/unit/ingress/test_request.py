"""What a client sends: the faults 1 to 4 of the catalogue, and what is normalised."""

import json
from operator import attrgetter
from typing import Any

import pytest
from werkzeug.datastructures import LanguageAccept

from ingress.api.request import ActivationRequest, language_of, parse_request
from shared.domain.profile import Profile
from shared.http.problems import Problem, spoken

JSON = "application/json"


def a_body(**changes: Any) -> bytes:
    fields = {"mood": 3, "goal": "komma igång", **changes}
    return json.dumps(fields, ensure_ascii=False).encode()


def raw_body(mood: str = "3", goal: str = '"x"', more: str = "") -> bytes:
    return f'{{"mood": {mood}, "goal": {goal}{more}}}'.encode()


def parse(body: bytes) -> ActivationRequest:
    return parse_request(body, JSON, None)


def refusal(body: bytes, mimetype: str = JSON, charset: str | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        parse_request(body, mimetype, charset)
    return caught.value


def pointers(problem: Problem) -> list[str]:
    return [str(error["pointer"]) for error in problem.errors]


# What is accepted


@pytest.mark.parametrize("mood", [1, 2, 3, 4, 5])
def test_moods_one_to_five_are_accepted(mood: int) -> None:
    assert parse(a_body(mood=mood)).mood == mood


@pytest.mark.parametrize("charset", [None, "utf-8", "UTF-8", "utf8"])
def test_json_in_utf_8_is_accepted(charset: str | None) -> None:
    assert parse_request(a_body(), JSON, charset).goal == "komma igång"


@pytest.mark.parametrize("field", ["language", "deadline_seconds", "profile"])
def test_what_is_optional_may_be_left_out(field: str) -> None:
    assert getattr(parse(a_body()), field) is None


@pytest.mark.parametrize("field", ["language", "deadline_seconds", "profile"])
def test_what_is_optional_may_be_null(field: str) -> None:
    assert getattr(parse(a_body(**{field: None})), field) is None


@pytest.mark.parametrize("language", ["sv", "en-GB", "zh-Hant-TW", "sr-Latn-RS", "gsw"])
def test_a_language_tag_is_kept(language: str) -> None:
    assert parse(a_body(language=language)).language == language


# 1: mood


@pytest.mark.parametrize(
    "mood",
    [
        '"5"',
        "5.0",
        "true",
        "false",
        "null",
        "1e999",
        "1e0",
        "1" + "0" * 400,
        "-1" + "0" * 400,
        "0",
        "6",
        "-1",
        "-0",
        "[3]",
        "{}",
    ],
)
def test_any_other_mood_is_refused_at_its_place(mood: str) -> None:
    problem = refusal(raw_body(mood=mood))
    assert (problem.status, pointers(problem)) == (422, ["/mood"])


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    assert refusal(raw_body(mood="1" + "0" * 5000)).status == 400


# 2: goal


@pytest.mark.parametrize(
    "goal",
    [
        "",
        " ",
        "\u00a0\u2003",
        "\u200b",
        "\u202e\u2066",
        "a\u0000b",
        "a\nb",
        "a\tb",
        "a\u0007b",
        "a\u007fb",
        "a\u0085b",
        "a\u2028b",
        "a\ue000b",
        "a\U0010ffffb",
        "\u3164",
        "\u115f \u1160",
        "\uffa0\u2800",
        "\u0301\u0308",
        "\U000e0068\U000e0069\U000e007f",
        "\ufe0f\U000e0101",
        "\u200d\u200c",
        "x" * 501,
        "x" * 30_000,
    ],
)
def test_a_goal_that_says_nothing_or_cannot_be_shown_is_refused(goal: str) -> None:
    problem = refusal(a_body(goal=goal))
    assert (problem.status, pointers(problem)) == (422, ["/goal"])


@pytest.mark.parametrize("goal", ["null", "5", "true", '["x"]', '{"a": "x"}'])
def test_a_goal_that_is_no_text_is_refused(goal: str) -> None:
    problem = refusal(raw_body(goal=goal))
    assert (problem.status, pointers(problem)) == (422, ["/goal"])


@pytest.mark.parametrize("goal", [r'"\ud800"', r'"\udc00x"', r'"x\ud83d"'])
def test_a_lone_surrogate_is_refused(goal: str) -> None:
    assert refusal(raw_body(goal=goal)).status == 400


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  sova bättre  ", "sova bättre"),
        ("\u00a0sova\u2003", "sova"),
        ("sova\n", "sova"),
        ("\u202eabc\u202c", "abc"),
        ("\u2066a\u2069b\u200ec\u200fd\u061ce\ufefff", "abcdef"),
        ("a\u200bb\u2060c\u00add", "abcd"),
        ("sova\U000e0068\U000e0069", "sova"),
        ("می\u200cخواهم بخوابم", "می\u200cخواهم بخوابم"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("ba\u0308ttre", "bättre"),
        ("e\u0301", "é"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("må bättre 🙂", "må bättre 🙂"),
        ("42", "42"),
        ("眠りたい", "眠りたい"),
    ],
)
def test_a_goal_is_normalised(sent: str, kept: str) -> None:
    assert parse(a_body(goal=sent)).goal == kept


@pytest.mark.parametrize("letter", ["x", "å", "眠", "🙂"])
def test_500_characters_are_accepted_whatever_their_bytes(letter: str) -> None:
    assert len(parse(a_body(goal=letter * 500)).goal) == 500


@pytest.mark.parametrize("goal", [f" {'x' * 500} ", "e\u0301" * 500, "\u202e" * 9 + "x" * 500])
def test_characters_are_counted_after_normalisation(goal: str) -> None:
    assert len(parse(a_body(goal=goal)).goal) == 500


def test_four_characters_that_become_one_are_counted_as_one() -> None:
    """No goal of 500 characters is refused because it comes decomposed."""
    assert parse(a_body(goal="\u03b1\u0313\u0300\u0345" * 500)).goal == "\u1f82" * 500


@pytest.mark.parametrize("goal", ["x" * 2001, "\u0301\u0316" * 8000, "\u03b1\u0313" * 501])
def test_a_longer_goal_is_too_long_whatever_its_characters_become(goal: str) -> None:
    problem = refusal(a_body(goal=goal))
    assert problem.errors == [
        {"pointer": "/goal", "detail": "Your goal can have at most 500 characters."}
    ]


def test_spaces_and_reading_order_around_a_goal_do_not_count() -> None:
    assert parse(a_body(goal=" " * 9000 + "x" + "\u202e" * 3000)).goal == "x"


def test_an_escaped_emoji_is_one_character() -> None:
    assert parse(raw_body(goal=r'"\ud83d\ude42"')).goal == "🙂"


# 3: keys


@pytest.mark.parametrize(
    "key", ["status", "user_id", "activation_id", "attempt", "step", "created_at", "Mood", ""]
)
def test_an_unknown_key_is_refused_at_its_place(key: str) -> None:
    problem = refusal(a_body(**{key: "completed"}))
    assert (problem.status, pointers(problem)) == (422, [f"/{key}"])


@pytest.mark.parametrize(
    "body",
    [
        b'{"mood": 3, "mood": 4, "goal": "x"}',
        b'{"mood": 3, "goal": "x", "goal": "y"}',
        b'{"mood": 3, "goal": "x", "profile": {"focusArea": "a", "focusArea": "b"}}',
        b'{"mood": 3, "goal": "x", "profile": {"unknown": {"a": 1, "a": 2}}}',
        rb'{"mood": 3, "\u006dood": 3, "goal": "x"}',
    ],
)
def test_a_duplicate_key_is_refused_at_any_depth(body: bytes) -> None:
    assert refusal(body).status == 400


@pytest.mark.parametrize("field", ["mood", "goal"])
def test_a_missing_field_is_refused_at_its_place(field: str) -> None:
    fields: dict[str, Any] = {"mood": 3, "goal": "x"}
    del fields[field]
    problem = refusal(json.dumps(fields).encode())
    assert (problem.status, pointers(problem)) == (422, [f"/{field}"])


# 4: what is no request at all


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b"5", b"true", b'[{"mood": 3}]'])
def test_json_that_is_no_object_is_refused_as_a_whole(body: bytes) -> None:
    problem = refusal(body)
    assert (problem.status, pointers(problem)) == (422, [""])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"mood=3&goal=x",
        b'{"mood": 3, "goal": "x",}',
        b'{"mood": 3, "goal": "x"} {}',
        b"{'mood': 3, 'goal': 'x'}",
        b'{"mood": 3, "goal": "x" /* why */}',
        b'{"mood": 3, "goal": "\xff"}',
        b'\xef\xbb\xbf{"mood": 3, "goal": "x"}',
        '{"mood": 3, "goal": "x"}'.encode("utf-16"),
        b"[" * 2000,
        b"[" * 2000 + b"]" * 2000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        raw_body(more=', "profile": ' + "[" * 2000 + "]" * 2000),
        raw_body(more=', "profile": {"a": ' + "[" * 2000 + "]" * 2000 + "}"),
    ],
)
def test_what_is_not_valid_json_is_a_400(body: bytes) -> None:
    assert refusal(body).status == 400


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_number_for_is_refused_wherever_it_stands(number: str) -> None:
    assert refusal(raw_body(mood=number)).status == 400
    assert refusal(raw_body(more=f', "profile": {{"unknown": {number}}}')).status == 400


@pytest.mark.parametrize("mimetype", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(mimetype: str) -> None:
    assert refusal(a_body(), mimetype=mimetype).status == 415


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "utf-7", "nonsense"])
def test_another_charset_is_refused(charset: str) -> None:
    assert refusal(a_body(), charset=charset).status == 415


# language


@pytest.mark.parametrize(
    "language",
    ["", "s", "sv_SE", "swedish", "sv-", "sv\n", "sv; DROP", "*", "å", "sv-" + "a" * 9, 5, []],
)
def test_what_is_no_language_tag_is_refused(language: object) -> None:
    problem = refusal(a_body(language=language))
    assert (problem.status, pointers(problem)) == (422, ["/language"])


@pytest.mark.parametrize(
    ("asked_for", "accepted", "expected"),
    [
        ("de", "en", "de"),
        (None, "en", "en"),
        (None, "en;q=0.5, fi;q=0.9", "fi"),
        (None, "*, en", "en"),
        (None, "*", "sv"),
        (None, "", "sv"),
        (None, "x" * 36, "sv"),
        (None, "en_GB!", "sv"),
        (None, "123", "sv"),
        (None, "-a-", "sv"),
        (None, "åäö", "sv"),
        (None, "sv-" + "abcdefgh-" * 6 + "a", "sv-" + "abcdefgh-" * 6 + "a"),
    ],
)
def test_the_language_is_the_requests_then_the_browsers_then_swedish(
    asked_for: str | None, accepted: str, expected: str
) -> None:
    request = parse(a_body(language=asked_for))
    weighted = [part.strip().partition(";q=") for part in accepted.split(",") if part]
    header = LanguageAccept([(tag, float(quality or 1)) for tag, _, quality in weighted])
    assert language_of(request, header) == expected


# deadline_seconds


@pytest.mark.parametrize("number", ["9", "0", "-10", "10.0", "1e2", '"60"', "true", "[60]"])
def test_what_is_no_whole_number_from_10_is_refused_as_a_deadline(number: str) -> None:
    problem = refusal(raw_body(more=f', "deadline_seconds": {number}'))
    assert (problem.status, pointers(problem)) == (422, ["/deadline_seconds"])


# profile


def test_a_profile_is_read_as_todays_frontend_sends_it() -> None:
    sent = {
        "focusArea": "sömn",
        "personalityType": {"traits": ["lugn", "nyfiken"]},
        "neuroTendencies": {"adhdScore": 0.5},
        "wellbeingFlags": {"suicideRisk": False, "depressionRisk": "low"},
    }
    assert parse(a_body(profile=sent)).profile == Profile.model_validate(sent)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"shoeSize": 44}, {}),
        ({"shoeSize": {"deep": [{"er": None}]}}, {}),
        ({"personalityType": {"type": "INTJ"}}, {"personalityType": {}}),
        ({"wellbeingFlags": {"score": 1}}, {"wellbeingFlags": {}}),
    ],
)
def test_an_unknown_key_in_a_profile_is_dropped(sent: dict[str, Any], kept: dict[str, Any]) -> None:
    assert parse(a_body(profile=sent)).profile == Profile.model_validate(kept)


@pytest.mark.parametrize(
    ("path", "sent", "kept"),
    [
        ("focus_area", {"focusArea": "sö\u0000mn\u0007"}, "sömn"),
        ("focus_area", {"focusArea": "\u202esömn\u200b"}, "sömn"),
        ("focus_area", {"focusArea": "mitt\u2028liv"}, "mitt\nliv"),
        ("personality_type.traits", {"personalityType": {"traits": ["lu\u0000gn"]}}, ("lugn",)),
        ("neuro_tendencies.adhd_score", {"neuroTendencies": {"adhdScore": "1\u0000"}}, "1"),
        ("wellbeing_flags.suicide_risk", {"wellbeingFlags": {"suicideRisk": "\u0085high"}}, "high"),
    ],
)
def test_a_profile_is_cleaned_of_what_is_no_text(
    path: str, sent: dict[str, Any], kept: object
) -> None:
    assert attrgetter(path)(parse(a_body(profile=sent)).profile) == kept


def test_a_lone_surrogate_in_a_profile_is_refused() -> None:
    more = r', "profile": {"focusArea": "\ud800"}'
    assert refusal(raw_body(more=more)).status == 400


@pytest.mark.parametrize(
    ("profile", "pointer"),
    [
        ([], "/profile"),
        ("x", "/profile"),
        (5, "/profile"),
        ({"focusArea": 5}, "/profile/focusArea"),
        ({"focusArea": "x" * 201}, "/profile/focusArea"),
        ({"personalityType": []}, "/profile/personalityType"),
        ({"personalityType": {"traits": "lugn"}}, "/profile/personalityType/traits"),
        ({"personalityType": {"traits": ["a"] * 51}}, "/profile/personalityType/traits"),
        ({"personalityType": {"traits": ["a", 5]}}, "/profile/personalityType/traits/1"),
        ({"neuroTendencies": {"adhdScore": []}}, "/profile/neuroTendencies/adhdScore"),
        ({"neuroTendencies": {"adhdScore": 1e10}}, "/profile/neuroTendencies/adhdScore"),
        ({"neuroTendencies": {"adhdScore": 10**400}}, "/profile/neuroTendencies/adhdScore"),
        ({"wellbeingFlags": {"suicideRisk": "x" * 201}}, "/profile/wellbeingFlags/suicideRisk"),
    ],
)
def test_a_profile_of_another_shape_is_refused_at_its_place(profile: object, pointer: str) -> None:
    problem = refusal(a_body(profile=profile))
    assert (problem.status, pointers(problem)) == (422, [pointer])


def a_profile_of(size: int) -> dict[str, str]:
    """One whose JSON without spaces has this many bytes."""
    return {"unknown": "x" * (size - len('{"unknown":""}'))}


def test_a_profile_of_8_kib_is_accepted() -> None:
    assert parse(a_body(profile=a_profile_of(8192))).profile == Profile()


def test_a_profile_above_8_kib_is_refused() -> None:
    problem = refusal(a_body(profile=a_profile_of(8193)))
    assert (problem.status, pointers(problem)) == (422, ["/profile"])


def test_a_profile_counts_in_bytes_and_not_in_characters() -> None:
    assert refusal(a_body(profile={"unknown": "å" * 5000})).status == 422


# How a refusal reads


def test_every_fault_is_named_at_once() -> None:
    problem = refusal(a_body(mood="5", goal="", language="!"))
    assert sorted(pointers(problem)) == ["/goal", "/language", "/mood"]


def test_a_pointer_escapes_slashes_and_tildes() -> None:
    assert pointers(refusal(a_body(**{"a/b~c": 1}))) == ["/a~1b~0c"]


def test_each_fault_says_what_is_expected() -> None:
    assert refusal(a_body(mood=6)).errors == [
        {"pointer": "/mood", "detail": "Mood is a number from 1 to 5."}
    ]


def test_the_detail_says_each_fault() -> None:
    assert spoken(refusal(a_body(mood=9, goal="")), "en") == (
        "Mood is a number from 1 to 5. Write a few words about what you want."
    )


def test_the_detail_says_the_same_thing_once() -> None:
    assert spoken(refusal(a_body(a=1, b=2)), "en") == "A part of the request is not known."


def test_at_most_twenty_faults_are_listed() -> None:
    assert len(refusal(a_body(**{f"key{n}": 1 for n in range(100)})).errors) == 20


def test_the_detail_stays_short_however_many_faults_there_are() -> None:
    """It is a sentence that existing clients show to the user."""
    assert len(spoken(refusal(a_body(**{f"key{n}": 1 for n in range(1000)})), "en")) < 2000


@pytest.mark.parametrize("field", ["mood", "goal", "language", "profile"])
def test_a_refusal_never_repeats_a_value(field: str) -> None:
    canary = "kanariefågel\u0007"
    problem = refusal(a_body(**{field: [canary] if field == "goal" else canary}))
    assert "kanarie" not in f"{spoken(problem, 'en')} {problem.errors} {problem.__context__}"
