"""How Google's gRPC clients are called here: every call has a total deadline.

A client's own `timeout` counts per attempt, and its own retry goes on for up to ten minutes: a
get(timeout=5) took 263 s with the server down. Only a Retry with a timeout of its own ends the
whole call; the last attempt may take its own time beyond that.
"""

from typing import Any

from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError

GOOGLE_ERRORS = (google_errors.GoogleAPIError, GoogleAuthError)
"""All that a call may raise, retries and credentials included."""


def bounded(*, attempt_seconds: float, total_seconds: float) -> dict[str, Any]:
    """The `retry` and `timeout` arguments of a call; passing failures are tried again."""
    retry = Retry(
        predicate=if_exception_type(
            google_errors.Aborted,
            google_errors.DeadlineExceeded,
            google_errors.InternalServerError,
            google_errors.ResourceExhausted,
            google_errors.ServiceUnavailable,
        ),
        initial=0.1,
        multiplier=2,
        maximum=1,
        timeout=total_seconds,
    )
    return {"retry": retry, "timeout": attempt_seconds}
