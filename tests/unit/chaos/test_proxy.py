"""The campaign's proxy: what each disturbance does to a request and its answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.chaos.campaign.proxy import CUTS, Mode, Proxy, is_answer
from tests.support.emulators import free_port
from tests.support.eventually import eventually


class Upstream:
    """Answers "ok" and counts the requests that arrived."""

    def __init__(self) -> None:
        self.arrived = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "Upstream":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            upstream.arrived += 1
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with Proxy(upstream.server.server_address[1]) as proxy:
        yield proxy


def get(proxy: Proxy, session: requests.Session | None = None) -> str:
    with session or requests.Session() as asking:
        return asking.get(f"http://127.0.0.1:{proxy.port}/", timeout=20).text


def test_undisturbed_it_passes_everything_on(proxy: Proxy, upstream: Upstream) -> None:
    assert (get(proxy), upstream.arrived) == ("ok", 1)


def test_latency_delays_and_loses_nothing(proxy: Proxy, upstream: Upstream) -> None:
    proxy.disturb("latency")
    assert (get(proxy), upstream.arrived) == ("ok", 1)


def test_a_reset_reaches_open_connections_and_new_ones(proxy: Proxy, upstream: Upstream) -> None:
    with requests.Session() as session:
        url = f"http://127.0.0.1:{proxy.port}/"
        assert session.get(url, timeout=20).text == "ok"
        proxy.disturb("reset")
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=20)
    assert upstream.arrived == 1


def test_a_cut_answer_belongs_to_a_request_that_was_carried_out(
    proxy: Proxy, upstream: Upstream
) -> None:
    proxy.disturb("cut")
    for number in range(1, CUTS + 1):
        with pytest.raises(requests.ConnectionError):
            get(proxy)
        assert upstream.arrived == number
    assert get(proxy) == "ok"


@pytest.mark.parametrize("mode", ["black hole", "half open"])
def test_silence_ends_with_a_reset_when_it_is_healed(
    proxy: Proxy, upstream: Upstream, mode: Mode
) -> None:
    proxy.disturb(mode)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(get, proxy)
        eventually(lambda: proxy.connections, what="the connection")
        assert not asking.done()
        proxy.heal()
        with pytest.raises(requests.ConnectionError):
            asking.result(20)
    assert (get(proxy), upstream.arrived) == ("ok", 1)


def test_nobody_behind_it_is_a_refusal() -> None:
    with Proxy(free_port()) as proxy, pytest.raises(requests.ConnectionError):
        get(proxy)


WINDOW_UPDATE = bytes([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0])
HEADERS = bytes([0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88])


def test_an_answer_in_http2_begins_with_headers_not_with_a_window_update() -> None:
    assert not is_answer(WINDOW_UPDATE)
    assert is_answer(WINDOW_UPDATE + HEADERS)
    assert is_answer(b"HTTP/1.1 200 OK\r\n")
    assert not is_answer(b"")
