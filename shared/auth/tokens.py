"""Bearer tokens signed by Google: OIDC tokens of Pub/Sub push, ID tokens of Firebase users.

PyJWT, cryptography and requests are imported by who verifies: a local run does not, and they take
13 MiB of each service.
"""

from typing import Any

import structlog

from shared.errors import NothingToVerifyWith, TokenRefused

log = structlog.get_logger(__name__)

LEEWAY_SECONDS = 30
LONGEST_TOKEN = 4096
"""Characters. Google's are 1 to 2 KB; custom claims are 1 KB at most (page: Custom Claims)."""

GOOGLE_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
FIREBASE_KEYS = (
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
)


class TokenVerifier:
    """Checks signature (RS256 only), audience, issuer and lifetime; fetches keys when needed."""

    def __init__(self, *, keys_url: str, audience: str, issuers: tuple[str, ...]) -> None:
        from shared.auth.signing_keys import SigningKeys

        self._audience = audience
        self._issuers = issuers
        self._keys = SigningKeys(keys_url)

    def verify(self, token: str) -> dict[str, Any]:
        """The token's claims. Raises TokenRefused; NothingToVerifyWith while there are no keys."""
        import jwt

        from shared.auth.signing_keys import NoKeysYet

        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=list(self._issuers),
                leeway=LEEWAY_SECONDS,
                options={"require": ["aud", "exp", "iat", "iss", "sub"]},
            )
        except NoKeysYet as error:
            log.error("keys.unavailable", error=str(error), alert=True)
            raise NothingToVerifyWith(type(error).__name__) from None
        except (jwt.PyJWTError, OSError, ValueError) as error:
            # OSError: PyJWT passes on what breaks while it reads the keys; without them, closed.
            raise TokenRefused(type(error).__name__) from None
        return claims


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization: Bearer …` header. Raises TokenRefused."""
    header = authorization or ""
    if len(header) > LONGEST_TOKEN:
        raise TokenRefused("too long")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("no bearer token")
    return token.strip()


def firebase_verifier(project_id: str, keys_url: str | None = None) -> TokenVerifier:
    """For the ID tokens of a Firebase project's users (page: Verify ID Tokens)."""
    return TokenVerifier(
        keys_url=keys_url or FIREBASE_KEYS,
        audience=project_id,
        issuers=(f"https://securetoken.google.com/{project_id}",),
    )


def push_verifier(audience: str, keys_url: str | None = None) -> TokenVerifier:
    """For the OIDC tokens that Pub/Sub and Cloud Scheduler send."""
    return TokenVerifier(
        keys_url=keys_url or GOOGLE_KEYS, audience=audience, issuers=GOOGLE_ISSUERS
    )
