"""The ingress as a Flask app, from whatever store and queue it is given."""

from datetime import timedelta

from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from ingress.api.callers import Callers
from ingress.api.history import HistoryRoutes
from ingress.api.identity import identity
from ingress.api.request import MAX_BODY_BYTES
from ingress.api.routes import ActivationRoutes
from ingress.openapi.routes import docs_routes
from ingress.page.routes import page_routes
from ingress.submit.accept import Acceptor
from ingress.submit.limits import BurstLimit
from ingress.submit.wait_slots import WaitSlots
from shared.clock import Clock, utc_now
from shared.drain import Drain
from shared.http.headers import ignore_long_lists, install_security_headers
from shared.http.health import health_routes
from shared.http.problems import install_problems
from shared.http.request_ids import install_request_ids
from shared.ports import ActivationStore, Publisher
from shared.settings import Settings
from shared.telemetry.request_traces import install_request_traces
from shared.telemetry.traced_publisher import TracedPublisher

EXPOSED_TO_SCRIPTS = (
    *("ETag", "Idempotency-Replayed", "Location", "Preference-Applied", "Retry-After"),
    "X-Request-Id",
)
PREFLIGHT_SECONDS = 7200
"""The most that Chromium remembers; each poll of another origin is preflighted otherwise."""
SPANS = {"activations.submit": "submit", "activations.get_activation": "submit"}


def create_app(
    settings: Settings,
    store: ActivationStore,
    publisher: Publisher,
    clock: Clock = utc_now,
    drain: Drain | None = None,
) -> Flask:
    """Adds its step to `drain`."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    ignore_long_lists(app)
    install_request_traces(app, SPANS)
    install_request_ids(app)
    install_problems(app)
    install_security_headers(app, https=settings.on_cloud_run)
    _let_other_origins_in(app, settings)
    if settings.on_cloud_run:
        # Its front end appends the address that it saw; what stands before was the client's to say.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    callers = _callers(settings, clock)
    wait_slots = WaitSlots(store, settings.waiting_slots, settings.waiting_share)
    if drain:
        drain.end_waits = wait_slots.end  # a wait may outlast the drain
    activations = ActivationRoutes(
        acceptor=_acceptor(settings, store, publisher, clock),
        store=store,
        wait_slots=wait_slots,
        callers=callers,
        clock=clock,
        sync_wait_seconds=settings.sync_wait_seconds,
    )
    app.register_blueprint(health_routes(store, publisher, clock))
    app.register_blueprint(activations.blueprint())
    app.register_blueprint(HistoryRoutes(store=store, callers=callers, clock=clock).blueprint())
    app.register_blueprint(docs_routes(settings))
    app.register_blueprint(page_routes())
    return app


def _let_other_origins_in(app: Flask, settings: Settings) -> None:
    if settings.cors_allowed_origins:
        CORS(
            app,
            origins=list(settings.cors_allowed_origins),
            expose_headers=EXPOSED_TO_SCRIPTS,
            max_age=PREFLIGHT_SECONDS,
            always_send=False,  # only to those who ask from another origin
        )


def _callers(settings: Settings, clock: Clock) -> Callers:
    per_address = settings.limit("burst_limit_per_address")
    return Callers(
        identify=identity(settings, clock),
        per_user=BurstLimit(settings.limit("burst_limit_per_user"), clock),
        writes_per_address=BurstLimit(per_address, clock),
        bad_tokens_per_address=BurstLimit(per_address, clock),
    )


def _acceptor(
    settings: Settings, store: ActivationStore, publisher: Publisher, clock: Clock
) -> Acceptor:
    return Acceptor(
        store=store,
        publisher=TracedPublisher(publisher),
        clock=clock,
        time_to_answer=timedelta(seconds=settings.activation_deadline_seconds),
        time_to_live=timedelta(days=settings.activation_ttl_days),
        daily_limit=settings.limit("daily_limit_per_user"),
    )
