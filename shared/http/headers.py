"""What an answer lets a browser do (nothing, unless a page says more), and how long a list of a
request's may be.

From the OWASP cheat sheets "HTTP Security Response Headers" and "REST Security".
"""

from flask import Flask, Response, request

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


LONGEST_LIST = 1024
"""Bytes. A browser's Accept-Language, our own ETag or a media type are a tenth of it."""

_LISTS = (
    *(
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_PREFER",
        "HTTP_RANGE",
        "CONTENT_TYPE",
    ),
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
)
"""Those that we or our libraries split into entries, each an object."""


def ignore_long_lists(app: Flask) -> None:
    """A request with thousands of entries in one of these headers is taken as without it. Install
    it first."""

    @app.before_request
    def ignore() -> None:
        for name in _LISTS:
            if len(request.environ.get(name, "")) > LONGEST_LIST:
                del request.environ[name]


def install_security_headers(app: Flask, *, https: bool) -> None:
    """`https`: whether only browsers over TLS reach us, as behind Cloud Run's front end. Elsewhere
    the proxy that terminates TLS says so itself."""
    headers = security_headers(https=https)

    @app.after_request
    def protect(answer: Response) -> Response:
        said = [name for name in _UNLESS_SAID if name in answer.headers]
        answer.headers.update({name: headers[name] for name in headers if name not in said})
        return answer
