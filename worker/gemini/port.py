"""The Gemini port: who writes a step, and how that can fail.

GeminiError                 carries what was spent and the fallback_reason that it ends in
├── Unavailable(retry_after)   5xx, 429, timeout, no connection: another try may succeed
├── Blocked                    the prompt or the answer was refused: the same prompt will be again
├── InvalidOutput              an answer that is no valid step
└── Misconfigured              our request is refused: key, model, parameters
    └── NoApiKey               no key is configured, nothing was asked
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from shared.domain.activation import FallbackReason, Usage
from shared.domain.profile import Profile
from shared.domain.step import Step
from shared.errors import BackendError


@dataclass(frozen=True, kw_only=True)
class StepRequest:
    """What Gemini is told. All of it but the mood is user text: data, never instructions."""

    mood: int
    goal: str
    language: str
    profile: Profile | None = None
    complaint: str | None = None
    """What was wrong with the last answer: places and rules, no text of anybody's."""


@dataclass(frozen=True, kw_only=True)
class Generated:
    step: Step
    model: str
    usage: Usage


class Gemini(Protocol):
    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        """A step, within `seconds` in all, however slowly bytes come. Raises GeminiError."""
        ...


class GeminiError(BackendError):
    """`detail` names a code, a class or a place; never a prompt, an answer or a key."""

    fallback_reason: ClassVar[FallbackReason] = "unavailable"

    def __init__(self, detail: str, *, usage: Usage = Usage()) -> None:  # noqa: B008 - frozen
        super().__init__(detail)
        self.usage = usage


class Unavailable(GeminiError):
    """No answer this time. `retry_after` is in seconds, where Gemini said how long to wait."""

    def __init__(
        self,
        detail: str,
        *,
        reason: FallbackReason = "unavailable",
        retry_after: float | None = None,
        usage: Usage = Usage(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(detail, usage=usage)
        self.reason = reason
        self.retry_after = retry_after


class Blocked(GeminiError):
    """Gemini refused, for safety or for copied text."""

    fallback_reason: ClassVar[FallbackReason] = "blocked"


class InvalidOutput(GeminiError):
    """An answer came, and was cut off, no JSON or no valid step."""

    fallback_reason: ClassVar[FallbackReason] = "invalid_output"


class CircuitOpen(GeminiError):
    """The circuit breaker is open, so nothing was asked."""

    fallback_reason: ClassVar[FallbackReason] = "circuit_open"


class Misconfigured(GeminiError):
    """The request itself is refused (400, 401, 403, 404): an operator must act."""

    fallback_reason: ClassVar[FallbackReason] = "misconfigured"


class NoApiKey(Misconfigured):
    """There is no key, so nothing was asked."""

    fallback_reason: ClassVar[FallbackReason] = "no_api_key"


def reason_of(error: GeminiError) -> FallbackReason:
    return error.reason if isinstance(error, Unavailable) else error.fallback_reason


class WithoutKey:
    """Stands in for Gemini where there is no API key: the library answers everything."""

    state = "no_key"

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:  # noqa: ARG002
        raise NoApiKey("no API key is configured")


def state_of(gemini: Gemini) -> str:
    """For people: closed, open or half_open where there is a breaker, no_key where there is no key,
    unknown where it does not say."""
    return str(getattr(gemini, "state", "unknown"))
