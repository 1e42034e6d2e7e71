"""gunicorn's threaded worker, with three changes: slow clients, refusals, and the end.

- A connection takes a thread only when its request has arrived (arrival.py): with the stock
  worker, clients that send half a request hold a thread each until none is left.
- What can't be parsed is answered with a problem, and not logged with the header that it quotes.
- After SIGTERM the app is told before the process is killed, so that it can let go of its work.
"""

import json
import secrets
import selectors
import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.errors import AppImportError
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import TConn, ThreadWorker

from shared.errors import SettingsError
from shared.http.arrival import READ_SECONDS, ArrivingSocket
from shared.http.problems import CONTENT_TYPE

AT_SIGTERM, BEFORE_KILLED, AT_END = "at_sigterm", "before_killed", "at_end"
"""Names, among a Flask app's extensions, of what is called when the grace begins, when it is nearly
over, and when the last request is answered."""

BEFORE_KILLED_SECONDS = 6.0
"""After SIGTERM; leaves 3 s of gunicorn's grace (gunicorn.conf.py) for it to write."""

ARRIVAL_SECONDS = 10.0
"""How long a request may take to arrive; after that its connection is closed."""

LEFT_OVER_SECONDS = 0.1

_STATUS_OF_REFUSAL = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def load_wsgi(self) -> None:
        """What only app() finds out, such as a secret that can't be read, stops the start too."""
        try:
            super().load_wsgi()
        except SettingsError as error:
            # gunicorn prints the line without a traceback, and does not start the process again.
            raise AppImportError(f"can't start: {error}") from None

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._told(AT_END)()

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except OSError:
            return  # it went away while it was being accepted, or another process was quicker
        self.nr_conns += 1
        arriving = ArrivingSocket(fileno=client.detach())
        self._wait_for_request(TConn(self.cfg, arriving, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """The next request on a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._wait_for_request(conn)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:
        if conn.sock.has_arrived():
            conn.data_ready = True
            super().on_pending_socket_readable(conn, client)

    def murder_pending(self) -> None:
        """A stopping worker does not wait for requests that have not arrived."""
        if not self.alive:
            for conn in self.pending_conns:
                conn.timeout = 0.0
        super().murder_pending()

    def _wait_for_request(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        if conn.sock.has_arrived():
            conn.data_ready = True
            self.enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + ARRIVAL_SECONDS
        self.pending_conns.append(conn)  # murder_pending closes those whose time is over
        ready = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, ready)

    def handle(self, conn: Any) -> Any:
        conn.sock.read_until = time.monotonic() + READ_SECONDS
        kept = super().handle(conn)
        conn.sock.read_until = None
        if not kept:
            # Here and not in the main loop, which a client that does not close would hold for 2 s.
            util.close_graceful(conn.sock)
            conn.close = _closed_already
        return kept

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """gunicorn reads what the app left of a body, so that the connection can be kept. It waits
        5 s for it; what has not come by now is not worth a thread."""
        deadline = time.monotonic() + LEFT_OVER_SECONDS
        return keepalive and bool(conn.parser.finish_body(deadline=deadline))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        refused = isinstance(exc, ParseException)
        status = _STATUS_OF_REFUSAL.get(type(exc), HTTPStatus.BAD_REQUEST)
        if not refused:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        request_id = secrets.token_hex(16)
        # The kind alone: its text quotes what the client sent, a token for instance.
        log = self.log.info if refused else self.log.error
        log("request refused: %s, request_id=%s", type(exc).__name__, request_id)
        try:
            util.write_nonblock(client, _problem(status, request_id))
        except OSError:
            self.log.debug("the client went away before its refusal")

    def handle_exit(self, sig: Any, frame: Any) -> None:
        if self.alive:
            self._tell_app(AT_SIGTERM, after=0)
            self._tell_app(BEFORE_KILLED, after=BEFORE_KILLED_SECONDS)
        super().handle_exit(sig, frame)

    def _tell_app(self, what: str, *, after: float) -> None:
        # In a thread: a signal handler must take no lock that the main thread may hold.
        timer = threading.Timer(after, self._told(what))
        timer.daemon = True
        timer.start()

    def _told(self, what: str) -> Callable[[], object]:
        told: Callable[[], object] = getattr(self.wsgi, "extensions", {}).get(what, _nothing)
        return told


def _nothing() -> None:
    pass


def _closed_already(graceful: bool = False) -> None:
    pass


def _problem(status: HTTPStatus, request_id: str) -> bytes:
    """As shared/http/problems.py makes them; here there is no app and no response object yet."""
    detail = "The request can't be read."
    body = json.dumps(
        {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    ).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-Id: {request_id}\r\n"
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
