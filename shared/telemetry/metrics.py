"""All metrics. Their names, units and attributes stand here and in docs/telemetry.md.

Attributes are few and have few values: a source, a reason, a model. Never a user, an id or a text.
"""

from datetime import datetime

from opentelemetry.metrics import Histogram, Meter

from shared.domain.activation import Activation, Usage

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Bounds of the queue delay, in seconds: a healthy delivery takes milliseconds, a sweep minutes."""

SLOW = (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 60, 120, 300)
"""Bounds of durations that include Gemini, in seconds; the last is the default deadline."""


class Metrics:
    def __init__(self, meter: Meter) -> None:
        self._accepted = meter.create_counter(
            "innerjourney.activations.accepted", "{activation}", "Accepted, by whether published"
        )
        self._completed = meter.create_counter(
            "innerjourney.activations.completed", "{activation}", "Answered, by source and reason"
        )
        self._queue_delay = _seconds(
            meter,
            "innerjourney.activation.queue_delay",
            "From acceptance to the first claim",
            QUICK,
        )
        self._time_to_answer = _seconds(
            meter, "innerjourney.activation.time_to_answer", "From acceptance to the answer", SLOW
        )
        self._generation = _seconds(
            meter, "innerjourney.generation.duration", "A claim's time with Gemini, retries", SLOW
        )
        self._calls = meter.create_counter(
            "innerjourney.gemini.calls", "{call}", "Calls of Gemini, by model and outcome"
        )
        self._tokens = meter.create_counter(
            "innerjourney.gemini.tokens", "{token}", "Tokens paid for, by model and direction"
        )

    def accepted(self, *, published: bool) -> None:
        self._accepted.add(1, {"published": published})

    def claimed(self, claimed: Activation, at: datetime) -> None:
        """`at` is the store's time of the claim. Only the first one waited for the queue alone."""
        if claimed.attempt == 1 and not claimed.usage.gemini_calls:
            self._queue_delay.record(_since_acceptance(claimed, at))

    def completed(self, completed: Activation) -> None:
        attributes = {
            "source": completed.source or "",
            "reason": completed.fallback_reason or "none",
        }
        self._completed.add(1, attributes)
        self._time_to_answer.record(_since_acceptance(completed, completed.updated_at), attributes)

    def generated(self, seconds: float, *, outcome: str) -> None:
        self._generation.record(seconds, {"outcome": outcome})

    def called(self, usage: Usage, *, model: str, outcome: str) -> None:
        """One call of Gemini: `outcome` is `ok` or why there was no step."""
        self._calls.add(1, {"model": model, "outcome": outcome})
        counted = (
            ("input", usage.prompt_tokens),
            ("output", usage.output_tokens),
            ("thought", usage.thought_tokens),
            ("cached", usage.cached_tokens),
        )
        for direction, tokens in counted:
            if tokens:
                self._tokens.add(tokens, {"model": model, "direction": direction})


def _seconds(meter: Meter, name: str, meaning: str, bounds: tuple[float, ...]) -> Histogram:
    return meter.create_histogram(name, "s", meaning, explicit_bucket_boundaries_advisory=bounds)


def _since_acceptance(activation: Activation, at: datetime) -> float:
    # Never negative: the ingress' clock, from which it counts, may be ahead of the store's.
    return max(0.0, (at - activation.created_at).total_seconds())
