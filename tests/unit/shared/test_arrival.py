"""When a request has arrived whole, seen without reading it."""

import select
import socket
import struct
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from gunicorn.http.errors import NoMoreData

from shared.http.arrival import LARGEST_AWAITED_BYTES, ArrivingSocket, bytes_missing

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (b"G", 1),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", 1),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0),
        (HEAD + b"Content-Length: 5\r\n\r\n", 5),
        (HEAD + b"content-length:5\r\n\r\nab", 3),
        (HEAD + b"CONTENT-LENGTH: \t5 \r\n\r\nabcde", 0),
        (HEAD + b"Content-Length: 5\r\n\r\nabcdefgh", 0),
        (HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 5),
        (HEAD + b"Content-Length: 0000000000000500\r\n\r\n", 500),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 1),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", 1),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", 0),
        (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n", 0),
        (HEAD + b"Content-Length: 65537\r\n\r\n", 0),
        (HEAD + b"Content-Length: 9999999999999\r\n\r\n", 0),
        (HEAD + b"Content-Length: -5\r\n\r\n", 0),
        (HEAD + b"Content-Length: x\r\n\r\n", 0),
        (b"\xff" * 10, 1),
        (b"x" * LARGEST_AWAITED_BYTES, 0),
        (b"", 0),
    ],
)
def test_what_is_missing_of(seen: bytes, missing: int) -> None:
    assert bytes_missing(seen) == missing


@contextmanager
def connected() -> Iterator[tuple[socket.socket, ArrivingSocket]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with ArrivingSocket(fileno=accepted.detach()) as arriving:
                arriving.setblocking(False)
                yield client, arriving


def readable(connection: socket.socket, seconds: float = 10) -> bool:
    return bool(select.select([connection], [], [], seconds)[0])


def test_a_connection_without_a_byte_has_not_arrived() -> None:
    with connected() as (_, arriving):
        assert not arriving.has_arrived()


def test_the_poller_is_not_woken_by_what_is_there_already() -> None:
    with connected() as (client, arriving):
        client.sendall(HEAD)
        assert readable(arriving)
        assert not arriving.has_arrived()
        assert not readable(arriving, 0)
        client.sendall(b"\r\n")
        assert readable(arriving)
        assert arriving.has_arrived()
        arriving.setblocking(True)
        assert arriving.recv(1000) == HEAD + b"\r\n"


def test_a_body_wakes_the_poller_only_when_it_is_whole() -> None:
    with connected() as (client, arriving):
        client.sendall(HEAD + b"Content-Length: 4\r\n\r\n")
        assert readable(arriving)
        assert not arriving.has_arrived()
        client.sendall(b"abc")
        assert not readable(arriving, 0)
        client.sendall(b"d")
        assert readable(arriving)
        assert arriving.has_arrived()


def test_a_client_that_leaves_in_the_middle_is_handed_over_and_not_polled_for_ever() -> None:
    with connected() as (client, arriving):
        client.sendall(HEAD)
        assert readable(arriving)
        assert not arriving.has_arrived()
        client.shutdown(socket.SHUT_WR)
        assert readable(arriving)
        assert arriving.has_arrived()


def test_a_reset_connection_is_handed_over_and_harms_nobody_else() -> None:
    with connected() as (client, arriving):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset, not a goodbye
        assert readable(arriving)
        assert arriving.has_arrived()


def test_reading_ends_when_its_time_is_over_however_the_bytes_drip() -> None:
    with connected() as (client, arriving):
        arriving.setblocking(True)
        client.sendall(b"a")
        arriving.read_until = clock.monotonic() + 60
        assert arriving.recv(10) == b"a"
        arriving.read_until = clock.monotonic() - 1
        client.sendall(b"b")
        with pytest.raises(NoMoreData):
            arriving.recv(10)
        assert client.recv(10) == b""  # hung up on


def test_without_a_limit_reading_is_as_ever() -> None:
    with connected() as (client, arriving):
        arriving.setblocking(True)
        client.sendall(b"a")
        assert arriving.recv(10) == b"a"
