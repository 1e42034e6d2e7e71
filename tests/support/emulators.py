"""Google's emulators for tests: started once, on free ports, stopped by pid."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from local.emulators.programs import find_emulators, wait_until_listening
from local.run.processes import stop_all
from shared.errors import SettingsError
from tests.support.needs import need

PROJECT = "innerjourney-tests"


@dataclass(frozen=True)
class GoogleEmulators:
    pubsub_host: str
    firestore_host: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PUBSUB_EMULATOR_HOST": self.pubsub_host,
            "FIRESTORE_EMULATOR_HOST": self.firestore_host,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }

    @contextmanager
    def found_by_libraries(self) -> Iterator[None]:
        """Google's libraries read the addresses from the environment when a client is built."""
        with mock.patch.dict(os.environ, self.environment):
            yield


def why_not() -> str | None:
    try:
        find_emulators()
    except SettingsError as error:
        return str(error)
    return None


def need_emulators() -> None:
    """Skip the test where they are missing; in CI that is a failure."""
    need("Google's emulators", why_not())


@contextmanager
def running_emulators(folder: Path) -> Iterator[GoogleEmulators]:
    programs = find_emulators()
    pubsub_port, firestore_port = free_port(), free_port()
    children = [programs.pubsub(pubsub_port, folder), programs.firestore(firestore_port, folder)]
    try:
        for child in children:
            child.start()
        wait_until_listening(children, (pubsub_port, firestore_port))
        yield GoogleEmulators(f"127.0.0.1:{pubsub_port}", f"127.0.0.1:{firestore_port}")
    finally:
        stop_all(children, grace_seconds=5)


WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

_HANDED_OUT: set[int] = set()


def free_port() -> int:
    """Never the same twice: the kernel may offer a port again that nobody has taken up yet.

    Nor one that another worker of pytest-xdist hands out. Linux offers odd ports first, so that
    pairs of ports are dealt out.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port // 2 % WORKERS == WORKER and port not in _HANDED_OUT:
            _HANDED_OUT.add(port)
            return port
