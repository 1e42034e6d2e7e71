"""What is recorded of each claim and each answer: log lines, metrics, and the ledger of usage."""

from dataclasses import dataclass
from typing import Literal

import structlog

from shared.domain.activation import Activation, Answer, Usage
from shared.ports import ActivationStore, Stored
from shared.telemetry.provider import telemetry
from worker.gemini.prompt import VERSION

log = structlog.get_logger(__name__)

ClaimEnd = Literal[
    "completed",  # its result was written
    "released",  # given back, because Gemini asked for a pause
    "dropped",  # the activation was cancelled, erased or taken over meanwhile
    "unwritten",  # the store stayed away
]
Writer = Literal["worker", "sweep", "dead letter"]


def record_answer(completed: Activation, *, by: Writer) -> None:
    """Call it after the write. deploy/activations-completed.json counts the fallbacks by `source`
    and `reason` of this line, so every answer is recorded here, whoever wrote it."""
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


def complete(store: ActivationStore, stored: Stored, answer: Answer, *, by: Writer) -> None:
    """Write the answer of an activation that no worker has claimed, and record it.

    Raises Conflict when a worker or the user was quicker, and StoreUnavailable.
    """
    completed = stored.activation.completed(answer, now=stored.read_at)
    store.replace(completed, stored.version)
    record_answer(completed, by=by)


@dataclass(frozen=True)
class Ledger:
    """One line for every claim that called Gemini, whatever became of it, so that every paid call
    is accounted for. A log-based metric sums them (docs/cost.md). `model` is the one called."""

    model: str

    def record(self, activation: Activation, usage: Usage, end: ClaimEnd) -> None:
        if usage.gemini_calls:
            log.info(
                "gemini.usage",
                activation_id=activation.activation_id,
                attempt=activation.attempt,
                fate=end,
                model=self.model,
                prompt_version=VERSION,
                **usage.model_dump(),
            )
