"""Read a step out of what Gemini wrote, strictly."""

import re

from pydantic import ValidationError

from shared.domain.step import Step
from worker.gemini.port import InvalidOutput

_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(?P<inside>.*?)\n?\s*```\s*\Z", re.DOTALL)


def read_step(text: str) -> Step:
    """Raises InvalidOutput, which names the places that are wrong and no value.

    A key too many is dropped: that is no reason to throw away what was paid for.
    """
    fenced = _FENCED.match(text)
    try:
        return Step.model_validate_json(
            fenced["inside"] if fenced else text, strict=True, extra="ignore"
        )
    except ValidationError as error:
        raise InvalidOutput(_places(error)) from None


def _places(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"/{'/'.join(str(part) for part in detail['loc'])}: {detail['type']}"
        for detail in details[:5]
    )
