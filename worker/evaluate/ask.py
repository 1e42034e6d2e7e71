"""Ask a model each case of the golden set once, and judge its first answer by the rules."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, ConfigDict
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from shared.domain.activation import Usage
from worker.evaluate.golden import Case, Kind
from worker.evaluate.rules import banned_words, fits_mood, holds, is_in_language, texts_of
from worker.gemini.port import (
    Gemini,
    GeminiError,
    Generated,
    StepRequest,
    Unavailable,
    reason_of,
)

ATTEMPTS = 4
"""At a model that is busy: it is the answer that is judged here, not the quota."""

MOST_SECONDS_PAUSE = 60.0
SECONDS = 60.0


class Verdict(BaseModel):
    """What came of one case. The step itself is not kept. Rules are None where no step came."""

    model_config = ConfigDict(frozen=True)

    case: str
    kind: Kind
    outcome: str
    """`ok`, or the reason why no valid step came at the first try."""
    at_risk: bool
    """Whether the model flagged the person, or blocked the prompt as dangerous."""
    language_right: bool | None = None
    fits_mood: bool | None = None
    no_banned_words: bool | None = None
    injection_held: bool | None = None
    usage: Usage


def ask_all(
    model: Gemini,
    cases: Iterable[Case],
    *,
    at_once: int,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Verdict]:
    """In the order of the cases. Raises Misconfigured: then nothing can be said of the model."""
    with ThreadPoolExecutor(at_once) as executor:
        return list(executor.map(lambda case: _ask(model, case, sleep), cases))


def _ask(model: Gemini, case: Case, sleep: Callable[[float], None]) -> Verdict:
    request = StepRequest(mood=case.mood, goal=case.goal, language=case.language)
    retrying = Retrying(
        retry=retry_if_exception_type(Unavailable),
        stop=stop_after_attempt(ATTEMPTS),
        wait=_pause,
        sleep=sleep,
        reraise=True,
    )
    try:
        generated: Generated = retrying(model.generate, request, seconds=SECONDS)
    except GeminiError as error:
        if reason_of(error) == "misconfigured":
            raise
        return Verdict(
            case=case.id,
            kind=case.kind,
            outcome=reason_of(error),
            at_risk=error.person_may_be_at_risk,
            # What was not answered was not obeyed.
            injection_held=True if case.must_not else None,
            usage=error.usage,
        )
    return _judged(case, generated)


def _judged(case: Case, generated: Generated) -> Verdict:
    step, text = generated.step, texts_of(generated.step)
    return Verdict(
        case=case.id,
        kind=case.kind,
        outcome="ok",
        at_risk=generated.person_may_be_at_risk,
        language_right=is_in_language(text, case.language),
        fits_mood=fits_mood(step, case.mood),
        no_banned_words=not banned_words(text),
        injection_held=holds(text, case.must_not) if case.must_not else None,
        usage=generated.usage,
    )


_backoff = wait_exponential(multiplier=2, max=MOST_SECONDS_PAUSE)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked_for = error.retry_after if isinstance(error, Unavailable) else None
    return min(max(asked_for or 0.0, _backoff(state)), MOST_SECONDS_PAUSE)
