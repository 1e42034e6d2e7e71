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
_UNLESS_SAID = {"Content-Security-Policy": NOTHING, "Cache-Control": "no-store"}
"""A page or an asset says its own."""


def security_headers(*, https: bool) -> dict[str, str]:
    """`https`: whether browsers reach us over TLS, as on Cloud Run."""
    tls = {"Strict-Transport-Security": f"max-age={TWO_YEARS_SECONDS}"} if https else {}
    return {**_ALWAYS, **_UNLESS_SAID, **tls}


def install_security_headers(app: Flask, *, https: bool) -> None:
    """`https`: whether only browsers over TLS reach us, as behind Cloud Run's front end. Elsewhere
    the proxy that terminates TLS says so itself."""
    headers = security_headers(https=https)

    @app.after_request
    def protect(answer: Response) -> Response:
        said = [name for name in _UNLESS_SAID if name in answer.headers]
        answer.headers.update({name: headers[name] for name in headers if name not in said})
        return answer
