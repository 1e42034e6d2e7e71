"""Ask once more after an invalid answer, and tell the model what was wrong with it."""

import dataclasses
import time
from collections.abc import Callable

import structlog

from shared.domain.activation import Usage
from worker.gemini.port import (
    Gemini,
    GeminiError,
    Generated,
    InvalidOutput,
    StepRequest,
    state_of,
)

log = structlog.get_logger(__name__)


class RepairingGemini:
    """Asks once more when the answer is not a valid step.

    `inner` may retry; `again` makes a single call, so that attempts do not multiply.
    """

    def __init__(
        self, inner: Gemini, again: Gemini, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._once_more = again
        self._monotonic = monotonic

    @property
    def state(self) -> str:
        """The breaker's state."""
        return state_of(self._once_more)

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        end = self._monotonic() + seconds
        try:
            return self._inner.generate(request, seconds=seconds)
        except InvalidOutput as error:
            left = end - self._monotonic()
            if left <= 0:
                raise
            log.warning("gemini.repair", error=str(error))
            told = dataclasses.replace(request, complaint=str(error))
            return self._again(told, left, error.usage)

    def _again(self, request: StepRequest, seconds: float, spent: Usage) -> Generated:
        try:
            generated = self._once_more.generate(request, seconds=seconds)
        except GeminiError as error:
            error.usage = error.usage.plus(spent)
            raise
        return dataclasses.replace(generated, usage=generated.usage.plus(spent))
