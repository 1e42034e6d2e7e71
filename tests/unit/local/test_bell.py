"""The pipes that wake another process: who is woken, and what happens where nobody listens."""

import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import local.sqlite.store
from local.sqlite.bell import Bell
from local.sqlite.changes import Changes
from local.sqlite.database import open_database
from local.sqlite.queue import SqliteQueue
from local.sqlite.store import SqliteStore
from shared.domain.messages import Message
from shared.ports import Stored
from tests import ROOT
from tests.builders import NOON, an_activation

FAR_TOO_MANY = 100_000


def test_a_ring_is_heard_with_its_word_and_rings_keep_their_order(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    listener = bell.listen()
    bell.ring("a1")
    bell.ring("a2")
    assert listener.wait(10) == ["a1", "a2"]
    assert listener.wait(0) == []
    listener.close()


def test_another_process_can_ring(tmp_path: Path) -> None:
    listener = Bell(tmp_path / "bell").listen()
    code = (
        "import sys; from pathlib import Path; from local.sqlite.bell import Bell;"
        " Bell(Path(sys.argv[1])).ring('a1')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "bell")], cwd=ROOT, check=True)
    assert listener.wait(10) == ["a1"]
    listener.close()


def test_a_ring_that_nobody_hears_is_no_error(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    bell.ring("before anybody listened")
    bell.listen().close()
    bell.ring("after the listener ended")


def test_a_ring_never_blocks_however_many_wait(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    listener = bell.listen()
    for _ in range(FAR_TOO_MANY):
        bell.ring("a1")
    assert 0 < len(listener.wait(0)) < FAR_TOO_MANY
    listener.close()


def test_nobody_else_may_ring_or_listen(tmp_path: Path) -> None:
    Bell(tmp_path / "bell").listen().close()
    assert stat.S_IMODE((tmp_path / "bell").stat().st_mode) == 0o600


def test_a_change_wakes_those_who_wait_for_this_activation_and_nobody_else(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    changes = Changes(bell)
    with changes.of("a1") as one, changes.of("a1") as two, changes.of("a2") as other:
        while not one.is_set():
            bell.ring("a1")  # again, where its thread did not listen yet
        assert two.wait(10)
        assert not other.is_set()


def test_who_writes_or_erases_an_activation_rings_with_its_id(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    store, listener = SqliteStore(database), database.changed.listen()
    created = store.create(an_activation("a1"))
    store.replace(created.activation.cancelled(now=NOON), created.version)
    assert listener.wait(10) == ["a1"]
    store.delete("a1")
    assert listener.wait(10) == ["a1"]
    listener.close()


def test_who_publishes_rings(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    listener = database.published.listen()
    SqliteQueue(database, "requests").publish(Message(b"data"))
    assert listener.wait(10) == [""]
    listener.close()


def test_a_wait_ends_with_the_ring_and_not_with_its_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    class Watched(SqliteStore):
        def get(self, activation_id: str) -> Stored | None:
            found = super().get(activation_id)
            looked.set()
            return found

    monkeypatch.setattr(local.sqlite.store, "LOOK_SECONDS", 3600.0)
    store = Watched(open_database(tmp_path))
    stored = store.create(an_activation())
    waiting = threading.Thread(
        target=store.wait,
        args=("a1",),
        kwargs={"seen": stored.version, "seconds": 3600},
        daemon=True,
    )
    waiting.start()
    assert looked.wait(20)
    end = time.monotonic() + 20
    while waiting.is_alive() and time.monotonic() < end:
        # Again, where its thread did not listen yet.
        wanted = stored.activation.requeued(now=NOON, due_at=NOON)
        stored = store.replace(wanted, stored.version)
        waiting.join(0.05)
    assert not waiting.is_alive()
