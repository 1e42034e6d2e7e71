"""What is wrong with a request, said to people: pydantic's messages are for developers.

English is here, Swedish in shared/http/translations.sv.json. Each ends as a sentence does.
"""

from pydantic_core import ErrorDetails, PydanticCustomError

OUR_OWN = "sentence"
"""The type of an error whose message is one of our sentences already."""

MISSING = {
    "/mood": "Your mood is missing: a number from 1 to 5.",
    "/goal": "Your goal is missing.",
}
WRONG = {
    # What a part is; said of whatever else is in its place. The longest pointer counts.
    "": "The request is an object with mood and goal.",
    "/mood": "Mood is a number from 1 to 5.",
    "/goal": "Your goal is a text.",
    "/language": "Language is a tag such as sv or en-GB.",
    "/deadline_seconds": "The deadline is a whole number of seconds, at least 10.",
    "/profile": "The profile is an object.",
    "/profile/focusArea": "The profile's focus area is a text of at most 200 characters.",
    "/profile/personalityType": "The profile's personality type is an object.",
    "/profile/personalityType/traits": "The profile's traits are at most 50 texts of at most 200 "
    "characters each.",
    "/profile/neuroTendencies": "The profile's neuro tendencies are an object.",
    "/profile/neuroTendencies/adhdScore": "The profile's ADHD score is a number, a short text, "
    "true or false.",
    "/profile/wellbeingFlags": "The profile's wellbeing flags are an object.",
    "/profile/wellbeingFlags/suicideRisk": "A wellbeing flag of the profile is a number, a short "
    "text, true or false.",
    "/profile/wellbeingFlags/depressionRisk": "A wellbeing flag of the profile is a number, a "
    "short text, true or false.",
}
UNKNOWN = "A part of the request is not known."

BLANK = "Write a few words about what you want."
GOAL_TOO_LONG = "Your goal can have at most 500 characters."
CONTROL_CHARACTER = "Your goal has a character that can't be sent. Retype it or paste it again."
PROFILE_TOO_LARGE = "The profile can have at most 8 KiB."
DEADLINE_TOO_LATE = "The deadline can be at most {longest} seconds."
LIMIT = "The limit is a whole number from 1 to 100."
CURSOR = "The cursor is the next_cursor of an earlier answer."


def our_own(sentence: str) -> PydanticCustomError:
    return PydanticCustomError(OUR_OWN, sentence)


def sentence_of(pointer: str, error: ErrorDetails) -> str:
    """`pointer` is where pydantic found the error."""
    if error["type"] == OUR_OWN:
        return error["msg"]
    if error["type"] == "extra_forbidden":
        return UNKNOWN
    if error["type"] == "missing" and pointer in MISSING:
        return MISSING[pointer]
    while pointer not in WRONG:
        pointer = pointer.rpartition("/")[0]
    return WRONG[pointer]
