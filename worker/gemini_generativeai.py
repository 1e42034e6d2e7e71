"""The Generator on `google-generativeai`, over REST.

Vendor errors are translated here, once, most specific first. The SDK's own retries are off
(`retry: None`): with them one call retried a 503 for 600 s.
"""

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions as google_errors
from google.auth.exceptions import GoogleAuthError
from google.protobuf.json_format import ParseError

from shared.activation import Usage
from shared.settings import Settings
from shared.step import Step
from worker.answers import read_step
from worker.deadline_adapter import DeadlineAdapter
from worker.generator import (
    Blocked,
    Generated,
    GeneratorError,
    InvalidOutput,
    Misconfigured,
    StepRequest,
    Unavailable,
)
from worker.prompt import SYSTEM_INSTRUCTION, step_schema, user_message

with warnings.catch_warnings():
    # It announces its own end of life at import. The way out is the Generator port.
    warnings.simplefilter("ignore", FutureWarning)
    import google.generativeai as genai
    from google.generativeai.client import get_default_generative_client

MAX_OUTPUT_TOKENS = 8192
"""A step is about 400 tokens; models that think spend theirs from the same allowance."""

TEMPERATURE = 0.9
A_DAY_SECONDS = 86_400.0
_DURATION = re.compile(r"\d{1,6}(\.\d+)?s")

BLOCKED_FINISHES = {
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
}


class GenerativeAIGenerator:
    """Built after fork. The SDK's configuration is global to the process, so build it once."""

    def __init__(self, settings: Settings) -> None:
        if settings.gemini_api_key is None:
            raise ValueError("build WithoutKey instead")
        genai.configure(
            api_key=settings.gemini_api_key.get_secret_value(),
            transport="rest",
            client_options=(
                {"api_endpoint": settings.gemini_api_endpoint}
                if settings.gemini_api_endpoint
                else None
            ),
        )
        _mount(DeadlineAdapter(connections=settings.web_threads))
        self._name = settings.gemini_model
        self._model = genai.GenerativeModel(
            settings.gemini_model,
            system_instruction=SYSTEM_INSTRUCTION,
            generation_config=genai.GenerationConfig(
                candidate_count=1,
                temperature=TEMPERATURE,
                max_output_tokens=MAX_OUTPUT_TOKENS,
                response_mime_type="application/json",
                response_schema=step_schema(),
            ),
        )

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        started = time.monotonic()
        try:
            with _translated():
                answer = self._model.generate_content(
                    user_message(request), request_options={"timeout": seconds, "retry": None}
                )
        except GeneratorError as error:
            error.usage = Usage(gemini_calls=1, gemini_ms=_since(started))
            raise
        usage = _usage(answer, _since(started))
        try:
            step = _read(answer)
        except GeneratorError as error:
            error.usage = usage
            raise
        return Generated(step=step, model=self._name, usage=usage)


def _mount(adapter: DeadlineAdapter) -> None:
    """The default session keeps 10 connections; with more threads it would drop and reopen them."""
    session = get_default_generative_client().transport._session  # noqa: SLF001 - no public way
    # It would send the request again after a 401, as if the key were a token to be refreshed.
    session._max_refresh_attempts = 0  # noqa: SLF001
    session.mount("https://", adapter)
    session.mount("http://", adapter)


def _read(answer: Any) -> Step:
    """The step in the first candidate. Raises Blocked and InvalidOutput.

    `answer.text` is not used: it raises ValueError on a block and joins what the model thought to
    what it said. This SDK does not know which parts are thoughts, but they come before the answer.
    """
    if not answer.candidates:
        reason = answer.prompt_feedback.block_reason
        if reason:
            raise Blocked(f"prompt: {getattr(reason, 'name', reason)}")
        raise InvalidOutput("no candidate")
    candidate = answer.candidates[0]
    # A reason that is newer than this SDK comes as a bare number.
    finish = getattr(candidate.finish_reason, "name", str(candidate.finish_reason))
    if finish in BLOCKED_FINISHES:
        raise Blocked(f"answer: {finish}")
    if finish != "STOP":
        raise InvalidOutput(f"finished with {finish}")
    texts = [part.text for part in candidate.content.parts if part.text]
    if not texts:
        raise InvalidOutput("no text")
    return read_step(texts[-1])


def _usage(answer: Any, milliseconds: int) -> Usage:
    counted = answer.usage_metadata
    return Usage(
        gemini_calls=1,
        prompt_tokens=counted.prompt_token_count if counted else 0,
        output_tokens=counted.candidates_token_count if counted else 0,
        gemini_ms=milliseconds,
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except google_errors.TooManyRequests as error:
        raise _quota(error) from error
    except (google_errors.DeadlineExceeded, google_errors.GatewayTimeout) as error:
        raise Unavailable(type(error).__name__, reason="timeout") from error
    except (google_errors.ServerError, google_errors.Cancelled, google_errors.Aborted) as error:
        raise Unavailable(type(error).__name__, retry_after=_retry_after(error)) from error
    except (google_errors.GoogleAPICallError, GoogleAuthError) as error:
        raise Misconfigured(type(error).__name__) from error
    except requests.Timeout as error:
        raise Unavailable(type(error).__name__, reason="timeout") from error
    except requests.RequestException as error:
        raise Unavailable(type(error).__name__) from error
    except (ParseError, ValueError) as error:
        # A 200 that is no JSON of Gemini's: a proxy's page, a body that was cut.
        raise Unavailable(type(error).__name__) from error


def _quota(error: Any) -> Unavailable:
    """A quota of a day may still say "retry in seconds": that is not believed."""
    failure = _detail(error, "google.rpc.QuotaFailure")
    if any("PerDay" in str(found.get("quotaId")) for found in failure.get("violations", ())):
        return Unavailable("daily quota", reason="quota", retry_after=A_DAY_SECONDS)
    return Unavailable(type(error).__name__, reason="quota", retry_after=_retry_after(error))


def _retry_after(error: Any) -> float | None:
    """Seconds, from google.rpc.RetryInfo or else the Retry-After header."""
    said = str(_detail(error, "google.rpc.RetryInfo").get("retryDelay", ""))
    if _DURATION.fullmatch(said):
        return float(said.removesuffix("s"))
    header = error.response.headers.get("Retry-After", "") if error.response is not None else ""
    return float(header) if _DURATION.fullmatch(header + "s") else None


def _detail(error: Any, kind: str) -> dict[str, Any]:
    """One detail of a Google error, which over REST is plain JSON; {} when it is absent."""
    for detail in error.details or ():
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith(f"/{kind}"):
            return detail
    return {}


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
