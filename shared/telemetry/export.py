"""Export traces and metrics to a collector, over OTLP/HTTP, in threads of their own.

Requests only put spans into a bounded queue: where the collector is away or hangs, spans are
dropped and no request waits. The SDK's other variables (OTEL_TRACES_SAMPLER, OTEL_BSP_…) work as
OpenTelemetry documents them (page: Environment Variable Specification).
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from shared.settings import Settings
from shared.telemetry.provider import Telemetry

log = structlog.get_logger(__name__)

END_SECONDS = 1.5
"""What the export of the rest may take at the end, of the 9 s in drain.py."""

SILENT = (
    # They log every export that fails; `_Reach` logs the change once.
    "opentelemetry.exporter",
    "opentelemetry.sdk._shared_internal",
    # It logs a malformed OTEL_EXPORTER_OTLP_HEADERS, which holds the collector's token.
    "opentelemetry.util.re",
)


def exporting(settings: Settings, service_name: str) -> Telemetry:
    """Starts the exporting threads. Raises ValueError for a variable that the SDK refuses."""
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    reach = _Reach()
    base = (settings.otel_exporter_otlp_endpoint or "").rstrip("/")
    resource = _resource(service_name, settings.k_revision)
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    to_traces = os.environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, f"{base}/v1/traces")
    traces.add_span_processor(BatchSpanProcessor(_SpanExporter(reach, to_traces)))
    to_metrics = os.environ.get(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, f"{base}/v1/metrics")
    reader = PeriodicExportingMetricReader(_MetricExporter(reach, to_metrics))
    meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)

    def in_time(*tasks: Callable[[], object]) -> None:
        if not _within(END_SECONDS, *tasks):
            reach.tell(arrived=False)

    return Telemetry.of(
        traces,
        meters,
        flush=lambda: in_time(traces.force_flush, meters.force_flush),
        end=lambda: in_time(traces.shutdown, meters.shutdown),
    )


class _Reach:
    """Whether the collector accepts exports. Logs each change, not each export."""

    def __init__(self) -> None:
        self._away = False
        self._lock = threading.Lock()

    def tell(self, *, arrived: bool) -> None:
        with self._lock:
            changed, self._away = self._away == arrived, not arrived
        if changed and arrived:
            log.info("telemetry.exported_again")
        elif changed:
            log.warning("telemetry.not_exported", effect="traces and metrics are lost meanwhile")


class _SpanExporter(OTLPSpanExporter):
    def __init__(self, reach: _Reach, endpoint: str) -> None:
        super().__init__(endpoint=endpoint)
        self._reach = reach

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self._reach.tell(arrived=result is SpanExportResult.SUCCESS)
        return result


class _MetricExporter(OTLPMetricExporter):
    def __init__(self, reach: _Reach, endpoint: str) -> None:
        super().__init__(endpoint=endpoint)
        self._reach = reach

    def export(self, *args: Any, **kwargs: Any) -> MetricExportResult:
        result = super().export(*args, **kwargs)
        self._reach.tell(arrived=result is MetricExportResult.SUCCESS)
        return result


def _resource(service_name: str, revision: str | None) -> Resource:
    version = {"service.version": revision} if revision else {}
    return Resource.create({"service.name": service_name, **version})


def _within(seconds: float, *tasks: Callable[[], object]) -> bool:
    """Whether all tasks ended in time. Each runs in a thread, which is abandoned when the time is
    over: the SDK's own flush waits for as long as an export takes."""
    threads = [threading.Thread(target=_quietly, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _quietly(task: Callable[[], object]) -> None:
    try:
        task()
    except Exception as error:
        log.warning("telemetry.not_flushed", error=type(error).__name__)
