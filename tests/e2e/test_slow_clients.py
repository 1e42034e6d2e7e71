"""Clients that send half a request, or nonsense, take nothing from the others."""

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from shared.http.gunicorn_worker import ARRIVAL_SECONDS
from tests.e2e.pipeline import GOOD, Pipeline, running

THREADS = 4
CROWD = 40
HALF_SENT = {
    "nothing": b"",
    "half a line": b"GET /li",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "half a body": b"POST /activations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b'Content-Length: 40\r\n\r\n{"mood": 2',
    "half its chunks": b"POST /activations HTTP/1.1\r\nHost: a\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "chunks that nobody reads": b"GET /livez HTTP/1.1\r\nHost: a\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "a padded length": b"POST /activations HTTP/1.1\r\nHost: a\r\n"
    b"Content-Type: application/json\r\nContent-Length: 0000000000000500\r\n\r\n{",
    "an expectation": b"POST /activations HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n"
    b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("small") / "run"
    with running(folder, environment={"WEB_THREADS": str(THREADS)}) as pipeline:
        yield pipeline


def connect(pipeline: Pipeline) -> socket.socket:
    return socket.create_connection(("127.0.0.1", pipeline.port), timeout=60)


def exchange(pipeline: Pipeline, request: bytes) -> bytes:
    """Everything that the server says until it hangs up."""
    with connect(pipeline) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        said = b""
        while more := client.recv(65536):
            said += more
        return said


@pytest.mark.parametrize("half", list(HALF_SENT))
def test_ten_times_more_half_sent_requests_than_threads_hold_none(
    small: Pipeline, half: str
) -> None:
    with ExitStack() as crowd:
        held = [crowd.enter_context(connect(small)) for _ in range(CROWD)]
        for client in held:
            client.sendall(HALF_SENT[half])
        # As many as there are threads, one after the other; the crowd is still there after them.
        for _ in range(THREADS + 1):
            assert requests.get(f"{small.url}/livez", timeout=ARRIVAL_SECONDS / 2).ok
        held[0].setblocking(False)
        with pytest.raises(BlockingIOError):
            held[0].recv(1)


def test_a_half_sent_request_is_hung_up_on_in_time(small: Pipeline) -> None:
    with connect(small) as client:
        client.sendall(HALF_SENT["half a head"])
        client.settimeout(ARRIVAL_SECONDS * 4)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100) == b""


def test_a_request_that_comes_in_pieces_is_answered(small: Pipeline) -> None:
    body = json.dumps(GOOD).encode()
    request = (
        b"POST /activations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    with connect(small) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            client.sendall(bytes([byte]))
        assert client.recv(65536).startswith(b"HTTP/1.1 202 ")


def test_two_requests_on_one_connection_are_both_answered(small: Pipeline) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{small.url}/livez", timeout=30).ok
    twice = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 2
    assert exchange(small, twice).count(b"HTTP/1.1 200 OK") == 2


def test_chunks_are_read(small: Pipeline) -> None:
    body = json.dumps(GOOD).encode()
    answer = requests.post(
        f"{small.url}/activations",
        data=iter([body[:5], body[5:]]),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )
    assert answer.status_code == 202


CHUNKED = (
    b"POST /activations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"5\r\n{}", 400),
        (CHUNKED + b"2\r\n{}XX0\r\n\r\n", 400),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer kanarie\x00\r\n\r\n", 400),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 100 + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    ],
    ids=lambda value: value[:24].decode("latin1") if isinstance(value, bytes) else str(value),
)
def test_what_cannot_be_parsed_is_a_problem_and_its_text_is_not_logged(
    small: Pipeline, request_bytes: bytes, status: int
) -> None:
    head, _, body = exchange(small, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert b"Content-Type: application/problem+json" in head
    assert b"X-Request-Id: " in head
    assert json.loads(body)["status"] == status
    assert "kanarie" not in small.output
    assert "Traceback" not in small.output


@pytest.mark.parametrize("sent", [b"", b"GET /li", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_connection_that_is_reset_takes_nobody_with_it(small: Pipeline, sent: bytes) -> None:
    before = small.processes(naming="ingress_app")
    for _ in range(THREADS * 2):
        client = connect(small)
        client.sendall(sent)
        if sent.endswith(b"\r\n\r\n"):
            client.recv(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert requests.get(f"{small.url}/livez", timeout=30).ok
    assert small.processes(naming="ingress_app") == before
    assert "Traceback" not in small.output


def test_a_crowd_that_hangs_up_leaves_the_server_as_it_was(small: Pipeline) -> None:
    for _ in range(CROWD):
        connect(small).close()
    assert requests.get(f"{small.url}/readyz", timeout=30).ok
