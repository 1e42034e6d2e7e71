"""The usage ledger: nothing that was paid for is unaccounted.

Every claim that called Gemini writes one line, whatever became of the result: completed, released
for a pause, dropped because the activation was cancelled, erased or taken over, or unwritten
because the store stayed away. A log-based metric sums them (docs/cost.md).
"""

from dataclasses import dataclass
from typing import Literal

import structlog

from shared.domain.activation import Activation, Usage
from worker.gemini.prompt import VERSION

log = structlog.get_logger(__name__)

ClaimEnd = Literal["completed", "released", "dropped", "unwritten"]


@dataclass(frozen=True)
class Ledger:
    """`model` is the one that calls go to."""

    model: str

    def record(self, activation: Activation, usage: Usage, fate: ClaimEnd) -> None:
        if usage.gemini_calls:
            log.info(
                "gemini.usage",
                activation_id=activation.activation_id,
                attempt=activation.attempt,
                fate=fate,
                model=self.model,
                prompt_version=VERSION,
                **usage.model_dump(),
            )
