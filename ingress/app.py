"""The ingress as a Flask app, from whatever store and queue it is given."""

from datetime import timedelta

from flask import Flask
from flask_cors import CORS

from ingress.accept import Acceptor
from ingress.activation_request import MAX_BODY_BYTES
from ingress.identity import identity
from ingress.patience import Patience
from ingress.routes import Services, public_routes
from shared.clock import Clock, utc_now
from shared.health import health_routes
from shared.ports import ActivationStore, Publisher
from shared.problems import install_problems
from shared.settings import Settings

EXPOSED_TO_SCRIPTS = ("Location", "Retry-After", "ETag", "Idempotency-Replayed")


def create_app(
    settings: Settings, store: ActivationStore, publisher: Publisher, clock: Clock = utc_now
) -> Flask:
    app = Flask(__name__, static_folder=None)
    # One more than allowed: a chunked body is cut there without a word, and must not pass as whole.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.json.sort_keys = False  # type: ignore[attr-defined]  # fields as the contract has them
    install_problems(app)
    if settings.cors_allowed_origins:
        CORS(app, origins=list(settings.cors_allowed_origins), expose_headers=EXPOSED_TO_SCRIPTS)
    app.register_blueprint(health_routes(store, publisher))
    app.register_blueprint(public_routes(_services(settings, store, publisher, clock)))
    return app


def _services(
    settings: Settings, store: ActivationStore, publisher: Publisher, clock: Clock
) -> Services:
    acceptor = Acceptor(
        store=store,
        publisher=publisher,
        clock=clock,
        time_to_answer=timedelta(seconds=settings.activation_deadline_seconds),
        time_to_live=timedelta(days=settings.activation_ttl_days),
        daily_limit=settings.daily_limit,
    )
    return Services(
        acceptor=acceptor,
        store=store,
        patience=Patience(store, settings.waiting_slots),
        identify=identity(settings),
        clock=clock,
        sync_wait_seconds=settings.sync_wait_seconds,
    )
