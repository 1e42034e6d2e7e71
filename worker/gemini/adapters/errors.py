"""Which GeminiError each failure becomes: one table, and the same for both SDKs.

| verdict | what happens | `fallback_reason` if no retry succeeds |
| --- | --- | --- |
| retry | retried, after the pause that Gemini asked for or a jittered one | as the row says |
| blocked | not retried: Gemini would refuse the same prompt again | blocked |
| invalid | asked once more, with what was wrong with the answer | invalid_output |
| misconfigured | not retried; an operator is alerted | misconfigured |

Sources: Gemini API's page "Troubleshooting guide" for the HTTP codes, its reference of
`GenerateContentResponse` for FinishReason and BlockReason. tests/unit/gemini/test_errors.py fails
where a member of either SDK's enums or of Google's error tree has no row.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import requests

from shared.domain.activation import FallbackReason
from worker.gemini.port import (
    Blocked,
    GeminiError,
    InvalidOutput,
    KeyRefused,
    Misconfigured,
    ModelNotFound,
    Unavailable,
)

A_DAY_SECONDS = 86_400.0
_DURATION = re.compile(r"\d{1,6}(\.\d+)?s")
_REASON = re.compile(r"[A-Z][A-Z0-9_]{2,62}")
_MODEL = re.compile(r"gemini-[a-z0-9.-]{1,60}")

LONGEST_MESSAGE = 2000
"""Characters of Google's message that we look at."""

TOO_SHORT = "Minimum allowed deadline"
""""Manually set deadline 8s is too short. Minimum allowed deadline is 10s." (livekit/agents#3723):
no fault of the request, and a retry has more time or none."""

Kind = Literal["retry", "blocked", "invalid", "misconfigured"]


@dataclass(frozen=True)
class Verdict:
    kind: Kind
    reason: FallbackReason


RETRY_UNAVAILABLE = Verdict("retry", "unavailable")
RETRY_TIMEOUT = Verdict("retry", "timeout")
RETRY_QUOTA = Verdict("retry", "quota")
BLOCKED = Verdict("blocked", "blocked")
INVALID = Verdict("invalid", "invalid_output")
MISCONFIGURED = Verdict("misconfigured", "misconfigured")

HTTP_STATUS: dict[int, Verdict] = {
    301: MISCONFIGURED,  # an endpoint that is not Gemini's
    304: MISCONFIGURED,
    307: MISCONFIGURED,
    308: MISCONFIGURED,
    400: MISCONFIGURED,  # INVALID_ARGUMENT, FAILED_PRECONDITION (region, billing)
    401: MISCONFIGURED,  # UNAUTHENTICATED
    403: MISCONFIGURED,  # PERMISSION_DENIED: the key, or a leaked one that was blocked
    404: MISCONFIGURED,  # NOT_FOUND: a model that is not (or no longer) there
    405: MISCONFIGURED,
    408: RETRY_TIMEOUT,
    409: RETRY_UNAVAILABLE,  # ABORTED
    411: MISCONFIGURED,
    412: MISCONFIGURED,
    413: MISCONFIGURED,
    416: MISCONFIGURED,  # OUT_OF_RANGE
    429: RETRY_QUOTA,  # RESOURCE_EXHAUSTED
    499: RETRY_UNAVAILABLE,  # CANCELLED
    500: RETRY_UNAVAILABLE,  # INTERNAL, UNKNOWN, DATA_LOSS
    501: MISCONFIGURED,  # UNIMPLEMENTED
    502: RETRY_UNAVAILABLE,
    503: RETRY_UNAVAILABLE,  # UNAVAILABLE: overloaded
    504: RETRY_TIMEOUT,  # DEADLINE_EXCEEDED
}

FINISH_REASON: dict[str, Verdict | None] = {
    "STOP": None,  # the answer is whole
    "FINISH_REASON_UNSPECIFIED": INVALID,
    "MAX_TOKENS": INVALID,  # cut off; does not raise in either SDK
    "SAFETY": BLOCKED,
    "RECITATION": BLOCKED,
    "LANGUAGE": BLOCKED,  # a language that Gemini does not speak
    "OTHER": INVALID,
    "BLOCKLIST": BLOCKED,
    "PROHIBITED_CONTENT": BLOCKED,
    "SPII": BLOCKED,
    "MALFORMED_FUNCTION_CALL": INVALID,
    "IMAGE_SAFETY": BLOCKED,
    "IMAGE_PROHIBITED_CONTENT": BLOCKED,
    "IMAGE_OTHER": INVALID,
    "NO_IMAGE": INVALID,
    "IMAGE_RECITATION": BLOCKED,
    "UNEXPECTED_TOOL_CALL": INVALID,
    "TOO_MANY_TOOL_CALLS": INVALID,
    "MISSING_THOUGHT_SIGNATURE": INVALID,
    "MALFORMED_RESPONSE": INVALID,
    "ESCALATION": INVALID,
    "PUP_LIMITED_DISABLED": INVALID,
    "CONTINUATION": INVALID,
    "MODEL_ARMOR": BLOCKED,
}

