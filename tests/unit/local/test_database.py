"""The local file: what it says when it can't be used."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from local.sqlite.database import FILE_NAME, open_database
from local.sqlite.store import SqliteStore
from shared.errors import StoreUnavailable
from tests.builders import an_activation

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


def test_a_file_that_is_no_database_is_an_outage_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("this is no database " * 100)
    with pytest.raises(StoreUnavailable):
        open_database(tmp_path)


def test_what_is_erased_is_in_no_file_any_more(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    store = SqliteStore(database)
    now = datetime.now(timezone.utc)
    for name in ("one", "two"):
        store.create(an_activation(name, goal=f"kanarie-{name}", now=now))
    store.delete("one")
    assert b"kanarie-two" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.delete_all("anna")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"kanarie" not in kept
