"""The Gemini port on `google-genai` (GEMINI_SDK=google-genai, requirements-genai.txt).

It speaks to the Gemini API with a key, or to Vertex AI with an access token and no key.

Its requests go through a `requests` session, as the other SDK's do, so that one implementation of a
total deadline serves both: httpx limits each read only, and by default not at all.
"""

import math
import time
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

from shared.gemini_models import thinking_config
from shared.settings import Settings
from shared.total_deadline import mount_deadlines
from worker.gemini.adapters.errors import http_failure, transport_failures
from worker.gemini.adapters.request import GENERATION, SAFETY
from worker.gemini.adapters.response import ask_once
from worker.gemini.adapters.vertex import AccessTokens
from worker.gemini.port import Generated, StepRequest
from worker.gemini.prompt import SYSTEM_INSTRUCTION, user_message

_SHORTEST_SERVER_DEADLINE_SECONDS = 10
"""Gemini answers a shorter X-Server-Timeout with 400 "Minimum allowed deadline is 10s."
(livekit/agents#3723). The SDK sends the call's own seconds there if we send nothing."""

_NOT_PASSED_ON = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""They describe the bytes on the wire, and `requests` has already decoded the body."""


class GenAIAdapter:
    """It holds connections: build it once for each model."""

    def __init__(self, settings: Settings, model: str) -> None:
        """Raises SettingsError on Vertex AI without credentials."""
        session = requests.Session()
        mount_deadlines(session, connections=settings.web_threads)
        self._name = model
        self._tokens = AccessTokens(session) if settings.google_genai_use_vertexai else None
        self._client = genai.Client(
            **_access(settings, self._tokens),
            http_options=types.HttpOptions(
                base_url=settings.gemini_api_endpoint,
                # With a base_url the SDK defaults to another.
                api_version="v1beta1" if self._tokens else "v1beta",
                httpx_client=httpx.Client(transport=_SessionTransport(session)),
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )
        level = settings.gemini_thinking_level
        self._config: dict[str, Any] = {
            **GENERATION,
            "system_instruction": SYSTEM_INSTRUCTION,
            "thinking_config": thinking_config(model, level),
            "safety_settings": [{"category": c, "threshold": t} for c, t in SAFETY.items()],
            "automatic_function_calling": {"disable": True},
        }

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        def ask() -> Any:
            end = time.monotonic() + seconds
            token = self._tokens.token(seconds=seconds) if self._tokens else ""
            with self._translated(token):
                return self._client.models.generate_content(
                    model=self._name,
                    contents=user_message(request),
                    config=self._config_within(end - time.monotonic()),
                )

        return ask_once(self._name, ask)

    def _config_within(self, seconds: float) -> types.GenerateContentConfig:
        server = max(_SHORTEST_SERVER_DEADLINE_SECONDS, math.ceil(seconds))
        return types.GenerateContentConfig(
            **self._config,
            http_options=types.HttpOptions(
                timeout=max(1, round(seconds * 1000)), headers={"X-Server-Timeout": str(server)}
            ),
        )

    @contextmanager
    def _translated(self, token: str) -> Iterator[None]:
        try:
            with transport_failures():
                yield
        except errors.APIError as error:
            if error.code == 401 and self._tokens:
                raise self._tokens.refused(token) from error
            headers = getattr(error.response, "headers", None)
            raise http_failure(error.code or 500, error.details, headers) from error


def _access(settings: Settings, tokens: AccessTokens | None) -> dict[str, Any]:
    if tokens:
        return {
            "vertexai": True,
            "credentials": tokens.bearer,
            "project": settings.google_cloud_project,
            "location": settings.google_cloud_location,
        }
    if settings.gemini_api_key is None:
        raise ValueError("without a key, build WithoutKey")
    return {"vertexai": False, "api_key": settings.gemini_api_key.get_secret_value()}


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
