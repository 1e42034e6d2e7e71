"""The count of a user's submits, on both stores. Each backend has two stores on one database, as
two processes have."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions as google_errors
from google.cloud.firestore import Client, DocumentReference

from local.sqlite.database import open_database
from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation
from shared.domain.daily_limit import counter_of
from shared.errors import AlreadyExists, LimitReached, StoreUnavailable
from shared.google import firestore
from shared.google.firestore import FirestoreStore
from shared.google.submissions import SUBMISSIONS, SubmissionCounters
from shared.ports import ActivationStore, Stored
from tests.builders import NOON, an_activation
from tests.support.emulators import PROJECT, GoogleEmulators

pytestmark = pytest.mark.filterwarnings("error")

A_DAY = timedelta(days=1)
A_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Backend:
    one: ActivationStore
    two: ActivationStore
    kept: Callable[[str], object]
    """All that is kept of a user's submits."""
    user: str = field(default_factory=lambda: uuid.uuid4().hex)

    def an_activation(self, **changes: object) -> Activation:
        # Made now: by the stores' own clocks none of these has expired.
        now = datetime.now(NOON.tzinfo)
        return an_activation(uuid.uuid4().hex, **{"user_id": self.user, "now": now, **changes})

    def submit(self, store: ActivationStore, limit: int = 2, **changes: object) -> Stored:
        return store.create(self.an_activation(**changes), daily_limit=limit)


