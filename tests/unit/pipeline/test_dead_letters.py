"""Dead letters: what the queue gave up on is answered or kept."""

from datetime import timedelta

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.activation import Usage
from shared.domain.messages import Message, encode
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore
from tests.builders import FALLBACK, LEASE, NOON, PAUSED, an_activation, an_answer
from tests.doubles import FakeTime, StoreWithFaults
from tests.support.stored_documents import change_document
from worker.pipeline.dead_letters import KEPT_BYTES, DeadLetters


def dead_letters(store: ActivationStore, time: FakeTime) -> DeadLetters:
    return DeadLetters(store=store, fallback=FALLBACK, lease=LEASE, clock=time.now)


def submitted(store: SqliteStore) -> Message:
    stored = store.create(an_activation())
    return encode(stored.activation, stored.version)


def given_up(store: SqliteStore, time: FakeTime) -> Message:
    """One whose worker died in its claim, and whose message was delivered too often since."""
    created = store.create(an_activation())
    claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
    store.replace(claimed, created.version)
    time.advance(LEASE.total_seconds())
    return encode(created.activation, created.version)


def test_it_is_answered_from_the_library_and_marked(store: SqliteStore, time: FakeTime) -> None:
    assert dead_letters(store, time).handle("m1", given_up(store, time))
    found = store.get("a1")
    assert found is not None
    assert (found.activation.source, found.activation.fallback_reason) == (
        "fallback",
        "undeliverable",
    )


def test_the_claim_of_the_worker_that_died_is_in_the_history(
    store: SqliteStore, time: FakeTime
) -> None:
    dead_letters(store, time).handle("m1", given_up(store, time))
    found = store.get("a1")
    assert found is not None
    assert [one.outcome for one in found.activation.attempts] == ["lease_expired"]


@pytest.mark.parametrize("paused", [False, True])
def test_one_that_only_waits_is_left_to_the_sweep(
    store: SqliteStore, time: FakeTime, paused: bool
) -> None:
    message = submitted(store)
    if paused:
        created = store.get("a1")
        assert created is not None
        claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
        later = NOON + timedelta(seconds=200)
        waiting = claimed.released(now=NOON, not_before=later, spent=Usage(), attempts=(PAUSED,))
        store.replace(waiting, created.version)
    assert dead_letters(store, time).handle("m1", message)
    found = store.get("a1")
    assert found is not None
    assert found.activation.status == "queued"
    assert found.activation.due_at is not None


def test_one_that_waited_past_its_deadline_is_answered(store: SqliteStore, time: FakeTime) -> None:
    message = submitted(store)
    time.advance(300)
    assert dead_letters(store, time).handle("m1", message)
    found = store.get("a1")
    assert found is not None
    assert found.activation.fallback_reason == "undeliverable"


def test_the_same_one_twice_changes_nothing(store: SqliteStore, time: FakeTime) -> None:
    message = submitted(store)
    letters = dead_letters(store, time)
    letters.handle("m1", message)
    before = store.get("a1")
    assert letters.handle("m2", message)
    after = store.get("a1")
    assert before is not None
    assert after is not None
    assert after.version == before.version


def test_a_result_that_is_there_already_is_kept(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    store.replace(created.activation.completed(an_answer(), now=NOON), created.version)
    assert dead_letters(store, time).handle("m1", encode(created.activation, created.version))
    found = store.get("a1")
    assert found is not None
    assert found.activation.source == "gemini"


def test_while_a_worker_is_at_it_the_letter_comes_again(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
    store.replace(claimed, created.version)
    letters = dead_letters(store, time)
    message = encode(created.activation, created.version)
    assert not letters.handle("m1", message)
    time.advance(LEASE.total_seconds())
    assert letters.handle("m1", message)


def test_one_in_a_status_of_a_later_release_is_left_to_that_releases_sweep(
    store: SqliteStore, database: Database, time: FakeTime
) -> None:
    message = submitted(store)
    change_document(database, "a1", lambda document: document.update(status="paused"))
    assert dead_letters(store, time).handle("m1", message)
    found = store.get("a1")
    assert found is not None
    assert found.activation.status == "paused"


def test_one_of_an_erased_activation_is_done_with(store: SqliteStore, time: FakeTime) -> None:
    message = submitted(store)
    store.delete("a1")
    assert dead_letters(store, time).handle("m1", message)
    assert store.get("a1") is None


def test_what_cannot_be_understood_is_kept_as_it_came(
    store: SqliteStore, database: Database, time: FakeTime
) -> None:
    assert dead_letters(store, time).handle("m1", Message(b"\xff", {"schema": "7"}))
    row = database.execute("SELECT data, attributes, why FROM dead_letters").fetchone()
    assert row == (b"\xff", '{"schema": "7"}', "schema '7', expected '1'")


def test_a_letter_too_large_for_a_document_is_cut(
    store: SqliteStore, database: Database, time: FakeTime
) -> None:
    dead_letters(store, time).handle("m1", Message(b"x" * (KEPT_BYTES + 1)))
    assert database.execute("SELECT length(data) FROM dead_letters").fetchone() == (KEPT_BYTES,)


def test_one_that_is_written_meanwhile_is_looked_at_again(
    store: SqliteStore, time: FakeTime
) -> None:
    message = given_up(store, time)
    faulty = StoreWithFaults(store)
    faulty.raises.append(Conflict("a worker was quicker"))
    assert dead_letters(faulty, time).handle("m1", message)
    assert faulty.reads == 2


def test_an_unreachable_store_is_passed_on(store: SqliteStore, time: FakeTime) -> None:
    message = given_up(store, time)
    faulty = StoreWithFaults(store)
    faulty.raises.append(StoreUnavailable("told to"))
    with pytest.raises(StoreUnavailable):
        dead_letters(faulty, time).handle("m1", message)
