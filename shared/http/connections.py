"""What we change in waitress for one connection: guards, refusals and pipelined requests.

waitress documents settings, not these classes. `channel_class`, `parser_class`, `task_class` and
`error_task_class` are attributes that it has for subclasses; docs/adr/0008 says what else we rely
on, and tests/e2e/test_slow_clients.py fails where a release changes it.
"""

import re
import secrets
import sys
import time
from http import HTTPStatus
from typing import Any

import structlog
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, WSGITask
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from shared.http.headers import LONGEST_LIST, security_headers
from shared.http.problems import CONTENT_TYPE, Problem, problem_json
from shared.http.request_ids import HEADER
from shared.http.translations import language_of_sentences

log = structlog.get_logger(__name__)

ARRIVAL_SECONDS = 10.0
"""How long a request may take to arrive, however its bytes drip."""

_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
_MANY_BLANKS = re.compile(rb"[ \t]{64}")

_DETAILS = {
    413: "The request is too large.",
    431: "The request's headers are too large.",
    500: "Something went wrong on our side. Please try again.",
}


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Refuses what waitress' own regular expressions take quadratic time for, on the thread that
    serves every connection: 4.8 s for a request line of 8 KB, 0.2 s for 8 KB of blanks."""

    def __init__(self, adjustments: Any) -> None:
        super().__init__(adjustments)
        self.began = time.monotonic()

    def parse_header(self, header_plus: bytes) -> None:
        first_line, _, fields = header_plus.partition(b"\r\n")
        if first_line.count(b" ") != 2 or not first_line.endswith(_VERSIONS):
            raise ParsingError("the request line is not: method, target, HTTP/1.1")
        if _MANY_BLANKS.search(fields):
            raise ParsingError("a run of blanks in a header field")
        try:
            super().parse_header(header_plus)
        except ValueError:
            # Of urlsplit and int: waitress would close the connection without an answer.
            raise ParsingError("a target or a length that is none") from None
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            # RFC 9112, section 6.3: two lengths may be an attempt at request smuggling.
            raise ParsingError("a length and chunks")


class Task(WSGITask):  # type: ignore[misc]
    def build_response_header(self) -> bytes:
        if self.channel.server.draining:
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header


class Refusal(ErrorTask):  # type: ignore[misc]
    """What waitress refuses, as a problem. Its own sentence quotes what the client sent."""

    def execute(self) -> None:
        status = HTTPStatus(self.request.error.code)
        request_id = secrets.token_hex(16)
        # A 501 is the client's: a transfer coding that nobody knows.
        write = log.error if status == HTTPStatus.INTERNAL_SERVER_ERROR else log.info
        write("request.refused", status=status.value, request_id=request_id)
        accepted = self.request.headers.get("ACCEPT_LANGUAGE", "")[:LONGEST_LIST]
        language = language_of_sentences(parse_accept_header(accepted, LanguageAccept))
        detail = _DETAILS.get(status, "The request can't be read.")
        body = problem_json(Problem(status, detail), language).encode()
        self.version = "1.1"
        self.status = f"{status.value} {status.phrase}"
        self.response_headers.extend(
            {
                **security_headers(https=self.channel.server.https),
                "Content-Type": CONTENT_TYPE,
                "Content-Language": language,
                HEADER: request_id,
            }.items()
        )
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection.

    A client may send its next request before it has read the last answer. waitress would serve
    that one, too, and hold the thread once 16 MB of answers are unread. Here the request is held
    until the answer before it is out, which takes no thread and keeps one answer in memory.
    """

    parser_class = Parser
    task_class = Task
    error_task_class = Refusal

    held = False
    """Whether the first of `requests` waits for the client to read the answer before it."""

    @property
    def rests(self) -> bool:
        """Whether no thread works for it, and none will before the client does something."""
        return self.held or not self.requests

    @property
    def bytes_held(self) -> int:
        """Of an answer that is not read yet, and of a request that is not whole."""
        request = self.request
        arrived = request.header_bytes_received + request.body_bytes_received if request else 0
        return int(self.total_outbufs_len + arrived)

    def is_overdue(self, now: float, idle_seconds: float) -> bool:
        """`now` is by time.time, as `last_activity` is."""
        request = self.request
        late = request is not None and time.monotonic() - request.began > ARRIVAL_SECONDS
        return self.rests and (late or self.last_activity < now - idle_seconds)

    def writable(self) -> bool:
        return bool(self.held or super().writable())

    def service(self) -> None:
        super().service()
        self._drop_what_is_sent()

    def handle_write(self) -> None:
        super().handle_write()
        self._drop_what_is_sent()
        with self.requests_lock:
            if self.held and self.connected and not self.total_outbufs_len:
                self.held = False
                self.server.add_task(self)

    def _drop_what_is_sent(self) -> None:
        """waitress keeps an answer until the next one: 84 MB of 1,000 that have read 82 KB."""
        with self.outbuf_lock:
            if self.connected and not self.total_outbufs_len:
                self.outbufs[-1].prune()

    def handle_error(self) -> None:
        """waitress would log the traceback, whose last line may quote the client."""
        log.error("connection.failed", error=name_of_error())
        self.handle_close()


def name_of_error() -> str:
    """Of the exception that is being handled."""
    kind, _, _ = sys.exc_info()
    return kind.__name__ if kind else ""
