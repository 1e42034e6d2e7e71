"""The Gemini port on `google-generativeai`, over REST.

The SDK's own retries are off (`retry: None`): within one call it would retry a 503 for 600 s.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.protobuf.json_format import ParseError

from shared.gemini_models import thinking_config
from shared.settings import Settings
from shared.total_deadline import DeadlineAdapter
from worker.gemini.adapters.errors import http_failure, transport_failures
from worker.gemini.adapters.request import GENERATION, SAFETY
from worker.gemini.adapters.response import ask_once
from worker.gemini.port import Generated, Misconfigured, StepRequest, Unavailable
from worker.gemini.prompt import SYSTEM_INSTRUCTION, user_message

with warnings.catch_warnings():
    # The SDK warns of its end of life when imported; docs/adr/0004 says how to move on.
    warnings.simplefilter("ignore", FutureWarning)
    import google.generativeai as genai
    from google.generativeai.client import get_default_generative_client


class GenerativeAIAdapter:
    """It holds connections: build it once for each model."""

    def __init__(self, settings: Settings, model: str) -> None:
        if settings.gemini_api_key is None:
            raise ValueError("without a key, build WithoutKey")
        endpoint = settings.gemini_api_endpoint
        genai.configure(
            api_key=settings.gemini_api_key.get_secret_value(),
            transport="rest",
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        # The configuration is global to the process, and each call of it makes a new client. The
        # model would look for its client at its first call, and find another adapter's.
        client = get_default_generative_client()
        thinking = thinking_config(model, settings.gemini_thinking_level)
        _mount(client.transport._session, _Thinking(thinking, settings.web_threads))  # noqa: SLF001
        self._name = model
        self._model = genai.GenerativeModel(
            model,
            system_instruction=SYSTEM_INSTRUCTION,
            generation_config=genai.GenerationConfig(**GENERATION),
            safety_settings=SAFETY,
        )
        self._model._client = client  # noqa: SLF001

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        def ask() -> Any:
            with _translated():
                return self._model.generate_content(
                    user_message(request), request_options={"timeout": seconds, "retry": None}
                )

        return ask_once(self._name, ask)


class _Thinking(DeadlineAdapter):
    """Adds `thinkingConfig` to each request on its way out.

    It is younger than this SDK, whose last release has no field for it, and none will follow. So we
    change the JSON that the SDK has written.
    """

    def __init__(self, thinking: dict[str, str | int] | None, connections: int) -> None:
        super().__init__(connections=connections)
        self._thinking = thinking

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        if self._thinking:
            body = json.loads(request.body or "{}")
            body["generationConfig"]["thinkingConfig"] = self._thinking
            request.prepare_body(json.dumps(body), None)
        return super().send(request, *args, **kwargs)


def _mount(session: requests.Session, adapter: DeadlineAdapter) -> None:
    # After a 401 the session would refresh a token and send again, but a key can't be refreshed.
    session._max_refresh_attempts = 0  # type: ignore[attr-defined]  # noqa: SLF001
    session.mount("https://", adapter)
    session.mount("http://", adapter)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with transport_failures():
            yield
    except GoogleAPICallError as error:
        body, headers = None, None
        if error.response is not None:
            headers = error.response.headers
            body = _json_of(error.response)
        raise http_failure(error.code or 500, body, headers) from error
    except GoogleAuthError as error:
        raise Misconfigured(type(error).__name__) from error
    except ParseError as error:
        raise Unavailable(type(error).__name__) from error


def _json_of(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:  # a gateway's page
        return None
