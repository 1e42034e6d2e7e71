"""What is told of each activation that was answered: one log line, and the metrics."""

from typing import Literal

import structlog

from shared.domain.activation import Activation
from shared.telemetry.provider import telemetry

log = structlog.get_logger(__name__)


def record_answer(completed: Activation, *, by: Literal["worker", "sweep", "dead letter"]) -> None:
    """After the write. The fallback share is counted from `source` and `reason` of this line
    (deploy/activations-completed.json), so every answer is told here, whoever wrote it."""
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
