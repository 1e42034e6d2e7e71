"""The keys that Google signs tokens with, from its JWKS pages.

PyJWT's client caches them, fetches one at a time, and at most once in 30 s for a key that it does
not know. What it lacks is added here, so that tokens with unknown keys, which anybody can make,
hold up nobody else while the key server is slow or away: a key that is cached is found without its
lock, only one request waits for a fetch, and a fetch has a total deadline, and a pause if it fails.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
import requests

from shared.total_deadline import mount_deadlines

TOTAL_SECONDS = 5.0
LIFESPAN_SECONDS = 6 * 3600
"""Google's answers allow about this long (Cache-Control of its key pages)."""

PAUSE_AFTER_FAILURE_SECONDS = 5.0


class NoKeysYet(jwt.PyJWKClientError):
    """No key was ever fetched, so nothing can be said of any token."""


class SigningKeys(jwt.PyJWKClient):
    """`get_signing_key_from_jwt` raises NoKeysYet, and jwt.PyJWTError where there is no key."""

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(url, lifespan=LIFESPAN_SECONDS)
        self._session = requests.Session()
        mount_deadlines(self._session, connections=1)
        self._monotonic = monotonic
        self._looking = threading.Lock()
        self._not_before = float("-inf")

    def get_signing_key(self, kid: str) -> jwt.PyJWK:
        cached = self.jwk_set_cache.get() if self.jwk_set_cache else None
        known = self.match_kid(self._get_signing_keys_from_jwk_set(cached), kid) if cached else None
        if known is not None:
            return known
        # Without any keys everybody waits for the first; later one request alone, for a new key.
        if not self._looking.acquire(blocking=cached is None):
            raise jwt.PyJWKClientError("another request is asking for it")
        try:
            return super().get_signing_key(kid)
        except jwt.PyJWKClientConnectionError as error:
            if cached is None:
                raise NoKeysYet(str(error)) from None
            raise
        finally:
            self._looking.release()

    def fetch_data(self) -> Any:
        """Called by PyJWT, under its lock; it caches what is returned."""
        if self._monotonic() < self._not_before:
            raise jwt.PyJWKClientConnectionError("the key server failed a moment ago")
        try:
            answer = self._session.get(self.uri, timeout=TOTAL_SECONDS)
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, ValueError) as error:
            self._not_before = self._monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            raise jwt.PyJWKClientConnectionError(type(error).__name__) from None
        self._last_successful_fetch = time.monotonic()  # PyJWT's own, for its 30 s
        return found
