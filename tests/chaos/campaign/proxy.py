"""A TCP proxy that a campaign can disturb: latency, resets, a black hole, a half-open connection,
an answer that is cut off after the request was carried out."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal, get_args

Mode = Literal["pass", "latency", "reset", "black hole", "half open", "cut"]
MODES: tuple[Mode, ...] = get_args(Mode)

LATENCY_SECONDS = 0.6
"""For each piece in each direction."""

CUTS = 3
"""So many answers are cut off in a row, so that a caller that tries again meets it more than once,
and gets through in the end."""

_CHUNK = 65_536
_FRAME_HEADER = 9
_DATA, _HEADERS = 0, 1


class Proxy:
    """Listens on loopback from `__enter__` to `__exit__`; its loop runs in a thread of its own."""

    def __init__(self, upstream_port: int) -> None:
        self.port = 0
        self._upstream_port = upstream_port
        self._mode: Mode = "pass"
        self._cuts = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._healed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def connections(self) -> int:
        """Open ones, on both sides."""
        return len(self._writers)

    def disturb(self, mode: Mode) -> None:
        """Until `heal`. Connections that are open feel it as well."""
        asyncio.run_coroutine_threadsafe(self._set(mode), self._loop).result(10)

    def heal(self) -> None:
        self.disturb("pass")

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _set(self, mode: Mode) -> None:
        self._mode, self._cuts = mode, CUTS if mode == "cut" else 0
        if mode == "pass":
            self._healed.set()
        else:
            self._healed.clear()
        if mode == "reset":
            for writer in list(self._writers):
                _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        onward: asyncio.StreamWriter | None = None
        try:
            if self._mode in ("reset", "black hole", "half open"):
                await self._swallow(writer)
                return
            back, onward = await asyncio.open_connection("127.0.0.1", self._upstream_port)
            self._writers.add(onward)
            pumps = [
                asyncio.create_task(self._pump(reader, onward, writer, answers=False)),
                asyncio.create_task(self._pump(back, writer, onward, answers=True)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            _reset(writer)  # nobody listens behind us
        finally:
            for one in filter(None, (writer, onward)):
                self._writers.discard(one)
                one.close()

    async def _swallow(self, writer: asyncio.StreamWriter) -> None:
        """Hold a connection in silence until the end of the fault; a lost packet then shows."""
        if self._mode != "reset":
            await self._healed.wait()
        _reset(writer)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        other: asyncio.StreamWriter,
        *,
        answers: bool,
    ) -> None:
        """Returns when this connection is over."""
        client = writer if answers else other
        with suppress(OSError):
            async for chunk in self._delayed(reader):
                if self._mode == "cut" and answers and self._cuts and is_answer(chunk):
                    self._cuts -= 1
                    _reset(client)
                    return
                if self._mode == "half open":
                    (other if answers else writer).close()  # the server sees it end, the client not
                if self._mode in ("black hole", "half open", "reset"):
                    await self._swallow(client)
                    return
                writer.write(chunk)
                await writer.drain()

    async def _delayed(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What arrives, after the latency: each piece waits by itself, not behind the others."""
        arrived: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            chunk = b"-"
            while chunk:
                try:
                    chunk = await reader.read(_CHUNK)
                except OSError:
                    chunk = b""
                latency = LATENCY_SECONDS if self._mode == "latency" else 0.0
                arrived.put_nowait((self._loop.time() + latency, chunk))

        reading = asyncio.create_task(read())
        try:
            while True:
                due, chunk = await arrived.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not chunk:
                    return
                yield chunk
        finally:
            reading.cancel()


def is_answer(chunk: bytes) -> bool:
    """Whether a server has begun to answer: HTTP/1, or HTTP/2's HEADERS and DATA frames (RFC 9113
    section 4.1). Window updates, pings and settings come before the request was carried out."""
    if chunk.startswith(b"HTTP/1"):
        return True
    at = 0
    while at + _FRAME_HEADER <= len(chunk):
        length, kind = int.from_bytes(chunk[at : at + 3], "big"), chunk[at + 3]
        if kind in (_DATA, _HEADERS):
            return True
        at += _FRAME_HEADER + length
    return False


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: what is on its way is lost."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None and not writer.is_closing():
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
