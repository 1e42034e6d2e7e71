"""Clients that send half a request, or riddles, or never read, take nothing from the others."""

import contextlib
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared.http.connections import ARRIVAL_SECONDS
from tests.e2e.pipeline import GOOD, Pipeline, clean_environment, running
from tests.fake_gemini import FakeGemini
from tests.fake_gemini import held as held_call
from tests.support.emulators import free_port
from tests.support.eventually import eventually
from tests.support.slow_clients import CROWDS, Crowd, connect, held

pytestmark = pytest.mark.alone

THREADS = 4
PROMPTLY_SECONDS = 5.0
"""On a machine that is busy with other things; bench/slow_clients.py measures it."""
LONG_POLLERS = 500


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("small") / "run"
    with running(folder, environment={"WEB_THREADS": str(THREADS)}) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of `python -m ingress`, whose store and queue are away."""
    port, nowhere = free_port(), f"127.0.0.1:{free_port()}"
    environment = {
        **clean_environment(),
        "FIRESTORE_EMULATOR_HOST": nowhere,
        "PUBSUB_EMULATOR_HOST": nowhere,
        "AUTH": "none",
        "ALLOW_UNAUTHENTICATED": "true",
        "GOOGLE_CLOUD_PROJECT": "p",
        "PORT": str(port),
        "WEB_THREADS": str(THREADS),
    }
    folder = tmp_path_factory.mktemp("production")
    with subprocess.Popen([sys.executable, "-m", "ingress"], cwd=folder, env=environment) as server:
        try:
            eventually(lambda: is_live(port), seconds=60, what="/livez")
            yield port
        finally:
            server.terminate()
            assert server.wait(30) == 0


def is_live(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/livez", timeout=PROMPTLY_SECONDS).ok
    except requests.ConnectionError:
        return False


def exchange(pipeline: Pipeline, request: bytes) -> bytes:
    """Everything that the server says until it hangs up."""
    with connect(pipeline.port) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        said = b""
        while more := client.recv(65536):
            said += more
        return said


@pytest.mark.parametrize("name", list(CROWDS))
def test_a_crowd_of_slow_clients_takes_nothing_from_the_others(production: int, name: str) -> None:
    with held(production, CROWDS[name]):
        # As many as there are threads, and one more; the crowd is still there after them.
        assert all(is_live(production) for _ in range(THREADS + 1))


def test_five_hundred_long_pollers_shut_nobody_out(tmp_path: Path) -> None:
    with FakeGemini() as gemini, running(tmp_path / "run", gemini) as pipeline:
        gemini.next(held_call())
        activation_id = pipeline.submit()
        path = f"/activations/{activation_id}"
        poll = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=30\r\n\r\n"
        with held(pipeline.port, Crowd(poll.encode(), LONG_POLLERS)):
            assert all(is_live(pipeline.port) for _ in range(5))
            pipeline.submit()
        gemini.released.set()


def test_a_half_sent_request_is_hung_up_on_in_time(small: Pipeline) -> None:
    with connect(small.port) as client:
        client.sendall(CROWDS["half headers"].sends)
        client.settimeout(ARRIVAL_SECONDS * 4)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100) == b""


def test_a_request_that_comes_in_pieces_is_answered(small: Pipeline) -> None:
    body = json.dumps(GOOD).encode()
    request = (
        b"POST /activations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    with connect(small.port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            client.sendall(bytes([byte]))
        assert client.recv(65536).startswith(b"HTTP/1.1 202 ")


def test_two_requests_on_one_connection_are_both_answered(small: Pipeline) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{small.url}/livez", timeout=30).ok
    twice = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
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


@pytest.mark.parametrize(
    "sent", [b"", b"GET /li", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"]
)
def test_a_connection_that_is_reset_takes_nobody_with_it(small: Pipeline, sent: bytes) -> None:
    before = small.processes(naming="local.apps ingress")
    for _ in range(THREADS * 2):
        client = connect(small.port)
        client.sendall(sent)
        if sent.endswith(b"\r\n\r\n"):
            client.recv(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert requests.get(f"{small.url}/livez", timeout=30).ok
    assert small.processes(naming="local.apps ingress") == before
    assert "Traceback" not in small.output


def test_a_crowd_that_hangs_up_leaves_the_server_as_it_was(small: Pipeline) -> None:
    for _ in range(40):
        connect(small.port).close()
    assert requests.get(f"{small.url}/readyz", timeout=30).ok
