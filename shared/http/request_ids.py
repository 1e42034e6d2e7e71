"""A request id on every answer and on every log line of that request.

The caller's own `X-Request-Id` is used if it has the shape of an id: it can't bring text into logs.
"""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger(__name__)

HEADER = "X-Request-Id"
NOT_LOGGED = frozenset({"/livez", "/readyz"})
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def install_request_ids(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _ID.fullmatch(given) else secrets.token_hex(16)
        g.began = time.monotonic()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def mark(answer: Response) -> Response:
        answer.headers[HEADER] = g.request_id
        route = request.url_rule.rule if request.url_rule else None  # never the path: it may be any
        if route not in NOT_LOGGED:
            # Polls are most of the lines, and a poll that succeeded says nothing.
            is_read = request.method in ("GET", "HEAD") and answer.status_code < 400
            write = log.debug if is_read else log.info
            write(
                "request",
                method=request.method if request.url_rule else None,
                route=route,
                status=answer.status_code,
                ms=round((time.monotonic() - g.began) * 1000),
            )
        return answer

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        # Whatever was bound on the way: the thread goes on to other requests.
        structlog.contextvars.clear_contextvars()
