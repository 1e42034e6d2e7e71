"""HTTP responses about an activation: their status, headers and body."""

from datetime import datetime

from flask import Response
from pydantic import BaseModel

from ingress.api.representation import etag_of, flat_answer, json_of, representation
from shared.http.problems import Problem
from shared.ports import Stored

SOONEST_SECONDS, LATEST_SECONDS = 1, 10
"""Retry-After's bounds. The library answers within a second, Gemini within a few; an activation
that is older waits for a retry or a sweep."""

AGE_PER_SECOND = 6.0
"""Retry-After grows by one second for every six seconds that the activation has waited."""


def json_response(
    shown: BaseModel, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """no-store, because no cache may keep personal data."""
    return Response(
        json_of(shown),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def representation_response(stored: Stored, now: datetime, status: int = 200) -> Response:
    """The representation with its ETag and, while it is not done, a Retry-After."""
    response = json_response(representation(stored.activation), status, _retry_after(stored, now))
    response.set_etag(etag_of(response.get_data()))
    return response


def not_modified(stored: Stored, etag: str, now: datetime) -> Response:
    headers = {"Cache-Control": "no-store", **_retry_after(stored, now)}
    response = Response(status=304, headers=headers)
    response.set_etag(etag)
    return response


def current_etag(stored: Stored) -> str:
    return etag_of(json_of(representation(stored.activation)).encode())


def accepted_response(
    stored: Stored, now: datetime, *, headers: dict[str, str], status: int = 202
) -> Response:
    response = representation_response(stored, now, status)
    response.headers["Location"] = _address(stored)
    response.headers.update(headers)
    return response


def flat_response(stored: Stored, now: datetime, headers: dict[str, str] | None = None) -> Response:
    """The first frontend's answer. Raises Problem: 504 while there is no step yet, 409 for a
    cancelled activation. `headers` are set on all three."""
    activation, headers = stored.activation, headers or {}
    if activation.step is not None:
        return json_response(flat_answer(activation, activation.step), headers=headers)
    if activation.done:
        raise Problem(
            409,
            "This activation was cancelled.",
            headers=headers,
            activation_id=activation.activation_id,
        )
    raise Problem(
        504,
        "Your step is still being written. It will be ready in a moment.",
        headers={"Location": _address(stored), **_retry_after(stored, now), **headers},
        activation_id=activation.activation_id,
    )


def _retry_after(stored: Stored, now: datetime) -> dict[str, str]:
    activation = stored.activation
    if activation.done:
        return {}
    age = max(0.0, (now - activation.created_at).total_seconds())
    seconds = min(LATEST_SECONDS, SOONEST_SECONDS + int(age / AGE_PER_SECOND))
    return {"Retry-After": str(seconds)}


def _address(stored: Stored) -> str:
    return f"/activations/{stored.activation.activation_id}"
