"""What all systems share in one run: the fake Gemini, Redis, Google's emulators."""

import shutil
import socket
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local.emulators.programs import find_emulators, wait_until_listening
from local.run.processes import Child, stop_all
from shared.errors import SettingsError
from tests import ROOT

LOOPBACK = "127.0.0.1"


Need = Literal["redis", "emulator"]


@dataclass(frozen=True)
class Surroundings:
    python: str
    """That runs the systems."""
    gemini: str
    """Its address."""
    environment: dict[str, str]
    """Of the systems."""
    roots: dict[str, list[int]]
    """By name (gemini, redis, emulator), the processes."""
    missing: dict[Need, str]
    """Of what was asked for, why it is not there."""


@contextmanager
def started(folder: Path, needs: Collection[Need], python: str) -> Iterator[Surroundings]:
    """Raises NotReady."""
    gemini = free_port()
    listening = {gemini: _gemini(gemini, folder)}
    address = f"http://{LOOPBACK}:{gemini}"
    environment = {
        "PYTHONPATH": str(ROOT),
        "GEMINI_URL": address,
        "GEMINI_API_ENDPOINT": address,
        "no_grpc_proxy": LOOPBACK,
    }
    missing: dict[Need, str] = {}
    for need in needs:
        try:
            PREPARE[need](folder, listening, environment)
        except SettingsError as error:
            missing[need] = str(error)
    children = list(listening.values())
    try:
        for child in children:
            child.start()
        wait_until_listening(children, list(listening))
        roots: dict[str, list[int]] = {}
        for child in children:
            roots.setdefault(child.name.split()[-1], []).append(child.pid or 0)
        yield Surroundings(python, address, environment, roots, missing)
    finally:
        stop_all(children, grace_seconds=5)


def _gemini(port: int, folder: Path) -> Child:
    return Child(
        name="gemini",
        argv=[sys.executable, "-m", "bench.compare.gemini", str(port)],
        env={"PYTHONPATH": str(ROOT)},
        log=folder / "gemini.log",
    )


def _redis(folder: Path, listening: dict[int, Child], environment: dict[str, str]) -> None:
    """It keeps nothing on disk, which is how it is fastest. Raises SettingsError."""
    program = shutil.which("redis-server")
    if program is None:
        raise SettingsError("redis-server is not on the PATH: expected Debian's redis-server")
    port = free_port()
    kept = ("--save", "", "--appendonly", "no", "--dir", str(folder))
    listening[port] = Child(
        name="redis",
        argv=[program, "--bind", LOOPBACK, "--port", str(port), *kept],
        log=folder / "redis.log",
    )
    environment["REDIS_URL"] = f"redis://{LOOPBACK}:{port}/0"


def _emulators(folder: Path, listening: dict[int, Child], environment: dict[str, str]) -> None:
    """Raises SettingsError."""
    emulators = find_emulators()
    pubsub, firestore = free_port(), free_port()
    listening[pubsub] = emulators.pubsub(pubsub, folder)
    listening[firestore] = emulators.firestore(firestore, folder)
    environment["PUBSUB_EMULATOR_HOST"] = f"{LOOPBACK}:{pubsub}"
    environment["FIRESTORE_EMULATOR_HOST"] = f"{LOOPBACK}:{firestore}"


PREPARE: dict[Need, Callable[[Path, dict[int, Child], dict[str, str]], None]] = {
    "redis": _redis,
    "emulator": _emulators,
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
