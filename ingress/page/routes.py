"""`/app/`: what a person sees first. Static files of ours, and nothing from anywhere else."""

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
    """Flask itself leads `/app` to `/app/`."""
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
    """Asked for anew each time, lest modules of two releases meet; an unchanged one is a 304.

    The tag is of the content: buildpacks give every file the same time.
    """
    answer = Response(content, content_type=f"{TYPES[Path(name).suffix]}; charset=utf-8")
    answer.set_etag(hashlib.sha256(content).hexdigest()[:32])
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Security-Policy"] = PAGE
    answer.make_conditional(request)
    return answer
