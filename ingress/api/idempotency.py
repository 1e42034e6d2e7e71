"""`Idempotency-Key`: the same key and the same request are one activation, however often sent.

The id is derived from user and key, so two processes that get the same request at once meet at the
store's `create`, which takes one of them.
"""

import hashlib
import hmac
import re

from ingress.api.request import ActivationRequest
from shared.http.problems import Problem

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
"""Printable ASCII; a UUID as a rule."""

_QUOTED = re.compile('"(.+)"')


def checked_key(header: str | None) -> str | None:
    """Raises Problem (400) for a header that is there and can be no key."""
    if header is None:
        return None
    key = header.strip()
    if not _KEY.fullmatch(key):
        raise Problem(400, "The Idempotency-Key must be 1 to 255 printable ASCII characters.")
    # The IETF's draft has it quoted, most clients send it bare: the same key.
    quoted = _QUOTED.fullmatch(key)
    return quoted[1] if quoted else key


def derived_id(user_id: str, key: str) -> str:
    """128 bits, as many as a random id has; no key can hold the separator."""
    return hashlib.sha256(f"{user_id}\n{key}".encode()).hexdigest()[:32]


def fingerprint(key: str, request: ActivationRequest) -> str:
    """What the request said, without saying it: keyed, for the wishes of people are guessable."""
    said = request.model_dump_json().encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()
