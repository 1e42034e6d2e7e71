"""The load generator, in a process of its own: python -m bench.compare.load '{"url": …}'

It takes a Load as JSON and prints what it has seen as JSON. It asks over kept connections with
asyncio's streams, so that one process is far from being the bottleneck.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, Literal
from urllib.parse import urlsplit

Asks = Literal["gemini", "synchronous", "queue"]
BEFORE, AFTER = "uppgift ", "."
GEMINI_PATH = "/v1beta/models/gemini-flash-latest:generateContent"
POLL_SECONDS = 0.05
PREFER_WAIT = b"Prefer: wait=30\r\n"
SEED = 13
"""Of the arrivals: the same for every system."""


def goal(number: int) -> str:
    """Of the activation with this number, which the fake Gemini finds in it again."""
    return f"komma igång med {BEFORE}{number}{AFTER}"


def number_in(text: str) -> int:
    return int(text.partition(BEFORE)[2].partition(AFTER)[0])


@dataclass(frozen=True, kw_only=True)
class Load:
    """A closed loop of so many clients, or, with `per_second`, an open one with random arrivals.

    It ends after `seconds`, or, if sooner, when as many as `activations` are done. What is under
    way then has `grace_seconds` to be done.
    """

    url: str
    asks: Asks
    seconds: float
    clients: int = 0
    per_second: float = 0.0
    activations: int = 10**9
    wait: bool = False
    """With `Prefer: wait`, instead of polls after each 50 ms."""
    grace_seconds: float = 5.0
    first: int = 0
    """The number of the first activation."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Times are those of the monotonic clock, which all processes share."""

    began: float
    activations: list[tuple[int, float, float, float]]
    """Number, posted, accepted (when the POST was answered), done."""
    busy: int
    """How often a 503 asked to try again, which was done after 50 ms."""
    cpu_seconds: float
    """The load generator's own."""


class Refused(Exception):
    """An answer that no system should give."""


class Connection:
    """HTTP/1.1, one request at a time."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.busy = 0
        self._host, self._port = address.hostname, address.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", more: bytes = b"") -> "Answer":
        """Raises Refused."""
        while (answer := await self._ask_once(method, path, body, more)).status == 503:
            self.busy += 1
            await asyncio.sleep(POLL_SECONDS)
        if answer.status not in (200, 202):
            raise Refused(f"{answer.status}: {answer.body.decode(errors='replace')[:200]}")
        return answer

    async def _ask_once(self, method: str, path: str, body: bytes, more: bytes) -> "Answer":
        reader, writer = await self._open()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n".encode()
        if body:
            more += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        writer.write(head + more + b"\r\n" + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(_lower(line.partition(": ")) for line in lines[1:] if line)
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            await self.close()
        return Answer(int(lines[0].split(" ", 2)[1]), headers, content)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            with contextlib.suppress(ConnectionError):
                await self._streams[1].wait_closed()
            self._streams = None


def _lower(parts: tuple[str, str, str]) -> tuple[str, str]:
    return parts[0].lower(), parts[2]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def done(self) -> bool:
        return b'"done":true' in self.body or b'"done": true' in self.body


async def from_gemini(connection: Connection, number: int, _: bool) -> float:
    """The limit: nothing between the client and Gemini."""
    body = {"contents": [{"parts": [{"text": goal(number)}]}]}
    await connection.ask("POST", GEMINI_PATH, json.dumps(body).encode())
    return time.monotonic()


async def synchronously(connection: Connection, number: int, _: bool) -> float:
    await connection.ask("POST", "/gemini/getActivation", _request(number))
    return time.monotonic()


async def from_a_queue(connection: Connection, number: int, wait: bool) -> float:
    prefer = PREFER_WAIT if wait else b""
    asked = time.monotonic()
    answer = await connection.ask("POST", "/activations", _request(number), prefer)
    accepted = time.monotonic()
    where = urlsplit(answer.headers["location"]).path
    while not answer.done:
        # A server without a free slot for one who waits answers at once.
        waited = time.monotonic() - asked if wait else 0.0
        await asyncio.sleep(max(0.0, POLL_SECONDS - waited))
        asked = time.monotonic()
        answer = await connection.ask("GET", where, more=prefer)
    return accepted


# Each returns when its POST was answered.
ASK: dict[Asks, Callable[[Connection, int, bool], Coroutine[Any, Any, float]]] = {
    "gemini": from_gemini,
    "synchronous": synchronously,
    "queue": from_a_queue,
}


def _request(number: int) -> bytes:
    return json.dumps({"mood": 2, "goal": goal(number)}).encode()


class Generator:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._numbers = count(load.first)
        self._connections: list[Connection] = []
        self._free: list[Connection] = []
        self._done: list[tuple[int, float, float, float]] = []

    async def run(self) -> Seen:
        began, cpu = time.monotonic(), time.process_time()
        if self._load.per_second:
            await self._open_loop(began)
        else:
            end = began + self._load.seconds
            await self._in_time([self._client(end) for _ in range(self._load.clients)])
        return Seen(
            began=began,
            activations=self._done,
            busy=sum(connection.busy for connection in self._connections),
            cpu_seconds=time.process_time() - cpu,
        )

    async def _client(self, end: float) -> None:
        while time.monotonic() < end:
            number = next(self._numbers)
            if number >= self._load.first + self._load.activations:
                return
            await self._one(number)

    async def _open_loop(self, began: float) -> None:
        await self._in_time(
            [
                self._arrival(began + after, next(self._numbers))
                for after in arrivals(self._load.per_second, self._load.activations)
            ]
        )

    async def _arrival(self, at: float, number: int) -> None:
        await asyncio.sleep(at - time.monotonic())
        await self._one(number)

    async def _one(self, number: int) -> None:
        connection = self._free.pop() if self._free else self._connect()
        posted = time.monotonic()
        accepted = await ASK[self._load.asks](connection, number, self._load.wait)
        self._done.append((number, posted, accepted, time.monotonic()))
        self._free.append(connection)

    def _connect(self) -> Connection:
        self._connections.append(Connection(self._load.url))
        return self._connections[-1]

    async def _in_time(self, clients: list[Coroutine[Any, Any, None]]) -> None:
        """Raises what the first of them raises."""
        tasks = [asyncio.ensure_future(client) for client in clients]
        seconds = self._load.seconds + self._load.grace_seconds
        done, late = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in late:
            task.cancel()
        for connection in self._connections:
            await connection.close()
        for task in done:
            task.result()


def arrivals(per_second: float, number: int) -> Iterator[float]:
    """Seconds after the beginning, with exponential gaps, so that nothing falls into step."""
    chance = random.Random(SEED)
    after = 0.0
    for _ in range(number):
        after += chance.expovariate(per_second)
        yield after


def main() -> None:
    load = Load(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(asyncio.run(Generator(load).run()))))


if __name__ == "__main__":
    main()
