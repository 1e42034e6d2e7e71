"""Parse what a client sends, strictly and from the bytes.

Flask's own `get_json` takes NaN, duplicate keys and UTF-16, and a few kilobytes of nested arrays
make it fail with a 500. jiter, pydantic's own parser, refuses all of these: what parsers read
differently (one takes the first of two keys, another the last) is no request.
"""

import re
import unicodedata
from typing import Annotated, Any

import jiter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import to_json
from werkzeug.datastructures import LanguageAccept

from ingress.api.sentences import (
    BLANK,
    CONTROL_CHARACTER,
    GOAL_TOO_LONG,
    PROFILE_TOO_LARGE,
    our_own,
    sentence_of,
)
from shared.domain.profile import Profile
from shared.domain.text import is_text, looks_empty, without_formats
from shared.http.problems import Problem

MAX_BODY_BYTES = 32 * 1024
MAX_PROFILE_BYTES = 8 * 1024
MAX_GOAL_CHARACTERS = 500
MOST_THAT_NFC_JOINS = 4
"""Characters that become one, ᾂ for example; so a longer goal is too long whatever they are."""

SHORTEST_DEADLINE_SECONDS = 10
DEFAULT_LANGUAGE = "sv"

LANGUAGE_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,7}$"


def _clean_goal(goal: str) -> str:
    text = without_formats(goal).strip()
    # Before NFC, which is quadratic in a run of combining marks.
    if len(text) > MAX_GOAL_CHARACTERS * MOST_THAT_NFC_JOINS:
        raise our_own(GOAL_TOO_LONG)
    text = unicodedata.normalize("NFC", text)
    if not is_text(text):
        raise our_own(CONTROL_CHARACTER)
    if looks_empty(text):
        raise our_own(BLANK)
    if len(text) > MAX_GOAL_CHARACTERS:
        raise our_own(GOAL_TOO_LONG)
    return text


def _small_enough(profile: Any) -> Any:
    if profile is not None and len(to_json(profile)) > MAX_PROFILE_BYTES:
        raise our_own(PROFILE_TOO_LARGE)
    return profile


class ActivationRequest(BaseModel):
    """How the user feels and what they want."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    mood: int = Field(ge=1, le=5, description="1 is worst, 5 is best.")
    goal: Annotated[str, AfterValidator(_clean_goal)] = Field(
        description="What the user wants, in their own words: 1 to 500 characters after trimming "
        "and NFC normalisation, without control characters.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_GOAL_CHARACTERS},
    )
    language: str | None = Field(
        default=None,
        pattern=LANGUAGE_TAG,
        description="BCP 47; default: Accept-Language, then sv.",
    )
    deadline_seconds: int | None = Field(
        default=None,
        ge=SHORTEST_DEADLINE_SECONDS,
        # An earlier release has fingerprinted requests without it: see idempotency.py.
        exclude_if=lambda seconds: seconds is None,
        description="How long Gemini may take before our library answers: from 10 to the "
        "server's ACTIVATION_DEADLINE_SECONDS (300), which is the default.",
    )
    profile: Annotated[Profile | None, BeforeValidator(_small_enough)] = Field(
        default=None, description="8 KiB at most; unknown keys are ignored."
    )


def parse_request(body: bytes, mimetype: str, charset: str | None) -> ActivationRequest:
    """Raises Problem: 413 for too much, 415 for what is not JSON in UTF-8, 400 for broken JSON, 422
    for wrong values."""
    if len(body) > MAX_BODY_BYTES:
        raise Problem(413, "The request is too large.")
    if mimetype != "application/json" or (charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Problem(415, "Please send JSON in UTF-8, with Content-Type: application/json.")
    try:
        value = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
        return ActivationRequest.model_validate(value)
    except ValidationError as error:
        raise _to_problem(error) from None
    except ValueError:
        raise Problem(400, "The request is not valid JSON.") from None


def language_of(request: ActivationRequest, accepted: LanguageAccept) -> str:
    """The language asked for, else the browser's first, else Swedish."""
    if request.language:
        return request.language
    for tag, quality in accepted:
        if tag != "*" and quality > 0:
            return tag if re.fullmatch(LANGUAGE_TAG, tag) else DEFAULT_LANGUAGE
    return DEFAULT_LANGUAGE


def _to_problem(error: ValidationError) -> Problem:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    found = [(_pointer(detail["loc"]), detail) for detail in details]
    errors = [{"pointer": where, "detail": sentence_of(where, what)} for where, what in found]
    return Problem(422, errors=errors)


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
