"""The tracer and the metrics of this process, and where they go.

They are ours and not OpenTelemetry's global ones, so that a library which begins to trace itself
exports nothing that we have not looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from flask import Flask
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider, Tracer, TracerProvider

from shared.http.gunicorn_worker import AT_END, BEFORE_KILLED
from shared.settings import Settings
from shared.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

SCOPE = "innerjourney"
ServiceName = Literal["innerjourney-ingress", "innerjourney-worker"]


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Telemetry:
    """`flush` and `end` take a bounded time, wherever the collector is; after `end` nothing is
    exported any more."""

    tracer: Tracer
    metrics: Metrics
    flush: Callable[[], None] = _nothing
    end: Callable[[], None] = _nothing

    @classmethod
    def of(
        cls,
        traces: TracerProvider,
        meters: MeterProvider,
        flush: Callable[[], None] = _nothing,
        end: Callable[[], None] = _nothing,
    ) -> "Telemetry":
        return cls(traces.get_tracer(SCOPE), Metrics(meters.get_meter(SCOPE)), flush, end)

    def ends_with(self, app: Flask) -> Flask:
        """The app, with what is left exported before its process ends or is killed."""
        release_all = app.extensions.get(BEFORE_KILLED, _nothing)

        def before_killed() -> None:
            release_all()
            self.flush()

        app.extensions[BEFORE_KILLED] = before_killed
        app.extensions[AT_END] = self.end
        return app


OFF = Telemetry.of(NoOpTracerProvider(), NoOpMeterProvider())
_installed = OFF


def telemetry() -> Telemetry:
    """This process' one; nothing is recorded until `configure_telemetry` was called."""
    return _installed


def install(installed: Telemetry) -> None:
    global _installed  # noqa: PLW0603 - as logging's configuration is, and set up beside it
    _installed = installed


def configure_telemetry(settings: Settings, service_name: ServiceName) -> Telemetry:
    """Call after fork: it starts threads, where OTEL_EXPORTER_OTLP_ENDPOINT is set."""
    configured = OFF
    if settings.otel_exporter_otlp_endpoint:
        # Imported here: the SDK takes a fifth of a second, and most local runs do without.
        from shared.telemetry.export import exporting

        try:
            configured = exporting(settings, service_name)
        except ValueError as error:
            # One of the SDK's own variables. Activations are answered without telemetry, too.
            log.error("telemetry.off", error=str(error), alert=True)
    install(configured)
    return configured
