"""HTTP as our server speaks it, over real connections: what it refuses, and what it keeps.

The test is the server's main loop: nothing happens between two turns of it.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from shared.http.connections import ARRIVAL_SECONDS
from shared.http.headers import security_headers
from shared.http.problems import install_problems
from shared.http.server import (
    CHUNKS_BYTES,
    IDLE_SECONDS,
    LOOPBACK,
    MAX_HEADER_BYTES,
    MAX_HELD_BYTES,
    Server,
)
from shared.settings import Settings
from tests.support.emulators import free_port
from tests.support.slow_clients import CROWDS, connect

MOST_BYTES = 100
BIG_BYTES = 500_000
"""More than the kernel takes for a client that does not read."""
PATIENCE_SECONDS = 30
GET_BIG = b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Site:
    """A server with an app that echoes; `asked` is what it was asked for beside that."""

    server: Server
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def turn_until(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < end
            self.server.turn(0.01)

    def connect(self) -> socket.socket:
        client = connect(self.server.adj.port)
        client.setblocking(False)
        return client

    def exchange(self, sent: bytes, *, half_close: bool = False) -> bytes:
        """Everything that the server says until it hangs up."""
        said = [b""]
        with self.connect() as client:
            client.sendall(sent)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            self.turn_until(lambda: read(client, said))
        return b"".join(said)

    @property
    def connections(self) -> int:
        return len(self.server.active_channels)


def read(client: socket.socket, into: list[bytes]) -> bool:
    """What is there; whether the server has hung up."""
    try:
        while got := client.recv(65536):
            into.append(got)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return True


@contextmanager
def site(**settings: object) -> Iterator[Site]:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    install_problems(app)
    fields = {"port": free_port(), "web_threads": 2, **settings}
    found = Site(Server(app, Settings.model_validate(fields), LOOPBACK))

    @app.route("/echo", methods=["GET", "POST"])
    def echo() -> Response:
        shown = {"body": request.get_data(as_text=True), "length": request.content_length}
        return Response(json.dumps({**shown, "address": request.remote_addr}))

    @app.get("/big")
    def big() -> Response:
        found.asked.append("big")
        return Response(b"x" * BIG_BYTES)

    @app.get("/slow")
    def slow() -> Response:
        found.asked.append("slow")
        found.released.wait(PATIENCE_SECONDS)
        return Response()

    try:
        yield found
    finally:
        server = found.server
        server.task_dispatcher.shutdown()
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.asyncore.close_all(server._map)


@pytest.fixture
def here() -> Iterator[Site]:
    with site() as found:
        yield found


def post(headers: bytes, body: bytes = b"") -> bytes:
    return (
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + headers
        + b"\r\n"
        + body
    )


CHUNKED = b"Transfer-Encoding: chunked\r\n"
REFUSED = {
    "a length and chunks": (post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n"), 400),
    "no chunks": (post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"), 400),
    "an unended chunk": (post(CHUNKED, b"2\r\n{}XX0\r\n\r\n"), 400),
    "nonsense": (b"NONSENSE\r\n\r\n", 400),
    "no version": (b"GET /livez\r\n\r\n", 400),
    "another version": (b"GET / HTTP/9.9\r\n\r\n", 400),
    "a header that is none": (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", 400),
    "a NUL": (b"GET / HTTP/1.1\r\nAuthorization: Bearer kanarie\x00\r\n\r\n", 400),
    "half an address": (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
    "a length of 5,000 digits": (post(b"Content-Length: " + b"1" * 5000 + b"\r\n"), 400),
    "a length that is none": (post(b"Content-Length: +1\r\n", b"x"), 400),
    "another encoding": (post(b"Transfer-Encoding: gzip\r\n"), 501),
    "a long line": (b"GET /" + b"a" * MAX_HEADER_BYTES + b" HTTP/1.1\r\n\r\n", 431),
    "long headers": (post(b"X: " + b"a" * MAX_HEADER_BYTES + b"\r\n"), 431),
    "a length of 1 GB": (post(b"Content-Length: 1000000000\r\n"), 413),
    "chunks without end": (post(CHUNKED, b"2000\r\n" + b"a" * 0x2000 + b"\r\n" * 60_000), 413),
    "a blank riddle": (CROWDS["blank riddle"].sends, 400),
    "an address riddle": (CROWDS["address riddle"].sends, 400),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_refused_below_the_app_is_a_problem_like_every_other(here: Site, name: str) -> None:
    sent, status = REFUSED[name]
    said = here.exchange(sent)
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith(f"HTTP/1.1 {status} ")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert headers["Content-Type"] == "application/problem+json"
    assert len(headers["X-Request-Id"]) == 32
    assert security_headers(https=False).items() <= headers.items()
    assert "Server" not in headers
    assert json.loads(body)["status"] == status
    assert b"kanarie" not in said


def test_a_refusal_speaks_the_language_of_its_reader(here: Site) -> None:
    said = here.exchange(post(b"Accept-Language: sv\r\nContent-Length: 1000000000\r\n"))
    assert b"Content-Language: sv" in said
    assert "Korta ner" in said.decode()


def test_a_refusal_insists_on_tls_where_there_is_some() -> None:
    with site(k_service="ingress") as here:
        assert b"Strict-Transport-Security: max-age=" in here.exchange(b"NONSENSE\r\n\r\n")


def test_what_a_client_sent_is_not_logged(here: Site, caplog: pytest.LogCaptureFixture) -> None:
    for sent, _ in REFUSED.values():
        here.exchange(sent)
    assert "kanarie" not in caplog.text


def test_a_body_in_chunks_arrives_whole_and_with_its_length(here: Site) -> None:
    said = here.exchange(post(CHUNKED, b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"))
    assert json.loads(said.partition(b"\r\n\r\n")[2])["body"] == "abc"
    assert json.loads(said.partition(b"\r\n\r\n")[2])["length"] == 3


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_a_little_too_large_is_refused_by_the_app(here: Site, chunked: bool) -> None:
    body = b"a" * (MOST_BYTES + 1)
    frame = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    length = b"Content-Length: %d\r\n" % len(body)
    said = here.exchange(post(CHUNKED, frame) if chunked else post(length, body))
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in said


def test_of_a_body_without_end_no_more_is_held_than_of_the_largest(here: Site) -> None:
    said: list[bytes] = []
    most = 0
    with here.connect() as client:
        client.sendall(post(CHUNKED))
        while not read(client, said):
            with contextlib.suppress(BlockingIOError, ConnectionError):
                client.send(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
            here.server.turn(0.01)
            channels = here.server.active_channels.values()
            most = max(most, *(channel.bytes_held for channel in channels), 0)
    assert said[0].startswith(b"HTTP/1.1 413 ")
    assert MOST_BYTES < most < MOST_BYTES + CHUNKS_BYTES + 2 * here.server.adj.recv_bytes


def test_who_expects_a_100_gets_it_before_the_body_is_sent(here: Site) -> None:
    said: list[bytes] = []
    with here.connect() as client:
        client.sendall(post(b"Content-Length: 2\r\nExpect: 100-continue\r\n"))
        here.turn_until(lambda: read(client, said) or said)
        assert said == [b"HTTP/1.1 100 Continue\r\n\r\n"]
        client.sendall(b"ab")
        here.turn_until(lambda: read(client, said))
    assert said[1].startswith(b"HTTP/1.1 200 ")


def test_head_has_the_length_and_no_body(here: Site) -> None:
    said = here.exchange(b"HEAD /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: " in said


def test_http_1_0_is_answered_and_closed(here: Site) -> None:
    assert here.exchange(b"GET /echo HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")


def test_a_connection_is_kept_for_the_next_request(here: Site) -> None:
    with here.connect() as client:
        said: list[bytes] = []
        for _ in range(3):
            said.clear()
            client.sendall(b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
            here.turn_until(lambda: read(client, said) or b"".join(said).endswith(b"}"))
            assert said[0].startswith(b"HTTP/1.1 200 ")


def test_requests_that_are_sent_ahead_are_answered_in_their_order(here: Site) -> None:
    ahead = post(b"Content-Length: 1\r\n", b"a").replace(b"Connection: close\r\n", b"")
    said = here.exchange(ahead + post(b"Content-Length: 1\r\n", b"b"))
    assert said.count(b"HTTP/1.1 200 ") == 2
    assert said.index(b'"body": "a"') < said.index(b'"body": "b"')


def test_a_client_that_has_said_its_last_word_is_answered(here: Site) -> None:
    sent = post(b"Content-Length: 2\r\n", b"ab")
    assert b'"body": "ab"' in here.exchange(sent, half_close=True)


def test_a_body_that_breaks_off_is_hung_up_on(here: Site) -> None:
    assert here.exchange(post(b"Content-Length: 20\r\n", b"ab"), half_close=True) == b""


@pytest.mark.parametrize("sent", ["8.8.8.8", "1.1.1.1, 8.8.8.8"])
def test_the_address_that_the_front_end_saw_reaches_the_app(here: Site, sent: str) -> None:
    app = here.server.application
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)
    said = here.exchange(post(f"X-Forwarded-For: {sent}\r\n".encode()))
    assert b'"address": "8.8.8.8"' in said


# Clients that do not read


def test_a_request_waits_until_the_answer_before_it_is_read(here: Site) -> None:
    said: list[bytes] = []
    with here.connect() as client:
        client.sendall(GET_BIG * 3)
        here.turn_until(lambda: held(here))
        assert here.asked == ["big"]
        here.turn_until(lambda: read(client, said) or sum(map(len, said)) > 3 * BIG_BYTES)
    assert here.asked == ["big"] * 3


def test_readers_that_do_not_read_hold_no_thread(here: Site) -> None:
    """As many as there are threads, and one more."""
    clients = [here.connect() for _ in range(3)]
    for client in clients:
        client.sendall(GET_BIG * 10)
    here.turn_until(lambda: held(here) == 3)
    assert here.exchange(post(b"")).startswith(b"HTTP/1.1 200 ")
    for client in clients:
        client.close()


def test_an_answer_that_is_read_is_not_kept_in_memory(here: Site) -> None:
    said: list[bytes] = []
    with here.connect() as client:
        client.sendall(GET_BIG)
        here.turn_until(lambda: read(client, said) or sum(map(len, said)) > BIG_BYTES)
        [channel] = here.server.active_channels.values()
        here.turn_until(lambda: not channel.total_outbufs_len)
        assert len(channel.outbufs[-1].getfile().getbuffer()) == 0


def held(here: Site) -> int:
    return sum(channel.held for channel in here.server.active_channels.values())


@pytest.mark.parametrize("sent", [GET_BIG, GET_BIG * 2, b""], ids=["one", "ahead", "idle"])
def test_who_does_nothing_for_long_is_hung_up_on(here: Site, sent: bytes) -> None:
    with here.connect() as client:
        client.sendall(sent)
        here.turn_until(lambda: here.connections == 1 and resting(here))
        here.server.close_overdue(time.time() + IDLE_SECONDS - 5)
        assert here.connections == 1
        here.server.close_overdue(time.time() + IDLE_SECONDS + 1)
        assert here.connections == 0


def resting(here: Site) -> bool:
    return all(
        channel.rests and (not here.asked or channel.total_outbufs_len)
        for channel in here.server.active_channels.values()
    )


def test_who_comes_while_another_is_hung_up_on_is_served(here: Site) -> None:
    """The new connection gets the number of the file that was closed: one pass must not confuse
    them."""
    with here.connect():
        here.turn_until(lambda: here.connections == 1)
        [idle] = here.server.active_channels.values()
        idle.last_activity -= IDLE_SECONDS + 1
        here.server.next_channel_cleanup = 0
        assert here.exchange(post(b"")).startswith(b"HTTP/1.1 200 ")
        assert not idle.connected


def test_a_request_that_drips_is_hung_up_on_in_time(here: Site) -> None:
    with here.connect() as client:
        client.sendall(b"GET /echo HTTP/1.1\r\n")
        here.turn_until(lambda: any(c.request for c in here.server.active_channels.values()))
        [channel] = here.server.active_channels.values()
        here.server.close_overdue(time.time())
        assert here.connections == 1
        channel.request.began -= ARRIVAL_SECONDS
        here.server.close_overdue(time.time())
        assert here.connections == 0


def test_what_is_unread_is_bounded_and_who_was_idle_longest_goes_first(here: Site) -> None:
    clients = [here.connect() for _ in range(2)]
    for client in clients:
        client.sendall(GET_BIG)
    here.turn_until(lambda: here.connections == 2 and resting(here))
    first, second = here.server.active_channels.values()
    first.total_outbufs_len = MAX_HELD_BYTES
    now = time.time()
    first.last_activity, second.last_activity = now - 2, now - 1
    here.server.close_overdue(now)
    assert list(here.server.active_channels.values()) == [second]
    for client in clients:
        client.close()


# The end


def test_a_request_that_runs_is_answered_at_the_end_and_told_that_the_connection_closes(
    here: Site,
) -> None:
    said: list[bytes] = []
    with here.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        here.turn_until(lambda: "slow" in here.asked)
        here.server.stop_listening()
        assert not here.server.finish(0)
        here.released.set()
        assert here.server.finish(PATIENCE_SECONDS)
        assert read(client, said)
    assert said[0].startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in said[0]


def test_idle_and_half_sent_connections_do_not_delay_the_end(here: Site) -> None:
    clients = [here.connect() for _ in range(2)]
    clients[0].sendall(b"GET /ec")
    here.turn_until(lambda: here.connections == 2)
    here.server.stop_listening()
    assert here.server.finish(PATIENCE_SECONDS)
    assert here.connections == 0
    for client in clients:
        client.close()


def test_nobody_is_let_in_any_more(here: Site) -> None:
    here.server.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        here.connect()
