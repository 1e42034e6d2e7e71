"""The worker's `/board`, and `/board/activations/{id}`: one activation's story.

Not under the pushes' authorization: a person has no push token. It is off unless BOARD=true, and in
production belongs behind something that knows the operators: on Cloud Run the service is private.
"""

import structlog
from flask import Blueprint, Response, abort, request, send_from_directory

from shared.errors import StoreUnavailable
from shared.http.headers import PAGE
from shared.http.problems import Problem
from worker.board.page import FOLDER, BoardPage
from worker.board.reader import BoardReader
from worker.board.story import Story

log = structlog.get_logger(__name__)

FILES = ("board.css", "board.js")
RETRY_SECONDS = 5
JSON = "application/json"


def board_routes(reader: BoardReader) -> Blueprint:
    routes = Blueprint("board", __name__)
    page = BoardPage()

    @routes.get("/board", strict_slashes=False)
    def board() -> Response:
        try:
            return _html(page.of(reader.board()), 200)
        except StoreUnavailable as error:
            return _away(page.of_a_store_that_is_away(), error)

    @routes.get("/board/activations/<activation_id>")
    def story(activation_id: str) -> Response:
        """A page, or JSON where the caller prefers it."""
        as_json = request.accept_mimetypes.best_match(("text/html", JSON)) == JSON
        try:
            found = reader.story(activation_id)
        except StoreUnavailable as error:
            if as_json:
                raise
            return _away(page.of_a_store_that_is_away(of_one=True), error)
        if as_json:
            answer = _json(found)
        elif found:
            answer = _html(page.of_story(found), 200)
        else:
            answer = _html(page.of_no_activation(), 404)
        answer.vary.add("Accept")
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


def _json(story: Story | None) -> Response:
    """Raises Problem (404)."""
    if story is None:
        raise Problem(404, "There is no such activation.")
    return Response(story.model_dump_json(), content_type=JSON)


def _away(text: str, error: StoreUnavailable) -> Response:
    log.warning("board.store_unavailable", error=str(error))
    answer = _html(text, 503)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer
