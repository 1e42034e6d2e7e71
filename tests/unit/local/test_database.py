"""The local file: who may read it, and what it says when it can't be used."""

import errno
import os
import resource
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from local.sqlite.database import FILE_NAME, Database, open_database
from local.sqlite.store import SqliteStore
from shared.errors import StoreUnavailable
from tests.builders import NOON, an_activation

NOBODY = 65534


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """Root may write everywhere: as nobody the permissions count."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_has_become_read_only_is_found_at_the_start() -> None:
    """Also where tables, -wal and -shm are left of a killed run, so that opening writes nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        left_over = sqlite3.connect(folder / FILE_NAME)
        open_database(folder).execute("SELECT 1")
        left_over.execute("SELECT * FROM activations").fetchall()
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555)
        with without_roots_rights(), pytest.raises(StoreUnavailable):
            open_database(folder)
        left_over.close()
        folder.chmod(0o755)


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each flush of the write-ahead log."""
    flushes: list[int] = []
    monkeypatch.setattr("local.sqlite.flush.flush_file", flushes.append)
    return flushes


def test_what_was_accepted_is_flushed_and_what_comes_after_need_not_be(
    tmp_path: Path, flushed: list[int]
) -> None:
    store = SqliteStore(open_database(tmp_path))
    created = store.create(an_activation())
    assert len(flushed) == 1
    store.replace(created.activation.cancelled(now=NOON), created.version)
    assert len(flushed) == 1


def test_a_commit_is_flushed_after_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, seen = open_database(tmp_path), []

    def look(_: int) -> None:
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as another:
            seen.append(another.execute("SELECT count(*) FROM messages").fetchone()[0])

    monkeypatch.setattr("local.sqlite.flush.flush_file", look)
    with database.transaction(durable=True):
        put_a_message(database)
    assert seen == [1]


def test_what_the_disk_does_not_confirm_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store = SqliteStore(open_database(tmp_path))
    monkeypatch.setattr("local.sqlite.flush.flush_file", refuse)
    with pytest.raises(StoreUnavailable):
        store.create(an_activation())


def test_a_file_that_is_no_database_is_an_outage_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("this is no database " * 100)
    with pytest.raises(StoreUnavailable):
        open_database(tmp_path)


def test_a_commit_that_fails_leaves_the_thread_outside_its_transaction(tmp_path: Path) -> None:
    """Busy is the one failure after which SQLite stays inside. With a write-ahead log no reader
    makes a commit wait; with the older journal one does."""
    database, reader = open_database(tmp_path), sqlite3.connect(tmp_path / FILE_NAME)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("PRAGMA busy_timeout = 1")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM messages").fetchall()
    with pytest.raises(StoreUnavailable, match="locked"), database.transaction():
        put_a_message(database)
    reader.close()
    with database.transaction():
        put_a_message(database)
    assert count_messages(database) == 1


def test_a_disk_that_is_full_is_named_also_where_sqlite_has_rolled_back_itself(
    tmp_path: Path,
) -> None:
    database = open_database(tmp_path)
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"), database.transaction():
        put_a_message(database, b"x" * 100_000)
    with database.transaction():
        put_a_message(database)
    assert count_messages(database) == 1


def test_a_commit_that_the_disk_refuses_is_undone_and_the_next_one_works(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with pytest.raises(StoreUnavailable), no_file_may_grow(), database.transaction():
        put_a_message(database, b"x" * 100_000)
    with database.transaction():
        put_a_message(database)
    assert count_messages(database) == 1


def test_an_error_between_its_statements_undoes_a_transaction(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with suppress(KeyError), database.transaction():
        put_a_message(database)
        raise KeyError
    assert count_messages(database) == 0


def test_while_another_writes_a_transaction_does_not_begin_and_later_it_does(
    tmp_path: Path,
) -> None:
    database, writer = open_database(tmp_path), sqlite3.connect(tmp_path / FILE_NAME)
    database.execute("PRAGMA busy_timeout = 1")
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"), database.transaction():
        put_a_message(database)
    writer.close()
    with database.transaction():
        put_a_message(database)
    assert count_messages(database) == 1


def test_a_page_that_turns_out_broken_while_rows_are_read_is_an_outage(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    for _ in range(200):
        put_a_message(database, b"x" * 1000)
    database.forget_old_pages()
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(-20 * 4096, os.SEEK_END)
        file.write(b"\xff" * 20 * 4096)
    with pytest.raises(StoreUnavailable, match="malformed"):
        open_database(tmp_path).execute("SELECT data FROM messages").fetchall()


def test_a_row_that_breaks_a_rule_of_its_table_is_an_outage_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_database(tmp_path).execute("INSERT INTO messages (topic) VALUES ('t')")


def test_a_file_of_the_first_version_is_brought_up_to_date_and_keeps_its_letters(
    tmp_path: Path,
) -> None:
    old = sqlite3.connect(tmp_path / FILE_NAME)
    old.executescript(
        "CREATE TABLE dead_letters (message_id TEXT PRIMARY KEY, data BLOB NOT NULL, attributes"
        " TEXT NOT NULL, why TEXT NOT NULL, received_at INTEGER NOT NULL);"
        "INSERT INTO dead_letters VALUES ('1', 'x', '{}', 'because', 0); PRAGMA user_version = 1"
    )
    old.close()
    for _ in range(2):
        database = open_database(tmp_path)
        found = database.execute("SELECT message_id, activation_id, user_id FROM dead_letters")
        assert found.fetchall() == [("1", None, None)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folder_and_files_are_for_their_owner_alone(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "data"
    with a_umask(umask):
        database = open_database(folder)
        put_a_message(database)
    assert modes(folder) == {FILE_NAME: 0o600, f"{FILE_NAME}-wal": 0o600, f"{FILE_NAME}-shm": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_files_that_were_open_to_everybody_are_closed_to_others_at_the_start(
    tmp_path: Path,
) -> None:
    left_over = open_database(tmp_path)
    put_a_message(left_over)
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    database = open_database(tmp_path)
    assert set(modes(tmp_path).values()) == {0o600}
    assert count_messages(database) == 1


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    """It may be anybody's: `--data-dir /tmp` must not close /tmp to all others."""
    tmp_path.chmod(0o755)
    open_database(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def put_a_message(database: Database, data: bytes = b"x") -> None:
    database.execute(
        "INSERT INTO messages (topic, data, attributes, published_at, visible_at)"
        " VALUES ('t', ?, '{}', 0, 0)",
        data,
    )


def count_messages(database: Database) -> int:
    return int(database.execute("SELECT count(*) FROM messages").fetchone()[0])


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@contextmanager
def a_umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def no_file_may_grow() -> Iterator[None]:
    """The kernel refuses every write of this process to a file, as a broken disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("written_at", [2**62, "x"])
def test_a_row_whose_time_is_none_hides_no_other(
    database: Database, store: SqliteStore, written_at: object
) -> None:
    for activation_id in ("a1", "a2"):
        store.create(an_activation(activation_id))
    database.execute("UPDATE activations SET written_at = ? WHERE activation_id = 'a1'", written_at)
    shown = store.page("anna", limit=10).items
    assert [stored.activation.activation_id for stored in shown] == ["a2"]
    with pytest.raises(StoreUnavailable):
        store.get("a1")
