"""From what went wrong at Gemini to one of our errors; the same for both SDKs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from worker.gemini.adapters.classification import Verdict, of_status
from worker.gemini.port import (
    Blocked,
    GeminiError,
    InvalidOutput,
    Misconfigured,
    Unavailable,
)

A_DAY_SECONDS = 86_400.0
_DURATION = re.compile(r"\d{1,6}(\.\d+)?s")


def failure(verdict: Verdict, detail: str, *, retry_after: float | None = None) -> GeminiError:
    if verdict.kind == "retry":
        return Unavailable(detail, reason=verdict.reason, retry_after=retry_after)
    kinds = {"blocked": Blocked, "invalid": InvalidOutput, "misconfigured": Misconfigured}
    return kinds[verdict.kind](detail)


def http_failure(code: int, details: Any, headers: Mapping[str, str] | None) -> GeminiError:
    """`details` are those of Google's error body, over REST plain JSON: a list of objects.

    A quota of a day may still say "retry in seconds": that is not believed.
    """
    listed = details if isinstance(details, Sequence) else ()
    if _is_daily_quota(_detail(listed, "google.rpc.QuotaFailure")):
        return Unavailable(f"{code}, daily quota", reason="quota", retry_after=A_DAY_SECONDS)
    pause = _retry_after(_detail(listed, "google.rpc.RetryInfo"), headers or {})
    return failure(of_status(code), str(code), retry_after=pause)


@contextmanager
def transport_failures() -> Iterator[None]:
    """What breaks on the way; and a 200 that is no JSON of Gemini's, such as a proxy's page."""
    try:
        yield
    except requests.TooManyRedirects as error:
        raise Misconfigured(type(error).__name__) from error  # none is followed: see the adapter
    except requests.Timeout as error:
        raise Unavailable(type(error).__name__, reason="timeout") from error
    except (requests.RequestException, ValueError) as error:
        raise Unavailable(type(error).__name__) from error


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
