"""Google's token endpoint, which turns a service account's signed request into an access token, and
what Vertex AI says to a token that it does not take."""

import json
from collections.abc import Mapping

from tests.fake_gemini.behaviours import error
from tests.fake_gemini.wire import Behaviour


class Tokens:
    def __init__(self) -> None:
        self.issued: list[str] = []
        self.valid: set[str] = set()
        self.expires_in = 3600
        """Seconds. google-auth refreshes a token that has less than 225 left."""
        self.away = False
        self.refuses = False
        """Whether it refuses the service account, as one that was deleted."""

    def issue(self) -> tuple[int, bytes]:
        """Status and body of an answer of the token endpoint."""
        if self.away:
            return 503, b"{}"
        if self.refuses:
            return 400, json.dumps({"error": "invalid_grant"}).encode()
        token = f"token-{len(self.issued) + 1}"
        self.issued.append(token)
        self.valid.add(token)
        body = {"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"}
        return 200, json.dumps(body).encode()

    def revoke(self) -> None:
        """All that were issued so far."""
        self.valid.clear()

    def refusal(self, headers: Mapping[str, str]) -> Behaviour | None:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.valid:
            return None
        return error(401, "UNAUTHENTICATED", reason="ACCESS_TOKEN_EXPIRED")