@pytest.fixture(params=["sqlite", "firestore"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "firestore":
        found: Backend = request.getfixturevalue("on_firestore")
        return found
    first, second = (open_database(tmp_path) for _ in range(2))

    def rows(user: str) -> object:
        query = "SELECT * FROM submissions WHERE counter = ?"
        return first.execute(query, counter_of(user)).fetchall()

    return Backend(SqliteStore(first), SqliteStore(second), rows)


@pytest.fixture
def clients(emulators: GoogleEmulators) -> Iterator[list[Client]]:
    with emulators.found_by_libraries():
        found = [firestore.connect(PROJECT, "(default)") for _ in range(2)]
    yield found
    for client in found:
        client.close()


@pytest.fixture
def on_firestore(clients: list[Client]) -> Backend:
    collection = f"activations-{uuid.uuid4().hex}"
    first, second = (FirestoreStore(client, collection) for client in clients)

    def document(user: str) -> object:
        return counter(clients[0], user).get().to_dict()

    return Backend(first, second, document)


def counter(client: Client, user: str) -> DocumentReference:
    return client.collection(SUBMISSIONS).document(counter_of(user))


def test_no_more_are_created_than_the_limit(backend: Backend) -> None:
    backend.submit(backend.one)
    backend.submit(backend.one)
    refused = backend.an_activation()
    with pytest.raises(LimitReached):
        backend.one.create(refused, daily_limit=2)
    assert backend.one.get(refused.activation_id) is None


def test_another_store_on_the_database_goes_on_counting(backend: Backend) -> None:
    backend.submit(backend.one)
    backend.submit(backend.two)
    with pytest.raises(LimitReached):
        backend.submit(backend.one)


def test_nobody_else_is_counted(backend: Backend) -> None:
    backend.submit(backend.one, limit=1)
    assert backend.submit(backend.one, limit=1, user_id=uuid.uuid4().hex)


@pytest.mark.parametrize("erase", ["one", "all"])
def test_what_is_erased_stays_counted(backend: Backend, erase: str) -> None:
    created = backend.submit(backend.one, limit=1)
    if erase == "one":
        backend.one.delete(created.activation.activation_id)
    else:
        backend.one.delete_all(backend.user)
    for store in (backend.one, backend.two):
        with pytest.raises(LimitReached):
            backend.submit(store, limit=1)


def test_there_is_room_when_the_oldest_is_a_day_old_and_not_before(backend: Backend) -> None:
    now = datetime.now(NOON.tzinfo)
    backend.submit(backend.one, now=now)
    backend.submit(backend.one, now=now + timedelta(hours=1))
    with pytest.raises(LimitReached) as caught:
        backend.submit(backend.one, now=now + A_DAY - A_MICROSECOND)
    assert caught.value.free_at == now + A_DAY
    assert backend.submit(backend.two, now=now + A_DAY)


def test_under_a_lowered_limit_there_is_room_when_enough_are_a_day_old(backend: Backend) -> None:
    now = datetime.now(NOON.tzinfo)
    for hours in range(3):
        backend.submit(backend.one, limit=3, now=now + timedelta(hours=hours))
    with pytest.raises(LimitReached) as caught:
        backend.submit(backend.one, limit=2, now=now + timedelta(hours=3))
    assert caught.value.free_at == now + timedelta(hours=1) + A_DAY


def test_an_id_that_is_taken_takes_no_place(backend: Backend) -> None:
    created = backend.submit(backend.one)
    for store in (backend.one, backend.two):
        with pytest.raises(AlreadyExists):
            store.create(created.activation, daily_limit=2)
    assert backend.submit(backend.two)


def test_without_a_limit_nothing_is_counted(backend: Backend) -> None:
    backend.one.create(backend.an_activation())
    assert not backend.kept(backend.user)


def test_nothing_of_the_activation_and_no_name_is_kept_in_the_count(backend: Backend) -> None:
    created = backend.submit(backend.one, goal="något hemligt")
    kept = repr(backend.kept(backend.user))
    assert kept != "None"
    for personal in (backend.user, created.activation.activation_id, "hemligt"):
        assert personal not in kept


@pytest.mark.parametrize("stores", [1, 2])
def test_of_fifty_at_once_exactly_the_limit_pass(backend: Backend, stores: int) -> None:
    together = threading.Barrier(50)

    def passes(number: int) -> bool:
        store = (backend.one, backend.two)[number % stores]
        wanted = backend.an_activation()
        together.wait()
        try:
            store.create(wanted, daily_limit=10)
        except LimitReached:
            return False
        return store.get(wanted.activation_id) is not None

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(passes, range(50))) == 10


def test_sqlite_forgets_a_submit_after_a_day(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    SqliteStore(database).create(an_activation(), daily_limit=1)
    SqliteStore(database, clock=lambda: NOON + A_DAY).purge_expired()
    assert database.execute("SELECT count(*) FROM submissions").fetchone() == (0,)


def test_firestore_may_delete_a_counter_a_day_after_the_last_submit(
    on_firestore: Backend, clients: list[Client]
) -> None:
    for hours in range(2):
        on_firestore.submit(on_firestore.one, now=NOON + timedelta(hours=hours))
    stored = counter(clients[0], on_firestore.user).get()
    assert stored.get("expires_at") == NOON + timedelta(hours=1) + A_DAY


def test_a_counter_that_firestore_has_deleted_is_begun_anew(
    on_firestore: Backend, clients: list[Client]
) -> None:
    on_firestore.submit(on_firestore.one)
    counter(clients[0], on_firestore.user).delete()
    assert on_firestore.submit(on_firestore.one)


def test_a_counter_that_cannot_be_read_is_a_store_that_is_unavailable(
    on_firestore: Backend, clients: list[Client]
) -> None:
    counter(clients[0], on_firestore.user).set({"times": "?"})
    with pytest.raises(StoreUnavailable):
        on_firestore.submit(on_firestore.one)


def test_a_counter_that_changes_again_and_again_ends_within_the_total_deadline(
    clients: list[Client],
) -> None:
    class NeverInTime:
        """As if another process had always just written."""

        def __getattr__(self, name: str) -> Any:
            return getattr(clients[1]._firestore_api, name)

        def commit(self, **_: object) -> None:
            raise google_errors.FailedPrecondition("told to")

    clients[0]._firestore_api_internal = NeverInTime()
    counters = SubmissionCounters(clients[0], attempt_seconds=1, total_seconds=0.2)
    wanted = an_activation(uuid.uuid4().hex, user_id=uuid.uuid4().hex)
    document = clients[0].collection("activations").document(wanted.activation_id)
    with pytest.raises(StoreUnavailable):
        counters.create(document, {}, wanted, limit=1)


def test_a_submit_waits_for_others_of_its_user_for_the_total_deadline_at_most(
    clients: list[Client],
) -> None:
    counters = SubmissionCounters(clients[0], attempt_seconds=1, total_seconds=0.1)
    wanted = an_activation(uuid.uuid4().hex)
    document = clients[0].collection("activations").document(wanted.activation_id)
    with counters._counter(counter_of("anna")).lock, pytest.raises(StoreUnavailable):
        counters.create(document, {}, wanted, limit=1)
