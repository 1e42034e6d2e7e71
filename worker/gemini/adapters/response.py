"""Read the step out of Gemini's answer. Both SDKs' answer objects have the same shape."""

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError

from shared.domain.activation import Usage
from shared.domain.step import Step
from worker.gemini.adapters.errors import failure, of_block_reason, of_finish_reason
from worker.gemini.port import GeminiError, Generated, InvalidOutput, Unavailable
from worker.gemini.prompt import AT_RISK

UNSPECIFIED = "BLOCK_REASON_UNSPECIFIED"

_RAISED = re.compile(rf'"{AT_RISK}"\s*:\s*(?:true|1|"true")(?!\w)', re.IGNORECASE)
"""True, however a model writes it."""


def ask_once(model: str, ask: Callable[[], Any]) -> Generated:
    """Ask once, and read the step out of the answer. Either way the call is timed and paid for.

    Raises GeminiError, from `ask` or from reading, which carries the usage.
    """
    started = time.monotonic()
    usage = Usage(gemini_calls=1)
    try:
        answer = ask()
        usage = _usage_of(answer)
        step, at_risk = step_of(answer)
    except GeminiError as error:
        error.usage = _timed(usage, started)
        raise
    except Exception as error:
        # Each SDK raises errors of its own for a body that is JSON but not Gemini's, such as a
        # gateway's {"error": "overloaded"}. It was a call all the same, and a retry may succeed.
        raise Unavailable(type(error).__name__, usage=_timed(usage, started)) from error
    return Generated(
        step=step,
        model=_model_of(answer) or model,
        usage=_timed(usage, started),
        person_may_be_at_risk=at_risk,
    )


def step_of(answer: Any) -> tuple[Step, bool]:
    """The step, and whether the person may be at risk. Raises Blocked and InvalidOutput.

    We don't use `answer.text`: on a block one SDK raises ValueError and the other returns None, and
    both join all parts. A model's thoughts come before its answer, and google-generativeai can't
    tell them apart, so we take the last text.
    """
    if not answer.candidates:
        if _has_feedback(answer):
            feedback = answer.prompt_feedback
            reason = _name(feedback.block_reason or UNSPECIFIED)
            error = failure(of_block_reason(reason), f"prompt: {reason}")
            error.person_may_be_at_risk = _is_dangerous(reason, feedback.safety_ratings or ())
            raise error
        raise InvalidOutput("no candidate")
    candidate = answer.candidates[0]
    parts = (candidate.content.parts if candidate.content else None) or ()
    texts = [part.text for part in parts if part.text and not getattr(part, "thought", False)]
    finish = _name(candidate.finish_reason)
    verdict = of_finish_reason(finish)
    if verdict is not None:
        error = failure(verdict, f"finished with {finish}")
        dangerous = _is_dangerous(finish, candidate.safety_ratings or ())
        error.person_may_be_at_risk = dangerous or _is_flagged("".join(texts))
        raise error
    if not texts:
        raise InvalidOutput("no text")
    return read_answer(texts[-1])


def read_answer(text: str) -> tuple[Step, bool]:
    """Read strictly what Gemini wrote, plain or in a Markdown fence: a step and, beside it, whether
    the person may be at risk.

    An unknown key is dropped: it is no reason to throw away an answer that was paid for.
    Raises InvalidOutput, which names the fields that are wrong and never a value, and keeps a
    raised flag.
    """
    try:
        read = _Answer.model_validate_json(_unfenced(text), strict=True, extra="ignore")
    except ValidationError as error:
        flagged = _is_flagged(text)
        raise InvalidOutput(_places(error), person_may_be_at_risk=flagged) from None
    step = Step.model_construct(**{name: getattr(read, name) for name in Step.model_fields})
    return step, bool(getattr(read, AT_RISK))


class _Answer(Step):
    person_may_be_at_risk: bool = False
    """Tolerant: an answer without it is a step all the same."""


def _is_flagged(text: str) -> bool:
    """Whether an answer that is cut off or invalid says that the person may be at risk.

    A quote in a JSON text is escaped, so what a model writes in a text of the step is no flag.
    """
    return _RAISED.search(text) is not None


def _has_feedback(answer: Any) -> bool:
    """Gemini sends it without a candidate where it blocked the prompt.

    In google-generativeai an unspecified reason is 0, and feedback with nothing else in it is as
    falsy as none: only `to_dict` tells them apart.
    """
    if hasattr(answer, "to_dict"):
        return "prompt_feedback" in answer.to_dict()
    return answer.prompt_feedback is not None


def _is_dangerous(reason: str, ratings: Iterable[Any]) -> bool:
    """A block for safety, of a prompt or an answer, is dangerous unless its ratings name other
    harms only: the person may be at risk.

    Gemini rates each category, so those that it blocked for are marked or rated highest.
    PROHIBITED_CONTENT comes without ratings, and somebody may have written of what was done to
    them; OTHER, BLOCKLIST and the like say nothing about the person (docs/adr/0011).
    """
    rated = [(_name(r.category), _name(r.probability), bool(r.blocked)) for r in ratings]
    named = {category for category, probability, marked in rated if marked or probability == "HIGH"}
    named = named or {category for category, probability, _ in rated if probability == "MEDIUM"}
    of_safety = reason in ("SAFETY", "PROHIBITED_CONTENT")
    return of_safety and (not named or "HARM_CATEGORY_DANGEROUS_CONTENT" in named)


def _unfenced(text: str) -> str:
    """Without the Markdown fence that a model may put around all of it."""
    opening, _, rest = text.strip().partition("\n")
    if opening.rstrip() in ("```", "```json") and rest.endswith("```"):
        return rest.removesuffix("```")
    return text


def _places(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"/{'/'.join(str(part) for part in detail['loc'])}: {detail['type']}"
        for detail in details[:5]
    )


def _model_of(answer: Any) -> str:
    """The model that answered, as Gemini names it; empty if it names none, or nothing like one."""
    said = str(getattr(answer, "model_version", None) or "")
    return said if len(said) <= 100 and said.isascii() and said.isprintable() else ""


def _usage_of(answer: Any) -> Usage:
    """google-generativeai has no field for thoughts: only its total counts them.

    In the other SDK's `total_token_count` they are too, so one sum serves both.
    """
    counted = answer.usage_metadata
    prompt = getattr(counted, "prompt_token_count", None) or 0
    said = getattr(counted, "candidates_token_count", None) or 0
    total = getattr(counted, "total_token_count", None) or 0
    return Usage(
        gemini_calls=1,
        prompt_tokens=prompt,
        output_tokens=said,
        thought_tokens=max(0, total - prompt - said),
        cached_tokens=getattr(counted, "cached_content_token_count", None) or 0,
    )


def _timed(usage: Usage, started: float) -> Usage:
    milliseconds = round((time.monotonic() - started) * 1000)
    return usage.model_copy(update={"gemini_ms": milliseconds})


def _name(member: Any) -> str:
    """An enum member that the SDK does not know yet arrives as a bare number or text."""
    return str(getattr(member, "name", member))
