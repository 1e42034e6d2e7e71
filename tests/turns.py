"""Run several works in turns: each stops before every call to the outside.

A test chooses whose call is made next, so it can try every order in which processes may reach the
store, without a sleep. The test's own thread makes the calls, while the work's thread waits.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, cast

SECONDS_TO_THE_NEXT_CALL = 60.0
"""A work that takes longer is stuck. It fails the test; nobody waits for it otherwise."""

_here = threading.local()


class Killed(BaseException):
    """Raised inside a work whose process was killed, so that it makes no further call."""


@dataclass(frozen=True)
class Call:
    name: str
    make: Callable[[], Any]


class Work:
    """What one process does for one request, in a thread of its own."""

    def __init__(self, run: Callable[["Work"], object]) -> None:
        """Starts it, and returns when it stops before its first call, or has ended."""
        self.call: Call | None = None
        """What it wants to do next; None when it has ended."""
        self.result: object = None
        self.error: Exception | None = None
        self._killed = False
        self._wanted: SimpleQueue[Call | None] = SimpleQueue()
        self._answers: SimpleQueue[Callable[[], Any]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self._thread.start()
        self._wait()

    @property
    def next_call(self) -> str:
        return "" if self.call is None else self.call.name

    @property
    def ended(self) -> bool:
        return self.call is None

    def ask(self, call: Call) -> Any:
        """Called by the work: stops until the test answers."""
        if self._killed:
            raise Killed
        self._wanted.put(call)
        return self._answers.get()()

    def go_on(self, make: Callable[[], Any] | None = None) -> None:
        """Make its call, or `make` in place of it, and wait for its next one."""
        assert self.call is not None, "it has ended"
        self._answers.put(_answer_of(make or self.call.make))
        self._wait()

    def kill(self) -> None:
        """Let it make no further call, and wait for its end."""
        if not self.ended:
            self._killed = True
            self._answers.put(_raising(Killed()))
            self._wait()

    def _run(self, run: Callable[["Work"], object]) -> None:
        _here.work = self
        try:
            self.result = run(self)
        except Exception as error:
            self.error = error
        except Killed:
            pass
        self._wanted.put(None)

    def _wait(self) -> None:
        self.call = self._wanted.get(timeout=SECONDS_TO_THE_NEXT_CALL)
        if self.call is None:
            self._thread.join()


def stop(name: str) -> None:
    """Called in the thread of a work: stop between two calls to the outside."""
    work: Work = _here.work
    work.ask(Call(name, lambda: None))


Outside = TypeVar("Outside")


def stopping(outside: Outside, pool_of: Work | None = None) -> Outside:
    """A stand-in for a store, a queue or Gemini: a work that calls it stops first.

    A thread that a work has started itself stops as `pool_of`, if that is given. Any other thread
    calls directly.
    """
    return cast(Outside, _Stopping(outside, pool_of))


class _Stopping:
    def __init__(self, inner: object, pool_of: Work | None) -> None:
        self._inner = inner
        self._pool_of = pool_of

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._inner, name)
        work: Work | None = getattr(_here, "work", self._pool_of)
        if work is None:
            return method
        return lambda *args, **named: work.ask(Call(name, partial(method, *args, **named)))


def one_thread(_: int, **named: Any) -> ThreadPoolExecutor:
    """In place of a pool of several, so that each of its calls has its turn, in the same order."""
    return ThreadPoolExecutor(1, **named)


World = TypeVar("World")


def each_order(start: Callable[[], tuple[World, Sequence[Work]]]) -> Iterator[tuple[World, str]]:
    """Run the works to their end in every order of their calls: the world and the order of each.

    `start` makes a new world for each order. The first work meets all the others, which never meet
    each other: of two orders in which only they change places one is left out.
    """
    chosen: list[int] = []
    while True:
        world, works = start()
        choices: list[list[int]] = []
        order: list[str] = []
        while able := _able_to_go_on(works, last=chosen[len(choices) - 1] if choices else 0):
            if len(choices) == len(chosen):
                chosen.append(able[0])
            number = chosen[len(choices)]
            choices.append(able)
            order.append(f"{number}:{works[number].next_call}")
            works[number].go_on()
        yield world, " ".join(order)
        while choices and choices[-1][-1] == chosen[-1]:
            choices.pop()
            chosen.pop()
        if not choices:
            return
        chosen[-1] = next(one for one in choices[-1] if one > chosen[-1])


def _able_to_go_on(works: Sequence[Work], last: int) -> list[int]:
    running = [number for number, work in enumerate(works) if not work.ended]
    if works[0].ended:
        return running[:1]
    return [number for number in running if number == 0 or number >= last]


def _answer_of(make: Callable[[], Any]) -> Callable[[], Any]:
    """Raises what a failed expectation of the test raises; any other error is the work's."""
    try:
        return partial(_same, make())
    except AssertionError:
        raise
    except Exception as error:
        return _raising(error)


def _same(value: Any) -> Any:
    return value


def _raising(error: BaseException) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer
