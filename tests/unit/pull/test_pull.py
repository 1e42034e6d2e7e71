"""The main loop of `worker.pull`: when it ends, what it ends, and with which exit code."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from google.api_core.exceptions import PermissionDenied
from structlog.testing import capture_logs

from local.sqlite.store import SqliteStore
from shared.domain.messages import Message, encode
from shared.drain import Drain, StopSignals
from shared.periodic import Periodic
from shared.settings import Settings
from tests.builders import LEASE, NOON, an_activation
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini
from tests.unit.pull.streams import FakeSubscriber, Pulled, a_stream
from worker.app import create_health_app
from worker.pull import PullWorker, not_received, sources
from worker.streams import Source, deliver
from worker.wiring import build_pipeline


class Signals(StopSignals):
    """None has come yet."""

    def __init__(self) -> None:
        self.came = False


class FakeSweep(Periodic):
    """`is_called`: a call is under way."""

    def __init__(self) -> None:
        self.is_called = self.is_stopped = False

    def stop(self) -> None:
        self.is_stopped = True

    @property
    def runs(self) -> bool:
        return self.is_called

    def finish(self) -> None:
        self.is_called = False


@dataclass
class Rig:
    """A worker on doubles. `plan` is what happens while it answers probes, one step a turn; with
    nothing left to happen, only time passes."""

    time: FakeTime
    plan: list[Callable[[], object]] = field(default_factory=list)
    given_back: list[float] = field(default_factory=list)
    signals: Signals = field(default_factory=Signals)

    def __post_init__(self) -> None:
        self.requests, self.dead_letters = FakeSubscriber(), FakeSubscriber()
        self.streams = [a_stream(self.requests), a_stream(self.dead_letters)]
        self.sweep = FakeSweep()

    def term(self) -> None:
        self.signals.came = True

    def run(self) -> int:
        worker = PullWorker(
            streams=self.streams,
            sweep=self.sweep,
            answer_probes=self._turn,
            monotonic=self.time.monotonic,
        )
        return worker.run(
            self.signals, Drain(give_back=lambda: self.given_back.append(self.time.passed))
        )

    def _turn(self, seconds: float) -> None:
        self.time.advance(seconds)
        if self.plan:
            self.plan.pop(0)()


@pytest.fixture
def rig(time: FakeTime) -> Rig:
    return Rig(time)


def test_after_sigterm_both_streams_finish_and_the_exit_code_is_0(rig: Rig) -> None:
    rig.plan = [rig.term, rig.requests.finish, rig.dead_letters.finish]
    assert rig.run() == 0
    assert not_received(rig.streams)
    assert rig.given_back == []


def test_after_sigterm_no_sweep_begins_and_the_one_under_way_finishes(rig: Rig) -> None:
    rig.sweep.is_called = True
    rig.plan = [rig.term, rig.requests.finish, rig.dead_letters.finish, rig.sweep.finish]
    assert rig.run() == 0
    assert rig.sweep.is_stopped
    assert (rig.plan, rig.given_back) == ([], [])


def test_what_a_stream_has_not_finished_in_time_is_given_back(rig: Rig) -> None:
    rig.plan = [rig.term, rig.dead_letters.finish]
    assert rig.run() == 0
    assert len(rig.given_back) == 1


@pytest.mark.parametrize("failing", ["requests", "dead_letters"])
def test_when_one_stream_has_failed_the_other_finishes_and_the_exit_code_is_1(
    rig: Rig, failing: str
) -> None:
    both = {"requests": rig.requests, "dead_letters": rig.dead_letters}
    failed = both.pop(failing)
    [other] = both.values()
    rig.plan = [lambda: failed.finish(PermissionDenied("no right")), other.finish]
    with capture_logs() as logs:
        assert rig.run() == 1
    assert [line for line in logs if line["log_level"] == "error"] == [
        {
            "event": "pull.failed",
            "log_level": "error",
            "alert": True,
            "subscription": "requests",
            "error": "PermissionDenied",
        }
    ]


def test_only_the_streams_that_receive_nothing_are_named_to_readyz(rig: Rig) -> None:
    assert not_received(rig.streams) == {}
    rig.requests.stop()
    assert not_received(rig.streams) == {"requests": "nothing is received from this subscription"}


def test_readyz_is_503_while_a_stream_receives_nothing(store: SqliteStore, rig: Rig) -> None:
    app = create_health_app(
        Settings(), store, FakePublisher(), lambda: not_received(rig.streams), rig.time.now
    ).test_client()
    assert app.get("/readyz").status_code == 200
    rig.dead_letters.stop()
    assert app.get("/readyz").status_code == 503
    assert app.get("/livez").status_code == 200


def test_nothing_but_health_is_served_with_the_board_on_too(store: SqliteStore) -> None:
    app = create_health_app(Settings(board=True), store, FakePublisher(), dict)
    assert {rule.rule for rule in app.url_map.iter_rules()} == {"/livez", "/readyz"}


# What is pulled


@pytest.fixture
def pulled_from(store: SqliteStore, time: FakeTime) -> dict[str, Source]:
    settings = Settings(pubsub_subscription="by-test", web_threads=7)
    pipeline = build_pipeline(settings, store, FakePublisher(), ScriptedGemini(), time.now)
    return {source.subscription: source for source in sources(settings, pipeline)}


def said_to(source: Source, message: Message) -> list[str]:
    pulled = Pulled(message.data, message.attributes)
    deliver(source.handle, pulled)
    return pulled.said


def test_dead_letters_come_by_the_subscription_of_the_same_name_and_dead(
    pulled_from: dict[str, Source],
) -> None:
    assert set(pulled_from) == {"by-test", "by-test-dead"}
    assert pulled_from["by-test"].at_once == 7


def test_a_request_is_completed_and_acked(
    store: SqliteStore, pulled_from: dict[str, Source]
) -> None:
    stored = store.create(an_activation())
    message = encode(stored.activation, stored.version)
    assert said_to(pulled_from["by-test"], message) == ["ack"]
    found = store.get(stored.activation.activation_id)
    assert found is not None
    assert found.activation.source == "gemini"


def test_a_request_that_another_worker_has_claimed_is_nacked(
    store: SqliteStore, pulled_from: dict[str, Source]
) -> None:
    created = store.create(an_activation())
    store.replace(
        created.activation.claimed(claim_id="theirs", now=NOON, lease=LEASE), created.version
    )
    message = encode(created.activation, created.version)
    assert said_to(pulled_from["by-test"], message) == ["nack"]


def test_a_dead_letter_past_its_deadline_is_answered_and_acked(
    store: SqliteStore, time: FakeTime, pulled_from: dict[str, Source]
) -> None:
    stored = store.create(an_activation())
    time.advance(300)
    message = encode(stored.activation, stored.version)
    assert said_to(pulled_from["by-test-dead"], message) == ["ack"]
    found = store.get(stored.activation.activation_id)
    assert found is not None
    assert found.activation.fallback_reason == "undeliverable"
