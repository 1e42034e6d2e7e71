"""The Gemini port on `google-generativeai`, over REST.

The SDK's own retries are off (`retry: None`): within one call it would retry a 503 for 600 s.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.protobuf.json_format import ParseError

from shared.settings import Settings
from shared.total_deadline import mount_deadlines
from worker.gemini.adapters.errors import http_failure, transport_failures
from worker.gemini.adapters.response import ask_once
from worker.gemini.port import Generated, Misconfigured, StepRequest, Unavailable
from worker.gemini.prompt import (
    MAX_OUTPUT_TOKENS,
    SYSTEM_INSTRUCTION,
    TEMPERATURE,
    step_schema,
    user_message,
)

with warnings.catch_warnings():
    # The SDK warns of its end of life when imported; docs/adr/0004 says how to move on.
    warnings.simplefilter("ignore", FutureWarning)
    import google.generativeai as genai
    from google.generativeai.client import get_default_generative_client


class GenerativeAIAdapter:
    """Build it once: the SDK's configuration is global to the process."""

    def __init__(self, settings: Settings, model: str) -> None:
        if settings.gemini_api_key is None:
            raise ValueError("without a key, build WithoutKey")
        endpoint = settings.gemini_api_endpoint
        genai.configure(
            api_key=settings.gemini_api_key.get_secret_value(),
            transport="rest",
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        _mount(settings.web_threads)
        self._name = model
        self._model = genai.GenerativeModel(
            model,
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
        def ask() -> Any:
            with _translated():
                return self._model.generate_content(
                    user_message(request), request_options={"timeout": seconds, "retry": None}
                )

        return ask_once(self._name, ask)


def _mount(connections: int) -> None:
    session: requests.Session = get_default_generative_client().transport._session  # noqa: SLF001
    # After a 401 the session would refresh a token and send again, but a key can't be refreshed.
    session._max_refresh_attempts = 0  # type: ignore[attr-defined]  # noqa: SLF001
    mount_deadlines(session, connections=connections)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with transport_failures():
            yield
    except GoogleAPICallError as error:
        headers = error.response.headers if error.response is not None else None
        raise http_failure(error.code or 500, error.details, headers) from error
    except GoogleAuthError as error:
        raise Misconfigured(type(error).__name__) from error
    except ParseError as error:
        raise Unavailable(type(error).__name__) from error
