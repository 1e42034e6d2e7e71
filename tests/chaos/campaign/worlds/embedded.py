"""The local run on SQLite, as a user starts it."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from local.apps import sqlite_adapters
from local.sqlite.database import FILE_NAME
from shared.domain.messages import Message
from shared.ports import ActivationStore, Publisher
from shared.settings import read_settings
from tests.chaos.campaign.worlds.world import READY_SECONDS, TOPIC, World
from tests.support.eventually import eventually

LOOK_SECONDS = 0.025
ANNOUNCED = "Ctrl-C stops it"
DISK_BYTES = 64 * 1024 * 1024


class Embedded(World):
    """`python -m local`, and a second worker on the same file."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(folder, environment)
        self.data = folder / ".data"
        self._read_up_to = 0
        self._mounted = False

    def logs(self) -> dict[str, Path]:
        return {"worker": self.pipeline.output_file, "second worker": self.log("second worker")}

    def start(self) -> None:
        self.data.mkdir()
        self._mounted = _mount(self.data)
        if not self._mounted:
            self.notes.append("no disk is filled: mounting a small one needs root")
        self.pipeline.start()
        self.add("second worker", ["worker", "--data-dir", str(self.data)])
        self.keep_up()
        self.wait_until_ready(*self.ports)

    def stop(self) -> None:
        if self.pids("supervisor"):
            self.pipeline.stop(signal.SIGTERM)
        self.stop_children()
        if self._mounted:
            subprocess.run(["umount", "--lazy", str(self.data)], check=False)

    def pids(self, name: str) -> list[int]:
        if name == "supervisor":
            process = self.pipeline._process
            return [process.pid] if process and process.poll() is None else []
        if name in self.children:
            return super().pids(name)
        port = f"PORT={self.ports[name]}"
        return [pid for pid in self.pipeline.processes() if port in _environment(pid)]

    def restart_supervisor(self) -> None:
        """When its children are gone: they end when they see it gone, and hold the ports."""
        if self.pipeline._process is not None:
            self.pipeline._process.wait(READY_SECONDS)
        eventually(lambda: not self.pids("ingress") + self.pids("worker"), what="its children")
        starts = self.pipeline.output.count(ANNOUNCED)
        self.pipeline.start()
        eventually(
            lambda: self.pipeline.output.count(ANNOUNCED) > starts,
            seconds=READY_SECONDS,
            what="the local run's new start",
        )

    def store(self) -> ActivationStore:
        return sqlite_adapters(read_settings(), self.data)[0]

    def publisher(self) -> Publisher:
        return sqlite_adapters(read_settings(), self.data)[1]

    def read(self) -> Iterable[Message]:
        time.sleep(LOOK_SECONDS)
        with contextlib.closing(self.connect()) as connection:
            try:
                found = connection.execute(
                    "SELECT message_id, data, attributes FROM messages"
                    " WHERE message_id > ? AND topic = ? ORDER BY message_id",
                    (self._read_up_to, TOPIC),
                ).fetchall()
            except sqlite3.DatabaseError:
                return []
        self._read_up_to = max((self._read_up_to, *(row[0] for row in found)))
        return [Message(bytes(data), json.loads(text)) for _, data, text in found]

    def lock_database(self, wait: Callable[[], object]) -> None:
        with contextlib.closing(self.connect()) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            wait()
            connection.execute("ROLLBACK")

    def fill_disk(self, wait: Callable[[], object]) -> None:
        if not self._mounted:
            return
        filler = self.data / "filler"
        try:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(b"\0" * 65_536):
                    pass
            wait()
        finally:
            filler.unlink()

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.data / FILE_NAME, timeout=20, isolation_level=None)


def _environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _mount(folder: Path) -> bool:
    if os.geteuid():
        return False
    size = f"size={DISK_BYTES}"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "chaos", str(folder)], check=False)
    return done.returncode == 0
