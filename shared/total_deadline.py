"""A transport for `requests` that ends a call when its total time is up.

A read timeout counts from byte to byte: a body that drips one byte a second never meets it (15.8 s
were measured under a timeout of 5). So a timer shuts the socket down, which wakes the reader.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests import (
    PreparedRequest,
    ReadTimeout,
    RequestException,
    Response,
    Session,
    TooManyRedirects,
)
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 5.0
"""For each address of the host; the timer has nothing to cut before there is a connection."""


class _Watch:
    """One call's timer and the connection that it would cut."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._connection: HTTPConnection | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(seconds, 0), self._cut)
        self._timer.daemon = True
        self._timer.start()

    def follow(self, connection: HTTPConnection) -> None:
        with self._lock:
            self._connection = connection
            if self.expired:
                self._shut_down(connection)

    def stop(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._connection = None  # it is back in the pool, and soon somebody else's

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            if self._connection is not None:
                self._shut_down(self._connection)

    @staticmethod
    def _shut_down(connection: HTTPConnection) -> None:
        sock = connection.sock
        try:
            if sock is not None:
                sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already


_current: ContextVar[_Watch | None] = ContextVar("deadline_watch", default=None)


class _FollowedHTTPConnection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _follow(self)
        super().request(*args, **kwargs)


class _FollowedHTTPSConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _follow(self)
        super().request(*args, **kwargs)


def _follow(connection: HTTPConnection) -> None:
    watch = _current.get()
    if watch is not None:
        watch.follow(connection)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _FollowedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _FollowedHTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class DeadlineAdapter(HTTPAdapter):
    """Mount it on a session; `timeout`, in seconds, then bounds the whole call, body included."""

    def __init__(self, *, connections: int) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(_POOLS)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Behind a proxy the connections come from another manager: they are followed as well."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = dict(_POOLS)
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """As HTTPAdapter.send, with the body read. Raises requests.ReadTimeout at the deadline,
        and TooManyRedirects at the first redirect."""
        timeout = kwargs.get("timeout")
        if not isinstance(timeout, (int, float)):
            raise ValueError("a call without a total timeout")
        kwargs["timeout"] = (min(CONNECT_SECONDS, timeout), timeout)
        with _watched(timeout) as watch:
            try:
                response = super().send(request, *args, **kwargs)
                _ = response.content
            except (RequestException, HTTPError, OSError) as error:
                if watch.expired:
                    raise ReadTimeout(f"no whole answer in {timeout:g} s") from error
                raise
        if watch.expired:
            raise ReadTimeout(f"no whole answer in {timeout:g} s")
        if response.status_code // 100 == 3:
            # Each hop would begin a deadline of its own, and carry the key along.
            raise TooManyRedirects("redirects are not followed")
        return response


def mount_deadlines(session: Session, *, connections: int) -> None:
    """From now on `timeout` bounds each call of this session as a whole.

    A session keeps 10 connections by default: with more threads it would drop and reopen them.
    """
    adapter = DeadlineAdapter(connections=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)


@contextmanager
def _watched(seconds: float) -> Iterator[_Watch]:
    watch = _Watch(seconds)
    token = _current.set(watch)
    try:
        yield watch
    finally:
        _current.reset(token)
        watch.stop()
