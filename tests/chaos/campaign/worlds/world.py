"""What both backends share: processes that are kept up, found and ended."""

import contextlib
import os
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import requests

from local.run.processes import Child, stop_all
from shared.domain.messages import Message
from shared.ports import ActivationStore, Publisher
from tests import ROOT
from tests.chaos.campaign.proxy import Proxy
from tests.e2e.pipeline import MARK, Pipeline
from tests.support.emulators import free_port
from tests.support.eventually import eventually

PROJECT, TOPIC = "innerjourney-chaos", "activation-requests"
LOOK_SECONDS, RESTART_SECONDS, GRACE_SECONDS = 0.2, 1.0, 11.0
READY_SECONDS = 60.0


class World(ABC):
    """`ports`: those of the ingress, the worker and the second worker, by these names."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.pipeline = Pipeline(folder, environment=self.environment)
        self.mark = self.pipeline.mark
        self.ports = {
            "ingress": self.pipeline.port,
            "worker": self.pipeline.worker_port,
            "second worker": free_port(),
        }
        self.proxies: dict[str, Proxy] = {}
        self.notes: list[str] = []
        self.children: dict[str, Child] = {}
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_up, name="keeper", daemon=True)

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def store(self) -> ActivationStore:
        """Without a proxy between."""

    @abstractmethod
    def publisher(self) -> Publisher:
        """Without a proxy between."""

    @abstractmethod
    def read(self) -> Iterable[Message]:
        """What was published since the last look (messages.Tap)."""

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.log"

    def logs(self) -> dict[str, Path]:
        """Of our own services, by name."""
        return {name: self.log(name) for name in self.ports}

    def pids(self, name: str) -> list[int]:
        """Of a child's group of processes."""
        leader = self.children[name].pid
        return [pid for pid in self.pipeline.processes() if leader and _group_of(pid) == leader]

    def is_ready(self, name: str) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.get(f"{self.url(name)}/readyz", timeout=2).status_code == 200
            except requests.RequestException:
                return False

    def wait_until_ready(self, *names: str) -> None:
        for name in names:
            eventually(partial(self.is_ready, name), seconds=READY_SECONDS, what=name)

    def add(self, name: str, arguments: list[str], environment: Mapping[str, str] = {}) -> None:
        """One of `ports`, on loopback; Gemini knows it by its key."""
        own = {"PORT": str(self.ports[name]), "GEMINI_API_KEY": name.replace(" ", "-")}
        argv = [sys.executable, "-m", "local.apps", *arguments]
        self.children[name] = self.child(name, argv, {**environment, **own})

    def child(self, name: str, argv: list[str], environment: Mapping[str, str] = {}) -> Child:
        """It is started again whenever it ends."""
        return Child(
            name=name,
            argv=argv,
            env={**self.environment, MARK: self.mark, "PYTHONPATH": str(ROOT), **environment},
            log=self.log(name),
            cwd=self.folder,
        )

    def keep_up(self) -> None:
        """Starts what is not running yet. A child ends with the thread that started it."""
        for child in self.children.values():
            if child.pid is None:
                child.start()
        self._keeper.start()

    def resume(self) -> None:
        """What a fault that was broken off has left stopped: it could not end."""
        for pid in self.pipeline.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def stop_children(self) -> None:
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        services = [child for name, child in self.children.items() if name in self.ports]
        stop_all(services, grace_seconds=GRACE_SECONDS)
        stop_all(list(self.children.values()), grace_seconds=GRACE_SECONDS)

    def processes_left(self) -> list[str]:
        """Ends them, too."""
        left = []
        for pid in self.pipeline.processes():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            left.append(f"{pid} {command.decode(errors='replace')[:80]}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    def _keep_up(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            for child in self.children.values():
                if child.exit_code() is not None and not self._stopping.wait(RESTART_SECONDS):
                    child.start()


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
