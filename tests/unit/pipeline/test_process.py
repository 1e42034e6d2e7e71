"""One delivery from claim to write-back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation, Usage
from shared.errors import Conflict, StoreUnavailable
from shared.ports import Stored
from tests.builders import FALLBACK, LEASE, MAX_ATTEMPTS, NOON, an_activation
from tests.doubles import FakeTime, ScriptedGemini, StoreWithFaults
from tests.unit.gemini.clients import a_client
from tests.unit.pipeline.processors import a_processor, submitted
from worker.gemini.port import (
    Blocked,
    GeminiError,
    InvalidOutput,
    Misconfigured,
    ProcessEnds,
    Unavailable,
    WithoutKey,
)
from worker.pipeline.claim import Claimer
from worker.pipeline.decide import WRITE_SECONDS
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor

ONE_CALL = Usage(gemini_calls=1, prompt_tokens=3)
SPENT = Usage(gemini_calls=2, gemini_ms=50)


def there(store: SqliteStore) -> Activation:
    found = store.get("a1")
    assert found is not None
    return found.activation


def test_a_delivery_writes_geminis_step_with_its_model_and_cost(
    store: SqliteStore, time: FakeTime
) -> None:
    assert a_processor(store, time, ScriptedGemini()).process(submitted(store)) == "completed"
    found = there(store)
    assert (found.status, found.source, found.model) == ("completed", "gemini", "fake")
    assert found.usage.gemini_calls == 1
    assert found.due_at is None


def test_the_profile_is_dropped_when_it_is_completed(store: SqliteStore, time: FakeTime) -> None:
    profile = {"wellbeingFlags": {"depressionRisk": True}}
    activation = Activation.model_validate({**an_activation().model_dump(), "profile": profile})
    gemini = ScriptedGemini()
    a_processor(store, time, gemini).process(submitted(store, activation))
    assert gemini.requests[0].profile is not None
    assert there(store).profile is None


@pytest.mark.parametrize("times", [1, 5, 50])
def test_a_message_delivered_again_after_completion_calls_gemini_no_more(
    store: SqliteStore, time: FakeTime, times: int
) -> None:
    gemini = ScriptedGemini()
    processor = a_processor(store, time, gemini)
    message = submitted(store)
    processor.process(message)
    before = there(store)
    assert {processor.process(message) for _ in range(times)} == {"done"}
    assert len(gemini.requests) == 1
    assert there(store) == before


def test_of_fifty_deliveries_at_once_one_calls_gemini(store: SqliteStore, time: FakeTime) -> None:
    gemini = ScriptedGemini()
    message = submitted(store)
    together = threading.Barrier(50)

    def deliver(_: int) -> str:
        together.wait()
        return a_processor(store, time, gemini).process(message)

    with ThreadPoolExecutor(50) as workers:
        outcomes = list(workers.map(deliver, range(50)))
    assert outcomes.count("completed") == 1
    assert set(outcomes) <= {"completed", "leased", "done"}
    assert len(gemini.requests) == 1


def test_a_message_that_is_a_week_old_changes_nothing(store: SqliteStore, time: FakeTime) -> None:
    gemini = ScriptedGemini()
    processor = a_processor(store, time, gemini)
    message = submitted(store)
    processor.process(message)
    before = store.get("a1")
    time.advance(7 * 24 * 3600)
    assert processor.process(message) == "done"
    after = store.get("a1")
    assert before is not None
    assert after is not None
    assert (after.version, after.activation) == (before.version, before.activation)
    assert len(gemini.requests) == 1


def test_a_duplicate_during_the_call_finds_the_lease(store: SqliteStore, time: FakeTime) -> None:
    message = submitted(store)
    outcomes: list[str] = []
    duplicate = a_processor(store, time, ScriptedGemini())
    gemini = ScriptedGemini(lambda: outcomes.append(duplicate.process(message)))
    outcomes.append(a_processor(store, time, gemini).process(message))
    assert outcomes == ["leased", "completed"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("503", usage=SPENT), "unavailable"),
        (Unavailable("429", reason="quota", usage=SPENT), "quota"),
        (Unavailable("late", reason="timeout", usage=SPENT), "timeout"),
        (Blocked("SAFETY", usage=SPENT), "blocked"),
        (InvalidOutput("no JSON", usage=SPENT), "invalid_output"),
        (Misconfigured("403", usage=SPENT), "misconfigured"),
    ],
)
def test_what_gemini_does_not_answer_the_library_does_marked_and_paid_for(
    store: SqliteStore, time: FakeTime, error: GeminiError, reason: str
) -> None:
    assert a_processor(store, time, ScriptedGemini(error)).process(submitted(store)) == "completed"
    found = there(store)
    assert (found.source, found.fallback_reason, found.model) == ("fallback", reason, None)
    assert found.step is not None
    assert found.usage == SPENT


def test_without_a_key_the_library_answers_and_says_so(store: SqliteStore, time: FakeTime) -> None:
    a_processor(store, time, WithoutKey()).process(submitted(store))
    assert there(store).fallback_reason == "no_api_key"
    assert there(store).usage == Usage()


def test_past_its_deadline_gemini_is_not_asked(store: SqliteStore, time: FakeTime) -> None:
    gemini = ScriptedGemini()
    message = submitted(store)
    time.advance(300)
    a_processor(store, time, gemini).process(message)
    assert there(store).fallback_reason == "deadline"
    assert gemini.requests == []


def test_gemini_gets_no_more_time_than_is_left_before_the_deadline(
    store: SqliteStore, time: FakeTime
) -> None:
    gemini = ScriptedGemini()
    message = submitted(store)
    time.advance(290)
    a_processor(store, time, gemini).process(message)
    assert gemini.seconds == [pytest.approx(10 - WRITE_SECONDS)]


def test_after_the_last_allowed_claim_the_library_answers_instead(
    store: SqliteStore, time: FakeTime
) -> None:
    gemini = ScriptedGemini()
    worn_out = an_activation(time_to_answer=timedelta(days=1)).model_copy(
        update={"attempt": MAX_ATTEMPTS}
    )
    a_processor(store, time, gemini).process(submitted(store, worn_out))
    assert there(store).fallback_reason == "undeliverable"
    assert gemini.requests == []


def test_a_long_pause_releases_the_claim_and_gives_the_attempt_back(
    store: SqliteStore, time: FakeTime
) -> None:
    asked = Unavailable("429", reason="quota", retry_after=53, usage=SPENT)
    outcome = a_processor(store, time, ScriptedGemini(asked)).process(submitted(store))
    found = there(store)
    assert outcome == "paused"
    assert (found.status, found.attempt, found.claim_id) == ("queued", 0, None)
    assert found.not_before == NOON + timedelta(seconds=53)
    assert found.usage == SPENT
    assert found.due_at == found.not_before
    assert [(one.outcome, one.at) for one in found.attempts] == [("quota", NOON)]
    assert time.slept == []


def test_each_call_of_each_claim_is_in_the_history(store: SqliteStore, time: FakeTime) -> None:
    out_of_quota = Unavailable("429", reason="quota", retry_after=53, usage=ONE_CALL)
    first = ScriptedGemini(out_of_quota, model="m1")
    second = ScriptedGemini(out_of_quota, InvalidOutput("no JSON", usage=ONE_CALL), model="m2")
    processor = a_processor(store, time, a_client(time, first, second))
    message = submitted(store)
    assert processor.process(message) == "paused"
    assert there(store).paused_for == "quota"
    time.advance(53)
    first.plan(Unavailable("429", reason="quota", retry_after=53, usage=ONE_CALL))
    assert processor.process(message) == "completed"
    found = there(store)
    assert [(one.model, one.outcome, (one.at - NOON).seconds) for one in found.attempts] == [
        *(("m1", "quota", 0), ("m2", "quota", 0)),
        *(("m1", "quota", 53), ("m2", "invalid_output", 53), ("m2", "ok", 53)),
    ]
    assert (found.model, found.usage.gemini_calls) == ("m2", 5)


def test_a_claim_that_called_nobody_has_one_entry(store: SqliteStore, time: FakeTime) -> None:
    a_processor(store, time, WithoutKey()).process(submitted(store))
    assert [(one.outcome, one.model, one.at) for one in there(store).attempts] == [
        ("no_api_key", None, NOON)
    ]


def test_after_the_pause_it_is_completed_and_all_calls_are_counted(
    store: SqliteStore, time: FakeTime
) -> None:
    asked = Unavailable("429", reason="quota", retry_after=53, usage=SPENT)
    processor = a_processor(store, time, ScriptedGemini(asked))
    message = submitted(store)
    processor.process(message)
    time.advance(52)
    assert processor.process(message) == "not_yet"
    time.advance(1)
    assert processor.process(message) == "completed"
    assert there(store).usage.gemini_calls == 3


def test_a_pause_that_outlasts_the_deadline_is_answered_by_the_library_at_once(
    store: SqliteStore, time: FakeTime
) -> None:
    asked = Unavailable("429", reason="quota", retry_after=301)
    assert a_processor(store, time, ScriptedGemini(asked)).process(submitted(store)) == "completed"
    assert there(store).fallback_reason == "quota"


def test_a_result_that_comes_after_a_cancel_is_dropped(store: SqliteStore, time: FakeTime) -> None:
    message = submitted(store)

    def cancel() -> None:
        current = store.get("a1")
        assert current is not None
        store.replace(current.activation.cancelled(now=NOON), current.version)

    assert a_processor(store, time, ScriptedGemini(cancel)).process(message) == "dropped"
    assert there(store).status == "cancelled"


def test_a_result_that_comes_after_an_erasure_does_not_bring_it_back(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    gemini = ScriptedGemini(lambda: store.delete("a1"))
    assert a_processor(store, time, gemini).process(message) == "dropped"
    assert store.get("a1") is None


def test_a_zombie_that_writes_after_its_lease_was_taken_over_is_refused(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)

    def taken_over() -> None:
        time.advance(LEASE.total_seconds())
        a_processor(store, time, ScriptedGemini()).process(message)

    assert a_processor(store, time, ScriptedGemini(taken_over)).process(message) == "dropped"
    assert there(store).attempt == 2
    assert there(store).usage.gemini_calls == 1


def test_when_the_result_cannot_be_written_the_write_is_retried_and_not_the_call(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    faulty = StoreWithFaults(store)
    outage = [StoreUnavailable("told to")] * 3
    gemini = ScriptedGemini(lambda: faulty.raises.extend(outage))
    assert a_processor(faulty, time, gemini).process(message) == "completed"
    assert len(gemini.requests) == 1
    assert there(store).source == "gemini"
    assert len(time.slept) == 3


def test_a_worker_that_dies_between_call_and_write_costs_one_more_call(
    store: SqliteStore, time: FakeTime
) -> None:
    class Killed(BaseException):
        pass

    message = submitted(store)
    faulty = StoreWithFaults(store)
    gemini = ScriptedGemini(lambda: faulty.raises.append(Killed()))
    with pytest.raises(Killed):
        a_processor(faulty, time, gemini).process(message)
    restarted = a_processor(store, time, gemini)
    assert restarted.process(message) == "leased"
    time.advance(LEASE.total_seconds())
    assert restarted.process(message) == "completed"
    assert len(gemini.requests) == 2
    assert there(store).attempt == 2


def test_an_own_result_whose_answer_was_lost_is_recognised(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    faulty = StoreWithFaults(store)
    gemini = ScriptedGemini(
        lambda: faulty.applied_but_raises.append(Conflict("the retry met our own write"))
    )
    assert a_processor(faulty, time, gemini).process(message) == "completed"


def test_an_own_release_whose_answer_was_lost_is_recognised(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    faulty = StoreWithFaults(store)

    class Asks:
        def generate(self, request: object, *, seconds: float) -> object:  # noqa: ARG002
            faulty.applied_but_raises.append(Conflict("the retry met our own write"))
            raise Unavailable("429", reason="quota", retry_after=53)

    processor = a_processor(faulty, time, Asks())  # type: ignore[arg-type]  # it only raises
    assert processor.process(message) == "paused"


def test_a_store_that_stays_away_is_a_nack_and_loses_nothing(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    faulty = StoreWithFaults(store)
    outage = [StoreUnavailable("told to")] * 10_000
    gemini = ScriptedGemini(lambda: faulty.raises.extend(outage))
    processor = a_processor(faulty, time, gemini)
    with pytest.raises(StoreUnavailable):
        processor.process(message)
    faulty.raises.clear()
    time.advance(LEASE.total_seconds())
    assert processor.process(message) == "completed"


def test_the_claims_time_is_the_stores_and_not_the_workers(
    store: SqliteStore, time: FakeTime
) -> None:
    """A worker an hour ahead would else see every deadline passed."""
    message = submitted(store)
    processor = a_processor(store, time, ScriptedGemini())
    ahead = Claimer(store=store, lease=LEASE, clock=lambda: time.now() + timedelta(hours=1))
    wrong = Processor(
        store=store,
        claims=HeldClaims(store),
        claimer=ahead,
        decider=processor.decider,
        write_back_seconds=20,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )
    wrong.process(message)
    assert there(store).source == "gemini"


def test_a_claimed_activation_is_what_the_generator_is_asked_for(
    store: SqliteStore, time: FakeTime
) -> None:
    gemini = ScriptedGemini()
    a_processor(store, time, gemini).process(submitted(store))
    (request,) = gemini.requests
    assert (request.mood, request.goal, request.language) == (2, "komma igång", "sv")
    assert isinstance(store.get("a1"), Stored)


def test_a_result_that_the_sweep_was_quicker_to_write_is_dropped(
    store: SqliteStore, time: FakeTime
) -> None:
    """The sweep completes what is past its deadline, also where a worker holds the claim."""

    def the_sweep_writes() -> None:
        found = store.get("a1")
        assert found is not None
        late = FALLBACK.instead_of_gemini(found.activation, "deadline")
        store.replace(found.activation.completed(late, now=NOON), found.version)

    processor = a_processor(store, time, ScriptedGemini(the_sweep_writes))
    assert processor.process(submitted(store)) == "dropped"
    assert there(store).fallback_reason == "deadline"


def test_a_claim_whose_answer_was_lost_and_that_was_cancelled_meanwhile_calls_nobody(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    gemini = ScriptedGemini()

    class CancelledAfterTheClaim(StoreWithFaults):
        def replace(self, activation: Activation, expected_version: str) -> Stored:
            claimed = store.replace(activation, expected_version)
            store.replace(claimed.activation.cancelled(now=NOON), claimed.version)
            raise Conflict("the retry met our own write")

    assert a_processor(CancelledAfterTheClaim(store), time, gemini).process(message) == "done"
    assert gemini.requests == []


def test_nothing_of_a_delivery_stays_bound_to_the_logs_of_its_thread(
    store: SqliteStore, time: FakeTime
) -> None:
    faulty = StoreWithFaults(store)
    processor = a_processor(faulty, time, ScriptedGemini())
    faulty.raises.append(StoreUnavailable("told to"))
    with pytest.raises(StoreUnavailable):
        processor.process(submitted(store))
    assert structlog.contextvars.get_contextvars() == {}


def test_what_is_logged_while_gemini_is_asked_names_the_activation(
    store: SqliteStore, time: FakeTime
) -> None:
    gemini = ScriptedGemini(lambda: structlog.get_logger().warning("gemini.retry"))
    processor = a_processor(store, time, gemini)
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        processor.process(submitted(store))
    assert {"gemini.retry", "activation.completed"} <= {line["event"] for line in lines}
    assert {line.get("activation_id") for line in lines} == {"a1"}


def test_a_claim_that_a_process_gives_back_as_it_ends_is_not_answered_by_the_library(
    store: SqliteStore, time: FakeTime
) -> None:
    """The library's step could be written before the claim is given back, and Gemini is well."""
    gemini = ScriptedGemini(ProcessEnds("the claim was given back", usage=SPENT))
    with capture_logs() as logs:
        assert a_processor(store, time, gemini).process(submitted(store)) == "released"
    assert there(store).status == "processing"
    (paid,) = [line for line in logs if line["event"] == "gemini.usage"]
    assert (paid["fate"], paid["gemini_calls"]) == ("released", 2)
