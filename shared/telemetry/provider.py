"""The tracer and the metrics of this process.

They are not OpenTelemetry's global ones: a library that begins to trace itself would export through
those what we have not reviewed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from shared.telemetry.metrics import Metrics

SCOPE = "innerjourney"
ServiceName = Literal["innerjourney-ingress", "innerjourney-worker"]


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Telemetry:
    """`flush` and `end` take a bounded time, even where the collector does not answer. After `end`
    nothing is exported any more."""

    tracer: trace.Tracer
    metrics: Metrics
    flush: Callable[[], None] = _nothing
    end: Callable[[], None] = _nothing

    @classmethod
    def of(
        cls,
        traces: trace.TracerProvider,
        meters: MeterProvider,
        flush: Callable[[], None] = _nothing,
        end: Callable[[], None] = _nothing,
    ) -> "Telemetry":
        return cls(traces.get_tracer(SCOPE), Metrics(meters.get_meter(SCOPE)), flush, end)


@cache
def without_export() -> Telemetry:
    """For runs without a collector: no metrics, and spans that only give logs and messages their
    ids. A new trace is marked as not sampled; the caller's keeps its mark."""
    traces = TracerProvider(
        sampler=ParentBased(ALWAYS_OFF), resource=Resource.get_empty(), shutdown_on_exit=False
    )
    return Telemetry.of(traces, NoOpMeterProvider())


_installed: Telemetry | None = None


def telemetry() -> Telemetry:
    """The installed one; by default one that exports nothing."""
    return _installed or without_export()


def install(installed: Telemetry) -> None:
    global _installed  # noqa: PLW0603 - as logging's configuration is, and set up beside it
    _installed = installed
