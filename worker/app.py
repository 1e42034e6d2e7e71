"""The worker as a Flask app, around the store, the queue and the Gemini port it is given."""

from collections.abc import Callable

from flask import Flask

from shared.clock import Clock, utc_now
from shared.drain import Drain
from shared.http.headers import ignore_long_lists, install_security_headers
from shared.http.health import health_routes
from shared.http.problems import install_problems
from shared.http.request_ids import install_request_ids
from shared.ports import ActivationStore, Publisher
from shared.settings import Settings
from shared.telemetry.request_traces import install_request_traces
from worker.board.routes import board_routes
from worker.gemini.port import Client
from worker.http.push_auth import push_authorization
from worker.http.routes import WorkerRoutes
from worker.wiring import build_board, build_pipeline

MAX_BODY_BYTES = 15 * 1024 * 1024
"""A Pub/Sub message is 10 MB at most, and base64 adds a third."""


def create_app(
    settings: Settings,
    store: ActivationStore,
    publisher: Publisher,
    gemini: Client,
    clock: Clock = utc_now,
    drain: Drain | None = None,
) -> Flask:
    """Adds its step to `drain`."""
    app = _without_routes(settings, MAX_BODY_BYTES)
    app.register_blueprint(health_routes(store, publisher, clock))
    given_back = drain.given_back if drain else None
    pipeline = build_pipeline(settings, store, publisher, gemini, clock, given_back)
    routes = WorkerRoutes(
        authorize=push_authorization(settings),
        processor=pipeline.processor,
        dead_letters=pipeline.dead_letters,
        sweeper=pipeline.sweeper,
    )
    app.register_blueprint(routes.blueprint())
    if settings.board:
        app.register_blueprint(board_routes(build_board(settings, store, gemini, clock)))
    if drain:
        drain.end_waits = pipeline.claims.drain
        drain.give_back = pipeline.claims.release_all
    return app


def create_health_app(
    settings: Settings,
    store: ActivationStore,
    publisher: Publisher,
    also: Callable[[], dict[str, str]],
    clock: Clock = utc_now,
) -> Flask:
    """Only `/livez` and `/readyz`, for a worker that nobody may call. `also` as in health.py."""
    app = _without_routes(settings, max_body_bytes=0)
    app.register_blueprint(health_routes(store, publisher, clock, also))
    return app


def _without_routes(settings: Settings, max_body_bytes: int) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    ignore_long_lists(app)
    install_request_traces(app)
    install_request_ids(app)
    install_problems(app)
    install_security_headers(app, https=settings.on_cloud_run)
    return app
