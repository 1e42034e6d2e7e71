"""The sweep: nothing that was accepted is forgotten."""

from datetime import timedelta

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.activation import REPUBLISH_AFTER, SWEEP_GRACE, Activation, Usage
from shared.domain.messages import Message, decode
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored
from tests.builders import FALLBACK, LEASE, NOON, PAUSED, an_activation, an_answer
from tests.doubles import FakePublisher, FakeTime, StoreWithFaults
from tests.support.stored_documents import UNREADABLE, change_document
from worker.pipeline.claim import Claimer
from worker.pipeline.sweep import (
    NEXT_PUBLISH,
    REPUBLISH_AGAIN_AFTER,
    TOTAL_SECONDS,
    Sweeper,
)


def a_sweeper(
    store: ActivationStore, publisher: FakePublisher, time: FakeTime, batch: int = 100
) -> Sweeper:
    return Sweeper(
        store=store,
        publisher=publisher,
        fallback=FALLBACK,
        lease=LEASE,
        clock=time.now,
        batch=batch,
        at_once=1,
        monotonic=time.monotonic,
    )


def there(store: SqliteStore, activation_id: str = "a1") -> Activation:
    found = store.get(activation_id)
    assert found is not None
    return found.activation


def test_what_was_never_published_is_published_within_a_minute(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    store.create(an_activation())
    time.advance(REPUBLISH_AFTER.total_seconds() - 1)
    assert a_sweeper(store, publisher, time).sweep().due == 0
    time.advance(1)
    assert a_sweeper(store, publisher, time).sweep().republished == 1
    assert time.passed < 60
    (message,) = publisher.published
    assert decode(message).activation.activation_id == "a1"


def test_what_was_published_again_can_be_claimed_without_a_read(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    store.create(an_activation())
    time.advance(60)
    a_sweeper(store, publisher, time).sweep()
    counting = StoreWithFaults(store)
    claimer = Claimer(store=counting, lease=LEASE, clock=time.now)
    assert isinstance(claimer.claim(decode(publisher.published[0])), Stored)
    assert counting.reads == 0


def test_the_next_pass_leaves_alone_what_was_just_published(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    store.create(an_activation())
    time.advance(60)
    sweeper = a_sweeper(store, publisher, time)
    sweeper.sweep()
    assert sweeper.sweep().due == 0
    time.advance(REPUBLISH_AGAIN_AFTER.total_seconds())
    assert sweeper.sweep().republished == 1


def test_a_live_lease_is_left_alone(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    claimed = created.activation.claimed(
        claim_id="c", now=NOON - timedelta(hours=1), lease=LEASE
    )  # by a clock that is wrong, so that it is due at once
    store.replace(claimed, created.version)
    publisher = FakePublisher()
    counts = a_sweeper(store, publisher, time).sweep()
    assert (counts.due, counts.skipped, publisher.published) == (1, 1, [])
    assert there(store).claim_id == "c"


def test_an_expired_lease_is_fenced_off_and_published_again(
    store: SqliteStore, time: FakeTime
) -> None:
    created = store.create(an_activation())
    claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
    zombie = store.replace(claimed, created.version)
    time.advance((LEASE + SWEEP_GRACE).total_seconds())
    assert a_sweeper(store, FakePublisher(), time).sweep().republished == 1
    assert (there(store).status, there(store).attempt) == ("queued", 1)
    with pytest.raises(Conflict):
        store.replace(zombie.activation.completed(an_answer(), now=NOON), zombie.version)


def test_past_the_deadline_the_step_is_written_without_the_queue(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    publisher.broken = True
    store.create(an_activation())
    time.advance(300)
    assert a_sweeper(store, publisher, time).sweep().completed == 1
    assert (there(store).status, there(store).fallback_reason) == ("completed", "deadline")


def test_with_the_queue_away_one_publish_is_tried_and_all_are_tried_again_soon(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    for number in range(3):
        store.create(an_activation(f"a{number}"))
    time.advance(60)
    publisher.broken = True
    sweeper = a_sweeper(store, publisher, time)
    assert sweeper.sweep().publish_failed == 3
    assert publisher.refused == 1
    publisher.broken = False
    time.advance(NEXT_PUBLISH.total_seconds())
    assert sweeper.sweep().republished == 3


def test_with_the_queue_away_those_past_their_deadline_are_answered(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    publisher.broken = True
    store.create(an_activation("young", time_to_answer=timedelta(days=1)))
    store.create(an_activation("old", time_to_answer=timedelta(seconds=50)))
    time.advance(60)
    counts = a_sweeper(store, publisher, time).sweep()
    assert (counts.publish_failed, counts.completed) == (1, 1)
    assert there(store, "old").done


def test_one_call_takes_passes_until_nothing_is_due(store: SqliteStore, time: FakeTime) -> None:
    for number in range(5):
        store.create(an_activation(f"a{number}"))
    time.advance(60)
    assert a_sweeper(store, FakePublisher(), time, batch=2).sweep().republished == 5


def test_one_call_clears_the_backlog_of_ten_minutes_without_a_worker(
    store: SqliteStore, time: FakeTime
) -> None:
    """Twenty a minute: those in time are published again, the library answers the others."""
    for number in range(200):
        store.create(an_activation(f"a{number}", now=time.now()))
        time.advance(3)
    publisher = FakePublisher()
    counts = a_sweeper(store, publisher, time).sweep()
    assert (counts.completed, counts.republished) == (101, 85)
    assert len(publisher.published) == 85
    assert store.due(time.now(), limit=1) == []


def test_one_call_ends_when_its_time_is_over(store: SqliteStore, time: FakeTime) -> None:
    for number in range(5):
        store.create(an_activation(f"a{number}", time_to_answer=timedelta(days=1)))
    time.advance(60)

    class Slow(FakePublisher):
        def publish(self, message: Message) -> None:
            super().publish(message)
            time.advance(TOTAL_SECONDS)

    counts = a_sweeper(store, Slow(), time, batch=2).sweep()
    assert counts.republished == 2


def test_one_that_fails_stops_none_of_those_behind_it(store: SqliteStore, time: FakeTime) -> None:
    for number in range(5):
        store.create(an_activation(f"a{number}"))
    time.advance(60)
    faulty = StoreWithFaults(store)
    faulty.raises.append(RuntimeError("nobody thought of this"))
    counts = a_sweeper(faulty, FakePublisher(), time, batch=2).sweep()
    assert (counts.failed, counts.republished) == (1, 4)


def test_the_deadline_ends_a_claim_too_whose_lease_is_live(
    store: SqliteStore, time: FakeTime
) -> None:
    """Its worker was killed 50 s before the deadline; its lease would be live for 40 s more."""
    created = store.create(an_activation())
    time.advance(250)
    claimed = created.activation.claimed(claim_id="c", now=time.now(), lease=LEASE)
    store.replace(claimed, created.version)
    time.advance(50)
    assert a_sweeper(store, FakePublisher(), time).sweep().completed == 1


def test_what_was_published_again_is_looked_at_by_its_deadline(
    store: SqliteStore, time: FakeTime
) -> None:
    store.create(an_activation(time_to_answer=timedelta(seconds=75)))
    time.advance(60)
    a_sweeper(store, FakePublisher(), time).sweep()
    assert there(store).due_at == NOON + timedelta(seconds=75)


@pytest.mark.parametrize(("claimed_after", "ending"), [(250, "deadline"), (205, "lease_expired")])
def test_a_claim_that_the_sweep_ends_at_the_deadline_is_in_the_history(
    store: SqliteStore, time: FakeTime, claimed_after: float, ending: str
) -> None:
    created = store.create(an_activation())
    time.advance(claimed_after)
    claimed = created.activation.claimed(claim_id="c", now=time.now(), lease=LEASE)
    store.replace(claimed, created.version)
    time.advance(300 - claimed_after)
    a_sweeper(store, FakePublisher(), time).sweep()
    assert [one.outcome for one in there(store).attempts] == [ending]


def test_what_was_published_again_says_when(store: SqliteStore, time: FakeTime) -> None:
    store.create(an_activation())
    time.advance(60)
    a_sweeper(store, FakePublisher(), time).sweep()
    assert there(store).republished == (NOON + timedelta(seconds=60),)


def test_what_could_not_be_published_again_does_not_say_so(
    store: SqliteStore, time: FakeTime
) -> None:
    publisher = FakePublisher()
    publisher.broken = True
    created = store.create(an_activation())
    claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
    store.replace(claimed, created.version)
    time.advance((LEASE + SWEEP_GRACE).total_seconds())
    a_sweeper(store, publisher, time).sweep()
    found = there(store)
    assert (found.republished, [one.outcome for one in found.attempts]) == ((), ["lease_expired"])


def test_at_the_deadline_a_pause_keeps_its_reason(store: SqliteStore, time: FakeTime) -> None:
    created = store.create(an_activation())
    claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
    later = NOON + timedelta(seconds=299)
    paused = claimed.released(now=NOON, not_before=later, spent=Usage(), attempts=(PAUSED,))
    store.replace(paused, created.version)
    time.advance(300)
    a_sweeper(store, FakePublisher(), time).sweep()
    assert there(store).fallback_reason == "quota"


def test_one_that_a_worker_takes_meanwhile_is_skipped(store: SqliteStore, time: FakeTime) -> None:
    store.create(an_activation())
    time.advance(60)
    faulty = StoreWithFaults(store)
    faulty.raises.append(Conflict("a worker was quicker"))
    assert a_sweeper(faulty, FakePublisher(), time).sweep().skipped == 1


def test_a_store_that_can_not_say_what_is_due_is_passed_on(
    database: Database, store: SqliteStore, time: FakeTime
) -> None:
    database.execute("DROP TABLE activations")
    with pytest.raises(StoreUnavailable):
        a_sweeper(store, FakePublisher(), time).sweep()


def test_what_it_can_not_judge_does_not_keep_it_from_fifty_others(
    store: SqliteStore, database: Database, time: FakeTime
) -> None:
    for number in range(52):
        store.create(an_activation(f"a{number}"))
    change_document(database, "a0", UNREADABLE["mood 7"])
    change_document(database, "a1", lambda document: document.update(status="paused"))
    time.advance(3600)
    assert a_sweeper(store, FakePublisher(), time, batch=50).sweep().completed == 50
    assert there(store, "a1").status == "paused"
