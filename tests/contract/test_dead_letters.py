"""The dead letters as operators look after them, on both stores."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.sqlite.database import open_database
from local.sqlite.store import SqliteStore
from shared.domain.messages import DeadLetter
from shared.google import firestore
from shared.google.firestore import FirestoreStore
from tests.builders import NOON
from tests.support.emulators import PROJECT

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(params=["sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore | FirestoreStore]:
    if request.param == "sqlite":
        yield SqliteStore(open_database(tmp_path))
        return
    emulators = request.getfixturevalue("emulators")
    with emulators.found_by_libraries():
        client = firestore.connect(PROJECT, "(default)")
    yield FirestoreStore(client, "activations")
    client.close()


def kept(store: SqliteStore | FirestoreStore, message_id: str = "") -> DeadLetter:
    letter = DeadLetter(
        message_id=message_id or uuid.uuid4().hex,
        data=b"\x00\xff",
        attributes={"schema": "7", "a.b/c`": "å"},
        why="because",
        received_at=NOON,
    )
    store.keep_dead_letter(letter)
    return letter


def test_one_is_found_as_it_was_kept(store: SqliteStore | FirestoreStore) -> None:
    letter = kept(store)
    assert store.dead_letter(letter.message_id) == letter


@pytest.mark.parametrize("message_id", ["nobody", "", ".", "__a__", "a/b", "a/b/c", "å" * 1_000])
def test_an_unknown_one_is_none(store: SqliteStore | FirestoreStore, message_id: str) -> None:
    assert store.dead_letter(message_id) is None


def test_they_are_read_page_by_page_each_once(store: SqliteStore | FirestoreStore) -> None:
    mine = uuid.uuid4().hex  # others' letters may be there as well
    letters = [kept(store, f"{mine}-{number}") for number in (2, 0, 1)]
    by_id = sorted(letters, key=lambda letter: letter.message_id)
    first = store.dead_letters(limit=2, after=mine)
    assert first == by_id[:2]
    assert store.dead_letters(limit=1, after=first[-1].message_id) == by_id[2:]


def test_the_first_page_needs_no_beginning(store: SqliteStore | FirestoreStore) -> None:
    letter = kept(store, "0")
    assert store.dead_letters(limit=1) == [letter]


def test_a_discarded_one_is_gone_and_may_be_discarded_again(
    store: SqliteStore | FirestoreStore,
) -> None:
    letter, other = kept(store), kept(store)
    store.discard_dead_letter(letter.message_id)
    store.discard_dead_letter(letter.message_id)
    assert store.dead_letter(letter.message_id) is None
    assert store.dead_letter(other.message_id) == other
