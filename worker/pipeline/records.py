"""What is recorded of each claim and each answer: log lines, metrics and the usage ledger."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import structlog
from opentelemetry.trace import get_current_span

from shared.domain.activation import Activation, Answer, Usage
from shared.ports import Stored
from shared.telemetry.logs import LEDGER
from shared.telemetry.provider import telemetry
from worker.gemini.prompt import VERSION

log = structlog.get_logger(LEDGER)

Replace = Callable[[Activation, str], object]
"""Writes an activation if its stored version is the given one, as ActivationStore.replace does."""

ClaimEnd = Literal[
    "completed",
    "released",  # Gemini asked for a pause, or this process ends
    "dropped",  # the activation was cancelled, erased or taken over meanwhile
    "unwritten",  # the store stayed away
]


def record_claim(claimed: Stored) -> None:
    telemetry().metrics.claimed(claimed.activation, claimed.written_at)
    get_current_span().set_attribute("innerjourney.attempt", claimed.activation.attempt)


def write_answer(
    replace: Replace,
    stored: Stored,
    answer: Answer,
    *,
    now: datetime,
    by: Literal["worker", "sweep", "dead letter"],
) -> None:
    """Complete the activation with the answer, then record it. Every answer is written here.

    The share of fallbacks is counted from `source` and `reason` of the line that this logs
    (deploy/activations-completed.json), so an answer written elsewhere would be missing there.
    Raises Conflict and StoreUnavailable, and then records nothing.
    """
    completed = stored.activation.completed(answer, now=now)
    replace(completed, stored.version)
    telemetry().metrics.completed(completed)
    log.info(
        "activation.completed",
        activation_id=completed.activation_id,
        attempt=completed.attempt,
        source=completed.source,
        reason=completed.fallback_reason,
        seconds=round((completed.updated_at - completed.created_at).total_seconds(), 2),
        by=by,
    )


def record_usage(claimed: Activation, usage_by_model: Mapping[str, Usage], end: ClaimEnd) -> None:
    """The usage ledger: for each claim one line for each model that it called, however it ended.

    So no call that was paid for is missing in the sum (docs/cost.md).
    """
    for model, usage in usage_by_model.items():
        log.info(
            "gemini.usage",
            activation_id=claimed.activation_id,
            attempt=claimed.attempt,
            fate=end,
            model=model,
            prompt_version=VERSION,
            **usage.model_dump(),
        )
