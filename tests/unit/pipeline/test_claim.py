"""Claiming: one conditional write, and a read only after a conflict."""

from datetime import timedelta
from itertools import count

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation
from shared.domain.messages import ActivationMessage
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored
from tests.builders import LEASE, NOON, PAUSED, an_activation, an_answer
from tests.doubles import FakeTime, StoreWithFaults
from tests.support.stored_documents import UNREADABLE, change_document
from worker.pipeline.claim import Claimer


def a_claimer(store: ActivationStore, time: FakeTime) -> Claimer:
    numbers = count(1)
    return Claimer(
        store=store, lease=LEASE, clock=time.now, claim_id=lambda: f"claim-{next(numbers)}"
    )


def a_message(stored: Stored) -> ActivationMessage:
    return ActivationMessage(version=stored.version, activation=stored.activation)


def claimed(activation: Activation, claim_id: str = "somebody") -> Activation:
    return activation.claimed(claim_id=claim_id, now=NOON, lease=LEASE)


def test_the_first_delivery_claims_without_reading(store: SqliteStore, time: FakeTime) -> None:
    message = a_message(store.create(an_activation()))
    faulty = StoreWithFaults(store)
    found = a_claimer(faulty, time).claim(message)
    assert isinstance(found, Stored)
    assert found.activation.status == "processing"
    assert found.activation.attempt == 1
    assert found.activation.claim_id == "claim-1"
    assert faulty.reads == 0


def test_a_message_of_an_erased_activation_is_gone(store: SqliteStore, time: FakeTime) -> None:
    message = a_message(store.create(an_activation()))
    store.delete("a1")
    assert a_claimer(store, time).claim(message) == "gone"


def test_a_message_of_a_completed_activation_is_done(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    store.replace(created.activation.completed(an_answer(), now=NOON), created.version)
    assert a_claimer(store, time).claim(a_message(created)) == "done"


def test_one_in_a_status_of_a_later_release_is_left_to_that_release(
    store: SqliteStore, database: Database, time: FakeTime
) -> None:
    created = store.create(an_activation())
    store.replace(created.activation.requeued(now=NOON, due_at=NOON), created.version)
    change_document(database, "a1", lambda document: document.update(status="paused"))
    assert a_claimer(store, time).claim(a_message(created)) == "not_yet"


def test_a_message_of_an_unreadable_document_comes_again(
    store: SqliteStore, database: Database, time: FakeTime
) -> None:
    created = store.create(an_activation())
    store.replace(created.activation.requeued(now=NOON, due_at=NOON), created.version)
    change_document(database, "a1", UNREADABLE["mood 7"])
    with pytest.raises(StoreUnavailable):
        a_claimer(store, time).claim(a_message(created))


def test_a_message_of_a_cancelled_activation_is_done(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    store.replace(created.activation.cancelled(now=NOON), created.version)
    assert a_claimer(store, time).claim(a_message(created)) == "done"


def test_a_message_that_carries_an_ended_activation_is_not_believed(
    store: SqliteStore, time: FakeTime
) -> None:
    created = store.create(an_activation())
    forged = created.activation.completed(an_answer(), now=NOON)
    message = ActivationMessage(version=created.version, activation=forged)
    assert isinstance(a_claimer(store, time).claim(message), Stored)


def test_a_live_lease_is_left_alone(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    store.replace(claimed(created.activation), created.version)
    time.advance(LEASE.total_seconds() - 1)
    assert a_claimer(store, time).claim(a_message(created)) == "leased"


def test_an_expired_lease_is_taken_over_and_counts_a_further_attempt(
    store: SqliteStore, time: FakeTime
) -> None:
    created = store.create(an_activation())
    store.replace(claimed(created.activation), created.version)
    time.advance(LEASE.total_seconds())
    found = a_claimer(store, time).claim(a_message(created))
    assert isinstance(found, Stored)
    assert found.activation.attempt == 2


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_worker_whose_clock_is_wrong_neither_steals_early_nor_waits_for_ever(
    store: SqliteStore, time: FakeTime, minutes: int
) -> None:
    created = store.create(an_activation())
    store.replace(claimed(created.activation), created.version)
    claimer = Claimer(
        store=store, lease=LEASE, clock=lambda: time.now() + timedelta(minutes=minutes)
    )
    time.advance(LEASE.total_seconds() - 1)
    assert claimer.claim(a_message(created)) == "leased"
    time.advance(1)
    assert isinstance(claimer.claim(a_message(created)), Stored)


def test_a_released_one_is_not_taken_before_its_time(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    taken = store.replace(claimed(created.activation), created.version)
    pause_ends = time.now() + timedelta(seconds=53)
    released = taken.activation.released(
        now=NOON, not_before=pause_ends, spent=taken.activation.usage, attempts=(PAUSED,)
    )
    store.replace(released, taken.version)
    assert a_claimer(store, time).claim(a_message(created)) == "not_yet"
    time.advance(53)
    found = a_claimer(store, time).claim(a_message(created))
    assert isinstance(found, Stored)
    assert found.activation.attempt == 1


def test_an_own_claim_whose_answer_was_lost_is_recognised(
    store: SqliteStore, time: FakeTime
) -> None:
    message = a_message(store.create(an_activation()))
    faulty = StoreWithFaults(store)
    faulty.applied_but_raises.append(Conflict("the retry met our own write"))
    found = a_claimer(faulty, time).claim(message)
    assert isinstance(found, Stored)
    assert found.activation.claim_id == "claim-1"
    assert found.activation.attempt == 1


def test_an_unreachable_store_is_passed_on(store: SqliteStore, time: FakeTime) -> None:
    message = a_message(store.create(an_activation()))
    faulty = StoreWithFaults(store)
    faulty.raises.append(StoreUnavailable("told to"))
    with pytest.raises(StoreUnavailable):
        a_claimer(faulty, time).claim(message)


def test_conflicts_without_end_become_unavailable_instead_of_a_loop(
    store: SqliteStore, time: FakeTime
) -> None:
    message = a_message(store.create(an_activation()))
    faulty = StoreWithFaults(store)
    faulty.raises.extend([Conflict("told to")] * 100)
    with pytest.raises(StoreUnavailable):
        a_claimer(faulty, time).claim(message)


def test_a_message_of_a_paused_one_does_not_end_the_pause(
    store: SqliteStore, time: FakeTime
) -> None:
    """An ingress may publish what it reads back after its create's answer was lost."""
    created = store.create(an_activation())
    paused = created.activation.model_copy(update={"not_before": NOON + timedelta(seconds=37)})
    written = store.replace(paused, created.version)
    assert a_claimer(store, time).claim(a_message(written)) == "not_yet"
