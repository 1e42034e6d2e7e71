"""Clients that hold connections: they send half a request, riddles, or never read their answers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_POST = b"POST /activations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
ASSET = b"GET /docs/swagger_bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""1.6 MB."""


@dataclass(frozen=True)
class Crowd:
    sends: bytes
    connections: int


CROWDS = {
    "half headers": Crowd(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", 80),
    "half body": Crowd(_POST + b'Content-Length: 40\r\n\r\n{"mood": 2', 80),
    "half chunked body": Crowd(_CHUNKED + b"5\r\n{", 80),
    "pipelined half": Crowd(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /li", 80),
    "chunk riddle": Crowd(_CHUNKED + b"\r\n0" * 20_000, 10),
    "blank riddle": Crowd(b"GET / HTTP/1.1\r\nX:" + b" " * 16_000 + b"a\r\n\r\n", 10),
    "address riddle": Crowd(b"GET a://" + b"1" * 16_000 + b" x\r\n\r\n", 10),
    "slow readers": Crowd(ASSET * 20, 40),
    "idle": Crowd(b"", 500),
}


SMALL_BYTES = 4096


def connect(port: int) -> socket.socket:
    """With a small receive buffer, so that the server can't leave its answers with the kernel."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    client.settimeout(60)
    try:
        client.connect(("127.0.0.1", port))
    except OSError:
        client.close()
        raise
    return client


@contextmanager
def held(port: int, crowd: Crowd) -> Iterator[list[socket.socket]]:
    """All of them have sent what they send, or as much of it as the server takes."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(crowd.connections)]
        for client in clients:
            client.setblocking(False)
            if crowd.sends:
                client.send(crowd.sends)
        yield clients
