"""What each failure of Gemini means: one table, as data.

| verdict | what happens | `fallback_reason` in the end |
| --- | --- | --- |
| retry | tried again, after the pause that was asked for or a jittered one | as the row says |
| blocked | never tried again: the same prompt would be refused again | blocked |
| invalid | asked once more, and told what was wrong with the answer | invalid_output |
| misconfigured | never tried again; an operator is alerted | misconfigured |

Sources: Gemini API's page "Troubleshooting guide" for the HTTP codes, its reference of
`GenerateContentResponse` for FinishReason and BlockReason. A member of either SDK's enums or of
Google's error tree that stands in no row fails tests/unit/gemini/test_classification.py.
"""

from dataclasses import dataclass
from typing import Literal

from shared.domain.activation import FallbackReason

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
    """A code that nobody listed: the server's fault is retried, ours is not."""
    return HTTP_STATUS.get(code, RETRY_UNAVAILABLE if code >= 500 else MISCONFIGURED)


def of_finish_reason(name: str) -> Verdict | None:
    """None: the answer is whole. A reason newer than the table is no reason to trust the answer."""
    return FINISH_REASON.get(name, INVALID)


def of_block_reason(name: str) -> Verdict:
    return BLOCK_REASON.get(name, BLOCKED)
