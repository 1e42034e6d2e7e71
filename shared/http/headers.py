"""Headers that tell a browser what an answer of ours may do: nothing, unless a page says more.

From the OWASP cheat sheets "HTTP Security Response Headers" and "REST Security".
"""

from flask import Flask, Response

NOTHING = "default-src 'none'; frame-ancestors 'none'"

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For our own pages: their own files only, no inline script or style."""

TWO_YEARS_SECONDS = 63_072_000

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def install_security_headers(app: Flask, *, https: bool) -> None:
    """`https`: whether browsers reach us over TLS, as on Cloud Run."""

    @app.after_request
    def protect(answer: Response) -> Response:
        answer.headers.update(_ALWAYS)
        answer.headers.setdefault("Content-Security-Policy", NOTHING)
        answer.headers.setdefault("Cache-Control", "no-store")
        if https:
            answer.headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS_SECONDS}"
        return answer
