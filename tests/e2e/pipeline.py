"""The whole pipeline as a user starts it: `python -m local`, in a folder and an environment of its
own, with the fake Gemini, driven over HTTP."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from shared.settings import Settings
from tests import ROOT
from tests.fake_gemini import FakeGemini
from tests.support.emulators import free_port
from tests.support.eventually import eventually

MARK = "INNERJOURNEY_TEST_RUN"
"""In the environment of everything that a run starts, so that what is left behind can be found."""

KEY = "nyckelkanarie-2846"
"""Gemini's key in every run: a canary."""

QUICKLY = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Spans are exported every 100 ms, instead of every 5 s."""

CLOUD_RUN_KILLS_AFTER_SECONDS = 10

GOOD = {"mood": 2, "goal": "komma igång"}


@dataclass
class Pipeline:
    """One run of `python -m local`; `start` and `stop` may alternate on the same data."""

    folder: Path
    emulators: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    port: int = field(default_factory=free_port)
    worker_port: int = field(default_factory=free_port)
    pubsub_port: int = field(default_factory=free_port)
    firestore_port: int = field(default_factory=free_port)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def worker_url(self) -> str:
        return f"http://127.0.0.1:{self.worker_port}"

    @property
    def output_file(self) -> Path:
        return self.folder / "output.log"

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def argv(self) -> list[str]:
        return [
            *(self.python, "-m", "local"),
            *("--port", str(self.port), "--worker-port", str(self.worker_port)),
            *("--data-dir", str(self.folder / ".data")),
            *("--pubsub-port", str(self.pubsub_port)),
            *("--firestore-port", str(self.firestore_port)),
            *(["--emulators"] if self.emulators else []),
        ]

    def start(self) -> None:
        with self.output_file.open("ab") as output:
            self._process = subprocess.Popen(
                self.argv,
                cwd=self.folder,
                env={**clean_environment(), MARK: self.mark, **self.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        eventually(self._announced, seconds=90, what=f"the start of {self.folder.name}")

    def stop(self, number: int = signal.SIGINT) -> int:
        """The exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(60)

    def kill_whatever_is_left(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop(signal.SIGTERM)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def processes(self, naming: str = "") -> list[int]:
        """The pids of all that this run has started, whoever their parent is now."""
        return [
            pid
            for pid in (
                int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()
            )
            if self.mark in _read(pid, "environ") and naming in _read(pid, "cmdline")
        ]

    def terminate(self, service: str, *, times: int = 1) -> None:
        """SIGTERM to the ingress or the worker, as Cloud Run ends one. Returns when it has ended
        in the time that Cloud Run gives it, with exit code 0; the supervisor starts another."""
        ended = self.output.count(f"exit_code=0 name={service}")
        [pid] = self.processes(naming=f"local.apps {service}")
        for _ in range(times):
            os.kill(pid, signal.SIGTERM)
        eventually(
            lambda: pid not in self.processes(naming=service),
            seconds=CLOUD_RUN_KILLS_AFTER_SECONDS,
            what=f"the end of the {service}",
        )
        eventually(lambda: self.output.count(f"exit_code=0 name={service}") > ended)

    def submit(self, **changes: Any) -> str:
        answer = requests.post(f"{self.url}/activations", json={**GOOD, **changes}, timeout=30)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["activation_id"])

    def show(self, activation_id: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/activations/{activation_id}", timeout=30)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def wait_until_done(self, activation_id: str, seconds: float = 60) -> dict[str, Any]:
        def done() -> dict[str, Any] | None:
            shown = self.show(activation_id)
            return shown if shown["done"] else None

        return eventually(done, seconds=seconds, what=f"the end of {activation_id}") or {}

    def sweep(self) -> dict[str, int]:
        counts: dict[str, int] = requests.post(f"{self.worker_url}/tasks/sweep", timeout=60).json()
        return counts

    def _announced(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.output
        return "Ctrl-C stops it" in self.output


def clean_environment() -> dict[str, str]:
    """Of a shell without our variables."""
    ours = {name.upper() for name in Settings.model_fields} | {"COLUMNS", "PYTEST_CURRENT_TEST"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PYTHONPATH": str(ROOT)}


@contextmanager
def running(
    folder: Path,
    gemini: FakeGemini | None = None,
    *,
    emulators: bool = False,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[Pipeline]:
    folder.mkdir(exist_ok=True)
    fake = {"GEMINI_API_KEY": KEY, "GEMINI_API_ENDPOINT": gemini.url} if gemini else {}
    pipeline = Pipeline(folder, emulators, {**fake, **(environment or {})}, python)
    try:
        pipeline.start()
        yield pipeline
    finally:
        pipeline.kill_whatever_is_left()


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""  # it has ended meanwhile
