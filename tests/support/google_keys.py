"""A signing key like Google's, and the JWKS endpoint that publishes it."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KID = "test-key"


class GoogleKeys:
    """Serves the public key from `__enter__` to `__exit__`; counts how often it was fetched."""

    def __init__(self) -> None:
        self.fetches = 0
        self.private_key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        public = json.loads(RSAAlgorithm.to_jwk(self.private_key.public_key()))
        self._jwks = json.dumps({"keys": [{**public, "kid": KID, "use": "sig", "alg": "RS256"}]})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> "GoogleKeys":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/keys"

    @property
    def body(self) -> bytes:
        self.fetches += 1
        return self._jwks.encode()

    def sign(self, claims: dict[str, object], *, kid: str = KID) -> str:
        """With `iat` and `exp` around now, unless the claims say otherwise."""
        now = int(time.time())
        payload: dict[str, Any] = {"iat": now - 10, "exp": now + 3600, **claims}
        return jwt.encode(payload, self.private_key, algorithm="RS256", headers={"kid": kid})


def _handler(keys: GoogleKeys) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = keys.body
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
