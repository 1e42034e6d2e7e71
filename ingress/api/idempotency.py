"""`Idempotency-Key`: a request that is sent again with its key gets the same activation.

The id is derived from user and key. So when two processes get the same request at once, the store's
`create` accepts one and tells the other that the id is taken.
"""

import hashlib
import hmac
import re

from ingress.api.request import ActivationRequest
from shared.http.problems import Problem

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
"""Printable ASCII; a UUID as a rule."""

LONGEST_QUOTED = 257
_QUOTED = re.compile('"(.*)"')


def checked_key(header: str | None) -> str | None:
    """The key; None without the header. Raises Problem (400) for a malformed one."""
    if header is None:
        return None
    key = header.strip()
    # The IETF's draft quotes the key, most clients don't: both mean the same one.
    quoted = _QUOTED.fullmatch(key[:LONGEST_QUOTED])
    bare = quoted[1] if quoted else key
    if not _KEY.fullmatch(bare):
        raise Problem(400, "The Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return bare


def derived_id(user_id: str, key: str) -> str:
    """128 bits, as many as a random id has. The separator, a newline, can be in no key."""
    return hashlib.sha256(f"{user_id}\n{key}".encode()).hexdigest()[:32]


def fingerprint(key: str, request: ActivationRequest) -> str:
    """A keyed hash, to compare requests by. A plain one could be guessed: goals are short."""
    content = request.model_dump_json().encode()
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