BLOCK_REASON: dict[str, Verdict] = {
    "BLOCK_REASON_UNSPECIFIED": BLOCKED,
    "BLOCKED_REASON_UNSPECIFIED": BLOCKED,  # google-genai's spelling
    "SAFETY": BLOCKED,
    "OTHER": BLOCKED,
    "BLOCKLIST": BLOCKED,
    "PROHIBITED_CONTENT": BLOCKED,
    "IMAGE_SAFETY": BLOCKED,
    "MODEL_ARMOR": BLOCKED,
    "JAILBREAK": BLOCKED,
}


def of_status(code: int) -> Verdict:
    """For a code without a row: a server error is retried, a client error is not."""
    return HTTP_STATUS.get(code, RETRY_UNAVAILABLE if code >= 500 else MISCONFIGURED)


def of_finish_reason(name: str) -> Verdict | None:
    """None: the answer is whole. A reason that the table does not know makes the answer invalid."""
    return FINISH_REASON.get(name, INVALID)


def of_block_reason(name: str) -> Verdict:
    return BLOCK_REASON.get(name, BLOCKED)


def failure(verdict: Verdict, detail: str, *, retry_after: float | None = None) -> GeminiError:
    if verdict.kind == "retry":
        return Unavailable(detail, reason=verdict.reason, retry_after=retry_after)
    kinds: dict[str, type[GeminiError]] = {
        "blocked": Blocked,
        "invalid": InvalidOutput,
        "misconfigured": Misconfigured,
    }
    return kinds[verdict.kind](detail)


def http_failure(code: int, body: Any, headers: Mapping[str, str] | None) -> GeminiError:
    """`body` is Google's error body as JSON, or whatever came in its place.

    Gemini may ask for a pause of seconds although a daily quota is used up: we then wait a day.
    """
    said = _google_error(body)
    details = said.get("details")
    listed = details if isinstance(details, Sequence) else ()
    message = str(said.get("message", ""))[:LONGEST_MESSAGE]
    if code == 404 and said:  # another 404 is a gateway's: it knows no such address
        return ModelNotFound(_missing_model(message))
    reason = _reason(_detail(listed, "google.rpc.ErrorInfo"), said)
    if code in (401, 403) or (code == 400 and reason.startswith("API_KEY_")):
        return KeyRefused(reason or str(code))
    if code == 400 and TOO_SHORT in message:
        return Unavailable("400, deadline too short", reason="timeout")
    if _is_daily_quota(_detail(listed, "google.rpc.QuotaFailure")):
        return Unavailable(f"{code}, daily quota", reason="quota", retry_after=A_DAY_SECONDS)
    pause = _retry_after(_detail(listed, "google.rpc.RetryInfo"), headers or {})
    return failure(of_status(code), str(code), retry_after=pause)


@contextmanager
def transport_failures() -> Iterator[None]:
    """Translate connection errors, and a 200 whose body is not JSON, such as a proxy's page."""
    try:
        yield
    except requests.TooManyRedirects as error:
        raise Misconfigured(type(error).__name__) from error  # none is followed: see the adapter
    except requests.Timeout as error:
        raise Unavailable(type(error).__name__, reason="timeout") from error
    except (requests.RequestException, ValueError) as error:
        raise Unavailable(type(error).__name__) from error


def _google_error(body: Any) -> Mapping[str, Any]:
    """The object `error` of a body, which is an object or a list of one."""
    first = body[0] if isinstance(body, list) and body else body
    found = first.get("error") if isinstance(first, dict) else None
    return found if isinstance(found, dict) else {}


def _reason(info: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """Google's reason, such as API_KEY_INVALID, or else its status; never free text."""
    for said in (info.get("reason"), error.get("status")):
        if _REASON.fullmatch(str(said)):
            return str(said)
    return ""


def _missing_model(message: str) -> str:
    """Names the successor if the message does: "models/A is no longer available. Use B."

    Nothing else of the message, and only what can be the name of a model.
    """
    names = [name.rstrip(".-") for name in _MODEL.findall(message)]
    successors = [name for name in names if name != names[0]]
    return f"404, successor {successors[-1]}" if successors else "404"


def _is_daily_quota(quota: Mapping[str, Any]) -> bool:
    violations = quota.get("violations")
    return isinstance(violations, list) and any(
        isinstance(found, dict) and "PerDay" in str(found.get("quotaId")) for found in violations
    )


def _retry_after(info: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """Seconds, from google.rpc.RetryInfo or else the Retry-After header."""
    said = str(info.get("retryDelay", ""))
    if _DURATION.fullmatch(said):
        return float(said.removesuffix("s"))
    header = headers.get("Retry-After", "")
    return float(header) if _DURATION.fullmatch(f"{header}s") else _until(header, headers)


def _until(moment: str, headers: Mapping[str, str]) -> float | None:
    """Seconds until an HTTP date, by the clock of the server that sent it."""
    try:
        left = parsedate_to_datetime(moment) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, left.total_seconds())


def _detail(details: Sequence[Any], kind: str) -> Mapping[str, Any]:
    for detail in details:
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith(f"/{kind}"):
            return detail
    return {}
