"""HTTP as Gemini speaks it: a request, an answer, and enums as the SDK asks for them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any, Protocol

TOKENS_PATH = "/token"
MODEL_THAT_ANSWERS = b"the model that answers"
"""Stands in a body for `modelVersion`, until it is known who was asked."""

ALIASES = {"gemini-flash-latest": "gemini-3.8-flash"}
FINISH_REASONS = [
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"),
    *("LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL"),
    "IMAGE_SAFETY",
]
BLOCK_REASONS = ["BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"]
CATEGORIES = {
    "HARM_CATEGORY_HARASSMENT": 7,
    "HARM_CATEGORY_HATE_SPEECH": 8,
    "HARM_CATEGORY_SEXUALLY_EXPLICIT": 9,
    "HARM_CATEGORY_DANGEROUS_CONTENT": 10,
}
PROBABILITIES = ["HARM_PROBABILITY_UNSPECIFIED", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH"]
NUMBERS = {
    "finishReason": {name: number for number, name in enumerate(FINISH_REASONS)},
    "blockReason": {name: number for number, name in enumerate(BLOCK_REASONS)},
    "category": CATEGORIES,
    "probability": {name: number for number, name in enumerate(PROBABILITIES)},
}
NEWER_THAN_THE_SDK = 99
_ENUM = re.compile(rb'"(%s)": "(\w+)"' % "|".join(NUMBERS).encode())


@dataclass(frozen=True)
class Call:
    """One request as Gemini saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def model(self) -> str:
        """The one that was asked, in the Gemini API's path or in Vertex AI's."""
        return self.path.rpartition("/models/")[2].partition(":")[0]

    @property
    def user_text(self) -> str:
        return str(self.body["contents"][0]["parts"][0]["text"])

    @property
    def system_text(self) -> str:
        return str(self.body["systemInstruction"]["parts"][0]["text"])


class Playing(Protocol):
    """The fake Gemini, as its handlers and behaviours see it."""

    released: Event

    def serve(self, call: Call) -> "Behaviour": ...

    def issue_token(self) -> tuple[int, bytes]:
        """Status and body of an answer of Google's token endpoint."""
        ...

    def count_connection(self) -> None: ...

    def count_at_once(self, change: int) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    gemini: Playing

    def handle_error(self, *_: object) -> None:
        """A client that gives up is part of the play."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    call: Call

    def setup(self) -> None:
        super().setup()
        self.server.gemini.count_connection()

    def do_POST(self) -> None:
        read = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == TOKENS_PATH:
            self._reply_with_a_token()
            return
        body = json.loads(read)
        headers = {name.lower(): value for name, value in self.headers.items()}
        gemini = self.server.gemini
        gemini.count_at_once(+1)
        try:
            self.call = Call(self.path, headers, body)
            gemini.serve(self.call)(self, gemini)
        finally:
            gemini.count_at_once(-1)

    def _reply_with_a_token(self) -> None:
        status, body = self.server.gemini.issue_token()
        self.start_reply(status, len(body))
        self.wfile.write(body)

    def as_sent(self, body: bytes) -> bytes:
        """With the name of the model, and enums as the SDK asked for them."""
        model = ALIASES.get(self.call.model, self.call.model)
        named = body.replace(MODEL_THAT_ANSWERS, model.encode())
        return in_numbers(named) if "enum-encoding" in self.path else named

    def reply(
        self, status: int, body: bytes, content_type: str = "application/json", **headers: str
    ) -> None:
        sent = self.as_sent(body)
        self.start_reply(status, len(sent), content_type, **headers)
        self.wfile.write(sent)

    def start_reply(
        self, status: int, length: int, content_type: str = "application/json", **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: a request line could hold a key."""


def in_numbers(body: bytes) -> bytes:
    """As Gemini answers google-generativeai, which asks for `$alt=json;enum-encoding=int`."""

    def number(found: re.Match[bytes]) -> bytes:
        value = NUMBERS[found[1].decode()].get(found[2].decode(), NEWER_THAN_THE_SDK)
        return b'"%s": %d' % (found[1], value)

    return _ENUM.sub(number, body)


Behaviour = Callable[[Handler, Playing], None]
