"""HTTP answers about an activation: status, headers and body belong together here."""

from datetime import datetime

from flask import Response
from pydantic import BaseModel

from ingress.api.representation import etag_of, flat_answer, json_of, representation
from shared.http.problems import Problem
from shared.ports import Stored

SOONEST_SECONDS, LATEST_SECONDS = 1, 10
"""Between polls. A step from the library is there within a second, one from Gemini within a few;
what is older waits for a retry or a sweep."""

AGE_PER_SECOND = 6.0
"""So much older an activation is, the next poll comes a second later."""


def json_answer(
    shown: BaseModel, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Personal data: no cache keeps it."""
    return Response(
        json_of(shown),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def show(stored: Stored, now: datetime, status: int = 200) -> Response:
    """The representation, with its validator and, while it is not done, when to look again."""
    answer = json_answer(representation(stored.activation), status, _look_again(stored, now))
    answer.set_etag(etag_of(answer.get_data()))
    return answer


def unchanged(stored: Stored, etag: str, now: datetime) -> Response:
    headers = {"Cache-Control": "no-store", **_look_again(stored, now)}
    answer = Response(status=304, headers=headers)
    answer.set_etag(etag)
    return answer


def etag_now(stored: Stored) -> str:
    return etag_of(json_of(representation(stored.activation)).encode())


def accept(
    stored: Stored, now: datetime, *, status: int = 202, marks: dict[str, str] | None = None
) -> Response:
    answer = show(stored, now, status)
    answer.headers["Location"] = _address(stored)
    answer.headers.update(marks or {})
    return answer


def flat(stored: Stored, now: datetime, marks: dict[str, str] | None = None) -> Response:
    """The first frontend's answer; `marks` are headers of whatever it is. Raises Problem: 504
    while it is not there yet, 409 where it was cancelled."""
    activation, marks = stored.activation, marks or {}
    if activation.step is not None:
        return json_answer(flat_answer(activation, activation.step), headers=marks)
    if activation.done:
        raise Problem(
            409,
            "This activation was cancelled.",
            headers=marks,
            activation_id=activation.activation_id,
        )
    raise Problem(
        504,
        "Your step is still being written. It will be ready in a moment.",
        headers={"Location": _address(stored), **_look_again(stored, now), **marks},
        activation_id=activation.activation_id,
    )


def _look_again(stored: Stored, now: datetime) -> dict[str, str]:
    activation = stored.activation
    if activation.done:
        return {}
    age = max(0.0, (now - activation.created_at).total_seconds())
    seconds = min(LATEST_SECONDS, SOONEST_SECONDS + int(age / AGE_PER_SECOND))
    return {"Retry-After": str(seconds)}


def _address(stored: Stored) -> str:
    return f"/activations/{stored.activation.activation_id}"
