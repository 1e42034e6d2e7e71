"""What a fake Gemini may do with a call."""

import json
import socket
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.builders import step_fields
from tests.fake_gemini.wire import MODEL_THAT_ANSWERS, Behaviour, Handler, Playing

LONGEST_HANG_SECONDS = 60.0
USAGE = {
    "promptTokenCount": 321,
    "candidatesTokenCount": 123,
    "thoughtsTokenCount": 77,
    "cachedContentTokenCount": 64,
    "totalTokenCount": 521,
}


def response(
    *texts: str,
    finish: str = "STOP",
    ratings: Mapping[str, str] = MappingProxyType({}),
    **more: Any,
) -> bytes:
    parts = [{"text": text} for text in texts]
    candidate = {
        "content": {"parts": parts, "role": "model"},
        "finishReason": finish,
        "index": 0,
        "safetyRatings": _rated(ratings),
    }
    return json.dumps(
        {
            "candidates": [candidate],
            "usageMetadata": USAGE,
            "modelVersion": MODEL_THAT_ANSWERS.decode(),
            **more,
        }
    ).encode()


def raw(body: bytes, status: int = 200, content_type: str = "application/json") -> Behaviour:
    return lambda handler, _: handler.reply(status, body, content_type)


def texts(*parts: str, finish: str = "STOP") -> Behaviour:
    return raw(response(*parts, finish=finish))


def answer(**changes: Any) -> Behaviour:
    """A valid step, or one made invalid by the changes; by default for a person who is safe."""
    return texts(json.dumps({"person_may_be_at_risk": False, **step_fields(**changes)}))


def finish(reason: str, **ratings: str) -> Behaviour:
    """`ratings` as of `blocked_prompt`."""
    return raw(response("", finish=reason, ratings=ratings))


def blocked_prompt(reason: str = "SAFETY", **ratings: str) -> Behaviour:
    """`ratings` from the end of a category's name to a probability: `DANGEROUS_CONTENT="HIGH"`."""
    feedback: dict[str, Any] = {"blockReason": reason}
    if ratings:
        feedback["safetyRatings"] = _rated(ratings)
    return raw(json.dumps({"promptFeedback": feedback}).encode())


def _rated(ratings: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"category": f"HARM_CATEGORY_{name}", "probability": probability}
        for name, probability in ratings.items()
    ]


def no_candidate() -> Behaviour:
    return raw(b"{}")


def error(
    status: int,
    name: str = "UNKNOWN",
    *,
    retry_delay: str | None = None,
    quota_id: str | None = None,
    retry_after: str | None = None,
    reason: str | None = None,
    message: str = "told to",
) -> Behaviour:
    """Google's error body; `retry_delay` as in "53s", `reason` as in "API_KEY_INVALID"."""
    details: list[dict[str, Any]] = []
    if reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details.append({"@type": kind, "reason": reason, "domain": "googleapis.com"})
    if quota_id:
        violation = {"quotaId": quota_id, "quotaMetric": "requests"}
        details.append(
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
        )
    if retry_delay:
        details.append(
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay}
        )
    body = {"error": {"code": status, "message": message, "status": name, "details": details}}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return lambda handler, _: handler.reply(status, json.dumps(body).encode(), **headers)


def hang() -> Behaviour:
    """No byte until the test releases it or the server stops."""

    def behave(handler: Handler, gemini: Playing) -> None:
        gemini.released.wait(LONGEST_HANG_SECONDS)
        handler.close_connection = True

    return behave


def held() -> Behaviour:
    """A valid answer, once the test releases it."""

    def behave(handler: Handler, gemini: Playing) -> None:
        gemini.released.wait(LONGEST_HANG_SECONDS)
        answer()(handler, gemini)

    return behave


def late(seconds: float, then: Behaviour) -> Behaviour:
    def behave(handler: Handler, gemini: Playing) -> None:
        gemini.released.wait(seconds)
        then(handler, gemini)

    return behave


def drip(every_seconds: float) -> Behaviour:
    """A valid answer, a byte at a time: no read timeout ever sees it stall."""

    def behave(handler: Handler, gemini: Playing) -> None:
        body = handler.as_sent(response(json.dumps(step_fields())))
        handler.start_reply(200, len(body))
        for index in range(len(body)):
            if gemini.released.wait(every_seconds):
                return
            handler.wfile.write(body[index : index + 1])
            handler.wfile.flush()

    return behave


def cut() -> Behaviour:
    """Promises a whole body and sends half of it."""

    def behave(handler: Handler, _: Playing) -> None:
        body = handler.as_sent(response(json.dumps(step_fields())))
        handler.start_reply(200, len(body))
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return behave


def reset() -> Behaviour:
    """A TCP reset instead of an answer."""

    def behave(handler: Handler, _: Playing) -> None:
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()
        handler.close_connection = True

    return behave
