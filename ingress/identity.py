"""Who calls. AUTH=firebase: the subject of a verified ID token. AUTH=none: the user `local`."""

from collections.abc import Callable

from shared.errors import TokenRefused
from shared.problems import Problem
from shared.settings import Settings
from shared.tokens import TokenVerifier, bearer_token, firebase_verifier

Identify = Callable[[str | None], str]
"""From an Authorization header to a user id. Raises Problem (401)."""

LOCAL_USER = "local"


def identity(settings: Settings) -> Identify:
    if settings.auth == "none":
        return lambda _: LOCAL_USER
    project = settings.firebase_project_id or settings.google_cloud_project or ""
    return signed_in_user(firebase_verifier(project, settings.auth_jwks_url))


def signed_in_user(verifier: TokenVerifier) -> Identify:
    def identify(authorization: str | None) -> str:
        try:
            claims = verifier.verify(bearer_token(authorization))
        except TokenRefused:
            raise _sign_in() from None
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 128:
            raise _sign_in()
        return subject

    return identify


def _sign_in() -> Problem:
    return Problem(401, "Please sign in again.", headers={"WWW-Authenticate": "Bearer"})
