"""Who may push: Pub/Sub and Cloud Scheduler, by the OIDC token of one service account."""

from collections.abc import Callable

import structlog

from shared.auth.tokens import TokenVerifier, bearer_token, push_verifier
from shared.errors import TokenRefused
from shared.http.problems import Problem
from shared.settings import Settings

log = structlog.get_logger(__name__)

Authorize = Callable[[str | None], None]
"""Takes an Authorization header. Raises Problem (401, 403)."""


def push_authorization(settings: Settings) -> Authorize:
    """Accepts any caller if no audience is configured; `check_worker` refuses that."""
    if not (settings.push_audience and settings.push_service_account):
        return lambda _: None
    verifier = push_verifier(settings.push_audience, settings.auth_jwks_url)
    return only_for(settings.push_service_account, verifier)


def only_for(service_account: str, verifier: TokenVerifier) -> Authorize:
    def authorize(authorization: str | None) -> None:
        try:
            claims = verifier.verify(bearer_token(authorization))
        except TokenRefused as error:
            log.warning("push.refused", error=str(error))
            raise Problem(
                401, "A valid token is needed.", headers={"WWW-Authenticate": "Bearer"}
            ) from None
        if claims.get("email") != service_account or claims.get("email_verified") is not True:
            log.warning("push.refused", error="another account")
            raise Problem(403, "This account may not push.")

    return authorize
