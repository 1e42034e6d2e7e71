"""RFC 9457 problems: how both services say that something went wrong.

`detail` is a sentence fit for a user; existing clients show it. An exception's text is never sent.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException

from shared.errors import StoreUnavailable
from shared.http.translations import language_of_sentences, say

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_SOON_SECONDS = 5
MOST_ERRORS, SHOWN_ERRORS = 20, 4
"""A problem lists so many errors; what it says to the user names fewer."""


class InvalidPart(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) to the part; a parameter's name.")
    detail: str = Field(description="A sentence fit for a user.")


class ProblemBody(BaseModel):
    """RFC 9457. `detail` is a sentence fit for a user."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[InvalidPart, ...] | None = Field(
        default=None, description="Where a validation failed."
    )
    activation_id: str | None = Field(
        default=None, description="Of the activation that the request was about."
    )


class Problem(Exception):
    """Raised by a route to end the request with this problem."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        values: Mapping[str, int] | None = None,
        **members: Any,
    ) -> None:
        """`detail` may have places for `values`. With `errors` theirs are said instead."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.values = dict(values or {})
        self.errors = list(errors[:MOST_ERRORS])
        self.headers = dict(headers or {})
        self.members = members


def install_problems(app: Flask) -> None:
    """Every error of this app becomes a problem: ours, Werkzeug's, an outage, a bug."""
    app.register_error_handler(Problem, to_response)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(Exception, _unexpected)


def to_response(problem: Problem) -> Response:
    language = language_of_sentences(request.accept_languages)
    return Response(
        problem_json(problem, language),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers={
            "Cache-Control": "no-store",
            "Content-Language": language,
            **problem.headers,
        },
    )


def problem_json(problem: Problem, language: str) -> str:
    body = ProblemBody(
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=spoken(problem, language),
        errors=tuple(
            InvalidPart(pointer=error["pointer"], detail=_said(error["detail"], problem, language))
            for error in problem.errors
        )
        or None,
        **problem.members,
    )
    return body.model_dump_json(exclude_none=True)


def spoken(problem: Problem, language: str) -> str:
    """The sentence for the user; of a validation those of the first few parts that are wrong."""
    said = dict.fromkeys(error["detail"] for error in problem.errors[:SHOWN_ERRORS])
    return " ".join(_said(one, problem, language) for one in said or [problem.detail])


def _said(sentence: str, problem: Problem, language: str) -> str:
    return say(sentence, language).format(**problem.values)


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not answer that method.",
    413: "The request is too large.",
}


def _http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    kept = ("Allow", "Location")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    detail = _DETAILS.get(status, f"{HTTPStatus(status).phrase}.")
    return to_response(Problem(status, detail, headers=headers))


def _store_unavailable(error: StoreUnavailable) -> Response:
    log.error("store.unavailable", error=str(error))
    return to_response(
        Problem(
            503,
            "We can't reach our storage right now. Please try again in a moment.",
            headers={"Retry-After": str(RETRY_SOON_SECONDS)},
        )
    )


def _unexpected(error: Exception) -> Response:
    # The traceback shows where, never what: its last line, the message, could quote a goal.
    log.error("unexpected", error=type(error).__name__, where=_frames(error))
    return to_response(Problem(500, "Something went wrong on our side. Please try again."))


def _frames(error: Exception) -> list[str]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-8:]
