"""The tracer and the metrics of this process, and where they go.

They are ours and not OpenTelemetry's global ones, so that a library which begins to trace itself
exports nothing that we have not looked at.
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
    """`flush` and `end` take a bounded time, wherever the collector is; after `end` nothing is
    exported any more."""

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
    """Spans that nobody exports: each has a trace for logs and messages to name, a new trace is
    not sampled, and the caller's keeps its mark. Nothing is measured."""
    traces = TracerProvider(
        sampler=ParentBased(ALWAYS_OFF), resource=Resource.get_empty(), shutdown_on_exit=False
    )
    return Telemetry.of(traces, NoOpMeterProvider())


_installed: Telemetry | None = None


def telemetry() -> Telemetry:
    """This process' one; nothing is exported until `install` was called with one that does."""
    return _installed or without_export()


def install(installed: Telemetry) -> None:
    global _installed  # noqa: PLW0603 - as logging's configuration is, and set up beside it
    _installed = installed
