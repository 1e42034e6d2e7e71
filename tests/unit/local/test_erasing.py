"""What is erased is in no file of the data folder any more."""

import random
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from local.sqlite.database import FILE_NAME, Database, open_database
from local.sqlite.queue import Delivery, SqliteQueue
from local.sqlite.store import SqliteStore
from shared.domain.messages import DeadLetter, Message, encode
from shared.ports import Stored
from tests.builders import an_activation

ACK_DEADLINE = timedelta(seconds=120)
NOW = datetime.now(timezone.utc)


class Folder:
    """Store and queue on one file, and all bytes of the folder that holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = open_database(path)
        self.store = SqliteStore(self.database)
        self.queue = SqliteQueue(self.database, "requests")

    def holds(self, text: str) -> bool:
        return text.encode() in b"".join(path.read_bytes() for path in self.path.iterdir())

    def submit(self, name: str) -> Stored:
        stored = self.store.create(an_activation(name, goal=f"kanarie-{name}", now=NOW))
        self.queue.publish(encode(stored.activation, stored.version))
        return stored

    def lease(self) -> Delivery:
        (delivery,) = self.queue.lease(["requests"], limit=1, ack_deadline=ACK_DEADLINE)
        return delivery


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_erasing_one_leaves_the_others(folder: Folder) -> None:
    for name in ("one", "two"):
        folder.submit(name)
    folder.store.delete("one")
    assert not folder.holds("kanarie-one")
    assert folder.holds("kanarie-two")


def test_one_that_is_erased_while_gemini_works_is_gone_before_its_message_is_acked(
    folder: Folder,
) -> None:
    folder.submit("one")
    delivery = folder.lease()
    folder.store.delete("one")
    assert not folder.holds("kanarie")
    folder.queue.ack(delivery)
    assert not folder.holds("kanarie")


def test_erasing_all_of_a_user_takes_the_messages_too(folder: Folder) -> None:
    for name in ("one", "two"):
        folder.submit(name)
    folder.store.delete_all("anna")
    assert not folder.holds("kanarie")
    assert folder.queue.next_visible_at() is None


def test_messages_of_others_are_delivered_all_the_same(folder: Folder) -> None:
    folder.submit("one")
    theirs = folder.store.create(an_activation("two", user_id="bo", now=NOW))
    message = encode(theirs.activation, theirs.version)
    folder.queue.publish(message)
    folder.store.delete_all("anna")
    assert folder.lease().message == message


def test_one_that_is_published_again_while_it_is_erased_is_gone_when_that_is_acked(
    folder: Folder,
) -> None:
    """The sweep has read it before, and publishes after."""
    stored = folder.submit("one")
    folder.store.delete("one")
    folder.queue.publish(encode(stored.activation, stored.version))
    delivery = folder.lease()
    folder.queue.ack(delivery)
    assert not folder.holds("kanarie")


def test_an_erased_message_is_not_brought_back_as_a_dead_letter(folder: Folder) -> None:
    folder.submit("one")
    delivery = folder.lease()
    folder.store.delete("one")
    folder.queue.move(delivery, topic="dead", attributes={})
    assert folder.queue.next_visible_at() is None
    assert not folder.holds("kanarie")


def test_its_dead_letters_go_with_it(folder: Folder) -> None:
    stored = folder.submit("one")
    message = encode(stored.activation, stored.version)
    folder.store.keep_dead_letter(a_letter(message))
    folder.store.delete("one")
    assert not folder.holds("kanarie")


def test_a_discarded_dead_letter_leaves_no_copy(folder: Folder) -> None:
    folder.store.keep_dead_letter(a_letter(Message(b"kanarie")))
    assert folder.holds("kanarie")
    folder.store.discard_dead_letter(a_letter(Message(b"")).message_id)
    assert not folder.holds("kanarie")


def test_an_erasure_that_a_crash_cut_off_is_finished_at_the_next_start(folder: Folder) -> None:
    folder.submit("one")
    folder.database.execute("DELETE FROM messages")
    folder.database.execute("DELETE FROM activations")
    assert folder.holds("kanarie-one")
    folder.store.purge_expired()
    assert not folder.holds("kanarie-one")


def test_what_sqlite_moves_from_page_to_page_leaves_no_copy(folder: Folder) -> None:
    """With secure_delete alone 3 of these 200 stayed, in the gap of a page they had moved from."""
    rand = random.Random(5)
    names = [f"{number}-" for number in range(200)]
    for name in names:
        goal = f"kanarie-{name}{'x' * rand.randrange(400)}"
        folder.store.create(an_activation(name, goal=goal, now=NOW))
    for name in rand.sample(names, len(names)):
        stored = folder.store.get(name)
        assert stored is not None
        longer = {"traceparent": "t" * rand.randrange(900)}
        folder.store.replace(stored.activation.model_copy(update=longer), stored.version)
    stayed = []
    for name in rand.sample(names, len(names)):
        folder.store.delete(name)
        if folder.holds(f"kanarie-{name}"):
            stayed.append(name)
    assert stayed == []


HOLDS_THE_CHECKPOINT_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as shm:
    fcntl.lockf(shm, fcntl.LOCK_EX, 1, 121)  # <sqlite/src/wal.c> and os_unix.c: WAL_CKPT_LOCK
    print("holds it", flush=True)
    sys.stdin.read()
"""


def test_while_another_process_copies_the_log_an_erasure_waits_for_it(folder: Folder) -> None:
    """SQLite itself does not: a checkpoint that meets another gives up at once."""
    folder.submit("one")
    shm = folder.path / f"{FILE_NAME}-shm"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_CHECKPOINT_LOCK, str(shm)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"holds it\n"

        def end_the_other(_: float) -> None:
            other.communicate()

        database = Database(folder.path / FILE_NAME, sleep=end_the_other)
        SqliteStore(database).delete("one")
    assert not folder.holds("kanarie")


def test_while_another_program_keeps_reading_the_erasure_ends_with_a_warning(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.sqlite.database.BUSY_SECONDS", 0.01)
    folder.submit("one")
    reader = sqlite3.connect(folder.path / FILE_NAME)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM activations").fetchall()
    with capture_logs() as lines:
        SqliteStore(Database(folder.path / FILE_NAME)).delete("one")
    assert [line["event"] for line in lines] == ["store.erased_pages_stay"]
    reader.close()
    folder.store.delete("one")
    assert not folder.holds("kanarie")


def a_letter(message: Message) -> DeadLetter:
    return DeadLetter(
        message_id="1",
        data=message.data,
        attributes=message.attributes,
        why="because",
        received_at=NOW,
    )
