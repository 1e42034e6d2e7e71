"""The Gemini port on `google-genai` (GEMINI_SDK=google-genai, requirements-genai.txt).

Its requests go through a `requests` session, as the other SDK's do, so that one implementation of a
total deadline serves both: httpx limits each read only, and by default not at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google import genai
from google.genai import errors, types

try:
    import httpx2 as httpx
except ImportError:  # google-genai for Python 3.10 is built on httpx
    import httpx

from shared.settings import Settings
from shared.total_deadline import mount_deadlines
from worker.gemini.adapters.errors import http_failure, transport_failures
from worker.gemini.adapters.response import ask_once
from worker.gemini.port import Generated, StepRequest
from worker.gemini.prompt import (
    MAX_OUTPUT_TOKENS,
    SYSTEM_INSTRUCTION,
    TEMPERATURE,
    step_schema,
    user_message,
)

_NOT_PASSED_ON = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""They describe the bytes on the wire, and `requests` has already decoded the body."""


class GenAIAdapter:
    """It holds connections: build it once."""

    def __init__(self, settings: Settings, model: str) -> None:
        if settings.gemini_api_key is None:
            raise ValueError("without a key, build WithoutKey")
        session = requests.Session()
        mount_deadlines(session, connections=settings.web_threads)
        self._name = model
        self._client = genai.Client(
            api_key=settings.gemini_api_key.get_secret_value(),
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=settings.gemini_api_endpoint,
                api_version="v1beta",  # with a base_url the SDK defaults to another
                httpx_client=httpx.Client(transport=_SessionTransport(session)),
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        def ask() -> Any:
            with _translated():
                return self._client.models.generate_content(
                    model=self._name, contents=user_message(request), config=_config(seconds)
                )

        return ask_once(self._name, ask)


class _SessionTransport(httpx.BaseTransport):  # type: ignore[misc]  # httpx or httpx2
    """Sends an httpx request through a `requests` session with total deadlines."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._session.request(
            request.method,
            str(request.url),
            headers=dict(request.headers),
            data=request.read(),
            timeout=request.extensions["timeout"]["read"],
            allow_redirects=False,
        )
        if answer.status_code == 200 and not isinstance(answer.json(), dict):
            raise ValueError("not a JSON object")  # the SDK would read it as an empty answer
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in _NOT_PASSED_ON
        }
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)


def _config(seconds: float) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(
        system_instruction=SYSTEM_INSTRUCTION,
        candidate_count=1,
        temperature=TEMPERATURE,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        response_mime_type="application/json",
        response_schema=step_schema(),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        http_options=types.HttpOptions(timeout=max(1, round(seconds * 1000))),
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with transport_failures():
            yield
    except errors.APIError as error:
        body = error.details.get("error") if isinstance(error.details, dict) else None
        details = body.get("details") if isinstance(body, dict) else None
        headers = getattr(error.response, "headers", None)
        raise http_failure(error.code or 500, details, headers) from error
