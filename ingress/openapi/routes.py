"""`/openapi.json`, and `/docs`, which shows it with Swagger UI. We serve all its assets ourselves.

They are package data of `offapi`, which is not imported: its import would read all 9 MB of them.
"""

from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, send_from_directory

from ingress.openapi.document import openapi_document
from shared.http.headers import PAGE
from shared.settings import Settings

OURS = Path(__file__).parent / "docs_page"
SWAGGER = ("swagger_bundle.js", "swagger_style.css")
A_DAY_SECONDS = 86_400


def docs_routes(settings: Settings) -> Blueprint:
    routes = Blueprint("docs", __name__)
    document = openapi_document(signed_in=settings.auth == "firebase")

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Response(document, content_type="application/json")

    @routes.get("/docs", strict_slashes=False)
    def docs() -> Response:
        page = send_from_directory(OURS, "index.html")
        page.headers["Content-Security-Policy"] = PAGE
        return page

    @routes.get("/docs/<name>")
    def asset(name: str) -> Response:
        folder = _swagger_folder() if name in SWAGGER else OURS
        return send_from_directory(folder, name, max_age=A_DAY_SECONDS)

    return routes


def _swagger_folder() -> Path:
    spec = find_spec("offapi")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("offapi is not installed")
    return Path(spec.origin).parent
