"""What becomes of the work in hand when the process is about to be killed."""

import threading
from collections import Counter
from collections.abc import MutableMapping, Sequence
from functools import partial
from itertools import count
from typing import Any

import pytest
from structlog.testing import capture_logs

from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation
from shared.domain.history import Attempt
from shared.domain.messages import Message, encode
from shared.errors import StoreUnavailable
from shared.ports import ActivationStore, Stored
from tests.builders import LEASE, NOON, an_activation
from tests.doubles import FakeTime, ScriptedGemini, StoreWithFaults
from tests.turns import Work, each_order, one_thread, stop, stopping
from tests.unit.gemini.clients import a_client
from tests.unit.pipeline.processors import a_processor, submitted
from worker.gemini.port import Generated, StepRequest
from worker.pipeline import held_claims
from worker.pipeline.held_claims import HeldClaims


def there(store: SqliteStore, activation_id: str = "a1") -> Stored:
    found = store.get(activation_id)
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


# A call that is under way then is paid for


def ledger_of(logs: Sequence[MutableMapping[str, Any]]) -> list[tuple[str, str, int]]:
    lines = [line for line in logs if line["event"] == "gemini.usage"]
    return [(line["fate"], line["model"], line["gemini_calls"]) for line in lines]


class EndsMeanwhile(ScriptedGemini):
    """The process gives its claims back two seconds after the call began; then the call returns."""

    def __init__(self, time: FakeTime, claims: HeldClaims) -> None:
        super().__init__(self._end)
        self._time = time
        self._claims = claims
        self.logged_by_then: list[MutableMapping[str, Any]] = []

    def _end(self) -> None:
        self._time.advance(2)
        with capture_logs() as logs:
            self._claims.release_all()
        self.logged_by_then = logs


def ended_in_a_call(
    store: ActivationStore, time: FakeTime, message: Message
) -> tuple[list[MutableMapping[str, Any]], list[MutableMapping[str, Any]]]:
    """What is logged by the release, and by the call's return after it."""
    claims = HeldClaims(store)
    gemini = EndsMeanwhile(time, claims)
    client = a_client(time, gemini, given_back=claims.given_back)
    with capture_logs() as after:
        a_processor(store, time, client, claims).process(message)
    return gemini.logged_by_then, after


def test_the_release_enters_the_call_under_way_in_the_ledger_and_its_return_does_not(
    store: SqliteStore, time: FakeTime
) -> None:
    by_then, after = ended_in_a_call(store, time, submitted(store))
    assert ledger_of(by_then) == [("released", "m1", 1)]
    assert ledger_of(after) == []


def test_the_activation_keeps_the_call_that_was_cut_and_how_long_it_was_under_way(
    store: SqliteStore, time: FakeTime
) -> None:
    ended_in_a_call(store, time, submitted(store))
    kept = there(store).activation
    assert (kept.usage.gemini_calls, kept.usage.gemini_ms) == (1, 2000)
    assert kept.attempts == (Attempt(at=NOON, model="m1", outcome="shutdown", ms=2000),)


