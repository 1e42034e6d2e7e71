"""Who calls. AUTH=firebase: the subject of a verified ID token. AUTH=none: the user `local`."""

from collections.abc import Callable
from typing import Any

from shared.auth.tokens import LEEWAY_SECONDS, TokenVerifier, bearer_token, firebase_verifier
from shared.clock import Clock, utc_now
from shared.errors import NothingToVerifyWith, TokenRefused
from shared.http.problems import Problem
from shared.settings import Settings

Identify = Callable[[str | None], str]
"""From an Authorization header to a user id. Raises Problem (401)."""

LOCAL_USER = "local"
LONGEST_SUBJECT = 128
"""Characters of a Firebase uid (page: Create custom tokens)."""

RETRY_SECONDS = "5"
"""As long as a failed fetch of keys is not repeated (shared/auth/signing_keys.py)."""


def identity(settings: Settings, clock: Clock = utc_now) -> Identify:
    if settings.auth == "none":
        return lambda _: LOCAL_USER
    project = settings.firebase_project_id or settings.google_cloud_project or ""
    return signed_in_user(firebase_verifier(project, settings.auth_jwks_url), clock)


def signed_in_user(verifier: TokenVerifier, clock: Clock = utc_now) -> Identify:
    def identify(authorization: str | None) -> str:
        try:
            claims = verifier.verify(bearer_token(authorization))
        except NothingToVerifyWith:
            # Not a 401: a frontend would sign everybody out.
            raise Problem(
                503, "Please try again in a moment.", headers={"Retry-After": RETRY_SECONDS}
            ) from None
        except TokenRefused:
            raise _sign_in() from None
        subject = claims["sub"]
        if not _can_be_stored(subject) or _signed_in_later(claims, clock):
            raise _sign_in()
        return str(subject)

    return identify


def _can_be_stored(subject: Any) -> bool:
    """No store takes a lone surrogate, and no log a control character."""
    return (
        isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()
    )


def _signed_in_later(claims: dict[str, Any], clock: Clock) -> bool:
    """Firebase's `auth_time` "must be in the past" (page: Verify ID Tokens)."""
    signed_in = claims.get("auth_time", 0)
    latest = clock().timestamp() + LEEWAY_SECONDS
    return not isinstance(signed_in, int | float) or not signed_in <= latest  # so NaN is refused


def _sign_in() -> Problem:
    return Problem(401, "Please sign in again.", headers={"WWW-Authenticate": "Bearer"})
