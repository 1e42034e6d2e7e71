"""Set up this process' telemetry from the settings, once, at its start."""

import structlog

from shared.settings import Settings
from shared.telemetry.provider import ServiceName, Telemetry, install, without_export

log = structlog.get_logger(__name__)


def configure_telemetry(settings: Settings, service_name: ServiceName) -> Telemetry:
    """Starts the exporting threads where OTEL_EXPORTER_OTLP_ENDPOINT is set."""
    configured = without_export()
    if settings.otel_exporter_otlp_endpoint:
        # Imported here: the exporter takes a fifth of a second, and most local runs do without.
        from shared.telemetry.export import exporting

        try:
            configured = exporting(settings, service_name)
        except ValueError as error:
            # One of the SDK's own variables is bad. Activations are answered without telemetry.
            log.error("telemetry.off", error=str(error), alert=True)
    install(configured)
    return configured