def test_a_call_under_way_for_an_activation_that_was_erased_is_entered_as_dropped(
    store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    claims = HeldClaims(store)

    class Erased(EndsMeanwhile):
        def _end(self) -> None:
            store.delete("a1")
            super()._end()

    gemini = Erased(time, claims)
    client = a_client(time, gemini, given_back=claims.given_back)
    a_processor(store, time, client, claims).process(message)
    assert ledger_of(gemini.logged_by_then) == [("dropped", "m1", 1)]


def test_a_call_that_comes_back_while_the_store_was_away_is_counted_once(
    store: SqliteStore, time: FakeTime
) -> None:
    faulty = StoreWithFaults(store)
    message = submitted(store)
    claims = HeldClaims(faulty)

    class Away(EndsMeanwhile):
        def _end(self) -> None:
            faulty.raises.append(StoreUnavailable("told to"))
            super()._end()

    gemini = Away(time, claims)
    client = a_client(time, gemini, given_back=claims.given_back)
    with capture_logs() as after:
        assert a_processor(faulty, time, client, claims).process(message) == "completed"
    assert ledger_of([*gemini.logged_by_then, *after]) == [("unwritten", "m1", 1)]
    assert there(store).activation.usage.gemini_calls == 1


# The end of a process, in every order


class EndingProcess(StoreWithFaults):
    """A process that ends, with deliveries in work. Each stops before each call, and at `stops`.

    All of them write to it; it counts what is given back, and what Gemini is asked too late.
    """

    def __init__(
        self, store: SqliteStore, time: FakeTime, messages: list[Message], stops: set[str]
    ) -> None:
        super().__init__(store)
        self.time = time
        self.stops = stops
        self.activation_ids = [message.attributes["activation_id"] for message in messages]
        self.releases: Counter[str] = Counter()
        self.ended = False
        self.asked_too_late = 0
        self.paid = 0
        self._gemini = stopping(ScriptedGemini())
        self.works = [Work(self._end), *(Work(partial(self._deliver, m)) for m in messages)]

    def stop(self, name: str) -> None:
        if name in self.stops:
            stop(name)

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        written = super().replace(activation, expected_version)
        self.releases[activation.activation_id] += activation.status == "queued"
        return written

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        self.asked_too_late += self.ended or self.claims.given_back.is_set()
        self.paid += 1
        return self._gemini.generate(request, seconds=seconds)

    def _end(self, work: Work) -> None:
        self.claims = StopsAfterHold(self, work)
        if "drain" in self.stops:  # else release_all does it
            stop("drain")
            self.claims.drain()
        stop("release_all")
        self.claims.release_all()
        self.ended = True

    def _deliver(self, message: Message, _: Work) -> None:
        given_back = self.claims.given_back
        gemini = a_client(self.time, self, attempts=1, given_back=given_back)
        self.stop("delivery")
        a_processor(AnswersLate(self), self.time, gemini, self.claims).process(message)


class AnswersLate(StoreWithFaults):
    def __init__(self, process: EndingProcess) -> None:
        super().__init__(stopping(process))
        self._process = process

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        written = super().replace(activation, expected_version)
        self._process.stop(f"{activation.status} is written")
        return written


class StopsAfterHold(HeldClaims):
    def __init__(self, process: EndingProcess, work: Work) -> None:
        super().__init__(stopping(process, pool_of=work))
        self._process = process

    def hold(self, claimed: Stored) -> bool:
        held = super().hold(claimed)
        self._process.stop("hold")
        return held


@pytest.mark.parametrize(
    ("deliveries", "stops"),
    [
        (1, {"drain", "delivery", "processing is written", "hold", "completed is written"}),
        (2, {"processing is written"}),
    ],
)
def test_in_no_order_does_a_process_that_ends_keep_a_claim_or_call_gemini_too_late(
    store: SqliteStore,
    time: FakeTime,
    monkeypatch: pytest.MonkeyPatch,
    deliveries: int,
    stops: set[str],
) -> None:
    monkeypatch.setattr(held_claims, "ThreadPoolExecutor", one_thread)
    numbers = count()

    def start() -> tuple[EndingProcess, list[Work]]:
        activations = [an_activation(f"a{next(numbers)}") for _ in range(deliveries)]
        messages = [submitted(store, activation) for activation in activations]
        process = EndingProcess(store, time, messages, stops)
        return process, process.works

    ends: Counter[tuple[str, int, str | None]] = Counter()
    with capture_logs() as logs:
        for process, order in each_order(start):
            assert [work.error for work in process.works if work.error] == [], order
            assert process.asked_too_late == 0, order
            stored = [there(store, name).activation for name in process.activation_ids]
            for end in stored:
                ends[end.status, end.attempt, end.source] += 1
                assert end.status != "processing", order
                assert process.releases[end.activation_id] <= 1, order
            assert sum(end.usage.gemini_calls for end in stored) == process.paid, order
            assert sum(calls for *_, calls in ledger_of(logs)) == process.paid, order
            logs.clear()
    # Given back with its attempt, or answered: never a fallback because the process ends.
    assert set(ends) == {("queued", 0, None), ("completed", 1, "gemini")}
