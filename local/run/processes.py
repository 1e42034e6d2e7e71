"""Child processes that end when we end. Each has its own process group and is killed with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POLL_SECONDS = 0.05
LEASH = (sys.executable, str(Path(__file__).with_name("leash.py")))


class NotReady(Exception):
    """A part ended or did not get ready in time; the message is one line for the terminal."""


@dataclass
class Child:
    """A command and its running process. `log` takes its output; without one it shares ours."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    cwd: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self.log.open("ab")) if self.log else None
            self._process = subprocess.Popen(
                [*LEASH, str(os.getpid()), *self.argv],
                env={**os.environ, **self.env},
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                # Its own session: Ctrl-C reaches us alone, and we stop the children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def exit_code(self) -> int | None:
        """None while it runs, or was never started."""
        return self._process.poll() if self._process else None

    def stop(self, *, grace_seconds: float) -> None:
        """SIGTERM, then, after the grace, SIGKILL to whatever is left of the group."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def stop_all(children: Sequence[Child], *, grace_seconds: float) -> None:
    """All at once, so that the slowest one's grace is the longest wait."""
    end = time.monotonic() + grace_seconds
    for child in children:
        if child.pid is not None and child.exit_code() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
    while time.monotonic() < end and any(_runs(child) for child in children):
        time.sleep(POLL_SECONDS)
    for child in children:
        child.stop(grace_seconds=0)


def _runs(child: Child) -> bool:
    return child.pid is not None and child.exit_code() is None
