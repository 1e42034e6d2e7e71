"""The supervisor when a part does not get up."""

import signal
import sys
from collections.abc import Iterator

import pytest

from local.run.processes import Child, NotReady
from local.run.supervisor import Supervisor
from tests.support.emulators import free_port


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class Background:
    """Stopping what was never started is an error, as it is for a thread."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")


def test_a_child_that_ends_at_once_stops_the_others_and_is_named() -> None:
    lasting = Child("lasting", [sys.executable, "-c", "import time; time.sleep(60)"])
    failing = Child("failing", [sys.executable, "-c", "raise SystemExit(3)"])
    background = Background()
    announced: list[bool] = []
    supervisor = Supervisor(
        children=[lasting, failing],
        ready_urls=[f"http://127.0.0.1:{free_port()}/readyz"],
        background=[background],
        announce=lambda: announced.append(True),
    )
    with pytest.raises(NotReady, match="failing ended with exit code 3"):
        supervisor.run()
    assert lasting.exit_code() is not None
    assert background.calls == []
    assert announced == []


def test_what_the_children_need_and_has_ended_is_named_at_once() -> None:
    """An emulator whose port was taken in the last moment, for one: nobody would get ready."""
    lasting = Child("lasting", [sys.executable, "-c", "import time; time.sleep(60)"])
    emulator = Child("firestore emulator", [sys.executable, "-c", "raise SystemExit(1)"])
    emulator.start()
    supervisor = Supervisor(
        children=[lasting],
        ready_urls=[f"http://127.0.0.1:{free_port()}/readyz"],
        background=[],
        announce=lambda: None,
        needs=[emulator],
    )
    with pytest.raises(NotReady, match="firestore emulator ended with exit code 1"):
        supervisor.run()
    assert lasting.exit_code() is not None
