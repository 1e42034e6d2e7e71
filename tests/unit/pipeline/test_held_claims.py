"""What becomes of the work in hand when the process is about to be killed."""

import threading

from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation
from shared.domain.messages import encode
from shared.errors import StoreUnavailable
from shared.ports import Stored
from tests.builders import LEASE, NOON, an_activation
from tests.doubles import FakeTime, ScriptedGemini, StoreWithFaults
from tests.unit.pipeline.processors import a_processor, submitted
from worker.pipeline.held_claims import HeldClaims


def there(store: SqliteStore) -> Stored:
    found = store.get("a1")
    assert found is not None
    return found


FIFTY = 50


def shown(activation: Activation) -> tuple[str, int, str | None]:
    return activation.status, activation.attempt, activation.claim_id


def test_a_claim_in_a_gemini_call_is_given_back_with_its_attempt(
    store: SqliteStore, time: FakeTime
) -> None:
    claims = HeldClaims(store)
    given_back: list[int] = []

    def at_the_end_of_the_grace() -> None:
        given_back.append(claims.release_all())

    processor = a_processor(store, time, ScriptedGemini(at_the_end_of_the_grace), claims)
    # The call returned after all, too late: nothing is written, and the message comes again.
    assert processor.process(submitted(store)) == "released"
    assert given_back == [1]
    assert shown(there(store).activation) == ("queued", 0, None)


def test_the_next_delivery_elsewhere_takes_it_up_at_once(
    store: SqliteStore, time: FakeTime
) -> None:
    claims = HeldClaims(store)
    message = submitted(store)

    def at_the_end_of_the_grace() -> None:
        claims.release_all()

    a_processor(store, time, ScriptedGemini(at_the_end_of_the_grace), claims).process(message)
    elsewhere = a_processor(store, time, ScriptedGemini())
    assert elsewhere.process(message) == "completed"
    assert shown(there(store).activation)[:2] == ("completed", 1)


def test_nothing_new_is_begun_after_that(store: SqliteStore, time: FakeTime) -> None:
    claims = HeldClaims(store)
    claims.release_all()
    gemini = ScriptedGemini()
    message = submitted(store)
    before = there(store).version
    assert a_processor(store, time, gemini, claims).process(message) == "released"
    assert gemini.requests == []
    assert there(store).version == before


def test_what_is_finished_is_not_touched(store: SqliteStore, time: FakeTime) -> None:
    claims = HeldClaims(store)
    a_processor(store, time, ScriptedGemini(), claims).process(submitted(store))
    before = there(store).version
    assert claims.release_all() == 0
    assert there(store).version == before


def test_a_store_that_is_away_leaves_the_claim_to_its_lease(
    store: SqliteStore, time: FakeTime
) -> None:
    faulty = StoreWithFaults(store)
    claims = HeldClaims(faulty)
    given_back: list[int] = []

    def at_the_end_of_the_grace() -> None:
        faulty.raises.append(StoreUnavailable("told to"))
        given_back.append(claims.release_all())

    processor = a_processor(faulty, time, ScriptedGemini(at_the_end_of_the_grace), claims)
    assert processor.process(submitted(store)) == "completed"  # it came in time after all
    assert given_back == [0]


def test_a_claim_whose_write_returns_after_the_release_is_given_back_and_calls_nobody(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    claims = HeldClaims(store)
    gemini = ScriptedGemini()

    class SlowStore(StoreWithFaults):
        def replace(self, activation: Activation, expected_version: str) -> Stored:
            written = super().replace(activation, expected_version)
            claims.release_all()
            return written

    processor = a_processor(SlowStore(store), time, gemini, claims)
    assert processor.process(message) == "released"
    assert gemini.requests == []
    assert shown(there(store).activation) == ("queued", 0, None)


def test_a_process_that_drains_finishes_what_it_holds_and_takes_up_nothing_new(
    store: SqliteStore, time: FakeTime
) -> None:
    claims = HeldClaims(store)
    processor = a_processor(store, time, ScriptedGemini(claims.drain), claims)
    assert processor.process(submitted(store)) == "completed"
    another = store.create(an_activation("a2"))
    message = encode(another.activation, another.version)
    assert processor.process(message) == "released"


def test_claims_are_given_back_at_the_same_time(store: SqliteStore) -> None:
    """Each write waits until all are under way: one after the other, they would never end."""
    together = threading.Barrier(FIFTY, timeout=20)

    class Slow(StoreWithFaults):
        def replace(self, activation: Activation, expected_version: str) -> Stored:
            together.wait()
            return super().replace(activation, expected_version)

    claims = HeldClaims(Slow(store))
    for number in range(FIFTY):
        created = store.create(an_activation(f"a{number}"))
        claimed = created.activation.claimed(claim_id=f"c{number}", now=NOON, lease=LEASE)
        assert claims.hold(store.replace(claimed, created.version))
    assert claims.release_all() == FIFTY
