"""One SQLite file for store and queue, shared by the local processes.

WAL lets readers and one writer work side by side. A commit outlives every crash of a process; a
durable one outlives a power cut as well, for 1.2 ms instead of 0.06. Every write is one statement
or one short immediate transaction.

One thread of a process writes at a time. So SQLite has it, too, but its busy handler sleeps, up to
100 ms a time, and tries again: a lock wakes the next writer as soon as the last one is done.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from local.sqlite.bell import Bell
from local.sqlite.flush import WalFlush
from shared.errors import StoreUnavailable

log = structlog.get_logger(__name__)

BUSY_SECONDS = 5.0
FILE_NAME = "innerjourney.db"
SCHEMA_VERSION = 2
CHECKPOINT_PAUSE_SECONDS = 0.05

SCHEMA = """
CREATE TABLE IF NOT EXISTS activations (
    activation_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER,
    version INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS activations_of_a_user
    ON activations (user_id, created_at DESC, activation_id DESC);
CREATE INDEX IF NOT EXISTS activations_recent ON activations (created_at DESC);
CREATE INDEX IF NOT EXISTS activations_due ON activations (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS dead_letters (
    message_id TEXT PRIMARY KEY,
    data BLOB NOT NULL,
    attributes TEXT NOT NULL,
    why TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    activation_id TEXT,
    user_id TEXT
);
CREATE TABLE IF NOT EXISTS submissions (
    counter TEXT NOT NULL,
    submitted_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS submissions_of_a_user ON submissions (counter);
CREATE TABLE IF NOT EXISTS messages (
    message_id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    data BLOB NOT NULL,
    attributes TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0,
    visible_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_visible ON messages (visible_at);
"""

FROM_VERSION_1 = """
ALTER TABLE dead_letters ADD COLUMN activation_id TEXT;
ALTER TABLE dead_letters ADD COLUMN user_id TEXT
"""


class _ClosesItself(sqlite3.Connection):
    """Closed with the thread that it belonged to; Python 3.13 warns of one that is only dropped."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it could not even be opened
            self.close()


class _Cursor(sqlite3.Cursor):
    """A statement is still running while its rows are fetched, so a fetch can fail like it."""

    def fetchone(self) -> Any:
        with _translated():
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        with _translated():
            return super().fetchall()


class Database:
    """A connection for each thread, opened when it is first needed."""

    def __init__(self, path: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._sleep = sleep
        self._writing = threading.RLock()
        self._flush = WalFlush(path.with_name(f"{path.name}-wal"))
        self.changed = Bell(path.with_name(f"{path.name}-changed"))
        """Rung with the id of an activation that was written."""
        self.published = Bell(path.with_name(f"{path.name}-published"))
        self._local = threading.local()

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        """One statement, which reads or is in a transaction. Raises StoreUnavailable."""
        with _translated():
            return self._connection().cursor(_Cursor).execute(statement, parameters)

    def write(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        """One statement, committed unless it is in a transaction. Raises StoreUnavailable."""
        with self._one_writer():
            return self.execute(statement, *parameters)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """The statements inside are committed together. Raises StoreUnavailable."""
        with self._one_writer():
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                self._forget_connection()
                raise
        if durable:
            with _translated():
                self._flush.wait()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise StoreUnavailable("another thread is writing")
        try:
            yield
        finally:
            self._writing.release()

    def forget_old_pages(self) -> None:
        """Write the file anew, without what was erased, and empty the write-ahead log.

        `secure_delete` is not enough: a row that SQLite moved to another page leaves a copy. While
        another program keeps reading the file, the log stays until the next time. Raises
        StoreUnavailable.
        """
        self.execute("VACUUM")
        end = time.monotonic() + BUSY_SECONDS
        while self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > end:
                log.warning("store.erased_pages_stay")
                return
            self._sleep(CHECKPOINT_PAUSE_SECONDS)  # SQLite does not wait for another checkpoint

    def _forget_connection(self) -> None:
        """This thread's next call opens a new one, so no failure can leave it in a transaction."""
        connection: sqlite3.Connection = self._local.connection
        del self._local.connection
        with suppress(sqlite3.Error):  # a disk that can't commit may not roll back either
            connection.rollback()
        connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._open()
            self._local.connection = connection
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            factory=_ClosesItself,
            check_same_thread=False,  # each thread has its own, but any may collect a dropped one
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
        connection.execute("PRAGMA temp_store = MEMORY")  # no copy of it in /tmp
        return connection


def open_database(data_dir: Path) -> Database:
    """The database in `data_dir`, which is made where it is missing.

    Raises StoreUnavailable when the folder or the file can't be written.
    """
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_private(path)
    except OSError as error:
        raise StoreUnavailable(error.strerror or "can't be made") from error
    database = Database(path)
    for statement in SCHEMA.split(";"):
        database.execute(statement)
    with database.transaction():
        if database.execute("PRAGMA user_version").fetchone()[0] == 1:
            for statement in FROM_VERSION_1.split(";"):
                database.execute(statement)
        # Where all is there already nothing was written yet; a disk may have become read-only.
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return database


def _keep_private(path: Path) -> None:
    """Nobody but the owner may read or write the database. Raises OSError."""
    # Made before SQLite does: it gives -wal and -shm the mode of the file. One that is there must
    # not be opened: closing it would end the locks that SQLite holds on it in this process.
    with suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(FileNotFoundError):
            path.with_name(name).chmod(0o600)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(str(error)) from error
