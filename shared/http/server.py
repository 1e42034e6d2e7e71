"""Serve a Flask app with waitress: one process, whose main thread reads requests until they are
whole, and threads that each answer one."""

import logging
import socket
import time
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any

import structlog
from flask import Flask
from waitress.server import TcpWSGIServer

from shared.drain import Drain, StopSignals
from shared.errors import SettingsError
from shared.http.connections import Channel, name_of_error
from shared.settings import Settings

log = structlog.get_logger(__name__)

EVERYWHERE, LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104 - as Cloud Run wants it

TRUSTED_ON_LOOPBACK = ("localhost", "127.0.0.1")
"""What a browser on this machine calls a server on 127.0.0.1. Another name is one that its owner
has pointed at this machine, so that their page may read our answers (DNS rebinding)."""

IDLE_SECONDS = 75
"""Above the 60 s for which Google's front end keeps idle connections."""

MAX_HEADER_BYTES = 16 * 1024
"""An ID token, the longest header that we read, is 1 to 2 KB."""

CHUNKS_BYTES = 32 * 1024
"""Above what the app takes as a body: waitress counts the framing of chunks, too. And what is only
a little too large is refused by the app, whose refusal a script of another origin may read."""

MAX_HELD_BYTES = 64 * 1024 * 1024
"""Of all answers that are not read and requests that are not whole, together."""

SEND_BUFFER_BYTES = 64 * 1024
"""The kernel's, of one connection. It would grow to 4 MB for one who does not read."""

LOOK_SECONDS = 1
POLL_SECONDS = 0.05


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Listens from when it is made. Raises OSError."""

    channel_class = Channel

    def __init__(self, app: Flask, settings: Settings, host: str) -> None:
        self.draining = False
        self._look_at: float | None = None
        self.https = settings.on_cloud_run
        super().__init__(
            app,
            host=host,
            port=settings.port,
            threads=settings.web_threads,
            connection_limit=max_connections(settings.web_threads),
            asyncore_use_poll=True,  # select() takes no file above 1023
            asyncore_loop_timeout=LOOK_SECONDS,
            cleanup_interval=LOOK_SECONDS,
            channel_timeout=IDLE_SECONDS,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + CHUNKS_BYTES,
            clear_untrusted_proxy_headers=False,  # ingress/app.py reads X-Forwarded-For itself
            ident=None,
            log_socket_errors=False,
        )

    def set_socket_options(self, conn: socket.socket) -> None:
        super().set_socket_options(conn)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def add_task(self, channel: Channel) -> None:
        """Called with the channel's lock held, by the main thread or by one that has answered."""
        if channel.total_outbufs_len:
            channel.held = True
        else:
            super().add_task(channel)

    def maintenance(self, now: float) -> None:
        """Only noted. waitress calls this once a second, in the middle of a pass: a connection that
        is closed there leaves its number to one that is accepted later in the same pass, which
        would then be closed in its place."""
        self._look_at = now

    def close_overdue(self, now: float) -> None:
        """What waitress' own maintenance does, and also those who send a byte now and then, or who
        do not read. `now` is by time.time."""
        resting = [channel for channel in self.active_channels.values() if channel.rests]
        held = sum(channel.bytes_held for channel in resting)
        for channel in sorted(resting, key=lambda each: each.last_activity):
            too_much = held > MAX_HELD_BYTES and channel.bytes_held > 0
            if too_much or channel.is_overdue(now, IDLE_SECONDS):
                held -= channel.bytes_held
                channel.handle_close()

    def handle_error(self) -> None:
        """waitress would stop listening."""
        log.error("server.failed", error=name_of_error())

    def turn(self, seconds: float) -> None:
        """One pass over the connections; waits so long at most for something to happen."""
        self.asyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)
        if self._look_at is not None:
            self.close_overdue(self._look_at)
            self._look_at = None

    def stop_listening(self) -> None:
        self.draining = True
        self.del_channel()
        self.socket.close()

    def finish(self, seconds: float) -> bool:
        """Answer what is queued and running, and close the connections of all others. Whether
        everything is answered."""
        end = time.monotonic() + seconds
        while self._is_busy() and time.monotonic() < end:
            self._close_idle()
            self.turn(POLL_SECONDS)
        self._close_idle()
        return not self._is_busy()

    def _close_idle(self) -> None:
        for channel in list(self.active_channels.values()):
            if not channel.requests and not channel.total_outbufs_len:
                channel.handle_close()

    def _is_busy(self) -> bool:
        """A thread may still work for a client that has gone."""
        channels: list[Any] = list(self.active_channels.values())
        waiting = any(channel.requests or channel.total_outbufs_len for channel in channels)
        return bool(waiting or self.task_dispatcher.queue or self.task_dispatcher.active_count)


def listen(app: Flask, settings: Settings, host: str) -> Server:
    """Raises SettingsError when the port is taken."""
    _silence_waitress()
    if host == LOOPBACK:
        answer_only_to_own_names(app)
    try:
        return Server(app, settings, host)
    except OSError as error:
        raise SettingsError(
            f"PORT={settings.port}: expected a free port ({error.strerror})"
        ) from None


def serve(app: Flask, settings: Settings, drain: Drain, host: str) -> int:
    """Until SIGTERM or SIGINT, and then until `drain` has run. The exit code.

    Raises SettingsError when the port is taken.
    """
    server = listen(app, settings, host)
    signals = StopSignals(wake=server.pull_trigger)
    log.info("server.started", host=host, port=settings.port, threads=settings.web_threads)
    while not signals.came:
        server.turn(LOOK_SECONDS)
    log.info("server.draining")
    server.stop_listening()
    drain.run(server.finish)
    return 0


def answer_only_to_own_names(app: Flask) -> None:
    """A request that names another host is refused with a 400."""
    app.config["TRUSTED_HOSTS"] = TRUSTED_ON_LOOPBACK


def max_connections(threads: int) -> int:
    """Open connections cost a file each and no thread, so that a crowd that only holds some, or
    polls over ones that are kept, shuts nobody out. What remains is for the store, the queue, logs
    and the files that are being sent."""
    return max(threads + 64, min(4096, getrlimit(RLIMIT_NOFILE)[0] - 256))


def _silence_waitress() -> None:
    """Its information and errors quote paths and exceptions; of errors, connections.py says the
    kind. Its warnings don't, but one comes with each request that waits for a thread."""
    logging.getLogger("waitress").addFilter(lambda line: line.levelno == logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
