"""Whether a request has arrived whole, seen without reading it: what is peeked at stays there.

A thread that reads from a slow client is a thread that serves nobody else. So a connection waits in
the poller until its request is there, headers and body, and only then takes a thread.
"""

import contextlib
import re
import socket
import time

from gunicorn.http.errors import NoMoreData

LARGEST_AWAITED_BYTES = 64 * 1024
"""Of a larger request only the headers are awaited here; a thread reads the body as it comes.
Twice what an ingress takes; only pushes of large messages from Pub/Sub itself are above."""

READ_SECONDS = 10.0
"""For all that a thread still has to read of one request, of a large body."""

_END_OF_HEADERS = b"\r\n\r\n"
_END_OF_CHUNKS = re.compile(rb"\r\n0+(;[^\r\n]*)?\r\n([^\r\n]+\r\n)*\r\n\Z")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)


class ArrivingSocket(socket.socket):
    """A client's connection. `recv` ends at `read_until`, by time.monotonic, however bytes drip."""

    read_until: float | None = None
    _seen_before: int = -1

    def has_arrived(self) -> bool:
        """Whether a thread should have this connection. Where not, the poller does not call it
        readable before there is more than now (SO_RCVLOWAT)."""
        try:
            seen = self.recv(LARGEST_AWAITED_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True  # reset, for one: the thread that reads next finds out, and may fail alone
        missing = bytes_missing(seen)
        # Readable, with nothing new: the client has said goodbye. A thread will find that out.
        if missing == 0 or len(seen) == self._seen_before:
            self._wake_up_at(1)
            self._seen_before = -1
            return True
        self._wake_up_at(len(seen) + missing)
        self._seen_before = len(seen)
        return False

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Raises NoMoreData, which gunicorn takes for a client that went away, when time is up."""
        if self.read_until is None or flags:
            return super().recv(size, flags)
        before = self.gettimeout()
        left = self.read_until - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self.settimeout(left if before is None else min(left, before))
            return super().recv(size)
        except TimeoutError:
            # Else gunicorn would wait for the client's goodbye as well.
            with contextlib.suppress(OSError):
                self.shutdown(socket.SHUT_RDWR)
            raise NoMoreData(b"") from None
        finally:
            self.settimeout(before)

    def _wake_up_at(self, size: int) -> None:
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)


def bytes_missing(seen: bytes) -> int:
    """At least how many more bytes the request needs; 0 where a thread should have it.

    A client that sends `Expect: 100-continue` sends its body after a second all the same.
    """
    if not seen or len(seen) >= LARGEST_AWAITED_BYTES:
        return 0
    end = seen.find(_END_OF_HEADERS)
    if end < 0:
        return 1
    if _CHUNKED.search(seen, 0, end + 2):
        return 0 if _END_OF_CHUNKS.search(seen, end + 2) else 1
    length = _CONTENT_LENGTH.search(seen, 0, end + 2)
    wanted = end + len(_END_OF_HEADERS) + int(length[1] if length else 0)
    return max(0, wanted - len(seen)) if wanted <= LARGEST_AWAITED_BYTES else 0
