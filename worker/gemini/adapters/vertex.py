"""The access token for Vertex AI, from Application Default Credentials: there is no key.

google-genai would refresh it within a call, each request of the refresh with a timeout of its own
(120 s). So it gets credentials that are only a token, and a refresh here ends with the call's time.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import google.auth
import requests
from google.auth.exceptions import (
    DefaultCredentialsError,
    GoogleAuthError,
    RefreshError,
    TransportError,
)
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from shared.errors import SettingsError
from worker.gemini.port import GeminiError, KeyRefused, Unavailable

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class AccessTokens:
    """One set of credentials and its token, for many threads."""

    def __init__(
        self, session: requests.Session, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`session` must have total deadlines. Raises SettingsError where no credentials are."""
        try:
            self._credentials, _ = google.auth.default(scopes=[SCOPE])
        except DefaultCredentialsError:
            raise SettingsError(
                "GOOGLE_GENAI_USE_VERTEXAI='true': expected Application Default Credentials: a "
                "service account, or `gcloud auth application-default login`"
            ) from None
        quota_project = getattr(self._credentials, "quota_project_id", None)
        self.bearer = Credentials(token=None, quota_project_id=quota_project)
        """What google-genai is given: the last token, which to it never expires."""
        self._session = session
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refused = False
        self._second: str | None = None

    def token(self, *, seconds: float) -> str:
        """A valid token, refreshed if need be within `seconds`. Raises Unavailable, KeyRefused."""
        end = self._monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise Unavailable("no access token in time", reason="timeout")
        try:
            if not self._credentials.valid:
                self._credentials.refresh(_BoundedRequest(self._session, end, self._monotonic))
                self.bearer.token = self._credentials.token
                self._second = self._credentials.token if self._refused else None
                self._refused = False
            return str(self._credentials.token)
        except requests.Timeout:
            raise Unavailable("no access token in time", reason="timeout") from None
        except GoogleAuthError as error:
            raise _failure(error) from error
        finally:
            self._lock.release()

    def refused(self, token: str) -> GeminiError:
        """What a 401 means. The token is forgotten, so that the next call fetches another.

        google-auth refreshes a token before it expires, so a refused one was revoked. Where the
        token that replaced it is refused too, it is not the token that is wrong.
        """
        with self._lock:
            if self._credentials.token == token:
                self._credentials.token = None
                self._refused = True
            if token == self._second:
                return KeyRefused("UNAUTHENTICATED")
        return Unavailable("401, access token refused")


class _BoundedRequest(Request):  # type: ignore[misc]  # google-auth has no types for it
    """How google-auth asks for a token: all requests of a refresh share one deadline."""

    def __init__(
        self, session: requests.Session, end: float, monotonic: Callable[[], float]
    ) -> None:
        super().__init__(session)
        self._end = end
        self._monotonic = monotonic

    def __call__(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        left = self._end - self._monotonic()
        if left <= 0:
            raise requests.Timeout  # not google-auth's error, which it would try again after
        return super().__call__(*args, timeout=min(left, timeout or left), **kwargs)


def _failure(error: GoogleAuthError) -> GeminiError:
    away = isinstance(error, TransportError) or isinstance(error.__cause__, TransportError)
    if away or error.retryable:
        return Unavailable(type(error).__name__)
    kind = "CREDENTIALS_REFUSED" if isinstance(error, RefreshError) else type(error).__name__
    return KeyRefused(kind)
