"""The bytes of a request's body, however they come."""

from flask import request
from gunicorn.http.errors import ParseException

from shared.http.problems import Problem


def read_body() -> bytes:
    """Raises Problem (400) for chunks that are none and for a body that breaks off; Werkzeug
    raises its own 413."""
    try:
        return request.get_data()
    except (ParseException, OSError):
        raise Problem(400, "The request can't be read to its end.") from None
