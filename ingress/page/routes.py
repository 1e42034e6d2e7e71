"""`/app/`, the page for users: static files, all of them our own."""

import hashlib
from pathlib import Path

from flask import Blueprint, Response, request

from shared.http.headers import PAGE
from shared.http.problems import Problem

FOLDER = Path(__file__).parent
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def page_routes() -> Blueprint:
    """Flask itself redirects `/app` to `/app/`."""
    routes = Blueprint("page", __name__)
    files = {
        file.relative_to(FOLDER).as_posix(): file.read_bytes()
        for file in FOLDER.rglob("*")
        if file.suffix in TYPES
    }

    @routes.get("/app/")
    def page() -> Response:
        return _answer("index.html", files["index.html"])

    @routes.get("/app/<path:name>")
    def part(name: str) -> Response:
        if name not in files:
            raise Problem(404, "There is nothing at this address.")
        return _answer(name, files[name])

    return routes


def _answer(name: str, content: bytes) -> Response:
    """no-cache, so that a browser never mixes modules of two releases; an unchanged file is a 304.

    The ETag is a hash of the content, because buildpacks give every file the same time.
    """
    answer = Response(content, content_type=f"{TYPES[Path(name).suffix]}; charset=utf-8")
    answer.set_etag(hashlib.sha256(content).hexdigest()[:32])
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Security-Policy"] = PAGE
    answer.make_conditional(request)
    return answer
