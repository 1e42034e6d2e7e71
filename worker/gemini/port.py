"""The Gemini port: ask for a step, and the errors that this can raise.

GeminiError                    carries what was spent, the fallback_reason to record, and whether
│                              the person may be at risk
├── Unavailable(retry_after)   5xx, 429, timeout, no connection: a retry may succeed
├── Blocked                    Gemini refused the prompt or its answer, and would again
├── ProcessEnds                the claim was given back: nothing is asked any more
├── NoTimeLeft                 too little time for a call: none was made
├── InvalidOutput              the answer is not a valid step
├── CircuitOpen                the circuit breaker is open: no call was made
└── Misconfigured              Gemini refuses our request: key, model, parameters
    ├── KeyRefused             the key is invalid, blocked or without permission
    ├── ModelNotFound          no model of that name, or it is retired: another may answer
    └── NoApiKey               no key is configured: no call was made
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from shared.domain.activation import FallbackReason, Usage
from shared.domain.history import Attempt
from shared.domain.profile import Profile
from shared.domain.step import Step
from shared.errors import BackendError


@dataclass(frozen=True, kw_only=True)
class StepRequest:
    """What we ask for. All of it but the mood is user text: data, never instructions."""

    mood: int
    goal: str
    language: str
    profile: Profile | None = None
    complaint: str | None = None
    """What was wrong with the last answer: names of fields and rules, never a text."""


@dataclass(frozen=True, kw_only=True)
class Generated:
    step: Step
    model: str
    """The one that answered, as Gemini names it: not the alias that was asked."""
    usage: Usage
    person_may_be_at_risk: bool = False
    """What the model says of the person, in any language. Never shown, never stored."""
    attempts: tuple[Attempt, ...] = ()
    usage_by_model: Mapping[str, Usage] = field(default_factory=dict)
    """From the client: of each call of the claim, and then `usage` is the sum."""


class Gemini(Protocol):
    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        """A step, within `seconds` in total, however slowly bytes arrive. Raises GeminiError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the operator may know of this process' calls."""

    key: Literal["ok", "refused", "none"]
    breakers: Mapping[str, str] = field(default_factory=dict)
    """By model, in the order in which they are asked: closed, open or half_open."""


class Client(Gemini, Protocol):
    """What the pipeline asks and the board looks at: GeminiClient, or WithoutKey."""

    def health(self) -> Health: ...


class GeminiError(BackendError):
    """Base of what `generate` raises.

    `detail` is logged: it names a code, a class or a field, never a prompt, an answer or a key.
    `usage` is that of the call; from the client it is the sum of the claim's calls, and `attempts`
    and `usage_by_model` list them. `person_may_be_at_risk`: Gemini said so, or blocked for it: the
    answer is care, not a cheerful task, and nobody is asked again.
    """

    fallback_reason: ClassVar[FallbackReason] = "unavailable"

    def __init__(
        self,
        detail: str,
        *,
        person_may_be_at_risk: bool = False,
        usage: Usage = Usage(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(detail)
        self.person_may_be_at_risk = person_may_be_at_risk
        self.usage = usage
        self.attempts: tuple[Attempt, ...] = ()
        self.usage_by_model: Mapping[str, Usage] = {}


class Unavailable(GeminiError):
    """No answer, but a retry may get one. `retry_after`: the seconds that Gemini said to wait."""

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
    """Gemini refused, for safety or because it would recite a source."""

    fallback_reason: ClassVar[FallbackReason] = "blocked"


class InvalidOutput(GeminiError):
    """Gemini's answer is cut off, not JSON or not a valid step."""

    fallback_reason: ClassVar[FallbackReason] = "invalid_output"


class CircuitOpen(GeminiError):
    """The circuit breaker is open, so no call was made."""

    fallback_reason: ClassVar[FallbackReason] = "circuit_open"


class ProcessEnds(GeminiError):
    """The claim was given back because this process ends, so nothing was asked."""


class NoTimeLeft(GeminiError):
    """Less time is left than a call needs, so none was made."""

    fallback_reason: ClassVar[FallbackReason] = "deadline"


class Misconfigured(GeminiError):
    """Gemini refuses the request itself (400, 401, 403, 404): an operator must act."""

    fallback_reason: ClassVar[FallbackReason] = "misconfigured"


class KeyRefused(Misconfigured):
    """Gemini refuses the key. `detail` names Google's reason, such as API_KEY_INVALID."""


class ModelNotFound(Misconfigured):
    """Gemini knows no such model, or has retired it. Another model may answer."""


class NoApiKey(Misconfigured):
    """No API key is configured, so no call was made."""

    fallback_reason: ClassVar[FallbackReason] = "no_api_key"


def reason_of(error: GeminiError) -> FallbackReason:
    return error.reason if isinstance(error, Unavailable) else error.fallback_reason


class WithoutKey:
    """Stands in where no API key is configured: every request fails, so the library answers."""

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:  # noqa: ARG002
        raise NoApiKey("no API key is configured")

    def health(self) -> Health:
        return Health(key="none")
