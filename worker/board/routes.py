"""The worker's `/board`.

Not under the pushes' authorization: a person has no push token. It is off unless BOARD=true, and in
production belongs behind something that knows the operators: on Cloud Run the service is private.
"""

import structlog
from flask import Blueprint, Response, abort, send_from_directory

from shared.errors import StoreUnavailable
from shared.http.headers import PAGE
from worker.board.page import FOLDER, BoardPage
from worker.board.reader import BoardReader

log = structlog.get_logger(__name__)

FILES = ("board.css", "board.js")
RETRY_SECONDS = 5


def board_routes(reader: BoardReader) -> Blueprint:
    routes = Blueprint("board", __name__)
    page = BoardPage()

    @routes.get("/board", strict_slashes=False)
    def board() -> Response:
        try:
            return _html(page.of(reader.board()), 200)
        except StoreUnavailable as error:
            log.warning("board.store_unavailable", error=str(error))
            answer = _html(page.of_a_store_that_is_away(), 503)
            answer.headers["Retry-After"] = str(RETRY_SECONDS)
            return answer

    @routes.get("/board/<name>")
    def file(name: str) -> Response:
        if name not in FILES:
            abort(404)
        return send_from_directory(FOLDER, name)

    return routes


def _html(text: str, status: int) -> Response:
    headers = {"Content-Security-Policy": PAGE}
    return Response(text, status, headers, content_type="text/html; charset=utf-8")
