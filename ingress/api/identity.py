"""Who calls. AUTH=firebase: the subject of a verified ID token. AUTH=none: the user `local`."""

from collections.abc import Callable

from shared.auth.tokens import TokenVerifier, bearer_token, firebase_verifier
from shared.errors import NothingToVerifyWith, TokenRefused
from shared.http.problems import Problem
from shared.settings import Settings

Identify = Callable[[str | None], str]
"""From an Authorization header to a user id. Raises Problem (401)."""

LOCAL_USER = "local"
RETRY_SECONDS = "5"
"""As long as a failed fetch of keys is not repeated (shared/auth/signing_keys.py)."""


def identity(settings: Settings) -> Identify:
    if settings.auth == "none":
        return lambda _: LOCAL_USER
    project = settings.firebase_project_id or settings.google_cloud_project or ""
    return signed_in_user(firebase_verifier(project, settings.auth_jwks_url))


def signed_in_user(verifier: TokenVerifier) -> Identify:
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
        if not isinstance(subject, str) or not 0 < len(subject) <= 128:
            raise _sign_in()
        return subject

    return identify


def _sign_in() -> Problem:
    return Problem(401, "Please sign in again.", headers={"WWW-Authenticate": "Bearer"})
