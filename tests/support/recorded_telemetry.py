"""Telemetry that stays in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry.provider import Telemetry, install, without_export


@dataclass(frozen=True)
class Recorded:
    _spans: InMemorySpanExporter
    _metrics: InMemoryMetricReader

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that have ended, in that order."""
        return list(self._spans.get_finished_spans())

    def one(self, name: str) -> ReadableSpan:
        (found,) = (span for span in self.spans if span.name == name)
        return found

    def points(self, metric: str) -> list[tuple[dict[str, Any], float]]:
        """The attributes and the value (of a histogram: the sum) of each of the metric's points."""
        return [
            (dict(point.attributes), point.value if hasattr(point, "value") else point.sum)
            for found in self._all()
            if found.name == metric
            for point in found.data.data_points
        ]

    @property
    def everything(self) -> str:
        """As text, to look for what must not be in it."""
        return "\n".join([*(span.to_json() for span in self.spans), *(str(m) for m in self._all())])

    def _all(self) -> list[Any]:
        collected = self._metrics.get_metrics_data()
        return [
            metric
            for resource in (collected.resource_metrics if collected else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]


@contextmanager
def recording() -> Iterator[Recorded]:
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    traces = TracerProvider(shutdown_on_exit=False)
    traces.add_span_processor(SimpleSpanProcessor(spans))
    meters = MeterProvider([metrics], shutdown_on_exit=False)
    install(Telemetry.of(traces, meters))
    try:
        yield Recorded(spans, metrics)
    finally:
        install(without_export())
        traces.shutdown()
        meters.shutdown()
